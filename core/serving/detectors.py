"""Shallow detectors at scoring time: windows → score and parts, in NumPy, without the library that fitted them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.combined import MEMBERS
from core.models.detectors import detector_scores
from core.models.rarity import combined_scores, rarity
from core.models.shapes import shape_distances
from core.models.window_statistics import window_statistics

KINDS: dict[str, str] = {
    "pca_t2_spe": "pca",
    "knn_distance": "neighbour_distance",
    "kmeans_distance": "centre_distance",
    "ecod": "tails",
    "copod": "tails",
    "lof": "local_density",
}
"""The predictor of each member of a combination."""


class RowDetector:
    """One detector on window statistics: (n, width, n_features) → (n, 1 + p), score and parts; `core.models.detectors`."""

    def __init__(self, kind: str, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._kind, self._arrays = kind, arrays

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        return detector_scores(self._kind, self._arrays, window_statistics(windows))


class CombinedDetector:
    """Several of them: (n, 1 + d), the combined rarity, and each statistic's part in it, the members' parts added up.

    A member's parts are brought to the sum of its rarity first, so that no unit counts more than another.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._is_maximum = bool(arrays["is_maximum"])
        self._members = {key: _of(arrays, key) for key in MEMBERS if f"{key}.ranks" in arrays}

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = window_statistics(windows)
        rarities, parts = np.empty((len(rows), len(self._members))), np.zeros_like(rows)
        found = [detector_scores(KINDS[key], arrays, rows) for key, arrays in self._members.items()]
        for i, (said, arrays) in enumerate(zip(found, self._members.values(), strict=True)):
            rarities[:, i] = rarity(arrays, said[:, 0])
        counts = rarities == rarities.max(axis=1, keepdims=True) if self._is_maximum else np.ones_like(rarities)
        for i, said in enumerate(found):
            total = said[:, 1:].sum(axis=1)
            weight = np.divide(rarities[:, i] * counts[:, i], total, out=np.zeros_like(total), where=total > 0)
            parts += said[:, 1:] * weight[:, None]
        return np.column_stack([combined_scores(rarities, self._is_maximum), parts])


class ProfileDetector:
    """Matrix profile: (n, width, n_features) → (n, 1 + n_features).

    The score is the root of the mean squared distance over sensors, each to its own most similar shape; parts are the
    squared distances.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._shapes = arrays["shapes"]

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        parts = shape_distances(self._shapes, windows)
        return np.column_stack([np.sqrt(parts.mean(axis=1)), parts])


def _of(arrays: dict[str, NDArray[np.float64]], key: str) -> dict[str, NDArray[np.float64]]:
    start = f"{key}."
    return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
