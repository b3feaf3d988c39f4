"""Distances between the shapes of windows: each sensor at mean 0 and length 1, so that a dot product is a correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.nearest import chunk_rows

FLAT = 1e-6
"""A sensor whose standard deviation in a window is below this (in training standard deviations) stands still: no shape."""


def unit_shapes(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, window_rows, n_features) → (n_features, n, window_rows), each of mean 0 and length 1; 0 throughout where flat."""
    values = np.ascontiguousarray(np.moveaxis(np.asarray(windows, dtype=np.float64), 2, 0))
    values -= values.mean(axis=2, keepdims=True)
    length = np.sqrt((values**2).sum(axis=2, keepdims=True))
    is_flat = length <= FLAT * np.sqrt(values.shape[2])
    return np.where(is_flat, 0.0, values / np.where(is_flat, 1.0, length))


def shape_distances(shapes: NDArray[np.float64], windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared distance (n, n_features) of each sensor's window to the most similar stored shape.

    With w rows and correlation r: 2w(1 − r); two flat windows: 0; a flat one and another: w, as in stumpy.
    """
    own, width = unit_shapes(windows), shapes.shape[2]
    found = np.empty((own.shape[1], own.shape[0]))
    size = chunk_rows(shapes.shape[1])
    for j, (asked, stored) in enumerate(zip(own, shapes, strict=True)):
        has_flat = bool((~stored.any(axis=1)).any())
        is_flat = ~asked.any(axis=1)
        for start in range(0, len(asked), size):
            part = slice(start, start + size)
            best = (asked[part] @ stored.T).max(axis=1)
            found[part, j] = 2 * width * np.maximum(1 - best, 0.0)
        if has_flat:  # the flat one stands at distance w from every shape
            found[:, j] = np.minimum(found[:, j], width)
        found[is_flat, j] = 0.0 if has_flat else width
    return found
