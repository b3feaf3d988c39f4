"""The Weibull distribution of lives: fitted to failures and to units that still run, with intervals from the likelihood.

S(t) = exp(-(t/scale)^shape). Sources: Meeker, Escobar & Pascual, Statistical Methods for Reliability Data, 2nd ed. 2022,
ch. 8 (maximum likelihood, profile-likelihood intervals); NIST/SEMATECH e-Handbook 8.4.1.3 and 8.2.2.1 (plotting); Johnson,
The Statistical Treatment of Fatigue Experiments, 1964 (ranks among units that still run). The profile likelihood has one
unknown, which scipy's root finder finds from any start; `scipy.stats.weibull_min.fit` gives the same and no intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg, msg_n

DROP = 1.9207294103470620  # half of the 95 % quantile of chi-square with one degree of freedom
_Z = 1.959963984540054
LEAST_FAILURES = 2
FEW_FAILURES = 10
FARTHEST = 60.0  # on the log scale: an end of an interval beyond e^60 times the estimate is open
DRAWS = 400


@dataclass(frozen=True, slots=True)
class Weibull:
    """Lives with S(t) = exp(-(t/scale)^shape); `scale` in the unit of the ages."""

    shape: float
    scale: float

    def survival(self, age: ArrayLike) -> NDArray[np.float64]:
        """Share that reaches an age ≥ 0."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(-((np.asarray(age, dtype=np.float64) / self.scale) ** self.shape)))

    def age_at(self, failed_share: ArrayLike) -> NDArray[np.float64]:
        """The age at which a share, 0 ≤ share < 1, has failed; 0.1 gives the B10 life."""
        return np.asarray(self.scale * (-np.log1p(-np.asarray(failed_share, dtype=np.float64))) ** (1 / self.shape))

    def chance_to_last(self, age: ArrayLike, within: ArrayLike) -> NDArray[np.float64]:
        """Chance that a unit which runs at `age` still runs `within` later: S(age + within) / S(age)."""
        now = np.asarray(age, dtype=np.float64)
        then = now + np.asarray(within, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            spent, later = (now / self.scale) ** self.shape, (then / self.scale) ** self.shape
            return np.asarray(np.where(np.isinf(later), 0.0, np.exp(spent - later)))


@dataclass(frozen=True, slots=True)
class WeibullFit:
    """A fit to `n` units, `n_failed` of them failed; `n_zero` more failed at age 0 and are left out, which no Weibull allows.

    `curve` is None exactly when `why_not` says why; then `shape`, `scale` and `b10` (the age at which a tenth has failed) are
    not defined either. `covariance` is (2, 2), of (log shape, log scale). `meaning` says what the shape says.
    """

    curve: Weibull | None
    shape: Metric
    scale: Metric
    b10: Metric
    n: int
    n_failed: int
    n_zero: int
    covariance: NDArray[np.float64]
    meaning: Message
    why_not: Message | None = None
    notes: tuple[Message, ...] = ()

    def draws(self, n: int = DRAWS, seed: int = 0) -> tuple[Weibull, ...]:
        """Curves that the data allow: (log shape, log scale) from the normal distribution of the estimates; none without a fit."""
        if self.curve is None:
            return ()
        centre = np.log([self.curve.shape, self.curve.scale])
        drawn = np.random.default_rng(seed).multivariate_normal(centre, self.covariance, n)
        return tuple(Weibull(float(a), float(b)) for a, b in np.exp(drawn))

    def age_band(self, failed_share: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """95 % bounds of the ages at which shares, 0 < share < 1, have failed: normal on the log scale, for drawing. NaN without a fit."""
        share = np.asarray(failed_share, dtype=np.float64)
        if self.curve is None:
            return np.full_like(share, np.nan), np.full_like(share, np.nan)
        by_shape = -np.log(-np.log1p(-share)) / self.curve.shape  # d log age / d log shape; by log scale it is 1
        (a, b), (_, c) = self.covariance
        half = _Z * np.sqrt(np.maximum(0, a * by_shape**2 + 2 * b * by_shape + c))
        centre = np.log(self.curve.age_at(share))
        return np.exp(centre - half), np.exp(centre + half)


def fit_weibull(ages: ArrayLike, failed: ArrayLike) -> WeibullFit:
    """The most likely Weibull distribution of some lives, with 95 % profile-likelihood intervals.

    Args:
        ages: (n,) ages ≥ 0 at the failure, or today for those that still run; NaN is left out.
        failed: (n,) whether the unit failed at that age.

    Degenerate cases: fewer than two failures above age 0, or all failures at the greatest age: not defined, with the
    reason. Units that still run at age 0 say nothing and are left out.

    Example:
        >>> fit = fit_weibull([54, 187, 216, 240, 244, 335, 361, 373, 375, 386, *[500] * 10], [True] * 10 + [False] * 10)
        >>> round(fit.shape.value, 4)
        1.7208
    """
    age, ended = np.asarray(ages, dtype=np.float64), np.asarray(failed, dtype=bool)
    is_life = np.isfinite(age) & (age > 0)
    n_zero = int(np.count_nonzero(ended & (age == 0)))
    age, ended = age[is_life], ended[is_life]
    n_failed = int(ended.sum())
    if n_failed < LEAST_FAILURES:
        return _without(
            msg_n(
                "A Weibull curve needs at least 2 failures; there is {n}.",
                "A Weibull curve needs at least 2 failures; there are {n}.",
                n_failed,
            ),
            len(age),
            n_failed,
            n_zero,
        )
    if age[ended].min() == age.max():
        return _without(msg("All units failed at the same age, which no Weibull curve describes."), len(age), n_failed, n_zero)
    return _Likelihood(age, ended).fit(n_zero)


def plotting_positions(ages: ArrayLike, failed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a Weibull plot: ages of the failures in order, (m,), and the share that has failed by then, (m,).

    The share is the median rank (i - 0.3)/(n + 0.4); where units still run between the failures, i is Johnson's adjusted
    rank, which adds (n + 1 - i)/(1 + units from here on) at each failure. Failures at age 0 count for the ranks and are not drawn.
    """
    age, ended = np.asarray(ages, dtype=np.float64), np.asarray(failed, dtype=bool)
    ended, age = ended[np.isfinite(age)], age[np.isfinite(age)]
    order = np.lexsort((~ended, age))  # of equal ages the failure first
    age, ended = age[order], ended[order]
    n, rank, ranks = len(age), 0.0, []
    for place in np.flatnonzero(ended):
        rank += (n + 1 - rank) / (1 + n - place)
        ranks.append(rank)
    drawn = age[ended] > 0
    return age[ended][drawn], ((np.array(ranks) - 0.3) / (n + 0.4))[drawn] if ranks else np.zeros(0)


class _Likelihood:
    """The log likelihood of positive ages, in units of their greatest, so that powers neither vanish nor overflow."""

    def __init__(self, ages: NDArray[np.float64], failed: NDArray[np.bool_]) -> None:
        self.unit = float(ages.max())
        self.log_age = np.log(ages / self.unit)
        self.failed, self.r = failed, int(failed.sum())
        self.sum_log = float(self.log_age[failed].sum())

    def fit(self, n_zero: int) -> WeibullFit:
        shape = _root(self._slope, 1.0)
        log_scale = self._log_scale(shape)
        best, n = self._at(shape, log_scale), len(self.log_age)
        curve = Weibull(shape, math.exp(log_scale) * self.unit)
        low, high = _ends(lambda v: self._at(math.exp(v), self._log_scale(math.exp(v))) - best, math.log(shape))
        found = Metric("weibull_shape", shape, n, _exp(low), _exp(high))
        return WeibullFit(
            curve=curve,
            shape=found,
            scale=self._age_metric("weibull_scale", 1.0, shape, log_scale),
            b10=self._age_metric("b10_life", _TENTH, shape, log_scale),
            n=n,
            n_failed=self.r,
            n_zero=n_zero,
            covariance=self._covariance(shape, log_scale),
            meaning=_meaning(found),
            notes=_notes(self.r, n_zero),
        )

    def _age_metric(self, key: str, c: float, shape: float, log_scale: float) -> Metric:
        """The age at which -log S is c, with the interval in which the likelihood stays high."""
        best, log_age = self._at(shape, log_scale), log_scale + math.log(c) / shape
        low, high = _ends(lambda v: self._given_age(v, c) - best, log_age)
        return Metric(key, math.exp(log_age) * self.unit, len(self.log_age), _exp(low, self.unit), _exp(high, self.unit))

    def _slope(self, shape: float) -> float:
        """Derivative of the profile likelihood by the shape, over the failures; it falls from +∞ to a negative limit."""
        weight = np.exp(shape * self.log_age)
        return 1 / shape + self.sum_log / self.r - float((weight * self.log_age).sum() / weight.sum())

    def _log_scale(self, shape: float) -> float:
        """The most likely scale for a shape."""
        return math.log(float(np.exp(shape * self.log_age).sum()) / self.r) / shape

    def _at(self, shape: float, log_scale: float) -> float:
        z = shape * (self.log_age - log_scale)
        return self.r * math.log(shape) + float(z[self.failed].sum()) - self.sum_log - float(np.exp(np.minimum(z, 700)).sum())

    def _given_age(self, log_age: float, c: float) -> float:
        """The largest log likelihood of curves with -log S = c at an age; it has one peak over the shape."""
        distance = self.log_age - log_age
        total = float(distance[self.failed].sum())

        def slope(shape: float) -> float:
            return self.r / shape + total - c * float((np.exp(np.minimum(shape * distance, 700)) * distance).sum())

        shape = _root(slope, 1.0)
        return self._at(shape, log_age - math.log(c) / shape)

    def _covariance(self, shape: float, log_scale: float) -> NDArray[np.float64]:
        """Inverse of the observed information of (log shape, log scale)."""
        z = shape * (self.log_age - log_scale)
        e = np.exp(z)
        both = -shape * float((z * e).sum())
        information = np.array([[float(((z + z**2) * e).sum() - z[self.failed].sum()), both], [both, shape**2 * self.r]])
        return np.asarray(np.linalg.inv(information))


_TENTH = -math.log(0.9)


def _root(falling: Callable[[float], float], start: float) -> float:
    """The positive root of a falling function that is positive near 0."""
    from scipy.optimize import brentq

    low = high = start
    while falling(low) < 0 and low > 1e-12:
        low /= 4
    while falling(high) > 0 and high < 1e12:
        high *= 4
    return float(brentq(falling, low, high, xtol=1e-12, rtol=1e-12)) if low < high else low


def _ends(loss: Callable[[float], float], best: float) -> tuple[float | None, float | None]:
    """Where a log likelihood with its peak of 0 at `best` has fallen by what 95 % allows; None where it never does."""
    return _end(lambda d: loss(best - d), best, -1), _end(lambda d: loss(best + d), best, 1)


def _end(loss: Callable[[float], float], best: float, way: int) -> float | None:
    from scipy.optimize import brentq

    near, far = 0.0, 0.05
    while loss(far) > -DROP:
        near, far = far, 2 * far
        if far > FARTHEST:
            return None
    return best + way * float(brentq(lambda d: loss(d) + DROP, near, far, xtol=1e-9))


def _exp(log_value: float | None, unit: float = 1.0) -> float | None:
    return None if log_value is None else math.exp(log_value) * unit


def _without(why: Message, n: int, n_failed: int, n_zero: int) -> WeibullFit:
    shape, scale, b10 = (not_defined(key, n, why) for key in ("weibull_shape", "weibull_scale", "b10_life"))
    nothing = np.full((2, 2), np.nan)
    return WeibullFit(None, shape, scale, b10, n, n_failed, n_zero, nothing, why, why, _notes(None, n_zero))


def _notes(n_failed: int | None, n_zero: int) -> tuple[Message, ...]:
    notes = []
    if n_failed is not None and n_failed < FEW_FAILURES:
        notes.append(
            msg_n(
                "The Weibull curve rests on {n} failure: it is rough.",
                "The Weibull curve rests on {n} failures: it is rough.",
                n_failed,
            )
        )
    if n_zero:
        notes.append(
            msg_n(
                "{n} unit failed at age 0 and is not part of the Weibull curve.",
                "{n} units failed at age 0 and are not part of the Weibull curve.",
                n_zero,
            )
        )
    return tuple(notes)


def _meaning(shape: Metric) -> Message:
    if shape.low is not None and shape.low > 1:
        return msg("Wear-out: the older a unit is, the likelier it fails soon.")
    if shape.high is not None and shape.high < 1:
        return msg("Early failures: a unit that has lasted longer is less likely to fail soon.")
    return msg("No clear effect of age: early failures, chance and wear-out cannot be told apart.")
