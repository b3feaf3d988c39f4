"""Text columns as numbers: a code or a share a category, and rare categories brought together.

Learned on the training part. 0/1 columns are in `core/clean/encoding.py`, means of the target in `targets.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, with_cells
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

How = Literal["ordinal_encode", "frequency_encode"]


class OrdinalSettings(Settings):
    """In which order categories are counted."""

    order: Literal["name", "frequency"] = setting(
        "name", title="Order", help="By name, or the most frequent category first.", expert=False
    )


class FrequencySettings(Settings):
    """Nothing to choose."""


class RareSettings(Settings):
    """Which categories are rare."""

    share: float = setting(
        0.02,
        title="Rare below",
        help="Categories with a smaller share of the training rows are brought together.",
        gt=0,
        lt=1,
        expert=False,
    )
    label: str = setting(
        "other", title="Name", help="What rare and unknown categories are called.", min_length=1, max_length=60, expert=False
    )


def texts_of(table: pd.DataFrame, name: str) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Categories as texts, (n,), and which cells are empty."""
    empty = is_empty(table, name)
    return np.array(table[name].astype(object).map(str), dtype=object), empty


def shares_of(train: TrainPart, name: str) -> dict[str, float]:
    """The share of the filled training cells that each category has, in order of its name."""
    texts, empty = texts_of(train.table, name)
    names, counts = np.unique(texts[~empty].astype(str), return_counts=True)
    return {str(n): float(c) / max(1, int(counts.sum())) for n, c in zip(names, counts, strict=True)}


def looked_up(table: pd.DataFrame, name: str, numbers: Mapping[str, float], unknown: float) -> tuple[NDArray[np.float64], int]:
    """The number of each cell's category, `unknown` for one that training did not have and NaN where empty; how many are unknown."""
    texts, empty = texts_of(table, name)
    codes = pd.Index(list(numbers), dtype=object).get_indexer(texts)
    values = np.append(np.array(list(numbers.values()), dtype=np.float64), unknown)[codes]
    values[empty] = np.nan
    return values, int(np.count_nonzero((codes < 0) & ~empty))


def unknown_note(n: int, column: str) -> list[Message]:
    """How many cells have a category that training did not have."""
    if not n:
        return []
    return [
        msg_n(
            "{n} row of '{column}' has a category that the training part does not show.",
            "{n} rows of '{column}' have a category that the training part does not show.",
            n,
            column=column,
        )
    ]


@dataclass(frozen=True, slots=True)
class FittedNumbers:
    """The number of each category by column, what an unknown one gets (None: empty), and the new column's name."""

    key: How
    numbers: Mapping[str, Mapping[str, float]]
    names: Mapping[str, str]
    unknown: float | None
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        notes: list[Message] = []
        for name, found in self.numbers.items():
            values, n_unknown = looked_up(table, name, found, np.nan if self.unknown is None else self.unknown)
            cells[self.names[name]] = values
            notes += unknown_note(n_unknown, name)
        result = with_cells(table, cells).drop(columns=list(self.numbers))
        change = Change(added_columns=tuple(cells), removed_columns=tuple(self.numbers), notes=tuple(notes))
        return applied(result, change)

    def state(self) -> dict[str, object]:
        numbers = {k: dict(v) for k, v in self.numbers.items()}
        return {"numbers": numbers, "names": dict(self.names), "unknown": self.unknown}


@dataclass(frozen=True, slots=True)
class Encode:
    """One number column for each text column, which goes away, so that it cannot be applied twice.

    All missing in training: every cell is unknown. Ordinal codes of unknown categories are empty; a share is 0.
    """

    key: How
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedNumbers:
        found: dict[str, dict[str, float]] = {}
        for c in columns:
            shares = shares_of(train, c.name)
            if self.key == "ordinal_encode":
                chosen = OrdinalSettings.model_validate(settings.model_dump())
                ranked = sorted(shares, key=lambda n: (-shares[n], n)) if chosen.order == "frequency" else list(shares)
                shares = {n: float(i) for i, n in enumerate(ranked)}
            found[c.name] = shares
        taken = {str(c) for c in train.table.columns}
        word = "code" if self.key == "ordinal_encode" else "share"
        names = {c.name: free_name(f"{c.name}_{word}", taken) for c in columns}
        return FittedNumbers(self.key, found, names, None if self.key == "ordinal_encode" else 0.0)

    def restore(self, state: Mapping[str, object]) -> FittedNumbers:
        stored: Any = state
        return FittedNumbers(self.key, stored["numbers"], stored["names"], stored["unknown"])


@dataclass(frozen=True, slots=True)
class FittedRare:
    """The categories that stay, by column; every other one is called `label`."""

    kept: Mapping[str, tuple[str, ...]]
    label: str
    key: str = "group_rare"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name, kept in self.kept.items():
            texts, empty = texts_of(table, name)
            rare = ~np.isin(texts.astype(str), [*kept, self.label]) & ~empty
            if rare.any():
                column = table[name].astype(object)
                column[rare] = self.label
                cells[name], changed[name] = column.astype("str"), int(rare.sum())
        return applied(with_cells(table, cells), Change(changed_cells=changed))

    def state(self) -> dict[str, object]:
        return {"kept": {k: list(v) for k, v in self.kept.items()}, "label": self.label}


@dataclass(frozen=True, slots=True)
class GroupRare:
    """Rare categories, and those that training did not have, under one name. Empty cells stay empty; twice is as once."""

    title: Message
    summary: Message
    key: str = "group_rare"
    settings: type[Settings] = RareSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedRare:
        chosen = RareSettings.model_validate(settings.model_dump())
        kept = {c.name: tuple(n for n, s in shares_of(train, c.name).items() if s >= chosen.share) for c in columns}
        return FittedRare(kept, chosen.label)

    def restore(self, state: Mapping[str, object]) -> FittedRare:
        stored: Any = state
        return FittedRare({k: tuple(v) for k, v in stored["kept"].items()}, stored["label"])


ORDINAL_ENCODE = Encode(
    "ordinal_encode",
    msg("Turn categories into codes"),
    msg("Each category of a text column becomes a whole number, for categories that have an order or for trees."),
    OrdinalSettings,
)
FREQUENCY_ENCODE = Encode(
    "frequency_encode",
    msg("Turn categories into their share"),
    msg("Each category becomes its share of the training rows, for columns with many categories."),
    FrequencySettings,
)
GROUP_RARE = GroupRare(
    msg("Bring rare categories together"),
    msg("Categories that few training rows have, and unknown ones, become one category."),
)
