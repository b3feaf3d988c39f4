"""Columns made of earlier rows of the same group: the value k rows ago, and the change since then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from core.clean.cells import applied, numbers, with_cells
from core.clean.columns.ordering import Ordered, like, ordered, start_note
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

How = Literal["lag", "difference"]
Rows = Annotated[int, Field(ge=1, le=100_000)]


class LagSettings(Settings):
    """How far to look back."""

    rows: tuple[Rows, ...] = setting(
        (1,),
        title="Rows back",
        help="One new column for each number, for example 1, 5, 60.",
        unit="rows",
        expert=False,
        min_length=1,
        max_length=50,
    )


@dataclass(frozen=True, slots=True)
class FittedLag:
    """Adds the columns in `made`: (source, rows back, what the new column is)."""

    key: str
    how: How
    made: tuple[tuple[str, int, Column], ...]
    keys: RowKeys
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        return max((back for _, back, _ in self.made), default=0)

    def apply(self, table: pd.DataFrame) -> Applied:
        rows = ordered(table, self.keys)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        for source, back, column in self.made:
            values = numbers(table, source)
            earlier = _earlier(values, rows, back)
            with np.errstate(invalid="ignore", over="ignore"):
                made = earlier if self.how == "lag" else values - earlier
            cells[column.name] = np.where(np.isfinite(made), made, np.nan)
        columns = tuple(column for _, _, column in self.made)
        early = rows.back(rows.since_start < self.reach_rows)
        notes = start_note(int(early.sum()))
        change = Change(added_columns=tuple(cells), notes=notes, columns=columns)
        return replace(applied(with_cells(table, cells), change), row_notes=tuple((note, early) for note in notes))

    def state(self) -> dict[str, object]:
        made: dict[str, list[object]] = {}
        for source, back, column in self.made:
            made.setdefault(source, []).append([back, asdict(column)])
        return {"columns": made, "group": self.keys.group, "time": self.keys.time}


def _earlier(values: NDArray[np.float64], rows: Ordered, back: int) -> NDArray[np.float64]:
    """The value `back` rows earlier in the group, by row; NaN where there is none."""
    by_place = values[rows.order]
    moved = np.full(len(values), np.nan)
    moved[back:] = by_place[: max(len(values) - back, 0)]
    moved[rows.since_start < back] = np.nan
    return rows.back(moved)


@dataclass(frozen=True, slots=True)
class Lag:
    """Look back by rows of the group, in order of time (of the file where there is none), whatever time lies between.

    Rows that an earlier step left out do not count. The first rows of each group stay empty, and so does a cell whose
    earlier value is empty. Applied twice it gives the same columns again.
    """

    key: str
    title: Message
    summary: Message
    how: How
    settings: type[Settings] = LagSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedLag:
        backs = dict.fromkeys(LagSettings.model_validate(settings.model_dump()).rows)
        taken = {str(c) for c in train.table.columns}
        word = "lag" if self.how == "lag" else "diff"
        made = [
            (c.name, b, like(c, free_name(f"{c.name}_{word}{b}", taken), limits=self.how == "lag"))
            for c in columns
            for b in backs
        ]
        return FittedLag(self.key, self.how, tuple(made), RowKeys(keys.group, keys.time))

    def restore(self, state: Mapping[str, object]) -> FittedLag:
        stored: Any = state
        made = tuple(
            (source, int(back), Column(**column)) for source, some in stored["columns"].items() for back, column in some
        )
        return FittedLag(self.key, self.how, made, RowKeys(stored["group"], stored["time"]))


LAG = Lag(
    "lag",
    msg("Add earlier values"),
    msg("A new column holds the value of some rows before, within the same group. It never looks ahead."),
    "lag",
)
DIFFERENCE = Lag(
    "difference",
    msg("Add differences"),
    msg("A new column holds the change since some rows before, within the same group. It never looks ahead."),
    "difference",
)
