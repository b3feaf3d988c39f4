"""What a network is asked for, and the way back to the user's units: a scaled value, a class code, a capped life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem
from core.features.forecast_target import ForecastTarget
from core.messages import msg

DEFAULT_LIFE_CAP = 125.0
MAX_CLASSES = 100


@dataclass(frozen=True, slots=True)
class RegressionTarget:
    """A value scaled by the training part's mean and standard deviation."""

    mean: float
    scale: float
    key = "regression"

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        return ((values - self.mean) / self.scale).astype(np.float32)

    def decode(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        return outputs.astype(np.float64) * self.scale + self.mean

    def to_json(self) -> dict[str, object]:
        return {"key": self.key, "mean": self.mean, "scale": self.scale}


@dataclass(frozen=True, slots=True)
class LifeTarget:
    """Remaining life, cut at `cap` (piece-wise linear target, Heimes 2008), in units of the cap.

    Decoded values lie from 0 to the cap: beyond it a network has learned nothing.
    """

    cap: float
    key = "rul"

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        return (np.minimum(values, self.cap) / self.cap).astype(np.float32)

    def decode(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.clip(outputs.astype(np.float64), 0.0, 1.0) * self.cap

    def to_json(self) -> dict[str, object]:
        return {"key": self.key, "cap": self.cap}


@dataclass(frozen=True, slots=True)
class ClassTarget:
    """A class as its place in `classes`, sorted texts of the training part. Unknown or empty is -1."""

    classes: tuple[str, ...]
    key = "classification"

    def encode(self, values: NDArray[np.object_]) -> NDArray[np.int64]:
        place = {name: i for i, name in enumerate(self.classes)}
        return np.array([place.get(v, -1) for v in values], dtype=np.int64)

    def to_json(self) -> dict[str, object]:
        return {"key": self.key, "classes": list(self.classes)}


Target = RegressionTarget | LifeTarget | ClassTarget | ForecastTarget


def target_from_json(stored: Mapping[str, object]) -> Target:
    """The target that `to_json` wrote."""
    kinds = {"regression": RegressionTarget, "rul": LifeTarget, "classification": ClassTarget, "forecast": ForecastTarget}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k != "key"}
    return kinds[str(stored["key"])](**values)


def class_texts(cells: pd.Series) -> NDArray[np.object_]:
    """Class names as texts: 1.0 becomes "1", empty becomes None."""
    codes, different = pd.factorize(cells)  # each value is worded once: a million rows have few classes
    if pd.api.types.is_numeric_dtype(cells):
        texts = [str(int(v)) if v == int(v) else repr(v) for v in np.asarray(different, dtype=np.float64).tolist()]
    else:
        texts = [str(v) for v in different]
    return np.array([*texts, None], dtype=object)[codes]


def remaining_life(groups: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time to the last row of each row's group, in the unit of `times`; (n_rows,) each."""
    last = np.full(int(groups.max()) + 1 if groups.size else 0, -np.inf)
    np.maximum.at(last, groups, times)
    return last[groups] - times


def life_clock(cells: pd.Series | None, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """What life is counted in, (n_rows,): the counter where the time column holds numbers, NaN where empty; else, for times
    of day or no time column (None), the number of the row within its unit, by time and from 1."""
    if cells is not None and pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    ordered = pd.Series(np.arange(len(groups))) if cells is None else cells.reset_index(drop=True)
    return ordered.groupby(groups).rank(method="first").to_numpy(dtype=np.float64)


def truth_values(table: pd.DataFrame, dataset: Dataset, target: str, task: str) -> NDArray[np.float64] | NDArray[np.object_]:
    """The target column as numbers (regression, rul) or class texts.

    Raises:
        DataProblem: a target of texts for a regression.
    """
    column = dataset.column(target)
    if task == "classification":
        return class_texts(table[target])
    if column.kind != "number":
        example = table[target].dropna().astype("str").head(1)
        raise DataProblem(
            msg("The target '{column}' holds texts such as '{example}'.", column=target, example=str(next(iter(example), ""))),
            msg("Predicting a value needs a column of numbers."),
            msg("Choose another target, or predict the class instead."),
        )
    return table[target].to_numpy(dtype=np.float64, na_value=np.nan)


def fit_target(task: str, train_truth: NDArray, cap: float | None = None, name: str = "") -> Target:
    """The encoding learned from the training part's truth.

    Raises:
        NotEnoughData: no known value, or one class only.
        DataProblem: a constant target, or more than 100 classes.
        SettingProblem: a cap that is not positive.
    """
    if task == "rul":
        return _life_target(cap)
    if task == "classification":
        return _class_target(train_truth, name)
    known = train_truth[np.isfinite(train_truth)]
    if known.size < 2:
        raise NotEnoughData(
            msg("The target '{column}' has {n} known values in the training part.", column=name, n=int(known.size)),
            msg("Expected at least 2."),
            msg("Check the target column or move the split."),
        )
    if known.std() <= 1e-12 * max(1e-300, float(np.abs(known).max())):
        raise DataProblem(
            msg("The target '{column}' is always {value} in the training part.", column=name, value=float(known[0])),
            msg("Expected a target that varies."),
            msg("Choose another target or another split."),
        )
    return RegressionTarget(float(known.mean()), float(known.std()))


def _life_target(cap: float | None) -> LifeTarget:
    value = DEFAULT_LIFE_CAP if cap is None else float(cap)
    if value <= 0:
        raise SettingProblem(
            msg("{name} is '{value}'.", name="cap", value=value),
            msg("The cap of the remaining life is a positive number."),
            msg("Choose a cap such as 125."),
        )
    return LifeTarget(value)


def _class_target(train_truth: NDArray[np.object_], name: str) -> ClassTarget:
    classes = sorted({v for v in train_truth if v is not None})
    if len(classes) < 2:
        raise NotEnoughData(
            msg(
                "The target '{column}' has only one class in the training part: {classes}.",
                column=name,
                classes=", ".join(classes) or "–",
            ),
            msg("Telling classes apart needs rows of at least two."),
            msg("Choose another target, or use another split."),
        )
    if len(classes) > MAX_CLASSES:
        raise DataProblem(
            msg("The target '{column}' has {n} different values.", column=name, n=len(classes)),
            msg("Expected at most {n} classes.", n=MAX_CLASSES),
            msg("Predict the value instead, or choose another target."),
        )
    return ClassTarget(tuple(classes))
