"""Recipes as users keep them, and as bundles replay them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clean import Applied, Change, FittedRecipe, Recipe, RecipeStep, fit_recipe, step_by_key
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem

COLUMNS = (
    Column("lot", "text", "group"),
    Column("p", "number", unit="bar"),
    Column("m", "text"),
    Column("y", "number", "target"),
)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"lot": ["a"] * 4 + ["b"] * 4, "p": [1.0, 2.0, np.nan, 4.0, 900.0, np.nan, 3.0, 2.0], "m": list("xyxyxyxz"), "y": 1.0},
        index=pd.RangeIndex(10, 18, name="row"),
    )


def fit(*steps: dict[str, object], n_train: int = 8) -> FittedRecipe:
    return fit_recipe(Recipe.read({"steps": list(steps)}), TrainPart(table().iloc[:n_train], _made_by_split=True), COLUMNS)


def test_the_json_of_a_recipe_is_what_was_written() -> None:
    step = {"key": "iqr_outliers", "columns": ["p"], "settings": {"fence": 2.0, "action": "clip"}}
    more = {"id": "s1", "title": "Fence", "enabled": False, "reason": None}
    written = {"version": 2, "steps": [step | more]}
    assert Recipe.read(written).to_json() == written
    assert Recipe.read(json.loads(json.dumps(written))).to_json() == written
    assert Recipe.read({}).to_json() == {"version": 2, "steps": []}


def test_a_recipe_of_version_1_is_brought_up_to_date() -> None:
    old = {"version": 1, "steps": [{"key": "median_fill"}, {"key": "one_hot", "columns": ["m"], "settings": {}}]}
    recipe = Recipe.read(old)
    assert recipe.version == 2
    assert [(s.id, s.key, s.enabled) for s in recipe.steps] == [("s1", "median_fill", True), ("s2", "one_hot", True)]
    assert Recipe.read(recipe.to_json()) == recipe


def test_a_fitted_recipe_of_version_1_gives_what_it_gave() -> None:
    """Written by the version before recipe version 2, with all its steps: an old bundle's recipe and its result."""
    stored = json.loads((Path(__file__).parent / "data" / "recipe_version_1.json").read_text(encoding="utf-8"))
    fitted = FittedRecipe.from_json(stored["fitted"])
    table = pd.DataFrame(stored["table"], index=pd.RangeIndex(100, 112, name="row"))
    cleaned = fitted.apply(table)
    assert len(fitted.steps) == 14
    assert cleaned.left_out_by.tolist() == stored["left_out_by"]
    assert cleaned.flagged.tolist() == stored["flagged"]
    assert [dict(c.changed_cells) for c in cleaned.changes] == stored["changed"]
    assert {str(name): cleaned.table[name].tolist() for name in cleaned.table} == stored["cleaned"]
    assert Recipe.read(stored["recipe"]).active == Recipe.read(stored["recipe"]).steps
    again = FittedRecipe.from_json(json.loads(json.dumps(fitted.to_json())))
    pd.testing.assert_frame_equal(again.apply(table).table, cleaned.table, check_exact=True)


def test_ids_stay_with_their_step_and_are_never_shared() -> None:
    recipe = Recipe.read({"steps": [{"key": "median_fill"}, {"key": "one_hot"}]})
    twice = recipe.duplicated(0)
    assert [(s.id, s.key) for s in twice.steps] == [("s1", "median_fill"), ("s3", "median_fill"), ("s2", "one_hot")]
    assert [s.id for s in twice.moved(2, 0).steps] == ["s2", "s1", "s3"]
    changed = twice.replaced(1, RecipeStep(key="median_fill", columns=("p",)))
    assert [(s.id, s.columns) for s in changed.steps] == [("s1", ()), ("s3", ("p",)), ("s2", ())]
    written = {"steps": [{"key": "median_fill", "id": "a"}, {"key": "mean_fill", "id": "a"}]}
    assert [s.id for s in Recipe.read(written).steps] == ["a", "s1"]


def test_a_switched_off_step_is_kept_and_not_done() -> None:
    recipe = Recipe.read({"steps": [{"key": "iqr_outliers", "settings": {"action": "set_missing"}}, {"key": "median_fill"}]})
    off = recipe.switched(0)
    assert [s.key for s in off.active] == ["median_fill"]
    assert off.switched(0) == recipe
    fitted = fit_recipe(off, TrainPart(table(), _made_by_split=True), COLUMNS)
    cleaned = fitted.apply(table())
    assert fitted.ids == ("s2",)
    assert len(cleaned.changes) == 1
    assert cleaned.table["p"].tolist()[4] == 900.0


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"steps": [{"key": "medianfill"}]}, "cleaning step is 'medianfill'.*Did you mean 'median_fill'"),
        ({"steps": [{"key": "iqr_outliers", "settings": {"fences": 3}}]}, "setting is 'fences'.*Did you mean 'fence'"),
        ({"steps": [{"key": "iqr_outliers", "settings": {"fence": -1}}]}, "fence is '-1'"),
        ({"steps": [{"columns": ["p"]}]}, "steps.0.key"),
        ({"version": 3}, "version is '3'"),
        ({"step": []}, "setting is 'step'"),
    ],
)
def test_what_a_recipe_cannot_hold_is_refused(written: dict[str, object], said: str) -> None:
    with pytest.raises(SettingProblem, match=said):
        Recipe.read(written)


def test_an_unknown_step_lists_the_catalogue() -> None:
    with pytest.raises(SettingProblem, match="Expected one of: median_fill, mean_fill"):
        step_by_key("magic")


def test_steps_can_be_added_moved_and_taken_out_without_touching_the_original() -> None:
    a, b, c = (RecipeStep(key=k, id=f"s{i}") for i, k in enumerate(("median_fill", "one_hot", "standard_scale"), 1))
    recipe = Recipe().with_step(a).with_step(b).with_step(c)
    assert recipe.moved(2, 0).steps == (c, a, b)
    assert recipe.moved(0, 99).steps == (b, c, a)
    assert recipe.moved(1, -5).steps == (b, a, c)
    assert recipe.without(1).steps == (a, c)
    assert recipe.steps == (a, b, c)


def test_each_step_sees_what_the_one_before_left() -> None:
    order = [{"key": "iqr_outliers", "settings": {"action": "set_missing"}}, {"key": "median_fill"}]
    cleaned = fit(*order).apply(table())
    assert cleaned.table["p"].tolist() == [1.0, 2.0, 2.0, 4.0, 2.0, 2.0, 3.0, 2.0]
    assert [c.n_changed for c in cleaned.changes] == [1, 3]
    other = fit(*order[::-1]).apply(table())
    assert other.changes[0].n_changed == 2


def test_left_out_rows_are_counted_once_and_named_after_the_first_step() -> None:
    drop_odd = {"key": "iqr_outliers", "settings": {"action": "drop_rows"}}
    cleaned = fit({"key": "drop_missing"}, drop_odd, {"key": "drop_missing"}).apply(table())
    assert cleaned.left_out_by.tolist() == ["", "", "drop_missing", "", "iqr_outliers", "drop_missing", "", ""]
    assert [c.left_out_rows for c in cleaned.changes] == [2, 1, 0]
    assert cleaned.table.index.tolist() == list(range(10, 18))


def test_rows_left_out_take_no_part_in_later_fits() -> None:
    cleaned = fit({"key": "iqr_outliers", "settings": {"action": "drop_rows"}}, {"key": "mean_fill"}).apply(table())
    assert cleaned.table["p"].iloc[2] == pytest.approx((1 + 2 + 4 + 3 + 2) / 5)


def test_neighbours_are_not_taken_from_rows_left_out_nor_from_another_group() -> None:
    cleaned = fit({"key": "iqr_outliers", "settings": {"action": "drop_rows"}}, {"key": "previous_fill"}).apply(table())
    np.testing.assert_array_equal(cleaned.table["p"].to_numpy(), [1.0, 2.0, 2.0, 4.0, 900.0, np.nan, 3.0, 2.0])
    assert cleaned.changes[1].changed_cells == {"p": 1}


def test_all_refused_columns_are_reported_together() -> None:
    with pytest.raises(
        SettingProblem, match="'y' .it is the target.*'lot' .it is a time or group.*'m' .this step does not"
    ) as caught:
        fit({"key": "standard_scale", "columns": ["y", "p", "lot", "m"]})
    assert caught.value.values["columns"] == ("y", "lot", "m")


def test_a_column_that_does_not_exist_is_named_with_the_closest() -> None:
    with pytest.raises(DataProblem, match="There is no column 'pp'.*Did you mean 'p'"):
        fit({"key": "median_fill", "columns": ["pp"]})


def test_a_table_without_a_needed_column_is_refused() -> None:
    with pytest.raises(DataProblem, match="There is no column 'p'"):
        fit({"key": "median_fill"}).apply(table().drop(columns="p"))
    with pytest.raises(DataProblem, match="There is no column 'lot'"):
        fit({"key": "previous_fill"}).apply(table().drop(columns="lot"))


def test_a_table_without_the_target_can_be_cleaned() -> None:
    cleaned = fit({"key": "median_fill"}, {"key": "one_hot"}).apply(table().drop(columns="y"))
    assert list(cleaned.table) == ["lot", "p", "m=x", "m=y", "m=z"]


def test_steps_without_named_columns_leave_0_1_columns_alone() -> None:
    recipe = fit({"key": "one_hot"}, {"key": "standard_scale"})
    cleaned = recipe.apply(table())
    assert set(cleaned.table["m=x"]) == {0.0, 1.0}
    assert cleaned.changes[1].changed_cells == {"p": 6}
    assert recipe.columns == (COLUMNS[0], Column("p", "number"), COLUMNS[3], *(Column(f"m={c}", "number") for c in "xyz"))


def test_a_long_recipe_survives_its_json() -> None:
    keys = ("iqr_outliers", "linear_fill", "median_fill", "isolation_outliers", "one_hot", "robust_scale")
    recipe = fit(*({"key": k} for k in keys), n_train=6)
    stored = json.dumps(recipe.to_json(), allow_nan=False)
    again = FittedRecipe.from_json(json.loads(stored))
    pd.testing.assert_frame_equal(recipe.apply(table()).table, again.apply(table()).table, check_exact=True)
    assert recipe.apply(table()).changes == again.apply(table()).changes
    assert again.group == "lot"


def test_a_recipe_of_another_version_is_refused() -> None:
    with pytest.raises(SettingProblem, match="version is '9'"):
        FittedRecipe.from_json({**fit().to_json(), "version": 9})


def test_an_empty_recipe_gives_the_table_back() -> None:
    cleaned = fit().apply(table())
    pd.testing.assert_frame_equal(cleaned.table, table())
    assert cleaned.changes == ()
    assert not cleaned.left_out.any()


@pytest.mark.parametrize(
    "reason",
    [
        {"id": "{x.__class__}", "values": {"x": 1}},
        {"id": "{x!r:>99999999}", "values": {"x": 1}},
        {"id": "{x:>99999999}", "values": {"x": 1}},
        {"id": "{missing}", "values": {}},
        {"id": "{x}", "values": {"x": {"id": "{y.__class__}", "values": {"y": 1}}}},
        {"id": "{", "values": {}},
        {"values": {}},
        {"id": "a", "n": "many"},
    ],
)
def test_a_reason_from_a_foreign_file_is_a_plain_sentence_or_refused(reason: dict[str, object]) -> None:
    with pytest.raises(SettingProblem, match="reason"):
        Recipe.read({"steps": [{"key": "median_fill", "reason": reason}]})


def test_a_step_with_neighbours_that_adds_a_column_leaves_it_empty_where_rows_were_left_out() -> None:
    @dataclass(frozen=True)
    class Previous:
        key: str = "previous"
        uses_neighbours: bool = True

        def apply(self, given: pd.DataFrame) -> Applied:
            made = given.assign(p_before=given["p"].shift(1)).drop(columns=["m"])
            n = np.zeros(len(given), dtype=bool)
            return Applied(made, n, n, Change(added_columns=("p_before",), removed_columns=("m",)))

        def state(self) -> dict[str, object]:
            return {}

    drop = step_by_key("drop_missing").restore({"columns": ["p"]})
    cleaned = FittedRecipe((drop, Previous()), COLUMNS).apply(table())
    assert "m" not in cleaned.table
    expected = [np.nan, 1.0, np.nan, 2.0, 4.0, np.nan, 900.0, 3.0]  # rows 2 and 5 have no p and are left out
    np.testing.assert_array_equal(cleaned.table["p_before"], expected)
    assert cleaned.table.index.equals(table().index)
