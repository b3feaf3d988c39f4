"""Intervals of percentile indices cover the truth as often as they promise, and shrink as they must."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from core.spc.capability_indices import Index, Indices, Specification
from core.spc.distribution_fits import fit_distribution
from core.spc.distributions import Fit
from core.spc.index_intervals import with_intervals
from core.spc.percentiles import IndexMethod, fitted_indices

SETS = 200


def told(values: np.ndarray, key: str, spec: Specification, method: IndexMethod = "percentile", **more: int) -> Indices:
    fit = fit_distribution(values, key)  # type: ignore[arg-type]
    assert isinstance(fit, Fit)
    return with_intervals(fitted_indices(fit, spec, method), fit, spec, len(values), method, confidence=0.95, **more)


def index(found: object) -> Index:
    assert isinstance(found, Index) and found.low is not None and found.high is not None
    return found


def fewest_hits(sets: int, share: float) -> int:
    """The number of hits below which fewer than 0.5 % of binomial draws lie."""
    total = 0.0
    for hits in range(sets + 1):
        total += comb(sets, hits) * share**hits * (1 - share) ** (sets - hits)
        if total > 0.005:
            return hits
    return sets


@pytest.mark.parametrize(
    ("key", "made", "spec", "n"),
    [
        ("weibull", stats.weibull_min(1.7, scale=3), Specification(None, None, 9.0), 100),
        ("lognormal", stats.lognorm(0.5, scale=2), Specification(None, None, 10.0), 60),
        ("largest_extreme", stats.gumbel_r(5, 1), Specification(None, None, 13.0), 100),
        ("lognormal", stats.lognorm(0.5, scale=2), Specification(0.5, None, 10.0), 100),
        ("weibull", stats.weibull_min(1.7, scale=3), Specification(0.05, None, 9.0), 100),  # both sides nearly as good
    ],
)
def test_the_interval_of_ppk_covers_the_truth_as_often_as_it_says(
    key: str, made: stats.rv_continuous, spec: Specification, n: int
) -> None:
    """200 sets of values of a known distribution, whose Ppk follows from its own quantiles; hits within the 99 % interval of binomial draws."""
    low, middle, high = made.ppf([0.00135, 0.5, 0.99865])
    truth = (spec.upper - middle) / (high - middle)  # type: ignore[operator]
    if spec.lower is not None:
        truth = min(truth, (middle - spec.lower) / (middle - low))
    hits = 0
    for seed in range(SETS):
        found = index(told(made.rvs(n, random_state=np.random.default_rng(seed)), key, spec, resamples=200).worse)
        hits += found.low <= truth <= found.high  # type: ignore[operator]
    # 99 % of draws with a chance of 95 % lie between 182 and 198 of 200.
    assert fewest_hits(SETS, 0.95) <= hits <= SETS - 2 + 1, hits


def test_four_times_the_values_halve_the_interval_also_where_sets_are_smaller_than_the_values() -> None:
    made = stats.lognorm(0.5, scale=2)
    widths = []
    for n in (800, 3_200, 12_800):
        found = index(
            told(made.rvs(n, random_state=np.random.default_rng(n)), "lognormal", Specification(None, None, 10.0)).worse
        )
        widths.append(np.log(found.high / found.low))  # type: ignore[operator]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.2) and widths[1] / widths[2] == pytest.approx(2, rel=0.2)


def test_of_a_normal_distribution_it_is_near_the_known_interval() -> None:
    """Pp of normal values has an exact interval by the chi-square distribution."""
    values = np.random.default_rng(3).normal(10, 1, 80)
    found = index(told(values, "normal", Specification(6.0, None, 14.0), resamples=2_000).both)
    low, high = np.sqrt(stats.chi2.ppf([0.025, 0.975], 79) / 79)
    assert (found.low, found.high) == pytest.approx((found.value * low, found.value * high), rel=0.03)


def test_the_same_values_have_the_same_interval_and_the_index_lies_inside() -> None:
    values = stats.weibull_min(1.7, scale=3).rvs(120, random_state=np.random.default_rng(1))
    spec = Specification(0.05, None, 9.0)
    for method in ("percentile", "z"):
        one, other = (told(values, "weibull", spec, method) for _ in range(2))  # type: ignore[arg-type]
        assert one == other
        for part in ("both", "below", "above", "worse"):
            found = index(getattr(one, part))
            assert found.low < found.value < found.high  # type: ignore[operator]


def test_a_median_beyond_the_limit_has_an_interval_too() -> None:
    values = stats.lognorm(0.5, scale=2).rvs(100, random_state=np.random.default_rng(2))
    found = index(told(values, "lognormal", Specification(None, None, 1.9)).worse)
    assert found.value < 0 and found.low < found.value < found.high  # type: ignore[operator]
