"""Box-Cox and Johnson transformations: curves after which values are about normal, given as distributions like any other."""

from __future__ import annotations

import numpy as np

from core.messages import Message, msg
from core.spc.chart import Floats, spreads
from core.spc.distributions import Curve, Fit, box_cox, fitted
from core.spc.individuals import NotDefined
from core.spc.normality import Normality, normality

POWERS = (-5.0, 5.0)
CHOICE_VALUES = 2_000
_Z = np.linspace(0.25, 1.25, 101)


def fit_box_cox(x: Floats, title: Message) -> Fit | NotDefined:
    """Box-Cox: the power λ between −5 and 5 with the highest likelihood of a normal distribution of (x^λ − 1) / λ.

    The power is not rounded. It works on values divided by their geometric mean, so that it does not depend on the unit.

    Args:
        x: (n,) all above 0.
        title: Of the distribution, in words.

    Degenerate cases: a power at the end of the range, which is no maximum: `NotDefined`.

    Source: Box and Cox, "An Analysis of Transformations", Journal of the Royal Statistical Society B 26 (1964) 211-252, eq. 8.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(x)
    z = np.exp(logs - logs.mean())  # geometric mean 1, so that the Jacobian is 1
    found = minimize_scalar(
        lambda power: float(np.log(box_cox(z, power).std())), bounds=POWERS, method="bounded", options={"xatol": 1e-6}
    )
    power = float(found.x)
    if min(power - POWERS[0], POWERS[1] - power) < 1e-2:
        return NotDefined(msg("no power between {low} and {high} makes the values normal", low=POWERS[0], high=POWERS[1]))
    curve = Curve("power", (power,))
    y = curve(x)
    mean, sd = float(y.mean()), float(y.std(ddof=1))
    if not spreads(sd, mean):
        return NotDefined(msg("the values spread too little beside their distance from 0 for a power to bend them"))
    names = (("power", power), ("mean after it", mean), ("sd after it", sd))
    return fitted("box_cox", title, "normal", curve, (mean, sd, 0.0), names, x)


def fit_johnson(x: Floats, title: Message) -> Fit | NotDefined:
    """Johnson: of the curves SU, SB and SL by four quantiles, at 101 distances z from 0.25 to 1.25, the one with the smallest A² afterwards.

    Args:
        x: (n,) of any sign.
        title: Of the distribution, in words.

    Degenerate cases: no curve that takes all values: `NotDefined`.

    Source: Slifker and Shapiro, "The Johnson System: Selection and Parameter Estimation", Technometrics 22 (1980) 239-246; the choice of z: Chou,
    Polansky and Mason, "Transforming Non-Normal Data to Normality in Statistical Process Control", Journal of Quality Technology 30 (1998) 133-141.
    """
    from scipy.special import ndtr

    few = np.append(x[:: max(1, len(x) // CHOICE_VALUES)], [x.min(), x.max()])  # they tell z, all tell the curve
    best: tuple[float, Curve] | None = None
    for z, found in zip(_Z, np.quantile(x, ndtr(np.outer(_Z, [-3, -1, 1, 3])), method="hazen"), strict=True):
        curve = johnson_curve(float(z), found)
        if curve is None or not (curve.support[0] < x.min() and x.max() < curve.support[1]):
            continue
        y = curve(few)
        test = normality(y) if np.isfinite(y).all() else None
        if isinstance(test, Normality) and (best is None or test.adjusted < best[0]):
            best = test.adjusted, curve
    if best is None:
        return NotDefined(msg("no Johnson curve takes all values"))
    curve = best[1]
    y = curve(x)
    place = float(y.mean()), float(y.std(ddof=1)), 0.0
    keys = {"SU": ("γ", "η", "ε", "λ"), "SB": ("γ", "η", "ε", "λ"), "log": ("ε",)}[curve.key]
    names = tuple((f"{'SL' if curve.key == 'log' else curve.key} {k}", v) for k, v in zip(keys, curve.numbers, strict=True))
    return fitted("johnson", title, "normal", curve, place, names, x, free=3 if curve.key == "log" else 4)


def johnson_curve(z: float, quantiles: Floats) -> Curve | None:
    """The Johnson curve through four quantiles (4,), those at −3z, −z, z and 3z of the normal distribution; None where there is none.

    With m, n and p the distances between them (upper, lower, middle): SU where mn > p², SB where mn < p², SL where they are equal and m > p.

    Source: Slifker and Shapiro (1980), eq. 11 to 25.
    """
    x3, x1, y1, y3 = (float(q) for q in quantiles)
    m, n, p = y3 - y1, x1 - x3, y1 - x1
    if min(m, n, p) <= 0:
        return None
    ratio, middle = m * n / p**2, (y1 + x1) / 2
    if abs(ratio - 1) < 1e-6:
        return None if m <= p * (1 + 1e-9) else Curve("log", (middle - p / 2 * (m / p + 1) / (m / p - 1),))
    if ratio > 1:
        total = m / p + n / p
        root = float(np.sqrt(ratio - 1))
        eta = 2 * z / float(np.arccosh(total / 2))
        gamma = eta * float(np.arcsinh((n / p - m / p) / (2 * root)))
        width = 2 * p * root / ((total - 2) * float(np.sqrt(total + 2)))
        return Curve("SU", (gamma, eta, middle + p * (n / p - m / p) / (2 * (total - 2)), width))
    product, over = (1 + p / m) * (1 + p / n), 1 / ratio - 1
    eta = z / float(np.arccosh(np.sqrt(product) / 2))
    gamma = eta * float(np.arcsinh((p / n - p / m) * np.sqrt(product - 4) / (2 * over)))
    width = p * float(np.sqrt((product - 2) ** 2 - 4)) / over
    start = middle - width / 2 + p * (p / n - p / m) / (2 * over)
    return Curve("SB", (gamma, eta, start, width))
