"""Scores of shallow detectors from their arrays, in plain NumPy: one function a kind, for the fit and for scoring alike.

Each takes the arrays of a fit and rows (n, d), window statistics or plain rows in the inputs' own units, and gives
(n, 1 + p): the score, higher = odder, then the part of each of p = d columns in it (p = 0 where a kind has none).
Parts are never negative; their shares are what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.features.pca import PcaModel, score_pca
from core.models.nearest import CELLS, chunk_rows, nearest, squared_distances
from core.models.tails import tail_parts

Floats = NDArray[np.float64]
Arrays = Mapping[str, Floats]
TINY = 1e-10
"""What scikit-learn adds to a mean reachability distance, so that rows that repeat have a finite density."""


def pca_scores(arrays: Arrays, rows: Floats) -> Floats:
    """T² ÷ its limit or SPE ÷ its limit, whichever is larger, with the columns' parts; see `core.features.pca`."""
    found = score_pca(PcaModel.from_arrays(arrays), rows)
    return np.column_stack([found.score, found.contributions])


def neighbour_scores(arrays: Arrays, rows: Floats) -> Floats:
    """Distance to the nearest stored rows: the farthest of `neighbours`, or their mean where `is_mean` is 1.

    z = (x − mean) / scale. Parts: squared differences to the neighbours, a column each, averaged over them.
    """
    z, stored = _scaled(arrays, rows), arrays["rows"]
    places, distances = nearest(z, stored, int(arrays["neighbours"]))
    score = distances.mean(axis=1) if arrays["is_mean"] else distances[:, -1]
    return np.column_stack([score, ((z[:, None, :] - stored[places]) ** 2).mean(axis=1)])


def centre_scores(arrays: Arrays, rows: Floats) -> Floats:
    """Distance to the nearest of the centres (k, d), with the squared difference of each column."""
    z, centres = _scaled(arrays, rows), arrays["centres"]
    nearest_centre = centres[squared_distances(z, centres).argmin(axis=1)]
    parts = (z - nearest_centre) ** 2
    return np.column_stack([np.sqrt(parts.sum(axis=1)), parts])


def density_scores(arrays: Arrays, rows: Floats) -> Floats:
    """Local outlier factor: density of the nearest stored rows ÷ density around the row; 1 is as dense as around them.

    Reachability of a from b: max(distance, b's own distance to its k-th neighbour); density: 1 ÷ mean reachability.
    Parts: squared differences to the neighbours. Source: Breunig, Kriegel, Ng, Sander (2000), SIGMOD, definitions 5 to 7.
    """
    z, stored = _scaled(arrays, rows), arrays["rows"]
    places, distances = nearest(z, stored, int(arrays["neighbours"]))
    reach = np.maximum(distances, arrays["reach"][places])
    density = 1 / (reach.mean(axis=1) + TINY)
    score = (arrays["density"][places] / density[:, None]).mean(axis=1)
    return np.column_stack([score, ((z[:, None, :] - stored[places]) ** 2).mean(axis=1)])


def tail_scores(arrays: Arrays, rows: Floats) -> Floats:
    """ECOD, or COPOD where `is_copula` is 1: the sum over columns of how far out in its tails each value lies."""
    parts = tail_parts(arrays["sorted"], arrays["moments"], rows, is_copula=bool(arrays["is_copula"]))
    return np.column_stack([parts.sum(axis=1), parts])


def surface_scores(arrays: Arrays, rows: Floats) -> Floats:
    """One-class support vectors: offset − Σ coefficient · exp(−reach · |z − support|²); above 0 is outside. No parts."""
    kernel = np.exp(-arrays["reach"] * squared_distances(_scaled(arrays, rows), arrays["support"]))
    return (arrays["offset"] - kernel @ arrays["coefficients"])[:, None]


def _scaled(arrays: Arrays, rows: Floats) -> Floats:
    return (rows - arrays["mean"]) / arrays["scale"]


DETECTORS: dict[str, Callable[[Arrays, Floats], Floats]] = {
    "pca": pca_scores,
    "neighbour_distance": neighbour_scores,
    "centre_distance": centre_scores,
    "local_density": density_scores,
    "tails": tail_scores,
    "surface": surface_scores,
}


def detector_scores(kind: str, arrays: Arrays, rows: Floats) -> Floats:
    """The same in chunks, so that distances and differences take some tens of megabytes."""
    stored = next((arrays[name] for name in ("rows", "support", "centres") if name in arrays), np.empty((1, 1)))
    differences = max(1, CELLS // (int(arrays.get("neighbours", np.array(1.0))) * max(1, rows.shape[1])))
    size = max(1, min(chunk_rows(len(stored)), differences))
    parts = [DETECTORS[kind](arrays, rows[start : start + size]) for start in range(0, len(rows), size)]
    return np.concatenate(parts) if parts else np.empty((0, 1))
