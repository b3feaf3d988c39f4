"""Odd rows by their neighbourhood: distance to the k nearest rows, local density, clusters.

New rows are compared with reference rows of the training part. A row that equals a reference row leaves that one out,
so that a training row is judged by the others, as in the published methods, and not by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clean.arrays import pack, unpack
from core.clean.row_outliers import RowOutliers, RowOutlierSettings, threshold_at
from core.messages import msg
from core.settings import Settings, setting


class NeighbourSettings(RowOutlierSettings):
    """How many rows are a neighbourhood."""

    neighbours: int = setting(
        20, title="Neighbours", help="How many nearest reference rows are looked at.", unit="rows", ge=1, le=200
    )


class ClusterSettings(RowOutlierSettings):
    """What counts as a cluster."""

    neighbours: int = setting(
        10,
        title="Neighbours",
        help="Rows within the radius, itself included, that make a row part of a cluster's core.",
        ge=2,
        le=200,
    )
    radius: float | None = setting(
        None,
        title="Radius",
        help="In widths of the middle half of each column. Empty: chosen so that the share of rows lies further apart.",
        gt=0,
        le=1e6,
    )


def nearest(
    values: NDArray[np.float64], reference: NDArray[np.float64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances and places, both (n_rows, k), of the k nearest reference rows but one equal to the row itself.

    `k` is cut to what the reference has, leaving one out.
    """
    from scipy.spatial import cKDTree

    k = min(k, len(reference) - 1)
    distance, place = cKDTree(reference).query(values, k=k + 1)
    itself = distance[:, 0] == 0
    first = np.where(itself, 1, 0)[:, None] + np.arange(k)
    return np.take_along_axis(distance, first, 1), np.take_along_axis(place, first, 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class FarRows:
    """Distance to the k-th nearest reference row (Ramaswamy, Rastogi, Shim, SIGMOD 2000)."""

    reference: NDArray[np.float64]
    k: int

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(nearest(values, self.reference, self.k)[0][:, -1])

    def state(self) -> dict[str, object]:
        return {"reference": pack(self.reference), "k": self.k}


@dataclass(frozen=True, slots=True)
class SparseRows:
    """Local outlier factor (Breunig, Kriegel, Ng, Sander, SIGMOD 2000): how much sparser a row lies than its neighbours.

    `reach` and `density` (n_reference,) are each reference row's distance to its k-th neighbour and its local
    reachability density. About 1 is as dense as around; higher is odder.
    """

    reference: NDArray[np.float64]
    k: int
    reach: NDArray[np.float64]
    density: NDArray[np.float64]

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        distance, place = nearest(values, self.reference, self.k)
        return np.asarray(self.density[place].mean(axis=1) / _density(distance, self.reach[place]))

    def state(self) -> dict[str, object]:
        return {"reference": pack(self.reference), "k": self.k, "reach": pack(self.reach), "density": pack(self.density)}


def _density(distance: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    """Local reachability density, definition 6 of the paper; 1e-10 keeps it finite where rows repeat (as scikit-learn)."""
    return np.asarray(1.0 / (np.maximum(distance, reach).mean(axis=1) + 1e-10))


@dataclass(frozen=True, slots=True)
class FarFromClusters:
    """Distance to the nearest core row of a cluster (Ester, Kriegel, Sander, Xu, KDD 1996); above the radius: noise."""

    cores: NDArray[np.float64]

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.spatial import cKDTree

        return np.asarray(cKDTree(self.cores).query(values, k=1)[0], dtype=np.float64)

    def state(self) -> dict[str, object]:
        return {"cores": pack(self.cores)}


def _learn_far(rows: NDArray[np.float64], settings: Settings) -> tuple[FarRows, None]:
    return FarRows(rows, NeighbourSettings.model_validate(settings.model_dump()).neighbours), None


def _learn_sparse(rows: NDArray[np.float64], settings: Settings) -> tuple[SparseRows, None]:
    k = NeighbourSettings.model_validate(settings.model_dump()).neighbours
    distance, place = nearest(rows, rows, k)
    reach = distance[:, -1]
    return SparseRows(rows, k, reach, _density(distance, reach[place])), None


def _learn_clusters(rows: NDArray[np.float64], settings: Settings) -> tuple[FarFromClusters, float]:
    """scikit-learn's DBSCAN finds the core rows.

    Without a radius it is the distance to the k-th nearest row, itself counted, that the given share of rows exceeds. A
    radius at which no row is a core makes every row noise; the row with the nearest neighbours then stands for the core.
    """
    from sklearn.cluster import DBSCAN

    chosen = ClusterSettings.model_validate(settings.model_dump())
    k = min(chosen.neighbours, len(rows))
    distance = nearest(rows, rows, k - 1)[0][:, -1] if k > 1 else np.zeros(len(rows))
    radius = chosen.radius if chosen.radius is not None else max(threshold_at(distance, chosen.share), 1e-9)
    found = DBSCAN(eps=radius, min_samples=k).fit(rows)
    cores = rows[found.core_sample_indices_]
    return FarFromClusters(cores if len(cores) else rows[[int(np.argmin(distance))]]), radius


def _read_far(state: Mapping[str, Any]) -> FarRows:
    return FarRows(unpack(state["reference"]), int(state["k"]))


def _read_sparse(state: Mapping[str, Any]) -> SparseRows:
    return SparseRows(unpack(state["reference"]), int(state["k"]), unpack(state["reach"]), unpack(state["density"]))


def _read_clusters(state: Mapping[str, Any]) -> FarFromClusters:
    return FarFromClusters(unpack(state["cores"]))


LOF_OUTLIERS = RowOutliers(
    "lof_outliers",
    msg("Odd rows by local density (LOF)"),
    msg("Marks rows that lie much sparser than the rows around them; good where normal operation has several modes."),
    _learn_sparse,
    _read_sparse,
    NeighbourSettings,
)
KNN_OUTLIERS = RowOutliers(
    "knn_outliers",
    msg("Odd rows by distance to the nearest rows"),
    msg("Marks rows far from their nearest neighbours in the training part."),
    _learn_far,
    _read_far,
    NeighbourSettings,
)
DBSCAN_OUTLIERS = RowOutliers(
    "dbscan_outliers",
    msg("Odd rows outside all clusters (DBSCAN)"),
    msg("Marks rows that no cluster of the training part reaches."),
    _learn_clusters,
    _read_clusters,
    ClusterSettings,
)
