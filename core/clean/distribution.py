"""Odd rows by the distribution of the training part: tails of every column (ECOD), distance from the centre (robust covariance)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clean.arrays import pack, unpack
from core.clean.row_outliers import RowOutliers, RowOutlierSettings
from core.messages import msg
from core.settings import Settings

_SEED = 7


@dataclass(frozen=True, slots=True)
class Tails:
    """How far each cell lies in the tails of its column's training values, summed over the columns.

    Source: Li, Zhao, Hu, Botta, Ionescu, Chen, "ECOD", IEEE TKDE 2022, algorithm 1. `ordered` (n_reference, n_columns) is
    sorted a column; `lean` (n_columns,) is the sign of its skewness. A cell beyond all training values lies as
    far out as the furthest of them, 1/n: PyOD adds new rows to the training rows instead, so that there a row's score
    depends on which rows come with it.
    """

    ordered: NDArray[np.float64]
    lean: NDArray[np.float64]

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(self.ordered)
        total = np.zeros(len(values))
        for i, lean in enumerate(self.lean):
            at_most = np.searchsorted(self.ordered[:, i], values[:, i], "right")
            at_least = n - np.searchsorted(self.ordered[:, i], values[:, i], "left")
            low, high = -np.log(np.maximum(at_most, 1) / n), -np.log(np.maximum(at_least, 1) / n)
            skewed = low * (lean <= 0) + high * (lean >= 0)
            total += np.maximum(np.maximum(low, high), skewed)
        return total

    def state(self) -> dict[str, object]:
        return {"ordered": pack(self.ordered), "lean": self.lean.tolist()}


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Squared Mahalanobis distance from a robust centre: (x - m)' P (x - m), P the inverse covariance.

    Source: Rousseeuw, Van Driessen, "A Fast Algorithm for the Minimum Covariance Determinant Estimator",
    Technometrics 1999; fitted by scikit-learn's MinCovDet.
    """

    centre: NDArray[np.float64]
    precision: NDArray[np.float64]

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        away = values - self.centre
        total = np.zeros(len(values))
        for i, row in enumerate(self.precision):  # summed cell by cell, so that a row's score never depends on its chunk
            for j, weight in enumerate(row):
                total += away[:, i] * weight * away[:, j]
        return total

    def state(self) -> dict[str, object]:
        return {"centre": self.centre.tolist(), "precision": pack(self.precision)}


def _learn_tails(rows: NDArray[np.float64], settings: Settings) -> tuple[Tails, None]:
    from scipy.stats import skew

    varies = np.ptp(rows, axis=0) > 0
    lean = np.zeros(rows.shape[1])
    lean[varies] = np.sign(skew(rows[:, varies], axis=0))
    return Tails(np.sort(rows, axis=0), lean), None


def _learn_ellipse(rows: NDArray[np.float64], settings: Settings) -> tuple[Ellipse, None]:
    """Columns that do not vary get no weight; fewer than twice as many rows as columns give the plain covariance."""
    from sklearn.covariance import EmpiricalCovariance, MinCovDet

    varies = np.ptp(rows, axis=0) > 0
    inner = rows[:, varies]
    enough = len(inner) >= 2 * inner.shape[1] + 2
    found = (MinCovDet(random_state=_SEED) if enough else EmpiricalCovariance()).fit(inner)
    centre, precision = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
    centre[varies] = found.location_
    precision[np.ix_(varies, varies)] = found.precision_
    return Ellipse(centre, precision), None


def _read_tails(state: Mapping[str, Any]) -> Tails:
    return Tails(unpack(state["ordered"]), np.array(state["lean"], dtype=np.float64))


def _read_ellipse(state: Mapping[str, Any]) -> Ellipse:
    return Ellipse(np.array(state["centre"], dtype=np.float64), unpack(state["precision"]))


ECOD_OUTLIERS = RowOutliers(
    "ecod_outliers",
    msg("Odd rows by the tails of every column (ECOD)"),
    msg("Marks rows whose cells lie far out in the tails of many columns at once. Nothing to tune."),
    _learn_tails,
    _read_tails,
    RowOutlierSettings,
)
ELLIPSE_OUTLIERS = RowOutliers(
    "ellipse_outliers",
    msg("Odd rows outside an ellipse (robust covariance)"),
    msg("Marks rows far from the centre when correlations are taken into account; for roughly normal columns."),
    _learn_ellipse,
    _read_ellipse,
    RowOutlierSettings,
)
