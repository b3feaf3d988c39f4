"""The fewest sensors whose repair brings windows below a limit, on scores whose answer is known."""

from __future__ import annotations

import numpy as np

from core.anomalies.conditional import Conditional
from core.explain.columns import InputColumn, Move
from core.explain.occlusion import repaired, repaired_together
from core.explain.repair_set import smallest_repair

COLUMNS = tuple(InputColumn(name, (i,), (0.0,), "", Move(0.0, 1.0), -9.0, 9.0) for i, name in enumerate("abcd"))


def largest(windows):
    """The largest absolute cell: one broken sensor holds the score up, whatever the others do."""
    return np.abs(np.asarray(windows, float)).max(axis=(1, 2))


def total(windows):
    return np.abs(np.asarray(windows, float)).sum(axis=(1, 2))


def window(*cells: float):
    return np.array([[cells]], dtype=np.float32)


def test_one_sensor_is_enough_where_one_is_broken() -> None:
    found = smallest_repair(largest, window(0.5, 8, 1, 0), COLUMNS, None, 2.0)
    assert (found.columns, found.before, found.after, found.is_within) == (("b",), 8.0, 1.0, True)


def test_several_that_stopped_at_once_are_named_together() -> None:
    """Of the sum 6 + 5 + 1 + 0 the largest two have to go to come below 2."""
    found = smallest_repair(total, window(1, 6, 0, 5), COLUMNS, None, 2.0)
    assert (found.columns, found.before, found.after, found.is_within) == (("b", "d"), 12.0, 1.0, True)


def test_more_than_three_are_not_enough_and_it_is_said() -> None:
    found = smallest_repair(total, window(4, 6, 3, 5), COLUMNS, None, 2.0)
    assert (found.columns, found.after, found.is_within) == (("b", "d", "a"), 3.0, False)


def test_a_sensor_that_is_not_needed_any_more_is_given_back() -> None:
    """a looks best at first; b and c together do without it."""
    table = {(): 10.0, ("a",): 5.0, ("b",): 6.0, ("c",): 7.0, ("a", "b"): 4.0, ("a", "c"): 4.5, ("b", "c"): 0.0}

    def score(windows):
        gone = [tuple(n for n, cell in zip("abcd", w[0], strict=True) if cell == 0 and n != "d") for w in np.asarray(windows)]
        return np.array([table.get(g, 0.0) for g in gone])

    found = smallest_repair(score, window(1, 1, 1, 0), COLUMNS, None, 1.0)
    assert (found.columns, found.after) == (("b", "c"), 0.0)


def test_every_window_has_to_come_below() -> None:
    found = smallest_repair(largest, np.concatenate([window(0, 8, 1, 0), window(0, 1, 0, 7)]), COLUMNS, None, 2.0)
    assert set(found.columns) == {"b", "d"} and found.is_within


def test_nothing_is_named_below_the_limit_or_where_repair_does_not_help() -> None:
    assert smallest_repair(largest, window(1, 1, 1, 1), COLUMNS, None, 2.0).columns == ()
    stuck = smallest_repair(lambda w: np.full(len(w), 5.0), window(1, 1, 1, 1), COLUMNS, None, 2.0)
    assert (stuck.columns, stuck.after, stuck.is_within) == ((), 5.0, False)
    assert smallest_repair(largest, window(1, 1, 1, 1)[:0], COLUMNS, None, 2.0).is_within


def test_sensors_that_are_repaired_together_hold_what_those_outside_expect() -> None:
    """Three standard normals, each two correlated by r: E[a | c] = r c, while E[a | b, c] = r (b + c) / (1 + r)."""
    r = 0.5
    conditional = Conditional(np.zeros(3), np.linalg.inv(np.full((3, 3), r) + (1 - r) * np.eye(3)))
    given = np.array([[[9.0, 6.0, 2.0]]], dtype=np.float32)
    both = repaired_together(given, COLUMNS[:2], conditional)
    np.testing.assert_allclose(both[0, 0], [r * 2, r * 2, 2], atol=1e-6)
    np.testing.assert_allclose(repaired(given, COLUMNS[0], conditional)[0, 0], [r * 8 / (1 + r), 6, 2], atol=1e-5)
