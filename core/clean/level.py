"""The slow level of a signal taken out: each value less the median of the rows up to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, count_changed, numbers, with_cells
from core.clean.columns.ordering import like, ordered, windows_of_rows
from core.clean.columns.rolling import statistics
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting


class LevelSettings(Settings):
    """How slow the level is."""

    width: int = setting(
        500,
        title="Window width",
        help="The level is the median of so many rows up to each row. What lasts longer than half of it is taken out.",
        unit="rows",
        ge=3,
        le=100_000,
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class FittedLevel:
    """What each column holds afterwards: its unit, and no limits, as these were made for the level."""

    columns: Mapping[str, Column]
    keys: RowKeys
    width: int
    key: str = "subtract_level"
    uses_neighbours: bool = True

    @property
    def reach_rows(self) -> int:
        return self.width

    def apply(self, table: pd.DataFrame) -> Applied:
        rows = ordered(table, self.keys)
        windows = windows_of_rows(rows, self.width)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name in self.columns:
            before = numbers(table, name)
            known = np.where(np.isfinite(before), before, np.nan)
            level = rows.back(statistics(known[rows.order], np.zeros(0), windows, "median", 1))
            after = np.where(np.isfinite(before), before - level, before)
            if n_changed := count_changed(before, after):
                cells[name], changed[name] = after, n_changed
        return applied(with_cells(table, cells), Change(changed_cells=changed, columns=tuple(self.columns.values())))

    def state(self) -> dict[str, object]:
        keys = {"group": self.keys.group, "time": self.keys.time}
        return {"columns": {name: asdict(c) for name, c in self.columns.items()}, **keys, "width": self.width}


@dataclass(frozen=True, slots=True)
class SubtractLevel:
    """x(t) − median(x(t − width + 1) … x(t)) within each group; empty cells and ±infinity take no part and stay.

    The first rows of a group are measured against the few before them, the very first against itself: 0. Learns nothing.
    It never looks ahead. Applied twice it takes out what the first time left of the level.
    """

    title: Message
    summary: Message
    key: str = "subtract_level"
    settings: type[Settings] = LevelSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedLevel:
        chosen = LevelSettings.model_validate(settings.model_dump())
        return FittedLevel({c.name: like(c, c.name) for c in columns}, RowKeys(keys.group, keys.time), chosen.width)

    def restore(self, state: Mapping[str, object]) -> FittedLevel:
        s: Mapping[str, Any] = state
        columns = {name: Column(**c) for name, c in s["columns"].items()}
        return FittedLevel(columns, RowKeys(s["group"], s["time"]), s["width"])


SUBTRACT_LEVEL = SubtractLevel(
    msg("Take out the slow level"),
    msg(
        "Each value less the median of the rows up to it: drift and lasting shifts go, and so does slow wear. It never looks ahead."
    ),
)
