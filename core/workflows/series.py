"""A column of a dataset as a chart wants it: thinned where it is long, every row where a range is short.

The table is read in its row groups: an overview of ten million rows never holds them, and a range reads only its own groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.charts.downsample import MAX_POINTS, Overview
from core.clean.periods import KEY, Period, joined, read_period
from core.clean.recipe import Recipe, RecipeStep
from core.data.dataset import Dataset
from core.errors import SettingProblem
from core.messages import msg

REMEMBERED = 1_000
WHOLE_ROWS = 400_000  # up to here a range is read whole: its chart is thinned from every row


@dataclass(frozen=True, slots=True)
class Series:
    """Rows `start` to `stop` (exclusive) of a column, of `n_rows` in the dataset.

    `values`, `rows` and `at` are (n_points,): all rows of the range, or those that an overview keeps (`is_thinned`), with a NaN
    in each long gap. `at` are times or numbers of the time column, or row numbers where there is none or they do not ascend.
    """

    column: str
    unit: str
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    at: NDArray
    start: int
    stop: int
    n_rows: int
    is_thinned: bool

    @property
    def has_times(self) -> bool:
        return bool(np.issubdtype(self.at.dtype, np.datetime64))


class TableAxis:
    """The horizontal axis of a dataset, read where it is asked for: what stands at a row, and where a value stands.

    It is the time column where its values ascend over the whole table, which those of machines side by side do and those
    of lots one after the other do not, else the row number, from 1.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self.n = dataset, dataset.n_rows
        self._known: dict[int, Any] = {}
        time = next((c.name for c in dataset.with_role("time") if c.kind in ("time", "number")), None)
        self.column = time if time is not None and self._ascends(time) else None

    def __len__(self) -> int:
        return self.n

    def value(self, row: int) -> Any:
        """What stands at a row of the table; the last thousand answers are remembered, as each reads a row group."""
        row = min(max(row, 0), self.n - 1)
        if self.column is None:
            return row + 1
        if row not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[row] = self._read(row, row + 1)[0]
        return self._known[row]

    def place(self, value: Any, side: str = "left") -> int:
        """The first row at or after a value; with `side` "right" the first after it. 0 to n."""
        if self.column is None:
            return int(min(max(np.ceil(float(value)) - 1 if side == "left" else np.floor(float(value)), 0), self.n))
        for start, stop, last in self._groups:
            if last > value or (side == "left" and last == value):
                return start + int(np.searchsorted(self._read(start, stop), value, side))  # type: ignore[call-overload]
        return self.n

    @cached_property
    def _groups(self) -> tuple[tuple[int, int, Any], ...]:
        """Of each row group: first row, last row + 1, and the value at the last row."""
        found, start = [], 0
        meta = pq.ParquetFile(self._dataset.path).metadata
        for group in range(meta.num_row_groups):
            stop = start + meta.row_group(group).num_rows
            if stop > start:
                found.append((start, stop, self._read(stop - 1, stop)[0]))
            start = stop
        return tuple(found)

    def _read(self, start: int, stop: int) -> NDArray:
        return self._dataset.table([str(self.column)], start, stop)[str(self.column)].to_numpy()

    def _ascends(self, time: str) -> bool:
        before = None
        for batch in pq.ParquetFile(self._dataset.path).iter_batches(columns=[time]):
            cells = batch.column(0)
            if len(cells) == 0:
                continue
            if cells.null_count or pc.any(pc.is_nan(cells)).as_py() if _is_float(cells) else cells.null_count:
                return False
            values = cells.to_numpy(zero_copy_only=False)
            if (before is not None and values[0] < before) or bool(np.any(values[1:] < values[:-1])):
                return False
            before = values[-1]
        return before is not None


def _is_float(cells: object) -> bool:
    return str(getattr(cells, "type", "")) in ("double", "float")


def column_series(dataset: Dataset, column: str, axis: TableAxis, start: int = 0, stop: int | None = None) -> Series:
    """Some rows of a number column.

    Raises:
        DataProblem: there is no such column.
        SettingProblem: it holds no numbers.
    """
    shown = dataset.column(column)
    if shown.kind != "number":
        raise SettingProblem(
            msg("Column '{column}' holds no numbers.", column=column),
            msg("Expected a column of numbers."),
            msg("Choose another column."),
        )
    start = min(max(start, 0), dataset.n_rows)
    stop = dataset.n_rows if stop is None else min(max(stop, start), dataset.n_rows)
    wanted = list(dict.fromkeys([column, *([axis.column] if axis.column else [])]))
    if stop - start <= WHOLE_ROWS:
        table = dataset.table(wanted, start, stop)
        values, rows = table[column].to_numpy(dtype=np.float64, na_value=np.nan), table.index.to_numpy()
        at = rows if axis.column is None else table[axis.column].to_numpy()
        return Series(column, shown.unit, values, rows, at, start, stop, dataset.n_rows, False)
    return _overview(dataset, column, shown.unit, axis, start, stop)


def _overview(dataset: Dataset, column: str, unit: str, axis: TableAxis, start: int, stop: int) -> Series:
    thinned, places = Overview(stop - start, MAX_POINTS), [np.empty(0)]
    if axis.column is not None:
        places = [np.asarray([], dtype=np.asarray([axis.value(0)]).dtype)]
    for values, along in _blocks(dataset, column, axis.column, start, stop):
        kept = thinned.add(values)
        if axis.column is not None:
            places.append(along[kept])
    positions, drawn, which = thinned.result()
    rows = positions + start
    if axis.column is None:
        at: NDArray = rows
    else:
        at = np.concatenate(places)[np.maximum(which, 0)] if len(which) else places[0]
        gaps = np.flatnonzero(which < 0)
        at[gaps] = at[np.maximum(gaps - 1, 0)]  # an empty cell breaks the line; where it stands is not seen
    return Series(column, unit, drawn, rows, at, start, stop, dataset.n_rows, True)


def _blocks(dataset: Dataset, column: str, time: str | None, start: int, stop: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Values and times of the range, one row group at a time."""
    file, first = pq.ParquetFile(dataset.path), 0
    names = list(dict.fromkeys([column, *([time] if time else [])]))
    for group in range(file.num_row_groups):
        last = first + file.metadata.row_group(group).num_rows
        if last > start and first < stop:
            table = file.read_row_group(group, columns=names).slice(max(0, start - first), min(stop, last) - max(start, first))
            values = table.column(column).to_numpy()
            yield values, table.column(time).to_numpy() if time else values
        first = last


def periods_of(recipe: Recipe) -> tuple[Period, ...]:
    """The periods that a recipe leaves out, in order; none where no step does or where they cannot be read."""
    found: list[Period] = []
    for step in recipe.steps:
        if step.key == KEY and getattr(step, "enabled", True):
            try:
                found += [read_period(str(text)) for text in step.settings.get("periods", ())]
            except SettingProblem:
                continue
    return joined(found)


def with_periods(recipe: Recipe, periods: tuple[Period, ...]) -> Recipe:
    """The recipe that leaves out exactly these periods, in its first step; without periods it has no such step."""
    places = [i for i, step in enumerate(recipe.steps) if step.key == KEY]
    settings = {"periods": [p.text for p in joined(periods)]}
    kept = recipe.steps[places[0]].model_copy(update={"settings": settings}) if places else None
    for place in reversed(places):
        recipe = recipe.without(place)
    if not periods:
        return recipe
    return recipe.with_step(kept or RecipeStep(key=KEY, settings=settings)).moved(len(recipe.steps), 0)
