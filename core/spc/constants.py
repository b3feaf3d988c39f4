"""Constants of Shewhart charts: d₂, d₃ and c₄ from the distributions that define them, and the factors made from them.

For values that are independent and normal. No table is kept: each constant is an integral or a ratio of gamma functions,
so that it is known for every subgroup size and not rounded. Charts use them unrounded, so that a limit may differ from a
printed one, made from a constant of three decimals, in the fourth digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SIGMAS = 3.0
# Beyond 8 standard deviations a density below 1e-14 is left; a range above 16 is as rare. 200 nodes leave an error below 1e-12.
_REACH, _NODES = 8.0, 200


@lru_cache(maxsize=1024)
def _range_moments(n: int) -> tuple[float, float]:
    """Mean and standard deviation of the range of n standard normal values, n at least 2."""
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    x, w = _REACH * nodes[:, None], _REACH * (nodes[None, :] + 1)
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    below = n * _REACH * (weights[:, None] * density * (ndtr(x + w) - ndtr(x)) ** (n - 1)).sum(axis=0)
    above, ranges = 1 - below, w[0]
    mean = float(_REACH * (weights * above).sum())
    square = float(_REACH * (weights * 2 * ranges * above).sum())
    return mean, float(np.sqrt(square - mean**2))


def d2(n: int) -> float:
    """Mean range of n standard normal values.

    d₂ = ∫ (1 − P(w)) dw, where P(w) = n ∫ φ(x) (Φ(x + w) − Φ(x))ⁿ⁻¹ dx is the distribution of the range.

    Args:
        n: Values in a subgroup, 2 or more.

    Raises:
        ValueError: n below 2; one value has no range.

    Source: Tippett, "On the Extreme Individuals and the Range of Samples Taken from a Normal Population", Biometrika 17
    (1925) 364-387; the distribution: Hartley, "The Range in Random Samples", Biometrika 32 (1942) 334-348.

    Example:
        >>> round(d2(2), 6) == round(2 / 3.141592653589793 ** 0.5, 6), round(d2(5), 3)
        (True, 2.326)
    """
    return _range_moments(_checked(n))[0]


def d3(n: int) -> float:
    """Standard deviation of the range of n standard normal values: d₃² = ∫ 2w (1 − P(w)) dw − d₂².

    Args and errors as in `d2`; source: the same.

    Example:
        >>> round(d3(5), 3)
        0.864
    """
    return _range_moments(_checked(n))[1]


def c4(n: int) -> float:
    """Mean of the standard deviation (n − 1) of n standard normal values: c₄ = √(2 / (n − 1)) Γ(n / 2) / Γ((n − 1) / 2).

    By logarithms of Γ, so that n may be in the millions. Args and errors as in `d2`.

    Source: the mean of the chi distribution with n − 1 degrees of freedom; Montgomery, Introduction to Statistical Quality
    Control (7th ed., 2013), appendix VI.

    Example:
        >>> round(c4(2), 4), round(c4(25), 4)
        (0.7979, 0.9896)
    """
    from scipy.special import gammaln

    _checked(n)
    return float(np.sqrt(2 / (n - 1)) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2)))


@dataclass(frozen=True, slots=True)
class ShewhartFactors:
    """What multiplies a mean range (A2, D3, D4) or a mean standard deviation (A3, B3, B4) to give 3 σ limits; no unit."""

    n: int
    d2: float
    d3: float
    c4: float
    a2: float
    a3: float
    b3: float
    b4: float
    d3_lower: float
    d4_upper: float


def shewhart_factors(n: int) -> ShewhartFactors:
    """The constants of one subgroup size and the factors of its charts.

    A₂ = 3 / (d₂√n), A₃ = 3 / (c₄√n), B₃ and B₄ = 1 ∓ 3√(1 − c₄²) / c₄, D₃ and D₄ = 1 ∓ 3d₃ / d₂; B₃ and D₃ are not below 0.
    The printed D₃ and D₄ are called `d3_lower` and `d4_upper` here, because d₃ is another constant.

    Source: Montgomery (2013), sections 6.2.1 and 6.3.1, appendix VI.
    """
    mean, spread, middle = d2(n), d3(n), c4(n)
    ranges, deviations = SIGMAS * spread / mean, SIGMAS * float(np.sqrt(1 - middle**2)) / middle
    return ShewhartFactors(
        n=n,
        d2=mean,
        d3=spread,
        c4=middle,
        a2=SIGMAS / (mean * float(np.sqrt(n))),
        a3=SIGMAS / (middle * float(np.sqrt(n))),
        b3=max(0.0, 1 - deviations),
        b4=1 + deviations,
        d3_lower=max(0.0, 1 - ranges),
        d4_upper=1 + ranges,
    )


def _checked(n: int) -> int:
    """n, or the error of a subgroup that has no spread."""
    if n < 2:
        raise ValueError(f"a subgroup needs at least 2 values to have a spread, and n is {n}")
    return int(n)
