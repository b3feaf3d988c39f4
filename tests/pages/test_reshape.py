"""Reshape: the dialog shows what would come out, makes it, opens it, and says where it came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.clean import Recipe
from core.clean.columns.filters import FilterSettings
from pages.components import forms

Open = Callable[..., AppTest]


@pytest.fixture
def app(open_app: Open, tmp_path: Path) -> AppTest:
    """The Data screen on ten minutes of two machines; a slow table is there beside it."""
    ws = wf.open_workspace()
    slow = tmp_path / "slow.csv"
    slow.write_text("time,temperature\n" + "".join(f"2024-05-01 06:{i:02d}:00,{20 + i}\n" for i in range(10)), encoding="utf-8")
    wf.import_file(ws, slow)
    fast = tmp_path / "fast.csv"
    rows = "".join(f"2024-05-01 06:{i // 60:02d}:{i % 60:02d},{'AB'[i % 2]},{i / 10}\n" for i in range(600))
    fast.write_text("time,machine,vibration\n" + rows, encoding="utf-8")
    dataset = wf.import_file(ws, fast).dataset
    assert dataset is not None
    app = open_app("prepare/data.py", dataset=dataset.id)
    app.button(key="reshape").click().run()
    assert not app.exception
    return app


def open_dialog(app: AppTest) -> None:
    """AppTest runs the whole screen, where a browser runs the open dialog alone."""
    app.button(key="reshape").click()


def said(app: AppTest) -> str:
    return " ".join(c.value.replace("\\", "") for c in app.caption)


def test_a_regular_step_is_shown_before_it_is_made_and_says_where_it_came_from(app: AppTest) -> None:
    n_datasets = len(wf.list_datasets(wf.open_workspace()))
    assert "600 rows become " in said(app)
    assert len(wf.list_datasets(wf.open_workspace())) == n_datasets
    open_dialog(app)
    app.button(key="reshape_make").click().run()
    assert not app.exception
    made = wf.list_datasets(wf.open_workspace())[0]
    assert app.query_params["dataset"] == made.id
    assert made.n_rows in (10, 20)
    assert "Made from 'fast' with a time step of 60 s." in said(app)


def test_a_second_table_is_added_by_time(app: AppTest) -> None:
    open_dialog(app)
    app.segmented_control(key="reshape.operation").set_value("align").run()
    assert not app.exception
    assert "600 rows become 600" in said(app)
    open_dialog(app)
    app.button(key="reshape_make").click().run()
    made = wf.list_datasets(wf.open_workspace())[0]
    assert "temperature" in [c.name for c in made.columns]


def test_what_cannot_be_done_is_said_and_cannot_be_made(app: AppTest) -> None:
    open_dialog(app)
    app.number_input(key="reshape.resample.step").set_value(1e-9).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.button(key="reshape_make").disabled


def test_a_feature_step_is_added_on_the_clean_screen_and_its_columns_are_counted(app: AppTest, open_app: Open) -> None:
    dataset = next(d for d in wf.list_datasets(wf.open_workspace()) if d.name == "fast")
    clean = open_app("prepare/clean.py", dataset=dataset.id)
    clean.selectbox(key="new_step.kind").set_value("rolling").run()
    clean.multiselect(key="new_step.rolling.statistics").set_value(["mean", "slope"])
    clean.number_input(key="new_step.rolling.width").set_value(5.0).run()
    clean.button(key="add_step_button").click().run()
    assert not clean.exception
    recipe: Recipe = wf.get_draft(wf.open_workspace(), dataset.id).recipe
    assert recipe.steps[0].settings["statistics"] == ["mean", "slope"]
    assert "2 columns added" in said(clean)
    assert clean.metric[3].value == "2"


@pytest.mark.parametrize("key", ["filter_rows", "calendar", "spectral", "convert_unit", "target_encode", "to_number", "lag"])
def test_the_form_of_a_step_can_be_drawn_and_its_defaults_are_taken(app: AppTest, open_app: Open, key: str) -> None:
    dataset = next(d for d in wf.list_datasets(wf.open_workspace()) if d.name == "fast")
    clean = open_app("prepare/clean.py", dataset=dataset.id)
    clean.selectbox(key="new_step.kind").set_value(key).run()
    assert not clean.exception and not clean.error
    clean.button(key="add_step_button").click().run()
    assert not clean.exception
    assert wf.get_draft(wf.open_workspace(), dataset.id).recipe.steps[0].key == key


def test_rows_of_a_small_table_become_records_and_unfinished_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def edited(table: pd.DataFrame, **options: Any) -> pd.DataFrame:
        asked.update(options, shown=table.to_dict("records"))
        return pd.DataFrame(
            [
                {"column": "p", "operator": "above", "value": "5"},
                {"column": None, "operator": "above", "value": "5"},
                {"column": "q", "operator": "is_empty", "value": None},
            ]
        )

    monkeypatch.setattr(forms.st, "data_editor", edited)
    field = FilterSettings.model_fields["conditions"]
    given = [{"column": "p", "operator": "equals", "value": "1"}]
    found = forms.field_widget(field, given, key="x", choices={"column": ["p", "q"]}, name="conditions")
    assert found == [{"column": "p", "operator": "above", "value": "5"}, {"column": "q", "operator": "is_empty"}]
    assert asked["shown"] == given
    settings = FilterSettings.read({"conditions": found})
    assert [c.operator for c in settings.conditions] == ["above", "is_empty"]
