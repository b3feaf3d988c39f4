"""Scaling against hand-computed centres and scikit-learn."""

import numpy as np
import pandas as pd
import pytest

from core.clean import Recipe, fit_recipe
from core.clean.scaling import Method, centre_and_scale
from core.data.dataset import Column
from core.data.split import TrainPart


def test_centre_and_scale_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    assert centre_and_scale(values, "standard") == pytest.approx((4.0, 10.0**0.5))
    assert centre_and_scale(values, "minmax") == (1.0, 9.0)
    assert centre_and_scale(values, "robust") == (3.0, 2.0)


@pytest.mark.parametrize(
    ("key", "scaler"),
    [("standard_scale", "StandardScaler"), ("minmax_scale", "MinMaxScaler"), ("robust_scale", "RobustScaler")],
)
def test_scaled_cells_equal_those_of_scikit_learn(key: str, scaler: str) -> None:
    from sklearn import preprocessing

    values = np.random.default_rng(4).gamma(2.0, size=(200, 2))
    values[::7, 0] = np.nan
    table = pd.DataFrame(values, columns=["a", "b"])
    columns = [Column("a", "number", unit="bar", upper_limit=9.0), Column("b", "number")]
    fitted = fit_recipe(Recipe.read({"steps": [{"key": key}]}), TrainPart(table.iloc[:120], _made_by_split=True), columns)
    theirs = getattr(preprocessing, scaler)().fit(values[:120]).transform(values)
    np.testing.assert_allclose(fitted.apply(table).table.to_numpy(), theirs, rtol=1e-12, atol=1e-12)
    assert fitted.columns[0] == Column("a", "number")


@pytest.mark.parametrize("method", ["standard", "minmax", "robust"])
def test_a_column_without_spread_is_only_centred(method: Method) -> None:
    assert centre_and_scale(np.array([7.0]), method) == (7.0, 1.0)
    assert centre_and_scale(np.full(9, 7.0), method) == (7.0, 1.0)
    assert centre_and_scale(np.array([]), method) is None


def test_infinite_cells_stay_infinite_and_are_not_learned_from() -> None:
    table = pd.DataFrame({"a": [0.0, 2.0, np.inf, np.nan]})
    fitted = fit_recipe(
        Recipe.read({"steps": [{"key": "minmax_scale"}]}), TrainPart(table, _made_by_split=True), [Column("a", "number")]
    )
    cleaned = fitted.apply(table)
    np.testing.assert_array_equal(cleaned.table["a"].to_numpy(), [0.0, 1.0, np.inf, np.nan])
    assert cleaned.changes[0].changed_cells == {"a": 1}
