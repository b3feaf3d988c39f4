"""Correlation and mutual information: scipy, closed forms of the normal pair, bends, chance, categories and empty cells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.dependence import Pair, pairs


def only(numbers: dict[str, np.ndarray], categories: dict[str, np.ndarray] | None = None) -> Pair:
    (pair,) = pairs(numbers, categories or {})
    return pair


@pytest.mark.parametrize("missing", [0, 40])
def test_r_and_rho_are_those_of_scipy(missing: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 300)
    y = np.exp(x) + rng.normal(0, 0.5, 300)
    x, y = x.round(1), y.round(1)  # with ties
    x[:missing], y[-missing // 2 or 300 :] = np.nan, np.nan
    both = np.isfinite(x) & np.isfinite(y)
    pair = only({"x": x, "y": y})
    assert pair.n == both.sum()
    assert pair.pearson == pytest.approx(stats.pearsonr(x[both], y[both]).statistic)
    assert pair.spearman == pytest.approx(stats.spearmanr(x[both], y[both]).statistic)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.9])
def test_information_of_a_normal_pair_is_its_correlation(rho: float) -> None:
    # I = −½ ln(1 − ρ²), so that √(1 − e^(−2I)) = |ρ|; bins lose a little.
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 20_000))
    pair = only({"x": x, "y": -rho * x + np.sqrt(1 - rho**2) * z})
    assert pair.information == pytest.approx(rho, abs=0.06)
    assert pair.pearson == pytest.approx(-rho, abs=0.02)


def test_a_bend_is_seen_by_information_alone() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, 2000)
    pair = only({"x": x, "y": x**2 + rng.normal(0, 0.1, 2000)})
    assert pair.is_bent and pair.p < 1e-10
    assert abs(pair.pearson or 1) < 0.15 < 0.8 < pair.information


def test_a_category_is_compared_by_information() -> None:
    rng = np.random.default_rng(4)
    machine = rng.integers(0, 3, 1000)
    pair = only({"x": 5.0 * machine + rng.normal(0, 0.1, 1000)}, {"machine": machine})
    assert pair.pearson is None is pair.spearman and not pair.is_bent
    # Three equal groups told fully: I = ln 3, √(1 − 1/9) = 0.9428; bins that lie across a border lose a little.
    assert pair.information == pytest.approx(np.sqrt(1 - 1 / 9), abs=0.02)


def test_the_p_value_of_columns_without_relation_is_fair() -> None:
    rng = np.random.default_rng(5)
    p = [only({"x": rng.normal(size=200), "y": rng.normal(size=200)}).p for _ in range(400)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)


def test_the_closest_pair_comes_first_whatever_its_sign() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=500)
    found = pairs({"x": x, "near": -x + 0.1 * rng.normal(size=500), "far": x + 2 * rng.normal(size=500)}, {})
    assert {found[0].one, found[0].other} == {"x", "near"}
    assert [p.strength for p in found] == sorted((p.strength for p in found), reverse=True)


def test_a_monotone_transformation_changes_neither_rho_nor_information() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 400))
    y = y + x
    one, other = only({"x": x, "y": y}), only({"x": np.exp(x), "y": 7 - 3 * y})
    assert other.spearman == pytest.approx(-(one.spearman or 0)) and other.information == pytest.approx(
        one.information, abs=0.03
    )


def test_constant_short_and_empty_columns_make_no_pair() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=100)
    few = np.where(np.arange(100) < 19, x, np.nan)
    assert pairs({"x": x, "flat": np.full(100, 3.0), "few": few, "none": np.full(100, np.nan)}, {}) == ()
    assert pairs({"x": x}, {"one": np.zeros(100, np.int64)}) == ()
    assert pairs({}, {}) == ()
