"""PCA with Hotelling's T² and SPE (Q): multivariate control charts as an anomaly model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.models.standardised import standardise
from core.settings import Settings, setting


class PcaSettings(Settings):
    """How many directions are kept, and how often a healthy row may lie beyond a control limit."""

    explained_fraction: float = setting(
        0.9, title="Explained share", help="Directions are kept until they explain this share of the variance.", gt=0, lt=1
    )
    false_alarm_rate: float = setting(
        0.01, title="False-alarm rate", help="Share of healthy rows beyond each control limit.", gt=0, lt=0.5
    )


@dataclass(frozen=True, slots=True)
class PcaT2Spe:
    """T² watches movement within the kept directions, SPE what leaves them."""

    key: str = "pca_t2_spe"
    title: Message = msg("PCA control chart (T² and SPE)")
    summary: Message = msg("The multivariate control chart: fitted in a second, and names the sensors that moved.")
    source: str = "Jackson, Mudholkar (1979), Technometrics 21(3); MacGregor, Kourti (1995), Control Eng. Practice 3(3)"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = False
    settings: type[Settings] = PcaSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: PcaSettings, seed: int
    ) -> FittedArrays:
        """mean, scale (d,), loadings (d, c), eigenvalues (c,), t2_limit and spe_limit () for inputs (n, d), n ≥ 3.

        At most d − 1 directions are kept (one where d is 1), and at most n − 2; where nothing is left for SPE its
        limit is infinite. `targets` and `seed` are not used.
        """
        standard = standardise(inputs, smallest=3)
        n, d = standard.values.shape
        values, vectors = _directions(standard.values)
        share = np.cumsum(values) / max(float(values.sum()), np.finfo(np.float64).tiny)
        wanted = int(np.searchsorted(share, settings.explained_fraction)) + 1
        rank = max(1, int(np.count_nonzero(values > values[0] * 1e-10)))
        kept = min(wanted, max(1, d - 1), n - 2, rank)
        return FittedArrays(
            "pca",
            {
                "mean": standard.mean,
                "scale": standard.scale,
                "loadings": vectors[:, :kept],
                "eigenvalues": np.maximum(values[:kept], np.finfo(np.float64).tiny),
                "t2_limit": np.array(t2_limit(n, kept, settings.false_alarm_rate)),
                "spe_limit": np.array(spe_limit(values[kept:], settings.false_alarm_rate)),
            },
        )


def _directions(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of the covariance (ddof 1), largest first, and eigenvectors; the largest entry of each is positive."""
    covariance = values.T @ values / (len(values) - 1)
    sizes, vectors = np.linalg.eigh(covariance)
    sizes, vectors = np.maximum(sizes[::-1], 0.0), vectors[:, ::-1]
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(vectors.shape[1])]
    return sizes, vectors * np.where(largest < 0, -1.0, 1.0)


def t2_limit(n_rows: int, kept: int, rate: float) -> float:
    """Control limit of T² for a new row: c (n² − 1) / (n (n − c)) · F(1 − rate; c, n − c).

    Source: MacGregor, Kourti (1995), equation 4. n_rows must exceed kept.
    """
    from scipy.stats import f

    factor = kept * (n_rows**2 - 1) / (n_rows * (n_rows - kept))
    return float(factor * f.ppf(1 - rate, kept, n_rows - kept))


def spe_limit(left_over: NDArray[np.float64], rate: float) -> float:
    """Control limit of SPE from the eigenvalues that are not kept.

    θᵢ = Σ λⁱ, h = 1 − 2 θ₁ θ₃ / (3 θ₂²), limit = θ₁ (z √(2 θ₂ h²) / θ₁ + 1 + θ₂ h (h − 1) / θ₁²)^(1/h), z the normal
    quantile of 1 − rate. Where h is not above 0 the formula does not hold, and Box's g·χ²(k) with g = θ₂/θ₁,
    k = θ₁²/θ₂ stands in. No eigenvalue above rounding (1e-10): infinite.

    Source: Jackson, Mudholkar (1979), equation 3.4; Box (1954), Ann. Math. Stat. 25.
    """
    from scipy.stats import chi2, norm

    theta = [float(np.sum(left_over**i)) for i in (1, 2, 3)]
    if theta[0] <= 1e-10:
        return float("inf")
    h = 1 - 2 * theta[0] * theta[2] / (3 * theta[1] ** 2)
    if h <= 0:
        return float(theta[1] / theta[0] * chi2.ppf(1 - rate, theta[0] ** 2 / theta[1]))
    z = float(norm.ppf(1 - rate))
    inner = z * np.sqrt(2 * theta[1] * h**2) / theta[0] + 1 + theta[1] * h * (h - 1) / theta[0] ** 2
    return float(theta[0] * inner ** (1 / h))


SPEC = PcaT2Spe()
