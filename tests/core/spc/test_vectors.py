"""T² and MEWMA against literal formulas, simulated false alarms, and what has no covariance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from core.spc.chart import Chart, phases
from core.spc.individuals import NotDefined
from core.spc.vectors import mewma_chart, mewma_limit, mewma_run_length, t2_individuals, t2_limits, t2_subgroups

MIX = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.5, -0.5, 0.3]])


def chart(found: Chart | NotDefined) -> Chart:
    assert isinstance(found, Chart), str(found)
    return found


def rows(n: int, seed: int) -> np.ndarray:
    return 10 + np.random.default_rng(seed).normal(size=(n, 3)) @ MIX.T


def test_individuals_are_the_literal_distance_with_the_limit_of_their_phase() -> None:
    x = rows(60, 0)
    of = phases(60, np.arange(60) < 40)
    found = chart(t2_individuals(x, of, alpha=0.01))
    mean, inverse = x[:40].mean(axis=0), np.linalg.inv(np.cov(x[:40], rowvar=False))
    np.testing.assert_allclose(found.points, [(v - mean) @ inverse @ (v - mean) for v in x])
    first, second = t2_limits(40, 3, 1, 0.01)
    np.testing.assert_array_equal(found.upper, np.where(np.arange(60) < 40, first, second))
    assert first < chi2.isf(0.01, 3) < second
    assert np.isnan(found.centre).all() and np.isnan(found.lower).all()


def test_subgroups_are_the_literal_distance() -> None:
    x = rows(80, 1)
    labels = np.tile(np.arange(20), 4)  # members of a subgroup are not neighbours
    found = chart(t2_subgroups(x, labels, phases(20, np.arange(20) < 15)))
    means = np.array([x[labels == k].mean(axis=0) for k in range(20)])
    pooled = np.mean([np.cov(x[labels == k], rowvar=False) for k in range(15)], axis=0)
    away = means - means[:15].mean(axis=0)
    np.testing.assert_allclose(found.points, [4 * v @ np.linalg.inv(pooled) @ v for v in away])
    first, second = t2_limits(15, 3, 4)
    assert (found.upper[0], found.upper[19]) == (first, second)


@pytest.mark.parametrize(("m", "size"), [(20, 1), (15, 4)])
def test_limits_give_the_false_alarms_that_they_promise(m: int, size: int) -> None:
    """Phase I limits hold for baseline points, Phase II limits for one new point, over 3000 baselines."""
    rng, old, new = np.random.default_rng(2), [], []
    first, second = t2_limits(m, 2, size, 0.05)
    for _ in range(3000):
        base, fresh = rng.normal(size=(m, size, 2)), rng.normal(size=(size, 2)).mean(axis=0)
        means = base.mean(axis=1)
        within = base - (means.mean(axis=0) if size == 1 else means[:, None, :])
        covariance = np.einsum("gip,giq->pq", within, within) / (m - 1 if size == 1 else m * (size - 1))
        inverse = np.linalg.inv(covariance)
        away, other = means[0] - means.mean(axis=0), fresh - means.mean(axis=0)
        old.append(size * away @ inverse @ away > first)
        new.append(size * other @ inverse @ other > second)
    assert np.mean(old) == pytest.approx(0.05, abs=0.012)
    assert np.mean(new) == pytest.approx(0.05, abs=0.012)


def test_unit_and_origin_of_a_column_change_nothing() -> None:
    x = rows(50, 3)
    np.testing.assert_allclose(
        chart(t2_individuals(x)).points, chart(t2_individuals(1e6 + x * [1, 1e-3, 1e4])).points, rtol=1e-5
    )


def test_each_stage_learns_for_itself() -> None:
    x = np.concatenate([rows(30, 4), 50 + 3 * rows(30, 5)])
    found = chart(t2_individuals(x, phases(60, None, ["a"] * 30 + ["b"] * 30)))
    np.testing.assert_allclose(found.points[30:], chart(t2_individuals(x[30:])).points)


def test_a_row_with_an_empty_cell_is_no_point() -> None:
    x = rows(40, 6)
    x[5, 1] = np.nan
    found = chart(t2_individuals(x))
    assert np.isnan(found.points[5]) and not found.outside[5]
    np.testing.assert_allclose(np.delete(found.points, 5), chart(t2_individuals(np.delete(x, 5, axis=0))).points)


@pytest.mark.parametrize("exact", [True, False])
def test_mewma_is_the_recursion(exact: bool) -> None:
    x = rows(80, 7)
    x[20, 0] = np.nan
    found = chart(mewma_chart(x, phases(80, np.arange(80) < 50), weight=0.2, exact=exact))
    base = x[:50][~np.isnan(x[:50]).any(axis=1)]
    mean, covariance = base.mean(axis=0), np.cov(base, rowvar=False)
    z, i, expected = np.zeros(3), 0, []
    for v in x:
        if np.isnan(v).any():
            expected.append(np.nan)
            continue
        i += 1
        z = 0.2 * (v - mean) + 0.8 * z
        factor = 0.2 / 1.8 * (1 - 0.8 ** (2 * i) if exact else 1)
        expected.append(z @ np.linalg.inv(factor * covariance) @ z)
    np.testing.assert_allclose(found.points, expected)
    assert (found.upper == mewma_limit(3, 0.2, 370.0)).all()


def test_one_column_is_the_square_of_its_standard_score() -> None:
    x = np.random.default_rng(11).normal(5, 2, (30, 1))
    np.testing.assert_allclose(chart(t2_individuals(x)).points, ((x[:, 0] - x.mean()) / x.std(ddof=1)) ** 2)


@pytest.mark.parametrize("weight", [0.001, 0.02])
def test_small_weights_keep_their_run_length(weight: float) -> None:
    limit = mewma_limit(2, weight, 60.0)
    assert simulated_run_length(2, weight, limit, False, 3000, 12) == pytest.approx(60, rel=0.06)


def test_mewma_starts_anew_with_a_stage() -> None:
    x = np.tile(rows(30, 8), (2, 1))
    found = chart(mewma_chart(x, phases(60, None, ["a"] * 30 + ["b"] * 30)))
    np.testing.assert_allclose(found.points[:30], found.points[30:])


def test_a_weight_of_one_forgets_so_that_the_limit_is_a_quantile() -> None:
    assert mewma_limit(3, 1.0, 200.0) == pytest.approx(chi2.isf(1 / 200, 3))
    assert mewma_run_length(float(chi2.isf(1 / 200, 3)), 3, 0.999) == pytest.approx(200, rel=0.01)


def simulated_run_length(p: int, weight: float, limit: float, exact: bool, runs: int, seed: int) -> float:
    """Mean run length of charts whose mean and covariance are known, all runs side by side."""
    rng = np.random.default_rng(seed)
    z, alive, lengths, i = np.zeros((runs, p)), np.arange(runs), np.zeros(runs), 0
    while len(alive):
        i += 1
        z = weight * rng.normal(size=(len(alive), p)) + (1 - weight) * z
        factor = weight / (2 - weight) * (1 - (1 - weight) ** (2 * i) if exact else 1)
        out = (z**2).sum(axis=1) / factor > limit
        lengths[alive[out]] = i
        z, alive = z[~out], alive[~out]
    return float(lengths.mean())


def test_the_run_length_of_the_limit_is_that_of_simulated_charts() -> None:
    limit = mewma_limit(2, 0.1, 100.0)
    assert simulated_run_length(2, 0.1, limit, False, 4000, 9) == pytest.approx(100, rel=0.05)
    sooner = simulated_run_length(2, 0.1, limit, True, 4000, 10)
    assert 80 < sooner < 99  # the first points are judged more sharply


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (rows(9, 0), "at least 10 complete rows for 3 columns, and there are 9"),
        (np.full((30, 3), 2.0), "does not spread"),
        (np.column_stack([rows(30, 0), rows(30, 0)[:, 0] + rows(30, 0)[:, 1]]), "determined by the others"),
        (np.column_stack([rows(30, 0)[:, :1]] * 2), "determined by the others"),
        (np.random.default_rng(0).normal(size=(13, 12)), "at least 14 complete rows"),
    ],
)
def test_tables_without_a_covariance_say_why(table, why: str) -> None:
    for found in (t2_individuals(table), mewma_chart(table)):
        assert isinstance(found, NotDefined)
        assert why in str(found.reason)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.repeat(np.arange(10), [2, 3, 4] + [3] * 7), "subgroups of one size"),
        (np.arange(30), "two or more complete rows"),
        (np.repeat(np.arange(3), 10), "at least 5 subgroups"),
    ],
)
def test_subgroups_without_limits_say_why(labels, why: str) -> None:
    found = t2_subgroups(rows(30, 0), labels)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)


def test_a_stage_without_limits_is_named() -> None:
    found = t2_individuals(rows(30, 0), phases(30, None, ["a"] * 25 + ["b"] * 5))
    assert isinstance(found, NotDefined) and str(found.reason).startswith("stage b: ")


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="too few for 3 columns"):
        t2_limits(4, 3)
    with pytest.raises(ValueError, match="between 0 and 1"):
        t2_limits(20, 3, alpha=0.0)
    with pytest.raises(ValueError, match="expected above 0 to 1"):
        mewma_limit(2, 0.0)
