"""Missing values answered without looking at other rows: leave the row out, or put in one value.

A cell counts as missing when it is empty or, in a number column, ±infinity. Filling from neighbouring rows is in
`neighbours.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core.clean.cells import applied, finite, is_empty, names_of, nothing_learned, numbers, with_cells
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting


class NoSettings(Settings):
    """A step with nothing to choose."""


class ConstantSettings(Settings):
    """What goes into the empty cells."""

    number: float = setting(0.0, title="Number", help="Written into empty cells of number columns.", expert=False)
    text: str = setting("missing", title="Text", help="Written into empty cells of text columns.", expert=False)


@dataclass(frozen=True, slots=True)
class FittedDrop:
    """Marks rows with a missing cell in any of its columns as left out."""

    columns: tuple[str, ...]
    key: str = "drop_missing"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        left_out = np.zeros(len(table), dtype=np.bool_)
        for name in self.columns:
            left_out |= is_empty(table, name)
        return applied(table, Change(left_out_rows=int(left_out.sum())), left_out=left_out)

    def state(self) -> dict[str, object]:
        return {"columns": list(self.columns)}


@dataclass(frozen=True, slots=True)
class DropMissing:
    """Leave out rows with a missing cell. All cells missing: every row is left out. No missing cell: nothing happens."""

    title: Message
    summary: Message
    key: str = "drop_missing"
    settings: type[Settings] = NoSettings
    fits_keys: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind in ("number", "text")

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedDrop:
        return FittedDrop(names_of(columns))

    def restore(self, state: Mapping[str, object]) -> FittedDrop:
        return FittedDrop(tuple(state["columns"]))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class FittedFill:
    """Puts one fixed value a column into missing cells; None: the training part had no value to learn from."""

    key: str
    values: Mapping[str, float | str | None]
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, np.ndarray | pd.Series] = {}
        changed: dict[str, int] = {}
        for name, value in self.values.items():
            empty = is_empty(table, name)
            if value is not None and empty.any():
                cells[name] = _filled(table, name, empty, value)
                changed[name] = int(empty.sum())
        notes = nothing_learned([name for name, value in self.values.items() if value is None])
        return applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))

    def state(self) -> dict[str, object]:
        return {"values": dict(self.values)}

    def learned(self) -> tuple[Message, ...]:
        return tuple(msg("'{column}': {value}", column=n, value=v) for n, v in self.values.items() if v is not None)


def _filled(table: pd.DataFrame, name: str, empty: np.ndarray, value: float | str) -> np.ndarray | pd.Series:
    """One column with its missing cells filled; text stays text."""
    if isinstance(value, str):
        return table[name].mask(empty, value)
    return np.where(empty, value, numbers(table, name))


@dataclass(frozen=True, slots=True)
class StatisticFill:
    """Fill with the mean, median or most frequent value of the finite training cells.

    Among equally frequent values the smallest number, or the first text by name, is taken; texts have a mode only.

    A column that is all missing in training stays unchanged, with a note. One row or a constant column: that value.
    """

    key: str
    title: Message
    summary: Message
    statistic: Literal["mean", "median", "mode"]
    settings: type[Settings] = NoSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        kinds = ("number", "text") if self.statistic == "mode" else ("number",)
        return column.role == "sensor" and column.kind in kinds

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedFill:
        values = {c.name: self._learn(train.table, c) for c in columns}
        return FittedFill(self.key, values)

    def restore(self, state: Mapping[str, object]) -> FittedFill:
        return FittedFill(self.key, dict(state["values"]))  # type: ignore[call-overload]

    def _learn(self, table: pd.DataFrame, column: Column) -> float | str | None:
        if column.kind == "text":
            texts = table[column.name].dropna().astype(object).map(str).mode()  # sorted by name
            return None if texts.empty else str(texts.iloc[0])
        values = finite(table, column.name)
        if not len(values):
            return None
        if self.statistic == "mode":
            found, counts = np.unique(values, return_counts=True)  # sorted, so that the first of the largest is the smallest
            return float(found[np.argmax(counts)])
        return float(np.mean(values) if self.statistic == "mean" else np.median(values))


@dataclass(frozen=True, slots=True)
class ConstantFill:
    """Fill with a value the user gives. Learns nothing, so any training part will do."""

    title: Message
    summary: Message
    key: str = "constant_fill"
    settings: type[Settings] = ConstantSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind in ("number", "text")

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedFill:
        chosen = ConstantSettings.model_validate(settings.model_dump())
        return FittedFill(self.key, {c.name: chosen.number if c.kind == "number" else chosen.text for c in columns})

    def restore(self, state: Mapping[str, object]) -> FittedFill:
        return FittedFill(self.key, dict(state["values"]))  # type: ignore[call-overload]


DROP_MISSING = DropMissing(
    msg("Leave out rows with missing values"),
    msg("Rows with an empty cell in a chosen column take no part in training; they stay in the dataset."),
)
MEAN_FILL = StatisticFill(
    "mean_fill",
    msg("Fill with the mean"),
    msg("Empty cells get the average of the training part. Outliers pull the average; the median is safer."),
    "mean",
)
MEDIAN_FILL = StatisticFill(
    "median_fill",
    msg("Fill with the median"),
    msg("Empty cells get the middle value of the training part, which outliers hardly move."),
    "median",
)
MODE_FILL = StatisticFill(
    "mode_fill",
    msg("Fill with the most frequent value"),
    msg("Empty cells get the value that is most frequent in the training part; the way to fill categories."),
    "mode",
)
CONSTANT_FILL = ConstantFill(
    msg("Fill with a fixed value"),
    msg("Empty cells get a value you choose. Use it when an empty cell has a known meaning, such as 0."),
)
