"""Intervals of the indices of a fitted distribution, by a parametric bootstrap.

New sets of values are drawn from the fit, the same distribution is fitted to each, and the indices are taken again. How far the logarithms of these spread is
the standard error of the logarithm of the index, from which its interval comes. Measured beside percentiles, basic and bias-corrected intervals, with and
without acceleration, it covers most evenly (docs/decisions.md). That the distribution is the right one, and was chosen, no interval knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from core.spc.capability_indices import Index, Indices, Specification, worse
from core.spc.chart import Floats
from core.spc.distribution_fits import DistributionKey, fit_distribution
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined
from core.spc.percentiles import IndexMethod, fitted_indices

RESAMPLES = 400
RESAMPLED_VALUES = 1_000
"""Of more values a set has so many, and the interval is narrowed by √(1000 / n): fits of 20,000 values take up to two seconds each."""
FEWEST_FITTED = 0.9
"""Share of the sets that must give an index: a threshold that many of them do not show has no interval."""
SEED = 7
_PARTS = ("both", "below", "above")


def with_intervals(
    found: Indices,
    fit: Fit,
    spec: Specification,
    n: int,
    method: IndexMethod = "percentile",
    *,
    confidence: float,
    resamples: int = RESAMPLES,
) -> Indices:
    """The indices of `fitted_indices` with their intervals.

    θ · exp(∓ z s*), with s* the standard deviation of ln θ* over the new sets; where θ or one of them is not above 0, θ ∓ z times the standard deviation of θ*. The
    draws are seeded, so that the same fit has the same intervals.

    Args:
        found: The indices of `fit`.
        fit: A distribution of the catalogue, no transformation.
        n: How many values gave it, `fit.n` where only some of many were taken.
        confidence: Of the two-sided intervals.

    Degenerate cases: fewer than nine of ten new sets give the index: it stays without interval.

    Cost: one fit a set, 0.1 to 0.6 ms for most distributions, 10 ms for Weibull with threshold.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 6.5 (parametric bootstrap), 12.2 and 13.2 (normal intervals, on another scale).
    """
    rng = np.random.default_rng(SEED)
    m = min(n, RESAMPLED_VALUES)
    drawn: dict[str, list[float]] = {part: [] for part in _PARTS}
    for _ in range(resamples):
        # 1 − u: a draw of exactly 0 would be the end of the support.
        again = fit_distribution(fit.quantile(1 - rng.random(m)), cast(DistributionKey, fit.key))
        if isinstance(again, NotDefined):
            continue
        indices = fitted_indices(again, spec, method)
        for part in _PARTS:
            index = getattr(indices, part)
            if isinstance(index, Index):
                drawn[part].append(index.value)
    narrower, fewest = float(np.sqrt(m / n)), FEWEST_FITTED * resamples

    def ends(part: str) -> Index | NotDefined:
        return _with_ends(getattr(found, part), np.array(drawn[part]), narrower, confidence, fewest)

    below, above = ends("below"), ends("above")
    return replace(found, both=ends("both"), below=below, above=above, worse=_worse(below, above))


def _worse(below: Index | NotDefined, above: Index | NotDefined) -> Index | NotDefined:
    """The smaller of two indices, between the smaller of their lower and the smaller of their upper ends.

    The spread of the new sets' own smaller index will not do: where both sides are nearly as good, it has an end that it cannot pass.
    """
    sides = [side for side in (below, above) if isinstance(side, Index)]
    least = worse(sides)
    lows, highs = [s.low for s in sides if s.low is not None], [s.high for s in sides if s.high is not None]
    if isinstance(least, NotDefined) or len(lows) < len(sides) or len(highs) < len(sides):
        return least
    return Index(least.value, min(lows), min(highs))


def _with_ends(
    index: Index | NotDefined, drawn: Floats, narrower: float, confidence: float, fewest: float
) -> Index | NotDefined:
    """The index with the ends of its interval."""
    if isinstance(index, NotDefined) or len(drawn) < fewest:
        return index
    from scipy.special import ndtri

    reach = float(ndtri((1 + confidence) / 2)) * narrower
    if index.value > 0 and bool((drawn > 0).all()):
        factor = float(np.exp(reach * np.log(drawn).std(ddof=1)))
        return Index(index.value, index.value / factor, index.value * factor)
    half = reach * float(drawn.std(ddof=1))
    return Index(index.value, index.value - half, index.value + half)
