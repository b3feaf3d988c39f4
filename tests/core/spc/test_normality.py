"""Anderson-Darling by a published example and the library's statistic, its p-value by simulation and by the published table, and the words.

NAG: data and printed results of the example program of nag_nonpar_gofstat_anddar_normal (g08ckf, g08ckc), NAG Library Manual,
support.nag.com/numeric/fl/nagdoc_fl26.2/examples/data/g08ckfe.d.html and .../nl/nagdoc_30.3/examples/baseresults/g08ckce.r.html.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.spc.individuals import NotDefined
from core.spc.normality import Normality, normality, p_value

NAG = """
0.3131132 0.2520412 1.5788841 1.4416712 -0.8246043 -1.6466685 0.7943184 1.2874915 -0.8347250 0.3352505 0.9434467 2.1099520 -0.2801654
-0.7843009 0.6218187 2.0963809 1.7170403 -0.1350142 0.7982763 -0.2980977 1.2283043 1.5576090 -0.4828757 2.6070754 0.1213996 0.1431621
"""


def examined(values: np.ndarray) -> Normality:
    found = normality(values)
    assert isinstance(found, Normality), str(found)
    return found


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("n", [8, 50, 700])
def test_the_statistic_is_that_of_scipy(n: int) -> None:
    x = np.random.default_rng(n).gamma(4, 2, n)
    found = examined(x)
    assert found.a2 == pytest.approx(stats.anderson(x, "norm").statistic, rel=1e-8)
    assert found.adjusted == pytest.approx(found.a2 * (1 + 0.75 / n + 2.25 / n**2))
    assert found.skewness == pytest.approx(stats.skew(x))
    assert found.kurtosis == pytest.approx(stats.kurtosis(x))


def test_the_example_of_the_nag_library() -> None:
    x = np.array(NAG.split(), dtype=float)
    found = examined(x)
    assert (x.mean(), x.var(ddof=1)) == pytest.approx((0.563876, 1.1386), abs=5e-5)
    assert (found.a2, found.adjusted, found.p) == pytest.approx((0.165956, 0.171296, 0.931155), abs=2e-6)


def test_p_values_are_those_of_the_table() -> None:
    # D'Agostino and Stephens (1986), table 4.7, case 3: upper tail 10, 5, 2.5, 1 % at 0.631, 0.752, 0.873, 1.035
    for adjusted, p in ((0.631, 0.10), (0.752, 0.05), (0.873, 0.025), (1.035, 0.01)):
        assert p_value(adjusted) == pytest.approx(p, rel=0.06)
    steps = np.array([p_value(a) for a in np.linspace(0.01, 12, 400)])
    assert (np.diff(steps) <= 2e-3).all() and steps[-1] == 0.0


def test_normal_values_are_rejected_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(3)
    for n in (20, 200):
        p = np.array([examined(rng.normal(5, 2, n)).p for _ in range(2_000)])
        assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.015)
        assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.04)


def test_the_words_tell_a_large_departure_from_one_that_many_rows_find() -> None:
    rng = np.random.default_rng(8)
    assert "Nothing speaks against" in str(examined(rng.normal(0, 1, 300)).sentence)
    assert "would mislead about the tails" in str(examined(rng.exponential(1, 300)).sentence)
    assert "any departure" in str(examined(rng.exponential(1, 5_000)).sentence)
    rounded = examined(rng.normal(0, 1, 20_000).round(0))
    assert rounded.is_rejected and rounded.is_small
    assert "a small one" in str(rounded.sentence) and "serves" in str(rounded.sentence)


@pytest.mark.parametrize(("values", "why"), [(np.arange(7.0), "at least 8"), (np.full(20, 2.5), "do not spread")])
def test_too_few_or_constant_values(values: np.ndarray, why: str) -> None:
    found = normality(values)
    assert isinstance(found, NotDefined) and why in str(found.reason)
