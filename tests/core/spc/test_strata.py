"""Stratification: scipy's tests, a stratum that differs found first, chance, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.individuals import NotDefined
from core.spc.strata import Strata, strata


def found(*given: object, **settings: object) -> Strata:
    result = strata(*given, **settings)  # type: ignore[arg-type]
    assert isinstance(result, Strata)
    return result


def three(seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.array(["A", "B", "C"]), (50, 30, 40))
    return rng.normal(10, 1, 120) + shift * (labels == "B"), labels


def test_tests_and_figures_are_those_of_scipy() -> None:
    values, labels = three(shift=0.7)
    result = found(values, labels)
    groups = [values[labels == name] for name in "ABC"]
    f, p = stats.f_oneway(*groups)
    assert (result.f, result.anova_p) == (pytest.approx(f), pytest.approx(p))
    assert result.kruskal_p == pytest.approx(stats.kruskal(*groups).pvalue)
    # η² from F by hand: F (k − 1) / (F (k − 1) + n − k).
    assert result.eta2 == pytest.approx(2 * f / (2 * f + 117))
    assert result.by_chance == pytest.approx(2 / 119)
    by_label = {s.label: s for s in result.strata}
    assert by_label["B"].median == pytest.approx(np.median(groups[1])) and by_label["B"].n == 30
    welch = stats.ttest_ind(groups[1], np.concatenate([groups[0], groups[2]]), equal_var=False).pvalue
    assert by_label["B"].p == pytest.approx(3 * welch), "the smallest of three, times three"


def test_the_stratum_that_differs_comes_first() -> None:
    values, labels = three(shift=2.0)
    result = found(values, labels)
    first = result.strata[0]
    assert first.label == "B" and result.differs
    assert first.difference == pytest.approx(values[labels == "B"].mean() - values[labels != "B"].mean())
    assert first.effect == pytest.approx(2.0, abs=0.5), "the shift was two standard deviations"


def test_strata_alike_differ_no_more_often_than_chance() -> None:
    results = [found(*three(seed)) for seed in range(300)]
    assert np.mean([r.anova_p < 0.05 for r in results]) == pytest.approx(0.05, abs=0.04)  # type: ignore[operator]
    assert np.mean([r.differs for r in results]) < 0.03
    eta = np.array([r.eta2 for r in results])
    assert eta.mean() == pytest.approx(results[0].by_chance, abs=4 * eta.std() / np.sqrt(300))


def test_shares_outside_the_limits_are_counted() -> None:
    values, labels = np.array([1.0, 2.0, 3.0, 9.0, 9.5, 1.0]), np.array(list("aaabbb"))
    by_label = {s.label: s for s in found(values, labels, 1.5, 8.0).strata}
    assert by_label["a"].outside == pytest.approx(1 / 3) and by_label["b"].outside == 1.0
    one_sided = {s.label: s for s in found(values, labels, None, 8.0).strata}
    assert one_sided["a"].outside == 0.0
    assert found(values, labels).strata[0].outside is None


def test_of_two_strata_the_one_with_more_outside_comes_first() -> None:
    rng = np.random.default_rng(3)
    values, labels = np.concatenate([rng.normal(0, 1, 50), rng.normal(3, 1, 50)]), np.repeat(np.array(["good", "bad"]), 50)
    assert found(values, labels, None, 2.5).strata[0].label == "bad"


def test_empty_cells_are_left_out_and_single_values_have_no_sd() -> None:
    values, labels = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 7.0]), np.array(list("aabbbc"))
    result = found(values, labels)
    assert result.n == 5
    single = next(s for s in result.strata if s.label == "c")
    assert single.n == 1 and single.sd is None and single.p is None


def test_no_spread_within_strata_leaves_all_between() -> None:
    result = found(np.array([1.0, 1.0, 2.0, 2.0]), np.array(list("aabb")))
    assert result.eta2 == pytest.approx(1.0) and result.f is None is result.anova_p
    assert result.strata[0].effect is None


def test_figures_follow_shift_and_scale() -> None:
    values, labels = three(shift=1.0)
    base, moved = found(values, labels), found(1e6 + 5 * values, labels)
    assert moved.eta2 == pytest.approx(base.eta2) and moved.strata[0].label == base.strata[0].label
    assert moved.strata[0].difference == pytest.approx(5 * base.strata[0].difference, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "labels", "says"),
    [
        ([1.0, 2.0, 3.0], "aaa", "two or more strata"),
        ([1.0, 2.0, 3.0], "aab", "two or more strata"),
        ([5.0] * 4, "aabb", "do not spread"),
    ],
)
def test_what_cannot_be_compared_says_why(values: list[float], labels: str, says: str) -> None:
    result = strata(values, list(labels))
    assert isinstance(result, NotDefined)
    assert says in str(result.reason)
