"""Charts of counts by hand, with sizes that vary, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.attributes import defectives_chart, defects_chart
from core.spc.chart import Chart, phases
from core.spc.individuals import NotDefined


def chart(found: Chart | NotDefined) -> Chart:
    assert isinstance(found, Chart), str(found)
    return found


def test_shares_with_sizes_that_vary_by_hand() -> None:
    found = chart(defectives_chart([2, 5, 4, 3, 6], [20, 50, 40, 30, 60]))  # 20 of 200
    error = np.sqrt(0.1 * 0.9 / np.array([20, 50, 40, 30, 60]))
    np.testing.assert_allclose(found.points, 0.1)
    np.testing.assert_allclose(found.upper, 0.1 + 3 * error)
    np.testing.assert_allclose(found.lower, np.maximum(0, 0.1 - 3 * error))
    np.testing.assert_allclose(found.reach, 3 * error)
    assert (found.kind, found.method, found.sigma[0]) == ("p", "binomial", pytest.approx(0.3))


def test_numbers_are_shares_times_sizes() -> None:
    counts, sizes = [2, 5, 4, 3, 7], np.array([20, 50, 40, 30, 60])
    share, number = chart(defectives_chart(counts, sizes)), chart(defectives_chart(counts, sizes, kind="np"))
    for name in ("points", "centre", "lower", "upper", "reach"):
        np.testing.assert_allclose(getattr(number, name), getattr(share, name) * sizes)
    assert number.kind == "np"


def test_an_upper_limit_is_never_above_all() -> None:
    found = chart(defectives_chart([9, 10, 9, 8, 10], 10))
    assert found.upper[0] == 1.0 and found.reach[0] > 0.08
    assert chart(defectives_chart([9, 10, 9, 8, 10], 10, kind="np")).upper[0] == 10.0


def test_defects_with_areas_that_vary_by_hand() -> None:
    areas = np.array([1.0, 2.0, 0.5, 4.0, 2.5])
    found = chart(defects_chart([9, 18, 5, 40, 18], areas))  # 90 on 10
    np.testing.assert_allclose(found.centre, 9.0)
    np.testing.assert_allclose(found.upper, 9 + 3 * np.sqrt(9 / areas))
    np.testing.assert_allclose(found.lower, np.maximum(0, 9 - 3 * np.sqrt(9 / areas)))
    number = chart(defects_chart([9, 18, 5, 40, 18], areas, kind="c"))
    np.testing.assert_allclose(number.upper, found.upper * areas)
    assert (found.kind, number.kind, found.method) == ("u", "c", "Poisson")


def test_limits_come_from_the_baseline_of_each_stage() -> None:
    counts = np.array([4] * 10 + [9] * 10 + [40] * 10 + [90] * 10)
    base = np.tile(np.repeat([True, False], 10), 2)
    found = chart(defects_chart(counts, 1, phases(40, base, ["a"] * 20 + ["b"] * 20), kind="c"))
    assert (found.centre[0], found.upper[19], found.centre[20], found.centre[39]) == (4, 10, 40, 40)
    assert np.flatnonzero(found.outside).tolist() == list(range(30, 40))  # 9 is within 4 ± 6, 90 is not within 40 ± 19


def test_share_of_false_alarms_is_near_that_of_three_sigma() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(300, 800, 20_000)
    share = chart(defectives_chart(rng.binomial(sizes, 0.3), sizes))
    rate = chart(defects_chart(rng.poisson(0.1 * sizes), sizes))
    assert 0.002 < share.outside.mean() < 0.0036
    assert 0.002 < rate.outside.mean() < 0.0036


def test_empty_points_and_points_of_no_size_are_passed_over() -> None:
    found = chart(defectives_chart([2, 5, np.nan, 4, 3, 0, 6], [20, 50, 10, 40, 30, 0, 60]))
    assert np.isnan(found.points[[2, 5]]).all() and np.isnan(found.upper[[2, 5]]).all()
    assert found.centre[0] == pytest.approx(0.1)
    number = chart(defectives_chart([2, 5, np.inf, 4, 3, 0, 6], [20, 50, 10, 40, 30, 0, 60], kind="np"))
    assert np.isnan(number.points[[2, 5]]).all() and not number.outside.any()


def test_small_expectations_are_said() -> None:
    rough = chart(defects_chart([1, 2, 0, 1, 1] * 5, kind="c"))
    assert any("only 1 are expected" in str(note) for note in rough.notes)
    fine = chart(defects_chart([11, 12, 9, 10, 8] * 5, kind="c"))
    assert fine.notes == ()


@pytest.mark.parametrize(
    ("counts", "sizes", "why"),
    [
        ([1, 2.5, 1, 1, 1], 10, "whole numbers"),
        ([1, -2, 1, 1, 1], 10, "whole numbers"),
        ([1, 2, 1, 1, 1], 10.5, "inspected units"),
        ([1, 2, 1, 1, 11], 10, "more defective than inspected"),
        ([0, 0, 0, 0, 0], 10, "none or all"),
        ([10, 10, 10, 10, 10], 10, "none or all"),
        ([1, 2, 1, 1], 10, "at least 5 points, and there are 4"),
        ([], 10, "there are 0"),
    ],
)
def test_shares_without_limits_say_why(counts, sizes, why: str) -> None:
    found = defectives_chart(counts, sizes)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)


@pytest.mark.parametrize(
    ("counts", "areas", "why"),
    [
        ([1, 2.5, 1, 1, 1], 1.5, "whole numbers"),
        ([1, 2, 1, 1, 1], -1, "areas are not all 0 or more"),
        ([0, 0, 0, 0, 0], 1, "no defect"),
        ([1, 2, 1], 1, "at least 5 points"),
    ],
)
def test_defects_without_limits_say_why(counts, areas, why: str) -> None:
    found = defects_chart(counts, areas)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)
