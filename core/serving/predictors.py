"""A fitted model as something that maps windows to outputs: ONNX Runtime for networks, NumPy for the rest.

Every predictor takes float32 (n, width, n_features) and returns float64; shapes are given with each class. Batches
are cut into chunks of 256 windows, which is several times faster on a CPU than one large call.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.features.targets import Target
from core.models.detectors import DETECTORS
from core.models.random_kernels import RandomKernels, kernel_features
from core.models.spec import FittedArrays
from core.models.window_statistics import window_statistics
from core.serving.detectors import CombinedDetector, ProfileDetector, RowDetector
from core.serving.own_past import EarlierValues, of_forecast
from core.serving.shallow import KernelModel, NeighbourModel
from core.serving.texts import BagModel

CHUNK = 256
KERNEL_CHUNK = 4096


class Predictor(Protocol):
    """Windows (n, width, n_features) → outputs (n, …)."""

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]: ...


class OnnxNetwork:
    """A network: (n, width, n_features) → (n, n_outputs), or (n, width, n_features) for an autoencoder."""

    def __init__(self, source: Path | bytes, threads: int = 1) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        data = source if isinstance(source, bytes) else source.read_bytes()
        self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """One call, as it is."""
        return self._session.run([self._output], {self._input: windows})[0]

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        parts = [self.run(windows[i : i + CHUNK]) for i in range(0, len(windows), CHUNK)]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty((0, 1))


class LinearModel:
    """Window statistics (n, d) @ weights (d, k) + bias → (n, k)."""

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._weights, self._bias = arrays["weights"], arrays["bias"]

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        return window_statistics(windows) @ self._weights + self._bias


class LogisticModel(LinearModel):
    """The softmax of a linear model: (n, n_classes) that sum to one."""

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        return _softmax(super().predict(windows))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


class RandomKernelModel:
    """MiniRocket: the features of its kernels (n, d) @ weights (d, k) + bias → (n, k)."""

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._kernels = RandomKernels.from_arrays(arrays)
        self._weights, self._bias = arrays["weights"], arrays["bias"]

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        found = np.empty((len(windows), len(self._bias)))
        for start in range(0, len(windows), KERNEL_CHUNK):
            part = slice(start, start + KERNEL_CHUNK)
            found[part] = kernel_features(self._kernels, windows[part]) @ self._weights + self._bias
        return found


class RandomKernelClasses(RandomKernelModel):
    """Its softmax: (n, n_classes) that sum to one."""

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        return _softmax(super().predict(windows))


class OnnxDetector:
    """A shallow detector on window statistics: (n, 1), higher = odder."""

    def __init__(self, data: bytes) -> None:
        self._network = OnnxNetwork(data)

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        statistics = window_statistics(windows).astype(np.float32)
        parts = [np.asarray(self._network.run(statistics[i : i + 4096])) for i in range(0, len(statistics), 4096)]
        return np.concatenate(parts).reshape(len(statistics), -1).astype(np.float64)


class Ensemble:
    """The weighted average of the outputs of several predictors on the same windows: (n, width, n_features) → (n, k).

    Each member has its share and what it reads of the window: its last rows, which are the window of a narrower model, and the
    values behind those that it does not know, token numbers of free text. Source: Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble selection from libraries of models, ICML 2004.
    """

    def __init__(self, members: Sequence[tuple[Predictor, float, int, int]]) -> None:
        self._members = tuple(members)

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        parts = [
            weight * predictor.predict(np.ascontiguousarray(windows[:, -width:, skipped:])).reshape(len(windows), -1)
            for predictor, weight, width, skipped in self._members
        ]
        return np.sum(parts, axis=0)


def make_predictor(kind: str, folder: Path, stem: str = "model") -> Predictor:
    """The predictor of a bundle folder, by the manifest's `predictor` key; its files are named `stem`."""
    if kind == "network":
        return OnnxNetwork(folder / f"{stem}.onnx")
    if kind == "onnx":
        return OnnxDetector((folder / f"{stem}.onnx").read_bytes())
    return _of_arrays(kind, read_arrays(folder / f"{stem}.npz"))


def make_ensemble(members: Sequence[tuple[str, float, int, int]], folder: Path, target: Target | None = None) -> Ensemble:
    """The ensemble of a bundle folder: (kind, share, width, values skipped) of each member, whose files are `member<place>`."""
    found = [
        (of_forecast(make_predictor(kind, folder, f"member{i}"), kind, target), weight, width, skipped)
        for i, (kind, weight, width, skipped) in enumerate(members)
    ]
    return Ensemble(found)


def predictor_of(fitted: FittedArrays, target: Target | None = None) -> Predictor:
    """The predictor of a shallow family that was just fitted, without a file."""
    found = OnnxDetector(fitted.onnx) if fitted.kind == "onnx" else _of_arrays(fitted.kind, fitted.arrays)
    return of_forecast(found, fitted.kind, target)


def _of_arrays(kind: str, arrays: dict[str, NDArray[np.float64]]) -> Predictor:
    if kind in DETECTORS:
        return RowDetector(kind, arrays)
    classes: dict[str, Any] = {"linear": LinearModel, "logistic": LogisticModel}
    classes |= {"combined": CombinedDetector, "matrix_profile": ProfileDetector}
    classes |= {"earlier": EarlierValues}
    classes |= {"kernel": KernelModel, "neighbours": NeighbourModel}
    classes |= {"bag_of_words": BagModel}
    classes |= {"minirocket": RandomKernelModel, "minirocket_classes": RandomKernelClasses}
    found: Predictor = classes[kind](arrays)
    return found


def read_arrays(path: Path) -> dict[str, NDArray[np.float64]]:
    """The arrays of an npz file; pickled objects are refused by NumPy."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
