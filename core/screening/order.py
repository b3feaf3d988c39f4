"""In which order the rows of a table follow one another, and how a place in that order is told to a person.

With a time column that covers the whole table: by time. With a group whose rows are mixed, or whose time starts
again in each group: group after group, where a level of the whole table means nothing. Else: as the file has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.clean.periods import Place as Moment
from core.data.dataset import Column, Dataset
from core.messages import Message, msg, msg_n
from core.screening.records import Place

MOST_PLACES = 20
MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The order of `n` rows.

    `order` (n,) gives dataset rows in order, None where the file has that order; `times` (n,) are in this order, datetime64
    or float64, None without a time column. `starts` are the positions at which a new group begins, 0 among them.
    `is_one` says that the table is one sequence, so that its level can be followed; `has_time` that a time column says so.
    `clock` is the name of the time column.
    """

    n: int
    order: NDArray[np.int64] | None
    times: NDArray | None
    starts: NDArray[np.int64]
    is_one: bool
    clock: str = ""

    @property
    def interval(self) -> float | None:
        """The usual step from one row to the next within a group: seconds, or the unit of a column of numbers; None without.

        Of the first 100,000 rows, which tell it as well as all.
        """
        if self.times is None:
            return None
        steps = steps_between(self.times[:MOST_STEPS])
        borders = self.starts[(self.starts > 0) & (self.starts < len(steps) + 1)]
        steps[borders - 1] = np.nan
        return median_step(steps)

    @property
    def has_time(self) -> bool:
        """Whether a time column orders the whole table."""
        return self.is_one and self.times is not None

    @property
    def has_neighbours(self) -> bool:
        """Whether a clock says which rows stand beside each other, if only within their group."""
        return self.times is not None

    @property
    def rows(self) -> NDArray[np.int64]:
        """The dataset rows (n,) in this order."""
        return np.arange(self.n) if self.order is None else self.order

    @property
    def along(self) -> NDArray:
        """Where each row stands on the axis of a chart, (n,): its time, or its position where no clock orders the table."""
        return self.times if self.has_time and self.times is not None else np.arange(self.n)

    def arranged(self, cells: NDArray) -> NDArray:
        """A column (n,) of the file in this order."""
        return cells if self.order is None else cells[self.order]

    def row(self, position: int) -> int:
        """The dataset row at a position of this order."""
        return int(position if self.order is None else self.order[position])

    def place(self, first: int, last: int | None = None) -> Place:
        """Positions `first` to `last`, both included, as dataset rows with their times."""
        last = first if last is None else last
        a, b = self.row(first), self.row(last)
        if self.times is None:
            return Place(a, b)
        return Place(a, b, stamp(self.times[first]), stamp(self.times[last]))

    def moment(self, position: int) -> Moment | None:
        """The time or number at a position as a recipe takes it; None without a clock for the whole table, or where it is empty."""
        if not self.has_time or self.times is None:
            return None
        found = self.times[position]
        if self.times.dtype.kind == "M":
            return None if np.isnat(found) else pd.Timestamp(found)
        return None if np.isnan(found) else float(found)

    def length(self, first: int, last: int) -> Message:
        """How long positions `first` to `last` (both included) last: time where there is a clock, rows where there is none."""
        if self.times is not None and self.times.dtype.kind == "M" and self.is_one:
            end = min(last + 1, self.n - 1)
            return duration(float((self.times[end] - self.times[first]) / np.timedelta64(1, "s")))
        return msg_n("{n} row", "{n} rows", last - first + 1)

    def since(self, position: int) -> Message:
        """A position in words: its time, else its row."""
        place = self.place(position)
        if self.times is None or not place.start:
            return msg("row {row}", row=place.first + 1)
        if self.times.dtype.kind == "M":
            return msg("{time}", time=place.start)
        if self.is_one:
            return msg("{clock} {value}", clock=self.clock, value=place.start)
        return msg("row {row} ({clock} {value})", row=place.first + 1, clock=self.clock, value=place.start)


def stamp(value: object) -> str:
    """A time or number as text: "2026-03-06 04:10", with seconds where they are not zero."""
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            return ""
        text = str(value.astype("datetime64[s]")).replace("T", " ")
        return text.removesuffix(":00")
    return f"{float(value):.10g}"  # type: ignore[arg-type]


def duration(seconds: float) -> Message:
    """A length of time in its two largest units."""
    whole = round(seconds)
    if whole < 120:
        return msg("{n} s", n=round(seconds, 3) if whole < 10 else whole)
    if whole < 7200:
        return msg("{n} min", n=round(whole / 60))
    if whole < 172_800:
        return msg("{h} h {m} min", h=whole // 3600, m=whole % 3600 // 60)
    return msg_n("{n} day", "{n} days", round(whole / 86_400))


def usual_step(times: NDArray) -> float | None:
    """The median positive step in seconds or numbers; None with fewer than two different times."""
    return median_step(steps_between(times))


def median_step(steps: NDArray[np.float64]) -> float | None:
    """The median of the steps that lead forward; None where none does."""
    rising = steps[steps > 0]
    return float(np.median(rising)) if len(rising) else None


def steps_between(times: NDArray) -> NDArray[np.float64]:
    """Differences of neighbours, in seconds where they are times; NaN beside an empty one."""
    if times.dtype.kind != "M":
        return np.diff(times)
    whole = times.astype("datetime64[us]").view(np.int64)
    steps = np.diff(whole).astype(np.float64)
    steps *= 1e-6
    empty = np.isnat(times)
    if empty.any():
        steps[empty[1:] | empty[:-1]] = np.nan
    return steps


def numbers_of(file: pq.ParquetFile, name: str) -> NDArray[np.float64]:
    """A number column of the file, float64 (n_rows,), NaN where it is empty or infinite."""
    cells = np.asarray(file.read(columns=[name], use_threads=False).column(0).to_numpy(), dtype=np.float64)
    endless = np.isinf(cells)
    return np.where(endless, np.nan, cells) if endless.any() else cells


def times_of(file: pq.ParquetFile, name: str, kind: str) -> NDArray:
    """A time column of the file (n_rows,): datetime64[us] or float64, NaT or NaN where it is empty."""
    if kind == "time":
        return file.read(columns=[name], use_threads=False).column(0).to_numpy().astype("datetime64[us]")
    return numbers_of(file, name)


def codes_of(file: pq.ParquetFile, name: str) -> NDArray[np.int64]:
    """A column of the file as whole numbers, one a different value in order of appearance, −1 where it is empty."""
    cells = file.read(columns=[name], use_threads=False).column(0).combine_chunks().dictionary_encode()
    indices = cells.indices.fill_null(-1) if cells.null_count else cells.indices
    return indices.to_numpy(zero_copy_only=False).astype(np.int64)


def row_order(dataset: Dataset, file: pq.ParquetFile) -> RowOrder:
    """The order of a dataset's rows by its time and group columns."""
    time = next(iter(dataset.with_role("time")), None)
    group = next(iter(dataset.with_role("group")), None)
    times = None if time is None or time.kind == "text" else times_of(file, time.name, time.kind)
    codes = None if group is None or dataset.n_rows == 0 else codes_of(file, group.name)
    return order_of(dataset.n_rows, times, codes, "" if time is None else time.name)


def order_of_table(table: pd.DataFrame, columns: Sequence[Column]) -> RowOrder:
    """The order of rows in memory by the same rule; "rows" are their places in the table."""
    time = next((c for c in columns if c.role == "time"), None)
    group = next((c for c in columns if c.role == "group"), None)
    times = None
    if time is not None and time.kind != "text":
        cells = table[time.name]
        times = (
            cells.to_numpy().astype("datetime64[us]")
            if time.kind == "time"
            else cells.to_numpy(dtype=np.float64, na_value=np.nan)
        )
    codes = None if group is None or not len(table) else pd.factorize(table[group.name])[0].astype(np.int64)
    return order_of(len(table), times, codes, "" if time is None else time.name)


def order_of(n: int, times: NDArray | None, codes: NDArray[np.int64] | None, clock: str = "") -> RowOrder:
    """The order of n rows.

    Args:
        times: (n,) in the order of the file, or None.
        codes: (n,) whole numbers, one a group in order of appearance, −1 where it is empty, or None.
    """
    whole = np.zeros(1, dtype=np.int64)
    if codes is None:
        return replace(_by_time(n, times, whole), clock=clock)
    changes = np.flatnonzero(np.diff(codes)) + 1
    starts = np.concatenate([whole, changes])
    if len(starts) == len(np.unique(codes)) and (times is None or _rises(times)):
        return RowOrder(n, None, times, starts, True, clock)  # lot after lot, along one clock or along the file
    keys = (codes,) if times is None else (times, codes)
    order = np.lexsort(keys)
    starts = np.concatenate([whole, np.flatnonzero(np.diff(codes[order])) + 1])
    is_sorted = bool((np.diff(order) == 1).all())
    return RowOrder(n, None if is_sorted else order, None if times is None else times[order], starts, len(starts) == 1, clock)


def _by_time(n: int, times: NDArray | None, starts: NDArray[np.int64]) -> RowOrder:
    if times is None or _rises(times):
        return RowOrder(n, None, times, starts, True)
    order = np.argsort(times, kind="stable")
    return RowOrder(n, order, times[order], starts, True)


def _rises(times: NDArray) -> bool:
    """Whether no time lies before the one above it. An empty time counts as no step back only at the end."""
    empty = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    known = len(times) if not empty.any() else int(np.argmax(empty))
    return bool((times[1:known] >= times[: known - 1]).all()) and bool(empty[known:].all()) if known else True


def connect(dataset: Dataset) -> tuple[duckdb.DuckDBPyConnection, str]:
    """DuckDB with bounded memory, and the table as a source for its queries."""
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '256MB'")
    return connection, "read_parquet('" + str(dataset.path).replace("'", "''") + "', file_row_number = true)"


def quoted(name: str) -> str:
    """A column name for SQL."""
    return '"' + name.replace('"', '""') + '"'
