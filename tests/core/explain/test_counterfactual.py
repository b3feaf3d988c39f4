"""The nearest change: computed by hand for a linear model, the nearer of two edges, pairs where one does not do, and honestly none."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.columns import InputColumn, Move
from core.explain.counterfactual import find_counterfactual

# Features are the columns themselves; ranges 0 to 10, standard deviations 1, 1 and 2.
A, B, C = (
    InputColumn(name, (i,), (0.0,), "bar", Move(0.0, s), 0.0, 10.0)
    for i, (name, s) in enumerate(zip("abc", (1.0, 1.0, 2.0), strict=True))
)


def row(*values: float):
    return np.array([[values]], dtype=np.float32) / np.array([1, 1, 2], dtype=np.float32)[: len(values)]


def cell(some, i: int):
    return some[:, -1, i].astype(float) * (1, 1, 2)[i]


def test_a_linear_model_gives_the_value_of_the_equation() -> None:
    """2a + b = 20 and at most 14 is wanted: a has to fall by 3, b by 6; a is nearer."""
    found = find_counterfactual(lambda some: 2 * cell(some, 0) + cell(some, 1) - 14, row(6.0, 8.0), (A, B))
    assert not found.is_good and found.gap == pytest.approx(6)
    assert [one.changes[0].column for one in found.singles] == ["a", "b"]
    assert found.singles[0].changes[0].after == pytest.approx(3.0, abs=1e-4) and found.singles[0].changes[0].before == 6.0
    assert found.singles[1].changes[0].after == pytest.approx(2.0, abs=1e-4)
    assert found.singles[0].distance == pytest.approx(3.0, abs=1e-4)
    assert all(one.gap <= 0 for one in found.singles), "what is promised is kept"


def test_distance_counts_in_standard_deviations() -> None:
    """b and c would both have to fall by 4; c, whose standard deviation is 2, goes half as far."""
    found = find_counterfactual(lambda some: cell(some, 1) + cell(some, 2) - 8, row(0.0, 6.0, 6.0), (B, C))
    assert [(one.changes[0].column, round(one.distance, 3)) for one in found.singles] == [("c", 2.0), ("b", 4.0)]


def test_the_nearer_of_two_good_stretches_is_taken() -> None:
    """Good below 2 and above 7; from 5 the upper edge is nearer, from 4 the lower."""

    def gap(some):
        return np.minimum(cell(some, 0) - 2, 7 - cell(some, 0))

    for start, edge in ((5.0, 7.0), (4.0, 2.0)):
        assert find_counterfactual(gap, row(start), (A,)).singles[0].changes[0].after == pytest.approx(edge, abs=1e-3)


def test_two_columns_where_one_does_not_do() -> None:
    """a + b ≥ 15 from 2 + 2 with ranges to 10: one alone reaches 12, both together 6.5 up each or so."""
    found = find_counterfactual(lambda some: 15 - cell(some, 0) - cell(some, 1), row(2.0, 2.0), (A, B))
    assert (
        found.singles == ()
        and found.pair is not None
        and found.best is not None
        and found.best[1] == pytest.approx(3.0, abs=1e-3)
    )
    after = [change.after for change in found.pair.changes]
    assert sum(after) == pytest.approx(15, abs=1e-3) and max(after) <= 10 and found.pair.gap <= 0
    assert found.pair.distance == pytest.approx(5.5 * 2**0.5, rel=0.06), "near the shortest way, along the diagonal"


def test_none_is_said_honestly_and_a_good_row_needs_nothing() -> None:
    none = find_counterfactual(lambda some: np.full(len(some), 1.0), row(1.0, 1.0), (A, B))
    assert none.nearest is None and not none.is_good and none.best is not None
    assert find_counterfactual(lambda some: cell(some, 0) - 2, row(1.0), (A,)).is_good
    fixed = InputColumn("tool", (0,), (0.0,))
    assert find_counterfactual(lambda some: np.ones(len(some)), row(1.0), (fixed,)).best is None


def test_nothing_is_proposed_outside_the_range_of_training() -> None:
    found = find_counterfactual(lambda some: cell(some, 0) - (-1), row(5.0), (A,))
    assert found.singles == () and found.best == ("a", pytest.approx(1.0))


def test_a_row_outside_the_range_is_brought_in() -> None:
    found = find_counterfactual(lambda some: cell(some, 0) - 9.5, row(14.0), (A,))
    assert found.singles[0].changes[0].after == pytest.approx(9.5, abs=1e-3)
