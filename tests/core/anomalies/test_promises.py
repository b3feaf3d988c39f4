"""The two promises: ranks of the published table, rows that are missing, and 1,000 calibrations that keep their word."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.anomalies.promises import best_rate, confident_rank, fewest_scores, rank_limit
from core.errors import SettingProblem


@pytest.mark.parametrize(
    ("n", "rate", "k"),
    [(100, 0.05, 99), (500, 0.05, 484), (1000, 0.05, 962), (500, 0.01, 499), (1000, 0.01, 996), (5000, 0.01, 4962), (5000, 0.001, 4999)],
)  # fmt: skip
def test_ranks_of_the_published_table(n, rate, k):
    assert confident_rank(n, rate) == k
    # by the binomial distribution: at least n + 1 − k of n scores lie in the upper share
    assert stats.binom(n, rate).sf(n - k) >= 0.95 > stats.binom(n, rate).sf(n - k + 1)


def test_the_fewest_scores_of_each_promise():
    assert [fewest_scores(rate, "on_average") for rate in (0.05, 0.01, 0.001)] == [19, 99, 999]
    assert [fewest_scores(rate, "confident") for rate in (0.05, 0.01, 0.001)] == [59, 299, 2995]
    # ln 0.05 / ln 0.9973 = 1108.03
    assert fewest_scores(0.0027, "confident") == 1109 and fewest_scores(0.0027, "on_average") == 370


@pytest.mark.parametrize("promise", ["on_average", "confident"])
def test_one_score_too_few_is_refused_with_what_is_missing(promise):
    n = fewest_scores(0.01, promise)
    enough, short = rank_limit(np.arange(n), 0.01, promise), rank_limit(np.arange(n - 1), 0.01, promise)
    assert enough.value == n - 1 and enough.missing == 0
    assert short.value is None and short.missing == 1 and short.best_rate > 0.01
    assert "1 more normal row is needed" in str(short.sentence)
    assert best_rate(n, promise) <= 0.01


def test_the_confident_limit_is_the_higher_one_and_each_says_what_it_promises():
    scores = np.random.default_rng(1).permutation(np.arange(1.0, 5001.0))
    average, sure = (rank_limit(scores, 0.01, promise) for promise in ("on_average", "confident"))
    assert (average.value, sure.value) == (4951, 4962)
    assert "in the mean over many such limits" in str(average.sentence)
    assert "with this very limit, said with 95 % confidence" in str(sure.sentence)


def test_each_promise_comes_true_in_a_thousand_calibrations():
    rng = np.random.default_rng(2)
    n, rate = 2000, 0.0027
    above = {"on_average": np.empty(1000), "confident": np.empty(1000)}
    for i in range(1000):
        scores = rng.uniform(size=n)  # the share above a limit is then 1 − limit, known and not counted
        for promise, found in above.items():
            found[i] = 1 - rank_limit(scores, rate, promise).value
    assert above["on_average"].mean() <= rate and above["on_average"].mean() == pytest.approx(5 / 2001, rel=0.05)
    assert np.mean(above["confident"] <= rate) >= 0.95
    assert 0.5 < np.mean(above["on_average"] <= rate) < 0.7, "the promise on average is broken by many a calibration"


def test_empty_scores_are_left_out_and_no_score_promises_nothing():
    found = rank_limit([1.0, np.nan, 3.0, 2.0], 0.25, "on_average")
    assert (found.n, found.value) == (3, 3.0)
    assert rank_limit([], 0.01, "confident").value is None and rank_limit([], 0.01, "confident").best_rate == 1
    with pytest.raises(SettingProblem, match="rate is 2"):
        rank_limit([1.0], 2, "confident")
