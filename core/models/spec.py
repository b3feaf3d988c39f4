"""What a model family is: one frozen spec a file, one line in the catalogue of `core/models/__init__.py`.

Importing a family never loads TensorFlow; `build` does. Baselines are families too: their `fit` gives arrays that
`core/serving/predictors.py` replays in NumPy or ONNX Runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.messages import Message
from core.settings import Settings

Task = Literal["regression", "classification", "anomaly", "rul"]
TASKS: tuple[Task, ...] = ("regression", "classification", "anomaly", "rul")
Engine = Literal["keras", "arrays", "onnx"]
Role = Literal["baseline", "network"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network sees and gives: windows (n_windows, window_rows, n_features) → (n_windows, n_outputs)."""

    window_rows: int
    n_features: int
    n_outputs: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Before the start: weights, bytes at the peak of training, seconds an epoch on two cores."""

    n_parameters: int
    memory_bytes: int
    epoch_seconds: float


class NetworkSpec(Protocol):
    """A Keras family. `build` imports TensorFlow inside; the model is not compiled."""

    key: str
    title: Message
    summary: Message
    source: str
    role: Role
    engine: Engine
    tasks: tuple[Task, ...]
    windowed: bool
    settings: type[Settings]
    smallest_rows: int

    def count_parameters(self, settings: Settings, shape: Shape) -> int: ...

    def build(self, settings: Settings, shape: Shape, task: Task) -> Any: ...


@dataclass(frozen=True, slots=True)
class FittedArrays:
    """A baseline after its fit: named arrays for npz, or ONNX bytes. Exactly one of the two is filled."""

    kind: str
    arrays: dict[str, NDArray[np.float64]]
    onnx: bytes = b""


class BaselineSpec(Protocol):
    """A shallow family, fitted within seconds on flattened windows or plain rows."""

    key: str
    title: Message
    summary: Message
    source: str
    role: Role
    engine: Engine
    tasks: tuple[Task, ...]
    windowed: bool
    settings: type[Settings]
    smallest_rows: int

    def fit(self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: Settings, seed: int) -> FittedArrays: ...
