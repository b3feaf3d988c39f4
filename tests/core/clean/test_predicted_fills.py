"""Fills from similar rows and from predictions, against scikit-learn's own imputers."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from core.clean import FittedRecipe, Recipe, fit_recipe
from core.clean.iterative import FittedIterative, _normal, _row_hash, _sigma, impute, learn_sequence
from core.clean.knn_fill import fill_from
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem


def holed(n: int = 120, columns: int = 4, seed: int = 0) -> NDArray[np.float64]:
    """Correlated columns with a fifth of the cells missing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, columns))
    return np.where(rng.random(values.shape) < 0.2, np.nan, values)


def fit(key: str, table: pd.DataFrame, n_train: int | None = None, **settings: object) -> FittedRecipe:
    recipe = Recipe.read({"steps": [{"key": key, "settings": settings}]})
    part = TrainPart(table.iloc[:n_train], _made_by_split=True)
    return fit_recipe(recipe, part, [Column(str(c), "number") for c in table])


def sklearn_iterative(values: NDArray[np.float64], rounds: int, **settings: object):  # type: ignore[no-untyped-def]
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return IterativeImputer(max_iter=rounds, random_state=7, **settings).fit(values)


@pytest.mark.parametrize("k", [1, 5, 60])
def test_fills_from_similar_rows_equal_those_of_scikit_learn(k: int) -> None:
    from sklearn.impute import KNNImputer

    reference, new = holed(), holed(50, seed=1)
    new[3] = np.nan
    theirs = KNNImputer(n_neighbors=k).fit(reference)
    np.testing.assert_allclose(fill_from(new, reference, k), theirs.transform(new), rtol=1e-9)
    np.testing.assert_allclose(fill_from(reference, reference, k), theirs.transform(reference), rtol=1e-9)


def test_by_hand_the_two_nearest_rows_are_averaged() -> None:
    """Distances of (2, ?) over its one cell to 1, 4 and 9: the nearest two have 10 and 40."""
    reference = np.array([[1.0, 10.0], [4.0, 40.0], [9.0, 90.0]])
    assert fill_from(np.array([[2.0, np.nan]]), reference, 2)[0].tolist() == [2.0, 25.0]


def test_large_columns_do_not_decide_alone_who_is_similar() -> None:
    """'big' is noise; the answer goes with 'small', a millionth of its size."""
    rng = np.random.default_rng(2)
    small = np.repeat([0.0, 1e-3], 100)
    table = pd.DataFrame({"big": rng.normal(0, 1e3, 200), "small": small, "answer": small * 1e3})
    holes = table.assign(answer=table["answer"].mask(table.index % 10 == 3))
    filled = fit("knn_fill", holes).apply(holes).table["answer"]
    np.testing.assert_allclose(filled, table["answer"], atol=1e-9)


def test_the_reference_is_bounded_and_goes_through_json() -> None:
    table = pd.DataFrame(holed(3000), columns=list("abcd"))
    recipe = fit("knn_fill", table, rows=200)
    text = json.dumps(recipe.to_json(), allow_nan=False)
    assert len(text) < 20_000
    pd.testing.assert_frame_equal(FittedRecipe.from_json(json.loads(text)).apply(table).table, recipe.apply(table).table)


def test_one_draw_equals_scikit_learns_prediction() -> None:
    values, new = holed(), holed(40, seed=3)
    values -= np.nanmean(values, axis=0)  # the replay starts at 0, the mean of scaled columns
    for rounds in (1, 4):
        theirs = sklearn_iterative(values, rounds)
        mine = impute(new, learn_sequence(values, rounds), draws=1)
        np.testing.assert_allclose(mine[0], theirs.transform(new), rtol=1e-7, atol=1e-9)
        assert not mine[1].any()


def test_the_spread_of_a_draw_is_that_of_the_posterior() -> None:
    values = holed()
    values -= np.nanmean(values, axis=0)
    theirs = sklearn_iterative(values, 1).imputation_sequence_
    others = np.random.default_rng(4).normal(size=(30, 3))
    for regression, (feature, places, fitted) in zip(learn_sequence(values, 1), theirs, strict=True):
        assert regression.column == feature
        expected = fitted.predict(others[:, np.argsort(np.argsort(places))], return_std=True)[1]
        np.testing.assert_allclose(_sigma(others, regression), expected, rtol=1e-8)


def test_many_draws_have_the_mean_and_spread_of_scikit_learns_draws() -> None:
    values = holed(300, 2, seed=5)
    values -= np.nanmean(values, axis=0)
    row = np.array([[1.0, np.nan]])
    mean, spread = impute(row, learn_sequence(values, 3), draws=2000)
    theirs = sklearn_iterative(values, 3, sample_posterior=True)
    drawn = np.array([theirs.transform(row)[0, 1] for _ in range(500)])
    assert mean[0, 1] == pytest.approx(drawn.mean(), abs=5 * drawn.std() / 20)
    assert spread[0, 1] == pytest.approx(drawn.std(ddof=1), rel=0.15)


def test_draws_are_standard_normal_and_independent() -> None:
    from scipy.stats import kstest

    identity = _row_hash(np.random.default_rng(6).normal(size=(5000, 2)))
    draws = [_normal(identity, d, s) for d in (0, 1) for s in (0, 1)]
    for z in draws:
        assert kstest(z, "norm").pvalue > 1e-3
    correlations = np.corrcoef(draws)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(5000)


def test_a_row_gets_the_same_draws_whatever_comes_with_it() -> None:
    table = pd.DataFrame(holed(400), columns=list("abcd"))
    recipe = fit("iterative_fill", table, draws=5)
    whole = recipe.apply(table).table
    pd.testing.assert_frame_equal(recipe.apply(table.iloc[[17, 3]]).table, whole.iloc[[17, 3]], check_exact=True)


def test_the_spread_between_draws_is_said_a_column_in_its_unit() -> None:
    """The second column is the first plus noise of 0.5: predicting it, draws spread by about that times its scale."""
    rng = np.random.default_rng(7)
    first = rng.normal(size=2000)
    table = pd.DataFrame({"a": first, "b": 100 * (first + rng.normal(0, 0.5, 2000))})
    table.loc[table.index % 5 == 0, "b"] = np.nan
    step = fit("iterative_fill", table, draws=20).steps[0]
    assert isinstance(step, FittedIterative)
    assert step.spread["a"] is None
    assert step.spread["b"] == pytest.approx(50, rel=0.05)
    assert [str(note) for note in step.apply(table).change.notes] == [
        f"Filled cells of 'b' differ by ±{step.spread['b']:.4g} between 20 draws"
    ]
    assert fit("iterative_fill", table, draws=1).apply(table).changes[0].notes == ()


def test_too_many_columns_are_refused_with_what_to_do() -> None:
    table = pd.DataFrame(np.zeros((20, 41)), columns=[f"c{i}" for i in range(41)])
    with pytest.raises(SettingProblem, match="41 columns.*at most 40.*Choose the columns"):
        fit("iterative_fill", table)


def test_too_few_rows_give_the_mean_and_empty_columns_are_said() -> None:
    table = pd.DataFrame({"a": [1.0, 3.0, np.nan], "b": [np.nan] * 3})
    for key in ("iterative_fill", "knn_fill"):
        cleaned = fit(key, table).apply(table)
        assert cleaned.table["a"].tolist() == [1.0, 3.0, 2.0]
        assert "'b' is unchanged" in str(cleaned.changes[0].notes[0])
