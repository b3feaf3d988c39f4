"""Predictors that compare a row with stored rows: support vectors and nearest neighbours. Plain NumPy, in chunks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.models.nearest import chunk_rows, nearest, squared_distances, weighted_mean
from core.models.window_statistics import window_statistics


class KernelModel:
    """Support vectors: (n, width, n_features) → (n, k), values or probabilities.

    z = (x − mean) / scale, score_s = Σ_m coefficients[m, s] exp(−reach · |z − support[m]|²) + intercept[s], output =
    score · weights + bias, and its softmax for classes.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._arrays = arrays

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        a = self._arrays
        rows = (window_statistics(windows) - a["mean"]) / a["scale"]
        return _in_chunks(rows, len(a["support"]), a["weights"].shape[1], self._outputs)

    def _outputs(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        a = self._arrays
        kernel = np.exp(-a["reach"] * squared_distances(rows, a["support"]))
        outputs = (kernel @ a["coefficients"] + a["intercept"]) @ a["weights"] + a["bias"]
        if not a["is_classes"]:
            return outputs
        grown = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True)


class NeighbourModel:
    """Nearest rows: (n, width, n_features) → (n, k), the mean value of the nearest or their share of each class."""

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._arrays = arrays

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        a = self._arrays
        rows = (window_statistics(windows) - a["mean"]) / a["scale"]
        return _in_chunks(rows, len(a["rows"]), a["outputs"].shape[1], self._outputs)

    def _outputs(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        a = self._arrays
        places, distances = nearest(rows, a["rows"], int(a["neighbours"]))
        return weighted_mean(a["outputs"][places], distances, bool(a["by_distance"]))


def _in_chunks(
    rows: NDArray[np.float64],
    n_stored: int,
    n_outputs: int,
    outputs_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Outputs (n, k) of rows (n, d), so many at once that the distances to the stored rows take at most 32 MB."""
    found, size = np.empty((len(rows), n_outputs)), chunk_rows(n_stored)
    for start in range(0, len(rows), size):
        found[start : start + size] = outputs_of(rows[start : start + size])
    return found
