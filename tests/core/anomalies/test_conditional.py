"""How far a sensor lies from what the others say: known for two normals, equal to a regression, and of little smear."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.conditional import Conditional, fit_conditional, levels
from core.anomalies.scoring import level_residuals


def test_of_two_normals_the_distance_is_that_of_the_regression_line() -> None:
    """E[x | y] = ρ y with variance 1 − ρ²: at (2, 0), ρ = 0.6, x lies 2 ÷ 0.8 = 2.5 away, y −1.2 ÷ 0.8 = 1.5."""
    found = Conditional(np.zeros(2), np.linalg.inv(np.array([[1, 0.6], [0.6, 1]])))
    np.testing.assert_allclose(found.parts(np.array([[2.0, 0.0]])), [[2.5**2, 1.5**2]])
    assert found.spread(0) == pytest.approx(0.8)
    np.testing.assert_allclose(found.expected(np.array([[2.0, 1.0]]), [0]), [[0.6]])


def test_learned_it_is_least_squares_on_the_other_columns() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(4000, 4)) @ (np.eye(4) + 0.2 * rng.normal(size=(4, 4)))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    found = fit_conditional(rows)
    fit, *_ = np.linalg.lstsq(rows[:, 1:], rows[:, 0], rcond=None)
    residual = rows[:, 0] - rows[:, 1:] @ fit
    np.testing.assert_allclose(rows[:, 0] - found.expected(rows, [0])[:, 0], residual, atol=0.05)
    np.testing.assert_allclose(found.parts(rows)[:, 0].mean(), 1, atol=0.05)


def test_several_places_are_expected_together() -> None:
    """Two copies of a column say nothing of each other when both are left out: only the third speaks."""
    rng = np.random.default_rng(3)
    c = rng.normal(size=3000)
    a = 0.6 * c + 0.8 * rng.normal(size=3000)
    found = fit_conditional(np.column_stack([a, a, c]))
    np.testing.assert_allclose(found.expected(np.array([5.0, 5.0, 1.0]), [0, 1]), [0.6, 0.6], atol=0.05)


def test_levels_are_those_of_the_residual_score_and_arrays_come_back() -> None:
    windows = np.random.default_rng(4).normal(size=(5, 7, 3))
    np.testing.assert_allclose(levels(windows), level_residuals(windows, np.zeros_like(windows)))
    found = fit_conditional(windows[:, -1])
    again = Conditional.from_arrays(found.to_arrays())
    assert again is not None and (again.precision == found.precision).all()
    assert Conditional.from_arrays({"reach": np.ones(3)}) is None


def test_too_few_rows_say_nothing_of_a_correlation() -> None:
    found = fit_conditional(np.array([[np.nan, 1.0], [1.0, 2.0]]))
    assert (found.precision == np.eye(2)).all() and found.parts(np.array([[3.0, 0.0]])).tolist() == [[9.0, 0.0]]
