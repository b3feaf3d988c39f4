"""Published worked examples, recomputed from their data and equal to the digits that are printed there.

NIST: NIST/SEMATECH e-Handbook of Statistical Methods, chapter 6 (https://www.itl.nist.gov/div898/handbook/pmc/); data and printed values
as they are quoted, with their section, in test files of public repositories.
QCC: Scrucca, "A quick tour of qcc" (2018), printed output, in github.com/luca-scr/qcc, docs/articles/qcc_a_quick_tour.html; its data in
data/*.txt there, taken from Montgomery, Introduction to Statistical Quality Control (2nd ed., 1991), and Ryan (2000).
"""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.attributes import defectives_chart, defects_chart
from core.spc.chart import Chart, phases
from core.spc.constants import d2
from core.spc.individuals import NotDefined
from core.spc.subgroups import subgroups, subgroups_of_size
from core.spc.validation.data import (
    BOILER,
    CIRCUITS,
    COMPUTERS,
    CUSUM,
    CUSUM_HIGH,
    CUSUM_LOW,
    EWMA,
    EWMA_PRINTED,
    FLOWRATE,
    MONTGOMERY_9_1,
    MONTGOMERY_UPPER,
    ORANGE_JUICE,
    RINGS,
    RYAN_1,
    RYAN_2,
    VISCOSITY,
    WAFERS,
)
from core.spc.variables import (
    given_process,
    individuals,
    individuals_charts,
    known_process,
    mean_and_deviation_charts,
    mean_and_range_charts,
    shewhart_means,
    subgroup_means,
)
from core.spc.vectors import mewma_limit, t2_individuals, t2_limits, t2_subgroups
from core.spc.weighted import cusum_charts, ewma_chart


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def charts(found: tuple[Chart, Chart] | NotDefined) -> tuple[Chart, Chart]:
    assert not isinstance(found, NotDefined), str(found.reason)
    return found


def chart(found: Chart | NotDefined) -> Chart:
    assert isinstance(found, Chart), str(found)
    return found


def ends(one: Chart, i: int = 0) -> list[float]:
    return [float(one.lower[i]), float(one.upper[i])]


def test_nist_6_3_2_2_individuals() -> None:
    single, ranges = charts(individuals_charts(FLOWRATE))
    assert single.centre[0] == pytest.approx(50.81, abs=5e-5)
    assert ranges.centre[0] == pytest.approx(1.8778, abs=5e-5)
    # The handbook divides by 1.128, d2 of three decimals; with it the printed digits come out.
    assert 50.81 + (single.upper[0] - 50.81) * d2(2) / 1.128 == pytest.approx(55.8041, abs=6e-5)
    assert 50.81 + (single.lower[0] - 50.81) * d2(2) / 1.128 == pytest.approx(45.8159, abs=6e-5)
    assert not single.outside.any() and not ranges.outside.any()  # "the process is in control"


def test_nist_6_3_2_4_ewma() -> None:
    found = ewma_chart(given_process(EWMA, target=50, sigma=2.0539), weight=0.3)
    np.testing.assert_allclose(found.points, EWMA_PRINTED, atol=5.01e-3)
    # Steady state; the handbook computes with 0.4201 for the root, which moves the fourth decimal.
    assert (found.upper[-1], found.lower[-1]) == pytest.approx((52.5884, 47.4115), abs=2e-4)
    assert not found.outside.any()


def test_nist_6_3_2_3_cusum() -> None:
    sigma = 0.635
    high, low = cusum_charts(given_process(CUSUM, target=325, sigma=sigma), allowance=0.3175 / sigma, interval=4.1959 / sigma)
    # The handbook rounds each row to two decimals and half a unit either way.
    np.testing.assert_allclose(high.points * sigma, CUSUM_HIGH, atol=7.6e-3)
    np.testing.assert_allclose(-low.points * sigma, CUSUM_LOW, atol=7.6e-3)
    assert np.flatnonzero(high.outside)[0] == 13 and not low.outside.any()  # "out of control at group 14"


def test_nist_6_3_3_1_counts_of_defects() -> None:
    found = chart(defects_chart(WAFERS, kind="c"))
    assert (found.centre[0], *ends(found)) == pytest.approx((16, 4, 28), abs=1e-9)
    assert np.flatnonzero(found.outside).tolist() == [23]  # 31 lies above 28; 28 itself lies on the limit


def test_montgomery_example_9_1_tabular_cusum() -> None:
    """Quoted in github.com/kgdunn/process-improve, tests of the CUSUM chart: printed sums of periods 1 to 29, and the signal."""
    high, _ = cusum_charts(given_process(MONTGOMERY_9_1, target=10, sigma=1))
    np.testing.assert_allclose(high.points[:29], MONTGOMERY_UPPER, atol=5.01e-3)
    assert np.flatnonzero(high.outside)[0] == 28


def test_qcc_piston_rings_mean_range_and_deviation() -> None:
    groups = subgroups_of_size(numbers(RINGS), 5)
    of = phases(40, np.arange(40) < 25)
    means, ranges = charts(mean_and_range_charts(groups, of))
    assert means.centre[0] == pytest.approx(74.00118, abs=5.01e-6)
    # qcc divides by 2.326, d2 of three decimals.
    assert means.sigma[0] * d2(5) / 2.326 == pytest.approx(0.009785039, abs=5.01e-10)
    assert ends(means) == pytest.approx([73.98805, 74.0143], abs=5.01e-6)
    assert (ranges.centre[0], ranges.lower[0]) == pytest.approx((0.02276, 0), abs=5.01e-10)
    assert 0.02276 + (ranges.upper[0] - 0.02276) * d2(5) / 2.326 == pytest.approx(
        0.04812533, abs=1.1e-7
    )  # d3 there is 0.864086
    _, deviations = charts(mean_and_deviation_charts(groups, of))
    assert (deviations.centre[0], deviations.sigma[0]) == pytest.approx((0.009240037, 0.009829977), abs=5.01e-10)
    assert ends(deviations) == pytest.approx([0, 0.01930242], abs=5.01e-9)


def test_qcc_piston_rings_with_sizes_that_differ() -> None:
    rows = np.setdiff1d(np.arange(125), np.array([9, 10, 30, 35, 45, 64, 65, 74, 75, 85, 99, 100]) - 1)
    groups = subgroups(numbers(RINGS)[rows], rows // 5)
    process = subgroup_means(groups)
    assert not isinstance(process, NotDefined)
    assert process.centre[0] == pytest.approx(74.00075, abs=5.01e-6)
    # qcc's default sigma here is the plain mean of R / d2 (0.009856701); ours is weighted, so the printed one is given.
    found = shewhart_means(given_process(groups.means, float(process.centre[0]), 0.009856701, sizes=groups.sizes))
    assert ends(found, 0) == pytest.approx([73.98753, 74.01398], abs=5.01e-6)
    assert ends(found, 1) == pytest.approx([73.98368, 74.01782], abs=5.01e-6)


def test_qcc_orange_juice_shares_and_numbers() -> None:
    first = phases(54, np.arange(54) < 30)
    share = chart(defectives_chart(ORANGE_JUICE, 50, first))
    assert (share.centre[0], share.sigma[0], *ends(share)) == pytest.approx(
        (0.2313333, 0.421685, 0.05242755, 0.4102391), abs=5.01e-7
    )
    number = chart(defectives_chart(ORANGE_JUICE, 50, first, kind="np"))
    assert (number.centre[0], *ends(number)) == pytest.approx((11.56667, 2.621377, 20.51196), abs=5.01e-6)
    # Samples 15 and 23 left out of the baseline, as printed there; frozen limits judge the later samples.
    again = chart(defectives_chart(ORANGE_JUICE, 50, phases(54, (np.arange(54) < 30) & ~np.isin(np.arange(54), [14, 22]))))
    assert (again.centre[53], *ends(again, 53)) == pytest.approx((0.215, 0.04070284, 0.3892972), abs=5.01e-8)


def test_qcc_circuits_and_computers_defects() -> None:
    first = np.arange(46) < 26
    found = chart(defects_chart(CIRCUITS, 100, phases(46, first), kind="c"))
    assert (found.centre[0], *ends(found)) == pytest.approx((19.84615, 6.481447, 33.21086), abs=5.01e-6)
    assert np.flatnonzero(found.outside[:26]).tolist() == [5, 19]
    kept = phases(46, first & ~np.isin(np.arange(46), [5, 19]))
    rate = chart(defects_chart(CIRCUITS, 100, kept, kind="u"))
    assert (rate.centre[30], *ends(rate, 30)) == pytest.approx((0.1966667, 0.06362532, 0.329708), abs=5.01e-7)
    units = chart(defects_chart(COMPUTERS, 5, kind="u"))
    assert (units.centre[0], units.sigma[0], *ends(units)) == pytest.approx((1.93, 1.389244, 0.06613305, 3.793867), abs=5.01e-7)


def test_qcc_viscosity_individuals_and_ewma() -> None:
    process = individuals(VISCOSITY)
    assert not isinstance(process, NotDefined)
    found = shewhart_means(process)
    assert found.centre[0] == pytest.approx(33.52333, abs=5.01e-6)
    # qcc divides by 1.128, d2 of three decimals; the rest goes on from its sigma.
    sigma = float(found.sigma[0]) * d2(2) / 1.128
    assert sigma == pytest.approx(0.4261651, abs=5.01e-8)
    known = known_process(process, sigma=sigma)
    assert ends(shewhart_means(known)) == pytest.approx([32.24484, 34.80183], abs=5.01e-6)
    smooth = ewma_chart(known, weight=0.2, width=2.7)
    assert ends(smooth, 0) == pytest.approx([33.29320, 33.75346], abs=5.01e-6)
    assert ends(smooth, 1) == pytest.approx([33.22862, 33.81804], abs=5.01e-6)
    assert ends(smooth, 14) == pytest.approx([33.14002, 33.90664], abs=5.01e-6)


def test_qcc_piston_rings_ewma() -> None:
    process = subgroup_means(subgroups_of_size(numbers(RINGS), 5), phases(40, np.arange(40) < 25), "R-bar/d2")
    assert not isinstance(process, NotDefined)
    found = ewma_chart(process, weight=0.2, width=3)
    assert ends(found, 0) == pytest.approx([73.99855, 74.00380], abs=5.01e-6)
    assert ends(found, 1) == pytest.approx([73.99781, 74.00454], abs=5.01e-6)
    assert ends(ewma_chart(process, weight=0.2, width=2.7), 39) == pytest.approx([73.99724, 74.00511], abs=5.01e-6)


def test_qcc_ryan_t2_of_subgroups() -> None:
    table = np.column_stack([numbers(RYAN_1), numbers(RYAN_2)])
    found = chart(t2_subgroups(table, np.tile(np.arange(20), 4), alpha=1 - 0.9973**2))
    five = np.quantile(found.points, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(five, [0.12429, 1.32496, 2.50272, 5.34912, 63.76042], atol=5.01e-6)
    assert found.upper[0] == pytest.approx(11.03976, abs=5.01e-6)
    assert t2_limits(20, 2, 4, 1 - 0.9973**2)[1] == pytest.approx(12.20184, abs=5.01e-6)


def test_qcc_boiler_t2_of_individuals() -> None:
    found = chart(t2_individuals(numbers(BOILER).reshape(25, 8), alpha=0.001))
    five = np.quantile(found.points, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(five, [1.316342, 5.305689, 7.074224, 9.775744, 17.575293], atol=5.01e-7)
    assert found.upper[0] == pytest.approx(17.41705, abs=5.01e-6)
    assert t2_limits(25, 8, 1, 0.001)[1] == pytest.approx(70.02943, abs=5.01e-6)


def test_mewma_limits_of_rigdon_and_knoth() -> None:
    """Rigdon (1995), p. 358, table 1, and Knoth (2017), p. 82, table 2, quoted in the manual of the R package spc, `mewma.crit`."""
    assert mewma_limit(4, 0.25, 500.0) == pytest.approx(16.38, abs=5.01e-3)
    limits = [mewma_limit(3, weight, 1000.0) for weight in (0.25, 0.2, 0.15, 0.1, 0.05)]
    assert limits == pytest.approx([15.82, 15.62, 15.31, 14.76, 13.60], abs=5.01e-3)
