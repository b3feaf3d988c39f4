"""Missing values on a line or curve through the values around them, by time.

A gap is filled only between two values of the same group, and only when it is short enough. Like all fills
from neighbours these look ahead, so they are for cleaning and not for live warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, names_of, numbers, with_cells
from core.clean.neighbours import (
    GapSettings,
    checked_gap,
    find_neighbours,
    group_edges,
    needs_time,
    row_order,
    row_times,
    short_enough,
)
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

Curve = Literal["time", "pchip", "cubic"]


class SplineSettings(GapSettings):
    """Which curve, and how long a gap may be."""

    curve: Literal["pchip", "cubic"] = setting(
        "pchip",
        title="Curve",
        help="Pchip never overshoots the values around it; cubic is smoother and may.",
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class FittedInterpolation:
    """Fills from the table it is given; it has learned only names of columns."""

    key: str
    curve: Curve
    columns: tuple[str, ...]
    keys: RowKeys
    max_gap: int | None
    max_gap_time: float | None
    uses_neighbours: bool = True

    @property
    def reach_filled(self) -> int:
        """Filled cells on either side that the curve goes by: a cubic one by all, each at a quarter of the weight of the next."""
        return {"time": 2, "pchip": 8, "cubic": 100}[self.curve]

    def apply(self, table: pd.DataFrame) -> Applied:
        (order, groups), times = row_order(table, self.keys), row_times(table, self.keys)
        along = _rows_along(order) if times is None else times
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name in self.columns:
            empty = is_empty(table, name)
            if not empty.any() or empty.all():
                continue
            places = find_neighbours(empty, order, groups)
            inside = (places.before >= 0) & (places.after >= 0) & np.isfinite(along)
            fill = empty & inside & short_enough(places, self.max_gap, self.max_gap_time, times)
            values = numbers(table, name).copy()
            for mine in _groups_of(order, groups, fill):
                _fill_group(values, along, mine, empty, fill, self.curve)
            n = int(np.count_nonzero(fill & np.isfinite(values)))
            if n:
                cells[name], changed[name] = values, n
        return applied(with_cells(table, cells), Change(changed_cells=changed))

    def state(self) -> dict[str, object]:
        return {
            "curve": self.curve,
            "columns": list(self.columns),
            "group": self.keys.group,
            "time": self.keys.time,
            "max_gap": self.max_gap,
            "max_gap_time": self.max_gap_time,
        }


def _groups_of(
    order: NDArray[np.int64], groups: NDArray[np.int64] | None, fill: NDArray[np.bool_]
) -> Iterator[NDArray[np.int64]]:
    """The ordered rows of each group in which a cell is to be filled."""
    first, last = group_edges(len(order), None if groups is None else groups[order])
    for start in np.unique(first[fill[order]]):
        yield order[start : last[start] + 1]


def _rows_along(order: NDArray[np.int64]) -> NDArray[np.float64]:
    """The place of each row in the order, (n_rows,): a row is one step where there is no time."""
    along = np.empty(len(order))
    along[order] = np.arange(len(order))
    return along


def _fill_group(
    values: NDArray[np.float64],
    along: NDArray[np.float64],
    rows: NDArray[np.int64],
    empty: NDArray[np.bool_],
    fill: NDArray[np.bool_],
    curve: Curve,
) -> None:
    """Write the cells of one group that are to be filled; values at the same time count as their mean."""
    known = rows[~empty[rows] & np.isfinite(along[rows])]
    wanted = rows[fill[rows]]
    x, place = np.unique(along[known], return_inverse=True)
    if not len(x):
        return
    y = np.bincount(place, values[known]) / np.bincount(place)
    inside = wanted[(along[wanted] >= x[0]) & (along[wanted] <= x[-1])]
    values[inside] = _curve(x, y, along[inside], curve)


def _curve(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64], curve: Curve) -> NDArray[np.float64]:
    """The line or curve through (x, y) at some places between the first and the last x; one x: its value."""
    if curve == "time" or len(x) < 2:
        return np.interp(at, x, y)
    from scipy.interpolate import CubicSpline, PchipInterpolator

    return np.asarray((PchipInterpolator if curve == "pchip" else CubicSpline)(x, y)(at))


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Fill gaps along a line or curve by time.

    The line needs a time column; a curve takes one row for one step where there is none. Rows without a time stay
    empty. Fits nothing; applied twice it changes nothing more.
    """

    key: str
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedInterpolation:
        limits = checked_gap(settings, keys)
        curve: Curve = settings.curve if isinstance(settings, SplineSettings) else "time"
        if curve == "time" and keys.time is None:
            raise needs_time(msg("'{step}' was chosen.", step=self.title))
        return FittedInterpolation(self.key, curve, names_of(columns), keys, limits.max_gap, limits.max_gap_time)

    def restore(self, state: Mapping[str, object]) -> FittedInterpolation:
        s: Mapping[str, Any] = state
        keys = RowKeys(s["group"], s["time"])
        return FittedInterpolation(self.key, s["curve"], tuple(s["columns"]), keys, s["max_gap"], s["max_gap_time"])


TIME_FILL = Interpolation(
    "time_fill",
    msg("Draw a line across gaps by time"),
    msg("Empty cells lie on the line between the values around the gap, weighted by time: for irregular sampling."),
    GapSettings,
)
SPLINE_FILL = Interpolation(
    "spline_fill",
    msg("Draw a curve across gaps"),
    msg("Empty cells lie on a smooth curve through the values of the group. It looks ahead."),
    SplineSettings,
)
