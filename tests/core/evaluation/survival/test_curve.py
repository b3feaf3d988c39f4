"""The survival curve against published data worked by hand, scipy's own reading of ties, and cases at the edge."""

import numpy as np
import pytest

from core.evaluation.survival import survival_curve

# Remission of 21 patients on 6-mercaptopurine, in weeks: Freireich et al., Blood 21, 1963; used by Gehan 1965 and Cox 1972.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_the_leukaemia_curve_is_the_product_worked_by_hand() -> None:
    curve = survival_curve(WEEKS, RELAPSED)
    assert (curve.n, curve.n_failed) == (21, 9)
    share, right = 1.0, {}
    for week, failed, at_risk in [(6, 3, 21), (7, 1, 17), (10, 1, 15), (13, 1, 12), (16, 1, 11), (22, 1, 7), (23, 1, 6)]:
        share *= 1 - failed / at_risk
        right[week] = (share, at_risk, failed)
    assert round(share, 3) == 0.448  # the end of the curve in every textbook
    for week, (wanted, at_risk, failed) in right.items():
        place = curve.ages.tolist().index(week)
        assert curve.survival[place] == pytest.approx(wanted)
        assert (curve.at_risk[place], curve.failures[place]) == (at_risk, failed)
    assert curve.running_at.tolist() == [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_its_band_and_median_are_those_of_lifelines() -> None:
    # lifelines 0.30 (KaplanMeierFitter, log-log Greenwood bounds; median_survival_times of them), computed apart from this code.
    curve = survival_curve(WEEKS, RELAPSED)
    for week, low, high in [(6, 0.619718, 0.951552), (13, 0.431610, 0.849066), (23, 0.188052, 0.680143)]:
        place = curve.ages.tolist().index(week)
        assert (curve.low[place], curve.high[place]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert (curve.median.value, curve.median.low, curve.median.high) == (23, 13, None)


def test_the_curve_is_read_between_its_steps() -> None:
    curve = survival_curve([2, 4, 6], [True, False, True])
    np.testing.assert_allclose(curve.at([0, 1.9, 2, 5, 6, 99]), [1, 1, 2 / 3, 2 / 3, 0, 0])
    open_ended = survival_curve([2, 4], [True, False])
    assert open_ended.at(4) == 0.5 and np.isnan(open_ended.at(4.1)), "nothing is known beyond the last age"


def test_exactly_one_half_left_is_the_median() -> None:
    assert survival_curve([1, 2, 3, 4], [True] * 4).median.value == 2
    assert survival_curve([5, 3], [True, True]).median.value == 3


@pytest.mark.parametrize(
    ("ages", "failed", "survival"),
    [
        ([5.0], [True], [0.0]),
        ([5.0, 5.0], [True, True], [0.0]),
        ([5.0, 5.0], [True, False], [0.5]),
        ([0.0, 3.0, 2.0], [True, True, False], [2 / 3, 2 / 3, 0.0]),
        ([np.nan, 3.0], [True, True], [0.0]),
    ],
)
def test_few_units_ties_and_lives_of_zero(ages: list[float], failed: list[bool], survival: list[float]) -> None:
    curve = survival_curve(ages, failed)
    np.testing.assert_allclose(curve.survival, survival)
    assert np.isnan(curve.low[-1]) == (survival[-1] == 0), "where nobody is left there is no band"


def test_without_a_failure_or_a_unit_the_median_says_why_not() -> None:
    none = survival_curve([3.0, 4.0], [False, False])
    assert none.survival.tolist() == [1, 1] and np.isnan(none.low).all()
    assert none.median.value is None and "still run" in str(none.median.why_not)
    empty = survival_curve([], [])
    assert empty.n == 0 and len(empty.ages) == 0 and np.isnan(empty.at(1.0))
    assert str(empty.median.why_not) == "There is no unit with a known age."
