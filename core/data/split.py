"""Which rows train, validate and test: decided first, before anything is fitted.

By group when there is a lot, unit or serial; else by time when there is a time column; with neither, seeded and
stratified random, named as such. `TrainPart` can only be made here, so that a fit on other rows is a type error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.rows import Rows, take_rows
from core.errors import SettingProblem
from core.messages import Message, msg
from core.settings import Settings, setting

SplitMethod = Literal["time", "group", "random", "first", "column"]
TRAIN, VALIDATION, TEST, GAP = 0, 1, 2, 3
PART_NAMES = ("train", "validation", "test", "gap")
SAMPLE_CELLS, SAMPLE_ROWS, SAMPLE_STRETCHES = 10_000_000, 50_000, 50


class SplitSettings(Settings):
    """How to split. `validation_fraction` and `test_fraction` are fractions of all rows or groups, 0 to 1.

    `first` rows train and validate, the rest tests. `column` holds the words train / validation / test.
    """

    method: SplitMethod = setting("time", title="Split", help="How rows are parted into training, validation and test.")
    first: int | None = setting(None, title="Training rows", help="The first n rows train; the rest is the test part.", ge=2)
    column: str | None = setting(None, title="Split column", help="A column that holds train, validation or test.")
    validation_fraction: float = setting(
        0.15, title="Validation part", help="Share of rows held back for early stopping and thresholds.", gt=0, lt=0.5
    )
    test_fraction: float = setting(0.2, title="Test part", help="Share of rows that judge the model once.", ge=0, lt=0.8)


@dataclass(frozen=True, slots=True)
class Split:
    """The part of each row: `parts` is int8 (n_rows,), TRAIN / VALIDATION / TEST / GAP. Arrays are read-only."""

    settings: SplitSettings
    parts: NDArray[np.int8]
    seed: int
    reason: Message

    def rows(self, part: int) -> NDArray[np.int64]:
        """Row numbers of one part, ascending."""
        return np.flatnonzero(self.parts == part)

    def counts(self) -> dict[str, int]:
        """Rows in each part, by name."""
        return {name: int(np.count_nonzero(self.parts == i)) for i, name in enumerate(PART_NAMES)}

    def train_part(self, table: pd.DataFrame) -> TrainPart:
        """The training rows of a table with one row per dataset row."""
        return TrainPart(table.iloc[self.rows(TRAIN)], _made_by_split=True)

    def train_sample(self, rows: Rows, most_cells: int = SAMPLE_CELLS) -> TrainPart:
        """The training rows that a recipe is fitted on: all, or evenly spread stretches where they have too many cells.

        Stretches and not single rows, so that rows keep their neighbours. At least 50,000 rows are taken.
        """
        train = self.rows(TRAIN)
        most = max(SAMPLE_ROWS, most_cells // max(1, len(rows.names)))
        if len(train) > most:
            starts = np.linspace(0, len(train) - most // SAMPLE_STRETCHES, SAMPLE_STRETCHES).astype(np.int64)
            train = train[np.unique(starts[:, None] + np.arange(most // SAMPLE_STRETCHES))]
        return TrainPart(take_rows(rows, train), _made_by_split=True)


@dataclass(frozen=True, slots=True)
class TrainPart:
    """The rows that anything may be fitted on. Made only by `Split.train_part`."""

    table: pd.DataFrame
    _made_by_split: bool = False

    def __post_init__(self) -> None:
        if not self._made_by_split:
            raise TypeError("TrainPart is made by Split.train_part, so that only training rows are ever fitted on.")


def parse_split(text: str) -> SplitSettings:
    """The settings for "time", "group", "random", "first:400" or "column:part".

    Raises:
        SettingProblem: another word, or "first:" without a whole number of at least 2.
    """
    method, _, value = text.strip().partition(":")
    if method in ("time", "group", "random") and not value:
        return SplitSettings.read({"method": method})
    if method == "first" and value.strip().isdecimal():
        return SplitSettings.read({"method": "first", "first": int(value)})
    if method == "column" and value.strip():
        return SplitSettings.read({"method": "column", "column": value.strip()})
    raise SettingProblem(
        msg("The split is '{value}'.", value=text),
        msg("Expected time, group, random, first:N or column:NAME."),
        msg("Write for example first:400."),
        name="split",
        value=text,
    )


def default_split(columns: Sequence[Column], task: str) -> tuple[SplitSettings, Message]:
    """The honest rule for these columns and its reason: by group, else by time, else at random.

    A forecast is always split by time. The anomaly task without a group or time column goes by row order.
    """
    group = next((c.name for c in columns if c.role == "group"), None)
    time = next((c.name for c in columns if c.role == "time"), None)
    if group is not None and task != "forecast":
        reason = msg("Split by group, because rows of one '{column}' resemble each other.", column=group)
        return SplitSettings(method="group"), reason
    if time is not None:
        reason = msg("Split by time, because the model will meet later rows than it has seen ('{column}').", column=time)
        return SplitSettings(method="time"), reason
    if task in ("anomaly", "forecast"):
        return SplitSettings(method="time"), msg("Split by row order, because this task follows rows in order.")
    return SplitSettings(method="random"), msg("Split at random, because there is neither a group nor a time column.")
