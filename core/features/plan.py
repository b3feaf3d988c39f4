"""Which numbers a model gets from a table: one feature a number column, one a category of a text column, scaled.

Everything here is learned from the training part: the category list, the fill value of empty cells, mean and scale. A column
of free text may stand in front as token numbers, which only the text families read (`core/features/texts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, NotEnoughData
from core.features.power import PowerTransform, fit_power
from core.features.texts import TextPlan, fit_text
from core.messages import Message, msg

MAX_CATEGORIES = 50
# A column whose spread is below this share of its size is constant up to rounding.
CONSTANT_SHARE = 1e-9


@dataclass(frozen=True, slots=True)
class Feature:
    """One number the model sees. `category` is None for a number column, else the text that gives 1.

    With a `power` it is the number column once more, straightened; `fill` is in the column's unit all the same, `mean` and
    `scale` are those after the transform.
    """

    column: str
    category: str | None
    fill: float
    mean: float
    scale: float
    power: PowerTransform | None = None

    @property
    def name(self) -> str:
        plain = self.column if self.category is None else f"{self.column}={self.category}"
        return plain if self.power is None else f"{plain} straightened"


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """Features. `values` is float64 (n_rows, n_tokens + n_features): token numbers, then scaled features, which `names` names;
    `missing` is bool (n_rows,): a cell was filled.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    missing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """The features that the training part showed, in order. `notes` names columns that were left out and why.

    With a `text`, its token numbers stand in front of the features.
    """

    features: tuple[Feature, ...]
    notes: tuple[Message, ...] = ()
    text: TextPlan | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns that feed the model, once each, in order; the free text last."""
        text = () if self.text is None else (self.text.column,)
        return tuple(dict.fromkeys([*(f.column for f in self.features), *text]))

    @property
    def n_tokens(self) -> int:
        """How many of the values of a row are token numbers: the first ones."""
        return 0 if self.text is None else self.text.length

    @property
    def n_values(self) -> int:
        """Values of a row: token numbers and features."""
        return self.n_tokens + len(self.features)

    def without_text(self) -> FeaturePlan:
        """The same without the free text.

        Raises:
            NotEnoughData: nothing else is there to learn from.
        """
        if self.text is not None and not self.features:
            raise NotEnoughData(
                msg("Beside the text of '{column}' there is no column to learn from.", column=self.text.column),
                msg("This model does not read free text; it needs at least one other column that varies."),
                msg("Take one of the text models, or add columns."),
            )
        return replace(self, text=None)

    @property
    def column_of_feature(self) -> NDArray[np.int64]:
        """Index into `columns` for each feature, (n_features,)."""
        place = {name: i for i, name in enumerate(self.columns)}
        return np.array([place[f.column] for f in self.features], dtype=np.int64)

    def transform(self, table: pd.DataFrame) -> FeatureMatrix:
        """Scaled features of a cleaned table; empty cells get the training part's median (0 for a category).

        Raises:
            DataProblem: a column that the model needs is not there.
        """
        self.columns_in([str(name) for name in table.columns])
        values = np.empty((len(table), self.n_values))
        missing = np.zeros(len(table), dtype=bool)
        if self.text is not None:  # an empty remark is a remark, and no cell that was filled
            values[:, : self.n_tokens] = self.text.ids(table[self.text.column])
        for i, feature in enumerate(self.features, self.n_tokens):
            raw = _raw_values(table[feature.column], feature.category)
            empty = ~np.isfinite(raw)
            missing |= empty
            known = np.where(empty, feature.fill, raw)
            values[:, i] = ((known if feature.power is None else feature.power(known)) - feature.mean) / feature.scale
        return FeatureMatrix(values, tuple(f.name for f in self.features), missing)

    def columns_in(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that feed the model.

        Raises:
            DataProblem: one of them is not among `names`.
        """
        absent = [name for name in self.columns if name not in names]
        if absent:
            raise DataProblem(
                msg("The table lacks {columns}.", columns=", ".join(absent)),
                msg("The model was trained with {columns}.", columns=", ".join(self.columns)),
                msg("Add the columns or rename yours to match."),
            )
        return self.columns

    def to_json(self) -> dict[str, object]:
        rows = [
            [f.column, f.category, f.fill, f.mean, f.scale, *([] if f.power is None else [f.power.to_json()])]
            for f in self.features
        ]
        text = {} if self.text is None else {"text": self.text.to_json()}
        return {"features": rows, "notes": [note.to_json() for note in self.notes], **text}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> FeaturePlan:
        rows = stored["features"]
        features = tuple(Feature(*row[:5], *map(PowerTransform.from_json, row[5:])) for row in rows)  # type: ignore[attr-defined]
        notes = tuple(Message.from_json(n) for n in stored.get("notes", []))  # type: ignore[attr-defined]
        text = stored.get("text")
        return cls(features, notes, TextPlan.from_json(text) if text else None)  # type: ignore[arg-type]


def fit_features(train: TrainPart, columns: Sequence[Column]) -> FeaturePlan:
    """The feature plan of the sensor columns, learned from the training part.

    Constant and empty columns, and texts with more than 50 different values, are left out with a note.

    Raises:
        NotEnoughData: no usable sensor column is left.
    """
    return plan_features(lambda column: train, columns)


def plan_features(
    part_of: Callable[[Column], TrainPart],
    columns: Sequence[Column],
    *,
    text: tuple[str, int] | None = None,
    unread: str | None = None,
    straighten: bool = False,
) -> FeaturePlan:
    """The same, with the training part of each column read when its turn comes.

    Args:
        text: The column of free text that is read, and how many tokens of a remark at most.
        unread: A column of free text that this model does not read: the note says so.
        straighten: Skewed number columns are also given straightened, as a second feature; a note names them.
    """
    features: list[Feature] = []
    notes: list[Message] = []
    plan: TextPlan | None = None
    for column in columns:
        if column.role != "sensor" or column.kind == "time":
            continue
        train = part_of(column)
        if text is not None and column.name == text[0] and column.kind == "text":
            plan, more = fit_text(train, *text)
            notes.extend(more)
            if n_category_features(train.table[column.name]) == 0:
                continue
        found = _number_feature(train, column, straighten) if column.kind == "number" else _category_features(train, column)
        if isinstance(found, Message):
            notes.append(unread_text(column.name) if column.name == unread else found)
        else:
            features.extend(found)
    if not features and plan is None:
        raise NotEnoughData(
            msg("No column is left to learn from: all are empty, constant or ignored."),
            msg("Expected at least one sensor column that varies in the training part."),
            msg("Give at least one column the role 'sensor'."),
        )
    straightened = ", ".join(f.column for f in features if f.power is not None)
    if straightened:
        notes.append(msg("Skewed columns are also given straightened: {columns}.", columns=straightened))
    return FeaturePlan(tuple(features), tuple(notes), plan)


def unread_text(column: str) -> Message:
    """What is said of free text beside a model that does not read it."""
    return msg("Column '{column}' is free text: only the text families read it.", column=column)


def n_category_features(cells: pd.Series) -> int:
    """How many features the training part's cells of a text column give: one a category, none where it is left out."""
    n = int(cells.nunique())
    return n if 2 <= n <= MAX_CATEGORIES else 0


def _raw_values(cells: pd.Series, category: str | None) -> NDArray[np.float64]:
    """Float values of a column; for a category 1 where equal, 0 where not or empty."""
    if category is None:
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return (cells.astype("str").to_numpy() == category).astype(np.float64)


def _number_feature(train: TrainPart, column: Column, straighten: bool) -> list[Feature] | Message:
    raw = train.table[column.name].to_numpy(dtype=np.float64, na_value=np.nan)
    known = raw[np.isfinite(raw)]
    if known.size == 0:
        return msg("Column '{column}' is empty in the training part and was left out.", column=column.name)
    fill, mean, spread = float(np.median(known)), float(known.mean()), float(known.std())
    if spread <= CONSTANT_SHARE * max(1e-300, float(np.abs(known).max())):
        return msg("Column '{column}' is constant in the training part and was left out.", column=column.name)
    found = [Feature(column.name, None, fill, mean, spread)]
    power = fit_power(known) if straighten else None
    if power is not None:
        straight = power(known)
        found.append(Feature(column.name, None, fill, float(straight.mean()), float(straight.std()), power))
    return found


def _category_features(train: TrainPart, column: Column) -> list[Feature] | Message:
    cells = train.table[column.name].dropna().astype("str")
    categories = sorted(cells.unique())
    if len(categories) > MAX_CATEGORIES:
        return msg("Column '{column}' has {n} different texts and was left out.", column=column.name, n=len(categories))
    if len(categories) < 2:
        return msg("Column '{column}' is constant in the training part and was left out.", column=column.name)
    shares = [float(np.mean(cells.to_numpy() == c)) for c in categories]
    return [Feature(column.name, c, 0.0, p, max((p * (1 - p)) ** 0.5, 1e-3)) for c, p in zip(categories, shares, strict=True)]
