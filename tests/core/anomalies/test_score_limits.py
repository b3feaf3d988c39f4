"""Limits by hand: Student's prediction limits, ranks on two sides and in clusters, what is missing, shapes and the EWMA."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.anomalies.score_limits import Limits, conformal_limits, ewma_cuts, ewma_reach, near_normal, normal_limits


def test_normal_limits_are_the_prediction_limits_of_one_more_value():
    x = np.random.default_rng(1).normal(5, 2, 30)
    left_out = (x - x.mean()) / (1 - 1 / 30)
    found = normal_limits(left_out, 0.01, "both")
    # Hahn and Meeker: mean ± t(n − 1) s √(1 + 1/n)
    assert found.upper == pytest.approx(stats.t(29).isf(0.005) * x.std(ddof=1) * np.sqrt(1 + 1 / 30), rel=2e-3)
    assert found.lower == -found.upper and found.missing == 0
    upper = normal_limits(left_out, 0.01, "upper")
    assert upper.lower == -np.inf and upper.upper / found.upper == pytest.approx(stats.t(29).isf(0.01) / stats.t(29).isf(0.005))


def test_conformal_limits_of_high_values_are_a_rank():
    x = np.random.default_rng(2).permutation(np.arange(1.0, 1000.0))  # 1 to 999
    assert conformal_limits(x, 0.01, "upper").upper == 990  # k = ⌈1,000 · 0.99⌉
    assert conformal_limits(x, 0.0015, "upper").upper == 999


def test_each_side_has_its_own_measure_and_both_share_the_rate():
    x = np.r_[-np.arange(1.0, 501.0), 10 * np.arange(0.0, 500.0)]
    found = conformal_limits(x, 0.05, "both")
    outside = np.sum((x < found.lower) | (x > found.upper))
    assert outside == 1000 - 951  # k = ⌈1,001 · 0.95⌉
    assert found.upper - found.centre == pytest.approx(10 * (found.centre - found.lower), rel=0.03)


def test_too_few_values_promise_less_and_say_how_many_are_missing():
    found = conformal_limits(np.arange(100.0), 0.0027, "upper")
    assert found.upper == 99 and found.rate == pytest.approx(1 / 101)
    assert found.missing == 270  # 1 / (n + 1) is at most 0.0027 from n = 370 on
    assert conformal_limits(np.arange(370.0), 0.0027, "upper").missing == 0
    assert conformal_limits(np.arange(369.0), 0.0027, "upper").missing == 1


def test_values_that_come_together_count_as_one():
    x = np.repeat(np.random.default_rng(3).permutation(np.arange(1.0, 501.0)), 4)
    alone, together = conformal_limits(x, 0.01, "upper"), conformal_limits(x, 0.01, "upper", clustered=True)
    assert together.cluster == pytest.approx(4, rel=0.25)
    # of 500 independent values k = ⌈501 · 0.99⌉ = 496; 2,000 dependent ones allow 20 − c
    assert abs(together.upper - 496) <= 1 < alone.upper < together.upper + 1
    few = conformal_limits(x[:400], 0.0027, "upper", clustered=True)
    assert few.rate == pytest.approx(few.cluster / (400 + few.cluster)) and few.missing > 0


@pytest.mark.parametrize("shape", ["lognormal", "t", "uniform", "rounded", "constant"])
def test_what_is_not_normal_is_seen(shape):
    rng = np.random.default_rng(4)
    drawn = {
        "lognormal": lambda: rng.lognormal(0, 0.3, 500),
        "t": lambda: rng.standard_t(5, 500),
        "uniform": lambda: rng.uniform(size=500),
        "rounded": lambda: np.rint(rng.normal(size=500)),
        "constant": lambda: np.full(500, 3.0),
    }[shape]
    assert not any(near_normal(drawn()) for _ in range(5))


def test_most_normal_samples_are_called_normal():
    rng = np.random.default_rng(5)
    assert np.mean([near_normal(rng.normal(7, 3, 500)) for _ in range(200)]) > 0.7


def test_the_ewma_of_normal_values_has_the_textbook_limit():
    x = np.random.default_rng(6).normal(0, 2, 200_000)
    low, high = ewma_reach(x, Limits("normal", 0, -1, 1, 0.0027, 200_000, 0, 1.0), 0.2, "both")
    assert high == pytest.approx(3 * 2 * np.sqrt(0.2 / 1.8), rel=0.01) and low == -high


def test_drawn_again_the_ewma_of_a_skewed_shape_has_its_own_limits():
    rng = np.random.default_rng(7)
    x = rng.exponential(size=4000) - 1
    limits = conformal_limits(x, 0.01, "both")
    low, high = ewma_reach(x, limits, 0.1, "both")
    fresh = np.clip(rng.exponential(size=400_000) - 1, *ewma_cuts(x, limits.shape))
    z = np.zeros(len(fresh))
    for t in range(1, len(fresh)):
        z[t] = 0.9 * z[t - 1] + 0.1 * fresh[t]
    assert np.mean(z > high) == pytest.approx(0.005, abs=0.002) and np.mean(z < low) == pytest.approx(0.005, abs=0.002)
    assert high > -low


def test_an_uncertain_gain_makes_the_limit_wider():
    x = np.random.default_rng(8).normal(size=1000)
    limits = normal_limits(x, 0.0027, "both")
    sure, unsure = (ewma_reach(x, limits, 0.1, "upper", gain_error=v)[1] for v in (0.0, 0.02))
    # 2 / (2/1000 + 4 · 0.02) = 24.4 degrees of freedom
    assert unsure / sure == pytest.approx(stats.t(24.39).isf(0.0027) / stats.t(1000).isf(0.0027) * np.sqrt(1.02), rel=1e-3)


def test_an_ewma_of_which_phase_one_says_too_little_has_no_limit_and_not_an_absurd_one():
    """A gain known with a relative variance of 2 leaves a quarter of a degree of freedom, whose quantile is beyond all values."""
    rng = np.random.default_rng(2)
    judged = rng.normal(size=200)
    limits = normal_limits(judged, 0.0027, "both")
    assert ewma_reach(judged, limits, 0.1, "both", gain_error=2.0) == (-np.inf, np.inf)
    assert np.isfinite(ewma_reach(judged, limits, 0.1, "both", gain_error=0.05)).all()
