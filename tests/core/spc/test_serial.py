"""Autocorrelation by hand, portmanteau tests of the level they promise, block length and clusters of known processes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from core.spc.chart import Phases, phases
from core.spc.serial import autocorrelations, block_length, laid_out, ljung_box, mean_cluster, spread_test


def ar(seed: int, n: int, phi: float) -> np.ndarray:
    return lfilter([1], [1, -phi], np.random.default_rng(seed).normal(size=n + 200))[200:]


def test_the_autocorrelation_and_the_statistic_by_hand():
    x = [1.0, 2.0, 3.0, 2.0, 2.0, 1.0, 3.0, 2.0]  # mean 2; rest -1 0 1 0 0 -1 1 0, squares 4
    # lag 1: 0 + 0 + 0 + 0 + 0 - 1 + 0 = -1 of 7 pairs; lag 2: -1 + 0 + 0 + 0 + 0 + 0 = -1 of 6 pairs
    assert autocorrelations(x, 2) == pytest.approx([1, (-1 / 7) / (4 / 8), (-1 / 6) / (4 / 8)])
    assert ljung_box(x, 2).statistic == pytest.approx(8 * 10 * ((1 / 4) ** 2 / 7 + (1 / 4) ** 2 / 6))


def test_an_empty_value_joins_nothing():
    x = np.array([1.0, 5.0, np.nan, 1.0, 5.0])
    # only 1-5 and 1-5 are neighbours: rest -2 2, mean product -4 against mean square 4
    assert autocorrelations(x, 1)[1] == pytest.approx(-1)
    assert ljung_box(x, 1).n == 4


def test_the_portmanteau_rejects_as_often_as_it_says_and_sees_what_is_there():
    rng = np.random.default_rng(1)
    p = np.array([ljung_box(rng.normal(size=300)).p_value for _ in range(600)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.03)
    assert ljung_box(ar(2, 300, 0.4)).p_value < 1e-4


def test_spread_is_tested_apart_from_level_and_at_any_tail():
    rng = np.random.default_rng(3)
    calm = np.repeat(rng.choice([1.0, 4.0], 40), 25)
    x = calm * rng.normal(size=1000)
    assert spread_test(x).p_value < 1e-6
    p = np.array([spread_test(rng.standard_t(2, 300)).p_value for _ in range(400)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.03)


def test_stretches_are_laid_out_so_that_no_lag_reaches_over_a_border():
    of = Phases(np.ones(4, bool), np.zeros(4, np.int64), ("",), np.array([0, 2, 4]))
    assert np.nan_to_num(laid_out(np.arange(1.0, 5.0), of, 2), nan=-1).tolist() == [1, 2, -1, -1, 3, 4, -1, -1]
    assert ljung_box(laid_out(np.array([0.0, 9.0, 9.0, 0.0]), of, 2), 1).statistic == pytest.approx(4 * 6 * 0.5**2 / 2)


def test_blocks_grow_with_memory_and_are_one_row_without():
    assert np.median([block_length(np.random.default_rng(i).normal(size=1000)) for i in range(20)]) == 1
    some, much = (np.median([block_length(ar(i, 1000, phi)) for i in range(20)]) for phi in (0.5, 0.9))
    # Politis and White's optimum for AR(1): (2 G² / D)^⅓ n^⅓ with G = 2φ/(1 − φ)² · γ and g = (1 + φ)/(1 − φ) · γ
    for found, phi in ((some, 0.5), (much, 0.9)):
        best = (1.5 * (2 * phi / (1 - phi) ** 2 / ((1 + phi) / (1 - phi))) ** 2 * 1000) ** (1 / 3)
        assert found == pytest.approx(best, rel=0.4)


def test_clusters_of_a_moving_maximum_have_its_length():
    rng = np.random.default_rng(5)
    alone = np.median([mean_cluster(rng.normal(size=2000)) for _ in range(20)])
    noise = rng.exponential(size=(20, 2003))
    runs = np.median([mean_cluster(np.maximum.reduce([row[i : i + 2000] for i in range(4)])) for row in noise])
    assert alone == pytest.approx(1, abs=0.1)
    assert runs == pytest.approx(4, rel=0.2)  # its extremal index is 1/4


def test_what_cannot_be_tested_says_nothing():
    assert ljung_box([3.0] * 50).p_value == 1 and ljung_box([1.0, 2.0]).p_value == 1
    assert block_length([1.0] * 50) == 1 and mean_cluster(np.arange(15.0)) == 1
    assert spread_test([np.nan]).p_value == 1
    with pytest.raises(ValueError, match="no degree of freedom"):
        ljung_box([1.0, 2.0], 2, 2)
    assert phases(3).stretches == [slice(0, 3)]
