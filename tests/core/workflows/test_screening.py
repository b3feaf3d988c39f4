"""Screening as a user does it: kept, decided about, put into recipe and roles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.clean import Recipe, RecipeStep
from core.data.dataset import Column, Dataset
from core.errors import SettingProblem
from core.workflows import screening
from core.workflows.workspace import Workspace

N = 1_000


@pytest.fixture
def ws(home: Path) -> Workspace:
    return wf.open_workspace(home)


@pytest.fixture
def dataset(ws: Workspace, tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(N), unit="min"),
            "a": rng.normal(50, 2, N),
            "b": rng.normal(70, 2, N),
            "twin": 0.0,
            "y": rng.normal(0, 1, N),
        }
    )
    table["twin"] = table["a"] * 2
    table.loc[rng.choice(N, 30, replace=False), "a"] = 9999.0
    table.loc[rng.choice(N, 40, replace=False), "b"] = np.nan
    path = tmp_path / "data.csv"
    table.to_csv(path, index=False)
    made = wf.import_file(ws, path, columns=[Column("y", "number", "target")]).dataset
    assert made is not None
    return made


def test_a_screening_is_computed_once_a_version(ws: Workspace, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not wf.is_screened(ws, dataset.id)
    first = wf.screen_dataset(ws, dataset.id)
    monkeypatch.setattr(screening, "screen", lambda *a: pytest.fail("screened again"))
    assert wf.screen_dataset(ws, dataset.id).to_json() == first.to_json()
    assert wf.is_screened(ws, dataset.id)


def test_a_stopped_screening_keeps_nothing(ws: Workspace, dataset: Dataset) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wf.screen_dataset(ws, dataset.id, progress=stop)
    assert not wf.is_screened(ws, dataset.id)


def test_fixes_share_steps_empty_before_they_fill_and_stand_before_scaling(ws: Workspace, dataset: Dataset) -> None:
    wf.save_recipe(ws, dataset.id, Recipe(steps=(RecipeStep(key="standard_scale"),)))
    now, recipe = wf.apply_fixes(ws, dataset.id, [("a", "missing_code"), ("b", "missing")])
    assert now.version == dataset.version
    assert [(s.key, s.columns) for s in recipe.steps] == [
        ("iqr_outliers", ("a",)),
        ("linear_fill", ("a", "b")),
        ("standard_scale", ()),
    ]
    assert wf.get_recipe(ws, dataset.id) == recipe
    again, same = wf.apply_fixes(ws, dataset.id, [("a", "missing_code")])
    assert same == recipe


def test_the_recipe_empties_exactly_the_codes(ws: Workspace, dataset: Dataset) -> None:
    _, recipe = wf.apply_fixes(ws, dataset.id, [("a", "missing_code")])
    preview = wf.preview_recipe(ws, dataset, recipe, None, "a")
    np.testing.assert_array_equal(preview.changed, preview.before == 9999.0)
    assert np.isfinite(preview.after).all() and preview.after.max() < 60


def test_what_the_recipe_mends_is_no_longer_open(ws: Workspace, dataset: Dataset) -> None:
    before = wf.screened(ws, dataset.id)
    assert {wf.key_of(r) for r in before.proposed} == {("a", "missing_code"), ("b", "missing")}
    wf.apply_fixes(ws, dataset.id, [wf.key_of(r) for r in before.proposed])
    after = wf.screened(ws, dataset.id)
    assert after.proposed == ()
    assert after.fixed >= {("a", "missing_code"), ("b", "missing")}
    assert after.grades["B"] + after.grades["C"] == 0


def test_any_filling_step_mends_gaps_but_not_codes(ws: Workspace, dataset: Dataset) -> None:
    wf.save_recipe(ws, dataset.id, Recipe(steps=(RecipeStep(key="median_fill"),)))
    assert wf.screened(ws, dataset.id).fixed == {("b", "missing")}


def test_an_ignored_column_makes_a_version_whose_screening_is_carried_over(
    ws: Workspace, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    wf.screen_dataset(ws, dataset.id)
    monkeypatch.setattr(screening, "screen", lambda *a: pytest.fail("screened again"))
    now = wf.ignore_columns(ws, dataset.id, ["twin"])
    assert now.column("twin").role == "ignore"
    carried = wf.screened(ws, dataset.id)
    assert carried.grades[""] == 1
    assert carried.screening.n_rows == N


def test_decisions_are_kept_by_column_and_reason_over_versions(ws: Workspace, dataset: Dataset) -> None:
    wf.leave_reasons(ws, dataset.id, [("b", "missing"), ("a", "missing_code")])
    wf.leave_reasons(ws, dataset.id, [("a", "missing_code")], left=False)
    wf.ignore_columns(ws, dataset.id, ["twin"])
    found = wf.screened(wf.open_workspace(ws.home), dataset.id)
    assert found.left == {("b", "missing")}
    by_name = {c.name: found.grade(c) for c in found.screening.columns}
    assert (by_name["a"], by_name["b"]) == ("C", "A")


def test_decisions_of_one_dataset_are_not_those_of_another(ws: Workspace, dataset: Dataset, tmp_path: Path) -> None:
    other = wf.import_file(ws, tmp_path / "data.csv").dataset
    assert other is not None
    wf.leave_reasons(ws, dataset.id, [("b", "missing")])
    assert wf.screened(ws, other.id).left == frozenset()


def test_a_finding_that_is_not_there_is_refused(ws: Workspace, dataset: Dataset) -> None:
    with pytest.raises(SettingProblem, match="a:missing_code"):
        wf.apply_fixes(ws, dataset.id, [("a", "missing_cod")])


def test_the_trace_of_a_column_keeps_the_marked_rows(ws: Workspace, dataset: Dataset) -> None:
    found = wf.screen_dataset(ws, dataset.id)
    codes = next(r for r in found.all_reasons() if r.code == "missing_code")
    trace = wf.column_trace(ws, dataset, "a", codes.places)
    assert trace.n_rows == N
    assert trace.values[trace.marked].tolist() == [9999.0] * len(codes.places)
    assert trace.rows[trace.marked].tolist() == [p.first for p in codes.places]
    assert trace.x.dtype.kind == "M"


@pytest.mark.parametrize("mixed", [True, False])
def test_screening_and_cleaning_draw_several_machines_in_the_same_order(ws: Workspace, tmp_path: Path, mixed: bool) -> None:
    rng = np.random.default_rng(6)
    minute = np.arange(200) // 2 if mixed else np.arange(200) % 100
    machine = np.where(np.arange(200) % 2 if mixed else np.arange(200) >= 100, "M2", "M1")
    when = pd.Timestamp("2026-01-05") + pd.to_timedelta(minute, unit="min")
    table = pd.DataFrame({"when": when, "machine": machine, "x": rng.normal(size=200)})
    table.to_csv(tmp_path / "two.csv", index=False)
    made = wf.import_file(ws, tmp_path / "two.csv").dataset
    assert made is not None and [c.role for c in made.columns] == ["time", "group", "sensor"]
    trace, preview = wf.column_trace(ws, made, "x"), wf.preview_recipe(ws, made, Recipe(), None, "x")
    # M1 first, from its first minute to its last, then M2.
    expected = table.sort_values(["machine", "when"], kind="stable").index.tolist()
    assert trace.rows.tolist() == expected == preview.rows.tolist()
    np.testing.assert_array_equal(trace.x, preview.along)
    np.testing.assert_array_equal(preview.before, table["x"].to_numpy()[expected])


def test_a_table_with_one_clock_is_drawn_by_it_on_both_screens(ws: Workspace, dataset: Dataset) -> None:
    trace, preview = wf.column_trace(ws, dataset, "b"), wf.preview_recipe(ws, dataset, Recipe(), None, "b")
    np.testing.assert_array_equal(trace.x, preview.along)
    assert preview.along.dtype.kind == "M" and preview.rows.tolist() == list(range(N))


def test_fixes_of_one_column_stand_in_the_order_in_which_their_numbers_were_read_off(ws: Workspace) -> None:
    made = [
        RecipeStep(key="subtract_level", columns=("a",), settings={"width": 50}),
        RecipeStep(key="linear_fill", columns=("a",)),
        RecipeStep(key="correct_stretch", columns=("a",), settings={"factor": 10.0}),
        RecipeStep(key="fixed_limits", columns=("a",), settings={"largest": 5.0}),
    ]
    recipe = Recipe(steps=(RecipeStep(key="standard_scale"),))
    for step in made:  # one click after another
        recipe = screening.with_steps(recipe, [step])
    order = ["fixed_limits", "correct_stretch", "linear_fill", "subtract_level", "standard_scale"]
    assert [s.key for s in recipe.steps] == order
    assert [s.key for s in screening.with_steps(Recipe(), made).steps] == order[:-1]


def test_a_period_left_out_joins_those_that_are_there_and_counts_as_fixed(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noise = np.where((np.arange(N) >= 700) & (np.arange(N) < 900), 12.0, 1.0)
    when = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(N), unit="min")
    pd.DataFrame({"when": when, "x": 50 + rng.normal(0, noise, N)}).to_csv(tmp_path / "noise.csv", index=False)
    made = wf.import_file(ws, tmp_path / "noise.csv").dataset
    assert made is not None
    earlier = Recipe(steps=(RecipeStep(key="exclude_periods", settings={"periods": ["2026-01-05/2026-01-05T01:00 start"]}),))
    wf.save_recipe(ws, made.id, earlier)
    assert ("x", "noise_change") not in wf.screened(ws, made.id).fixed
    _, recipe = wf.apply_fixes(ws, made.id, [("x", "noise_change")])
    first, second = wf.periods_of(recipe)
    assert len(recipe.steps) == 1
    assert (first.reason, second.reason) == ("start", "x")
    assert abs((second.start - pd.Timestamp("2026-01-05 11:40")).total_seconds()) <= 600  # type: ignore[operator]
    assert ("x", "noise_change") in wf.screened(ws, made.id).fixed
    assert wf.apply_fixes(ws, made.id, [("x", "noise_change")])[1] == recipe
