"""Stretches of one repeated value emptied: a sensor that hangs, or a logger that writes its last value on and on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, finite, numbers, with_cells
from core.clean.neighbours import row_order
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

LONGEST = 10_000


class RepeatedSettings(Settings):
    """From which length on equal cells are a hanging sensor."""

    rows: int = setting(
        30,
        title="Shortest stretch",
        help="So many equal cells in a row, or more, become empty: all of them, as nobody knows when the sensor began to hang.",
        unit="rows",
        ge=2,
        le=LONGEST,
        expert=False,
    )
    kept: tuple[float, ...] = setting(
        (),
        title="Values that may last",
        help="Stretches of these values stay, such as 0 for a machine at rest.",
        max_length=50,
        expert=False,
    )


def in_long_run(
    values: NDArray[np.float64], rows: int, groups: NDArray[np.int64] | None = None, kept: tuple[float, ...] = ()
) -> NDArray[np.bool_]:
    """Which cells lie in a run of at least `rows` equal ones, (n,). An empty or infinite cell ends a run, and so does a group.

    Args:
        values: (n,) in order.
        groups: (n,) group codes in the same order; None: one group.
    """
    n = len(values)
    if not n:
        return np.zeros(0, dtype=np.bool_)
    begins = np.r_[True, values[1:] != values[:-1]]
    if groups is not None:
        begins[1:] |= groups[1:] != groups[:-1]
    first = np.flatnonzero(begins)
    length = np.diff(np.r_[first, n])
    value = values[first]
    long = (length >= rows) & np.isfinite(value) & ~np.isin(value, kept)
    return np.repeat(long, length)


@dataclass(frozen=True, slots=True)
class FittedRepeated:
    """Empties long runs of equal cells. `columns` says of each column whether it varies in the training part."""

    columns: Mapping[str, bool]
    keys: RowKeys
    rows: int
    kept: tuple[float, ...]
    key: str = "repeated_to_missing"
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        """A run that is cut off so far away is long enough whatever follows."""
        return self.rows

    def apply(self, table: pd.DataFrame) -> Applied:
        order, codes = row_order(table, self.keys)
        groups = None if codes is None else codes[order]
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name in (name for name, varies in self.columns.items() if varies):
            values = numbers(table, name)
            stuck = np.zeros(len(values), dtype=np.bool_)
            stuck[order] = in_long_run(values[order], self.rows, groups, self.kept)
            if stuck.any():
                cells[name], changed[name] = np.where(stuck, np.nan, values), int(stuck.sum())
        still = [name for name, varies in self.columns.items() if not varies]
        notes = tuple(msg("'{column}' is unchanged: it never varies in the training part.", column=name) for name in still)
        return applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))

    def state(self) -> dict[str, object]:
        keys = {"group": self.keys.group, "time": self.keys.time}
        return {"columns": dict(self.columns), **keys, "rows": self.rows, "kept": list(self.kept)}


@dataclass(frozen=True, slots=True)
class RepeatedToMissing:
    """Empty long stretches of one value. Applied twice it changes nothing more.

    Rows follow the time column (the file, where there is none) and stretches never cross groups. A column without two
    different values in the training part is constant and does not hang: unchanged, with a note.
    """

    title: Message
    summary: Message
    key: str = "repeated_to_missing"
    settings: type[Settings] = RepeatedSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedRepeated:
        chosen = RepeatedSettings.model_validate(settings.model_dump())
        varies = {c.name: len(np.unique(finite(train.table, c.name))) > 1 for c in columns}
        return FittedRepeated(varies, RowKeys(keys.group, keys.time), chosen.rows, chosen.kept)

    def restore(self, state: Mapping[str, object]) -> FittedRepeated:
        s: Mapping[str, Any] = state
        return FittedRepeated(dict(s["columns"]), RowKeys(s["group"], s["time"]), s["rows"], tuple(s["kept"]))


REPEATED_TO_MISSING = RepeatedToMissing(
    msg("Empty stretches of one value"),
    msg(
        "A sensor that hangs repeats its last value. Long stretches of equal cells become empty; only where values normally vary."
    ),
)
