"""Autoregression, season and moving centre line: known coefficients come back, rows left out by brute force, borders and gaps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from core.spc.autocorrelated import (
    choose_waves,
    fit_moving_centre,
    fit_predictor,
    highest_order,
    lagged,
    nearest_period,
    order_by_aic,
    seasonal,
)
from core.spc.chart import Phases, phases


def process(seed: int, n: int, ar: list[float]) -> np.ndarray:
    return lfilter([1], [1, *(-a for a in ar)], np.random.default_rng(seed).normal(size=n + 200))[200:]


def test_coefficients_of_a_known_process_come_back_with_its_mean():
    x, n = 1e6 + process(1, 20_000, [0.5, -0.3]), 20_000
    found, residuals = fit_predictor(x, phases(n), np.arange(n), order=2)
    assert found.ar == pytest.approx([0.5, -0.3], abs=0.02)
    assert found.constant / found.keeps == pytest.approx(1e6, abs=0.1)
    assert np.nanstd(residuals) == pytest.approx(1, abs=0.02) and np.isnan(residuals[:2]).all()


def test_residuals_are_those_of_rows_left_out():
    x, n = process(2, 60, [0.6]) + np.tile([0.0, 1.0, 3.0], 20), 60
    _, residuals = fit_predictor(x, phases(n), np.arange(n), period=3, waves=1, order=1)
    design = np.column_stack([np.ones(n - 1), x[:-1], seasonal(np.arange(1, n), 3, 1)])
    for i in (0, 20, 58):
        kept = np.arange(n - 1) != i
        beta = np.linalg.lstsq(design[kept], x[1:][kept], rcond=None)[0]
        assert residuals[i + 1] == pytest.approx(x[i + 1] - design[i] @ beta, rel=1e-8)


def test_what_was_expected_of_later_rows_uses_the_frozen_coefficients():
    x, n = process(3, 400, [0.7]), 400
    found, _ = fit_predictor(x, phases(n, np.arange(n) < 200), np.arange(n), order=1)
    expected = found.expected(x, phases(n), np.arange(n))
    assert np.isnan(expected[0])
    assert expected[300] == pytest.approx(found.constant + found.ar[0] * x[299])
    assert fit_predictor(np.r_[x[:200], x[200:] + 50], phases(n, np.arange(n) < 200), np.arange(n), order=1)[0].ar == found.ar


def test_nothing_reaches_over_a_border_or_a_gap():
    of = Phases(np.ones(6, bool), np.zeros(6, np.int64), ("",), np.array([0, 3, 6]))
    x = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])
    assert np.nan_to_num(lagged(x, of, 1)[:, 0], nan=-1).tolist() == [-1, 1, 2, -1, 4, 5]
    found, _ = fit_moving_centre(np.tile(x, 1), of, np.arange(6))
    assert np.isnan(found.expected(x, of, np.arange(6))[[0, 3]]).all()


def test_akaike_finds_the_order_and_none_of_noise():
    n = 2000
    orders = [order_by_aic(process(i, n, [0.5, 0.0, 0.3]), phases(n), 12) for i in range(10)]
    assert min(orders) >= 3 and np.median(orders) <= 4
    assert np.median([order_by_aic(process(i, n, []), phases(n), 12) for i in range(10)]) == 0


def test_a_season_is_kept_and_one_that_only_seems_so_is_not():
    n, at = 1000, np.arange(1000)
    wave = np.sin(2 * np.pi * at / 24) + 0.5 * np.cos(2 * np.pi * at * 3 / 24)
    assert choose_waves(wave + process(4, n, [0.5]), phases(n), at, 24) == 3
    assert choose_waves(process(5, n, [1.2, -0.7]), phases(n), at, 8) == 0  # it swings with about 8 rows, and forgets


def test_a_period_that_is_read_a_row_off_is_put_right():
    n, at = 600, np.arange(600)
    x = np.sin(2 * np.pi * at / 24) + np.random.default_rng(9).normal(size=n)
    assert [nearest_period(x, phases(n), at, p) for p in (23, 24, 26)] == [24, 24, 24]
    assert nearest_period(np.tile([0.0, 1.0], 50), phases(100), at[:100], 2) == 2


def test_a_season_of_two_rows_has_one_coefficient_that_counts():
    n, at = 200, np.arange(200)
    x = np.tile([0.0, 2.0], 100) + np.random.default_rng(6).normal(0, 0.1, n)
    found, residuals = fit_predictor(x, phases(n), at, period=2, waves=1)
    assert found.expected(x, phases(n), at)[:2] == pytest.approx([0, 2], abs=0.05)
    assert np.isfinite(residuals).all()


def test_the_moving_centre_finds_the_weight_of_a_wandering_level():
    rng, n = np.random.default_rng(7), 20_000
    steps = 0.3
    x = np.cumsum(rng.normal(0, steps, n)) + rng.normal(size=n)
    found, residuals = fit_moving_centre(x, phases(n), np.arange(n))
    q = steps**2
    assert found.weight == pytest.approx((np.sqrt(q**2 + 4 * q) - q) / 2, abs=0.03)  # the steady state of Kalman's filter
    assert found.keeps == 0
    line, z = np.empty(n), x[0]
    for t in range(1, 50):
        line[t] = z
        z += found.weight * (x[t] - z)
    assert residuals[1:50] == pytest.approx(x[1:50] - line[1:50])


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="3 rows cannot give 4 coefficients"):
        fit_predictor(np.arange(6.0), phases(6), np.arange(6), order=3)
    assert highest_order(40) == 2 and highest_order(10**6) == 24
