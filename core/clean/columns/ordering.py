"""Rows of a table in the order in which they follow one another, and windows that end at each of them.

A window never reaches into another group or past its own row, so whatever is made of it is known when the row is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.neighbours import row_order
from core.clean.step import RowKeys
from core.data.dataset import Column
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n

Cell = TypeVar("Cell", np.float64, np.bool_)
MICROSECONDS = 1e6
_CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Ordered:
    """The order of n rows. Places count along it: rows of one group together, in order of time.

    `order` (n,) is the row at each place; `first` (n,) the first place of the group of each place.
    """

    order: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def since_start(self) -> NDArray[np.int64]:
        """Rows of the group before each place, (n,)."""
        return np.arange(len(self.order)) - self.first

    def back(self, values: NDArray[Cell]) -> NDArray[Cell]:
        """Values by place as values by row."""
        result = np.empty_like(values)
        result[self.order] = values
        return result


@dataclass(frozen=True, slots=True)
class Windows:
    """For each place the window of places `start` (inclusive) to `end` (exclusive), (n,) each; the last is the place itself.

    `full` (n,) bool: the window does not reach before the start of its group. `first` (n,) is the first place of the group.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    full: NDArray[np.bool_]
    first: NDArray[np.int64]


def ordered(table: pd.DataFrame, keys: RowKeys) -> Ordered:
    """The order of a table's rows; without a time column that of the file.

    Raises:
        DataProblem: the table lacks the group column.
    """
    order, codes = row_order(table, RowKeys(keys.group, keys.time))
    n = len(order)
    if codes is None or n == 0:
        return Ordered(order, np.zeros(n, dtype=np.int64))
    by_place = codes[order]
    starts = np.flatnonzero(np.r_[True, by_place[1:] != by_place[:-1]])
    return Ordered(order, np.repeat(starts, np.diff(np.r_[starts, n])))


def windows_of_rows(rows: Ordered, width: int) -> Windows:
    """The last `width` rows of the group up to each place."""
    place = np.arange(len(rows.order))
    return Windows(np.maximum(place - width + 1, rows.first), place + 1, rows.since_start >= width - 1, rows.first)


def windows_of_time(rows: Ordered, clock: NDArray[np.float64], span: float) -> Windows:
    """The rows of the group with a time in (t − span, t]; of equal times those that come first in the file.

    Args:
        clock: (n_rows,) times by row, in one unit with `span`; a row without a time has a window without rows.
    """
    by_place, n = clock[rows.order], len(rows.order)
    start, end = np.arange(n), np.arange(1, n + 1)
    full = np.zeros(n, dtype=np.bool_)
    edges = np.r_[np.unique(rows.first), n] if n else np.zeros(0, dtype=np.int64)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        times = by_place[low:high]
        known = int(np.count_nonzero(~np.isnan(times)))  # rows without a time come last
        start[low : low + known] = low + np.searchsorted(times[:known], times[:known] - span, side="right")
        full[low : low + known] = times[:known] - times[0] >= span if known else False
        end[low + known : high] = start[low + known : high]
    return Windows(start, end, full, rows.first)


def gathered(
    windows: Windows, wanted: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
    """Windows as rows of a matrix, some at a time: places (m,), and for each cell (m, longest) its place and whether it
    is inside. Windows end at the right edge. `wanted` (n,): only these places."""
    all_places = np.arange(len(windows.start)) if wanted is None else np.flatnonzero(wanted)
    lengths = windows.end - windows.start
    longest = int(lengths[all_places].max(initial=0))
    if longest == 0:
        return
    step = max(1, _CELLS_AT_ONCE // longest)
    for low in range(0, len(all_places), step):
        places = all_places[low : low + step]
        index = windows.end[places][:, None] - longest + np.arange(longest)[None, :]
        inside = index >= windows.start[places][:, None]
        yield places, np.maximum(index, 0), inside & (lengths[places] > 0)[:, None]


def clock_of(table: pd.DataFrame, time: str | None) -> NDArray[np.float64]:
    """Times as float64 (n_rows,): microseconds where the column holds times, else its own numbers; NaN where empty.

    Raises:
        SettingProblem: there is no time column.
    """
    if time is None or time not in table.columns:
        raise SettingProblem(
            msg("No column has the role 'time'."),
            msg("A stretch of time needs one."),
            msg("Give a column the role 'time', or count rows instead."),
        )
    cells = table[time]
    if pd.api.types.is_datetime64_any_dtype(cells):
        whole = cells.to_numpy().astype("datetime64[us]")
        return np.where(np.isnat(whole), np.nan, whole.astype(np.int64).astype(np.float64))
    return np.asarray(pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def clock_units(table: pd.DataFrame, time: str | None) -> float:
    """How many units of `clock_of` a second of a time column has; 1 where the column holds numbers of its own unit."""
    is_time = time is not None and time in table.columns and pd.api.types.is_datetime64_any_dtype(table[time])
    return MICROSECONDS if is_time else 1.0


def start_note(n: int) -> tuple[Message, ...]:
    """How many rows have no full window because their group begins; nothing to say of none."""
    if not n:
        return ()
    return (
        msg_n(
            "{n} row at the beginning of its group stays empty: too few rows come before it.",
            "{n} rows at the beginning of their group stay empty: too few rows come before them.",
            n,
        ),
    )


def like(column: Column, name: str, *, unit: str | None = None, limits: bool = False) -> Column:
    """What a made number column holds: the unit of its source unless another is given, limits only where they still mean it."""
    if limits:
        return Column(name, "number", "sensor", column.unit, column.lower_limit, column.nominal, column.upper_limit)
    return Column(name, "number", "sensor", column.unit if unit is None else unit)
