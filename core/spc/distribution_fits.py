"""Distributions fitted to values by maximum likelihood, compared, and the one that is taken.

The rule: the normal distribution stays where the Anderson-Darling test finds no departure at 5 %, or a small one. Otherwise the smallest
Akaike criterion wins; among those within 2 of it the one with fewest parameters, and then the one that comes first in `CATALOGUE`. Box-Cox and
Johnson curves are not among the candidates: they bend to nearly anything, wild values included, and are there for who asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.messages import Message, msg
from core.spc.chart import Floats, spreads
from core.spc.distributions import BaseKey, Curve, Fit, fitted, log_likelihood
from core.spc.individuals import NotDefined
from core.spc.normality import Normality

FEWEST_VALUES, FEWEST_DIFFERENT = 20, 5
FIT_VALUES, GRID_VALUES = 20_000, 1_000
LARGEST_SHAPE = 1e6
AS_GOOD = 2.0
_GRID = np.geomspace(1e-3, 1e2, 51)

DistributionKey = Literal[
    "normal", "exponential", "lognormal", "weibull", "gamma", "loglogistic", "logistic", "smallest_extreme", "largest_extreme",
    "lognormal3", "weibull3", "box_cox", "johnson",
]  # fmt: skip
Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """The fit that is taken, and why."""

    fit: Fit
    why: Message


def fit_distribution(values: Floats, key: DistributionKey) -> Fit | NotDefined:
    """One distribution fitted to values.

    Args:
        values: (n,) none of them empty; of more than 20,000 every so many speak.
        key: Which distribution.

    Degenerate cases: fewer than 20 values or 5 different ones, values without spread, values of 0 or less for distributions above zero, or a
    threshold that the values do not give: `NotDefined`.

    Source: maximum likelihood as in Meeker and Escobar, Statistical Methods for Reliability Data (1998), chapters 4, 5 and 8; normal, lognormal: n − 1 in
    the standard deviation, as is usual for capability.
    """
    n = len(values)
    if n < FEWEST_VALUES:
        return NotDefined(msg("a distribution needs at least {n} values, and there are {m}", n=FEWEST_VALUES, m=n))
    x = values[:: max(1, -(-n // FIT_VALUES))]
    if key in _BOUNDED and len(x) < n:  # no value may lie beyond the end that is fitted
        x = np.append(x, [values.min(), values.max()])
    if not spreads(float(x.std()), float(x.mean())):
        return NotDefined(msg("the values do not spread"))
    different = len(np.unique(x))
    if different < FEWEST_DIFFERENT:
        return NotDefined(
            msg("a distribution needs at least {n} different values, and there are {m}", n=FEWEST_DIFFERENT, m=different)
        )
    if key in _POSITIVE and float(values.min()) <= 0:
        return NotDefined(msg("it is for values above 0, and the smallest is {value}", value=float(values.min())))
    with np.errstate(over="ignore", under="ignore"):
        return CATALOGUE[key](x)


def fit_all(values: Floats) -> dict[DistributionKey, Fit | NotDefined]:
    """Every distribution, the transformations included, in the order of the catalogue."""
    return {key: fit_distribution(values, key) for key in CATALOGUE}


def choose(fits: dict[DistributionKey, Fit | NotDefined], test: Normality) -> Choice | NotDefined:
    """The distribution that is taken by the rule of this module.

    Degenerate cases: no fit at all: `NotDefined` with the reason of the normal one.
    """
    plain = fits["normal"]
    if isinstance(plain, NotDefined):
        return plain
    if not test.is_rejected:
        return Choice(plain, msg("nothing speaks against the normal distribution"))
    if test.is_small:
        return Choice(plain, msg("the departure from the normal distribution is too small to matter"))
    known = [fit for key, fit in fits.items() if key not in TRANSFORMATIONS and isinstance(fit, Fit)]
    best = min(fit.aic for fit in known)
    near = [fit for fit in known if fit.aic <= best + AS_GOOD]
    taken = min(near, key=lambda fit: fit.free)  # the first of several, as `min` has it
    if len(near) > 1:
        return Choice(
            taken,
            msg(
                "of {n} distributions that fit the values equally well (Akaike's criterion within {m} of the best) it is the simplest",
                n=len(near),
                m=AS_GOOD,
            ),
        )
    others = sorted(fit.aic for fit in known if fit is not taken)
    if not others:
        return Choice(taken, msg("no other distribution fits these values"))
    return Choice(taken, msg("it fits the values best; Akaike's criterion of the next is {n} higher", n=others[0] - best))


def titles() -> dict[DistributionKey, Message]:
    """The name of each distribution in words."""
    return dict(_TITLES)


_TITLES: dict[DistributionKey, Message] = {
    "normal": msg("Normal"),
    "exponential": msg("Exponential"),
    "lognormal": msg("Lognormal"),
    "weibull": msg("Weibull"),
    "gamma": msg("Gamma"),
    "loglogistic": msg("Loglogistic"),
    "logistic": msg("Logistic"),
    "smallest_extreme": msg("Smallest extreme value"),
    "largest_extreme": msg("Largest extreme value"),
    "lognormal3": msg("Lognormal with threshold"),
    "weibull3": msg("Weibull with threshold"),
    "box_cox": msg("Box-Cox transformation"),
    "johnson": msg("Johnson transformation"),
}
TRANSFORMATIONS: frozenset[DistributionKey] = frozenset({"box_cox", "johnson"})
_BOUNDED: frozenset[DistributionKey] = frozenset({"lognormal3", "weibull3", "johnson"})
_POSITIVE: frozenset[DistributionKey] = frozenset({"exponential", "lognormal", "weibull", "gamma", "loglogistic", "box_cox"})


def _normal(x: Floats) -> Fit:
    place = _normal_place(x)
    return fitted("normal", _TITLES["normal"], "normal", Curve("plain"), place, (("mean", place[0]), ("sd", place[1])), x)


def _lognormal(x: Floats) -> Fit:
    place = _normal_place(np.log(x))
    names = (("mean of ln", place[0]), ("sd of ln", place[1]))
    return fitted("lognormal", _TITLES["lognormal"], "normal", Curve("log", (0.0,)), place, names, x)


def _exponential(x: Floats) -> Fit:
    mean = float(x.mean())
    return fitted(
        "exponential", _TITLES["exponential"], "gamma", Curve("plain"), (0.0, mean, 1.0), (("mean", mean),), x
    )  # fmt: skip


def _weibull(x: Floats) -> Fit:
    place = _extreme_place(np.log(x))
    names = (("shape", 1 / place[1]), ("scale", float(np.exp(place[0]))))
    return fitted("weibull", _TITLES["weibull"], "smallest", Curve("log", (0.0,)), place, names, x)


def _gamma(x: Floats) -> Fit | NotDefined:
    """ln k − ψ(k) = ln x̄ − mean of ln x; the scale is x̄ / k."""
    from scipy.optimize import brentq
    from scipy.special import digamma

    mean = float(x.mean())
    gap = float(np.log(mean) - np.log(x).mean())
    if gap < 0.5 / LARGEST_SHAPE:  # the shape is about 1 / 2 gap; beyond, the logarithms of Γ lose the digits that count
        return NotDefined(msg("the values spread too little beside their distance from 0 for its shape to be told"))

    def off(log_shape: float) -> float:
        return log_shape - float(digamma(np.exp(log_shape))) - gap

    # ln k − ψ(k) falls from ∞ to 0; it lies between 1/2k and 1/k.
    shape = float(np.exp(brentq(off, np.log(0.4 / gap), np.log(1.1 / gap) + 0.1)))
    names = (("shape", shape), ("scale", mean / shape))
    return fitted("gamma", _TITLES["gamma"], "gamma", Curve("plain"), (0.0, mean / shape, shape), names, x)


def _logistic(x: Floats) -> Fit:
    place = _logistic_place(x)
    return fitted(
        "logistic", _TITLES["logistic"], "logistic", Curve("plain"), place, (("location", place[0]), ("scale", place[1])), x
    )


def _loglogistic(x: Floats) -> Fit:
    place = _logistic_place(np.log(x))
    names = (("location of ln", place[0]), ("scale of ln", place[1]))
    return fitted("loglogistic", _TITLES["loglogistic"], "logistic", Curve("log", (0.0,)), place, names, x)


def _smallest(x: Floats) -> Fit:
    place = _extreme_place(x)
    names = (("location", place[0]), ("scale", place[1]))
    return fitted("smallest_extreme", _TITLES["smallest_extreme"], "smallest", Curve("plain"), place, names, x)


def _largest(x: Floats) -> Fit:
    place = _extreme_place(-x)
    names = (("location", -place[0]), ("scale", place[1]))
    return fitted("largest_extreme", _TITLES["largest_extreme"], "smallest", Curve("mirror"), place, names, x)


def _lognormal3(x: Floats) -> Fit | NotDefined:
    found = _with_threshold(x, "normal", _normal_place)
    if isinstance(found, NotDefined):
        return found
    threshold, place = found
    names = (("mean of ln", place[0]), ("sd of ln", place[1]), ("threshold", threshold))
    return fitted("lognormal3", _TITLES["lognormal3"], "normal", Curve("log", (threshold,)), place, names, x)


def _weibull3(x: Floats) -> Fit | NotDefined:
    found = _with_threshold(x, "smallest", _extreme_place)
    if isinstance(found, NotDefined):
        return found
    threshold, place = found
    names = (("shape", 1 / place[1]), ("scale", float(np.exp(place[0]))), ("threshold", threshold))
    return fitted("weibull3", _TITLES["weibull3"], "smallest", Curve("log", (threshold,)), place, names, x)


def _with_threshold(x: Floats, base_key: BaseKey, place_of: Callable[[Floats], Place]) -> tuple[float, Place] | NotDefined:
    """The threshold at the inner maximum of the profile likelihood, and the place of the logarithms above it.

    At the smallest value the likelihood grows without bound, so that its highest point says nothing there: only a hill with lower ground on both
    sides counts (Meeker and Escobar, 1998, section 11.7). Where it rises to the far end, the threshold is far away and the distribution
    without one does as well.
    """
    from scipy.optimize import minimize_scalar

    low, unit = float(x.min()), float(np.median(x) - x.min()) or float(x.std())
    # The hill is looked for with a few of the values, the smallest among them, and climbed with all.
    few = np.append(x[:: max(1, len(x) // GRID_VALUES)], low)

    def fit_at(log_gap: float, values: Floats) -> tuple[float, Place]:
        threshold = low - unit * float(np.exp(log_gap))
        return threshold, place_of(np.log(values - threshold))

    def loss(log_gap: float, values: Floats) -> float:
        threshold, place = fit_at(log_gap, values)
        return -log_likelihood(base_key, Curve("log", (threshold,)), place, values) / len(values)

    gaps = np.log(_GRID)
    losses = np.array([loss(float(gap), few) for gap in gaps])
    hills = np.flatnonzero((losses[1:-1] < losses[:-2]) & (losses[1:-1] < losses[2:])) + 1
    if not len(hills):
        return NotDefined(msg("the values give no threshold"))
    top = int(hills[np.argmin(losses[hills])])
    bounds = float(gaps[max(0, top - 2)]), float(gaps[min(top + 2, len(gaps) - 1)])
    found = minimize_scalar(loss, args=(x,), bounds=bounds, method="bounded")
    return fit_at(float(found.x), x)


def _normal_place(y: Floats) -> Place:
    return float(y.mean()), float(y.std(ddof=1)), 0.0


def _extreme_place(y: Floats) -> Place:
    """Location and scale of the smallest extreme value distribution: s = Σ y e^{y/s} / Σ e^{y/s} − ȳ, location s ln mean e^{y/s}."""
    from scipy.optimize import brentq

    top, mean = float(y.max()), float(y.mean())

    def off(s: float) -> float:
        weights = np.exp((y - top) / s)
        return s - float(weights @ y / weights.sum()) + mean

    spread = float(y.std())
    scale = float(brentq(off, 1e-3 * spread, 1e2 * spread, xtol=1e-10 * spread))
    return top + scale * float(np.log(np.exp((y - top) / scale).mean())), scale, 0.0


def _logistic_place(y: Floats) -> Place:
    """Location and scale of the logistic distribution, by minimising over both from the moments."""
    from scipy.optimize import minimize

    centre, spread = float(np.median(y)), float(y.std() * np.sqrt(3) / np.pi)
    z = (y - centre) / spread

    def loss(place: Sequence[float]) -> tuple[float, Floats]:
        u = (z - place[0]) * np.exp(-place[1])
        half = np.tanh(u / 2)
        value = float(2 * np.logaddexp(0.0, -u).mean() + u.mean() + place[1])
        return value, np.array([-half.mean() * np.exp(-place[1]), 1 - (u * half).mean()])

    found = minimize(loss, np.zeros(2), jac=True, method="BFGS")
    return centre + spread * float(found.x[0]), spread * float(np.exp(found.x[1])), 0.0


def _box_cox(x: Floats) -> Fit | NotDefined:
    from core.spc.transformations import fit_box_cox

    return fit_box_cox(x, _TITLES["box_cox"])


def _johnson(x: Floats) -> Fit | NotDefined:
    from core.spc.transformations import fit_johnson

    return fit_johnson(x, _TITLES["johnson"])


CATALOGUE: dict[DistributionKey, Callable[[Floats], Fit | NotDefined]] = {
    "normal": _normal,
    "exponential": _exponential,
    "lognormal": _lognormal,
    "weibull": _weibull,
    "gamma": _gamma,
    "loglogistic": _loglogistic,
    "logistic": _logistic,
    "smallest_extreme": _smallest,
    "largest_extreme": _largest,
    "lognormal3": _lognormal3,
    "weibull3": _weibull3,
    "box_cox": _box_cox,
    "johnson": _johnson,
}
