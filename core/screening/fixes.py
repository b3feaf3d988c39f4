"""What one click would do about a finding: steps of the cleaning catalogue with settings read off the column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clean.hampel import local_spread
from core.clean.recipe import RecipeStep
from core.clean.repeated import LONGEST
from core.messages import Message, msg
from core.screening.records import Fix
from core.screening.values import SPIKE_ROWS, Clipped, Run, run_lengths

WIDEST_FENCE = 100.0
ORDINARY_FENCE = 1.5
APART = 1.25
MOST_BAD = 0.15
SHORT_GAP = 3
MOST_KEPT = 50
HAMPEL_FLOOR, WIDEST_HAMPEL = 10.0, 100.0
RUN_LENGTHS = (10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 3_000, 5_000, LONGEST)
LONGEST_LINE = 5
"""Missing rows over which a line is offered. Over a handful of sampling intervals a process moves about as far as a line says;
over an hour of a column sampled every minute the line would be a made-up measurement. As long as in a proposed recipe."""
JITTER = 1.5  # a clock that ticks unevenly may take so many times its usual step

Ends = tuple[bool, bool]
NO_ENDS: Ends = (False, False)


@dataclass(frozen=True, slots=True)
class Gap:
    """What is to be filled: whether the rows follow one another, the longest and the shortest gap in rows, whether groups
    begin and end with one, and the sampling interval in seconds or the unit of a clock of numbers (None: not known)."""

    in_order: bool
    longest: int
    ends: Ends = NO_ENDS
    shortest: int = 1
    interval: float | None = None


def empty_ends(empty: NDArray[np.bool_], starts: NDArray[np.int64]) -> Ends:
    """Whether a group, or the whole column, begins with an empty cell, and whether one ends with it: no line goes there.

    Args:
        empty: (n,) in order.
        starts: Positions at which a new group begins, 0 among them.
    """
    if not len(empty):
        return NO_ENDS
    inner = starts[(starts > 0) & (starts < len(empty))]
    return bool(empty[0] or empty[inner].any()), bool(empty[-1] or empty[inner - 1].any())


def fill(column: str, kind: str, gap: Gap) -> Fix | None:
    """Missing cells: a straight line between neighbours where rows follow one another, else the median; a word for texts.

    The line reaches over at most `LONGEST_LINE` rows and as many sampling intervals; longer gaps stay empty, and where all are
    longer there is no fix. Where a group begins or ends with a short gap, it takes the next or the last value.
    """
    if kind == "text":
        step = RecipeStep(key="constant_fill", columns=(column,), settings={"text": "missing"})
        return Fix(msg("Fill with 'missing'"), (step,))
    if gap.in_order:
        if gap.shortest > LONGEST_LINE:
            return None
        limits: dict[str, object] = {"max_gap": LONGEST_LINE}
        if gap.interval is not None:  # rows may be missing as well as cells: two rows with a night between are no neighbours
            limits["max_gap_time"] = float(f"{(LONGEST_LINE + 1) * JITTER * gap.interval:.4g}")
        keys = ("linear_fill", *(key for key, is_open in zip(("next_fill", "previous_fill"), gap.ends, strict=True) if is_open))
        steps = tuple(RecipeStep(key=key, columns=(column,), settings=limits) for key in keys)
        if gap.longest <= LONGEST_LINE:
            return Fix(msg("Fill along a straight line"), steps)
        return Fix(msg("Fill gaps of up to {n} rows along a straight line; longer ones stay empty", n=LONGEST_LINE), steps)
    return Fix(msg("Fill with the median"), (RecipeStep(key="median_fill", columns=(column,)),))


def empty_and_fill(column: str, values: NDArray[np.float64], bad: NDArray[np.bool_], gap: Gap) -> Fix | None:
    """Empty the bad cells by a fence around the middle half that lies between them and all others, then fill them.

    None where no fence parts them: bad cells inside the range of the others, or more than 15 % of all.
    """
    fence = parting_fence(values, bad)
    if fence is None:
        return None
    outliers = RecipeStep(key="iqr_outliers", columns=(column,), settings={"fence": fence, "action": "set_missing"})
    return _emptied(column, outliers, gap)


def empty_codes(column: str, codes: NDArray[np.float64], lowest: float, gap: Gap) -> Fix:
    """Disguised missing codes, which stand at the ends of the column, emptied by limits, then filled.

    Args:
        codes: The codes (k,).
        lowest: The smallest cell that is none: codes below it are a lower limit, the others an upper one.
    """
    settings: dict[str, object] = {}
    if (codes < lowest).any():
        settings["smallest"] = float(codes[codes < lowest].max())
    if (codes > lowest).any():
        settings["largest"] = float(codes[codes > lowest].min())
    limits = RecipeStep(
        key="fixed_limits", columns=(column,), settings={**settings, "with_ends": True, "action": "set_missing"}
    )
    return _emptied(column, limits, gap)


def empty_spikes(
    column: str,
    values: NDArray[np.float64],
    bad: NDArray[np.bool_],
    starts: NDArray[np.int64],
    gap: Gap,
) -> Fix | None:
    """Spikes inside the range of the other cells emptied by a moving median, then filled; None where it does not part them."""
    groups = np.zeros(len(values), dtype=np.int64)
    groups[starts[starts < len(values)]] = 1
    local = local_spread(values, np.arange(len(values)), np.cumsum(groups), SPIKE_ROWS, False)
    known = np.isfinite(local.spread)
    floor = HAMPEL_FLOOR * float(np.median(local.spread[known])) if known.any() else 0.0
    if floor <= 0:
        return None
    reach = np.abs(values - local.centre) / np.maximum(local.spread, floor)
    seen = np.isfinite(reach)
    if not seen[bad].all():
        return None
    inner, outer = float(reach[seen & ~bad].max(initial=0.0)), float(reach[bad].min())
    if outer < APART * inner or inner >= WIDEST_HAMPEL:
        return None
    limit = float(f"{min(WIDEST_HAMPEL, np.sqrt(max(inner, outer / 4) * outer)):.3g}")
    settings = {"half_width": SPIKE_ROWS, "limit": limit, "floor": HAMPEL_FLOOR, "action": "set_missing"}
    step = RecipeStep(key="hampel_outliers", columns=(column,), settings=settings)
    return _emptied(column, step, gap)


def empty_stuck(
    column: str, values: NDArray[np.float64], runs: tuple[Run, ...], starts: NDArray[np.int64], *, has_time: bool
) -> Fix | None:
    """Stuck stretches emptied, and left empty: the true values are unknown, and a line across would be made up.

    Values of other runs as long are named as values that may last. None where these are too many.

    Args:
        values: (n,) in order, as the recipe will see them: with disguised codes, which have a fix of their own.
        starts: Positions at which a new group begins.
    """
    shortest = min(run.length for run in runs)
    first, length = run_lengths(values, starts)
    is_stuck = np.isin(first, [run.first for run in runs])
    others = length[~is_stuck & np.isfinite(values[first])]
    ordinary = int(others[others < shortest].max(initial=1))
    if shortest > LONGEST >= ordinary:
        shortest = LONGEST
    rows = max((n for n in RUN_LENGTHS if ordinary < n <= shortest), default=shortest)
    kept = np.unique(values[first[~is_stuck & np.isfinite(values[first]) & (length >= rows)]])
    if rows > LONGEST or len(kept) > MOST_KEPT or set(kept) & {run.value for run in runs}:
        return None
    settings: dict[str, object] = {"rows": int(rows)}
    if len(kept):
        settings["kept"] = [float(v) for v in kept]
    caution = None
    if any(run.value == 0 for run in runs):
        caution = msg("Zero may be a standstill. Right only where the sensor stood still and not the machine.")
    elif not has_time:
        caution = msg("Right only where the rows stand in the order in which they were measured.")
    step = RecipeStep(key="repeated_to_missing", columns=(column,), settings=settings)
    return Fix(msg("Empty stretches of {n} equal rows and more", n=rows), (step,), caution=caution)


def empty_clipped(column: str, ends: tuple[Clipped, ...]) -> Fix | None:
    """Cells at these ends of the range emptied: what is known of them is only that they lie there or beyond."""
    if not ends:
        return None
    settings = {"largest" if end.is_upper else "smallest": end.value for end in ends}
    step = RecipeStep(key="fixed_limits", columns=(column,), settings={**settings, "with_ends": True, "action": "set_missing"})
    return Fix(
        msg("Empty the clipped cells"),
        (step,),
        caution=msg(
            "Their true value is unknown: it lies at this end or beyond. If the limit is real, such as a valve that is fully "
            "open, leave it."
        ),
    )


def _emptied(column: str, step: RecipeStep, gap: Gap) -> Fix:
    filled = fill(column, "number", gap)
    if filled is None:
        return Fix(msg("Empty these cells; the gaps are too long to fill"), (step,))
    return Fix(_both(filled), (step, *filled.steps))


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
