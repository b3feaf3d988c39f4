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
    event_cells: Mapping[str, int] = field(default_factory=dict)
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
    for each column with one. `event_cells`, likewise, are odd cells that the user calls a real event: kept and labelled.
    `row_notes` are those notes of the change that count rows, with how much each row (n_rows,) counts.
    """

    table: pd.DataFrame
    left_out: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    change: Change
    flagged_cells: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    event_cells: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    row_notes: tuple[tuple[Message, NDArray[np.bool_] | NDArray[np.int64]], ...] = ()


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

    `uses_neighbours` says that a cell may be judged by or come from other rows; rows that an earlier step left out are
    then hidden from it. It also says how a table that does not fit into memory may be cut:

    - False: strictly row by row. A row after the step depends on that row before it, so rows may come in chunks.
    - True: strictly column by column. A column after the step depends on one column, on group and time, and on which
      rows were left out; marks of rows are joined over the columns. So columns may come one at a time, listed under
      "columns" in `state` (a list, or a mapping from the column to what was learned of it), and in bundles of rows that
      overlap (`core/clean/streaming.py`). A step that looks further than 10,000 rows of its group says so by attributes:
      `reach_rows` to either side, `reach_time` back in time (seconds or own units), `reach_filled` filled cells beyond
      these; `phase`: it counts places in the group modulo this.
    """

    @property
    def key(self) -> str: ...

    @property
    def uses_neighbours(self) -> bool: ...

    def apply(self, table: pd.DataFrame) -> Applied: ...

    def state(self) -> dict[str, object]: ...


@runtime_checkable
class Tells(Protocol):
    """A fitted step that can say in sentences what it learned, for the recipe as text."""

    def learned(self) -> tuple[Message, ...]: ...


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
