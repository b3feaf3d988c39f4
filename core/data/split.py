"""Which rows train, validate and test: decided first, before anything is fitted.

By group when there is a lot, unit or serial; else by time when there is a time column; with neither, seeded and
stratified random, named as such. `TrainPart` can only be made here, so that a fit on other rows is a type error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.messages import Message
from core.settings import Settings, setting

SplitMethod = Literal["time", "group", "random", "first", "column"]
TRAIN, VALIDATION, TEST, GAP = 0, 1, 2, 3
PART_NAMES = ("train", "validation", "test", "gap")


class SplitSettings(Settings):
    """How to split. `validation_fraction` and `test_fraction` are fractions of all rows or groups, 0 to 1.

    `first` rows train and validate, the rest tests. `column` holds the words train / validation / test.
    """

    method: SplitMethod = setting("time", title="Split", help="How rows are parted into training, validation and test.")
    first: int | None = setting(None, title="Training rows", help="The first n rows train; the rest is the test part.", ge=2)
    column: str | None = setting(None, title="Split column", help="A column that holds train, validation or test.")
    validation_fraction: float = setting(0.15, title="Validation part", help="Share of rows held back for early stopping and thresholds.", gt=0, lt=0.5)
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


@dataclass(frozen=True, slots=True)
class TrainPart:
    """The rows that anything may be fitted on. Made only by `Split.train_part`."""

    table: pd.DataFrame
    _made_by_split: bool = False

    def __post_init__(self) -> None:
        if not self._made_by_split:
            raise TypeError("TrainPart is made by Split.train_part, so that only training rows are ever fitted on.")
