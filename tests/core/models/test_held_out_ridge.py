"""The ridge of many features against scikit-learn, and what its held-out predictions are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from core.errors import NotEnoughData
from core.models.held_out_ridge import STRENGTHS, fit_held_out_ridge


def problem(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n + d)
    x = rng.uniform(size=(n, d))
    return x, np.stack([x[:, 0] - x[:, 1], x.mean(axis=1)], axis=1) + 0.1 * rng.normal(size=(n, 2)) + 5


# More features than twice the rows are fitted in the directions of the rows: both ways must be the same regression.
@pytest.mark.parametrize(("n", "d"), [(200, 12), (30, 40), (30, 90)])
def test_weights_are_those_of_scikit_learn(n: int, d: int) -> None:
    x, y = problem(n, d)
    found = fit_held_out_ridge(x, y, alpha=3.0)
    wanted = Ridge(alpha=3.0).fit(x, y)
    assert np.allclose(found.weights, wanted.coef_.T, atol=1e-9)
    assert np.allclose(found.bias, wanted.intercept_, atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(103, 6), (24, 70)])
def test_each_row_is_predicted_by_a_fit_without_its_part_and_the_best_shrinkage_is_taken(n: int, d: int) -> None:
    x, y = problem(n, d)
    stretch = np.array([i * min(25, n) // n for i in range(n)])
    errors, predicted = {}, {}
    for alpha in STRENGTHS:
        given = np.empty_like(y)
        for part in range(5):
            away = stretch % 5 == part
            given[away] = Ridge(alpha=alpha).fit(x[~away], y[~away]).predict(x[away])
        errors[alpha], predicted[alpha] = ((given - y) ** 2).mean(), given
    best = min(errors, key=lambda alpha: errors[alpha])
    found = fit_held_out_ridge(x, y, alpha=None)
    assert found.alpha == best
    assert np.allclose(found.held_out, predicted[best], atol=1e-8)


def test_features_that_are_constant_or_the_same_give_finite_weights() -> None:
    x, y = problem(50, 3)
    same = np.concatenate([x, x, np.ones((50, 1))], axis=1)
    assert np.isfinite(fit_held_out_ridge(same, y, alpha=0.0).weights).all()
    nothing = fit_held_out_ridge(np.ones((50, 2)), y, alpha=None)
    assert np.allclose(nothing.weights, 0) and np.allclose(nothing.bias, y.mean(axis=0))


def test_one_row_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="at least 2"):
        fit_held_out_ridge(np.ones((1, 3)), np.ones((1, 1)), alpha=None)
