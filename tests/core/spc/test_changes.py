"""Lasting shifts: found where the level changes, and seldom where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.changes import MOST_SHIFTS, lasting_shifts, neighbour_correlation


def slow(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    steps = rng.normal(size=n + 200)
    values = np.zeros(n + 200)
    for i in range(1, n + 200):
        values[i] = phi * values[i - 1] + steps[i]
    return values[200:]


def test_a_step_is_found_where_it_is_and_its_size_does_not_widen_sigma() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=300)
    values[100:] += 40.0
    values[220:] -= 3.0
    found = lasting_shifts(values)
    assert len(found) == 2 and found[0] == 100 and abs(found[1] - 220) <= 3


def test_empty_values_are_passed_over_and_places_count_them() -> None:
    values = np.array([0.0, 1.0] * 10 + [np.nan] * 5 + [8.0, 9.0] * 10)
    assert lasting_shifts(values).tolist() == [25]


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda rng: rng.normal(size=200), 2),
        (lambda rng: rng.exponential(size=300), 10),
        (lambda rng: rng.standard_t(3, size=300), 8),
        (lambda rng: slow(rng, 400, 0.6), 6),
        (lambda rng: slow(rng, 1_000, 0.9), 6),
    ],
)
def test_points_without_a_shift_seldom_show_one(make: object, most: int) -> None:
    """Of 100 series; sampling error included in the bound."""
    rng = np.random.default_rng(11)
    assert sum(len(lasting_shifts(make(rng))) > 0 for _ in range(100)) <= most  # type: ignore[operator]


def test_an_event_of_a_few_points_and_single_outliers_are_no_stage() -> None:
    values = np.random.default_rng(2).normal(size=200)
    values[60:66] += 6.0
    values[150] = 50.0
    assert not len(lasting_shifts(values))


def test_what_has_no_level_to_shift_from_gives_none() -> None:
    assert not len(lasting_shifts(np.arange(19.0)))
    assert not len(lasting_shifts(np.full(100, 3.0)))
    assert not len(lasting_shifts(np.full(100, np.nan)))
    many = np.repeat(np.arange(MOST_SHIFTS + 2) % 2 * 9.0, 12) + np.random.default_rng(0).normal(size=12 * (MOST_SHIFTS + 2))
    assert not len(lasting_shifts(many)), "a process that wanders has no stages"


def test_the_correlation_of_neighbours_is_that_of_the_process() -> None:
    assert neighbour_correlation([1.0, -1.0, 1.0, -1.0]) == pytest.approx(-1.0)
    assert neighbour_correlation([np.nan, 2.0, np.nan]) == 0.0 == neighbour_correlation([0.0, 0.0])
    # sum of products of neighbours over (pairs · mean square): (2 + 2 + 1) / 3 over (1 + 4 + 1 + 1) / 4
    assert neighbour_correlation([1.0, 2.0, 1.0, 1.0]) == pytest.approx((5 / 3) / (7 / 4))
    assert neighbour_correlation(slow(np.random.default_rng(8), 20_000, 0.7)) == pytest.approx(0.7, abs=0.02)
