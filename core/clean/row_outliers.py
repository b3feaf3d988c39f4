"""Odd rows over several columns: what all methods share that give a row one score.

A method learns from finite, comparable numbers and gives scores, higher = odder. Empty cells count as the training
median, so that a row without any value scores like the middle of the data. A row is odd when its score > threshold.
Clipping is not offered: there is no value of one column at which a row stops being odd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import names_of, numbers
from core.clean.outliers import marked
from core.clean.scaling import centre_and_scale
from core.clean.step import FILE_ORDER, Applied, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

RowAction: TypeAlias = Literal["flag", "set_missing", "drop_rows", "real_event"]
ROW_ACTION_HELP = (
    "Flag only marks; set missing empties the row's chosen cells; drop rows leaves it out; "
    "real event keeps the values and labels the row."
)
SMALLEST_ROWS = 3
_SEED = 7
_LARGEST = float(np.finfo(np.float32).max)


class RowOutlierSettings(Settings):
    """How many rows may be marked, and of how many the method learns."""

    share: float = setting(
        0.01, title="Share of rows", help="At most this share of training rows is marked as odd.", gt=0, le=0.5, expert=False
    )
    action: RowAction = setting("flag", title="What to do", help=ROW_ACTION_HELP, expert=False)
    rows: int = setting(
        1000,
        title="Reference rows",
        help="Training rows drawn at random that new rows are compared with; they are kept in the model.",
        unit="rows",
        ge=20,
        le=5000,
    )


class Detector(Protocol):
    """A method that has learned. `scores` takes (n_rows, n_columns) and judges each row on its own; `state` is JSON."""

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def state(self) -> dict[str, object]: ...


Learn: TypeAlias = Callable[[NDArray[np.float64], Settings], tuple[Detector, float | None]]
Read: TypeAlias = Callable[[Mapping[str, Any]], Detector]


@dataclass(frozen=True, slots=True)
class FittedRowOutliers:
    """A detector with its threshold. `centres` and `scales` make columns comparable; no detector: nothing is marked."""

    key: str
    columns: tuple[str, ...]
    medians: tuple[float, ...]
    scales: tuple[tuple[float, float], ...]
    detector: Detector | None
    threshold: float
    action: RowAction
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        values = {name: numbers(table, name) for name in self.columns}
        if self.detector is None:
            return nothing_marked(table, self.action)
        odd = self.detector.scores(comparable(completed(values, self.medians), self.scales)) > self.threshold
        return mark_rows(table, self.action, values, odd)

    def state(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "medians": list(self.medians),
            "scales": [list(s) for s in self.scales],
            "detector": None if self.detector is None else self.detector.state(),
            "threshold": self.threshold,
            "action": self.action,
        }

    def learned(self) -> tuple[Message, ...]:
        if self.detector is None:
            return ()
        return (msg("a row is odd when its score is above {threshold}", threshold=self.threshold),)


def nothing_marked(table: pd.DataFrame, action: RowAction) -> Applied:
    """The outcome where the training part gave no detector."""
    note = msg("Nothing is marked: the training part has too few rows or columns that vary.")
    return marked(table, action, {}, {}, (note,))


def mark_rows(
    table: pd.DataFrame, action: RowAction, values: Mapping[str, NDArray[np.float64]], odd: NDArray[np.bool_]
) -> Applied:
    """Carry out the action on the odd rows, (n_rows,) bool; an empty cell of an odd row is no outlier."""
    outlying = {name: odd & ~np.isnan(cells) for name, cells in values.items()}
    outlying = {name: mask for name, mask in outlying.items() if mask.any()}
    emptied = {name: np.where(mask, np.nan, values[name]) for name, mask in outlying.items()}
    return marked(table, action, emptied, outlying)


def completed(values: Mapping[str, NDArray[np.float64]], medians: tuple[float, ...]) -> NDArray[np.float64]:
    """(n_rows, n_columns) with training medians in empty cells, and ±infinity as the largest float32."""
    columns = [np.where(np.isnan(v), m, np.clip(v, -_LARGEST, _LARGEST)) for v, m in zip(values.values(), medians, strict=True)]
    return np.column_stack(columns)


def training_values(train: TrainPart, columns: tuple[Column, ...]) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """The medians of the finite training cells (0 where there are none), and the training rows completed with them.

    ±infinity of the training part counts as empty: nothing is learned from it.
    """
    found = {c.name: numbers(train.table, c.name) for c in columns}
    known = {k: np.where(np.isfinite(v), v, np.nan) for k, v in found.items()}
    medians = tuple(float(np.nanmedian(v)) if not np.isnan(v).all() else 0.0 for v in known.values())
    return medians, completed(known, medians) if known else np.empty((len(train.table), 0))


def comparable(values: NDArray[np.float64], scales: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Each column less its centre, divided by its scale."""
    centre, scale = np.array(scales).T
    return np.asarray((values - centre) / scale)


def drawn(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """All rows, or `n` of them drawn at random with a fixed seed, in their order."""
    if len(values) <= n:
        return values
    return values[np.sort(np.random.default_rng(_SEED).choice(len(values), n, replace=False))]


def threshold_at(scores: NDArray[np.float64], share: float) -> float:
    """The smallest score that at most this share of rows exceeds."""
    return float(np.quantile(scores, 1 - share, method="higher"))


@dataclass(frozen=True, slots=True)
class RowOutliers:
    """One method for odd rows.

    Needs three training rows and a column that varies; else nothing is marked, with a note. Columns are made
    comparable by median and middle half (by mean and spread where the middle half has no width). `learn` gets the
    drawn training rows and gives a detector, and a threshold where the method has its own.
    """

    key: str
    title: Message
    summary: Message
    learn: Learn
    read: Read
    settings: type[Settings] = RowOutlierSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedRowOutliers:
        medians, values = training_values(train, columns)
        chosen = settings.model_dump()
        scales = tuple(_scale_of(values[:, i]) for i in range(values.shape[1]))
        names, action = names_of(columns), chosen["action"]
        if len(values) < SMALLEST_ROWS or not values.size or not (np.ptp(values, axis=0) > 0).any():
            return FittedRowOutliers(self.key, names, medians, scales, None, 0.0, action)
        rows = drawn(comparable(values, scales), chosen["rows"])
        detector, limit = self.learn(rows, settings)
        threshold = threshold_at(detector.scores(rows), chosen["share"]) if limit is None else limit
        return FittedRowOutliers(self.key, names, medians, scales, detector, threshold, action)

    def restore(self, state: Mapping[str, object]) -> FittedRowOutliers:
        s: Mapping[str, Any] = state
        return FittedRowOutliers(
            self.key,
            tuple(s["columns"]),
            tuple(s["medians"]),
            tuple((v[0], v[1]) for v in s["scales"]),
            None if s["detector"] is None else self.read(s["detector"]),
            s["threshold"],
            s["action"],
        )


def _scale_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median and middle half; mean and standard deviation where that half has no width; 0 and 1 without rows."""
    if not len(values):
        return 0.0, 1.0
    robust = centre_and_scale(values, "robust")
    if robust is None or robust[1] == 1.0:  # 1.0 stands for a middle half without width
        robust = centre_and_scale(values, "standard")
    return robust or (0.0, 1.0)
