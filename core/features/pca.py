"""Principal components, Hotelling's T² and the squared prediction error (SPE, also called Q), in plain NumPy.

T² measures how far a row lies from the centre *inside* the plane of normal variation, SPE how far it lies *off* that
plane. The control charts of `core.spc.multivariate` and the baseline family `pca_t2_spe` both use this one file.

Sources: T² limit, Tracy, Young & Mason (1992) J. Quality Technology 24(2); SPE limit, Jackson & Mudholkar (1979)
Technometrics 21(3); contributions, Alcala & Qin (2009) Automatica 45(7), "complete decomposition contributions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData, SettingProblem
from core.messages import msg

Floats = NDArray[np.float64]

EXPLAINED_VARIANCE = 0.9
CONFIDENCE = 0.99
_ROUNDING = 1e-10
"""A variance below this share of the total variance is rounding, not process. Relative, so that units do not matter."""


@dataclass(frozen=True, slots=True)
class PcaModel:
    """A fitted plane of normal variation over f columns with k components.

    `mean`, `scale` (f,) in column units; `loadings` (f, k) with orthonormal columns; `eigenvalues` (k,) variances of
    the components, descending; `t2_limit` and `spe_limit` are control limits at the confidence of the fit.
    """

    mean: Floats
    scale: Floats
    loadings: Floats
    eigenvalues: Floats
    t2_limit: float
    spe_limit: float
    n_rows: int

    def to_arrays(self) -> dict[str, Floats]:
        """Named arrays for npz."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "loadings": self.loadings,
            "eigenvalues": self.eigenvalues,
            "t2_limit": np.asarray(self.t2_limit, np.float64),
            "spe_limit": np.asarray(self.spe_limit, np.float64),
            "n_rows": np.asarray(self.n_rows, np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> PcaModel:
        """The model that `to_arrays` or the family `pca_t2_spe` wrote; without `n_rows` it is 0 (not known)."""
        return cls(
            np.asarray(arrays["mean"], np.float64),
            np.asarray(arrays["scale"], np.float64),
            np.asarray(arrays["loadings"], np.float64),
            np.asarray(arrays["eigenvalues"], np.float64),
            float(arrays["t2_limit"]),
            float(arrays["spe_limit"]),
            int(arrays.get("n_rows", 0)),
        )


@dataclass(frozen=True, slots=True)
class PcaScores:
    """T², SPE and the combined score of n rows, each (n,), with the contributions of the f columns, (n, f).

    `score` is the larger of T² ÷ its limit and SPE ÷ its limit, so 1 is the control limit. The contributions are
    those of whichever of the two is larger; they are never negative and a row of them sums to `score`.
    A row with an empty cell has NaN throughout.
    """

    t2: Floats
    spe: Floats
    score: Floats
    contributions: Floats


def fit_pca(
    values: Floats,
    *,
    explained: float = EXPLAINED_VARIANCE,
    confidence: float = CONFIDENCE,
    standardise: bool = True,
) -> PcaModel:
    """The plane of normal variation of `values` (n, f); rows with an empty cell are left out.

    Args:
        values: Normal rows (Phase I), n rows × f columns, float64.
        explained: The smallest number of components whose variances sum to at least this share (0 to 1) is kept.
        confidence: Confidence of both control limits, 0 to 1; 0.99 means one normal row in a hundred lies above each.
        standardise: Divide each column by its standard deviation (n − 1). A constant column is divided by 1.

    Raises:
        NotEnoughData: fewer than 3 complete rows, or no variation at all.
        SettingProblem: `explained` or `confidence` lies outside 0 to 1.
    """
    _check_share("explained", explained, closed=True)
    _check_share("confidence", confidence, closed=False)
    whole = np.asarray(values, np.float64)
    rows = whole[np.isfinite(whole).all(axis=1)]
    n = len(rows)
    if n < 3:
        raise NotEnoughData(
            msg("Only {n} rows have no empty cell.", n=n),
            msg("Principal components need at least 3 complete rows."),
            msg("Fill empty cells in the cleaning step, or leave out sparse columns."),
        )
    mean = rows.mean(axis=0)
    sd = rows.std(axis=0, ddof=1)
    varies = sd > _ROUNDING * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    scale = np.where(varies, sd, 1.0) if standardise else np.ones_like(mean)
    centred = np.where(varies, (rows - mean) / scale, 0.0)
    loadings, variances = _components(centred)
    total = float(variances.sum())
    if total <= 0:
        raise NotEnoughData(
            msg("All columns are constant in the training part."),
            msg("At least one column has to vary."),
            msg("Choose a longer training part or other columns."),
        )
    k = _count_components(variances, explained)
    return PcaModel(
        mean=mean,
        scale=scale,
        loadings=loadings[:, :k],
        eigenvalues=variances[:k],
        t2_limit=t2_limit(k, n, confidence),
        spe_limit=spe_limit(variances[k:], total, confidence),
        n_rows=n,
    )


def score_pca(model: PcaModel, values: Floats) -> PcaScores:
    """T², SPE, combined score and contributions of `values` (n, f), in the columns and units of the fit."""
    centred = (np.asarray(values, np.float64) - model.mean) / model.scale
    projected = centred @ model.loadings
    t2_parts = (projected / np.sqrt(model.eigenvalues) @ model.loadings.T) ** 2
    spe_parts = (centred - projected @ model.loadings.T) ** 2
    t2, spe = t2_parts.sum(axis=1), spe_parts.sum(axis=1)
    t2_ratio, spe_ratio = t2 / model.t2_limit, spe / model.spe_limit
    inside = t2_ratio >= spe_ratio
    parts = np.where(inside[:, None], t2_parts / model.t2_limit, spe_parts / model.spe_limit)
    return PcaScores(t2, spe, np.maximum(t2_ratio, spe_ratio), parts)


def t2_limit(k: int, n: int, confidence: float) -> float:
    """Upper control limit of T² for a *new* row: k(n² − 1) ÷ (n(n − k)) · F(confidence; k, n − k)."""
    from scipy.stats import f

    return float(k * (n**2 - 1) / (n * (n - k)) * f.ppf(confidence, k, n - k))


def spe_limit(left_over: Floats, total: float, confidence: float) -> float:
    """Upper control limit of SPE from the variances of the components that were not kept.

    With θᵢ = Σ λⁱ and h = 1 − 2θ₁θ₃ ÷ (3θ₂²):  θ₁ [z √(2θ₂h²) ÷ θ₁ + 1 + θ₂h(h − 1) ÷ θ₁²]^(1/h).
    Where h ≤ 0 the power is not defined and Box's (1954) approximation (θ₂ ÷ θ₁) · χ²(confidence; θ₁² ÷ θ₂) is used.
    With nothing left over the limit is 1e-10 of the total variance: any real step off the plane is then far above it.
    """
    from scipy.stats import chi2, norm

    first, second, third = (float(np.sum(left_over**i)) for i in (1, 2, 3))
    floor = _ROUNDING * total
    if first <= floor:
        return floor
    h = 1 - 2 * first * third / (3 * second**2)
    if h <= 0:
        return float(second / first * chi2.ppf(confidence, first**2 / second))
    spread = norm.ppf(confidence) * np.sqrt(2 * second * h**2) / first
    limit = first * max(spread + 1 + second * h * (h - 1) / first**2, 0.0) ** (1 / h)
    return max(float(limit), floor)


def _components(centred: Floats) -> tuple[Floats, Floats]:
    """Loadings (f, r) and variances (r,) of centred rows (n, f), largest variance first, r = min(n, f)."""
    _, singular, transposed = np.linalg.svd(centred, full_matrices=False)
    return transposed.T, singular**2 / (len(centred) - 1)


def _count_components(variances: Floats, explained: float) -> int:
    """The smallest count that explains enough; components that are rounding only never count."""
    total = variances.sum()
    real = int(np.count_nonzero(variances > _ROUNDING * total))
    share = np.cumsum(variances) / total
    return min(int(np.searchsorted(share, explained - 1e-12)) + 1, real)


def _check_share(name: str, value: float, *, closed: bool) -> None:
    if 0 < value < 1 or (closed and value == 1):
        return
    raise SettingProblem(
        msg("{name} is {value}.", name=name, value=float(value)),
        msg("Expected a share between 0 and 1."),
        msg("Use for example 0.9."),
        name=name,
        value=value,
    )
