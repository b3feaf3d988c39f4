"""Text columns as means of the target a category, shrunk towards the mean of all, and never from a row's own target.

With n training rows of a category, their mean ȳ_c, the mean ȳ of all and the smoothing m:
value = λ ȳ_c + (1 − λ) ȳ with λ = n ÷ (n + m). A new row gets the value from the whole training part. A training row gets
it from the other folds (cross-fitting), else a model would read its own answer from rare categories.
Source: Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes", ACM SIGKDD
Explorations 3(1), equations 3 and 5 to 7; folds as in scikit-learn's TargetEncoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, with_cells
from core.clean.columns.categories import looked_up, texts_of, unknown_note
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem
from core.messages import Message, msg
from core.settings import Settings, setting

Floats = NDArray[np.float64]
MAX_CLASSES = 20


class TargetSettings(Settings):
    """How much a small category is trusted."""

    smoothing: float = setting(
        20.0,
        title="Smoothing",
        help="A category with this many training rows lies half way between its own mean and that of all rows.",
        unit="rows",
        ge=0,
        le=1e6,
        expert=False,
    )
    folds: int = setting(
        5, title="Folds", help="A training row gets its value from the other folds. Groups are never torn apart.", ge=2, le=20
    )
    seed: int = setting(7, title="Seed", help="Same seed and same rows give the same folds.", ge=0, le=2**31 - 1)


@dataclass(frozen=True, slots=True)
class Codes:
    """One set of values: by column and category, and the mean of all for unknown categories; one number an output."""

    means: tuple[float, ...]
    values: Mapping[str, Mapping[str, tuple[float, ...]]]

    def cells(self, table: pd.DataFrame, name: str, output: int) -> tuple[Floats, int]:
        numbers = {category: found[output] for category, found in self.values[name].items()}
        return looked_up(table, name, numbers, self.means[output])


@dataclass(frozen=True, slots=True)
class Folds:
    """The values that training rows get, known only while training: row numbers (sorted), their folds, a set a fold."""

    rows: NDArray[np.int64]
    fold: NDArray[np.int64]
    codes: tuple[Codes, ...]


@dataclass(frozen=True, slots=True)
class FittedTarget:
    """Values learned from the whole training part; `folds` is never stored, as new rows have no part in it."""

    codes: Codes
    names: Mapping[str, tuple[str, ...]]
    folds: Folds | None = field(default=None, compare=False)
    key: str = "target_encode"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, Floats | pd.Series] = {}
        notes: list[Message] = []
        for name, outputs in self.names.items():
            n_unknown = 0
            for i, output in enumerate(outputs):
                cells[output], n_unknown = self.codes.cells(table, name, i)
            notes += unknown_note(n_unknown, name)
        result = with_cells(table, cells).drop(columns=list(self.names))
        change = Change(added_columns=tuple(cells), removed_columns=tuple(self.names), notes=tuple(notes))
        return applied(result, change)

    def apply_in_training(self, table: pd.DataFrame, rows: NDArray[np.int64]) -> Applied:
        done = self.apply(table)
        if self.folds is None or not len(self.folds.rows):
            return done
        place = np.minimum(np.searchsorted(self.folds.rows, rows), len(self.folds.rows) - 1)
        fold = np.where(self.folds.rows[place] == rows, self.folds.fold[place], -1)
        cells: dict[str, Floats | pd.Series] = {}
        for name, outputs in self.names.items():
            for i, output in enumerate(outputs):
                values = done.table[output].to_numpy(dtype=np.float64, copy=True)
                for number, codes in enumerate(self.folds.codes):
                    mine = fold == number
                    values[mine] = codes.cells(table[mine], name, i)[0]
                cells[output] = values
        return applied(with_cells(done.table, cells), done.change)

    def state(self) -> dict[str, object]:
        values = {name: {c: list(v) for c, v in found.items()} for name, found in self.codes.values.items()}
        means = [None if np.isnan(m) else m for m in self.codes.means]
        return {"means": means, "values": values, "names": {k: list(v) for k, v in self.names.items()}}


def smoothed(texts: NDArray[np.object_], targets: Floats, smoothing: float) -> dict[str, tuple[float, ...]]:
    """The value of each category: texts (n,), targets (n, n_outputs).

    Example:
        >>> smoothed(np.array(["a", "a", "b"], dtype=object), np.array([[1.0], [0.0], [1.0]]), 1.0)["b"]
        (0.8333333333333333,)
    """
    names, codes = np.unique(texts.astype(str), return_inverse=True)
    n = np.bincount(codes, minlength=len(names)).astype(np.float64)
    overall = targets.mean(axis=0) if len(targets) else np.zeros(targets.shape[1])
    sums = np.stack([np.bincount(codes, weights=column, minlength=len(names)) for column in targets.T], axis=1)
    found = (sums + smoothing * overall) / (n + smoothing)[:, None]
    return {str(name): tuple(float(v) for v in row) for name, row in zip(names, found, strict=True)}


@dataclass(frozen=True, slots=True)
class TargetEncode:
    """The mean of the target a category; one column a class for more than two classes, the later of two by name.

    The text column goes away, so that it cannot be applied twice. An unknown category gets the mean of all; an empty cell
    stays empty. With fewer training rows or groups than folds there are as many folds as they allow; with one, a training
    row gets the mean of nothing else and stays empty.
    """

    title: Message
    summary: Message
    key: str = "target_encode"
    settings: type[Settings] = TargetSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedTarget:
        chosen = TargetSettings.model_validate(settings.model_dump())
        targets, classes = target_values(train.table, keys)
        known = np.isfinite(targets).all(axis=1)
        table, targets = train.table[known], targets[known]
        fold = _folds(table, keys.group, chosen.folds, chosen.seed)
        names = [c.name for c in columns]
        taken = {str(c) for c in train.table.columns}
        words = [f"_{name}" for name in classes] if classes else ["_mean"]
        outputs = {name: tuple(free_name(f"{name}{word}", taken) for word in words) for name in names}
        everything = _codes(table, names, targets, chosen.smoothing)
        parts = tuple(
            _codes(table[fold != f], names, targets[fold != f], chosen.smoothing) for f in range(int(fold.max(initial=-1)) + 1)
        )
        rows = _row_numbers(table)
        order = np.argsort(rows, kind="stable")
        return FittedTarget(everything, outputs, Folds(rows[order], fold[order], parts))

    def restore(self, state: Mapping[str, object]) -> FittedTarget:
        stored: Any = state
        values = {name: {c: tuple(v) for c, v in found.items()} for name, found in stored["values"].items()}
        means = tuple(np.nan if m is None else m for m in stored["means"])
        return FittedTarget(Codes(means, values), {k: tuple(v) for k, v in stored["names"].items()})


def _row_numbers(table: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(table.index.to_numpy(), dtype=np.int64)


def _codes(table: pd.DataFrame, names: list[str], targets: Floats, smoothing: float) -> Codes:
    values = {}
    for name in names:
        texts, empty = texts_of(table, name)
        values[name] = smoothed(texts[~empty], targets[~empty], smoothing) if len(table) else {}
    means = targets.mean(axis=0) if len(targets) else np.full(targets.shape[1], np.nan)
    return Codes(tuple(float(m) for m in means), values)


def _folds(table: pd.DataFrame, group: str | None, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, (n,): whole groups where there are at least two, else single rows; shuffled."""
    rng = np.random.default_rng(seed)
    codes = np.arange(len(table))
    if group is not None:
        by_group = pd.factorize(table[group], use_na_sentinel=False)[0]
        codes = by_group if by_group.max(initial=-1) > 0 else codes
    n = int(codes.max(initial=-1)) + 1
    return np.asarray((rng.permutation(n) % min(folds, max(n, 1)))[codes] if n else codes, dtype=np.int64)


def target_values(table: pd.DataFrame, keys: RowKeys) -> tuple[Floats, tuple[str, ...]]:
    """What a step may learn from, (n, n_outputs), NaN where unknown: the number, or 0/1 a class; and the classes' names.

    Two classes give one output, the later by name.

    Raises:
        SettingProblem: the dataset has no target, or it must not be learned from.
        DataProblem: more than 20 classes.
    """
    if keys.target is None:
        raise SettingProblem(
            msg("The step learns from the column to predict, and there is none."),
            msg("Expected a column with the role 'target', and a question that predicts it."),
            msg("Give a column the role 'target', or take the step out."),
        )
    cells = table[keys.target]
    if pd.api.types.is_numeric_dtype(cells):
        values = np.asarray(cells.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.where(np.isfinite(values), values, np.nan)[:, None], ()
    texts, empty = texts_of(table, keys.target)
    classes = sorted(set(texts[~empty]))
    if len(classes) > MAX_CLASSES:
        raise DataProblem(
            msg("The target '{column}' has {n} different texts.", column=keys.target, n=len(classes)),
            msg("Expected at most {n} classes.", n=MAX_CLASSES),
            msg("Take the step out, or choose another target."),
            column=keys.target,
        )
    shown = classes[1:] if len(classes) == 2 else classes
    hot = (texts[:, None] == np.array(shown, dtype=object)[None, :]).astype(np.float64)
    hot[empty] = np.nan
    return hot, tuple(shown)


TARGET_ENCODE = TargetEncode(
    msg("Turn categories into means of the target"),
    msg(
        "Each category becomes the mean of the column to predict, for columns with many categories. Training rows never see their own."
    ),
)
