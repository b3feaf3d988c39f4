"""Where to put the decision limit: by cost, by "good rows rejected at most", or by "bad rows caught at least".

A row is flagged when its score > limit. Every limit that could matter lies between two neighbouring scores; it is put midway, so
that rounding of a score changes nothing. The choice is made on held-out rows; what it gives on other rows is measured there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import CONFIDENCE, Bounds, wilson_bounds
from core.evaluation.curves import rank
from core.messages import Message, msg

LimitRule = Literal["cost", "rejected", "caught"]


@dataclass(frozen=True, slots=True)
class FlagCounts:
    """Rows by what they are and what is said of them: bad rows `caught` and `missed`, good rows `rejected` and `passed`."""

    caught: int
    missed: int
    rejected: int
    passed: int

    @property
    def n(self) -> int:
        return self.caught + self.missed + self.rejected + self.passed

    @property
    def caught_share(self) -> float:
        """Share of the bad rows that are flagged, NaN without bad rows."""
        return _share(self.caught, self.caught + self.missed)

    @property
    def rejected_share(self) -> float:
        """Share of the good rows that are flagged, NaN without good rows."""
        return _share(self.rejected, self.rejected + self.passed)

    @property
    def caught_bounds(self) -> Bounds:
        """95 % Wilson interval of `caught_share`."""
        return wilson_bounds(self.caught, self.caught + self.missed)

    @property
    def rejected_bounds(self) -> Bounds:
        """95 % Wilson interval of `rejected_share`."""
        return wilson_bounds(self.rejected, self.rejected + self.passed)

    def cost(self, missed: float, rejected: float) -> float:
        """What the wrong rows cost in all, in the unit of the two costs a row."""
        return missed * self.missed + rejected * self.rejected


@dataclass(frozen=True, slots=True)
class LimitChoice:
    """A decision limit and what it gives on the rows that it was chosen on; `limit` is None exactly when `why_not` says why."""

    limit: float | None
    counts: FlagCounts | None
    why_not: Message | None = None


def flag_counts(truth: NDArray[np.bool_], scores: NDArray[np.float64], limit: float) -> FlagCounts:
    """Rows by truth (n,) and flag at a limit; rows whose score is NaN are left out."""
    known = ~np.isnan(scores)
    bad, flagged = truth[known], scores[known] > limit
    caught, n_bad, n_flagged = int((bad & flagged).sum()), int(bad.sum()), int(flagged.sum())
    return FlagCounts(caught, n_bad - caught, n_flagged - caught, len(bad) - n_bad - n_flagged + caught)


def limit_by_cost(truth: NDArray[np.bool_], scores: NDArray[np.float64], missed: float, rejected: float) -> LimitChoice:
    """The limit at which missed bad rows and rejected good ones cost least together; of equal ones the highest.

    Args:
        truth: (n,) True for bad rows.
        scores: (n,) higher = odder; rows with NaN are left out.
        missed, rejected: What one such row costs, in one unit, 0 or more and not both 0.

    Degenerate cases: rows of one class only: none, with the reason.
    """
    steps, why_not = _steps(truth, scores)
    if steps is None:
        return LimitChoice(None, None, why_not)
    cost = missed * (steps.n_bad - steps.caught) + rejected * steps.rejected
    return steps.choice(int(np.argmin(cost)))


def limit_by_rejected(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], most: float, *, is_confident: bool = False
) -> LimitChoice:
    """The lowest limit at which at most a share `most` of the good rows is rejected, so that it catches all it can.

    With `is_confident` the upper 95 % bound of the share (Clopper and Pearson, Biometrika 1934, one-sided) must keep it too, which no
    limit does on fewer than ln .05 / ln(1 - most) good rows. The bound holds for a limit named beforehand; here the limit is chosen on
    the same rows, among limits ordered by their share, where choosing the last that keeps it keeps the promise too: fixed-sequence
    testing from the highest limit down (Angelopoulos et al., Learn then Test, 2021).

    Degenerate cases: rows of one class only, or too few good rows for the confidence: none, with the reason.
    """
    steps, why_not = _steps(truth, scores)
    if steps is None:
        return LimitChoice(None, None, why_not)
    highest = steps.rejected / steps.n_good
    if is_confident:
        highest = upper_bounds(steps.rejected, steps.n_good)
    kept = np.flatnonzero(np.cumsum(highest > most) == 0)
    if not len(kept):
        needed = math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - most))
        return LimitChoice(
            None,
            None,
            msg(
                "With 95 % confidence {most} % needs {needed} good held-out rows; there are {n}.",
                most=100 * most,
                needed=needed,
                n=steps.n_good,
            ),
        )
    return steps.choice(int(kept[-1]))


def limit_by_caught(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], least: float, *, is_confident: bool = False
) -> LimitChoice:
    """The highest limit at which at least a share `least` of the bad rows is caught, so that it rejects as little as it can.

    With `is_confident` the lower 95 % bound of the share must keep it too, as in `limit_by_rejected`, from the lowest limit up.

    Degenerate cases: rows of one class only, or too few bad rows for the confidence: none, with the reason.
    """
    steps, why_not = _steps(truth, scores)
    if steps is None:
        return LimitChoice(None, None, why_not)
    lowest = steps.caught / steps.n_bad
    if is_confident:
        lowest = 1 - upper_bounds(steps.n_bad - steps.caught, steps.n_bad)
    is_kept = lowest >= least - 1e-12
    kept = np.flatnonzero(np.cumsum(~is_kept[::-1]) == 0)
    if not len(kept):
        needed = math.ceil(math.log(1 - CONFIDENCE) / math.log(least)) if least < 1 else None
        if needed is None:
            return LimitChoice(None, None, msg("No number of rows can promise that all bad rows are caught."))
        return LimitChoice(
            None,
            None,
            msg(
                "With 95 % confidence {least} % needs {needed} bad held-out rows; there are {n}.",
                least=100 * least,
                needed=needed,
                n=steps.n_bad,
            ),
        )
    return steps.choice(len(lowest) - 1 - int(kept[-1]))


def upper_bounds(counts: NDArray[np.float64], n: int, confidence: float = CONFIDENCE) -> NDArray[np.float64]:
    """One-sided upper bounds of shares counts / n (Clopper and Pearson 1934): the beta quantile of (k + 1, n - k); 1 where all are."""
    from scipy.stats import beta

    k = np.asarray(counts, dtype=np.float64)
    return np.where(k >= n, 1.0, beta.ppf(confidence, k + 1, np.maximum(n - k, 1e-9)))


@dataclass(frozen=True, slots=True)
class _Steps:
    """All limits that differ, from the highest, which flags nothing, to the lowest, which flags all: (n_steps,)."""

    limits: NDArray[np.float64]
    caught: NDArray[np.float64]
    rejected: NDArray[np.float64]
    n_bad: int
    n_good: int

    def choice(self, at: int) -> LimitChoice:
        caught, rejected = int(self.caught[at]), int(self.rejected[at])
        counts = FlagCounts(caught, self.n_bad - caught, rejected, self.n_good - rejected)
        return LimitChoice(float(self.limits[at]), counts)


def _steps(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[_Steps | None, Message | None]:
    known = ~np.isnan(scores)
    bad, values = truth[known], scores[known]
    if not len(bad):
        return None, msg("There is no held-out row with both a true class and a score.")
    if bad.all() or not bad.any():
        return None, msg("All held-out rows belong to one class, so no limit can be chosen on them.")
    ranking = rank(bad, values)
    caught, rejected = ranking.counts()
    below = np.append(ranking.distinct[1:], np.nextafter(ranking.distinct[-1], -np.inf))
    middle = ranking.distinct + (below - ranking.distinct) / 2
    # A midpoint of two neighbouring floats may be the upper one, which would not be flagged.
    middle = np.where(middle >= ranking.distinct, below, middle)
    limits = np.concatenate([ranking.distinct[:1], middle])
    return _Steps(limits, np.r_[0.0, caught], np.r_[0.0, rejected], int(bad.sum()), int((~bad).sum())), None


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
