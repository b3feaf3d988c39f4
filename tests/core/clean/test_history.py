"""Undo and redo of a recipe, and every changed cell."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.clean import History, Recipe, RecipeStep, find_changes, fit_recipe
from core.clean.history import MOST
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem


def recipe(*keys: str) -> Recipe:
    return Recipe(steps=tuple(RecipeStep(key=key) for key in keys))


def test_undo_and_redo_walk_through_the_versions_and_a_change_forgets_what_was_undone() -> None:
    history = History.of(Recipe()).put(recipe("median_fill")).put(recipe("median_fill", "one_hot"))
    assert history.undo().recipe == recipe("median_fill")
    assert history.undo().undo().recipe == Recipe()
    assert history.undo().redo() == history
    assert not history.can_redo and history.can_undo and not History.of(Recipe()).can_undo
    assert history.undo().undo().undo().recipe == Recipe()
    changed = history.undo().put(recipe("mean_fill"))
    assert not changed.can_redo
    assert changed.undo().recipe == recipe("median_fill")
    assert history.put(history.recipe) == history


def test_the_oldest_versions_are_forgotten() -> None:
    history = History.of(Recipe())
    for i in range(MOST + 5):
        history = history.put(Recipe(steps=(RecipeStep(key="median_fill", columns=(f"c{i}",)),)))
    assert len(history.versions) == MOST
    assert history.recipe.steps[0].columns == (f"c{MOST + 4}",)


def test_a_history_survives_its_json_with_recipes_of_version_1() -> None:
    history = History.of(recipe("one_hot")).put(recipe("mean_fill")).undo()
    assert History.read(json.loads(json.dumps(history.to_json()))) == history
    old = {"versions": [{"version": 1, "steps": [{"key": "mean_fill"}]}], "place": 7}
    assert History.read(old).recipe == recipe("mean_fill")
    assert History.read({}).recipe == Recipe()
    with pytest.raises(SettingProblem, match="version is '99'"):
        History.read({"versions": [{"version": 99}]})


def changes_of(table: pd.DataFrame, *steps: dict[str, object]):  # type: ignore[no-untyped-def]
    columns = [Column("p", "number"), Column("q", "number"), Column("m", "text")]
    fitted = fit_recipe(Recipe.read({"steps": list(steps)}), TrainPart(table, _made_by_split=True), columns)
    return find_changes(fitted, table), fitted.apply(table)


TABLE = pd.DataFrame(
    {"p": [1.0, np.nan, 3.0, 90.0], "q": [np.nan, 5.0, 5.0, 6.0], "m": ["x", None, "x", "y"]}, index=pd.RangeIndex(10, 14)
)
STEPS: tuple[dict[str, object], ...] = (
    {"key": "iqr_outliers", "columns": ["p"], "settings": {"action": "clip", "fence": 0.5}},
    {"key": "median_fill"},
    {"key": "constant_fill", "columns": ["m"], "settings": {"text": "none"}},
)


def test_every_changed_cell_is_listed_with_its_step() -> None:
    """Quartiles of 1, 3, 90 are 2 and 46.5, so the fence of half a width ends at 68.75."""
    found, cleaned = changes_of(TABLE, *STEPS)
    assert found.n == 4 == sum(c.n_changed for c in cleaned.changes)
    listed = [tuple(row) for row in found.part(0, 10).itertuples(index=False)]
    assert listed[0] == (13, "p", 90.0, 68.75, 1)
    assert [(r[0], r[1], r[3], r[4]) for r in listed[1:]] == [(11, "p", 3.0, 2), (10, "q", 5.0, 2), (11, "m", "none", 3)]
    assert all(pd.isna(r[2]) for r in listed[1:])


def test_the_list_is_read_in_parts_and_narrowed() -> None:
    found, _ = changes_of(TABLE, *STEPS)
    whole = found.part(0, found.n)
    parts = pd.concat([found.part(i, i + 1) for i in range(found.n)], ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole)
    assert found.of(column="p").part(0, 9)["row"].tolist() == [13, 11]
    assert found.of(column="p", step=2).n == 1
    assert found.columns == ("p", "q", "m")
    assert list(found.of(column="none").part(0, 5).columns) == ["row", "column", "before", "after", "step"]


def test_a_cell_that_two_steps_change_is_listed_twice() -> None:
    found, cleaned = changes_of(TABLE, {"key": "median_fill"}, {"key": "standard_scale", "columns": ["p"]})
    assert found.of(column="p").n == 1 + 4
    assert found.n == sum(c.n_changed for c in cleaned.changes)
