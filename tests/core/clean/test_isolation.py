"""The NumPy replay of isolation forests against scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, FittedRecipe, Recipe, fit_recipe
from core.clean.isolation import IsolationSettings, grow_forest, usual_path
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem

COLUMNS = (Column("a", "number"), Column("b", "number"))


def rows_on_a_line(n: int = 400) -> pd.DataFrame:
    """b follows a; the last row has usual values in an unusual combination."""
    a = np.random.default_rng(2).normal(size=n)
    table = pd.DataFrame({"a": a, "b": a + np.random.default_rng(3).normal(size=n) * 0.05})
    table.loc[n - 1] = [1.8, -1.8]
    return table


def fitted(table: pd.DataFrame, **settings: object) -> FittedRecipe:
    recipe = Recipe.read({"steps": [{"key": "isolation_outliers", "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), COLUMNS)


def clean(table: pd.DataFrame, **settings: object) -> Cleaned:
    return fitted(table, **settings).apply(table)


@pytest.mark.parametrize(("n_rows", "n_features"), [(2, 1), (40, 3), (3000, 5)])
def test_scores_equal_those_of_scikit_learn(n_rows: int, n_features: int) -> None:
    from sklearn.ensemble import IsolationForest

    rng = np.random.default_rng(n_rows)
    values = rng.normal(size=(n_rows, n_features)) * 10.0 ** rng.integers(-6, 6, n_features)
    forest = grow_forest(values, IsolationSettings(n_trees=20))
    theirs = IsolationForest(n_estimators=20, max_samples=min(256, n_rows), random_state=7).fit(values.astype(np.float32))
    fresh = np.vstack([values, values * 3])
    np.testing.assert_allclose(forest.scores(fresh), -theirs.score_samples(fresh.astype(np.float32)), rtol=0, atol=1e-10)


def test_the_usual_path_follows_the_paper() -> None:
    expected = 2 * (np.log(255) + np.euler_gamma) - 2 * 255 / 256
    np.testing.assert_allclose(usual_path(np.array([1, 2, 256])), [0.0, 1.0, expected])


def test_an_unusual_combination_of_usual_values_is_marked() -> None:
    cleaned = clean(rows_on_a_line(), share=0.03)
    assert cleaned.flagged[-1]
    assert cleaned.changes[0].flagged_cells == {"a": int(cleaned.flagged.sum()), "b": int(cleaned.flagged.sum())}


def test_at_most_the_chosen_share_of_training_rows_is_marked() -> None:
    for share in (0.001, 0.01, 0.1):
        assert clean(rows_on_a_line(), share=share, n_trees=20).flagged.mean() <= share


def test_emptied_rows_lose_only_their_chosen_cells() -> None:
    table = rows_on_a_line().assign(c=1.0)
    cleaned = clean(table, share=0.03, action="set_missing")
    odd = cleaned.table["a"].isna()
    assert odd.iloc[-1]
    assert (cleaned.table["b"].isna() == odd).all()
    assert (cleaned.table["c"] == 1.0).all()


def test_the_saved_forest_marks_the_same_rows() -> None:
    recipe = fitted(rows_on_a_line(), n_trees=20)
    restored = FittedRecipe.from_json(json.loads(json.dumps(recipe.to_json())))
    fresh = rows_on_a_line() * 1.5
    np.testing.assert_array_equal(recipe.apply(fresh).flagged, restored.apply(fresh).flagged)


def test_empty_and_infinite_cells_can_be_scored() -> None:
    table = rows_on_a_line()
    table.iloc[0] = np.nan
    table.iloc[1] = [np.inf, -np.inf]
    cleaned = fitted(rows_on_a_line(), n_trees=50).apply(table)
    assert not cleaned.flagged[0]
    assert cleaned.flagged[1]


@pytest.mark.parametrize(
    "table", [rows_on_a_line(1), pd.DataFrame({"a": [5.0] * 9, "b": [np.nan] * 9})], ids=["one row", "nothing varies"]
)
def test_without_variation_nothing_is_marked_and_it_says_so(table: pd.DataFrame) -> None:
    cleaned = clean(table)
    assert not cleaned.flagged.any()
    assert str(cleaned.changes[0].notes[0]).startswith("Nothing is marked")


def test_clipping_is_not_offered() -> None:
    with pytest.raises(SettingProblem, match="action is 'clip'"):
        clean(rows_on_a_line(), action="clip")
