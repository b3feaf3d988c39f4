"""The two standard deviations of capability: within subgroups (short-term) and overall (long-term), with their degrees of freedom.

The degrees of freedom say how well each is known; the intervals of the indices come from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.messages import msg
from core.spc.chart import Floats, Method, finite, spreads
from core.spc.constants import c4, d2, d3
from core.spc.individuals import NotDefined
from core.spc.subgroups import Subgroups
from core.spc.variables import SubgroupMethod, individuals, subgroup_means

# Moving ranges of two: variance, and covariance of neighbours that share a value, for σ = 1. With ρ = −1/2 between neighbouring differences
# E|d₁d₂| = (4/π)(√(1 − ρ²) + ρ asin ρ).
_RANGE_VARIANCE = 2 - 4 / np.pi
_RANGE_COVARIANCE = (4 / np.pi) * (np.sqrt(0.75) + np.pi / 12) - 4 / np.pi


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard deviation in column unit, with the method and the degrees of freedom behind it.

    `bias` is its mean over σ: 1 where a constant has taken the bias out, c₄ for the plain standard deviation of a sample.
    """

    sigma: float
    freedom: float
    method: Method
    bias: float


def within_spread(
    values: ArrayLike, groups: Subgroups | None = None, method: SubgroupMethod = "R-bar/d2"
) -> Spread | NotDefined:
    """Standard deviation within subgroups, or between neighbours where there are single values.

    Degrees of freedom: Σ (nᵢ − 1) for the pooled one. For the others those of the chi distribution with the same relative variance V:
    ν = (1 + √(1 + 2V)) / 4V, with V = 1 / Σ (d₂ / d₃)² for R̄/d₂, 1 / Σ c₄² / (1 − c₄²) for S̄/c₄, and for MR̄/d₂, whose neighbours share a
    value, (k · 0.7268 + 2l · 0.1627) / (k² · 1.2732) with k moving ranges of which l follow one another (about 0.6 a value).

    Args:
        values: (n,) in order, column unit, NaN where empty; looked at where there are no groups.
        groups: m subgroups.
        method: How sigma is made from groups; single values have MR̄/d₂ only.

    Degenerate cases: those of `individuals` and `subgroup_means`: `NotDefined`.

    Source: Patnaik, "The Use of Mean Range as an Estimator of Variance in Statistical Tests", Biometrika 37 (1950) 78-87; the covariance: Cryer
    and Ryan, "The Estimation of Sigma for an X Chart: MR̄/d₂ or S/c₄?", Journal of Quality Technology 22 (1990) 187-192.
    """
    if groups is None:
        single = individuals(values)
        if isinstance(single, NotDefined):
            return single
        pairs = np.isfinite(np.diff(finite(values)))
        k, shared = int(pairs.sum()), int((pairs[1:] & pairs[:-1]).sum())
        variance = (k * _RANGE_VARIANCE + 2 * shared * _RANGE_COVARIANCE) / (k * d2(2)) ** 2
        return Spread(float(single.sigma[0]), _freedom(variance), "MR-bar/d2", 1.0)
    found = subgroup_means(groups, method=method)
    if isinstance(found, NotDefined):
        return found
    sizes = groups.sizes[groups.sizes > 1]
    if method == "pooled":
        return Spread(float(found.sigma[0]), float((sizes - 1).sum()), method, 1.0)
    kinds, counts = np.unique(sizes, return_counts=True)
    each = [(d2(n) / d3(n)) ** 2 if method == "R-bar/d2" else c4(n) ** 2 / (1 - c4(n) ** 2) for n in map(int, kinds)]
    return Spread(float(found.sigma[0]), _freedom(1 / float(counts @ np.array(each))), method, 1.0)


def overall_spread(values: Floats) -> Spread | NotDefined:
    """Standard deviation (n − 1) of all values (n,), none of them empty.

    Degenerate cases: fewer than two values, or values without spread: `NotDefined`.
    """
    if len(values) < 2:
        return NotDefined(msg("a standard deviation needs at least {n} values, and there are {m}", n=2, m=len(values)))
    sd = float(values.std(ddof=1))
    if not spreads(sd, float(values.mean())):
        return NotDefined(msg("the values do not spread"))
    return Spread(sd, float(len(values) - 1), "overall", c4(len(values)))


def _freedom(variance: float) -> float:
    """Degrees of freedom of the chi distribution of which the variance over the squared mean is `variance`."""
    return (1 + float(np.sqrt(1 + 2 * variance))) / (4 * variance)
