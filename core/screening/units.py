"""A change of unit inside a column: one stretch is another one times 10, 25.4, 1000 …, or °F against °C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FACTORS: tuple[tuple[float, str], ...] = (
    (10.0, "×10"), (100.0, "×100"), (1000.0, "×1000"), (1e6, "×1,000,000"), (25.4, "mm / inch"), (60.0, "×60"),
    (3.6, "km/h / m/s"), (2.20462, "lb / kg"), (6.89476, "kPa / psi"), (14.5038, "psi / bar"), (0.3048, "m / ft"),
    (9.80665, "N / kgf"),
)  # fmt: skip
LEVEL_TOLERANCE, WIDTH_TOLERANCE, SPREAD_FACTOR = 0.02, 0.1, 1.3
LARGE_FACTOR = 8.0  # smaller ratios happen between operating points, so that they have half the tolerance
FEWEST_CELLS = 30
NEAR_CUT = 50  # rows to either side of a cut among which the row of the change is looked for


@dataclass(frozen=True, slots=True)
class UnitChange:
    """From `position` on the column stands in another unit, new = old · `factor` + `offset`; `words` names the pair."""

    position: int
    words: str
    factor: float
    offset: float = 0.0


def unit_change(values: NDArray[np.float64], left: int, cut: int, right: int, *, has_time: bool = True) -> UnitChange | None:
    """Whether the rows `cut` to `right` are those from `left` to `cut` in another unit.

    Median and spread (10 to 90 % range) must both change by the factor, the median within 2 % or a tenth of its spread,
    the spread within a factor 1.3: a machine that runs at ten times the load seldom does both. For factors below 8 and for
    °C / °F half of that; where no clock orders the rows these are not looked for at all.
    """
    before, after = values[left:cut], values[cut:right]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if min(len(before), len(after)) < FEWEST_CELLS:
        return None
    low, old, high = np.quantile(before, (0.1, 0.5, 0.9))
    new_low, new, new_high = np.quantile(after, (0.1, 0.5, 0.9))
    width, new_width = float(high - low), float(new_high - new_low)
    if width <= 0 or new_width <= 0:
        return None
    for factor, words in FACTORS:
        is_large = max(factor, 1 / factor) >= LARGE_FACTOR
        if not is_large and not has_time:
            continue
        for ratio in (factor, 1 / factor):
            if _fits(old * ratio, width * ratio, new, new_width, is_large) and _scales(width, old):
                return UnitChange(_exact(values, left, cut, right, (old, new)), words, ratio)
    for scale, offset in () if not has_time else ((1.8, 32.0), (1 / 1.8, -32 / 1.8)):
        if _fits(old * scale + offset, width * scale, new, new_width, False):
            return UnitChange(_exact(values, left, cut, right, (old, new)), "°C / °F", scale, offset)
    return None


def _exact(values: NDArray[np.float64], left: int, cut: int, right: int, levels: tuple[float, float]) -> int:
    """The position near the cut that puts the fewest cells on the side of the other unit's median; the cut among equals."""
    first, last = max(left, cut - NEAR_CUT), min(right, cut + NEAR_CUT)
    some = values[first:last]
    is_new = np.abs(some - levels[1]) < np.abs(some - levels[0])
    is_old = np.isfinite(some) & ~is_new
    wrong = np.r_[0, np.cumsum(is_new)] + is_old.sum() - np.r_[0, np.cumsum(is_old)]
    best = np.flatnonzero(wrong == wrong.min()) + first
    return int(best[np.argmin(np.abs(best - cut))])


def _fits(expected: float, expected_width: float, new: float, new_width: float, is_large: bool) -> bool:
    share = 1.0 if is_large else 0.5
    close = abs(new - expected) <= share * max(LEVEL_TOLERANCE * abs(expected), WIDTH_TOLERANCE * expected_width)
    factor = 1 + share * (SPREAD_FACTOR - 1)
    return close and 1 / factor <= new_width / expected_width <= factor


def _scales(width: float, level: float) -> bool:
    """A ratio of levels means something only where the level is not zero within its spread."""
    return abs(level) > 2 * width
