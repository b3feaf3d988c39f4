"""Steps on whole columns, the most frequent value, and limits by the median deviation, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.clean import Cleaned, Recipe, fit_recipe
from core.clean.outliers import mad_limits
from core.data.dataset import Column
from core.data.split import TrainPart

NAN = np.nan
COLUMNS = (Column("p", "number"), Column("q", "number"), Column("lot", "text"), Column("y", "number", "target"))


def clean(table: pd.DataFrame, *steps: dict[str, object], n_train: int | None = None) -> Cleaned:
    part = TrainPart(table.iloc[:n_train], _made_by_split=True)
    return fit_recipe(Recipe.read({"steps": list(steps)}), part, [c for c in COLUMNS if c.name in table]).apply(table)


def test_sparse_and_constant_columns_go_by_the_training_part_alone() -> None:
    table = pd.DataFrame({"p": [NAN, NAN, 1.0, 1, 1, 1], "q": [2.0, 2, NAN, 3, 4, 5], "lot": ["a", "a", "a", "b", "c", "d"]})
    assert clean(table, {"key": "drop_sparse"}, n_train=3).changes[0].removed_columns == ("p",)
    assert clean(table, {"key": "drop_sparse"}).changes[0].removed_columns == ()
    long = pd.concat([table.iloc[:3]] * 4 + [table.iloc[3:]], ignore_index=True)
    assert clean(long, {"key": "drop_constant"}, n_train=12).changes[0].removed_columns == ("p", "q", "lot")
    assert clean(long, {"key": "drop_constant"}).changes[0].removed_columns == ("p",)
    assert clean(table, {"key": "drop_sparse", "settings": {"share": 0.2}}).changes[0].removed_columns == ("p",)


def test_an_indicator_says_where_a_cell_was_empty_before_it_is_filled() -> None:
    table = pd.DataFrame({"p": [1.0, NAN, np.inf], "q": [1.0, 2, 3], "p_missing": [9.0, 9, 9]})
    cleaned = clean(table, {"key": "missing_indicator"}, {"key": "median_fill"})
    assert cleaned.changes[0].added_columns == ("p_missing_",)
    assert cleaned.table["p_missing_"].tolist() == [0.0, 1.0, 1.0]
    assert cleaned.table["p"].tolist() == [1.0, 1.0, 1.0]


def test_the_most_frequent_value_fills_numbers_and_texts_and_the_first_wins_a_tie() -> None:
    table = pd.DataFrame({"p": [3.0, 3, 1, 1, 2, NAN], "lot": ["b", "b", "a", "a", "c", None]})
    cleaned = clean(table, {"key": "mode_fill"})
    assert cleaned.table["p"].tolist()[-1] == 1.0
    assert cleaned.table["lot"].tolist()[-1] == "a"
    assert dict(cleaned.changes[0].changed_cells) == {"p": 1, "lot": 1}


def test_limits_by_the_median_deviation_by_hand() -> None:
    """Median 3, deviations 2 1 0 1 97: MAD 1, so 3.5 modified z-scores reach 3.5 / 0.6745 = 5.189 (Iglewicz, Hoaglin)."""
    low, high = mad_limits(np.array([1.0, 2, 3, 4, 100]), 3.5) or (NAN, NAN)
    assert (low, high) == pytest.approx((3 - 5.18903, 3 + 5.18903), abs=1e-5)
    assert mad_limits(np.array([5.0, 5, 5, 9]), 3.5) is None
    cleaned = clean(pd.DataFrame({"p": [1.0, 2, 3, 4, 100]}), {"key": "mad_outliers", "settings": {"action": "clip"}})
    assert cleaned.table["p"].tolist() == pytest.approx([1.0, 2, 3, 4, high])


def test_modified_z_scores_mark_the_same_cells_as_their_formula() -> None:
    values = np.random.default_rng(0).standard_t(2, 500)
    z = 0.6745 * (values - np.median(values)) / np.median(np.abs(values - np.median(values)))
    flagged = clean(pd.DataFrame({"p": values}), {"key": "mad_outliers"}).flagged
    np.testing.assert_array_equal(flagged, np.abs(z) > 3.5)
    assert 0 < flagged.sum() < 100
