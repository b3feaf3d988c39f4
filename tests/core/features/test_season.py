"""A season is found where a series repeats itself, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from core.features.season import autocorrelation, carried_forward, find_season

T = np.arange(1200)


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def test_autocorrelation_is_that_of_the_definition() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0, 7.0, 5.0])
    line = np.polyval(np.polyfit(np.arange(6), values, 1), np.arange(6))
    rest = values - line
    wanted = [float((rest[: 6 - k] * rest[k:]).mean() / (rest**2).mean()) for k in range(4)]
    np.testing.assert_allclose(autocorrelation([values], 3), wanted, atol=1e-12)


def test_autocorrelation_of_several_series_is_over_their_pairs_of_rows_together() -> None:
    a, b = noise(50), 3 * noise(70, 2)
    both = autocorrelation([a, b], 2)

    def sums(x: np.ndarray, k: int) -> float:
        rest = x - np.polyval(np.polyfit(np.arange(len(x)), x, 1), np.arange(len(x)))
        return float((rest[: len(x) - k] * rest[k:]).sum())

    assert both[2] == pytest.approx((sums(a, 2) + sums(b, 2)) / 116 / ((sums(a, 0) + sums(b, 0)) / 120))


@pytest.mark.parametrize("season", [5, 24, 168])
def test_a_repeating_shape_is_found_under_noise_and_a_trend(season: int) -> None:
    shape = noise(season, 7)
    values = np.tile(shape, 1200 // season + 1)[:1200] + 0.3 * noise(1200) + 0.01 * T
    assert find_season([values]) == season


def test_of_a_day_within_a_week_the_week_is_taken_where_its_days_differ() -> None:
    week = np.concatenate([np.sin(2 * np.pi * np.arange(24) / 24) * (1 if day < 5 else 0.2) for day in range(7)])
    assert find_season([np.tile(week, 8) + 0.05 * noise(7 * 24 * 8)]) == 168


@pytest.mark.parametrize(
    "values", [noise(800), np.cumsum(noise(800)), np.full(300, 4.0), np.full(300, np.nan), np.arange(5.0)], ids=str
)
def test_noise_wandering_constants_and_short_series_have_none(values: np.ndarray) -> None:
    assert find_season([values]) == 1


def test_a_season_needs_three_cycles() -> None:
    shape = noise(100, 7)
    assert find_season([np.tile(shape, 2)]) != 100
    assert find_season([np.tile(shape, 4)]) == 100


def test_empty_cells_repeat_the_value_before() -> None:
    assert carried_forward(np.array([np.nan, 1.0, np.nan, np.nan, 2.0])).tolist() == [1.0, 1.0, 1.0, 2.0]


def test_a_day_of_minutes_is_found() -> None:
    t = np.arange(20 * 1440)
    noisy = 0.2 * np.random.default_rng(3).normal(size=len(t))
    assert abs(find_season([np.sin(2 * np.pi * t / 1440) + noisy]) - 1440) <= 15, "within 1 %: a sine is flat at its top"
    shifts = np.where((t % 1440 > 360) & (t % 1440 < 1320), 5.0, 1.0) + np.where(t % 1440 > 840, 1.0, 0.0)
    assert find_season([shifts + noisy]) == 1440
