"""Correlation at a distance: a known delay found, the band against simulated unrelated series, stretches, gaps and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.individuals import NotDefined
from core.spc.lags import LaggedCorrelation, lagged_correlation


def found(*given: object, **settings: object) -> LaggedCorrelation:
    result = lagged_correlation(*given, **settings)  # type: ignore[arg-type]
    assert isinstance(result, LaggedCorrelation)
    return result


def ar(rng: np.random.Generator, phi: float, n: int) -> np.ndarray:
    x = np.zeros(n)
    for i, shock in enumerate(rng.normal(size=n)):
        x[i] = phi * x[i - 1] + shock if i else shock / np.sqrt(1 - phi**2)
    return x


@pytest.mark.parametrize("delay", [-12, 0, 7])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_known_delay_is_found_with_its_sign(delay: int, sign: int) -> None:
    rng = np.random.default_rng(1)
    long = ar(rng, 0.5, 640)
    x, y = long[20:620], sign * long[20 - delay : 620 - delay] + 0.3 * rng.normal(size=600)  # y_t = x_{t − delay}
    result = found(x, y, 20)
    assert result.best == delay and result.is_clear
    assert np.sign(result.r_best) == sign


def test_r_at_a_lag_is_that_of_the_shifted_columns() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 100))
    x[10], y[50] = np.nan, np.nan
    result = found(x, y, 3)
    for k, r in zip(result.lags.tolist(), result.r, strict=True):
        rows = [(x[t], y[t + k]) for t in range(100) if 0 <= t + k < 100 and np.isfinite(x[t]) and np.isfinite(y[t + k])]
        assert r == pytest.approx(np.corrcoef(np.array(rows).T)[0, 1])


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.95])
def test_unrelated_series_seldom_leave_the_band(phi: float) -> None:
    rng = np.random.default_rng(3)
    clear = np.mean([found(ar(rng, phi, 500), ar(rng, phi, 500), 10).is_clear for _ in range(200)])
    # The band for all 21 lags together; at 0.95 the autocorrelation itself is known badly from 500 rows.
    assert clear <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_band_of_independent_rows_would_be_left_far_too_often() -> None:
    rng = np.random.default_rng(4)
    results = [found(ar(rng, 0.95, 500), ar(rng, 0.95, 500), 10) for _ in range(100)]
    naive = np.mean([abs(r.r_best) > 3.04 / np.sqrt(500) for r in results])  # Φ⁻¹(1 − 0.025 / 21) = 3.04
    assert naive > 0.6, "that is what the effective rows are for"


def test_effective_rows_of_two_first_order_series_are_as_in_theory() -> None:
    # Σ ρ^(2j) = φ² / (1 − φ²): n / (1 + 2 φ² / (1 − φ²)) = n (1 − φ²) / (1 + φ²).
    rng = np.random.default_rng(5)
    worth = [found(ar(rng, 0.6, 4000), ar(rng, 0.6, 4000), 0).n_effective for _ in range(30)]
    assert np.mean(worth) == pytest.approx(4000 * 0.64 / 1.36, rel=0.1)


def test_pairs_do_not_cross_from_one_stretch_to_the_next() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 200))
    parts = [slice(0, 120), slice(120, 200)]
    result = found(x, y, 2, stretches=parts)
    rows = np.array([(x[t], y[t + 2]) for part in parts for t in range(part.start, part.stop - 2)])
    assert result.r[-1] == pytest.approx(np.corrcoef(rows.T)[0, 1])


def test_changes_take_a_common_trend_away_and_wandering_is_said() -> None:
    rng = np.random.default_rng(7)
    x, y = np.cumsum(rng.normal(size=(2, 1000)), axis=1)
    levels, changes = found(x, y, 5), found(x, y, 5, changes=True)
    assert any("wander" in str(note) for note in levels.notes) and not changes.notes
    assert not changes.is_clear and changes.n == 999


def test_of_equal_correlations_the_nearest_lag_is_taken() -> None:
    x = np.tile([0.0, 1.0], 100)
    assert found(x, x, 6).best == 0


def test_a_peak_at_the_end_is_said() -> None:
    rng = np.random.default_rng(8)
    long = ar(rng, 0.9, 400)
    assert any("last lag" in str(note) for note in found(long[10:], long[:-10], 5).notes)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.arange(29.0), np.arange(29.0), "30 or more rows"),
        (np.full(50, np.nan), np.arange(50.0), "there are 0"),
        (np.full(50, 2.0), np.arange(50.0), "does not vary"),
        (np.array([]), np.array([]), "there are 0"),
    ],
)
def test_what_has_no_correlation_says_why(x: np.ndarray, y: np.ndarray, says: str) -> None:
    result = lagged_correlation(x, y, 3)
    assert isinstance(result, NotDefined)
    assert says in str(result.reason)


def test_series_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same number"):
        lagged_correlation([1.0], [1.0, 2.0], 0)
