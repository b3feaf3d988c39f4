"""How far each sensor lies from what the other sensors say of it: parts in a score for detectors that name none.

With normal rows of mean μ and covariance Σ over f features, and P = Σ⁻¹, the value of feature i that the others expect is
xᵢ − (P(x − μ))ᵢ ÷ Pᵢᵢ, and 1 ÷ Pᵢᵢ is the variance around it. The part of feature i is the squared distance in units of that
spread, (P(x − μ))ᵢ² ÷ Pᵢᵢ: Hawkins' regression-adjusted variable, which is also the reconstruction-based contribution to the
Mahalanobis distance. In correlated sensors a fault of one does not smear over those that go with it.

Sources: Hawkins (1991), Technometrics 33(1), section 2; Alcala & Qin (2009), Automatica 45(7), equation 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anomalies.scoring import FADE

Floats = NDArray[np.float64]
RIDGE = 1e-3
"""Added to each variance, which is 1 for a scaled feature: two copies of a sensor would else have no inverse."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """Learned of normal rows: `mean` (f,) and `precision` (f, f) of their scaled features, without unit."""

    mean: Floats
    precision: Floats

    def to_arrays(self) -> dict[str, Floats]:
        """Named arrays for npz."""
        return {"conditional_mean": self.mean, "conditional_precision": self.precision}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Conditional | None:
        """What `to_arrays` wrote; None where it is not among the arrays."""
        if "conditional_precision" not in arrays:
            return None
        return cls(np.asarray(arrays["conditional_mean"]), np.asarray(arrays["conditional_precision"]))

    def parts(self, rows: Floats) -> Floats:
        """Squared distance of each feature of rows (n, f) from what the others expect, in its spread: (n, f), never negative."""
        pulled = (np.asarray(rows, np.float64) - self.mean) @ self.precision
        return pulled**2 / np.diag(self.precision)

    def expected(self, rows: NDArray[np.floating[Any]], places: Sequence[int]) -> Floats:
        """What the other features of rows (…, f) expect of those at `places` together: (…, len(places))."""
        own = list(places)
        centred = np.asarray(rows, np.float64) - self.mean
        pulled = centred @ self.precision[:, own]
        block = self.precision[np.ix_(own, own)]
        return np.asarray(rows, np.float64)[..., own] - pulled @ np.linalg.inv(block)

    def spread(self, place: int) -> float:
        """Standard deviation of a feature around what the others expect, in scaled units."""
        return float(1 / np.sqrt(self.precision[place, place]))


def fit_conditional(rows: NDArray[np.floating[Any]]) -> Conditional:
    """Mean and precision of normal rows (n, f) of scaled features; rows that are not finite are left out.

    Fewer than 2 rows say nothing of a correlation: every feature then stands for itself with spread 1.
    """
    values = np.asarray(rows, np.float64)
    known = values[np.isfinite(values).all(axis=1)]
    f = values.shape[1]
    if len(known) < 2:
        return Conditional(np.zeros(f), np.eye(f))
    covariance: Floats = np.atleast_2d(np.cov(known.T))
    precision: Floats = np.asarray(np.linalg.inv(covariance + RIDGE * np.eye(f)), np.float64)
    return Conditional(np.asarray(known.mean(axis=0), np.float64), precision)


def levels(windows: NDArray[np.floating[Any]], fade: float = FADE) -> Floats:
    """The faded mean of each feature over windows (n, width, f): (n, f), with the weights of `level_residuals`."""
    weights = (1 - fade) ** np.arange(windows.shape[1] - 1, -1, -1, dtype=np.float64)
    return np.einsum("nwf,w->nf", np.asarray(windows, np.float64), weights / weights.sum())
