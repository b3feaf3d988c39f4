"""Limits of individuals and Nelson's rules, by hand and against a slow reading of the rules."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.individuals import Limits, NotDefined, individuals_limits, nelson_rules

D2 = 2 / np.sqrt(np.pi)
STANDARD = Limits(0.0, 1.0, -3.0, 3.0, 100)


def test_limits_are_three_average_moving_ranges_over_d2_from_the_mean() -> None:
    values = [5.0, 7.0, 6.0, 9.0, 8.0, 8.0, 5.0, 7.0, 6.0, 9.0]  # moving ranges 2 1 3 1 0 3 2 1 3, mean 16/9
    limits = individuals_limits(values)
    assert isinstance(limits, Limits)
    assert limits.centre == 7.0
    assert limits.sigma == pytest.approx(16 / 9 / D2)
    assert (limits.lower, limits.upper) == pytest.approx((7 - 3 * 16 / 9 / D2, 7 + 3 * 16 / 9 / D2))


def test_a_gap_makes_no_moving_range() -> None:
    with_gap = individuals_limits([1.0, 2.0, np.nan, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0])
    assert isinstance(with_gap, Limits)
    assert with_gap.sigma == pytest.approx(1 / D2)  # 2 → 9 is not counted
    assert with_gap.n == 10


def test_sigma_of_normal_values_is_their_standard_deviation() -> None:
    limits = individuals_limits(np.random.default_rng(1).normal(50, 2, 200_000))
    assert isinstance(limits, Limits)
    assert limits.sigma == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(("values", "why"), [([1.0] * 50, "never change"), ([1.0, 2.0], "at least 10"), ([], "at least 10")])
def test_limits_are_refused_with_a_reason(values: list[float], why: str) -> None:
    found = individuals_limits(values)
    assert isinstance(found, NotDefined)
    assert why in str(found.reason)


def slow_rules(x: np.ndarray, limits: Limits) -> np.ndarray:
    """The four rules read out for each row, over the rows up to it."""
    found = np.zeros((4, len(x)), bool)
    known = [i for i in range(len(x)) if not np.isnan(x[i])]
    for place, i in enumerate(known):
        before = [x[j] for j in known[: place + 1]]
        found[0, i] = before[-1] > limits.upper or before[-1] < limits.lower
        nine, six, fourteen = before[-9:], before[-6:], before[-14:]
        found[1, i] = len(nine) == 9 and (all(v > limits.centre for v in nine) or all(v < limits.centre for v in nine))
        steps = np.diff(six)
        found[2, i] = len(six) == 6 and (all(steps > 0) or all(steps < 0))
        turns = np.diff(fourteen)
        found[3, i] = len(fourteen) == 14 and all(a * b < 0 for a, b in zip(turns[1:], turns[:-1], strict=True))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_rules_agree_with_a_slow_reading_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1.3, 400) + np.repeat(rng.normal(0, 1, 20), 20)
    x[100:140] = np.where(np.arange(40) % 2, 1.0, -1.0) + rng.normal(0, 0.1, 40)
    x[200:212] = np.linspace(-2, 2, 12)
    x[rng.random(400) < 0.05] = np.nan
    x[rng.random(400) < 0.05] = 0.0
    expected = slow_rules(x, STANDARD)
    assert expected.any(axis=1).all()
    np.testing.assert_array_equal(nelson_rules(x, STANDARD), expected)


def test_a_value_on_the_limit_and_one_on_the_centre_line_do_not_signal() -> None:
    on_limit = nelson_rules([3.0, -3.0, np.nextafter(3.0, 4)], STANDARD)
    assert list(on_limit[0]) == [False, False, True]
    assert not nelson_rules([1.0] * 8 + [0.0] + [1.0] * 8, STANDARD)[1].any()


def test_no_rows_and_empty_rows_give_no_signal() -> None:
    assert nelson_rules([], STANDARD).shape == (4, 0)
    assert not nelson_rules([np.nan] * 20, STANDARD).any()


def test_shift_and_scale_change_no_signal() -> None:
    x = np.random.default_rng(3).normal(0, 1.5, 300)
    moved = Limits(100.0, 8.0, 76.0, 124.0, 100)
    np.testing.assert_array_equal(nelson_rules(100 + 8 * x, moved), nelson_rules(x, STANDARD))
