"""What one click would do about a finding: steps of the cleaning catalogue with settings read off the column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clean.recipe import RecipeStep
from core.messages import Message, msg
from core.screening.records import Fix

WIDEST_FENCE = 100.0
ORDINARY_FENCE = 1.5
APART = 1.25
MOST_BAD = 0.15
SHORT_GAP = 3
GAP_LENGTHS = (3, 10, 30, 100, 300, 1_000, 3_000, 10_000)  # few, so that columns share a step


def fill(column: str, kind: str, *, in_order: bool, longest: int) -> Fix:
    """Missing cells: a straight line between neighbours where rows follow one another, else the median; a word for texts."""
    if kind == "text":
        step = RecipeStep(key="constant_fill", columns=(column,), settings={"text": "missing"})
        return Fix(msg("Fill with 'missing'"), (step,))
    if in_order:
        longest = next((n for n in GAP_LENGTHS if n >= longest), longest)
        step = RecipeStep(key="linear_fill", columns=(column,), settings={"max_gap": longest})
        return Fix(msg("Fill along a straight line"), (step,))
    return Fix(msg("Fill with the median"), (RecipeStep(key="median_fill", columns=(column,)),))


def empty_and_fill(
    column: str, values: NDArray[np.float64], bad: NDArray[np.bool_], *, in_order: bool, longest: int
) -> Fix | None:
    """Empty the bad cells by a fence around the middle half that lies between them and all others, then fill them.

    None where no fence parts them: bad cells inside the range of the others, or more than 15 % of all.
    """
    fence = parting_fence(values, bad)
    if fence is None:
        return None
    outliers = RecipeStep(key="iqr_outliers", columns=(column,), settings={"fence": fence, "action": "set_missing"})
    filled = fill(column, "number", in_order=in_order, longest=longest)
    return Fix(_both(filled), (outliers, *filled.steps))


def _both(filled: Fix) -> Message:
    return msg("Empty these cells, then: {fill}", fill=filled.title)


def parting_fence(values: NDArray[np.float64], bad: NDArray[np.bool_]) -> float | None:
    """The fence in IQRs (2 digits) beyond which all bad cells and no others lie; the quartiles are those of all cells."""
    known = np.isfinite(values)
    good, wrong = values[known & ~bad], values[known & bad]
    if not len(good) or not len(wrong) or len(wrong) > MOST_BAD * known.sum():
        return None
    low, high = np.quantile(values[known], (0.25, 0.75))
    width = float(high - low)
    if width <= 0:
        return None
    inner = max(ORDINARY_FENCE, float(max(low - good.min(), good.max() - high)) / width)
    outer = float(np.maximum(low - wrong, wrong - high).min()) / width
    if outer < APART * inner or inner >= WIDEST_FENCE:
        return None
    return float(f"{min(WIDEST_FENCE, np.sqrt(inner * outer)):.3g}")
