"""Bag of words at scoring time: terms of the window's last row, and a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.bags import Terms

CHUNK = 20_000


class BagModel:
    """(n, width, n_features), token numbers in front of each row → (n, k): values, or probabilities that sum to one."""

    def __init__(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        self._terms = Terms.from_arrays(arrays)
        self._weights, self._bias = arrays["weights"], arrays["bias"]
        self._is_classes = bool(arrays["is_classes"])

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        outputs = np.empty((len(windows), len(self._bias)))
        for start in range(0, len(windows), CHUNK):
            part = slice(start, start + CHUNK)
            outputs[part] = self._terms.matrix(windows[part]) @ self._weights + self._bias
        if not self._is_classes:
            return outputs
        grown = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True)
