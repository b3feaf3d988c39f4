"""The one way from a raw table to windows, for training and for scoring alike: recipe → features → order → windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.fitted_recipe import FittedRecipe
from core.clean.streaming import CleanedRows, clean_rows
from core.data.room import BigArray, Room
from core.data.rows import Rows
from core.features.own_past import OwnPast, fill_forward
from core.features.own_start import OwnStart
from core.features.plan import FeaturePlan
from core.features.windows import Windows, windows_over
from core.watching import Watch, unwatched


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model sees of a table of n_rows rows.

    `windows` covers the rows that were kept, in group and time order; `row_of_window` is int64 (n_kept,), the row
    number in the table of each of them; `padded` is bool (n_rows,): the row's window repeats the first row of its group;
    `filled` is bool (n_rows,): an empty cell was filled with the training part's median; `cleaned` has the cells;
    `late_units` counts units whose history begins clearly later than those that the model learned from. `own` is float64
    (n_kept,), the column that is forecast in the order of the windows, NaN where empty; None for other questions.
    """

    windows: Windows
    row_of_window: NDArray[np.int64]
    padded: NDArray[np.bool_]
    filled: NDArray[np.bool_]
    cleaned: CleanedRows
    late_units: int = 0
    own: NDArray[np.float64] | None = None

    @property
    def n_rows(self) -> int:
        return len(self.filled)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A fitted recipe, a feature plan and a window width; `group` and `time` give the order of rows.

    With `own_past` feature 0 is the column that is forecast, whose empty cells repeat the value before them.
    """

    recipe: FittedRecipe
    plan: FeaturePlan
    width: int
    group: str | None = None
    time: str | None = None
    own_start: OwnStart | None = None
    own_past: OwnPast | None = None

    def inputs(
        self,
        rows: Rows,
        room: Room,
        cleaned: CleanedRows | None = None,
        watch: Watch = unwatched,
        *,
        in_training: bool = False,
    ) -> Inputs:
        """Windows of a raw table. Rows that the recipe leaves out are in no window.

        Args:
            room: Where features and cleaned columns lie that are too many for memory.
            cleaned: The table after this recipe, where it is there already.
            in_training: It is the table that everything was fitted on; see `FittedRecipe.apply`.
        """
        done = clean_rows(self.recipe, rows, room, watch, in_training=in_training) if cleaned is None else cleaned
        keys = rows.read([n for n in (self.group, self.time) if n in rows.names])
        order, groups = row_order(keys, self.group, self.time)
        kept = order[done.left_out_by[order] == 0]
        if self.own_past is not None and self.time in keys.columns:  # a row without a time has no place in a series
            kept = kept[np.isfinite(time_values(keys[self.time])[kept])]
        codes = None if groups is None else groups[kept]
        del order, groups
        values, filled = self._features(done, kept, room)
        own = None
        if self.own_past is not None:
            codes, own = self._series(keys, codes, kept), self._own(done, kept)
        windows, late = windows_over(values, codes, self.width), 0
        padded_kept = windows.is_padded
        if self.own_past is not None and own is not None:
            repeat_last(values, own, windows.first_row)
            windows = replace(windows, values=self.own_past.extended(values, windows.first_row, room))
            padded_kept = np.arange(len(kept)) - windows.first_row < self.width - 1 + self.own_past.reach
        if self.own_start is not None:
            times = unit_times(keys, self.time, kept, windows.first_row)
            late = self.own_start.begins_late(windows.first_row, times)
            windows = replace(windows, values=self.own_start.extended(values, windows.first_row, times, room))
        padded = np.zeros(rows.n_rows, dtype=np.bool_)
        padded[kept] = padded_kept
        return Inputs(windows, kept, padded, filled, done, late, own)

    def _series(self, keys: pd.DataFrame, codes: NDArray[np.int64] | None, kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the unbroken series of each kept row, (n_kept,)."""
        times = None if self.time is None or self.time not in keys.columns else time_values(keys[self.time])[kept]
        past = self.own_past
        if past is None or (codes is None and times is None):
            return np.zeros(len(kept), dtype=np.int64)
        return past.series(codes, times)

    def _own(self, cleaned: CleanedRows, kept: NDArray[np.int64]) -> NDArray[np.float64]:
        column = "" if self.own_past is None else self.own_past.column
        return cleaned.rows.read([column])[column].to_numpy(dtype=np.float64, na_value=np.nan)[kept]

    def _features(self, cleaned: CleanedRows, kept: NDArray[np.int64], room: Room) -> tuple[BigArray, NDArray[np.bool_]]:
        """Token numbers and scaled features of the kept rows in their order, (n_kept, n_values) float32, and which rows
        (n_rows,) had gaps.
        """
        rows, plan = cleaned.rows, self.plan
        values = room.array((len(kept), plan.n_values), np.float32)
        filled = np.zeros(rows.n_rows, dtype=np.bool_)
        place = np.full(rows.n_rows, -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        columns = plan.columns_in(rows.names)
        for start, stop in rows.stretches():
            matrix = plan.transform(rows.read(columns, start, stop))
            filled[start:stop] = matrix.missing
            at = place[start:stop]
            is_kept = at >= 0
            values[at[is_kept]] = matrix.values[is_kept].astype(np.float32)
        return values, filled

    def to_json(self) -> dict[str, object]:
        return {
            "recipe": self.recipe.to_json(),
            "features": self.plan.to_json(),
            "width": self.width,
            "group": self.group,
            "time": self.time,
            "own_start": None if self.own_start is None else self.own_start.to_json(),
            "own_past": None if self.own_past is None else self.own_past.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Pipeline:
        return cls(
            FittedRecipe.from_json(stored["recipe"]),  # type: ignore[arg-type]
            FeaturePlan.from_json(stored["features"]),  # type: ignore[arg-type]
            int(stored["width"]),  # type: ignore[call-overload]
            stored["group"],  # type: ignore[arg-type]
            stored["time"],  # type: ignore[arg-type]
            OwnStart.from_json(stored["own_start"]) if stored.get("own_start") else None,  # type: ignore[arg-type]
            OwnPast.from_json(stored["own_past"]) if stored.get("own_past") else None,  # type: ignore[arg-type]
        )


def repeat_last(values: BigArray, own: NDArray[np.float64], first_row: NDArray[np.integer]) -> None:
    """Put into feature 0, where the cell is empty, what the last known row of its series has there; none known: as it is."""
    empty = np.flatnonzero(~np.isfinite(own))
    if not len(empty):
        return
    last = fill_forward(own, first_row)[empty]
    known = np.asarray(values[last[last >= 0], 0])
    values[empty[last >= 0], 0] = known


def time_values(cells: pd.Series) -> NDArray[np.float64]:
    """Times as numbers, (n,): seconds of a clock, else the numbers themselves; NaN where empty."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        stamps = cells.to_numpy().astype("datetime64[us]")
        return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.arange(len(cells), dtype=np.float64)


def unit_times(
    keys: pd.DataFrame, time: str | None, kept: NDArray[np.int64], first_row: NDArray[np.integer]
) -> NDArray[np.float64]:
    """The time of the kept rows in their order, (n_kept,): numbers as they are, else the number of the row in its unit."""
    if time is not None and time in keys.columns and pd.api.types.is_numeric_dtype(keys[time]):
        return keys[time].to_numpy(dtype=np.float64, na_value=np.nan)[kept]
    return (np.arange(len(kept)) - first_row).astype(np.float64)


def group_codes(table: pd.DataFrame, group: str | None) -> NDArray[np.int64] | None:
    """A code a row, in order of first appearance; empty cells are a group of their own."""
    if group is None or group not in table.columns:
        return None
    codes, _ = pd.factorize(table[group], use_na_sentinel=False)
    return codes.astype(np.int64)


def row_order(table: pd.DataFrame, group: str | None, time: str | None) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Row positions ordered by group (first appearance), then time, then place in the file; and the group codes."""
    codes = group_codes(table, group)
    keys: list[NDArray] = [_sortable(table[time])] if time is not None and time in table.columns else []
    if codes is not None:
        keys.append(codes)
    if all(bool((key[1:] >= key[:-1]).all()) for key in keys):  # in order already, as most files are
        return np.arange(len(table), dtype=np.int64), codes
    # Sorting is stable: equal rows keep their order in the file.
    return np.lexsort(keys).astype(np.int64), codes


def _sortable(cells: pd.Series) -> NDArray:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.to_numpy().astype("datetime64[us]").astype(np.int64)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.zeros(len(cells))
