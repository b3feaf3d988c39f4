"""Limits on scores or residuals that keep a promised share of false alarms a point, by their shape and their independence.

normal: ± t · s √(1 + q/n), the prediction limits of a new normal value, for n values and q fitted coefficients; for many values
and a rate of 0.0027 these are 3 s. conformal: no shape at all, the k-th smallest distance, k = ⌈(n + 1)(1 − rate)⌉. clusters:
the same where high values come together, c at a time: n values are then worth n / c, and n − ⌊(n + c) rate − c⌋ is the rank.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.spc.chart import Floats, spreads
from core.spc.serial import mean_cluster
from core.spc.shape_tests import kurtosis_z, skewness_z
from core.spc.smoothing import smoothed

Side = Literal["both", "upper"]
Shape = Literal["normal", "conformal", "clusters"]

SHAPE_Z, TAIL_Z, FIT_LEVEL = 1.645, 1.282, 0.752
"""Skewness and tail beyond which a shape is not called normal (10 % each), and Anderson and Darling's A* (5 %)."""
MIDDLE = 0.05
"""The quantiles on both sides of the median that scale its two distances."""
CUT = 0.01
DRAWN, SEED = 200_000, 7


FEWEST_FREEDOM = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Frozen limits in the unit of the residuals; `lower` is −∞ where only high values count.

    `rate` is the share of false alarms a point that is promised on average, which is more than was asked for where `n` values are too
    few: then `missing` says how many more are needed. `cluster` is how many high values come together.
    """

    shape: Shape
    centre: float
    lower: float
    upper: float
    rate: float
    n: int
    missing: int
    cluster: float


def near_normal(residuals: Floats) -> bool:
    """Whether nothing speaks against a normal shape: skewness, a heavy tail, or the fit as a whole.

    The bar for a heavy tail is low (one normal sample in ten fails it), because what it costs to miss one is false alarms, and what it
    costs to see one that is not there is a little width.

    Source: D'Agostino, Belanger and D'Agostino, "A Suggestion for Using Powerful and Informative Tests of Normality", American Statistician 44
    (1990) 316-321; Anderson-Darling with estimated mean and variance: Stephens in D'Agostino and Stephens, Goodness-of-Fit Techniques (1986),
    table 4.9.
    """
    from scipy.special import log_ndtr

    x = np.sort(residuals)
    n = len(x)
    if n < 20 or not spreads(float(x.std()), float(x.mean())):
        return False
    if abs(skewness_z(x)) > SHAPE_Z or kurtosis_z(x) > TAIL_Z:
        return False
    z = (x - x.mean()) / x.std(ddof=1)
    weights = 2 * np.arange(1, n + 1) - 1
    a2 = -n - float(np.mean(weights * (log_ndtr(z) + log_ndtr(-z[::-1]))))
    return a2 * (1 + 0.75 / n + 2.25 / n**2) <= FIT_LEVEL


def normal_limits(residuals: Floats, rate: float, side: Side, fitted: int = 1) -> Limits:
    """Prediction limits of one further normal value: 0 ± t_{n−q}(1 − rate/2) √(mean square of the residuals).

    Residuals of rows left out (`core.spc.autocorrelated.fit_predictor`) have the mean square s²(1 + q/n) in which the error of the q fitted
    coefficients is already counted; for a plain mean this is Hahn and Meeker's interval.

    Source: Hahn and Meeker, Statistical Intervals (1991), section 4.7; the share outside is `rate` on average over samples.
    """
    from scipy.special import stdtrit

    n = len(residuals)
    t = float(stdtrit(max(n - fitted, 1), 1 - (rate / 2 if side == "both" else rate)))
    reach = t * math.sqrt(float(np.mean(residuals**2)))
    return Limits("normal", 0.0, -reach if side == "both" else -math.inf, reach, rate, n, 0, 1.0)


def conformal_limits(residuals: Floats, rate: float, side: Side, *, clustered: bool = False) -> Limits:
    """Limits from the ranks of distances: for both sides from the median, each side measured by its own 5 % or 95 % quantile.

    Too few values to promise the rate: the limits are the furthest value, the rate is 1 / (n/c + 1), and `missing` says how many
    values are missing.

    Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); sides of their own: Linusson, Johansson and Löfström, "Signed-Error
    Conformal Regression", PAKDD (2014); clusters: `core.spc.serial.mean_cluster`.

    Example:
        >>> found = conformal_limits(np.arange(1.0, 100.0), 0.02, "upper")
        >>> found.upper, found.rate, found.missing
        (98.0, 0.02, 0)
    """
    centre = float(np.median(residuals))
    down, up = _sides(residuals, centre)
    distance = (
        residuals - centre
        if side == "upper"
        else np.where(residuals > centre, (residuals - centre) / up, (centre - residuals) / down)
    )
    n = len(distance)
    cluster = mean_cluster(distance) if clustered else 1.0
    allowed = math.floor((n + cluster) * rate - cluster + 1e-9)
    is_kept = allowed >= 0
    reach = float(np.sort(distance)[n - 1 - max(allowed, 0)])
    promised = rate if is_kept else cluster / (n + cluster)
    missing = 0 if is_kept else math.ceil(cluster * (1 / rate - 1) - n - 1e-9)
    lower, upper = (-math.inf, centre + reach) if side == "upper" else (centre - reach * down, centre + reach * up)
    return Limits("clusters" if clustered else "conformal", centre, lower, upper, promised, n, missing, cluster)


def _sides(residuals: Floats, centre: float) -> tuple[float, float]:
    """The distance from the median to the 5 % and to the 95 % quantile; a side without one takes the other's, or the largest distance."""
    low, high = np.quantile(residuals, [MIDDLE, 1 - MIDDLE])
    down, up = centre - float(low), float(high) - centre
    whole = max(down, up) or float(np.abs(residuals - centre).max()) or 1.0
    return down or whole, up or whole


def ewma_cuts(judged: Floats, shape: Shape) -> tuple[float, float]:
    """Where values are cut before they enter the EWMA: at their 1 % and 99 % quantile in Phase I, nowhere where they are normal.

    One far value would keep the EWMA outside for many rows, and how far values go beyond those of Phase I cannot be learned from it. They
    are for the chart itself to see.

    Source: Huber's score in Capizzi and Masarotto, "An Adaptive Exponentially Weighted Moving Average Control Chart", Technometrics 45 (2003)
    199-207.
    """
    if shape == "normal":
        return -math.inf, math.inf
    low, high = np.quantile(judged, [CUT, 1 - CUT])
    return float(low), float(high)


def ewma_reach(
    judged: Floats, limits: Limits, weight: float, side: Side, *, block: int = 1, gain_error: float = 0.0
) -> tuple[float, float]:
    """Lower and upper limit of an EWMA of what is judged, around 0, for a share `limits.rate` of points.

    normal: ∓ t s √(λ / (2 − λ) + 1/n), the 1/n for the error of the centre. Otherwise the quantiles of the EWMA of 200,000 values that are
    drawn again, cut as the EWMA's own are: what the sum does to a skewed shape is computed and not assumed. Where values hang together
    they are drawn in blocks of `block` + 3 / λ neighbours, and the limit is at least the furthest EWMA of Phase I. The sum makes much of
    small errors of the model: the quantile is Student's with the degrees of freedom 2 / (2/n + 4v) that a gain with a relative variance v
    leaves (Satterthwaite), or with the 1.5 n / b that blocks of b rows leave, and is widened by √(1 + v).

    Degenerate cases: fewer than 3 degrees of freedom: no limit, −∞ and ∞, because Student's quantile would be beyond all values.

    Args:
        judged: (n,) residuals or values less their centre, in order, without empty ones.
        gain_error: v, of `core.spc.autocorrelated.Predictor`.

    Source: variance: Roberts (1959), see `core.spc.weighted.ewma_chart`; blocks: Künsch, "The Jackknife and the Bootstrap for General Stationary
    Observations", Annals of Statistics 17 (1989) 1217-1241; degrees of freedom: Satterthwaite, Biometrics Bulletin 2 (1946) 110-114, and for
    blocks Andrews, Econometrica 59 (1991) 817-858 (Bartlett window).
    """
    from scipy.special import ndtri, stdtrit

    n = len(judged)
    tail = limits.rate / 2 if side == "both" else limits.rate
    factor = weight / (2 - weight)
    length = 1 if limits.shape != "clusters" else min(block + int(3 / weight), max(n // 3, 1))
    freedom = min(2 / (2 / n + 4 * gain_error), 1.5 * n / length if length > 1 else n)
    wider = math.sqrt(1 + gain_error)
    if freedom < FEWEST_FREEDOM:
        return -math.inf, math.inf
    if limits.shape == "normal":
        s = math.sqrt(float(np.mean(judged**2)))
        reach = float(stdtrit(freedom, 1 - tail)) * s * math.sqrt(factor + 1 / n) * wider
        return (-reach if side == "both" else -math.inf), reach
    rng = np.random.default_rng(SEED)
    cut = np.clip(judged, *ewma_cuts(judged, limits.shape))
    starts = rng.integers(0, n, DRAWN // length)
    drawn = cut[(starts[:, None] + np.arange(length)) % n].ravel()
    smooth = smoothed(drawn, weight)[int(20 / weight) :]
    middle = float(cut.mean())
    wider *= math.sqrt(1 + 1 / (factor * n)) * float(stdtrit(freedom, 1 - tail) / ndtri(1 - tail))
    low, high = middle + (np.quantile(smooth, [tail, 1 - tail]) - middle) * wider
    if limits.shape == "clusters":
        own = smoothed(cut, weight)
        low, high = min(low, own.min()), max(high, own.max())
    return (float(low) if side == "both" else -math.inf), float(high)
