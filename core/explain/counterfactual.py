"""The smallest change that would have brought another result: of one column, or of two where one is not enough.

Wachter, Mittelstadt & Russell (2018, Harvard J. Law & Tech. 31(2)) ask for the nearest input with the wanted output. Here an
input is a sentence for a person ("if pressure were 4.1 bar"), so that one column is moved, then pairs, within the range that
the training part has seen and among columns that may be adjusted. Distances count in standard deviations of the training part.

`gap(windows)` says how far each output is from what is wanted: at most 0 is good. A column is tried on a grid over its range; the
good place that is nearest to where it stands is found between neighbours of the grid, and bisection finds its edge there. A good
stretch that is narrower than a step of the grid may be missed, and that is why the answer is "none was found".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.explain.columns import Floats, InputColumn, Predict, Reach, Windows, in_chunks

GRID = 41
PAIR_GRID = 15
PAIR_COLUMNS = 6
HALVINGS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One column of a counterfactual: from where it stood to where it would have to stand, in column units."""

    column: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Changes that together bring what is wanted, and how far they are, in standard deviations of the training part.

    `gap` is that of the changed row, at most 0.
    """

    changes: tuple[Change, ...]
    distance: float
    gap: float


@dataclass(frozen=True, slots=True)
class Search:
    """What was found: `single` and `pair`, nearest first; none where `is_good` already.

    `singles` are all columns that do it alone, nearest first. `pair` is only looked for where no single column does it.
    `best` names the column that comes nearest where none does it, with the gap that is left.
    """

    is_good: bool
    gap: float
    singles: tuple[Counterfactual, ...] = ()
    pair: Counterfactual | None = None
    best: tuple[str, float] | None = None

    @property
    def nearest(self) -> Counterfactual | None:
        return self.singles[0] if self.singles else self.pair


def find_counterfactual(gap: Predict, window: Windows, columns: Sequence[InputColumn], *, reach: Reach = "window") -> Search:
    """The nearest change of one of `columns`, else of two of them, that brings `gap` to 0 or below.

    Args:
        window: (1, rows, f), the row as it is.
        columns: Those that may be adjusted. Columns without numbers or without a known range are passed over.
        reach: What a change moves, see `InputColumn.moved`.
    """
    now = float(gap(window)[0])
    if now <= 0:
        return Search(True, now)
    usable = [c for c in columns if c.move is not None and np.isfinite([c.low, c.high]).all() and c.high > c.low]
    tried = [(column, *_line(gap, window, column, reach)) for column in usable]
    singles = sorted(
        (found for column, grid, gaps in tried if (found := _single(gap, window, column, grid, gaps, reach)) is not None),
        key=lambda one: one.distance,
    )
    if singles or not tried:
        return Search(False, now, tuple(singles))
    ranked = sorted(tried, key=lambda one: float(np.min(one[2])))
    best = (ranked[0][0].name, float(np.min(ranked[0][2])))
    pairs = combinations([column for column, _, _ in ranked[:PAIR_COLUMNS]], 2)
    both = [found for a, b in pairs if (found := _pair(gap, window, a, b, reach)) is not None]
    return Search(False, now, (), min(both, key=lambda one: one.distance, default=None), best)


def _line(gap: Predict, window: Windows, column: InputColumn, reach: Reach) -> tuple[Floats, Floats]:
    """The gaps of a column on a grid over its range that also holds where it stands."""
    own = float(column.values(window)[0, -1])
    grid = np.unique(np.append(np.linspace(column.low, column.high, GRID), own))
    repeated = np.repeat(window, len(grid), axis=0)
    return grid, in_chunks(gap, column.moved(repeated, grid, reach))


def _single(
    gap: Predict, window: Windows, column: InputColumn, grid: Floats, gaps: Floats, reach: Reach
) -> Counterfactual | None:
    own = float(column.values(window)[0, -1])
    inside = (grid >= column.low) & (grid <= column.high)
    good = np.flatnonzero((gaps <= 0) & inside)
    if not len(good):
        return None
    at = int(good[np.argmin(np.abs(grid[good] - own))])
    beside = at + 1 if grid[at] < own else at - 1
    bad = float(
        np.clip(grid[min(max(beside, 0), len(grid) - 1)], column.low, column.high)
    )  # never beyond what training has seen
    after = _edge(lambda value: float(gap(column.moved(window, value, reach))[0]), bad, float(grid[at]))
    left = float(gap(column.moved(window, after, reach))[0])
    return Counterfactual((_change(column, own, after),), abs(after - own) / _scale(column), left)


def _pair(gap: Predict, window: Windows, a: InputColumn, b: InputColumn, reach: Reach) -> Counterfactual | None:
    """The nearest good point of a grid of two columns, drawn back along the straight line to where they stand."""
    own = np.array([float(c.values(window)[0, -1]) for c in (a, b)])
    scale = np.array([_scale(a), _scale(b)])
    grids = [np.linspace(c.low, c.high, PAIR_GRID) for c in (a, b)]
    points = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, 2)

    def gaps(at: Floats) -> Floats:
        repeated = np.repeat(window, len(at), axis=0)
        return in_chunks(gap, b.moved(a.moved(repeated, at[:, 0], reach), at[:, 1], reach))

    good = points[gaps(points) <= 0]
    if not len(good):
        return None
    target = good[np.argmin((((good - own) / scale) ** 2).sum(axis=1))]
    share = _edge(lambda t: float(gaps((own + t * (target - own))[None])[0]), 0.0, 1.0)
    after = own + share * (target - own)
    changes = tuple(_change(c, float(was), float(now)) for c, was, now in zip((a, b), own, after, strict=True))
    return Counterfactual(changes, float(np.sqrt((((after - own) / scale) ** 2).sum())), float(gaps(after[None])[0]))


def _edge(gap: Callable[[float], float], bad: float, good: float) -> float:
    """The edge of what is good between a bad and a good place, on the good side, by bisection."""
    for _ in range(HALVINGS):
        middle = (bad + good) / 2
        if gap(middle) <= 0:
            good = middle
        else:
            bad = middle
    return good


def _change(column: InputColumn, before: float, after: float) -> Change:
    return Change(column.name, column.unit, before, after)


def _scale(column: InputColumn) -> float:
    return column.move.scale if column.move is not None else 1.0
