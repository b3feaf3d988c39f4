"""Intervals of the indices of a fitted distribution, by a parametric bootstrap.

New sets of values are drawn from the fit, the same distribution is fitted to each, and the indices are taken again. The interval is the basic one on the
logarithm of the index: what the new sets lie above the fit is taken off it. Measured against drawing from the values themselves and against plain
percentiles, it covers best (docs/decisions.md). That the distribution is the right one, and was chosen, no interval knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from core.spc.capability_indices import Index, Indices, Specification
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
_PARTS = ("both", "below", "above", "worse")


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

    ln θ less the upper and the lower quantile of ln(θ* / θ), for an index θ and those of the new sets θ*; where θ or one of them is not above 0, the same without
    logarithms. The draws are seeded, so that the same fit has the same intervals.

    Args:
        found: The indices of `fit`.
        fit: A distribution of the catalogue, no transformation.
        n: How many values gave it.
        confidence: Of the two-sided intervals.

    Degenerate cases: fewer than nine of ten new sets give the index: it stays without interval.

    Cost: one fit a set, 0.1 to 0.6 ms for most distributions, 10 ms for Weibull with threshold.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 6.5 (parametric bootstrap); Davison and Hinkley, Bootstrap Methods and their
    Application (1997), section 5.2 (basic intervals, transformed).
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

    return replace(found, both=ends("both"), below=ends("below"), above=ends("above"), worse=ends("worse"))


def _with_ends(
    index: Index | NotDefined, drawn: Floats, narrower: float, confidence: float, fewest: float
) -> Index | NotDefined:
    """The index with the ends of its interval."""
    if isinstance(index, NotDefined) or len(drawn) < fewest:
        return index
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    if index.value > 0 and bool((drawn > 0).all()):
        low, high = narrower * np.quantile(np.log(drawn / index.value), tails)
        return Index(index.value, float(index.value * np.exp(-high)), float(index.value * np.exp(-low)))
    low, high = narrower * np.quantile(drawn - index.value, tails)
    return Index(index.value, float(index.value - high), float(index.value - low))
