"""Clean: a recipe is tried out, changed, undone, applied, saved and loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.clean import Recipe, RecipeStep
from core.errors import DataProblem, SettingProblem

Open = Callable[..., AppTest]


@pytest.fixture
def app(open_app: Open, tmp_path: Path) -> AppTest:
    """The screen on a table of 200 rows with 10 empty pressures."""
    rows = "".join(
        f"2026-05-01 {i // 60:02d}:{i % 60:02d},{'' if i % 20 == 3 else 4 + (i % 7) / 10},{60 + i % 5}\n" for i in range(200)
    )
    path = tmp_path / "pump.csv"
    path.write_text("time,pressure,temperature\n" + rows, encoding="utf-8")
    wf.import_file(wf.open_workspace(), path)
    return open_app("prepare/clean.py")


def steps(app: AppTest) -> list[str]:
    dataset = wf.list_datasets(wf.open_workspace())[0]
    return [step.key for step in wf.get_draft(wf.open_workspace(), dataset.id).recipe.steps]


def add(app: AppTest, key: str) -> None:
    app.selectbox(key="new_step.kind").set_value(key).run()
    app.button(key="add_step_button").click().run()
    assert not app.exception


def test_a_step_is_tried_out_and_counted(app: AppTest) -> None:
    assert app.title[0].value.startswith("No step yet")
    add(app, "median_fill")
    assert app.title[0].value == "1 step changes 10 cells"
    assert app.metric[0].value == "10"
    assert len(app.get("plotly_chart")) == 2


def test_nothing_is_called_applied_before_a_recipe_has_a_step(app: AppTest) -> None:
    def said() -> list[str]:
        return [c.value.replace("\\", "") for c in app.caption]

    assert "The next training uses the table as it is." in said()
    assert not [line for line in said() if line.startswith("Applied")]
    add(app, "median_fill")
    app.button(key="apply_recipe").click().run()
    assert "Applied: the next training uses it." in said()


def test_steps_move_and_go_and_come_back(app: AppTest) -> None:
    add(app, "median_fill")
    add(app, "iqr_outliers")
    assert steps(app) == ["median_fill", "iqr_outliers"]
    app.menu_button(key="move_2_0").click("down").run()
    assert steps(app) == ["iqr_outliers", "median_fill"]
    app.menu_button(key="move_3_0").click("remove").run()
    assert steps(app) == ["median_fill"]
    app.button(key="undo").click().run()
    assert steps(app) == ["iqr_outliers", "median_fill"]
    app.button(key="undo").click().run()
    assert steps(app) == ["median_fill", "iqr_outliers"]


def test_an_applied_recipe_is_kept_and_an_unapplied_one_is_not(app: AppTest, open_app: Open) -> None:
    ws = wf.open_workspace()
    dataset = wf.list_datasets(ws)[0]
    add(app, "mean_fill")
    assert wf.get_recipe(ws, dataset.id) == Recipe()
    app.button(key="apply_recipe").click().run()
    assert [s.key for s in wf.get_recipe(ws, dataset.id).steps] == ["mean_fill"]
    assert app.button(key="apply_recipe").disabled
    assert open_app("prepare/clean.py").title[0].value == "1 step changes 10 cells"


def test_a_step_can_be_changed_in_place(app: AppTest) -> None:
    add(app, "iqr_outliers")
    add(app, "median_fill")
    app.number_input(key="edit_step_2_0.iqr_outliers.fence").set_value(1.5).run()
    app.button(key="change_0").click().run()
    dataset = wf.list_datasets(wf.open_workspace())[0]
    changed = wf.get_draft(wf.open_workspace(), dataset.id).recipe.steps
    assert [s.key for s in changed] == ["iqr_outliers", "median_fill"]
    assert changed[0].settings["fence"] == 1.5


def test_a_recipe_is_loaded_from_its_own_file(app: AppTest) -> None:
    text = wf.recipe_json(Recipe(steps=(RecipeStep(key="median_fill", columns=("pressure",)),)))
    app.file_uploader[0].upload("recipe.json", text.encode()).run()
    assert not app.exception
    assert steps(app) == ["median_fill"]


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[1, 2]", b"\xff\xfe\x00", b'{"version": 1, "steps": [{"key": "rm_rf"}]}']
)
def test_a_file_that_is_no_recipe_is_refused_in_place(app: AppTest, content: bytes) -> None:
    app.file_uploader[0].upload("recipe.json", content).run()
    assert not app.exception
    assert len(app.error) == 1
    assert steps(app) == []


def test_read_json_gives_back_what_to_json_wrote() -> None:
    recipe = Recipe(steps=(RecipeStep(key="zscore_outliers", settings={"limit_sigma": 5.0, "action": "clip"}),))
    assert wf.read_recipe(wf.recipe_json(recipe).encode()) == recipe


def test_read_json_names_what_is_wrong() -> None:
    with pytest.raises(DataProblem, match="not a recipe"):
        wf.read_recipe(b"[" * 100_000)
    with pytest.raises(SettingProblem, match="cleaning step is 'median'"):
        wf.read_recipe(json.dumps({"steps": [{"key": "median"}]}).encode())


def test_the_draft_survives_a_new_session_with_its_undo(app: AppTest, open_app: Open) -> None:
    add(app, "median_fill")
    add(app, "iqr_outliers")
    app.button(key="undo").click().run()
    later = open_app("prepare/clean.py")
    assert steps(later) == ["median_fill"]
    later.button(key="redo").click().run()
    assert steps(later) == ["median_fill", "iqr_outliers"]
    assert later.button(key="redo").disabled
    later.button(key="undo").click().run()
    later.button(key="undo").click().run()
    assert steps(later) == [] and later.button(key="undo").disabled


def test_steps_are_duplicated_and_switched_off_and_on(app: AppTest) -> None:
    add(app, "median_fill")
    app.menu_button(key="move_1_0").click("duplicate").run()
    assert steps(app) == ["median_fill", "median_fill"]
    app.menu_button(key="move_2_0").click("switch").run()
    app.menu_button(key="move_3_1").click("switch").run()
    assert not app.exception
    assert app.title[0].value.startswith("No step yet")
    assert app.metric[0].value == "0"
    app.menu_button(key="move_4_1").click("switch").run()
    assert app.title[0].value == "1 step changes 10 cells"


def test_a_proposal_comes_with_reasons_and_can_be_undone(app: AppTest) -> None:
    app.button(key="propose_recipe").click().run()
    assert not app.exception
    assert steps(app) == ["missing_indicator", "previous_fill", "median_fill"]
    assert any("never looks ahead" in c.value.replace("\\", "") for c in app.caption)
    app.button(key="undo").click().run()
    assert steps(app) == []


def test_a_proposal_names_what_needs_a_decision(open_app: Open, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(80, 3, 1_000)
    x[600:] += 30
    when = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(1_000), unit="min")
    pd.DataFrame({"when": when, "moved": x, "b": rng.normal(size=1_000)}).to_csv(tmp_path / "plant.csv", index=False)
    wf.import_file(wf.open_workspace(), tmp_path / "plant.csv")
    app = open_app("prepare/clean.py")
    app.button(key="propose_recipe").click().run()
    assert not app.exception
    assert any("Nothing is cleaned without your decision." in toast.value.replace("\\", "") for toast in app.toast)
    assert any(m.value == "**Needs your decision**" for m in app.markdown)
    assert any(c.value.startswith("**moved**: 1 level shift") for c in app.caption)


def test_the_screen_opens_on_the_column_that_the_recipe_changed_last(app: AppTest, open_app: Open) -> None:
    ws = wf.open_workspace()
    dataset = wf.list_datasets(ws)[0]
    limits = {"largest": 63.5, "action": "set_missing"}
    recipe = Recipe(
        steps=(
            RecipeStep(key="median_fill", columns=("pressure",)),
            RecipeStep(key="fixed_limits", columns=("temperature",), settings=limits),
            RecipeStep(key="fixed_limits", columns=("pressure",), settings={"largest": 1e9, "action": "set_missing"}),
        )
    )
    assert app.selectbox(key=f"clean_column.{dataset.id}").value == "pressure"
    wf.save_draft(ws, dataset.id, wf.get_draft(ws, dataset.id).put(recipe))
    again = open_app("prepare/clean.py")  # the last step finds nothing: temperature was changed last
    assert again.selectbox(key=f"clean_column.{dataset.id}").value == "temperature"
    again.selectbox(key=f"clean_column.{dataset.id}").set_value("pressure").run()
    assert again.selectbox(key=f"clean_column.{dataset.id}").value == "pressure"


def test_every_changed_cell_is_shown_with_its_step(app: AppTest) -> None:
    add(app, "median_fill")
    app.segmented_control(key="clean_view").set_value("cells").run()
    assert not app.exception
    shown = app.dataframe[0].value
    assert shown["row"].tolist() == list(range(4, 200, 20)), "people count from 1"
    assert set(shown["column"]) == {"pressure"} and set(shown["before"]) == {"–"}
    assert set(shown["step"]) == {"1. Fill with the median"}
    assert any("cells 1 to 10 of 10" in c.value for c in app.caption)


def test_the_recipe_is_read_as_text(app: AppTest) -> None:
    add(app, "median_fill")
    app.segmented_control(key="clean_view").set_value("words").run()
    said = [m.value.replace("\\", "") for m in app.markdown]
    assert any(line.startswith("1. Fill with the median: all sensors it fits; 'pressure': ") for line in said)


def test_the_recipe_is_used_on_another_dataset_in_one_click(app: AppTest, open_app: Open, tmp_path: Path) -> None:
    ws = wf.open_workspace()
    first = wf.list_datasets(ws)[0]
    path = tmp_path / "second.csv"
    path.write_text(
        "pressure,flow\n" + "".join(f"{'' if i % 9 == 4 else i % 5},{i % 7}\n" for i in range(90)), encoding="utf-8"
    )
    second = wf.import_file(ws, path).dataset
    assert second is not None
    screen = open_app("prepare/clean.py", dataset=first.id)
    add(screen, "median_fill")
    screen.button(key="apply_there").click().run()
    assert not screen.exception and not screen.error
    assert [s.key for s in wf.get_recipe(ws, second.id).steps] == ["median_fill"]
    assert wf.get_recipe(ws, first.id) == Recipe()


def test_rows_called_real_events_are_counted_and_drawn(app: AppTest) -> None:
    ws = wf.open_workspace()
    dataset = wf.list_datasets(ws)[0]
    settings = {"limit_sigma": 0.5, "action": "real_event"}
    recipe = Recipe(steps=(RecipeStep(key="zscore_outliers", columns=("pressure",), settings=settings),))
    wf.save_draft(ws, dataset.id, wf.get_draft(ws, dataset.id).put(recipe))
    app.run()
    assert not app.exception
    n = int(wf.preview_recipe(ws, dataset, recipe, None, "pressure").real_event.sum())
    assert n > 0
    assert app.metric[0].value == "0"
    assert app.metric[1].delta == f"in 0 columns, {n} real events"
