"""Statistics of the last rows up to and including each row, within its group: mean, spread, range, median, slope.

A window is a number of rows or a stretch of time (t − width, t]. Empty cells and ±infinity in a window are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.indexers import BaseIndexer

from core.clean.cells import applied, numbers, with_cells
from core.clean.columns.ordering import (
    Ordered,
    Windows,
    clock_of,
    clock_units,
    gathered,
    like,
    ordered,
    start_note,
    windows_of_rows,
    windows_of_time,
)
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

Floats = NDArray[np.float64]
Statistic = Literal["mean", "sd", "minimum", "maximum", "median", "slope"]


class RollingSettings(Settings):
    """Which statistics of which window."""

    statistics: tuple[Statistic, ...] = setting(
        ("mean", "sd"),
        title="Statistics",
        help="One new column for each. The slope is per row, or per second (unit of the time column) for a stretch of time.",
        expert=False,
        min_length=1,
    )
    over: Literal["rows", "time"] = setting(
        "rows", title="Window counts", help="Rows, or time as the time column says.", expert=False
    )
    width: float = setting(
        30.0,
        title="Window width",
        help="Rows; or seconds where the time column holds dates, else its own unit.",
        gt=0,
        le=1e9,
        expert=False,
    )
    fewest: int = setting(
        1, title="Fewest values", help="Windows with fewer values than this stay empty.", unit="rows", ge=1, le=100_000
    )


class _Bounds(BaseIndexer):  # type: ignore[misc]
    """Our windows in the form that pandas asks for."""

    def __init__(self, windows: Windows) -> None:
        super().__init__()
        self._windows = windows

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,
        center: bool | None = None,
        closed: str | None = None,
        step: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._windows.start.astype(np.int64), self._windows.end.astype(np.int64)


@dataclass(frozen=True, slots=True)
class FittedRolling:
    """Adds the columns in `made`: (source, statistic, what the new column is)."""

    made: tuple[tuple[str, Statistic, Column], ...]
    keys: RowKeys
    over: Literal["rows", "time"]
    width: float
    fewest: int
    key: str = "rolling"
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        return int(self.width) if self.over == "rows" else 0

    @property
    def reach_time(self) -> float | None:
        return self.width if self.over == "time" else None

    def apply(self, table: pd.DataFrame) -> Applied:
        rows = ordered(table, self.keys)
        windows, clock = self._windows(table, rows)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        for source, statistic, column in self.made:
            values = numbers(table, source)[rows.order]
            found = statistics(np.where(np.isfinite(values), values, np.nan), clock, windows, statistic, self.fewest)
            cells[column.name] = rows.back(np.where(windows.full, found, np.nan))
        early = rows.back(~windows.full)
        notes = start_note(int(early.sum())) if self.made else ()
        columns = tuple(column for _, _, column in self.made)
        done = applied(with_cells(table, cells), Change(added_columns=tuple(cells), notes=notes, columns=columns))
        return replace(done, row_notes=tuple((note, early) for note in notes))

    def _windows(self, table: pd.DataFrame, rows: Ordered) -> tuple[Windows, Floats]:
        """The windows, and times by place for the slope: rows, or seconds (own units) since the first of all."""
        if self.over == "rows":
            return windows_of_rows(rows, int(self.width)), np.arange(len(rows.order), dtype=np.float64)
        clock, a_second = clock_of(table, self.keys.time), clock_units(table, self.keys.time)
        return windows_of_time(rows, clock, self.width * a_second), clock[rows.order] / a_second

    def state(self) -> dict[str, object]:
        made: dict[str, list[object]] = {}
        for source, statistic, column in self.made:
            made.setdefault(source, []).append([statistic, asdict(column)])
        keys = {"group": self.keys.group, "time": self.keys.time}
        return {"columns": made, **keys, "over": self.over, "width": self.width, "fewest": self.fewest}


def statistics(values: Floats, clock: Floats, windows: Windows, statistic: Statistic, fewest: int) -> Floats:
    """A statistic of each window, (n,) by place; NaN with fewer than `fewest` values (2 for sd and slope).

    sd is that of a sample (n − 1); the median of an even number is the middle of the two; the slope is that of least
    squares over `clock`, NaN where all values share one time.

    Args:
        values: (n,) by place, NaN where empty.
        clock: (n,) by place; only for the slope.
    """
    if not len(values):
        return values.copy()
    if statistic == "slope":
        return _slopes(values, clock, windows, max(fewest, 2))
    rolled = pd.Series(values).rolling(_Bounds(windows), min_periods=fewest)
    ways = {"mean": rolled.mean, "sd": rolled.std, "minimum": rolled.min, "maximum": rolled.max, "median": rolled.median}
    found = np.array(ways[statistic]().to_numpy())
    if statistic in ("mean", "sd"):
        _again_where_digits_are_lost(found, values, windows, statistic)
    return found


def _again_where_digits_are_lost(found: Floats, values: Floats, windows: Windows, statistic: Statistic) -> None:
    """Replace figures that running sums cannot be trusted with: those far smaller than what went through the sums before.

    A spike of 1e9 that has left the window leaves rounding of its own size behind, and of its square in a spread.
    """
    so_far = pd.Series(np.where(np.isnan(values), 0.0, values)).groupby(windows.first)
    high, low = so_far.cummax().to_numpy(), so_far.cummin().to_numpy()
    small = 1e-3 * (high - low) if statistic == "sd" else 1e-4 * np.maximum(high, -low)
    for places, index, inside in gathered(windows, np.isfinite(found) & (np.abs(found) < small)):
        cells = np.where(inside, values[index], np.nan)
        found[places] = np.nanmean(cells, axis=1) if statistic == "mean" else np.nanstd(cells, axis=1, ddof=1)


def _slopes(values: Floats, clock: Floats, windows: Windows, fewest: int) -> Floats:
    found = np.full(len(values), np.nan)
    for places, index, inside in gathered(windows):
        y = np.where(inside, values[index], np.nan)
        x = clock[index] - clock[places][:, None]
        known = np.isfinite(y) & np.isfinite(x)
        n = known.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            x = np.where(known, x - np.where(known, x, 0.0).sum(axis=1, keepdims=True) / n[:, None], 0.0)
            y = np.where(known, y - np.where(known, y, 0.0).sum(axis=1, keepdims=True) / n[:, None], 0.0)
            slope = (x * y).sum(axis=1) / (x * x).sum(axis=1)
        found[places] = np.where((n >= fewest) & np.isfinite(slope), slope, np.nan)
    return found


@dataclass(frozen=True, slots=True)
class Rolling:
    """Statistics of the last rows. Rows left out by an earlier step do not count; applied twice it gives the same again.

    The first rows of each group, which have no full window, stay empty. With a stretch of time that is every row less than
    the width after the group's first.
    """

    title: Message
    summary: Message
    key: str = "rolling"
    settings: type[Settings] = RollingSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedRolling:
        chosen = RollingSettings.model_validate(settings.model_dump())
        if chosen.over == "time":
            clock_of(train.table, keys.time)  # refuses a table without a time column
        taken = {str(c) for c in train.table.columns}
        width = float(max(1, int(chosen.width))) if chosen.over == "rows" else chosen.width
        made = []
        for c in columns:
            for s in dict.fromkeys(chosen.statistics):
                name = free_name(f"{c.name}_{_SHORT[s]}{width:g}", taken)
                made.append((c.name, s, like(c, name, unit=_slope_unit(c.unit, chosen.over) if s == "slope" else None)))
        return FittedRolling(tuple(made), RowKeys(keys.group, keys.time), chosen.over, width, chosen.fewest)

    def restore(self, state: Mapping[str, object]) -> FittedRolling:
        stored: Any = state
        made = tuple(
            (source, statistic, Column(**column)) for source, some in stored["columns"].items() for statistic, column in some
        )
        keys = RowKeys(stored["group"], stored["time"])
        return FittedRolling(made, keys, stored["over"], stored["width"], stored["fewest"])


_SHORT: Mapping[str, str] = {
    "mean": "mean",
    "sd": "sd",
    "minimum": "min",
    "maximum": "max",
    "median": "median",
    "slope": "slope",
}


def _slope_unit(unit: str, over: str) -> str:
    """Without a unit of its own a slope has none either; over time the clock's unit is known only for dates."""
    return f"{unit}/row" if unit and over == "rows" else ""


ROLLING = Rolling(
    msg("Add rolling statistics"),
    msg("Mean, spread, range, median or slope of the last rows within the same group. It never looks ahead."),
)
