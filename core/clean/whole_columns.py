"""Steps on whole columns: leave out sparse ones, remember which cells were empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clean.cells import applied, is_empty, with_cells
from core.clean.encoding import free_name
from core.clean.missing import NoSettings
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting


class SparseSettings(Settings):
    """How much of a column may be missing."""

    share: float = setting(
        0.5,
        title="Share missing",
        help="Columns with a larger share of missing cells in the training part are left out.",
        ge=0,
        lt=1,
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class FittedDropColumns:
    """The columns that go away. A table that lacks one of them is as good."""

    key: str
    columns: tuple[str, ...]
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        gone = tuple(name for name in self.columns if name in table.columns)
        return applied(table.drop(columns=list(gone)) if gone else table, Change(removed_columns=gone))

    def state(self) -> dict[str, object]:
        return {"columns": list(self.columns)}

    def learned(self) -> tuple[Message, ...]:
        if not self.columns:
            return (msg("no column is left out"),)
        names = ", ".join(f"'{name}'" for name in self.columns)
        return (msg_n("{names} is left out", "{names} are left out", len(self.columns), names=names),)


@dataclass(frozen=True, slots=True)
class DropColumns:
    """Leave out columns that the training part shows to be sparse. No training row: nothing is left out."""

    key: str
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind in ("number", "text")

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedDropColumns:
        if not len(train.table):
            return FittedDropColumns(self.key, ())
        chosen = SparseSettings.model_validate(settings.model_dump())
        gone = (c.name for c in columns if is_empty(train.table, c.name).mean() > chosen.share)
        return FittedDropColumns(self.key, tuple(gone))

    def restore(self, state: Mapping[str, object]) -> FittedDropColumns:
        return FittedDropColumns(self.key, tuple(state["columns"]))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class FittedIndicator:
    """The name of the 0/1 column of each column that had a missing cell in the training part."""

    names: Mapping[str, str]
    key: str = "missing_indicator"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells = {made: is_empty(table, name).astype(np.float64) for name, made in self.names.items()}
        added = tuple(made for made in cells if made not in table.columns)
        return applied(with_cells(table, cells), Change(added_columns=added))

    def state(self) -> dict[str, object]:
        return {"names": dict(self.names)}

    def learned(self) -> tuple[Message, ...]:
        return tuple(msg("'{made}' says where '{column}' was empty", made=m, column=n) for n, m in self.names.items())


@dataclass(frozen=True, slots=True)
class MissingIndicator:
    """One 0/1 column for each column with a missing cell in the training part: 1 where the cell is missing.

    It must stand before the step that fills. No missing cell in training: no column. Applied twice it changes
    nothing more as long as nothing was filled in between.
    """

    title: Message
    summary: Message
    key: str = "missing_indicator"
    settings: type[Settings] = NoSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind in ("number", "text")

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedIndicator:
        taken = {str(c) for c in train.table.columns}
        sometimes = [c.name for c in columns if 0 < np.count_nonzero(is_empty(train.table, c.name)) < len(train.table)]
        return FittedIndicator({name: free_name(f"{name}_missing", taken) for name in sometimes})

    def restore(self, state: Mapping[str, object]) -> FittedIndicator:
        return FittedIndicator(dict(state["names"]))  # type: ignore[call-overload]


DROP_SPARSE = DropColumns(
    "drop_sparse",
    msg("Leave out columns with many missing values"),
    msg("Columns of which more than a share is missing in the training part take no part in training."),
    SparseSettings,
)
MISSING_INDICATOR = MissingIndicator(
    msg("Remember which values were missing"),
    msg("Adds a column with 1 where a value is missing. Put it before the step that fills."),
)
