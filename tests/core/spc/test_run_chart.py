"""Run chart: the median, runs counted by hand, and what shuffled values let expect."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from core.spc.chart import phases
from core.spc.individuals import NotDefined
from core.spc.run_chart import RunChart, RunsTest, run_chart


def found(values, of=None) -> RunChart:
    chart = run_chart(values, of)
    assert isinstance(chart, RunChart), str(chart)
    return chart


def both_tests(chart: RunChart) -> tuple[RunsTest, RunsTest]:
    assert isinstance(chart.median, RunsTest) and isinstance(chart.direction, RunsTest)
    return chart.median, chart.direction


def count(signs) -> int:
    return sum(1 for key, _ in groupby(s for s in signs if s))


def test_runs_by_hand() -> None:
    """Median 5.5: + - - + + + - - - + - +, 7 runs. Steps: - + + + - - - + + - +, 6 runs."""
    values = [8, 1, 3, 6, 10, 9, 5, 2, 4, 7, 0, 11]
    chart = found(values)
    median, direction = both_tests(chart)
    assert chart.chart.centre[0] == 5.5 and np.isnan(chart.chart.upper).all()
    assert (median.n, median.runs, median.longest) == (12, 7, 3)
    assert median.expected == pytest.approx(2 * 6 * 6 / 12 + 1)
    assert median.sd**2 == pytest.approx(72 * (72 - 12) / (144 * 11))
    assert median.z == pytest.approx((7 - 7) / median.sd)
    steps = np.sign(np.diff(values))
    assert (direction.n, direction.runs) == (12, count(steps))
    assert direction.expected == pytest.approx((2 * 12 - 1) / 3) and direction.sd**2 == pytest.approx((16 * 12 - 29) / 90)


def test_expectation_and_spread_are_those_of_shuffled_values() -> None:
    rng, runs = np.random.default_rng(0), []
    values = np.arange(25.0)  # the middle one lies on the median and is left out
    for _ in range(1500):
        median, direction = both_tests(found(rng.permutation(values)))
        runs.append((median.runs, direction.runs))
    got = np.array(runs, dtype=float)
    np.testing.assert_allclose(got.mean(axis=0), [median.expected, direction.expected], atol=0.25)
    np.testing.assert_allclose(got.std(axis=0), [median.sd, direction.sd], rtol=0.07)


def test_a_shift_gives_few_runs_and_a_mixture_many() -> None:
    rng = np.random.default_rng(1)
    shifted, mixed = np.repeat([0.0, 5.0], 20) + rng.normal(size=40), np.tile([0.0, 5.0], 20) + rng.normal(size=40)
    assert both_tests(found(shifted))[0].p_few < 1e-6
    assert both_tests(found(mixed))[0].p_many < 1e-6
    assert both_tests(found(np.arange(40.0) + 0.1 * rng.normal(size=40)))[1].p_few < 1e-6


def test_p_values_are_even_for_values_in_no_order() -> None:
    rng = np.random.default_rng(2)
    p = [both_tests(found(rng.normal(size=200)))[0].p_few for _ in range(500)]
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.08


def test_empty_cells_are_passed_over_and_later_rows_are_not_tested() -> None:
    values = np.array([8, 1, np.nan, 3, 6, 10, 9, 5, 2, 4, 7, 0, 11] + [99.0] * 20)
    chart = found(values, phases(33, np.arange(33) < 13))
    assert chart.chart.centre[32] == 5.5
    assert both_tests(chart)[0].runs == 7


def test_stages_have_medians_of_their_own_and_runs_end_there() -> None:
    one = [8.0, 1, 3, 6, 10, 9, 5, 2, 4, 7, 0, 11]
    chart = found(one + [100 + v for v in one], phases(24, None, ["a"] * 12 + ["b"] * 12))
    median, direction = both_tests(chart)
    assert (chart.chart.centre[0], chart.chart.centre[23]) == (5.5, 105.5)
    assert (median.runs, median.expected) == (14, pytest.approx(14))
    assert direction.runs == 2 * count(np.sign(np.diff(one)))


def test_too_few_values_say_why() -> None:
    short = run_chart([1.0, 2.0, 3.0])
    assert isinstance(short, NotDefined) and "at least 10 values, and there are 3" in str(short.reason)


def test_values_that_do_not_differ_have_no_test() -> None:
    chart = found([5.0] * 30)
    assert isinstance(chart.median, NotDefined) and "at least 10 different values, and there are 0" in str(chart.median.reason)
    assert isinstance(chart.direction, NotDefined)


def test_values_on_one_side_of_the_median_have_no_test_about_it() -> None:
    chart = found([5.0] * 30 + [6.0] * 12)
    assert isinstance(chart.median, NotDefined) and "one side" in str(chart.median.reason)
