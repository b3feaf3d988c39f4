"""Fixed fills and left-out rows, against values counted by hand."""

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, Recipe, fit_recipe
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

COLUMNS = (Column("p", "number"), Column("lot", "text"))


def clean(table: pd.DataFrame, key: str, n_train: int | None = None, **settings: object) -> Cleaned:
    recipe = Recipe.read({"steps": [{"key": key, "settings": settings}]})
    part = TrainPart(table.iloc[:n_train], _made_by_split=True)
    return fit_recipe(recipe, part, [c for c in COLUMNS if c.name in table]).apply(table)


@pytest.mark.parametrize(("key", "expected"), [("mean_fill", 4.0), ("median_fill", 2.0)])
def test_a_missing_cell_gets_the_statistic_of_the_finite_training_cells(key: str, expected: float) -> None:
    table = pd.DataFrame({"p": [1.0, 2.0, 9.0, np.inf, np.nan, 1000.0, np.nan]})
    cleaned = clean(table, key, n_train=5)
    assert cleaned.table["p"].tolist() == [1.0, 2.0, 9.0, expected, expected, 1000.0, expected]
    assert cleaned.changes[0].changed_cells == {"p": 3}
    assert cleaned.changes[0].n_changed == 3


def test_a_column_without_training_values_is_left_alone_and_said_so() -> None:
    table = pd.DataFrame({"p": [np.nan, np.nan, 5.0, np.nan]})
    cleaned = clean(table, "median_fill", n_train=2)
    assert np.isnan(cleaned.table["p"].to_numpy()).tolist() == [True, True, False, True]
    assert str(cleaned.changes[0].notes[0]) == "Column 'p' is unchanged: it had no values to learn from."


def test_several_columns_without_training_values_share_one_note() -> None:
    table = pd.DataFrame({"p": [np.nan, 1.0], "q": [np.nan, 1.0]})
    part = TrainPart(table.iloc[:1], _made_by_split=True)
    columns = [Column("p", "number"), Column("q", "number")]
    for key in ("median_fill", "standard_scale"):
        notes = fit_recipe(Recipe.read({"steps": [{"key": key}]}), part, columns).apply(table).changes[0].notes
        assert [str(n) for n in notes] == ["2 columns are unchanged, as they had no values to learn from: 'p', 'q'."]


def test_a_fixed_value_fills_numbers_and_texts() -> None:
    table = pd.DataFrame({"p": [1.0, np.nan], "lot": ["a", None]})
    cleaned = clean(table, "constant_fill", number=-1.5, text="none")
    assert cleaned.table["p"].tolist() == [1.0, -1.5]
    assert cleaned.table["lot"].tolist() == ["a", "none"]
    assert cleaned.changes[0].changed_cells == {"p": 1, "lot": 1}


def test_rows_with_an_empty_or_infinite_cell_are_marked_and_stay() -> None:
    table = pd.DataFrame({"p": [1.0, np.nan, -np.inf, 4.0], "lot": ["a", "b", "c", None]})
    cleaned = clean(table, "drop_missing")
    assert cleaned.left_out.tolist() == [False, True, True, True]
    assert cleaned.left_out_by.tolist() == ["", "drop_missing", "drop_missing", "drop_missing"]
    assert len(cleaned.table) == 4
    assert cleaned.changes[0].left_out_rows == 3


def test_a_fill_value_must_be_finite() -> None:
    with pytest.raises(SettingProblem, match="number"):
        Recipe.read({"steps": [{"key": "constant_fill", "settings": {"number": float("inf")}}]})


def test_text_where_numbers_were_is_refused_with_an_example() -> None:
    part = TrainPart(pd.DataFrame({"p": [1.0, 2.0]}), _made_by_split=True)
    fitted = fit_recipe(Recipe.read({"steps": [{"key": "median_fill"}]}), part, COLUMNS[:1])
    with pytest.raises(DataProblem, match="Column 'p' holds text, for example '1,5'"):
        fitted.apply(pd.DataFrame({"p": ["1,5", None]}))


def test_an_empty_text_column_where_numbers_were_counts_as_missing() -> None:
    part = TrainPart(pd.DataFrame({"p": [1.0, 2.0]}), _made_by_split=True)
    fitted = fit_recipe(Recipe.read({"steps": [{"key": "median_fill"}]}), part, COLUMNS[:1])
    assert fitted.apply(pd.DataFrame({"p": [None, None]}, dtype=object)).table["p"].tolist() == [1.5, 1.5]
