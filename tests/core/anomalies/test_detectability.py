"""Chance of detection against size: shares, the curve that never falls, sizes read off it, delays; by hand and by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from core.anomalies.alarm_logic import AlarmLogic
from core.anomalies.detectability import Detectability, detectability, first_alarms, never_falling, size_at

INF = np.inf


def test_first_alarms_with_and_without_k_of_n() -> None:
    scores = np.array([[9, 1, 1, 5, 5, 5], [1, 1, 5, 1, 5, 1], [1, 1, 1, 1, 1, 1.0]])
    assert first_alarms(scores[:, 2:], AlarmLogic(1, 1), 4.0).tolist() == [1, 0, INF]
    # 2 of 3: the two scores before the stretch are looked back at, those of another stretch are not
    assert first_alarms(scores, AlarmLogic(2, 3), 4.0).tolist() == [2, 2, INF]
    assert first_alarms(np.full((2, 3), np.nan), AlarmLogic(1, 1), 0.0).tolist() == [INF, INF]


def test_the_curve_that_never_falls_is_that_of_scikit_learn() -> None:
    drawn = np.random.default_rng(2).random((20, 9))
    for row, fitted in zip(drawn, never_falling(drawn), strict=True):
        assert fitted == pytest.approx(IsotonicRegression().fit_transform(np.arange(9), row))


def test_sizes_are_read_off_by_straight_lines_from_nothing() -> None:
    curves = np.array([[0.2, 0.6, 1.0], [0.5, 0.5, 0.5], [1.0, 1.0, 1.0]])
    assert size_at(np.array([1.0, 2.0, 4.0]), curves, 0.8).tolist() == [3.0, INF, 1.0]


def test_shares_delays_and_sizes_by_hand() -> None:
    # 5 stretches, the last alarms without a fault and does not count; 4 are left.
    alarms = np.array([[INF, INF, INF, 2, 0], [INF, 4, INF, 2, 0], [6, 4, 0, 2, 0]], dtype=float)
    found = detectability(np.array([1.0, 2.0, 4.0]), alarms, np.array([INF, INF, INF, INF, 3]))
    assert [(p.n, p.detected, p.share) for p in found.points] == [(4, 1, 0.25), (4, 2, 0.5), (4, 4, 1.0)]
    assert (found.n_stretches, found.n_alarmed) == (5, 1) and found.false_alarms[0] == 0.2
    last = found.points[-1]
    assert (last.delay, last.late) == (3.0, pytest.approx(5.4))  # of 0, 2, 4, 6
    # Wilson for 2 of 4: (2 + z²/2) / (4 + z²) ± z √(1 + z²/4) / (4 + z²), z² = 3.8415
    half = 1.95996 * np.sqrt(1 + 3.8415 / 4) / 7.8415
    assert (found.points[1].low, found.points[1].high) == (
        pytest.approx(0.5 - half, abs=1e-4),
        pytest.approx(0.5 + half, abs=1e-4),
    )
    assert [r.size for r in found.reaches] == [2.0, pytest.approx(3.2), pytest.approx(3.6)]
    assert Detectability.from_json(found.to_json()) == found


def test_what_is_not_reached_within_the_range_is_told_as_such() -> None:
    alarms = np.array([[INF] * 10, [INF] * 7 + [1.0] * 3])
    found = detectability(np.array([1.0, 2.0]), alarms, np.full(10, INF))
    assert all(r.size is None and r.high is None for r in found.reaches)
    assert found.points[0].delay is None and found.points[0].high == pytest.approx(0.2775, abs=1e-3)  # Wilson, 0 of 10
    none = detectability(None, np.array([[1.0] * 10]), np.full(10, 0.0))
    assert none.points[0].share is None and none.points[0].n == 0 and none.reaches == ()


def test_the_interval_of_a_size_covers_the_truth() -> None:
    """A stretch finds a fault from a size of its own on, drawn from N(5, 1): 80 % find it at 5 + 0.8416."""
    sizes, truth, hits = np.arange(1.0, 11.0, 0.5), 5.8416, 0
    for seed in range(60):
        own = np.random.default_rng(seed).normal(5, 1, 60)
        alarms = np.where(sizes[:, None] >= own[None, :], 0.0, INF)
        reach = detectability(sizes, alarms, np.full(60, INF)).reach(0.8)
        assert reach is not None and reach.low is not None and reach.high is not None
        hits += reach.low <= truth <= reach.high
    assert hits >= 55


def test_between_two_sizes_nothing_is_known_and_few_cases_leave_doubt() -> None:
    """None of 40 at size 1, all at size 5: the size lies anywhere between; all of 30 leave 90 % in doubt (Wilson's low end is 0.886)."""
    alarms = np.array([[INF], [0.0]])
    many, few = (detectability(np.array([1.0, 5.0]), np.repeat(alarms, n, axis=1), np.full(n, INF)) for n in (40, 30))
    assert [(r.low, r.high) for r in many.reaches] == [(1.0, 5.0)] * 3
    assert [(r.low, r.high) for r in few.reaches] == [(1.0, 5.0), (1.0, 5.0), (1.0, None)]
