"""The Weibull fit against published examples, scipy's own fit, and a likelihood looked over point by point."""

import math

import numpy as np
import pytest
from scipy.stats import CensoredData, chi2, weibull_min

from core.evaluation.survival import Weibull, fit_weibull, plotting_positions

# NIST/SEMATECH e-Handbook 8.2.2.1 and 8.4.1.3: 20 units, 10 failures, the others taken off at 500 hours.
NIST = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386, *[500] * 10]
NIST_FAILED = [True] * 10 + [False] * 10


def test_the_example_of_the_nist_handbook() -> None:
    fit = fit_weibull(NIST, NIST_FAILED)
    assert fit.curve is not None
    assert round(fit.curve.shape, 4) == 1.7208
    assert fit.curve.scale == pytest.approx(606.5280, abs=0.001)
    assert fit.curve.scale * math.gamma(1 + 1 / fit.curve.shape) == pytest.approx(540.737, abs=0.001)
    assert (fit.n, fit.n_failed, fit.why_not) == (20, 10, None)


def test_a_complete_sample_published_by_reliawiki() -> None:
    fit = fit_weibull([10, 20, 30, 40, 50], [True] * 5)  # "Likelihood Ratio Bounds on Parameters": 2.2938 and 33.9428
    assert fit.shape.value == pytest.approx(2.2938, abs=5e-5) and fit.scale.value == pytest.approx(33.9428, rel=5e-6)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_fit_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lives, ends = weibull_min.rvs((0.7, 1.5, 3.0, 8.0)[seed], scale=1e4, size=60, random_state=rng), rng.uniform(2e3, 2e4, 60)
    ages, failed = np.minimum(lives, ends), lives <= ends
    ours = fit_weibull(ages, failed).curve
    data = CensoredData(uncensored=ages[failed] / 1e4, right=ages[~failed] / 1e4)
    shape, _, scale = weibull_min.fit(data, floc=0)
    assert ours is not None
    assert ours.shape == pytest.approx(shape, rel=1e-3) and ours.scale == pytest.approx(scale * 1e4, rel=1e-3)


def _log_likelihood(shape: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Of the NIST data, from the densities of scipy: failures count with their density, the others with their survival."""
    total = np.zeros(np.broadcast(shape, scale).shape)
    for age, failed in zip(NIST, NIST_FAILED, strict=True):
        total += (weibull_min.logpdf if failed else weibull_min.logsf)(age, shape, scale=scale)
    return total


def test_the_intervals_are_where_the_likelihood_has_fallen_by_what_95_percent_allow() -> None:
    # A fine grid over both parameters: an interval is the range of the figure over all points that are likely enough.
    fit = fit_weibull(NIST, NIST_FAILED)
    shape, scale = np.meshgrid(np.linspace(0.7, 3.2, 1501), np.exp(np.linspace(np.log(350), np.log(1500), 1501)))
    likely = _log_likelihood(shape, scale)
    inside = likely > likely.max() - chi2.ppf(0.95, 1) / 2
    b10 = scale * (-np.log(0.9)) ** (1 / shape)
    for found, values in ((fit.shape, shape), (fit.scale, scale), (fit.b10, b10)):
        assert found.low == pytest.approx(values[inside].min(), rel=0.005)
        assert found.high == pytest.approx(values[inside].max(), rel=0.005)


def test_95_percent_intervals_hold_the_truth_about_so_often() -> None:
    rng = np.random.default_rng(5)
    held = [0, 0]
    for _ in range(300):
        lives = weibull_min.rvs(2.0, scale=100.0, size=25, random_state=rng)
        fit = fit_weibull(np.minimum(lives, 120), lives <= 120)
        held[0] += fit.shape.low < 2.0 < fit.shape.high  # type: ignore[operator]
        held[1] += fit.b10.low < 100 * (-np.log(0.9)) ** 0.5 < fit.b10.high  # type: ignore[operator]
    assert all(270 <= n <= 297 for n in held), held  # 285 wanted; within about four standard deviations


def test_what_the_shape_says() -> None:
    rng = np.random.default_rng(1)
    said = [str(fit_weibull(weibull_min.rvs(k, size=200, random_state=rng), [True] * 200).meaning) for k in (0.5, 1.0, 3.0)]
    assert said[0].startswith("Early failures") and said[1].startswith("No clear effect") and said[2].startswith("Wear-out")


def test_chance_to_last_and_ages() -> None:
    one = Weibull(1.0, 50.0)  # no ageing: the same chance at every age
    np.testing.assert_allclose(one.chance_to_last([0.0, 10.0, 500.0], 25.0), math.exp(-0.5))
    two = Weibull(2.0, 100.0)
    assert two.chance_to_last(50.0, 30.0) == pytest.approx(two.survival(80.0) / two.survival(50.0))
    assert two.survival(two.age_at(0.1)) == pytest.approx(0.9)
    assert Weibull(400.0, 10.0).chance_to_last(90.0, 1.0) == 0, "far beyond all lives, where powers overflow"


def test_the_band_of_the_plot_is_the_standard_error_of_the_scale_at_the_scale() -> None:
    fit = fit_weibull(NIST, NIST_FAILED)
    low, high = fit.age_band([1 - math.exp(-1), 0.1])
    error = 124.910637 / 606.527535  # lifelines 0.30: standard error of the scale over the scale
    assert low[0] == pytest.approx(606.5275 * math.exp(-1.959964 * error), rel=1e-3)
    assert high[0] == pytest.approx(606.5275 * math.exp(1.959964 * error), rel=1e-3)
    assert low[1] < fit.b10.value < high[1]  # type: ignore[operator]
    assert np.isnan(fit_weibull([], []).age_band([0.5])).all()


def test_draws_spread_as_the_likelihood_does() -> None:
    fit = fit_weibull(NIST, NIST_FAILED)
    shapes = [d.shape for d in fit.draws(4000)]
    # log shape ± 1.96 sd of the information; lifelines 0.30's standard error of the shape is 0.50215.
    assert np.std(np.log(shapes)) == pytest.approx(0.50215 / 1.7208, rel=0.05)
    assert fit.draws(3) == fit.draws(3)


@pytest.mark.parametrize(
    ("ages", "failed", "why"),
    [
        ([], [], "at least 2 failures; there are 0"),
        ([3.0, 4.0], [False, False], "at least 2 failures; there are 0"),
        ([3.0, 4.0], [True, False], "at least 2 failures; there is 1"),
        ([5.0, 5.0, 5.0], [True, True, True], "same age"),
        ([0.0, 0.0, 3.0], [True, True, True], "there is 1"),
        ([np.nan, 2.0], [True, True], "there is 1"),
    ],
)
def test_what_no_curve_describes_says_why(ages: list[float], failed: list[bool], why: str) -> None:
    fit = fit_weibull(ages, failed)
    assert fit.curve is None and why in str(fit.why_not) and fit.draws() == ()
    assert fit.shape.value is fit.scale.value is fit.b10.value is None


def test_two_failures_are_enough_and_called_rough_and_zero_lives_are_left_out() -> None:
    fit = fit_weibull([3.0, 4.0, 0.0, 0.0], [True, True, True, False])
    assert fit.curve is not None and (fit.n, fit.n_failed, fit.n_zero) == (2, 2, 1)
    assert [str(n) for n in fit.notes] == [
        "The Weibull curve rests on 2 failures: it is rough.",
        "1 unit failed at age 0 and is not part of the Weibull curve.",
    ]
    assert fit_weibull([3.0, 4.0], [True, True]).curve == fit.curve


def test_the_unit_of_the_ages_changes_nothing_but_the_scale() -> None:
    small, large = (fit_weibull(np.array(NIST) * unit, NIST_FAILED) for unit in (1e-9, 1e9))
    assert small.shape.low == pytest.approx(large.shape.low) and small.shape.high == pytest.approx(large.shape.high)
    assert large.b10.high == pytest.approx(small.b10.high * 1e18)  # type: ignore[operator]


def test_plotting_positions_of_a_published_table() -> None:
    # Kececioglu, Reliability & Life Testing Handbook 2, 1994, table 3.1 (quoted by ReliaWiki): 12.94, 36.1 and 70.84 %.
    ages, share = plotting_positions([5100, 9500, 15000, 22000, 40000], [True, False, True, False, True])
    assert ages.tolist() == [5100, 15000, 40000]
    np.testing.assert_allclose(100 * share, [12.94, 36.1, 70.84], atol=0.03)
    # Without units that still run: (i - 0.3)/(n + 0.4), as in the NIST handbook.
    np.testing.assert_allclose(plotting_positions([7, 3, 5], [True] * 3)[1], (np.array([1, 2, 3]) - 0.3) / 3.4)
    assert plotting_positions([], [])[0].size == plotting_positions([3.0], [False])[1].size == 0
    assert plotting_positions([0.0, 2.0], [True, True])[0].tolist() == [2.0]
