"""Limits and actions for outliers, against hand-computed limits."""

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, Recipe, fit_recipe
from core.clean.outliers import iqr_limits, z_limits
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem

TRAIN = [1.0, 2.0, 3.0, 4.0, 5.0]  # quartiles 2 and 4; mean 3, sd √2.5


def clean(values: list[float], key: str, **settings: object) -> Cleaned:
    table = pd.DataFrame({"p": [*TRAIN, *values]})
    recipe = Recipe.read({"steps": [{"key": key, "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table.iloc[:5], _made_by_split=True), [Column("p", "number")]).apply(table)


def test_limits_follow_their_formula() -> None:
    assert iqr_limits(np.array(TRAIN), 1.5) == pytest.approx((-1.0, 7.0))
    assert z_limits(np.array(TRAIN), 2.0) == pytest.approx((3 - 2 * 2.5**0.5, 3 + 2 * 2.5**0.5))


def test_limits_move_and_scale_with_the_unit() -> None:
    values = np.random.default_rng(0).normal(size=100)
    for limits in (lambda v: iqr_limits(v, 1.5), lambda v: z_limits(v, 3.0)):
        low, high = limits(values)
        assert limits(values * 1e-6 + 5e-6) == pytest.approx((low * 1e-6 + 5e-6, high * 1e-6 + 5e-6))


def test_a_cell_on_the_limit_is_normal_and_one_beyond_is_not() -> None:
    cleaned = clean([7.0, np.nextafter(7.0, 8.0), -1.0, -1.1, np.nan, np.inf, -np.inf], "iqr_outliers", fence=1.5)
    assert cleaned.flagged.tolist() == [False] * 5 + [False, True, False, True, False, True, True]
    assert cleaned.changes[0].flagged_cells == {"p": 4}
    assert cleaned.changes[0].changed_cells == {}
    np.testing.assert_array_equal(cleaned.flagged_cells["p"], cleaned.flagged)


def test_each_action_does_what_it_says() -> None:
    values = [10.0, -9.0, 4.0]
    emptied = clean(values, "iqr_outliers", fence=1.5, action="set_missing")
    assert emptied.table["p"].isna().tolist() == [False] * 5 + [True, True, False]
    assert emptied.changes[0].changed_cells == {"p": 2}
    clipped = clean(values, "iqr_outliers", fence=1.5, action="clip")
    assert clipped.table["p"].tolist() == [*TRAIN, 7.0, -1.0, 4.0]
    dropped = clean(values, "zscore_outliers", limit_sigma=2, action="drop_rows")
    assert dropped.left_out.tolist() == [False] * 5 + [True, True, False]
    assert dropped.table["p"].tolist() == [*TRAIN, *values]
    for other in (emptied, clipped, dropped):
        assert not other.flagged.any()


@pytest.mark.parametrize("values", [[], [5.0], [5.0] * 9, [0.1 + 0.2, 0.3] * 5], ids=["none", "one", "constant", "rounding"])
def test_values_without_spread_have_no_limits(values: list[float]) -> None:
    assert z_limits(np.array(values), 3.0) is None
    assert iqr_limits(np.array(values), 1.5) is None


def test_a_middle_half_of_equal_values_has_no_iqr_limits_and_says_so() -> None:
    table = pd.DataFrame({"p": [0.0] * 9 + [8.0]})
    recipe = Recipe.read({"steps": [{"key": "iqr_outliers"}]})
    cleaned = fit_recipe(recipe, TrainPart(table, _made_by_split=True), [Column("p", "number")]).apply(table)
    assert not cleaned.flagged.any()
    assert "do not spread" in str(cleaned.changes[0].notes[0])


def test_limits_that_overflow_are_no_limits() -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert z_limits(np.array([-1e308, 1e308]), 4.0) is None


def test_marks_are_kept_for_each_column_across_steps() -> None:
    table = pd.DataFrame({"p": [*TRAIN, 99.0, 3.0], "q": [*TRAIN, 3.0, 99.0]})
    recipe = Recipe.read(
        {"steps": [{"key": "iqr_outliers", "columns": ["p"]}, {"key": "zscore_outliers", "settings": {"limit_sigma": 2}}]}
    )
    columns = [Column("p", "number"), Column("q", "number")]
    cleaned = fit_recipe(recipe, TrainPart(table.iloc[:5], _made_by_split=True), columns).apply(table)
    assert {k: np.flatnonzero(v).tolist() for k, v in cleaned.flagged_cells.items()} == {"p": [5], "q": [6]}
    assert np.flatnonzero(cleaned.flagged).tolist() == [5, 6]


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(SettingProblem, match="action is 'delete'"):
        clean([1.0], "iqr_outliers", action="delete")
