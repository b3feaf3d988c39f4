"""Prediction intervals and the coverage they keep."""

import numpy as np
import pytest

from core.evaluation import measured_coverage, split_conformal
from core.evaluation.conformal import smallest_n


def test_the_width_is_the_kth_smallest_residual() -> None:
    interval = split_conformal(np.arange(1.0, 20.0)[::-1], alpha=0.1)
    assert (interval.k, interval.half_width, interval.n) == (18, 18.0, 19)
    assert interval.promised == pytest.approx(0.9)
    assert split_conformal(-np.arange(1.0, 20.0), alpha=0.1).half_width == 18.0


@pytest.mark.parametrize(
    ("alpha", "n", "k"),
    [(0.05, 100, 96), (0.05, 500, 476), (0.05, 1000, 951), (0.01, 500, 496), (0.01, 5000, 4951), (0.001, 5000, 4996)],
)
def test_k_equals_the_table_of_the_reference(alpha: float, n: int, k: int) -> None:
    assert split_conformal(np.arange(float(n)), alpha).k == k


@pytest.mark.parametrize("alpha", [0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.3, 0.07])
def test_the_fewest_rows_are_enough_and_one_less_is_not(alpha: float) -> None:
    n = smallest_n(alpha)
    assert split_conformal(np.ones(n), alpha).is_defined
    short = split_conformal(np.ones(n - 1), alpha)
    assert not short.is_defined
    assert f"needs {n} held-out rows; there are {n - 1}." in str(short.why_not)


def test_the_fewest_rows_for_usual_levels() -> None:
    assert [smallest_n(a) for a in (0.1, 0.05, 0.01, 0.001)] == [9, 19, 99, 999]


def test_nothing_and_infinite_residuals_give_no_interval() -> None:
    assert str(split_conformal([], 0.1).why_not) == "An interval at 90 % needs 9 held-out rows; there are 0."
    assert "infinite" in str(split_conformal([1.0] * 5 + [np.inf] * 20).why_not)
    assert split_conformal([1.0] * 20 + [np.nan] * 50).n == 20
    assert split_conformal([1.0] * 20 + [np.nan] * 50).half_width == 1.0


def test_coverage_over_1000_draws_lies_in_the_beta_band() -> None:
    # The coverage of one calibration set of n rows follows Beta(k, n + 1 - k), so its mean is k / (n + 1).
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        width = split_conformal(np.abs(rng.standard_normal(99)), 0.1).half_width
        covered.append(np.mean(np.abs(rng.standard_normal(500)) <= width))
    sd = np.sqrt(0.9 * 0.1 / 101)
    assert np.mean(covered) == pytest.approx(0.9, abs=4 * sd / np.sqrt(1000))


def test_measured_coverage_includes_the_ends_and_leaves_unknown_rows_out() -> None:
    found = measured_coverage([1.0, 2.0, 3.0, 9.0, np.nan], [1.0, 0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 5.0, 5.0, np.nan])
    assert (found.key, found.value, found.n) == ("coverage", 0.75, 4)
    assert found.low < 0.75 < found.high  # type: ignore[operator]
    assert str(measured_coverage([], [], []).why_not) == "There is no row with a true value and an interval."
