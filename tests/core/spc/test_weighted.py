"""EWMA and CUSUM against literal loops and published run lengths."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.chart import phases
from core.spc.individuals import NotDefined
from core.spc.subgroups import subgroups
from core.spc.variables import given_process, individuals, subgroup_means
from core.spc.weighted import cusum_charts, ewma_chart


def loop_ewma(x, centre, sigma, sizes, weight, width):
    """The recursion of value and variance, step by step."""
    z, v, points, upper = centre, 0.0, [], []
    for value, n in zip(x, sizes, strict=True):
        if np.isnan(value):
            points.append(np.nan)
            upper.append(np.nan)
            continue
        z = weight * value + (1 - weight) * z
        v = weight**2 * sigma**2 / n + (1 - weight) ** 2 * v
        points.append(z)
        upper.append(centre + width * np.sqrt(v))
    return np.array(points), np.array(upper)


def loop_cusum(y, h, k, start=0.0):
    """The two sums, step by step, with the first signal."""
    high = low = start
    highs, lows = [], []
    for value in y:
        if np.isnan(value):
            highs.append(np.nan)
            lows.append(np.nan)
            continue
        high, low = max(0.0, high + value - k), max(0.0, low - value - k)
        highs.append(high)
        lows.append(low)
    return np.array(highs), np.array(lows)


@pytest.fixture
def values() -> np.ndarray:
    rng = np.random.default_rng(0)
    x = 50 + 2 * rng.normal(size=300)
    x[150:] += 2
    x[rng.random(300) < 0.05] = np.nan
    return x


@pytest.mark.parametrize("weight", [0.05, 0.4, 1.0])
def test_ewma_is_the_recursion_with_exact_limits_for_sizes_that_vary(values, weight: float) -> None:
    sizes = np.random.default_rng(1).integers(1, 6, 300)
    chart = ewma_chart(given_process(values, 50, 2, sizes=sizes), weight=weight, width=2.8)
    points, upper = loop_ewma(values, 50.0, 2.0, sizes, weight, 2.8)
    np.testing.assert_allclose(chart.points, points)
    np.testing.assert_allclose(chart.upper, upper)
    np.testing.assert_allclose(chart.lower, 100 - upper)
    assert chart.outside[150:].mean() > chart.outside[:150].mean()


def test_ewma_limits_of_one_size_are_the_closed_form() -> None:
    chart = ewma_chart(given_process(np.zeros(30), 0, 1.5), weight=0.25)
    i = np.arange(1, 31)
    np.testing.assert_allclose(chart.upper, 3 * 1.5 * np.sqrt(0.25 / 1.75 * (1 - 0.75 ** (2 * i))))


def test_a_weight_of_one_is_the_shewhart_chart(values) -> None:
    chart = ewma_chart(given_process(values, 50, 2), weight=1.0)
    np.testing.assert_allclose(chart.points, values)
    assert np.nanmax(np.abs(chart.upper - 56)) < 1e-12


def test_sigma_and_centre_come_from_the_baseline() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(10, 1, 80)
    process = individuals(x, phases(80, np.arange(80) < 40))
    assert not isinstance(process, NotDefined)
    chart, alone = ewma_chart(process), individuals(x[:40])
    assert not isinstance(alone, NotDefined)
    assert (chart.centre[79], chart.sigma[79]) == (alone.centre[0], alone.sigma[0])


def test_means_of_subgroups_are_judged_by_their_size() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(30), rng.integers(2, 6, 30))
    groups = subgroups(rng.normal(size=len(labels)), labels)
    process = subgroup_means(groups)
    assert not isinstance(process, NotDefined)
    chart = ewma_chart(process, weight=1.0)
    np.testing.assert_allclose(chart.upper - chart.centre, 3 * process.sigma[0] / np.sqrt(groups.sizes))
    high, _ = cusum_charts(process)
    y = (groups.means - process.centre[0]) * np.sqrt(groups.sizes) / process.sigma[0]
    np.testing.assert_allclose(high.points, loop_cusum(y, 5, 0.5)[0], atol=1e-12)


@pytest.mark.parametrize("head_start", [0.0, 2.5])
def test_cusum_is_the_recursion(values, head_start: float) -> None:
    high, low = cusum_charts(given_process(values, 50, 2), head_start=head_start)
    highs, lows = loop_cusum((values - 50) / 2, 5, 0.5, head_start)
    np.testing.assert_allclose(high.points, highs, atol=1e-9)
    np.testing.assert_allclose(low.points, -lows, atol=1e-9)
    np.testing.assert_array_equal(high.outside, np.nan_to_num(highs) > 5)
    np.testing.assert_array_equal(low.outside, np.nan_to_num(lows) > 5)
    assert (high.upper == 5).all() and np.isnan(high.lower).all() and (low.lower == -5).all() and np.isnan(low.upper).all()


def test_cusum_stays_exact_over_a_million_points() -> None:
    """The running sum goes far away; its difference to the running minimum must not lose digits that matter."""
    x = np.full(1_000_000, -3.0)
    x[-3:] = [1.5, 2.0, 0.5]
    high, _ = cusum_charts(given_process(x, 0, 1))
    np.testing.assert_allclose(high.points[-4:], [0, 1, 2.5, 2.5], atol=1e-8)


def test_both_start_anew_with_a_stage() -> None:
    x = np.array([3.0] * 10 + [3.0] * 10)
    of = phases(20, None, ["a"] * 10 + ["b"] * 10)
    process = given_process(x, 0, 1, of)
    high, _ = cusum_charts(process)
    np.testing.assert_array_equal(high.points[:10], high.points[10:])
    smooth = ewma_chart(process)
    np.testing.assert_array_equal(smooth.points[:10], smooth.points[10:])
    np.testing.assert_array_equal(smooth.upper[:10], smooth.upper[10:])


@pytest.mark.parametrize(
    ("shift", "h", "published", "within"), [(1.0, 5.0, 10.4, 0.35), (1.0, 4.0, 8.38, 0.3), (0.0, 5.0, 465, 60)]
)
def test_run_lengths_of_the_cusum_are_as_published(shift: float, h: float, published: float, within: float) -> None:
    """Montgomery (2013), section 9.1.3, k = 0.5: 465 without a shift at h = 5; after one of one sigma 10.4 at h = 5 and 8.38 at h = 4; quoted
    in github.com/kgdunn/process-improve, tests of the CUSUM chart. Tolerances are about three standard errors."""
    rng, lengths = np.random.default_rng(4), []
    long, runs = (100, 2500) if shift else (6000, 600)
    for _ in range(runs):
        high, low = cusum_charts(given_process(rng.normal(shift, 1, long), 0, 1), interval=h)
        marks = np.flatnonzero(high.outside | low.outside)
        lengths.append(int(marks[0]) + 1 if len(marks) else long)
    assert np.mean(lengths) == pytest.approx(published, abs=within)


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"weight": 1.1}, {"width": 0.0}])
def test_ewma_settings_out_of_range_are_refused(settings) -> None:
    with pytest.raises(ValueError, match="expected a weight above 0"):
        ewma_chart(given_process([1.0], 0, 1), **settings)


@pytest.mark.parametrize("settings", [{"interval": 0.0}, {"allowance": -0.1}, {"head_start": 6.0}])
def test_cusum_settings_out_of_range_are_refused(settings) -> None:
    with pytest.raises(ValueError, match="expected h above 0"):
        cusum_charts(given_process([1.0], 0, 1), **settings)


def test_no_points_give_empty_charts() -> None:
    process = given_process([], 0, 1)
    assert len(ewma_chart(process).points) == 0 and len(cusum_charts(process)[0].points) == 0
