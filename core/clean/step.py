"""What a cleaning step is: settings that say what to do, and a fitted form that can be replayed anywhere.

A step is fitted on the training part only and gives a new object; the fitted step is JSON and NumPy, never a
pickle. Applying never changes the number or order of rows: a row that a step leaves out stays in place and is
marked, so that scores keep one row per input row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """What one step did to one table: counts of cells and rows, per column.

    `columns` says what added or changed columns hold now, where that is more than "a number without a unit".
    `renamed` maps old names to new ones; both are also among the removed and added columns.
    """

    changed_cells: Mapping[str, int] = field(default_factory=dict)
    flagged_cells: Mapping[str, int] = field(default_factory=dict)
    left_out_rows: int = 0
    added_columns: tuple[str, ...] = ()
    removed_columns: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()
    columns: tuple[Column, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_changed(self) -> int:
        return sum(self.changed_cells.values())


@dataclass(frozen=True, slots=True)
class Applied:
    """A table after a step: same rows in the same order.

    `left_out` is (n_rows,) bool: rows that the step takes out of training and scoring. `flagged` is (n_rows,) bool:
    rows with a cell that the step marks as an outlier without changing it; `flagged_cells` says which, (n_rows,) bool
    for each column with one.
    """

    table: pd.DataFrame
    left_out: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    change: Change
    flagged_cells: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowKeys:
    """The columns that say which rows are neighbours: rows of one group, in order of time. None: one group, file order.

    `target` is what the run predicts, for steps that learn from it; a step may read it in `fit` and never in `apply`.
    """

    group: str | None = None
    time: str | None = None
    target: str | None = None


FILE_ORDER = RowKeys()


class FittedStep(Protocol):
    """A step with what it learned. `state` is JSON-able (numbers, texts, lists, dicts).

    `uses_neighbours` says that a cell may come from other rows; rows that an earlier step left out are then hidden from
    it, and each column that it gives depends on one column, the group and the time alone. Without neighbours each row
    depends on that row alone. Large tables stream on these two promises: columns by columns, or rows by rows.
    """

    @property
    def key(self) -> str: ...

    @property
    def uses_neighbours(self) -> bool: ...

    def apply(self, table: pd.DataFrame) -> Applied: ...

    def state(self) -> dict[str, object]: ...


@runtime_checkable
class CrossFitted(Protocol):
    """A fitted step that treats the rows it learned from otherwise than new rows: a target never encodes itself.

    `rows` (n_rows,) int64 are row numbers of the dataset; rows that the step did not learn from are treated as new.
    """

    def apply_in_training(self, table: pd.DataFrame, rows: NDArray[np.int64]) -> Applied: ...


class CleaningStep(Protocol):
    """One cleaning method. Joining the app is one line in `core/clean/catalogue.py`.

    `applies_to` answers for the sensors a step takes on its own. `fits_keys` says that it may also work on a time or
    group column that the recipe names. `fit` gets the columns to work on and the names of the group and time columns, if any.
    A step with an attribute `takes_made` that is true also takes, unasked, columns that earlier steps have made; one with
    `needs_columns` takes none unasked.
    """

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> Message: ...

    @property
    def summary(self) -> Message: ...

    @property
    def settings(self) -> type[Settings]: ...

    @property
    def fits_keys(self) -> bool: ...

    def applies_to(self, column: Column) -> bool: ...

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedStep: ...

    def restore(self, state: Mapping[str, object]) -> FittedStep: ...
