"""Indices of fitted distributions by their definition, by normal scores, and after a transformation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.capability_indices import Index, Indices, Specification, normal_indices
from core.spc.capability_sigma import Spread, overall_spread
from core.spc.distribution_fits import fit_distribution
from core.spc.distributions import Fit
from core.spc.individuals import NotDefined
from core.spc.percentiles import fitted_indices, fitted_outside, transformed_indices
from core.spc.probability_plot import ProbabilityPlot, probability_plot

WEIBULL = stats.weibull_min(1.7, scale=3).rvs(400, random_state=np.random.default_rng(2))
NORMAL = stats.norm(10, 1).rvs(300, random_state=np.random.default_rng(3))
SPEC = Specification(0.1, None, 9.0)


def fit(values: np.ndarray, key: str) -> Fit:
    found = fit_distribution(values, key)  # type: ignore[arg-type]
    assert isinstance(found, Fit)
    return found


def value(found: Index | NotDefined) -> float:
    assert isinstance(found, Index), str(found)
    return found.value


def test_percentiles_by_their_definition() -> None:
    made = fit(WEIBULL, "weibull")
    theirs = stats.weibull_min(*stats.weibull_min.fit(WEIBULL, floc=0))
    low, middle, high = theirs.ppf([0.00135, 0.5, 0.99865])
    found = fitted_indices(made, SPEC)
    assert value(found.both) == pytest.approx(8.9 / (high - low), rel=1e-3)
    assert value(found.above) == pytest.approx((9 - middle) / (high - middle), rel=1e-3)
    assert value(found.below) == pytest.approx((middle - 0.1) / (middle - low), rel=1e-3)
    assert value(found.worse) == min(value(found.above), value(found.below))
    outside = fitted_outside(made, SPEC)
    assert outside.below == pytest.approx(1e6 * theirs.cdf(0.1), rel=5e-3)
    assert outside.above == pytest.approx(1e6 * theirs.sf(9.0), rel=2e-2)
    assert found.z_bench == pytest.approx(stats.norm.isf(theirs.cdf(0.1) + theirs.sf(9.0)), rel=1e-3)
    assert isinstance(found.target, NotDefined)


def test_scores_by_their_definition() -> None:
    theirs = stats.weibull_min(*stats.weibull_min.fit(WEIBULL, floc=0))
    found = fitted_indices(fit(WEIBULL, "weibull"), SPEC, "z")
    z_low, z_high = stats.norm.ppf(theirs.cdf(0.1)), stats.norm.isf(theirs.sf(9.0))
    assert value(found.below) == pytest.approx(-z_low / 3, rel=1e-3)
    assert value(found.above) == pytest.approx(z_high / 3, rel=1e-3)
    assert value(found.both) == pytest.approx((z_high - z_low) / 6, rel=1e-3)


@pytest.mark.parametrize("method", ["percentile", "z"])
def test_of_a_normal_distribution_both_are_the_usual_indices(method: str) -> None:
    spec = Specification(6.5, None, 14.0)
    spread = overall_spread(NORMAL)
    assert isinstance(spread, Spread)
    usual = normal_indices(float(NORMAL.mean()), spread, len(NORMAL), spec)
    found = fitted_indices(fit(NORMAL, "normal"), spec, method)  # type: ignore[arg-type]
    for part in ("both", "below", "above", "worse"):
        # 0.135 % are not exactly 3 σ: 2.99998
        assert value(getattr(found, part)) == pytest.approx(value(getattr(usual, part)), rel=2e-5), part
    assert found.z_bench == pytest.approx(usual.z_bench)


def test_one_limit_and_a_limit_where_nothing_is() -> None:
    made = fit(WEIBULL, "weibull")
    one = fitted_indices(made, Specification(None, None, 9.0))
    assert isinstance(one.both, NotDefined) and isinstance(one.below, NotDefined)
    below_zero = Specification(-1.0, None, 9.0)
    assert value(fitted_indices(made, below_zero).below) > 1
    scores = fitted_indices(made, below_zero, "z")
    assert isinstance(scores.below, NotDefined) and "nothing beyond" in str(scores.below.reason)
    assert isinstance(scores.both, NotDefined)
    assert fitted_outside(made, below_zero).below == 0.0


def test_a_logarithm_by_box_cox_is_the_index_of_the_logarithms() -> None:
    x = stats.lognorm(0.4, scale=3).rvs(5_000, random_state=np.random.default_rng(9))
    made = fit(x, "box_cox")
    found = transformed_indices(made, x, Specification(0.5, None, 15.0), confidence=0.95)
    assert isinstance(found, Indices)
    logs = np.log(x)
    assert value(found.above) == pytest.approx((np.log(15) - logs.mean()) / (3 * logs.std()), rel=0.06)
    # Exactly: the definition with scipy's transformation at the same power
    y = stats.boxcox(x, dict(made.parameters)["power"])
    limit = stats.boxcox(np.array([15.0]), dict(made.parameters)["power"])[0]
    assert value(found.above) == pytest.approx((limit - y.mean()) / (3 * y.std(ddof=1)), rel=1e-9)
    assert isinstance(found.worse, Index) and found.worse.low is not None and found.worse.low < found.worse.value


def test_a_limit_that_the_transformation_does_not_take_is_refused() -> None:
    found = transformed_indices(fit(WEIBULL, "box_cox"), WEIBULL, Specification(0.0, None, 9.0), confidence=0.95)
    assert isinstance(found, NotDefined) and "a limit is 0" in str(found.reason)


def test_the_band_of_the_plot_holds_each_point_as_often_as_it_promises() -> None:
    # The band of a known distribution: the fit of very many values stands for it.
    known = fit(stats.norm(0, 1).rvs(20_000, random_state=np.random.default_rng(1)), "normal")
    rng = np.random.default_rng(4)
    hits = []
    for _ in range(400):
        plot = probability_plot(rng.normal(known.loc, known.scale, 40), known, 0.9)
        assert isinstance(plot, ProbabilityPlot)
        low, high = np.interp(plot.scores, plot.grid, plot.low), np.interp(plot.scores, plot.grid, plot.high)
        hits.append((plot.values >= low) & (plot.values <= high))
    np.testing.assert_allclose(np.mean(hits, axis=0)[[0, 5, 20, 39]], 0.9, atol=0.05)


def test_points_and_line_of_the_plot() -> None:
    plot = probability_plot(NORMAL, fit(NORMAL, "normal"), 0.95)
    assert isinstance(plot, ProbabilityPlot)
    np.testing.assert_array_equal(plot.values, np.sort(NORMAL))
    np.testing.assert_allclose(plot.scores, stats.norm.ppf((np.arange(1, 301) - 0.375) / 300.25))
    np.testing.assert_allclose(plot.line, NORMAL.mean() + NORMAL.std(ddof=1) * plot.grid)
    many = probability_plot(np.arange(50_000.0), fit(NORMAL, "normal"), 0.95)
    assert isinstance(many, ProbabilityPlot) and len(many.values) == 2_000 and many.values[[0, -1]].tolist() == [0.0, 49_999.0]
    assert isinstance(probability_plot(np.array([1.0]), fit(NORMAL, "normal"), 0.95), NotDefined)
