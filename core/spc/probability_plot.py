"""Probability plot: ordered values against the quantiles of a distribution, with the straight line and a band around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.messages import msg
from core.spc.chart import Floats
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined
from core.spc.normality import plotting_scores

MOST_POINTS, BAND_POINTS = 2_000, 61


@dataclass(frozen=True, slots=True)
class ProbabilityPlot:
    """Points (values, scores) and, over `grid` of scores (k,), the value that the distribution has there with its band.

    `scores` and `grid` are normal quantiles of the share below: an axis of percent is marked at Φ⁻¹ of them. `low` and `high` hold each point by itself with the
    confidence asked for. Of very many values every so many are points, the outermost ones among them.
    """

    values: Floats
    scores: Floats
    grid: Floats
    line: Floats
    low: Floats
    high: Floats


def probability_plot(values: Floats, fit: Fit, confidence: float) -> ProbabilityPlot | NotDefined:
    """The plot of values (n,), none of them empty, against a fitted distribution.

    Points at Blom's positions (i − 3/8) / (n + 1/4). The band is that of order statistics: the share below the i-th of n values follows a beta
    distribution with i and n + 1 − i, read at the whole position i of each score; its two ends go through the quantiles of the fit.

    Degenerate cases: fewer than two values: `NotDefined`.

    Source: Blom, Statistical Estimates and Transformed Beta-Variables (1958); the band: David and Nagaraja, Order Statistics (3rd ed., 2003), section 2.1.
    """
    n = len(values)
    if n < 2:
        return NotDefined(msg("a probability plot needs at least {n} values, and there are {m}", n=2, m=n))
    from scipy.special import betaincinv, ndtr

    scores, ordered = plotting_scores(n), np.sort(values)
    grid = np.linspace(scores[0], scores[-1], BAND_POINTS)
    share = ndtr(grid)
    place = np.clip(share * (n + 0.25) + 0.375, 1, n)
    tail = (1 - confidence) / 2
    at = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(np.int64))
    return ProbabilityPlot(
        ordered[at],
        scores[at],
        grid,
        fit.quantile(share),
        fit.quantile(betaincinv(place, n + 1 - place, tail)),
        fit.quantile(betaincinv(place, n + 1 - place, 1 - tail)),
    )
