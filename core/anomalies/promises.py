"""The two promises of a decision limit made from the ranks of normal scores, and how many rows each needs.

With n independent normal scores the share of further normal scores above the k-th smallest is itself a matter of luck, with the
distribution Beta(n + 1 − k, k) whatever the scores are like. `on_average`: its mean, (n + 1 − k) / (n + 1), is at most the rate, so that over
many calibrations the rate is kept. `confident`: it is at most the rate with 95 %, so that this calibration keeps it, but for one chance in
twenty. The first needs 1/rate − 1 scores, the second ln 0.05 / ln(1 − rate), about three times as many.

Source: Wilks, "Determination of Sample Sizes for Setting Tolerance Limits", Annals of Mathematical Statistics 12 (1941) 91-96; Vovk, "Conditional
Validity of Inductive Conformal Predictors", ACML (2012), proposition 2a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.anomalies.thresholds import conformal_rank
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n

Promise = Literal["on_average", "confident"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class RankLimit:
    """A limit with one of the promises: the `rank`-th smallest of `n` scores, `value`; an alarm is a score above it.

    `rate` was asked for. Where the scores are too few for it, `value` and `rank` are None, and `missing` says how many more are
    needed; `best_rate` is the smallest rate that n scores can promise in this way, at their largest.
    """

    promise: Promise
    rate: float
    n: int
    rank: int | None
    value: float | None
    missing: int
    best_rate: float

    @property
    def sentence(self) -> Message:
        """What is promised, or why nothing is."""
        if self.value is None:
            return msg_n(
                "{n} more normal row is needed to promise it; {rate} % is the least that can be promised.",
                "{n} more normal rows are needed to promise it; {rate} % is the least that can be promised.",
                self.missing,
                rate=100 * self.best_rate,
            )
        if self.promise == "on_average":
            return msg(
                "At most {rate} % false alarms in the mean over many such limits, each from as many normal rows; a single limit may give more.",
                rate=100 * self.rate,
            )
        return msg("At most {rate} % false alarms with this very limit, said with 95 % confidence.", rate=100 * self.rate)


def fewest_scores(rate: float, promise: Promise, confidence: float = CONFIDENCE) -> int:
    """How many normal scores the promise of a rate needs at the least.

    Example:
        >>> fewest_scores(0.01, "on_average"), fewest_scores(0.01, "confident"), fewest_scores(0.0027, "confident")
        (99, 299, 1109)
    """
    if promise == "on_average":
        return max(math.ceil(1 / rate - 1 - 1e-9), 1)
    return max(math.ceil(math.log1p(-confidence) / math.log1p(-rate) - 1e-9), 1)


def confident_rank(n: int, rate: float, confidence: float = CONFIDENCE) -> int | None:
    """The smallest k with P(Beta(n + 1 − k, k) ≤ rate) ≥ confidence, counted from 1; None where not even k = n has it.

    P(Beta(n + 1 − k, k) ≤ rate) is the chance that at least n + 1 − k of n scores lie in the upper share `rate`.

    Example:
        >>> confident_rank(100, 0.05), confident_rank(1000, 0.05), confident_rank(298, 0.01)
        (99, 962, None)
    """
    if n < 1 or (1 - rate) ** n > 1 - confidence:
        return None
    from scipy.special import betainc

    low, high = 1, n  # the chance grows with k
    while low < high:
        middle = (low + high) // 2
        if betainc(n + 1 - middle, middle, rate) >= confidence:
            high = middle
        else:
            low = middle + 1
    return low


def best_rate(n: int, promise: Promise, confidence: float = CONFIDENCE) -> float:
    """The smallest rate that n scores can promise, at the largest of them: 1 / (n + 1), or 1 − (1 − confidence)^(1/n); 1 without scores."""
    if n < 1:
        return 1.0
    return 1 / (n + 1) if promise == "on_average" else -math.expm1(math.log1p(-confidence) / n)


def rank_limit(scores: ArrayLike, rate: float, promise: Promise, confidence: float = CONFIDENCE) -> RankLimit:
    """The limit on scores that keeps a rate, with one of the promises; none where the scores are too few.

    Args:
        scores: (n,) normal scores that are independent: one a row, or one a block where rows hang together. NaN are left out.
        rate: Share of false alarms, 0 to 1.

    Raises:
        SettingProblem: a rate or confidence outside 0 to 1.

    Example:
        >>> found = rank_limit(np.arange(1.0, 151.0), 0.01, "confident")
        >>> found.value, found.missing, str(found.sentence)
        (None, 149, '149 more normal rows are needed to promise it; 1.977 % is the least that can be promised.')
    """
    for name, value in (("rate", rate), ("confidence", confidence)):
        if not 0 < value < 1:
            raise SettingProblem(
                msg("{name} is {value}.", name=name, value=value),
                msg("Expected a share between 0 and 1."),
                msg("Change '{name}' and try again.", name=name),
                name=name,
                value=value,
            )
    x = np.asarray(scores, np.float64)
    x = np.sort(x[~np.isnan(x)])
    n = len(x)
    if promise == "confident":
        rank = confident_rank(n, rate, confidence)
    else:
        rank = conformal_rank(n, rate) if rate * (n + 1) >= 1 - 1e-12 else None
        rank = None if rank is not None and rank < 1 else rank
    missing = 0 if rank is not None else max(fewest_scores(rate, promise, confidence) - n, 0)
    cut = None if rank is None else float(x[rank - 1])
    return RankLimit(promise, rate, n, rank, cut, missing, best_rate(n, promise, confidence))
