"""The proposed recipe: what each rule sees, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.clean import Recipe, fit_recipe, propose
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message

TIME = Column("t", "number", "time")


def tidy(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"t": np.arange(n, dtype=float), "a": rng.normal(size=n), "b": rng.normal(size=n), "y": 1.0})


def proposed(table: pd.DataFrame, *, ordered: bool = True) -> Recipe:
    columns = [
        *([TIME] if ordered else []),
        *(Column(str(c), "text" if c == "m" else "number") for c in table if c not in ("t", "y")),
        Column("y", "number", "target"),
    ]
    return propose(TrainPart(table, _made_by_split=True), columns)


def told(recipe: Recipe) -> list[tuple[str, tuple[str, ...]]]:
    return [(s.key, s.columns) for s in recipe.steps]


def test_a_tidy_table_needs_nothing() -> None:
    assert proposed(tidy()) == Recipe()
    assert proposed(tidy(), ordered=False) == Recipe()
    assert proposed(tidy().iloc[:0]) == Recipe()


def test_sparse_and_constant_columns_go_with_a_reason() -> None:
    table = tidy().assign(empty=np.nan, rare=np.where(np.arange(400) % 3 == 0, 1.5, np.nan), same=4.0)
    table.loc[5, "same"] = np.nan
    recipe = proposed(table)
    assert told(recipe) == [("drop_sparse", ("empty", "rare")), ("drop_constant", ("same",))]
    reason = str(Message.from_json(recipe.steps[0].reason or {}))
    assert reason == "More than half of the cells of 'empty', 'rare' are missing in the training part."


def test_single_spikes_in_time_are_emptied_and_filled_and_a_level_shift_is_not() -> None:
    table = tidy()
    table.loc[[50, 200, 201 + 100], "a"] = 60.0
    table.loc[200:, "b"] += 50
    recipe = proposed(table)
    assert told(recipe) == [("hampel_outliers", ("a",)), ("previous_fill", ("a",)), ("median_fill", ("a",))]
    assert "3 cells of 'a' jump out" in str(Message.from_json(recipe.steps[0].reason or {}))


def test_jumps_within_the_range_of_a_switched_signal_are_left_alone() -> None:
    table = tidy()
    table["a"] = np.where(table["t"] % 100 < 60, 5.0, 0.0) + 0.01 * table["a"]
    table.loc[[30, 150, 290], "a"] = 0.0  # off for one row while it is on
    assert proposed(table) == Recipe()


def test_far_values_in_unordered_rows_are_only_marked() -> None:
    table = tidy()
    table.loc[[50, 200], "a"] = 60.0
    recipe = proposed(table, ordered=False)
    assert told(recipe) == [("iqr_outliers", ("a",))]
    assert recipe.steps[0].settings["action"] == "flag"


def test_short_gaps_are_filled_from_the_previous_value_and_long_ones_with_the_median() -> None:
    table = tidy()
    table.loc[[3, 9, 10, 77], "a"] = np.nan
    table.loc[100:115, "b"] = np.nan
    assert told(proposed(table)) == [("previous_fill", ("a",)), ("median_fill", ("a", "b"))]


def test_a_column_that_goes_with_another_is_predicted_and_much_missing_is_remembered() -> None:
    table = tidy()
    table["b"] = table["a"] * 2 + 0.1 * table["b"]
    table.loc[100:140, "b"] = np.nan
    assert told(proposed(table, ordered=False)) == [("missing_indicator", ("b",)), ("iterative_fill", ("a", "b"))]


def test_empty_texts_become_a_category_and_skewed_numbers_are_made_even() -> None:
    rng = np.random.default_rng(1)
    table = tidy().assign(m=np.where(rng.random(400) < 0.1, None, "x").astype(object), c=rng.lognormal(0, 1, 400))
    table.loc[::7, "m"] = "z"
    assert told(proposed(table)) == [("constant_fill", ("m",)), ("yeo_johnson", ("c",))]


def test_a_column_at_two_levels_is_not_made_even_into_one_value() -> None:
    table = tidy(650)
    table["a"] = np.random.default_rng(1).normal(80, 3, 650)
    table.loc[600:, "a"] += 30  # the best exponent leaves differences of rounding alone
    assert proposed(table) == Recipe()


def test_the_proposal_is_the_same_each_time_and_can_be_fitted() -> None:
    table = tidy().assign(c=np.random.default_rng(2).lognormal(size=400))
    table.loc[[3, 9, 77], "a"] = np.nan
    table.loc[50, "b"] = 99.0
    recipe = proposed(table)
    assert recipe == proposed(table)
    columns = [TIME, *(Column(c, "number") for c in "abc"), Column("y", "number", "target")]
    cleaned = fit_recipe(recipe, TrainPart(table, _made_by_split=True), columns).apply(table)
    assert cleaned.table[["a", "b", "c"]].notna().all(axis=None)
    pd.testing.assert_series_equal(cleaned.table["y"], table["y"])
