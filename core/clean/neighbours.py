"""Missing values filled from neighbouring rows: previous value, next value, straight line between both.

Neighbours are taken in order of the time column (of the file, where there is none) and never across groups; a row is
one step, whatever time lies between. Rows without a time come last. A run of
missing cells longer than the chosen largest gap, in rows or in time, stays empty as a whole. Cells with no neighbour on the side that
the method needs stay empty; so does a column that is all missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, names_of, numbers, with_cells
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings, setting

Side = Literal["previous", "next", "linear"]


class GapSettings(Settings):
    """How long a gap may be to be filled."""

    max_gap: int | None = setting(
        None,
        title="Longest gap",
        help="Gaps with more missing rows than this stay empty. Empty: no limit.",
        unit="rows",
        ge=1,
        expert=False,
    )
    max_gap_time: float | None = setting(
        None,
        title="Longest gap in time",
        help="Gaps that last longer stay empty: seconds, or the unit of a time column of numbers. Empty: no limit.",
        gt=0,
    )


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each row the nearest row with a value before and after it in its group, and the length of its gap.

    All (n_rows,) int64, in the table's order; -1 where there is no such row. `back` and `ahead` are the
    distances in rows of the group; `start` and `end` the rows just outside the gap, its own first or last row
    where the group has no other.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    back: NDArray[np.int64]
    ahead: NDArray[np.int64]
    gap: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def find_neighbours(empty: NDArray[np.bool_], order: NDArray[np.int64], groups: NDArray[np.int64] | None = None) -> Neighbours:
    """Where each missing cell could be filled from.

    Args:
        order: (n_rows,) row places, those of one group together and in order of time.
        groups: (n_rows,) group codes in the table's order; None: one group.
    """
    n = len(empty)
    first, last = group_edges(n, None if groups is None else groups[order])
    place = np.arange(n)
    known = ~empty[order]
    before = np.maximum.accumulate(np.where(known, place, -1)) if n else place
    after = np.minimum.accumulate(np.where(known, place, n)[::-1])[::-1] if n else place
    has_before, has_after = before >= first, after <= last
    gap = np.where(has_after, after, last + 1) - np.where(has_before, before, first - 1) - 1
    found = Neighbours(*(np.empty(n, dtype=np.int64) for _ in range(7)))
    found.before[order] = np.where(has_before, order[np.maximum(before, 0)] if n else before, -1)
    found.after[order] = np.where(has_after, order[np.minimum(after, n - 1)] if n else after, -1)
    found.back[order], found.ahead[order], found.gap[order] = place - before, after - place, gap
    found.start[order] = order[np.maximum(before, first)] if n else before
    found.end[order] = order[np.minimum(after, last)] if n else after
    return found


def row_times(table: pd.DataFrame, keys: RowKeys) -> NDArray[np.float64] | None:
    """Each row's time, (n_rows,), in seconds since the first or in the unit of a column of numbers; NaN where empty.

    None without a time column, or where it holds texts.
    """
    if keys.time is None or keys.time not in table.columns:
        return None
    cells = table[keys.time]
    if pd.api.types.is_datetime64_any_dtype(cells):
        return np.asarray((cells - cells.min()).dt.total_seconds(), dtype=np.float64)
    return numbers(table, keys.time) if pd.api.types.is_numeric_dtype(cells.dtype) else None


def short_enough(
    places: Neighbours, max_gap: int | None, max_gap_time: float | None, times: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """Which rows lie in a gap that may be filled, (n_rows,); a gap of unknown length in time may not."""
    short = np.ones(len(places.gap), dtype=np.bool_) if max_gap is None else places.gap <= max_gap
    if max_gap_time is None:
        return short
    if times is None:
        return np.zeros(len(short), dtype=np.bool_)
    return np.asarray(short & (times[places.end] - times[places.start] <= max_gap_time))


def checked_gap(settings: Settings, keys: RowKeys) -> GapSettings:
    """The limits of a gap.

    Raises:
        SettingProblem: a limit in time, and no time column.
    """
    chosen = GapSettings.model_validate({k: v for k, v in settings.model_dump().items() if k in GapSettings.model_fields})
    if chosen.max_gap_time is not None and keys.time is None:
        raise needs_time(msg("A longest gap in time was chosen."))
    return chosen


def needs_time(what: Message) -> SettingProblem:
    """The refusal of what cannot be done without a time column."""
    return SettingProblem(
        what,
        msg("Expected a column with the role 'time'."),
        msg("Give a column that role, or choose a step that counts rows."),
    )


def group_edges(n: int, codes: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last place of the group of each place, for codes sorted by group."""
    if codes is None or n == 0:
        return np.zeros(n, dtype=np.int64), np.full(n, n - 1, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    lengths = np.diff(np.r_[starts, n])
    return np.repeat(starts, lengths), np.repeat(starts + lengths - 1, lengths)


@dataclass(frozen=True, slots=True)
class FittedNeighbourFill:
    """Fills from neighbours in the table it is given; it has learned only names of columns."""

    key: str
    side: Side
    columns: tuple[str, ...]
    keys: RowKeys
    max_gap: int | None
    max_gap_time: float | None = None
    uses_neighbours: bool = True

    def apply(self, table: pd.DataFrame) -> Applied:
        whole, times = row_order(table, self.keys), row_times(table, self.keys)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name in self.columns:
            empty = is_empty(table, name)
            if empty.any() and not empty.all():
                is_key = name in (self.keys.group, self.keys.time)
                places = find_neighbours(empty, *(row_order(table, _without(self.keys, name)) if is_key else whole))
                fill = self._fillable(empty, places, times)
                if fill.any():
                    cells[name], changed[name] = self._fill(table, name, fill, places), int(fill.sum())
        return applied(with_cells(table, cells), Change(changed_cells=changed))

    def state(self) -> dict[str, object]:
        limits = {"max_gap": self.max_gap, "max_gap_time": self.max_gap_time}
        return {"columns": list(self.columns), "group": self.keys.group, "time": self.keys.time, **limits}

    def _fillable(self, empty: NDArray[np.bool_], places: Neighbours, times: NDArray[np.float64] | None) -> NDArray[np.bool_]:
        fill = empty & short_enough(places, self.max_gap, self.max_gap_time, times)
        if self.side != "next":
            fill = fill & (places.before >= 0)
        if self.side != "previous":
            fill = fill & (places.after >= 0)
        return fill

    def _fill(
        self, table: pd.DataFrame, name: str, fill: NDArray[np.bool_], places: Neighbours
    ) -> NDArray[np.float64] | pd.Series:
        if self.side == "linear":
            values = numbers(table, name).copy()
            weight = places.back[fill] / (places.back[fill] + places.ahead[fill])
            values[fill] = values[places.before[fill]] * (1 - weight) + values[places.after[fill]] * weight
            return values
        source = np.where(fill, places.before if self.side == "previous" else places.after, np.arange(len(fill)))
        return table[name].take(source).set_axis(table.index)


def row_order(table: pd.DataFrame, keys: RowKeys) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Row places by group and time, and the group codes; rows without a group name are a group of their own (-1).

    A table without the time column is taken in file order.
    """
    by: list[NDArray[np.generic]] = [np.arange(len(table))]
    if keys.time is not None and keys.time in table.columns:
        by.append(np.asarray(table[keys.time].rank(method="dense", na_option="bottom")))
    codes = None
    if keys.group is not None:
        if keys.group not in table.columns:
            raise unknown_column(keys.group, [str(c) for c in table.columns])
        codes = np.asarray(pd.factorize(table[keys.group])[0], dtype=np.int64)
        by.append(codes)
    return np.lexsort(by), codes


def _without(keys: RowKeys, name: str) -> RowKeys:
    """The keys for filling a key column itself."""
    return RowKeys(None if keys.group == name else keys.group, None if keys.time == name else keys.time)


@dataclass(frozen=True, slots=True)
class NeighbourFill:
    """Fill from neighbouring rows. Fits nothing; applied twice it changes nothing more unless a largest gap is set."""

    key: str
    title: Message
    summary: Message
    side: Side
    settings: type[Settings] = GapSettings
    fits_keys: bool = True

    def applies_to(self, column: Column) -> bool:
        kinds = ("number",) if self.side == "linear" else ("number", "text")
        return column.role == "sensor" and column.kind in kinds

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedNeighbourFill:
        chosen = checked_gap(settings, keys)
        return FittedNeighbourFill(self.key, self.side, names_of(columns), keys, chosen.max_gap, chosen.max_gap_time)

    def restore(self, state: Mapping[str, object]) -> FittedNeighbourFill:
        columns: tuple[str, ...] = tuple(state["columns"])  # type: ignore[arg-type]
        keys = RowKeys(state["group"], state["time"])  # type: ignore[arg-type]
        limits = (state["max_gap"], state.get("max_gap_time"))  # bundles of recipe version 1 know no limit in time
        return FittedNeighbourFill(self.key, self.side, columns, keys, *limits)  # type: ignore[arg-type]


PREVIOUS_FILL = NeighbourFill(
    "previous_fill",
    msg("Fill with the previous value"),
    msg("Empty cells repeat the last value before them, within the same group. Safe for live use: it never looks ahead."),
    "previous",
)
NEXT_FILL = NeighbourFill(
    "next_fill",
    msg("Fill with the next value"),
    msg("Empty cells take the first value after them, within the same group. It looks ahead, so not for live warnings."),
    "next",
)
LINEAR_FILL = NeighbourFill(
    "linear_fill",
    msg("Draw a straight line across gaps"),
    msg("Empty cells lie on the line between the values around the gap, within the same group. It looks ahead."),
    "linear",
)
