"""Distances to stored rows, and what the nearest of them say. Plain NumPy, for the fit and for scoring alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELLS = 4_000_000


def squared_distances(rows: NDArray[np.float64], stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances (n, m) of rows (n, d) to stored rows (m, d): |a|² + |b|² − 2 a·b, never below 0."""
    found = (rows**2).sum(axis=1)[:, None] + (stored**2).sum(axis=1) - 2 * rows @ stored.T
    return np.maximum(found, 0.0)


def chunk_rows(n_stored: int) -> int:
    """How many rows are compared with `n_stored` rows at once, so that the distances take at most 32 MB."""
    return max(1, CELLS // max(1, n_stored))


def nearest(
    rows: NDArray[np.float64], stored: NDArray[np.float64], n_neighbours: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places (n, c) of the nearest stored rows, nearest first, and their distances (n, c), c ≤ n_neighbours.

    Distances are computed once more from differences, so that a row equal to a stored one has distance 0.
    """
    count = min(n_neighbours, len(stored))
    squares = squared_distances(rows, stored)
    places = np.argpartition(squares, count - 1, axis=1)[:, :count]
    distances = np.sqrt(((rows[:, None, :] - stored[places]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(distances, order, axis=1)


def weighted_mean(outputs: NDArray[np.float64], distances: NDArray[np.float64], by_distance: bool) -> NDArray[np.float64]:
    """The mean (n, k) of the neighbours' outputs (n, c, k), each counting the same or by 1 ÷ distance.

    Where a neighbour is the row itself (distance 0), only such neighbours count.
    """
    if not by_distance:
        return outputs.mean(axis=1)
    with np.errstate(divide="ignore"):
        weights = 1 / distances
    is_same = np.isinf(weights)
    weights = np.where(is_same.any(axis=1, keepdims=True), is_same.astype(np.float64), weights)
    return np.einsum("nc,nck->nk", weights, outputs) / weights.sum(axis=1)[:, None]
