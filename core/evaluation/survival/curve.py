"""The share of units that still run at each age, of units that have failed and of others that have not (Kaplan-Meier).

Sources: Kaplan & Meier, JASA 53, 1958; the variance is Greenwood's, the interval that of log(-log S), which stays between
0 and 1 (Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, 1980, section 1.3). scipy computes both.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.result import Metric, not_defined
from core.messages import msg

HALF = 0.5 + 1e-9  # products of exact halves must count as a half


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A step curve: `survival[i]` holds from `ages[i]` on, 1 before the first age.

    Arrays are (m,), one entry an age at which something happened, in order. `low` and `high` are pointwise 95 % bounds, NaN
    where none can be given: before the first failure and where no unit is left. `running_at` are the ages of units that
    still run. `median` is the age that half of the units reach.
    """

    ages: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    failures: NDArray[np.int64]
    running_at: NDArray[np.float64]
    n: int
    n_failed: int
    median: Metric

    def at(self, age: ArrayLike) -> NDArray[np.float64]:
        """Share still running at some ages; beyond the last age that was seen it is NaN unless no unit is left."""
        where = np.asarray(age, dtype=np.float64)
        place = np.searchsorted(self.ages, where, side="right")
        found = np.concatenate([[1.0], self.survival])[place]
        is_seen = where <= (self.ages[-1] if len(self.ages) else -np.inf)
        return np.where(is_seen | (found == 0), found, np.nan)


def survival_curve(ages: ArrayLike, failed: ArrayLike) -> SurvivalCurve:
    """The curve of some units.

    Args:
        ages: (n,) ages at the failure, or today for those that still run; NaN is left out.
        failed: (n,) whether the unit failed at that age.

    A failure and a unit that still runs at the same age: the failure comes first, as usual. Degenerate cases: no unit:
    empty arrays; no failure: the curve stays at 1 and the median is not defined, as it is while more than half still run.
    The interval of the median is where the bounds of the curve cross one half (Brookmeyer & Crowley 1982); its upper end is
    None where the upper bound never does.
    """
    from scipy.stats import CensoredData, ecdf

    age, ended = np.asarray(ages, dtype=np.float64), np.asarray(failed, dtype=bool)
    ended, age = ended[np.isfinite(age)], age[np.isfinite(age)]
    if not len(age):
        none = np.zeros(0)
        counts = np.zeros(0, dtype=np.int64)
        nothing = not_defined("median_life", 0, msg("There is no unit with a known age."))
        return SurvivalCurve(none, none, none, none, counts, counts, none, 0, 0, nothing)
    found = ecdf(CensoredData(uncensored=age[ended], right=age[~ended])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # bounds that do not exist are told as NaN
        band = found.confidence_interval(confidence_level=0.95, method="log-log")
    at = np.asarray(found.quantiles, dtype=np.float64)
    low, high = (np.asarray(b.probabilities, dtype=np.float64) for b in (band.low, band.high))
    share = np.asarray(found.probabilities, dtype=np.float64)
    return SurvivalCurve(
        ages=at,
        survival=share,
        low=low,
        high=high,
        at_risk=np.array([np.count_nonzero(age >= a) for a in at], dtype=np.int64),
        failures=np.array([np.count_nonzero(ended & (age == a)) for a in at], dtype=np.int64),
        running_at=np.sort(age[~ended]),
        n=len(age),
        n_failed=int(ended.sum()),
        median=_median(at, share, low, high, len(age)),
    )


def _median(
    ages: NDArray[np.float64], share: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], n: int
) -> Metric:
    value = _first_below(ages, share)
    if value is None:
        return not_defined(
            "median_life", n, msg("More than half of the units still run, so the age that half reach is not known.")
        )
    return Metric("median_life", value, n, _first_below(ages, low), _first_below(ages, high))


def _first_below(ages: NDArray[np.float64], share: NDArray[np.float64]) -> float | None:
    """The first age at which at most a half is left; None where that never comes. NaN is no such age."""
    below = np.flatnonzero(share <= HALF)
    return float(ages[below[0]]) if len(below) else None
