"""Faults of known place and size: each kind by hand, and where stretches may lie."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.seeding import draw_stretches, with_common_fault, with_fault
from core.errors import SettingProblem
from core.spc.serial import autocorrelations

X = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0])


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("step", 3.0, [1, 2, 7, 10, 14, 16]),
        ("drift", 3.0, [1, 2, 5, 9, 14, 16]),
        ("spike", -3.0, [1, 2, 1, 7, 11, 16]),
        ("lag", 1.0, [1, 2, 2, 4, 7, 16]),
        ("lag", 9.0, [1, 2, 1, 1, 1, 16]),  # history ends: the first value is kept
        ("stuck", 0.0, [1, 2, 2, 2, 2, 16]),
    ],
)
def test_each_fault_changes_its_rows_and_no_others(kind: str, size: float, expected: list[float]) -> None:
    given = X.copy()
    assert with_fault(kind, given, 2, 5, size).tolist() == expected  # type: ignore[arg-type]
    assert given.tolist() == X.tolist()


def test_noise_is_added_with_its_sigma_and_is_the_same_noise_at_each_size() -> None:
    zeros = np.zeros(20_002)
    one, two = (with_fault("noise", zeros, 1, 20_001, size, seed=(5,)) for size in (1.0, 2.0))
    assert one[0] == one[-1] == 0 and one.std() == pytest.approx(1, abs=0.02)
    assert two == pytest.approx(2 * one)
    assert not np.array_equal(one, with_fault("noise", zeros, 1, 20_001, 1.0, seed=(6,)))


def test_a_lost_correlation_keeps_values_and_their_rhythm_and_loses_the_partner() -> None:
    rng = np.random.default_rng(1)
    x = np.zeros(6_000)
    for i in range(1, len(x)):
        x[i] = 0.9 * x[i - 1] + rng.normal()
    partner = x + rng.normal(0, 0.1, len(x))
    found = with_fault("lost_correlation", x, 0, len(x), 0.0, seed=(3,), others=x, block=100)
    assert set(found) <= set(x) and found.std() == pytest.approx(x.std(), rel=0.15)
    assert autocorrelations(found, 1)[1] == pytest.approx(0.9, abs=0.03)
    assert np.corrcoef(x, partner)[0, 1] > 0.99 and abs(np.corrcoef(found, partner)[0, 1]) < 0.2


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(SettingProblem, match="kind is 'gremlin'"):
        with_fault("gremlin", X, 0, 2, 1.0)  # type: ignore[arg-type]


def test_stretches_are_usable_within_one_group_with_their_history_and_apart() -> None:
    first = np.repeat([0, 50, 100], 50)
    usable = np.ones(150, bool)
    usable[20:25] = False
    starts = draw_stretches(usable, first, before=5, length=8, n=100, seed=1, apart=3)
    assert len(starts) > 5 and (np.diff(starts) >= 11).all()
    for start in starts:
        assert usable[start : start + 8].all() and len(set(first[start : start + 8])) == 1 and start - first[start] >= 5
    three = [draw_stretches(usable, first, before=5, length=8, n=3, seed=seed, apart=3).tolist() for seed in (1, 1, 2)]
    assert len(three[0]) == 3 and three[0] == three[1] != three[2]


def test_where_nothing_fits_there_is_no_stretch() -> None:
    assert len(draw_stretches(np.ones(10, bool), np.zeros(10, int), before=5, length=6, n=3, seed=1)) == 0
    assert draw_stretches(np.ones(10, bool), np.zeros(10, int), before=4, length=6, n=3, seed=1).tolist() == [4]
    assert len(draw_stretches(np.ones(4, bool), np.zeros(4, int), before=0, length=6, n=3, seed=1)) == 0


def test_as_many_stretches_are_found_as_fit() -> None:
    """100 rows hold 10 stretches of 7 with 3 rows between them, and the last needs no rows behind it."""
    found = draw_stretches(np.ones(100, bool), np.zeros(100, int), before=0, length=7, n=50, seed=1, apart=3)
    assert found.tolist() == list(range(0, 100, 10))
    nine = draw_stretches(np.ones(100, bool), np.zeros(100, int), before=0, length=7, n=9, seed=1, apart=3)
    assert len(nine) == 9 and (np.diff(nine) >= 10).all()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("step", [[1, 10], [2, 20], [4 + 1, 40 - 6], [7 + 1, 70 - 6], [11, 110]]),
        ("drift", [[1, 10], [2, 20], [4 + 0.5, 40 - 3], [7 + 1, 70 - 6], [11, 110]]),
        ("spike", [[1, 10], [2, 20], [4 + 1, 40 - 6], [7, 70], [11, 110]]),
        ("stuck", [[1, 10], [2, 20], [2, 20], [2, 20], [11, 110]]),
    ],
)
def test_a_common_fault_has_its_size_in_each_sensor_in_the_same_rows(kind: str, expected: list[list[float]]) -> None:
    given = np.column_stack([X[:5], 10 * X[:5]])
    found = with_common_fault(kind, given, 2, 4, np.array([1.0, -6.0]))  # type: ignore[arg-type]
    assert found == pytest.approx(np.array(expected)) and given[:, 1].tolist() == (10 * X[:5]).tolist()


def test_noise_of_a_common_cause_is_one_noise_and_lags_are_each_sensors_own() -> None:
    noisy = with_common_fault("noise", np.zeros((50, 2)), 5, 45, np.array([1.0, 3.0]), seed=(4,))
    assert noisy[:, 1] == pytest.approx(3 * noisy[:, 0]) and noisy[5:45, 0].std() > 0.5
    late = with_common_fault("lag", np.column_stack([X, X]), 2, 5, np.array([1.0, 2.0]))
    assert late[:, 0].tolist() == [1, 2, 2, 4, 7, 16] and late[:, 1].tolist() == [1, 2, 1, 2, 4, 16]


def test_a_correlation_lost_together_is_kept_among_themselves() -> None:
    """The second sensor is twice the first in every normal row, and stays so, at other times; a row with an empty cell gives nothing."""
    rng = np.random.default_rng(2)
    first = rng.normal(size=400)
    others = np.column_stack([first, 2 * first])
    others[7, 1] = np.nan
    found = with_common_fault("lost_correlation", others[100:200], 20, 80, np.zeros(2), seed=(3,), others=others, block=5)
    assert found[:, 1] == pytest.approx(2 * found[:, 0])
    assert not np.allclose(found[20:80, 0], others[120:180, 0]) and first[7] not in found[20:80, 0]
