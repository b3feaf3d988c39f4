"""What chances say of a fleet: how many units will fail, and when each is due.

Source: Hong, Meeker & McCalley, "Prediction of remaining life of power transformers based on left truncated and right
censored lifetime data", Annals of Applied Statistics 3, 2009: units fail independently with chances of their own, so that
their number has a Poisson-binomial distribution; what is uncertain about the curve is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.survival.weibull import WeibullFit

MOST_EXACT = 400  # beyond so many units the number is as good as normal


@dataclass(frozen=True, slots=True)
class Count:
    """How many of `n` units: expected, and a 95 % prediction interval in whole units."""

    expected: float
    low: int
    high: int
    n: int


def count_failures(chances: ArrayLike, drawn: ArrayLike | None = None) -> Count:
    """How many of some units fail, each with its own chance (n,) from 0 to 1; NaN is left out. No unit: 0 of 0.

    Args:
        drawn: (draws, n) chances as they might be as well; then what is uncertain about them is part of the interval.

    Example:
        >>> count_failures([1.0, 1.0, 0.0]).low
        2
    """
    chance = np.asarray(chances, dtype=np.float64)
    known = np.isfinite(chance)
    return _count(chance[known], [chance[known]] if drawn is None else list(np.asarray(drawn, dtype=np.float64)[:, known]))


def count_by_lives(fit: WeibullFit, ages: ArrayLike, within: float, seed: int = 0) -> Count | None:
    """How many units at some ages (n,) fail within a time, by a Weibull fit; its own uncertainty is part of the interval.

    None without a fit.
    """
    age = np.asarray(ages, dtype=np.float64)
    age = age[np.isfinite(age)]
    if fit.curve is None:
        return None
    return _count(1 - fit.curve.chance_to_last(age, within), [1 - c.chance_to_last(age, within) for c in fit.draws(seed=seed)])


def _count(best: NDArray[np.float64], drawn: Sequence[NDArray[np.float64]]) -> Count:
    n = len(best)
    if not n:
        return Count(0.0, 0, 0, 0)
    known = [np.clip(c, 0, 1) for c in drawn if np.isfinite(c).all()] or [best]
    distribution = np.cumsum(_numbers(np.array(known)).mean(axis=0))
    low, high = (int(np.searchsorted(distribution, q - 1e-12)) for q in (0.025, 0.975))
    return Count(float(best.sum()), min(low, n), min(high, n), n)


def _numbers(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distribution of how many of n units fail, (draws, n + 1), for chances (draws, n).

    Unit by unit for all draws at once; `scipy.stats.poisson_binom` gives the same for one draw and takes as long for it.
    """
    from scipy.stats import norm

    draws, n = chances.shape
    if n > MOST_EXACT:
        spread = np.maximum(1e-9, np.sqrt((chances * (1 - chances)).sum(axis=1)))[:, None]
        return np.diff(norm.cdf((np.arange(-1, n + 1) + 0.5 - chances.sum(axis=1)[:, None]) / spread), axis=1)
    found = np.zeros((draws, n + 1))
    found[:, 0] = 1.0
    for unit in range(n):
        one = chances[:, unit, None]
        found[:, 1:] = found[:, 1:] * (1 - one) + found[:, :-1] * one
        found[:, 0] *= 1 - one[:, 0]
    return found


def due_times(chances: NDArray[np.float64], horizons: NDArray[np.float64]) -> NDArray[np.int64]:
    """The place of the first horizon by whose end each unit has more probably failed than not, (n,); m where none is.

    `chances` (n, m) are chances to last to the `horizons` (m,), which rise. A chance that is not known is no due time.
    """
    is_due = chances < 0.5
    return np.where(is_due.any(axis=1), is_due.argmax(axis=1), len(horizons)).astype(np.int64)
