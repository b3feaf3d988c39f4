"""Limits by cost, by rejected and by caught rows, against trying every limit, and the promise that a confident one makes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from core.evaluation.decision_limits import (
    FlagCounts,
    flag_counts,
    limit_by_caught,
    limit_by_cost,
    limit_by_rejected,
    upper_bounds,
)

BAD = np.array([False, False, True, False, True, True])
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])


def every_limit(scores: NDArray[np.float64]) -> list[float]:
    """One limit below all scores, one between each two neighbours and one above."""
    distinct = np.unique(scores)
    return [distinct[0] - 1, *((distinct[1:] + distinct[:-1]) / 2).tolist(), distinct[-1] + 1]


def test_counts_at_a_limit_by_hand() -> None:
    counts = flag_counts(BAD, np.array([0.1, 0.2, 0.3, 0.4, 0.6, np.nan]), 0.3)
    assert counts == FlagCounts(caught=1, missed=1, rejected=1, passed=2)
    assert counts.caught_share == 0.5
    assert counts.rejected_share == pytest.approx(1 / 3)
    assert counts.cost(10, 1) == 11


def test_by_cost_of_a_missed_row_the_limit_falls() -> None:
    # A missed row costs as much as a rejected one: above .4 one is missed, above .2 one is rejected; the higher limit is taken.
    assert limit_by_cost(BAD, SCORES, 1, 1).limit == pytest.approx(0.5)
    # It costs five times as much: flagging .3 for one rejected row pays.
    found = limit_by_cost(BAD, SCORES, 5, 1)
    assert found.limit == pytest.approx(0.25)
    assert found.counts == FlagCounts(3, 0, 1, 2)


@pytest.mark.parametrize("seed", range(5))
def test_each_rule_equals_trying_every_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bad = rng.random(200) < 0.2
    scores = np.round(rng.normal(bad * 1.0, 1.0), 1)  # many ties
    tried = [(limit, flag_counts(bad, scores, limit)) for limit in every_limit(scores)]
    cheapest = min(c.cost(7, 2) for _, c in tried)
    chosen = limit_by_cost(bad, scores, 7, 2)
    assert chosen.limit is not None
    assert flag_counts(bad, scores, chosen.limit).cost(7, 2) == cheapest
    rejected = limit_by_rejected(bad, scores, 0.1)
    best = max(c.caught for _, c in tried if c.rejected_share <= 0.1)
    assert rejected.limit is not None and rejected.counts is not None
    assert flag_counts(bad, scores, rejected.limit) == rejected.counts
    assert rejected.counts.caught == best
    caught = limit_by_caught(bad, scores, 0.9)
    fewest = min(c.rejected for _, c in tried if c.caught_share >= 0.9)
    assert caught.limit is not None and caught.counts is not None
    assert flag_counts(bad, scores, caught.limit) == caught.counts
    assert caught.counts.rejected == fewest


def test_a_limit_between_two_neighbouring_floats_flags_the_upper_one() -> None:
    low = 0.5
    high = math.nextafter(low, 1)
    found = limit_by_rejected(np.array([False, True]), np.array([low, high]), 0.0)
    assert found.counts == FlagCounts(1, 0, 0, 1)
    assert found.limit is not None
    assert low <= found.limit < high


def test_upper_bound_with_no_event_is_the_rule_of_three() -> None:
    # No rejected row in n: 1 - .05 ** (1 / n), Clopper and Pearson's closed form at k = 0.
    np.testing.assert_allclose(upper_bounds(np.array([0.0, 59.0]), 59), [1 - 0.05 ** (1 / 59), 1.0])


def test_confidence_needs_rows_and_says_how_many() -> None:
    bad = np.r_[np.zeros(58, bool), True]
    found = limit_by_rejected(bad, np.arange(59.0), 0.05, is_confident=True)
    assert found.limit is None
    assert found.why_not is not None
    assert "59 good held-out rows; there are 58" in str(found.why_not)
    assert limit_by_rejected(np.r_[False, bad], np.arange(60.0), 0.05, is_confident=True).limit is not None
    assert "no number" in str(limit_by_caught(bad, np.arange(59.0), 1.0, is_confident=True).why_not).lower()


def test_confident_limits_keep_their_promise_in_at_least_95_of_100_calibrations() -> None:
    """Good rows are standard normal, so that the true share rejected at a limit is known; binomial bound of 1,000 trials at 95 %."""
    from scipy.stats import norm

    rng = np.random.default_rng(4)
    kept = on_average = 0
    for _ in range(1000):
        bad = np.r_[np.zeros(300, bool), np.ones(20, bool)]
        scores = np.r_[rng.normal(size=300), rng.normal(2, 1, 20)]
        confident, plain = (limit_by_rejected(bad, scores, 0.05, is_confident=c).limit for c in (True, False))
        assert confident is not None and plain is not None
        kept += norm.sf(confident) <= 0.05
        on_average += norm.sf(plain) <= 0.05
    assert kept >= 950 - 1.96 * math.sqrt(1000 * 0.95 * 0.05)
    assert on_average < 700  # without confidence about half of the calibrations break it: that is what the other promise is for


def test_one_class_only_gives_no_limit() -> None:
    for found in (
        limit_by_cost(np.ones(3, bool), np.arange(3.0), 1, 1),
        limit_by_rejected(np.zeros(3, bool), np.arange(3.0), 0.1),
        limit_by_caught(np.zeros(0, bool), np.zeros(0), 0.9),
    ):
        assert found.limit is None
        assert found.why_not is not None
