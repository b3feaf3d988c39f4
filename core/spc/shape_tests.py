"""Skewness and kurtosis of a sample on the scale of a standard normal value, without scipy.stats, whose import takes half a second."""

from __future__ import annotations

import math

import numpy as np

from core.spc.chart import Floats

FEWEST = 20
"""Below so many values the kurtosis is not near enough to what its approximation says."""


def skewness_z(values: Floats) -> float:
    """How far the skewness √b₁ of normal values (n,) lies from 0, as a standard normal value; NaN below 20 values or without spread.

    Source: D'Agostino, "Transformation to Normality of the Null Distribution of g₁", Biometrika 57 (1970) 679-681.
    """
    n = len(values)
    u, spread = _centred(values)
    if n < FEWEST or not spread:
        return math.nan
    y = float(np.mean(u**3)) / spread**3 * math.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta2 = 3 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w2 = math.sqrt(2 * (beta2 - 1)) - 1
    return math.asinh(y / math.sqrt(2 / (w2 - 1))) / math.sqrt(0.5 * math.log(w2))


def kurtosis_z(values: Floats) -> float:
    """How far the kurtosis b₂ of normal values (n,) lies from 3, as a standard normal value; NaN below 20 values or without spread.

    Source: Anscombe and Glynn, "Distribution of the Kurtosis Statistic b₂ for Normal Samples", Biometrika 70 (1983) 227-234, equations 1 to 5.
    """
    n = len(values)
    u, spread = _centred(values)
    if n < FEWEST or not spread:
        return math.nan
    expected = 3 * (n - 1) / (n + 1)
    variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    x = (float(np.mean(u**4)) / spread**4 - expected) / math.sqrt(variance)
    skew = 6 * (n**2 - 5 * n + 2) / ((n + 7) * (n + 9)) * math.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    a = 6 + 8 / skew * (2 / skew + math.sqrt(1 + 4 / skew**2))
    below = 1 + x * math.sqrt(2 / (a - 4))
    root = math.copysign(((1 - 2 / a) / abs(below)) ** (1 / 3), below) if below else math.inf
    return (1 - 2 / (9 * a) - root) / math.sqrt(2 / (9 * a))


def _centred(values: Floats) -> tuple[Floats, float]:
    u = values - values.mean() if len(values) else values
    return u, float(np.sqrt(np.mean(u**2))) if len(values) else 0.0
