"""Distributions of measured values: a curve that straightens the values, and a base distribution of what comes out.

Lognormal is the normal distribution of logarithms, Weibull the smallest extreme value distribution of logarithms, loglogistic the logistic one;
with a threshold the logarithm is that of the distance to it. Box-Cox and Johnson curves have a normal base. So all of them share one class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.messages import Message
from core.spc.chart import Floats
from core.spc.normality import anderson_darling

BaseKey = Literal["normal", "logistic", "smallest", "gamma"]
CurveKey = Literal["plain", "mirror", "log", "power", "SU", "SB"]


@dataclass(frozen=True, slots=True)
class Base:
    """ln F, ln(1 − F), ln f and the quantile function of a standard distribution; `shape` is that of gamma, else unused."""

    below: Callable[[Floats, float], Floats]
    above: Callable[[Floats, float], Floats]
    density: Callable[[Floats, float], Floats]
    quantile: Callable[[Floats, float], Floats]


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone curve y = t(x), its inverse and ln |dy/dx|. `numbers` are its parameters; outside `support` it is not defined.

    plain: x. mirror: −x, which turns the smallest into the largest extreme value distribution. log: ln(x − τ). power: (x^λ − 1) / λ, ln x for λ = 0.
    SU: γ + η asinh((x − ε) / λ). SB: γ + η ln((x − ε) / (ε + λ − x)).
    """

    key: CurveKey
    numbers: tuple[float, ...] = ()

    @property
    def support(self) -> tuple[float, float]:
        """Ends of the open interval of values that the curve takes."""
        if self.key == "log":
            return self.numbers[0], np.inf
        if self.key == "power":
            return 0.0, np.inf
        if self.key == "SB":
            return self.numbers[2], self.numbers[2] + self.numbers[3]
        return -np.inf, np.inf

    def __call__(self, x: Floats) -> Floats:
        """y of values inside the support, same shape."""
        if self.key == "plain":
            return x
        if self.key == "mirror":
            return -x
        if self.key == "log":
            return np.log(x - self.numbers[0])
        if self.key == "power":
            return box_cox(x, self.numbers[0])
        gamma, eta, start, width = self.numbers
        u = (x - start) / width
        return gamma + eta * (np.arcsinh(u) if self.key == "SU" else np.log(u / (1 - u)))

    def inverse(self, y: Floats) -> Floats:
        """x of y, same shape; a y that a power cannot give comes back as the end of the support."""
        if self.key == "plain":
            return y
        if self.key == "mirror":
            return -y
        if self.key == "log":
            return self.numbers[0] + np.exp(y)
        if self.key == "power":
            power = self.numbers[0]
            if power == 0:
                return np.exp(y)
            with np.errstate(divide="ignore"):
                # Below −1/λ (above, for λ < 0) there is no value; the end of the support is the nearest.
                return np.exp(np.log1p(np.maximum(power * y, -1.0)) / power)
        gamma, eta, start, width = self.numbers
        u = (y - gamma) / eta
        return start + width * (np.sinh(u) if self.key == "SU" else 1 / (1 + np.exp(-u)))

    def log_slope(self, x: Floats) -> Floats:
        """ln |dy/dx| of values inside the support, same shape."""
        if self.key in ("plain", "mirror"):
            return np.zeros_like(x)
        if self.key == "log":
            return -np.log(x - self.numbers[0])
        if self.key == "power":
            return (self.numbers[0] - 1) * np.log(x)
        _, eta, start, width = self.numbers
        u = (x - start) / width
        return np.log(eta / width) - (0.5 * np.log1p(u**2) if self.key == "SU" else np.log(u * (1 - u)))


@dataclass(frozen=True, slots=True)
class Fit:
    """A distribution fitted to values: t(x) = loc + scale · u with u of the base distribution.

    `parameters` are the printed names and values; `free` how many of them were fitted. `log_likelihood` and `a2` (Anderson-Darling) are those of the
    `n` values that gave the fit, on the scale of the values, so that fits can be compared.
    """

    key: str
    title: Message
    base: BaseKey
    curve: Curve
    loc: float
    scale: float
    shape: float
    parameters: tuple[tuple[str, float], ...]
    free: int
    n: int
    log_likelihood: float
    a2: float

    @property
    def aic(self) -> float:
        """Akaike's criterion 2k − 2 ln L; smaller is better."""
        return 2 * self.free - 2 * self.log_likelihood

    def logs(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """ln F and ln(1 − F) at values of any shape; −inf where nothing is on that side."""
        return _logs(self, np.asarray(x, dtype=np.float64))

    def below(self, x: float) -> float:
        """The share of the distribution below a value, 0 to 1."""
        return float(np.exp(self.logs(x)[0]))

    def above(self, x: float) -> float:
        """The share above a value, exact in the far tail too."""
        return float(np.exp(self.logs(x)[1]))

    def quantile(self, share: ArrayLike) -> Floats:
        """The values below which these shares lie, same shape."""
        q = np.asarray(share, dtype=np.float64)
        u = base(self.base).quantile(1 - q if self.curve.key == "mirror" else q, self.shape)
        return np.asarray(self.curve.inverse(self.loc + self.scale * u), dtype=np.float64)

    def density(self, x: ArrayLike) -> Floats:
        """Density at values of any shape, 1 / column unit; 0 outside the support."""
        at = np.asarray(x, dtype=np.float64)
        inside = (at > self.curve.support[0]) & (at < self.curve.support[1])
        found = np.zeros(at.shape)
        found[inside] = np.exp(_log_density(self, at[inside]))
        return found

    def scores(self, x: ArrayLike) -> Floats:
        """Normal scores Φ⁻¹(F(x)) of values of any shape; NaN stays NaN, values outside the support are infinite."""
        from scipy.special import ndtri_exp

        low, high = self.logs(x)
        # From the smaller tail, which keeps its digits.
        return np.where(low < high, ndtri_exp(np.minimum(low, 0.0)), -ndtri_exp(np.minimum(high, 0.0)))


def fitted(
    key: str,
    title: Message,
    base_key: BaseKey,
    curve: Curve,
    place: tuple[float, float, float],
    parameters: tuple[tuple[str, float], ...],
    values: Floats,
    *,
    free: int | None = None,
) -> Fit:
    """The fit with its likelihood and A² from values (n,), all inside the support; `place` is loc, scale and shape."""
    plain = Fit(
        key,
        title,
        base_key,
        curve,
        *place,
        parameters,
        len(parameters) if free is None else free,
        len(values),
        log_likelihood(base_key, curve, place, values),
        np.nan,
    )
    return replace(plain, a2=anderson_darling(*plain.logs(np.sort(values))))


def log_likelihood(base_key: BaseKey, curve: Curve, place: tuple[float, float, float], values: Floats) -> float:
    """ln L of values (n,), all inside the support, for loc, scale and shape."""
    loc, scale, shape = place
    u = (curve(values) - loc) / scale
    return float((base(base_key).density(u, shape) + curve.log_slope(values)).sum()) - len(values) * float(np.log(scale))


def box_cox(x: Floats, power: float) -> Floats:
    """(x^λ − 1) / λ without loss of digits near λ = 0, where it is ln x (Box and Cox, 1964, eq. 1)."""
    logs = np.log(x)
    return logs if power == 0 else np.expm1(power * logs) / power


def base(key: BaseKey) -> Base:
    """The standard distribution of that key."""
    return _BASES[key]


def _logs(fit: Fit, x: Floats) -> tuple[Floats, Floats]:
    start, end = fit.curve.support
    low, high = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    low[x <= start], high[x <= start] = -np.inf, 0.0
    low[x >= end], high[x >= end] = 0.0, -np.inf
    inside = (x > start) & (x < end)
    u = (fit.curve(x[inside]) - fit.loc) / fit.scale
    found = base(fit.base)
    low[inside], high[inside] = found.below(u, fit.shape), found.above(u, fit.shape)
    return (high, low) if fit.curve.key == "mirror" else (low, high)


def _log_density(fit: Fit, x: Floats) -> Floats:
    u = (fit.curve(x) - fit.loc) / fit.scale
    return base(fit.base).density(u, fit.shape) - np.log(fit.scale) + fit.curve.log_slope(x)


def _normal_below(u: Floats, _: float) -> Floats:
    from scipy.special import log_ndtr

    return np.asarray(log_ndtr(u), dtype=np.float64)


def _normal_quantile(q: Floats, _: float) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(q), dtype=np.float64)


def _log_sigmoid(u: Floats) -> Floats:
    return -np.logaddexp(0.0, -u)


def _log_one_less(log_share: Floats) -> Floats:
    """ln(1 − e^a) for a ≤ 0, with its digits at both ends."""
    with np.errstate(divide="ignore"):
        return np.where(log_share > -np.log(2), np.log(-np.expm1(log_share)), np.log1p(-np.exp(log_share)))


def _gamma_log(u: Floats, shape: float, *, upper: bool) -> Floats:
    from scipy.special import gammainc, gammaincc

    with np.errstate(divide="ignore"):
        return np.asarray(np.log((gammaincc if upper else gammainc)(shape, np.maximum(u, 0.0))), dtype=np.float64)


def _gamma_density(u: Floats, shape: float) -> Floats:
    from scipy.special import gammaln

    with np.errstate(divide="ignore", invalid="ignore"):
        found = (shape - 1) * np.log(u) - u - gammaln(shape)
    return np.where(u > 0, found, -np.inf)


def _gamma_quantile(q: Floats, shape: float) -> Floats:
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, q), dtype=np.float64)


_BASES: dict[BaseKey, Base] = {
    "normal": Base(
        _normal_below,
        lambda u, s: _normal_below(-u, s),
        lambda u, _: -0.5 * u**2 - 0.5 * np.log(2 * np.pi),
        _normal_quantile,
    ),
    "logistic": Base(
        lambda u, _: _log_sigmoid(u),
        lambda u, _: _log_sigmoid(-u),
        lambda u, _: _log_sigmoid(u) + _log_sigmoid(-u),
        lambda q, _: np.log(q) - np.log1p(-q),
    ),
    "smallest": Base(
        lambda u, _: _log_one_less(-np.exp(u)),
        lambda u, _: -np.exp(u),
        lambda u, _: u - np.exp(u),
        lambda q, _: np.log(-np.log1p(-q)),
    ),
    "gamma": Base(
        lambda u, shape: _gamma_log(u, shape, upper=False),
        lambda u, shape: _gamma_log(u, shape, upper=True),
        _gamma_density,
        _gamma_quantile,
    ),
}
