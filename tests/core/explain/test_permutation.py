"""Permutation importance: known for a linear model, nothing for a column that is not used, and groups that cover for each other."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.columns import InputColumn, Move
from core.explain.permutation import correlated_groups, permutation_importance, shuffled_blocks

COLUMNS = tuple(InputColumn(name, (i,), (0.0,), "", Move(0.0, 1.0)) for i, name in enumerate("abcd"))


def independent(n: int = 4000):
    return np.random.default_rng(3).normal(size=(n, 1, 4)).astype(np.float32)


def test_the_error_of_a_linear_model_grows_by_what_was_computed_by_hand() -> None:
    """y = 2a + b exactly, unit variances: shuffling a gives an error of variance 2 · 2² = 8, shuffling b one of 2 · 1² = 2."""
    given = independent()
    truth = 2 * given[:, 0, 0] + given[:, 0, 1]

    def error(some):
        return float(np.sqrt(np.mean((2 * some[:, 0, 0] + some[:, 0, 1] - truth) ** 2)))

    found = permutation_importance(error, given, COLUMNS)
    assert [one.columns[0] for one in found.singles][:2] == ["a", "b"] and found.error == 0
    assert found.singles[0].mean == pytest.approx(8**0.5, rel=0.03)
    assert found.singles[1].mean == pytest.approx(2**0.5, rel=0.03)
    assert [one.mean for one in found.singles[2:]] == [0.0, 0.0]
    assert found.groups == () and found.singles[0].spread < 0.1


def test_two_copies_hide_each_other_and_are_shuffled_together_too() -> None:
    """y = (a + b) / 2 · 2 with b = a: alone each costs a variance of 2, together the whole of 8."""
    given = independent()
    given[:, 0, 1] = given[:, 0, 0]
    truth = 2 * given[:, 0, 0]

    def error(some):
        return float(np.sqrt(np.mean((some[:, 0, 0] + some[:, 0, 1] - truth) ** 2)))

    found = permutation_importance(error, given, COLUMNS)
    assert found.groups[0].columns == ("a", "b") and len(found.groups) == 1
    assert found.singles[0].mean == pytest.approx(2**0.5, rel=0.03)
    assert found.groups[0].mean == pytest.approx(8**0.5, rel=0.03), "shuffled with the same order, or they would part"


def test_blocks_stay_whole_and_every_place_stands_once() -> None:
    order = shuffled_blocks(100, 10, np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(100)) and order.tolist() != list(range(100))
    assert int((np.diff(order) == 1).sum()) >= 90 and all(order[i] % 10 == 0 for i in range(0, 100, 10))


def test_a_block_longer_than_a_tenth_of_the_rows_is_cut() -> None:
    found = permutation_importance(lambda some: 0.0, independent(50), COLUMNS, block=40)
    assert found.block == 5 and found.n == 50


def test_columns_are_linked_through_others_and_constants_are_not() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=3000)
    b, c = a + rng.normal(0, 0.35, 3000), a - rng.normal(0, 0.35, 3000)  # r of b and c is about 0.89, of each with a 0.94
    values = np.stack([a, b, c, np.ones(3000)], axis=1)[:, None, :].astype(np.float32)
    assert abs(np.corrcoef(b, c)[0, 1]) < 0.9 < np.corrcoef(a, b)[0, 1]
    assert correlated_groups(values, COLUMNS) == [(0, 1, 2)]
    assert correlated_groups(values[:2], COLUMNS) == []
