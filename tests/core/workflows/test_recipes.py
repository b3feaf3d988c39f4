"""A recipe kept with its dataset, proposed, used elsewhere, and written as a cleaned table with its changed cells."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.clean import FittedRecipe, History, Recipe, RecipeStep
from core.data.dataset import Dataset
from core.errors import DataProblem
from core.store import open_store


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.Workspace(open_store(tmp_path / "home"))


def pump(ws: wf.Workspace, tmp_path: Path, name: str = "pump", extra: str = "") -> Dataset:
    """200 minutes with 10 empty pressures and one spike of temperature."""
    lines = [f"time,pressure,temperature,note{extra and ',' + extra}"]
    for i in range(200):
        pressure, temperature = "" if i % 20 == 3 else f"{4 + (i * 7 % 11) / 10}", 500 if i == 50 else 60 + (i * 3) % 5
        lines.append(
            f"2026-05-01 {i // 60:02d}:{i % 60:02d},{pressure},{temperature},{'=1+1' if i % 2 else 'ok'}{extra and ',1.5'}"
        )
    path = tmp_path / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset


FILLED = Recipe(
    steps=(
        RecipeStep(key="zscore_outliers", columns=("temperature",), settings={"action": "real_event"}),
        RecipeStep(key="median_fill", columns=("pressure",), title="Fill pressure"),
        RecipeStep(key="mean_fill", columns=("temperature",), enabled=False),
    )
)


def test_a_draft_is_kept_apart_from_the_applied_recipe(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = pump(ws, tmp_path)
    wf.save_recipe(ws, dataset.id, Recipe(steps=(RecipeStep(key="mean_fill"),)))
    draft = wf.get_draft(ws, dataset.id)
    assert [s.key for s in draft.recipe.steps] == ["mean_fill"]
    wf.save_draft(ws, dataset.id, draft.put(FILLED).put(Recipe()).undo())
    again = wf.get_draft(wf.Workspace(open_store(tmp_path / "home")), dataset.id)
    assert again.recipe == FILLED and again.can_undo and again.can_redo
    assert [s.key for s in wf.get_recipe(ws, dataset.id).steps] == ["mean_fill"]


def test_a_draft_of_a_later_version_is_passed_over(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = pump(ws, tmp_path)
    ws.store.set_setting(f"recipe_draft.{dataset.id}", {"versions": [{"version": 99}], "place": 0})
    assert wf.get_draft(ws, dataset.id) == History.of(Recipe())


def test_the_cleaned_table_has_every_row_and_its_marks(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = pump(ws, tmp_path)
    made = wf.clean_dataset(dataset, FILLED, tmp_path / "out.csv", changes_out=tmp_path / "changes.csv")
    written, before = pd.read_csv(tmp_path / "out.csv"), dataset.table()
    assert (made.rows, made.changed_cells, made.left_out_rows) == (200, 10, 0)
    assert np.flatnonzero(written["real_event"]).tolist() == [50]
    assert written["temperature"].tolist() == before["temperature"].tolist()
    median = before["pressure"].iloc[:130].median()  # split by time: the first 65 % are for training
    empty = before["pressure"].isna().to_numpy()
    assert set(written["pressure"][empty]) == {median}
    with (tmp_path / "changes.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert [int(r["row"]) for r in listed] == np.flatnonzero(empty).tolist()
    assert {(r["column"], r["before"], r["after"], r["step"]) for r in listed} == {("pressure", "", str(median), "2")}


def test_changed_cells_are_numbered_as_the_recipe_shows_its_steps(ws: wf.Workspace, tmp_path: Path) -> None:
    recipe = Recipe(steps=(RecipeStep(key="mean_fill", enabled=False), RecipeStep(key="median_fill", columns=("pressure",))))
    dataset = pump(ws, tmp_path)
    found = wf.list_changes(dataset, recipe)
    assert set(found.part(0, 99)["step"]) == {2} and found.of(step=2).n == 10 and found.of(step=1).n == 0
    wf.clean_dataset(dataset, recipe, tmp_path / "out.csv", changes_out=tmp_path / "changes.csv")
    assert set(pd.read_csv(tmp_path / "changes.csv")["step"]) == {2}


def test_rows_left_out_stay_and_are_named(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = pump(ws, tmp_path)
    recipe = Recipe(steps=(RecipeStep(key="drop_missing"), RecipeStep(key="zscore_outliers", columns=("temperature",))))
    made = wf.clean_dataset(dataset, recipe, tmp_path / "out.csv")
    written = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert len(written) == 200 and made.left_out_rows == 10
    assert set(written["left_out_by"][3::20]) == {"drop_missing"}
    assert [i for i, v in enumerate(written["outlier_in"]) if v] == [50] and written["outlier_in"][50] == "temperature"


def test_a_fitted_recipe_is_replayed_and_learns_nothing(ws: wf.Workspace, tmp_path: Path) -> None:
    first, second = pump(ws, tmp_path), pump(ws, tmp_path, "other", "more")
    fitted = wf.clean_dataset(first, FILLED, tmp_path / "a.csv").fitted
    replayed = FittedRecipe.from_json(json.loads(json.dumps(fitted.to_json())))
    made = wf.clean_dataset(second, replayed, tmp_path / "b.csv")
    assert made.fitted.to_json() == fitted.to_json()
    a, b = pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "b.csv")
    assert a["pressure"].tolist() == b["pressure"].tolist()


def test_a_recipe_is_used_on_another_dataset_or_refused_with_nothing_kept(ws: wf.Workspace, tmp_path: Path) -> None:
    first, other = pump(ws, tmp_path), pump(ws, tmp_path, "other", "more")
    assert [c.n_changed for c in wf.use_recipe(ws, FILLED, other)] == [0, 10]
    assert wf.get_recipe(ws, other.id) == FILLED == wf.get_draft(ws, other.id).recipe
    narrow = Recipe(steps=(RecipeStep(key="median_fill", columns=("more",)),))
    with pytest.raises(DataProblem, match="more"):
        wf.use_recipe(ws, narrow, first)
    assert wf.get_recipe(ws, first.id) == Recipe()


def test_the_recipe_in_words_says_settings_learning_changes_and_reasons(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = pump(ws, tmp_path)
    fitted = wf.clean_dataset(dataset, FILLED, tmp_path / "a.csv")
    lines = [str(line) for line in wf.recipe_text(FILLED, fitted.fitted, fitted.changes)]
    assert lines[0].startswith(
        "1. Outliers by distance from the mean: 'temperature' (Distance (σ) = 4, What to do = real event); "
    )
    assert lines[0].endswith("; 1 cell labelled as a real event.")
    assert lines[1].startswith("2. Fill pressure: 'pressure'; 'pressure': ") and lines[1].endswith("; 10 cells changed.")
    assert lines[2] == "3. Fill with the mean: 'temperature' (switched off)."
    proposed = wf.propose_recipe(ws, dataset).recipe
    expected = ["hampel_outliers", "missing_indicator", "previous_fill", "median_fill"]  # 7 of 130 pressures are missing
    assert [s.key for s in proposed.steps] == expected
    for line, step in zip(wf.recipe_text(proposed), proposed.steps, strict=True):
        assert str(line).endswith(f". Why: {wf.step_reason(step)}")


def test_values_that_differ_in_their_last_digit_have_a_histogram(ws: wf.Workspace, tmp_path: Path) -> None:
    low = np.full(200, 4.0)
    low[::2] = np.nextafter(4.0, 5.0)
    pd.DataFrame({"x": low}).to_csv(tmp_path / "tiny.csv", index=False, float_format="%.17g")
    made = wf.import_file(ws, tmp_path / "tiny.csv").dataset
    assert made is not None
    found = wf.preview_recipe(ws, made, Recipe(), None, "x").histogram_before
    assert found is not None and found[1].tolist() == [200]


def test_texts_of_changed_cells_are_safe_in_a_spreadsheet_and_numbers_stay(ws: wf.Workspace, tmp_path: Path) -> None:
    from core.clean import find_changes, fit_recipe
    from core.data.dataset import Column
    from core.data.split import TrainPart

    table = pd.DataFrame({"=m": ["=1+1", None, "=1+1"], "p": [-1.5, -1.5, np.nan]})
    columns = [Column("=m", "text"), Column("p", "number")]
    fitted = fit_recipe(Recipe(steps=(RecipeStep(key="mode_fill"),)), TrainPart(table, _made_by_split=True), columns)
    wf.write_changes(find_changes(fitted, table), tmp_path / "safe.csv", formula_safe=True)
    rows = list(csv.reader((tmp_path / "safe.csv").open(encoding="utf-8")))
    assert rows[1:] == [["1", "'=m", "", "'=1+1", "1"], ["2", "p", "", "-1.5", "1"]]
    wf.write_changes(find_changes(fitted, table), tmp_path / "raw.csv")
    assert "'" not in (tmp_path / "raw.csv").read_text(encoding="utf-8")
