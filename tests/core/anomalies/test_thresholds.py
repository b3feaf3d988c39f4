"""Thresholds: hand-computed ranks, realised false-alarm rates, ties, and honesty about too few rows."""

import numpy as np
import pytest
from scipy import stats

from core.anomalies.thresholds import Threshold, block_maxima, choose_threshold, conformal_rank, estimate_tail
from core.errors import NotEnoughData, SettingProblem


@pytest.mark.parametrize(
    ("n", "rate", "k"),
    [(99, 0.01, 99), (500, 0.05, 476), (100, 0.05, 96), (1000, 0.05, 951), (5000, 0.001, 4996), (19, 0.05, 19)],
)
def test_ranks_of_the_published_table(n, rate, k):
    assert conformal_rank(n, rate) == k
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert choose_threshold(scores, rate=rate).value == k


def test_one_row_too_few_promises_only_the_smallest_rate_and_says_how_many_are_missing():
    found = choose_threshold(np.arange(1.0, 99.0), rate=0.01, extrapolate=False)
    assert (found.value, found.promise, found.n, found.missing_rows) == (98.0, "smallest_rate", 98, 1)
    assert found.rate == pytest.approx(1 / 99)
    assert [str(note) for note in found.notes][:2] == [
        "There are too few normal rows to promise a rate of 1 %.",
        "1 more normal row is needed.",
    ]


def test_weekly_budget_by_hand():
    # One row a minute: 10,080 rows a week, 2 of them: rate 1/5,040, so 5,039 rows are needed and the largest is the threshold
    scores = np.arange(1.0, 5040.0)
    found = choose_threshold(scores, per_week=2, period_seconds=60)
    assert (found.value, found.promise, found.missing_rows) == (5039.0, "per_week", 0)
    assert found.rate == pytest.approx(1 / 5040)
    short = choose_threshold(scores[:5000], per_week=2, period_seconds=60, extrapolate=False)
    assert (short.promise, short.missing_rows) == ("smallest_rate", 39)
    assert "too few normal rows to promise a number of false alarms a week" in str(short.notes[0])


def test_two_false_alarms_a_week_are_the_default():
    scores = np.arange(1.0, 10_001.0)
    assert choose_threshold(scores, period_seconds=60) == choose_threshold(scores, per_week=2, period_seconds=60)


def test_without_times_no_weekly_promise_is_made():
    found = choose_threshold(np.arange(100.0), per_week=2, extrapolate=False)
    assert (found.value, found.promise, found.missing_rows) == (99.0, "smallest_rate", 0)
    assert "no time column" in str(found.notes[0])


def test_a_score_equal_to_the_threshold_is_not_flagged():
    found = choose_threshold(np.arange(1.0, 100.0), rate=0.01)
    assert found.flags(np.array([98.0, 99.0, np.nextafter(99.0, 100.0), np.nan, np.inf])).tolist() == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_ties_in_the_calibration_scores_are_not_flagged():
    found = choose_threshold(np.array([1.0] * 50 + [2.0] * 49), rate=0.2)
    assert found.value == 2.0
    assert not found.flags(np.array([2.0])).any()


def test_mean_realised_rate_keeps_the_promise_and_stays_in_the_beta_band():
    rng = np.random.default_rng(8)
    n, rate, tests = 200, 0.05, 2000
    realised = []
    for _ in range(1000):
        found = choose_threshold(rng.lognormal(size=n), rate=rate)
        realised.append(found.flags(rng.lognormal(size=tests)).mean())
    # The rate for one calibration set is Beta(n + 1 − k, k) with k = 191: mean 10/201, 95 % quantile 7.8 %
    assert np.mean(realised) == pytest.approx(10 / 201, abs=0.002)
    assert np.mean(np.array(realised) > 0.078 + 0.01) < 0.05


def test_with_too_few_rows_the_largest_score_is_exceeded_once_in_n_plus_one():
    rng = np.random.default_rng(9)
    exceeded = [
        choose_threshold(rng.normal(size=24), rate=0.001, extrapolate=False).flags(rng.normal(size=50)).mean()
        for _ in range(2000)
    ]
    assert np.mean(exceeded) == pytest.approx(1 / 25, abs=0.004)


def test_blocks_count_overlapping_windows_once():
    scores = np.array([1.0, 5.0, 2.0, 3.0, 9.0, 4.0, 7.0])
    assert block_maxima(scores, 3).tolist() == [5.0, 9.0]
    found = choose_threshold(scores, rate=0.5, width_rows=3)
    assert (found.n, found.value) == (2, 9.0)


def test_rows_left_over_behind_the_last_block_do_not_promise_more_than_is_kept():
    # 25 scores are one block of 24 and a single row; counted as two blocks they would promise 1/3 and keep 1/2.
    rng = np.random.default_rng(4)
    exceeded = []
    for _ in range(3000):
        found = choose_threshold(rng.normal(size=25), rate=1e-4, width_rows=24, extrapolate=False)
        exceeded.append(rng.normal(size=24).max() > found.value)
    assert found.rate == pytest.approx(1 / 2)
    assert np.mean(exceeded) <= found.rate + 0.03


def test_blocks_keep_the_budget_on_autocorrelated_scores():
    rng = np.random.default_rng(3)
    width, runs, alarms = 10, 300, 0
    for _ in range(runs):
        noise = rng.normal(size=1009 + 10 * 300)
        scores = np.abs(np.convolve(noise, np.ones(width) / width, "valid"))
        found = choose_threshold(scores[:1000], rate=0.02, width_rows=width)
        alarms += (block_maxima(scores[1000:4000], width) > found.value).mean()
    assert alarms / runs <= 0.02 * 1.15


def test_missing_rows_count_whole_blocks():
    found = choose_threshold(np.arange(100.0), rate=0.01, width_rows=10)
    assert (found.n, found.missing_rows) == (10, 890)


def test_nan_scores_are_left_out_and_none_left_is_refused():
    assert choose_threshold(np.array([np.nan, 1.0, 2.0]), rate=0.4).n == 2
    with pytest.raises(NotEnoughData, match="no normal row to choose the decision limit"):
        choose_threshold(np.array([np.nan]))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"rate": 0.0}, "rate is"),
        ({"rate": 1.0}, "rate is"),
        ({"per_week": 0}, "per_week is"),
        ({"period_seconds": -1.0}, "period_seconds is"),
        ({"width_rows": 0}, "width_rows is"),
        ({"per_week": float("inf"), "period_seconds": 1.0}, "per_week is"),
    ],
)
def test_impossible_budgets_are_refused(values, name):
    with pytest.raises(SettingProblem, match=name):
        choose_threshold(np.arange(10.0), **values)


def test_threshold_survives_json():
    found = choose_threshold(np.arange(50.0), per_week=2, period_seconds=1.0)
    assert Threshold.from_json(found.to_json()) == found


def test_scale_of_the_scores_only_scales_the_threshold():
    scores = np.random.default_rng(1).normal(size=400)
    assert choose_threshold(scores * 1e6, rate=0.05).value == pytest.approx(1e6 * choose_threshold(scores, rate=0.05).value)


def test_gumbel_quantile_by_hand():
    # Maxima 1..5: mean 3, s = 1.58114, β = 1.23281, μ = 2.28840; rate 1 − exp(−1) puts the quantile at μ
    assert estimate_tail(np.arange(1.0, 6.0), 1 - np.exp(-1)) == pytest.approx(2.28840, abs=1e-4)
    assert estimate_tail(np.arange(1.0, 6.0), 0.01) == pytest.approx(2.28840 + 1.23281 * 4.60015, abs=1e-3)


def test_estimate_agrees_with_scipy_on_gumbel_scores():
    scores = stats.gumbel_r.rvs(loc=5, scale=2, size=200_000, random_state=3)
    assert estimate_tail(scores, 1e-3) == pytest.approx(stats.gumbel_r.ppf(1 - 1e-3, loc=5, scale=2), rel=0.01)


def test_without_a_promise_the_threshold_is_raised_and_says_that_it_is_an_estimate():
    scores = np.random.default_rng(2).exponential(size=60)
    found = choose_threshold(scores, period_seconds=1.0)
    assert found.is_estimated
    assert found.value > scores.max()
    assert (found.promise, found.rate) == ("smallest_rate", 1 / 61)
    assert "estimate" in str(found.notes[-1])


def test_raising_keeps_the_expected_rate_far_below_what_the_largest_score_gives():
    rng = np.random.default_rng(5)
    plain, raised = [], []
    for _ in range(500):
        scores, later = rng.exponential(size=50), rng.exponential(size=1000)
        plain.append(choose_threshold(scores, rate=0.001, extrapolate=False).flags(later).mean())
        raised.append(choose_threshold(scores, rate=0.001).flags(later).mean())
    assert np.mean(plain) == pytest.approx(1 / 51, abs=0.004)
    assert np.mean(raised) < 0.25 * np.mean(plain)


def test_alike_scores_and_very_few_blocks_are_not_extrapolated():
    assert choose_threshold(np.full(50, 3.0), rate=0.001).value == 3.0
    few = choose_threshold(np.array([1.0, 2.0, 9.0]), rate=0.001)
    assert (few.value, few.is_estimated) == (9.0, False)


def test_the_promise_counts_held_out_rows_only_while_the_estimate_sees_all_normal_rows():
    rng = np.random.default_rng(6)
    training, held_out = rng.exponential(size=300), rng.exponential(size=100)
    found = choose_threshold(held_out, period_seconds=1.0, baseline_scores=np.concatenate([training, held_out]))
    assert found.n == 100
    assert found.value == pytest.approx(estimate_tail(np.concatenate([training, held_out]), 2 / 604_800))
