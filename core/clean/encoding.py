"""Text columns turned into one 0/1 column a category, learned on the training part.

A category that training did not have, and an empty cell, get 0 in every column and are counted in a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clean.cells import applied, is_empty
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting


class OneHotSettings(Settings):
    """How many categories get a column."""

    max_categories: int = setting(
        20,
        title="Most categories",
        help="The most frequent categories of a column get a column of their own; rarer ones count as unknown.",
        ge=1,
        le=200,
    )


@dataclass(frozen=True, slots=True)
class FittedOneHot:
    """The categories of each column and the names of their 0/1 columns, in the same order."""

    categories: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]
    key: str = "one_hot"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        blocks: dict[str, pd.DataFrame] = {}
        notes: list[Message] = []
        for name, categories in self.categories.items():
            empty = is_empty(table, name)
            codes = pd.Index(categories, dtype=object).get_indexer(table[name].astype(object).map(str))
            codes[empty] = -1
            hot = (codes[:, None] == np.arange(len(categories))).astype(np.float64)
            blocks[name] = pd.DataFrame(hot, index=table.index, columns=list(self.names[name]))
            notes += _notes(name, int(np.count_nonzero((codes < 0) & ~empty)), int(empty.sum()))
        parts = [blocks.get(str(c), table[[c]]) for c in table.columns]
        result = pd.concat(parts, axis=1) if parts else table
        added = tuple(n for block in self.names.values() for n in block)
        return applied(result, Change(added_columns=added, removed_columns=tuple(self.categories), notes=tuple(notes)))

    def state(self) -> dict[str, object]:
        return {
            "categories": {k: list(v) for k, v in self.categories.items()},
            "names": {k: list(v) for k, v in self.names.items()},
        }


def _notes(name: str, n_unknown: int, n_empty: int) -> list[Message]:
    notes = []
    if n_unknown:
        notes.append(
            msg_n(
                "{n} row of '{column}' has a category without a column of its own.",
                "{n} rows of '{column}' have a category without a column of its own.",
                n_unknown,
                column=name,
            )
        )
    if n_empty:
        notes.append(
            msg_n(
                "{n} row of '{column}' is empty and gets 0 everywhere.",
                "{n} rows of '{column}' are empty and get 0 everywhere.",
                n_empty,
                column=name,
            )
        )
    return notes


@dataclass(frozen=True, slots=True)
class OneHot:
    """One 0/1 column a category, at the place of the text column, which goes away. Categories are ordered by name.

    All missing in training: no category, so the text column goes away with nothing in its place. It cannot be applied
    twice, as the text column is gone.
    """

    title: Message
    summary: Message
    key: str = "one_hot"
    settings: type[Settings] = OneHotSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedOneHot:
        most = OneHotSettings.model_validate(settings.model_dump()).max_categories
        categories = {c.name: frequent(train.table[c.name], most) for c in columns}
        taken = {str(c) for c in train.table.columns}
        names = {name: tuple(free_name(f"{name}={c}", taken) for c in found) for name, found in categories.items()}
        return FittedOneHot(categories, names)

    def restore(self, state: Mapping[str, object]) -> FittedOneHot:
        return FittedOneHot(_texts(state["categories"]), _texts(state["names"]))


def _texts(stored: object) -> dict[str, tuple[str, ...]]:
    """Lists of texts by column, as they come from JSON."""
    return {k: tuple(v) for k, v in stored.items()} if isinstance(stored, Mapping) else {}


def frequent(column: pd.Series, most: int) -> tuple[str, ...]:
    """The most frequent categories in order of their names; among equally frequent ones the earlier name wins."""
    counts = column.dropna().astype(object).map(str).value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple(sorted(str(category) for category, _ in ranked))


def free_name(name: str, taken: set[str]) -> str:
    """The name, with underscores added while another column has it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


ONE_HOT = OneHot(
    msg("Turn categories into 0/1 columns"),
    msg("Each category of a text column becomes a column with 1 where it applies. Models need numbers."),
)
