"""Costs of calls by hand, the least expected cost against all calls tried, and a saving whose size is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.cell_costs import cheapest_class, cost_of_calls, least_cost_classes, saving

COSTS = np.array([[0.0, 5.0, 1.0], [20.0, 0.0, 2.0], [3.0, 4.0, -1.0]])


def test_cells_by_hand() -> None:
    """Rows 0→0, 0→1, 1→0, 1→0, 2→2: 5 + 20 + 20 − 1 = 44, of 5 rows."""
    found = cost_of_calls(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 0, 2]), COSTS)
    assert found.cells.tolist() == [[0, 5, 0], [40, 0, 0], [0, 0, -1]]
    assert found.total == 44 and found.mean == pytest.approx(8800) and found.n == 5


def test_the_call_with_the_least_expected_cost_is_the_best_of_all() -> None:
    p = np.random.default_rng(1).dirichlet([1, 1, 1], 500)
    found = least_cost_classes(p, COSTS)
    for row, called in zip(p, found, strict=True):
        expected = [sum(row[i] * COSTS[i, j] for i in range(3)) for j in range(3)]
        assert expected[called] == pytest.approx(min(expected))


def test_two_classes_are_cut_where_elkan_puts_the_limit() -> None:
    """p* = (c10 − c00) / (c10 − c00 + c01 − c11): 1 / (1 + 9) with a false alarm of 1 and a miss of 9 (Elkan 2001, equation 2)."""
    p = np.array([0.09, 0.11])
    costs = np.array([[0.0, 1.0], [9.0, 0.0]])  # class 1 is the defect
    assert least_cost_classes(np.column_stack([1 - p, p]), costs).tolist() == [0, 1]


def test_of_equal_costs_the_more_probable_class_is_called() -> None:
    costs = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert least_cost_classes(np.array([[0.2, 0.3, 0.5], [0.2, 0.5, 0.3]]), costs).tolist() == [2, 1]


def test_a_saving_is_paired_and_its_interval_holds_the_truth() -> None:
    """Calls B cost 2 more than A on a fifth of the rows: 400 for 1,000 rows; the level of both varies far more than that."""
    rng, held = np.random.default_rng(4), 0
    costs = np.array([[0.0, 2.0], [50.0, 50.0]])
    for seed in range(100):
        truth = (rng.random(600) < 0.3).astype(int)
        b = (rng.random(600) < 0.2).astype(int)
        mean, (low, high) = saving(truth, np.zeros(600, int), b, costs, seed=seed)
        assert low is not None and high is not None and low <= mean <= high
        held += low <= 1000 * 2 * 0.2 * 0.7 <= high
    assert held >= 88  # 95 of 100, less three standard deviations


def test_the_cheapest_class_without_any_knowledge() -> None:
    assert cheapest_class(np.array([0, 0, 0, 1]), COSTS) == 2  # 3·0 + 20, 3·5 + 0, 3·1 + 2
    assert cheapest_class(np.array([0]), COSTS) == 0


def test_without_rows_there_is_no_cost() -> None:
    none = np.zeros(0, dtype=np.int64)
    found = cost_of_calls(none, none, COSTS)
    assert math.isnan(found.mean) and found.bounds == (None, None) and found.total == 0
    assert math.isnan(saving(none, none, none, COSTS)[0])


def test_rows_of_a_block_are_drawn_together() -> None:
    truth = np.repeat(np.arange(20) % 2, 30)
    alone = cost_of_calls(truth, np.zeros(600, int), COSTS[:2, :2])
    together = cost_of_calls(truth, np.zeros(600, int), COSTS[:2, :2], blocks=np.repeat(np.arange(20), 30))
    width = [b[1] - b[0] for b in (alone.bounds, together.bounds)]  # type: ignore[operator]
    assert width[1] > 3 * width[0]
