"""Permutation importance: known for a linear model, nothing for a column that is not used, and groups that cover for each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from core.explain.columns import InputColumn, Move
from core.explain.permutation import STRETCHES, correlated_groups, permutation_importance, shuffled_blocks

COLUMNS = tuple(InputColumn(name, (i,), (0.0,), "", Move(0.0, 1.0)) for i, name in enumerate("abcd"))


def independent(n: int = 4000):
    return np.random.default_rng(3).normal(size=(n, 1, 4)).astype(np.float32)


def rmse(truth):
    return lambda said, at: float(np.sqrt(np.mean((said - truth)[at] ** 2)))


def test_the_error_of_a_linear_model_grows_by_what_was_computed_by_hand() -> None:
    """y = 2a + b exactly, unit variances: shuffling a gives an error of variance 2 · 2² = 8, shuffling b one of 2 · 1² = 2."""
    given = independent()
    truth = 2 * given[:, 0, 0] + given[:, 0, 1]

    found = permutation_importance(lambda some: 2 * some[:, 0, 0] + some[:, 0, 1], rmse(truth), given, COLUMNS)
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

    found = permutation_importance(lambda some: some[:, 0, 0] + some[:, 0, 1], rmse(truth), given, COLUMNS)
    assert found.groups[0].columns == ("a", "b") and len(found.groups) == 1
    assert found.singles[0].mean == pytest.approx(2**0.5, rel=0.03)
    assert found.groups[0].mean == pytest.approx(8**0.5, rel=0.03), "shuffled with the same order, or they would part"


def test_the_interval_counts_other_rows_as_well_as_other_shuffles() -> None:
    """y = a + noise of 3 on 200 rows: over 60 draws of the rows the interval holds what many rows give in nine of ten."""
    rng, held = np.random.default_rng(5), 0
    truth_of_many = (9 + 2) ** 0.5 - 3.0  # the variance of the error goes from 9 to 9 + 2
    for seed in range(60):
        given = rng.normal(size=(200, 1, 4)).astype(np.float32)
        truth = given[:, 0, 0] + rng.normal(0, 3, 200)
        found = permutation_importance(lambda some: some[:, 0, 0].astype(float), rmse(truth), given, COLUMNS, seed=seed)
        one = next(s for s in found.singles if s.columns == ("a",))
        held += abs(one.mean - truth_of_many) <= one.reach
    assert held >= 51  # 95 % of 60 less three standard deviations


def test_a_model_that_knows_nothing_has_no_column_it_lives_on() -> None:
    """Output and truth are independent: the largest of four columns passes the bar of 5 % over all in few of 100 draws."""
    rng, passed = np.random.default_rng(6), 0
    for seed in range(100):
        given = rng.normal(size=(150, 1, 4)).astype(np.float32)
        found = permutation_importance(
            lambda some: some[:, 0, :].sum(axis=1).astype(float), rmse(rng.normal(size=150)), given, COLUMNS, seed=seed
        )
        first = found.singles[0]
        passed += first.mean > stdtrit(STRETCHES - 1, 1 - 0.05 / 4) * first.spread
    assert passed <= 13  # binomial bound of 5 % at 99.9 %


def test_blocks_stay_whole_and_every_place_stands_once() -> None:
    order = shuffled_blocks(100, 10, np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(100)) and order.tolist() != list(range(100))
    assert int((np.diff(order) == 1).sum()) >= 90 and all(order[i] % 10 == 0 for i in range(0, 100, 10))


def test_a_block_longer_than_a_tenth_of_the_rows_is_cut() -> None:
    found = permutation_importance(lambda some: some[:, 0, 0], lambda said, at: 0.0, independent(50), COLUMNS, block=40)
    assert found.block == 5 and found.n == 50


def test_columns_are_linked_through_others_and_constants_are_not() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=3000)
    b, c = a + rng.normal(0, 0.35, 3000), a - rng.normal(0, 0.35, 3000)  # r of b and c is about 0.89, of each with a 0.94
    values = np.stack([a, b, c, np.ones(3000)], axis=1)[:, None, :].astype(np.float32)
    assert abs(np.corrcoef(b, c)[0, 1]) < 0.9 < np.corrcoef(a, b)[0, 1]
    assert correlated_groups(values, COLUMNS) == [(0, 1, 2)]
    assert correlated_groups(values[:2], COLUMNS) == []
