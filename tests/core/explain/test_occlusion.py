"""Covering a column of an additive model takes exactly its own part away."""

from __future__ import annotations

import numpy as np

from core.anomalies.conditional import Conditional, fit_conditional
from core.explain.occlusion import column_effects, repaired, shares_of
from tests.core.explain.linear import COLUMNS, WEIGHTS, predict, windows


def test_effects_of_an_additive_model_are_its_own_terms_and_add_up() -> None:
    given = windows(20)
    effects = column_effects(predict, given, COLUMNS)
    np.testing.assert_allclose(effects, np.einsum("nrf,rf->nf", given.astype(float), WEIGHTS), atol=1e-6)
    np.testing.assert_allclose(effects.sum(axis=1), predict(given) - 3, atol=1e-6)
    assert (effects[:, 1] == 0).all()
    assert column_effects(predict, given[:0], COLUMNS).shape == (0, 3)


def test_covered_by_what_the_others_expect_only_what_they_do_not_say_is_lost() -> None:
    """Of two standard normals with correlation ρ, E[a | c] = ρ c."""
    rho = 0.8
    precision = np.linalg.inv(np.array([[1, 0, rho], [0, 1, 0], [rho, 0, 1.0]]))
    conditional = Conditional(np.zeros(3), precision)
    given = np.array([[[0.0, 0, 0], [1.0, 0, 0.5]]], dtype=np.float32)
    filled = repaired(given, COLUMNS[0], conditional)
    np.testing.assert_allclose(filled[0, :, 0], [0.0, rho * 0.5], atol=1e-6)
    effects = column_effects(predict, given, COLUMNS, conditional)
    np.testing.assert_allclose(effects[0, 0], 2 * (1 - rho * 0.5), atol=1e-5)


def test_of_two_copies_neither_says_what_the_other_does_not() -> None:
    a = np.random.default_rng(1).normal(size=(500, 1))
    learned = fit_conditional(np.column_stack([a, np.zeros(500), a]))
    given = np.array([[[1.0, 0, 1.0], [1.0, 0, 1.0]]], dtype=np.float32)
    np.testing.assert_allclose(repaired(given, COLUMNS[0], learned)[0, :, 0], 1.0, atol=0.01)


def test_shares_count_what_pushes_up_and_each_row_the_same() -> None:
    np.testing.assert_allclose(shares_of(np.array([[1.0, 3.0, -5.0], [100.0, 0.0, 0.0]])), [0.625, 0.375, 0])
    assert shares_of(np.array([[-1.0, 0.0]])).tolist() == [0, 0]
