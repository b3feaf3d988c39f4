"""Fits against scipy's own, recovered truth, the rule of choice, transformations by their exact inverses, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.distribution_fits import CATALOGUE, Choice, DistributionKey, choose, fit_all, fit_distribution
from core.spc.distributions import Curve, Fit
from core.spc.individuals import NotDefined
from core.spc.normality import Normality, normality
from core.spc.transformations import johnson_curve

RNG = np.random.default_rng(21)
POSITIVE = stats.gamma(3, scale=2).rvs(400, random_state=RNG)
SKEWED = 5 + stats.weibull_min(1.6, scale=3).rvs(600, random_state=RNG)


def fit(values: np.ndarray, key: DistributionKey) -> Fit:
    found = fit_distribution(values, key)
    assert isinstance(found, Fit), str(found)
    return found


def chosen(values: np.ndarray) -> Choice:
    test = normality(values)
    assert isinstance(test, Normality)
    found = choose(fit_all(values), test)
    assert isinstance(found, Choice)
    return found


def frozen(key: DistributionKey, x: np.ndarray) -> object:
    """scipy's own maximum likelihood fit."""
    logs = np.log(x)
    return {
        "normal": lambda: stats.norm(x.mean(), x.std(ddof=1)),
        "lognormal": lambda: stats.lognorm(logs.std(ddof=1), 0, np.exp(logs.mean())),
        "exponential": lambda: stats.expon(0, x.mean()),
        "weibull": lambda: stats.weibull_min(*stats.weibull_min.fit(x, floc=0)),
        "gamma": lambda: stats.gamma(*stats.gamma.fit(x, floc=0)),
        "logistic": lambda: stats.logistic(*stats.logistic.fit(x)),
        "loglogistic": lambda: stats.fisk(*stats.fisk.fit(x, floc=0)),
        "smallest_extreme": lambda: stats.gumbel_l(*stats.gumbel_l.fit(x)),
        "largest_extreme": lambda: stats.gumbel_r(*stats.gumbel_r.fit(x)),
    }[key]()  # type: ignore[index]


@pytest.mark.parametrize(
    "key",
    [
        "normal",
        "lognormal",
        "exponential",
        "weibull",
        "gamma",
        "logistic",
        "loglogistic",
        "smallest_extreme",
        "largest_extreme",
    ],
)
def test_fits_are_those_of_scipy(key: DistributionKey) -> None:
    found, theirs = fit(POSITIVE, key), frozen(key, POSITIVE)
    at = np.linspace(0.05, 25, 40)
    np.testing.assert_allclose(found.density(at), theirs.pdf(at), rtol=5e-3, atol=1e-7)  # type: ignore[attr-defined]
    np.testing.assert_allclose([found.below(v) for v in at], theirs.cdf(at), rtol=5e-3, atol=1e-7)  # type: ignore[attr-defined]
    np.testing.assert_allclose([found.above(v) for v in at], theirs.sf(at), rtol=2e-2, atol=1e-9)  # type: ignore[attr-defined]
    shares = [0.00135, 0.3, 0.5, 0.99865]
    np.testing.assert_allclose(found.quantile(shares), theirs.ppf(shares), rtol=5e-3)  # type: ignore[attr-defined]
    assert found.log_likelihood >= theirs.logpdf(POSITIVE).sum() - 1e-3  # type: ignore[attr-defined]
    # A² by its definition, from scipy's distribution function
    ordered, n = np.sort(POSITIVE), len(POSITIVE)
    low, high = theirs.logcdf(ordered), theirs.logsf(ordered)  # type: ignore[attr-defined]
    a2 = -n - ((2 * np.arange(1, n + 1) - 1) * (low + high[::-1])).sum() / n
    assert found.a2 == pytest.approx(a2, rel=2e-2)


@pytest.mark.parametrize("key", list(CATALOGUE))
def test_density_share_quantile_and_score_belong_together(key: DistributionKey) -> None:
    found = fit(SKEWED if key in ("weibull3", "lognormal3") else POSITIVE, key)
    shares = np.array([1e-6, 0.00135, 0.2, 0.5, 0.8, 0.99865, 1 - 1e-6])
    at = found.quantile(shares)
    np.testing.assert_allclose([found.below(v) for v in at], shares, rtol=1e-6)
    np.testing.assert_allclose([found.above(v) for v in at], 1 - shares, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.scores(at), stats.norm.ppf(shares), atol=1e-6)
    grid = np.linspace(at[1], at[5], 20_001)
    assert np.trapezoid(found.density(grid), grid) == pytest.approx(0.99865 - 0.00135, abs=1e-4)


@pytest.mark.parametrize(
    ("key", "values", "threshold"),
    [
        ("weibull3", SKEWED, 5.0),
        ("lognormal3", 20 + stats.lognorm(0.6, scale=3).rvs(800, random_state=np.random.default_rng(4)), 20.0),
    ],
)
def test_a_threshold_is_found_and_is_a_maximum(key: DistributionKey, values: np.ndarray, threshold: float) -> None:
    found = fit(values, key)
    at = dict(found.parameters)["threshold"]
    assert at == pytest.approx(threshold, abs=0.6) and at < values.min()
    family = stats.weibull_min if key == "weibull3" else stats.lognorm
    for other in (at - 0.3, min(at + 0.15, values.min() - 1e-3)):
        assert found.log_likelihood > family.logpdf(values, *family.fit(values, floc=other)).sum()


def test_values_with_an_end_that_no_threshold_explains_have_none() -> None:
    for key in ("weibull3", "lognormal3"):
        found = fit_distribution(stats.expon.rvs(size=500, random_state=1) if key == "weibull3" else -SKEWED, key)
        assert isinstance(found, NotDefined) and "no threshold" in str(found.reason)


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (stats.norm(10, 1), "normal"),
        (stats.lognorm(0.6, scale=3), "lognormal"),
        (stats.expon(scale=4), "exponential"),
        (stats.weibull_min(1.4, scale=3), "weibull"),
        (stats.gumbel_l(0, 1), "smallest_extreme"),
        (stats.gumbel_r(0, 1), "largest_extreme"),
        (stats.weibull_min(1.4, loc=20, scale=3), "weibull3"),
    ],
)
def test_the_distribution_that_made_the_values_is_mostly_chosen(made: object, key: str) -> None:
    taken = [
        chosen(made.rvs(600, random_state=np.random.default_rng(seed))).fit.key  # type: ignore[attr-defined]
        for seed in range(10)
    ]
    assert taken.count(key) >= 7, taken


def test_a_tie_goes_to_the_simpler_and_the_reason_says_so() -> None:
    found = chosen(stats.expon(scale=4).rvs(600, random_state=np.random.default_rng(0)))
    assert found.fit.free == 1 and "it is the simplest" in str(found.why)
    assert "nothing speaks against" in str(chosen(stats.norm(10, 1).rvs(200, random_state=np.random.default_rng(2))).why)
    rounded = stats.norm(10, 1).rvs(5_000, random_state=np.random.default_rng(2)).round(0)
    assert chosen(rounded).fit.key == "normal" and "too small to matter" in str(chosen(rounded).why)


def test_box_cox_is_the_power_of_scipy() -> None:
    found = fit(POSITIVE, "box_cox")
    assert dict(found.parameters)["power"] == pytest.approx(stats.boxcox_normmax(POSITIVE, method="mle"), abs=2e-3)
    assert dict(fit(POSITIVE * 1e4, "box_cox").parameters)["power"] == pytest.approx(dict(found.parameters)["power"], abs=1e-4)


@pytest.mark.parametrize(
    ("curve", "made"),
    [
        (Curve("SU", (0.7, 1.8, 3.0, 2.0)), stats.johnsonsu(0.7, 1.8, 3.0, 2.0)),
        (Curve("SB", (-0.4, 1.2, 3.0, 2.0)), stats.johnsonsb(-0.4, 1.2, 3.0, 2.0)),
    ],
)
def test_johnson_curves_come_back_from_their_own_quantiles(curve: Curve, made: object) -> None:
    for z in (0.3, 0.524, 1.0):
        found = johnson_curve(z, made.ppf(stats.norm.cdf([-3 * z, -z, z, 3 * z])))  # type: ignore[attr-defined]
        assert found is not None and found.key == curve.key
        np.testing.assert_allclose(found.numbers, curve.numbers, rtol=1e-8)


def test_johnson_of_a_lognormal_is_the_logarithm_above_a_threshold() -> None:
    quantiles = 7 + np.exp(0.5 * np.array([-1.5, -0.5, 0.5, 1.5]))
    found = johnson_curve(0.5, quantiles)
    assert found is not None and found.key == "log"
    assert found.numbers[0] == pytest.approx(7.0)


@pytest.mark.parametrize(
    "made", [stats.johnsonsu(1.0, 1.5, 10, 2), stats.johnsonsb(1.0, 1.0, 0, 5), stats.gamma(3, scale=3), stats.t(4, 20, 1)]
)
def test_johnson_makes_values_normal(made: object) -> None:
    x = made.rvs(500, random_state=np.random.default_rng(6))  # type: ignore[attr-defined]
    before, after = normality(x), normality(fit(x, "johnson").scores(x))
    assert isinstance(before, Normality) and isinstance(after, Normality)
    assert before.p < 0.01 and after.p > 0.05


@pytest.mark.parametrize(
    ("values", "key", "why"),
    [
        (np.arange(19.0), "normal", "at least 20 values, and there are 19"),
        (np.full(50, 3.0), "weibull", "do not spread"),
        (np.tile([1.0, 2.0, 3.0], 30), "gamma", "at least 5 different values, and there are 3"),
        (np.linspace(0, 5, 50), "lognormal", "the smallest is 0"),
        (np.linspace(-1, 5, 50), "box_cox", "above 0, and the smallest is -1"),
        (1e7 + np.linspace(0, 1, 50), "gamma", "too little"),
    ],
)
def test_what_cannot_be_fitted_says_why(values: np.ndarray, key: DistributionKey, why: str) -> None:
    found = fit_distribution(values, key)
    assert isinstance(found, NotDefined) and why in str(found.reason)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(1e6, 1, 200),
        np.random.default_rng(0).normal(0, 1e-9, 200),
        np.random.default_rng(0).lognormal(0, 3, 200),
        np.random.default_rng(0).normal(10, 1, 200).round(0),
        np.r_[np.random.default_rng(0).normal(10, 1, 200), 1e5],
        np.repeat(np.arange(1.0, 7.0), 40),
    ],
    ids=["far from 0", "tiny", "wide", "rounded", "a wild value", "steps"],
)
def test_odd_values_give_a_fit_or_a_reason_and_no_warning(values: np.ndarray) -> None:
    for key, found in fit_all(values).items():
        assert isinstance(found, NotDefined) or (np.isfinite(found.aic) and np.isfinite(found.a2)), key
    assert np.isfinite(chosen(values).fit.quantile(0.5))
