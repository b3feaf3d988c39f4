"""Fixes for what holds from one row to another: a level, a unit, a noise that changes; steps between two times.

The longest stretch says what is right, as the data cannot. Without a clock there is no fix: rows of a later file have other
numbers. The last stretch is left open, so that what is scored later is treated as the rows before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from core.clean.periods import make_period, place_text
from core.clean.recipe import RecipeStep
from core.data.dataset import Column
from core.messages import msg, msg_n
from core.screening.levels import LARGE, NOISIER, Levels
from core.screening.order import RowOrder
from core.screening.records import Fix
from core.screening.units import UnitChange

Stretch: TypeAlias = tuple[int, int]  # positions, first included, last not

MOST_STRETCHES = 4
MOST_LEFT_OUT = 0.5
SLOW_SHARE = 20  # the slow level is that of this part of all rows
SAME_UNIT = 1e-6


def unit_fix(column: Column, edges: Sequence[int], changes: Sequence[UnitChange | None], rows: RowOrder) -> Fix | None:
    """Rows in another unit than most rows converted to that one.

    Args:
        edges: (k + 1,) positions that part the rows into stretches.
        changes: (k − 1,) the change of unit between a stretch and the next one, None where only the level changes.
    """
    scales = [(1.0, 0.0)]
    for change in changes:
        factor, offset = scales[-1]
        if change is None:
            scales.append((factor, offset))
        else:
            scales.append((factor * change.factor, offset * change.factor + change.offset))
    stretches = list(zip(edges[:-1], edges[1:], strict=True))
    sizes = [sum(b - a for (a, b), s in zip(stretches, scales, strict=True) if _same(s, scale)) for scale in scales]
    right = scales[int(np.argmax(sizes))]
    wrong = [(stretch, scale) for stretch, scale in zip(stretches, scales, strict=True) if not _same(scale, right)]
    steps = []
    for stretch, (factor, offset) in wrong:
        # new = first · factor + offset, and what is wanted is first · right factor + right offset.
        back = right[0] / factor
        step = _correction(column, stretch, rows, _short(back), _short(right[1] - offset * back))
        if step is None:
            return None
        steps.append(step)
    if not 0 < len(steps) <= MOST_STRETCHES:
        return None
    factors = {(s.settings.get("factor", 1.0), s.settings.get("offset", 0.0)) for s in steps}
    factor, offset = next(iter(factors))
    title = msg("Convert these rows back")
    if len(factors) == 1:
        title = msg("Convert these rows back: × {factor}", factor=factor)
        if offset:
            title = msg("Convert these rows back: × {factor} {offset}", factor=factor, offset=f"{offset:+.6g}")
    return Fix(title, tuple(steps))


def shift_fix(column: Column, levels: Levels, rows: RowOrder) -> Fix | None:
    """Stretches of another level moved to that of the longest; with more than four of them the slow level taken out."""
    edges = [0, *(s.position for s in levels.shifts), rows.n]
    found = [levels.shifts[0].before, *(s.after for s in levels.shifts)]
    stretches = list(zip(edges[:-1], edges[1:], strict=True))
    right = found[int(np.argmax([b - a for a, b in stretches]))]
    wrong = [(s, level) for s, level in zip(stretches, found, strict=True) if abs(level - right) >= LARGE / 2 * levels.sd]
    if len(wrong) > MOST_STRETCHES:
        return slow_level_fix(column, rows)
    steps = [_correction(column, stretch, rows, 1.0, _short(right - level)) for stretch, level in wrong]
    known = tuple(step for step in steps if step is not None)
    if not known or len(known) < len(steps):
        return None
    change = f"{float(known[0].settings.get('offset', 0.0)):+.4g} {column.unit}".strip()
    title = msg("Move this stretch by {change}, to the level of the others", change=change)
    if len(known) > 1:
        title = msg("Move {n} stretches to the level of the longest", n=len(known))
    return Fix(
        title,
        known,
        caution=msg(
            "Right only where the sensor was moved, replaced or set anew. If the machine or the material changed, "
            "leave it: a model has to see it."
        ),
    )


def slow_level_fix(column: Column, rows: RowOrder) -> Fix | None:
    """The median of the last twentieth of the rows taken out of each value."""
    if not rows.has_time:
        return None
    step = RecipeStep(key="subtract_level", columns=(column.name,), settings={"width": slow_width(rows.n)})
    return Fix(
        msg("Take out the slow level"),
        (step,),
        caution=msg(
            "Right only where the sensor drifts. If wear, fouling or the seasons may be behind it, leave it: what is slow "
            "would be gone, the slow fault too."
        ),
    )


def slow_width(n_rows: int) -> int:
    """A twentieth of the rows, in one digit, so that columns of a table share a step; 3 to 100,000."""
    return max(3, min(100_000, int(float(f"{n_rows / SLOW_SHARE:.0e}"))))


def noise_fix(column: Column, changes: Sequence[tuple[int, float]], rows: RowOrder) -> Fix | None:
    """Periods whose noise is another than that of the longest stretch left out; none where these are most of the rows."""
    edges = [0, *(position for position, _ in changes), rows.n]
    noise = np.exp(np.cumsum([0.0, *(np.log(ratio) for _, ratio in changes)]))
    sizes = np.diff(edges)
    ratio = noise / noise[int(np.argmax(sizes))]
    odd = np.flatnonzero(np.maximum(ratio, 1 / ratio) >= np.sqrt(NOISIER))
    if not 0 < len(odd) <= MOST_STRETCHES or sizes[odd].sum() > MOST_LEFT_OUT * rows.n:
        return None
    periods = []
    for i in odd:
        ends = rows.moment(edges[i]), rows.moment(edges[i + 1] - 1)
        if None in ends:
            return None
        periods.append(make_period(*ends, column.name).text)
    step = RecipeStep(key="exclude_periods", settings={"periods": periods})
    return Fix(
        msg_n("Leave out this period", "Leave out these {n} periods", len(periods)),
        (step,),
        caution=msg(
            "Its rows are then neither trained on nor scored, in all columns. Right only where the sensor or its cable was "
            "at fault; if the machine ran like that, leave it."
        ),
    )


def _correction(column: Column, stretch: Stretch, rows: RowOrder, factor: float, offset: float) -> RecipeStep | None:
    """The step for a stretch; open at the first and last row. None without a clock."""
    first, end = stretch
    settings: dict[str, object] = {}
    if factor != 1:
        settings["factor"] = factor
    if offset:
        settings["offset"] = offset
    for name, position, is_open in (("start", first, first == 0), ("end", end - 1, end == rows.n)):
        moment = rows.moment(position)
        if not rows.has_time or (moment is None and not is_open):
            return None
        if moment is not None and not is_open:
            settings[name] = place_text(moment)
    return RecipeStep(key="correct_stretch", columns=(column.name,), settings=settings)


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two scales are the same unit, but for rounding of conversions there and back."""
    return bool(np.allclose(one, other, rtol=SAME_UNIT, atol=SAME_UNIT))


def _short(number: float) -> float:
    """Six digits: enough for a value that a median gave, and readable in a recipe."""
    return float(f"{number:.6g}")
