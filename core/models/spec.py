"""What a model family is: one frozen spec a file, one line in the catalogue of `core/models/__init__.py`.

Importing a family never loads TensorFlow; `build` does. Baselines are families too: their `fit` gives arrays that
`core/serving/predictors.py` replays in NumPy or ONNX Runtime. `windowed` says that the family looks at the order of
rows within a window; where it is False the usual window is one row, though any width of `smallest_rows` or more works. A family
with `reads_text = True` also gets a column of free text, as token numbers in front of the other values of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.messages import Message
from core.settings import Settings

Task = Literal["regression", "classification", "anomaly", "rul", "forecast"]
TASKS: tuple[Task, ...] = ("regression", "classification", "anomaly", "rul", "forecast")
Engine = Literal["keras", "arrays", "onnx"]
Kind = Literal[
    "linear",
    "logistic",
    "pca",
    "onnx",
    "kernel",
    "neighbours",
    "minirocket",
    "minirocket_classes",
    "neighbour_distance",
    "centre_distance",
    "local_density",
    "tails",
    "surface",
    "matrix_profile",
    "combined",
    "bag_of_words",
    "earlier",
]
Role = Literal["baseline", "network"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network sees and gives: windows (n_windows, window_rows, n_features) → (n_windows, n_outputs).

    An autoencoder gives its windows back, (n_windows, window_rows, n_features), and ignores `n_outputs`. For a text family
    the first `n_tokens` of the n_features values of a row are token numbers below `n_words`.
    """

    window_rows: int
    n_features: int
    n_outputs: int
    n_tokens: int = 0
    n_words: int = 0

    @property
    def n_others(self) -> int:
        """Values of a row that are no token numbers."""
        return self.n_features - self.n_tokens


@dataclass(frozen=True, slots=True)
class Estimate:
    """Before the start: weights, bytes at the peak of training, seconds an epoch on two cores."""

    n_parameters: int
    memory_bytes: int
    epoch_seconds: float


class Family(Protocol):
    """What every family says of itself. `settings` is the class of its settings; `smallest_rows` the narrowest window."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> Message: ...

    @property
    def summary(self) -> Message: ...

    @property
    def source(self) -> str: ...

    @property
    def role(self) -> Role: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def tasks(self) -> tuple[Task, ...]: ...

    @property
    def windowed(self) -> bool: ...

    @property
    def settings(self) -> type[Settings]: ...

    @property
    def smallest_rows(self) -> int: ...


class NetworkSpec(Family, Protocol):
    """A Keras family. `build` imports TensorFlow inside; the model is not compiled.

    `shares_weights` says that the same weights work on every row of the window, so that a wider window costs time
    but no weights.
    """

    @property
    def shares_weights(self) -> bool: ...

    def count_parameters(self, settings: Any, shape: Shape) -> int: ...

    def build(self, settings: Any, shape: Shape, task: Task) -> Any: ...


@dataclass(frozen=True, slots=True)
class FittedArrays:
    """A shallow family after its fit: named arrays for npz, or ONNX bytes. Exactly one of the two is filled.

    linear: weights (d, k), bias (k,): x·weights + bias. logistic: the same, then softmax over the k classes.
    pca: mean (d,), scale (d,), loadings (d, c), eigenvalues (c,), t2_limit (), spe_limit (): z = (x − mean) / scale,
    t = z·loadings, T² = Σ t²/eigenvalues, SPE = Σ z² − Σ t². minirocket: the arrays of `RandomKernels`, then weights and bias
    on their features; minirocket_classes: the same, then softmax. onnx: input "windows" float32 (n, d), output "score" (n, 1),
    or (n, k) class probabilities. kernel, neighbours: see `core/serving/shallow.py`; neighbour_distance to surface: see
    `core/models/detectors.py`; matrix_profile: shapes (n_features, m, window_rows); combined: the arrays of its members
    as "member.array", with those of `core/models/rarity.py`; bag_of_words: see `core/models/bags.py`; earlier: is_season (),
    which of the window's values are repeated.

    `files` lie beside the model for people who go on with it elsewhere; scoring never opens them. `notes` say what a
    reader of the result has to know of the fit. `facts` are plain numbers of it for the manifest.
    """

    kind: Kind
    arrays: dict[str, NDArray[np.float64]]
    onnx: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)


class BaselineSpec(Family, Protocol):
    """A shallow family, fitted within seconds or minutes on window statistics or plain rows.

    One whose cost is not that of a few passes over its rows has a `fit_estimate`, as `TableSpec` has.
    """

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: Any, seed: int
    ) -> FittedArrays: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a family that answers several tasks has to know beside the numbers.

    `n_classes` is the number of classes of the training part, 0 where none are asked for; a class without rows among
    those given gets probability 0. `folds` (n,) numbers the part of each row from 0: stretches of time where the split
    is by time, whole groups where it is by group (`core/models/folds.py`); None: parts may be drawn at random.
    """

    task: Task
    n_classes: int = 0
    folds: NDArray[np.int64] | None = None

    @property
    def is_classes(self) -> bool:
        return self.task == "classification"


class TableSpec(Family, Protocol):
    """A shallow family that answers several tasks, fitted on window statistics or plain rows.

    `fit_estimate` gives values kept, bytes at the peak and seconds of the whole fit.
    """

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: Any,
        seed: int,
        question: Question,
    ) -> FittedArrays: ...

    def fit_estimate(self, settings: Any, shape: Shape, n_windows: int) -> Estimate: ...


class SequenceSpec(Family, Protocol):
    """A shallow family that is fitted on the windows themselves, in their order, and not on their statistics.

    windows float32 (n, window_rows, n_features), targets (n,), class codes for a classification, None for anomalies.
    `fit_estimate` gives the weights, bytes at the peak and seconds of the whole fit.
    """

    def fit_windows(
        self,
        windows: NDArray[np.floating],
        targets: NDArray[np.float64] | None,
        settings: Any,
        shape: Shape,
        task: Task,
        seed: int,
    ) -> FittedArrays: ...

    def fit_estimate(self, settings: Any, shape: Shape, n_windows: int) -> Estimate: ...
