"""Power transforms against scikit-learn and SciPy, and where they are not defined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.clean import Cleaned, Recipe, fit_recipe
from core.clean.power import FittedPower, learn_exponent, transformed
from core.data.dataset import Column
from core.data.split import TrainPart


def clean(values: list[float], key: str, n_train: int | None = None) -> Cleaned:
    table = pd.DataFrame({"p": values})
    recipe = Recipe.read({"steps": [{"key": key}]})
    columns = [Column("p", "number", unit="bar", upper_limit=9.0)]
    fitted = fit_recipe(recipe, TrainPart(table.iloc[:n_train], _made_by_split=True), columns)
    assert (fitted.columns[0].unit, fitted.columns[0].upper_limit) == ("", None)
    return fitted.apply(table)


@pytest.mark.parametrize("family", ["box_cox", "yeo_johnson"])
def test_exponents_and_values_equal_those_of_scikit_learn(family: str) -> None:
    from sklearn.preprocessing import PowerTransformer

    rng = np.random.default_rng(0)
    values = rng.gamma(2.0, 3.0, 500) + 0.1
    values = values if family == "box_cox" else values - 4
    theirs = PowerTransformer(method=family.replace("_", "-"), standardize=False).fit(values[:, None])
    found = learn_exponent(values, family)  # type: ignore[arg-type]
    assert found == pytest.approx(theirs.lambdas_[0], abs=1e-3)
    mine = transformed(values, float(theirs.lambdas_[0]), family)  # type: ignore[arg-type]
    np.testing.assert_allclose(mine, theirs.transform(values[:, None])[:, 0], rtol=1e-9)


@pytest.mark.parametrize("exponent", [-1.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_the_formulas_are_those_of_scipy_at_every_branch(exponent: float) -> None:
    values = np.array([-5.0, -0.5, 0.0, 0.5, 5.0])
    np.testing.assert_allclose(transformed(values, exponent, "yeo_johnson"), stats.yeojohnson(values, exponent), rtol=1e-12)
    positive = np.array([0.01, 1.0, 30.0])
    np.testing.assert_allclose(transformed(positive, exponent, "box_cox"), stats.boxcox(positive, exponent), rtol=1e-12)


def test_the_exponent_of_a_log_normal_column_is_near_zero() -> None:
    assert learn_exponent(np.random.default_rng(1).lognormal(size=5000), "box_cox") == pytest.approx(0.0, abs=0.05)


def test_cells_of_zero_or_below_become_empty_in_box_cox_and_are_counted() -> None:
    cleaned = clean([1.0, 2.0, 8.0, 4.0, 0.0, -1.0, np.nan], "box_cox", n_train=4)
    assert cleaned.table["p"].isna().tolist() == [False] * 4 + [True] * 3
    assert "2 cells are 0 or below and became empty" in str(cleaned.changes[0].notes[0])


@pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [1.0, 2.0], [np.nan, np.nan, np.nan], [-1.0, 2.0, 3.0]])
def test_what_gives_no_exponent_is_unchanged_and_said(values: list[float]) -> None:
    cleaned = clean(values, "box_cox")
    np.testing.assert_array_equal(cleaned.table["p"], values)
    assert "'p' is unchanged" in str(cleaned.changes[0].notes[0])


def test_an_overflow_gives_the_largest_number() -> None:
    step = FittedPower("yeo_johnson", "yeo_johnson", {"p": 5.0})
    table = pd.DataFrame({"p": [1e300, -np.inf, np.nan]})
    done = step.apply(table).table["p"]
    assert done[0] == np.finfo(np.float64).max and np.isinf(done[1]) and np.isnan(done[2])
