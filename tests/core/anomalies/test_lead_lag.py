"""Which sensor comes first, held against pairs that follow each other by a known number of rows, and against pairs that do not."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.lead_lag import lag_between, lead_lag
from core.anomalies.onset import Onset, find_onset

PAIRS, ROWS = 100, 300


def _wander(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    x, e = np.zeros(n), rng.normal(size=n)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + e[i]
    return x / x.std()


def _pair(seed: int, phi: float, lag: int | None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    base = _wander(rng, ROWS + 60, phi)
    if lag is None:
        return base[30 : 30 + ROWS], _wander(rng, ROWS, phi)
    x, y = base[30 : 30 + ROWS], base[30 - lag : 30 - lag + ROWS]
    return x + 0.7 * rng.normal(size=ROWS), y + 0.7 * rng.normal(size=ROWS)


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
@pytest.mark.parametrize("lag", [5, -8])
def test_a_lag_is_found_with_its_sign(phi: float, lag: int) -> None:
    found = [lag_between(*_pair(seed, phi, lag)) for seed in range(PAIRS)]
    assert sum(f is not None and f.rows == lag and f.differs for f in found) >= 0.95 * PAIRS


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
@pytest.mark.parametrize("lag", [0, None])
def test_sensors_that_move_at_once_or_not_together_have_no_lag(phi: float, lag: int | None) -> None:
    found = [lag_between(*_pair(seed, phi, lag)) for seed in range(PAIRS)]
    assert sum(f is not None and f.differs for f in found) <= 0.05 * PAIRS
    if lag is None:
        assert sum(f is not None and f.is_clear for f in found) <= 0.08 * PAIRS, "95 in 100, with the chance of 100 pairs"


def test_a_falling_sensor_has_a_negative_correlation() -> None:
    x, y = _pair(1, 0.7, 4)
    found = lag_between(x, -y)
    assert found is not None and found.rows == 4 and found.r < -0.5 and found.differs


def test_of_a_short_or_flat_series_nothing_is_said() -> None:
    assert lag_between(np.arange(20.0), np.arange(20.0)) is None
    assert lag_between(np.zeros(200), np.arange(200.0)) is None


def test_the_order_in_which_sensors_of_an_event_changed() -> None:
    """p1 steps at 300, p2 at 312, p3 never: over 100 events p1 leads and p2 follows by 12 rows."""
    leads, after, later = 0, [], 0
    for seed in range(PAIRS):
        x = np.random.default_rng(seed).normal(size=(3, 400))
        x[0, 300:] += 5
        x[1, 312:] -= 5
        series = {f"p{i + 1}": x[i] for i in (1, 0, 2)}
        onsets = {name: find_onset(values, 310, 380, until=380) for name, values in series.items()}
        found = lead_lag(series, onsets)
        leads += found[0].column == "p1" and found[0].lag is None and found[2].column == "p3" and found[2].onset is None
        after.append(found[1].after)
        later += found[1].is_later
        assert isinstance(onsets["p2"], Onset) and onsets["p2"].size < 0
    assert leads >= 0.95 * PAIRS and later >= 0.95 * PAIRS
    assert np.median(after) == 12


def test_without_sensors_there_is_nothing_to_order() -> None:
    assert lead_lag({}, {}) == ()
