"""Charts of measurements: limits by hand, what is learned from which points, stages, gaps, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.chart import Chart, phases
from core.spc.constants import c4, d2, d3
from core.spc.individuals import NotDefined, individuals_limits
from core.spc.subgroups import subgroups, subgroups_of_size
from core.spc.variables import (
    Process,
    given_process,
    individuals,
    individuals_charts,
    known_process,
    mean_and_deviation_charts,
    mean_and_range_charts,
    shewhart_means,
    subgroup_means,
)


def pair(found: object) -> tuple[Chart, Chart]:
    assert isinstance(found, tuple), str(found)
    return found


def learned(found: Process | NotDefined) -> Process:
    assert isinstance(found, Process), str(found)
    return found


def test_individuals_by_hand() -> None:
    values = [5.0, 7.0, 6.0, 9.0, 8.0, 8.0, 5.0, 7.0, 6.0, 9.0]  # moving ranges 2 1 3 1 0 3 2 1 3, mean 16/9
    single, ranges = pair(individuals_charts(values))
    sigma = 16 / 9 / (2 / np.sqrt(np.pi))
    assert single.sigma[0] == pytest.approx(sigma)
    assert (single.centre[3], single.lower[3], single.upper[3]) == pytest.approx((7, 7 - 3 * sigma, 7 + 3 * sigma))
    np.testing.assert_array_equal(ranges.points, [np.nan, 2, 1, 3, 1, 0, 3, 2, 1, 3])
    assert (ranges.centre[0], ranges.lower[0]) == pytest.approx((16 / 9, 0))
    assert ranges.upper[0] == pytest.approx((d2(2) + 3 * d3(2)) * sigma)
    assert (single.kind, single.method, ranges.kind, ranges.method) == ("I", "MR-bar/d2", "MR", "MR-bar/d2")
    assert (ranges.sizes == 2).all() and (single.sizes == 1).all()


def test_the_limits_of_the_screening_are_the_same() -> None:
    x = np.random.default_rng(0).normal(50, 2, 100)
    old, new = individuals_limits(x), learned(individuals(x))
    assert not isinstance(old, NotDefined)
    assert new.centre[0] == old.centre
    assert new.sigma[0] == pytest.approx(old.sigma, rel=1e-12)


def test_gaps_make_no_moving_range_and_no_point() -> None:
    x = np.array([1.0, 2.0, np.nan, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0])
    single, ranges = pair(individuals_charts(x))
    assert single.sigma[0] == pytest.approx(1 / d2(2))  # 2 → 9 is not counted
    assert np.isnan(ranges.points[[0, 2, 3]]).all() and not single.outside[2]


def test_an_infinite_value_counts_as_empty() -> None:
    x = np.random.default_rng(9).normal(size=40)
    holed, infinite = x.copy(), x.copy()
    holed[[5, 6]], infinite[[5, 6]] = np.nan, [np.inf, -np.inf]
    for a, b in zip(pair(individuals_charts(holed)), pair(individuals_charts(infinite)), strict=True):
        np.testing.assert_array_equal(a.points, b.points)
        np.testing.assert_array_equal(a.upper, b.upper)


def test_frozen_limits_do_not_see_later_points() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=100)
    of = phases(100, np.arange(100) < 50)
    before = pair(individuals_charts(x, of))
    x[50:] = 20 + rng.normal(size=50)
    after = pair(individuals_charts(x, of))
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a.upper, b.upper)
        np.testing.assert_array_equal(a.centre, b.centre)
    assert after[0].outside[50:].all()


def test_a_moving_range_out_of_the_baseline_is_not_learned_from() -> None:
    x = np.array([1.0, 2.0] * 6 + [50.0] + [1.0, 2.0] * 6)
    process = learned(individuals(x, phases(25, np.arange(25) != 12)))
    assert process.sigma[0] == pytest.approx(1 / d2(2))  # 2 → 50 and 50 → 1 touch a row that is left out


def test_stages_have_limits_of_their_own() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0, 1, 30), rng.normal(100, 5, 40)])
    single, ranges = pair(individuals_charts(x, phases(70, None, ["old"] * 30 + ["new"] * 40)))
    for rows in (slice(0, 30), slice(30, 70)):
        alone = pair(individuals_charts(x[rows]))
        np.testing.assert_allclose(single.upper[rows], alone[0].upper)
        np.testing.assert_allclose(ranges.upper[rows], alone[1].upper)
        np.testing.assert_array_equal(ranges.points[rows], alone[1].points)
    assert single.phases.labels == ("old", "new")


def test_a_stage_that_comes_back_has_one_limit_and_no_range_over_the_border() -> None:
    x = np.array([0.0, 1.0] * 10 + [50.0, 53.0] * 10 + [0.0, 1.0] * 10)
    single, ranges = pair(individuals_charts(x, phases(60, None, ["a"] * 20 + ["b"] * 20 + ["a"] * 20)))
    assert single.upper[0] == single.upper[59] != single.upper[30]
    assert np.isnan(ranges.points[[0, 20, 40]]).all()
    assert single.sigma[0] == pytest.approx(1 / d2(2))


@pytest.mark.parametrize("n", [2, 5, 12])
def test_means_and_ranges_are_the_textbook_factors(n: int) -> None:
    x = np.random.default_rng(n).normal(10, 3, (25, n))
    means, ranges = pair(mean_and_range_charts(subgroups_of_size(x.ravel(), n)))
    grand, mean_range = x.mean(), np.ptp(x, axis=1).mean()
    a2 = 3 / (d2(n) * np.sqrt(n))
    assert (means.lower[0], means.upper[0]) == pytest.approx((grand - a2 * mean_range, grand + a2 * mean_range))
    assert ranges.centre[0] == pytest.approx(mean_range)
    assert ranges.upper[0] == pytest.approx(mean_range * (1 + 3 * d3(n) / d2(n)))
    assert ranges.lower[0] == pytest.approx(mean_range * max(0, 1 - 3 * d3(n) / d2(n)))
    np.testing.assert_allclose(ranges.points, np.ptp(x, axis=1))


@pytest.mark.parametrize("n", [2, 5, 12])
def test_means_and_deviations_are_the_textbook_factors(n: int) -> None:
    x = np.random.default_rng(n).normal(10, 3, (25, n))
    means, deviations = pair(mean_and_deviation_charts(subgroups_of_size(x.ravel(), n)))
    s = x.std(axis=1, ddof=1)
    b = 3 * np.sqrt(1 - c4(n) ** 2) / c4(n)
    assert means.upper[0] == pytest.approx(x.mean() + 3 / (c4(n) * np.sqrt(n)) * s.mean())
    assert (deviations.centre[0], deviations.lower[0], deviations.upper[0]) == pytest.approx(
        (s.mean(), max(0, 1 - b) * s.mean(), (1 + b) * s.mean())
    )
    np.testing.assert_allclose(deviations.points, s)


def test_pooled_sigma_by_hand() -> None:
    """Sums of squares 2, 8, 2, 0, 2 with 1, 2, 1, 2, 1 degrees of freedom: √(14 / 7), over c4 of 8."""
    groups = subgroups([0, 2, 0, 2, 4, 5, 7, 3, 3, 3, 8, 10], [1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5])
    process = learned(subgroup_means(groups, method="pooled"))
    assert process.sigma[0] == pytest.approx(np.sqrt(14 / 7) / c4(8))
    assert process.centre[0] == pytest.approx(47 / 12)


@pytest.mark.parametrize("method", ["R-bar/d2", "S-bar/c4", "pooled"])
def test_sigma_of_subgroups_whose_size_varies_is_that_of_the_values(method) -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(4000), rng.integers(1, 9, 4000))
    x = rng.normal(5, 2, len(labels)) + labels % 7  # the level changes between subgroups, not within
    assert learned(subgroup_means(subgroups(x, labels), method=method)).sigma[0] == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("method", ["R-bar/d2", "S-bar/c4"])
def test_weights_for_sizes_that_vary_are_a_literal_sum(method) -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(12), [2, 3, 5, 2, 4, 4, 8, 3, 2, 5, 6, 3])
    x = rng.normal(size=len(labels))
    top = bottom = 0.0
    for k in range(12):
        own = x[labels == k]
        n = len(own)
        if method == "R-bar/d2":
            weight, part = d2(n) ** 2 / d3(n) ** 2, (own.max() - own.min()) / d2(n)
        else:
            weight, part = c4(n) ** 2 / (1 - c4(n) ** 2), own.std(ddof=1) / c4(n)
        top, bottom = top + weight * part, bottom + weight
    groups = subgroups(x, labels)
    process = learned(subgroup_means(groups, method=method))
    assert process.sigma[0] == pytest.approx(top / bottom)
    chart = shewhart_means(process)
    np.testing.assert_allclose(chart.upper - chart.centre, 3 * top / bottom / np.sqrt(groups.sizes))


def test_a_subgroup_of_one_value_has_a_mean_and_no_range() -> None:
    groups = subgroups([1.0, 3.0] * 6 + [2.0], [*np.repeat(np.arange(6), 2), 6])
    means, ranges = pair(mean_and_range_charts(groups))
    assert np.isnan(ranges.points[6]) and np.isnan(ranges.upper[6])
    assert means.upper[6] - means.centre[6] == pytest.approx(3 * 2 / d2(2))


def test_an_empty_subgroup_is_no_point() -> None:
    x = np.array([1.0, 3.0] * 6 + [np.nan, np.nan])
    means, _ = pair(mean_and_range_charts(subgroups_of_size(x, 2)))
    assert np.isnan(means.points[6]) and np.isnan(means.upper[6]) and not means.outside[6]


def test_shift_and_scale_move_the_limits_alike() -> None:
    x = np.random.default_rng(5).normal(size=60)
    plain, moved = pair(individuals_charts(x))[0], pair(individuals_charts(1000 + 8 * x))[0]
    np.testing.assert_allclose(moved.upper, 1000 + 8 * plain.upper)


def test_a_target_or_sigma_that_is_known_replaces_the_learned_one() -> None:
    process = learned(individuals(np.random.default_rng(6).normal(size=30)))
    chart = shewhart_means(known_process(process, target=1.0, sigma=2.0))
    assert (chart.centre[0], chart.upper[0], chart.method) == (1.0, 7.0, "given")
    assert known_process(process, target=1.0).method == "MR-bar/d2"


def test_few_points_are_said_and_many_are_not() -> None:
    rng = np.random.default_rng(7)
    few, many = pair(individuals_charts(rng.normal(size=15)))[0], pair(individuals_charts(rng.normal(size=25)))[0]
    assert "15 points are provisional" in str(few.notes[0]) and many.notes == ()
    assert shewhart_means(given_process([1.0, 2.0], 0, 1)).notes == ()


def test_nothing_of_the_callers_is_changed_and_results_are_read_only() -> None:
    x = np.random.default_rng(8).normal(size=30)
    kept = x.copy()
    groups = subgroups_of_size(x, 3)
    chart = pair(individuals_charts(x))[0]
    pair(mean_and_range_charts(groups))
    np.testing.assert_array_equal(x, kept)
    x[0] = 99.0  # still the caller's to change
    groups.ranges[0] = 1.0
    assert chart.points[0] == kept[0]
    with pytest.raises(ValueError, match="read-only"):
        chart.upper[0] = 1.0


@pytest.mark.parametrize(
    ("values", "of", "why"),
    [
        ([1.0, 2.0] * 4, None, "at least 10 values, and there are 8"),
        ([], None, "there are 0"),
        ([5.0] * 30, None, "never change"),
        ([1.0, 2.0] * 20, phases(40, np.arange(40) < 4), "there are 4"),
        ([1.0, 2.0] * 20, phases(40, None, ["a"] * 35 + ["b"] * 5), "stage b: control limits need at least 10"),
    ],
)
def test_individuals_without_limits_say_why(values, of, why: str) -> None:
    found = individuals_charts(values, of)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        (subgroups_of_size(np.arange(8.0), 2), "at least 5 subgroups of two or more values, and there are 4"),
        (subgroups_of_size(np.arange(50.0), 1), "there are 0"),
        (subgroups_of_size(np.repeat(np.arange(10.0), 3), 3), "do not spread"),
        (subgroups([], []), "there are 0"),
    ],
)
def test_subgroups_without_limits_say_why(groups, why: str) -> None:
    for charts in (mean_and_range_charts, mean_and_deviation_charts):
        found = charts(groups)
        assert isinstance(found, NotDefined)
        assert why in str(found.reason)


def test_sigma_given_as_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        given_process([1.0], 0.0, 0.0)


def test_masks_and_labels_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"baseline must be of shape \(3,\)"):
        phases(3, [True, False])
    with pytest.raises(ValueError, match=r"stages must be of shape \(3,\)"):
        phases(3, None, ["a"])
    with pytest.raises(ValueError, match="3 points came with the phases of 2"):
        individuals([1.0, 2.0, 3.0], phases(2))
    with pytest.raises(ValueError, match="one label a value"):
        subgroups([1.0, 2.0], ["a"])
    with pytest.raises(ValueError, match="expected 1 or more"):
        subgroups_of_size([1.0], 0)


def test_subgroups_keep_the_order_in_which_they_come() -> None:
    found = subgroups([1.0, 10.0, 3.0, 20.0, np.nan, 30.0], ["z", "a", "z", "a", "m", "a"])
    np.testing.assert_array_equal(found.means, [2.0, 20.0, np.nan])
    np.testing.assert_array_equal(found.sizes, [2, 3, 0])
    assert found.deviations[1] == pytest.approx(10.0) and np.isnan(found.ranges[2])


def test_labels_may_be_numbers_texts_and_empty_in_one_column() -> None:
    mixed = np.array(["a", 3, None, "a", None, 3], dtype=object)
    of = phases(6, None, mixed)
    assert of.stage.tolist() == [0, 1, 2, 0, 2, 1]
    assert of.labels[:2] == ("a", "3")
    assert subgroups(np.arange(6.0), mixed).means.tolist() == [1.5, 3.0, 3.0]


def test_the_last_subgroup_may_be_smaller() -> None:
    found = subgroups_of_size([1.0, 2.0, 3.0, 4.0, 9.0], 2)
    assert found.sizes.tolist() == [2, 2, 1] and found.means.tolist() == [1.5, 3.5, 9.0]
