"""Screening: grades and reasons on the screen, fixes into the recipe, decisions that are remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Column, Dataset
from core.jobs.waiting import wait_for_job
from core.workflows import screening, screening_job
from tests.pages.giving import give

Open = Callable[..., AppTest]


@pytest.fixture
def dataset(tmp_path: Path, own_store: Path) -> Dataset:
    """400 rows a minute apart: `code` has -999 in 20 rows, `gap` misses 8 %, `same` is constant, `leak` is the target."""
    rng = np.random.default_rng(1)
    n = 400
    width = rng.normal(48, 0.1, n)
    table = pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n), unit="min"),
            "clean": rng.normal(10, 1, n),
            "code": rng.normal(50, 2, n),
            "gap": rng.normal(5, 1, n),
            "same": np.full(n, 3.5),
            "leak": width * 2 + 1,
            "width": width,
        }
    )
    table.loc[rng.choice(n, 20, replace=False), "code"] = -999.0
    table.loc[rng.choice(n, 32, replace=False), "gap"] = np.nan
    path = tmp_path / "line.csv"
    table.to_csv(path, index=False)
    columns = [Column("width", "number", "target", "mm"), Column("same", "number", "sensor")]
    made = wf.import_file(wf.open_workspace(), path, columns=columns).dataset
    assert made is not None
    return made


def screen(open_app: Open, dataset: Dataset, **address: str) -> AppTest:
    return open_app("prepare/screening.py", dataset=dataset.id, **address)


def table(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


def test_fix_and_leave_look_like_choices_of_one_kind(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, column="code")
    kinds = {b.key: b.proto.type for b in app.button if str(b.key).startswith(("fix.", "leave."))}
    assert len(kinds) >= 2 and set(kinds.values()) == {"secondary"}


def test_without_data_it_says_what_will_be_here(open_app: Open) -> None:
    app = open_app("prepare/screening.py")
    assert app.title[0].value == "No data to screen yet"
    assert app.button(key="empty_action").label == "Bring a file"


def test_the_worst_columns_stand_first_with_their_reasons(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    assert app.title[0].value == "4 of 7 columns need attention before training"
    shown = table(app)
    assert [g[0][2] for g in shown["grade"]] == ["C", "C", "C", "B", "A", "A", "A"]
    assert set(shown["column"][:3]) == {"code", "same", "leak"}
    why = dict(zip(shown["column"], shown["why"], strict=True))
    assert why["code"].startswith("-999 used as a code in 20 rows (5.0 %)")
    assert why["gap"].startswith("8.0 % missing")
    assert why["same"] == "it is always 3.5"
    assert "may give 'width' away" in why["leak"]
    figures = {m.label.replace("\\", ""): m.value for m in app.metric}
    assert figures == {"Rows": "400", "Grade A / B / C": "3 / 1 / 3", "Missing cells": "1.1 %", "Possible leaks": "1"}


def test_grade_and_name_filter_the_table(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    app.text_input(key="screening_find").set_value("GA").run()
    assert list(table(app)["column"]) == ["gap"]
    app.text_input(key="screening_find").set_value("nothing like it").run()
    assert not app.exception
    assert any("No column passes" in i.value for i in app.info)


def test_all_proposed_fixes_go_into_recipe_and_roles_but_not_the_leak(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    assert app.button(key="apply_fixes").label == "Apply 3 proposed fixes"
    app.button(key="apply_fixes").click().run()
    assert not app.exception
    ws = wf.open_workspace()
    now = wf.open_dataset(ws, dataset.id)
    assert now.version == dataset.version + 1
    assert {c.name for c in now.with_role("ignore")} == {"same"}
    steps = [(s.key, s.columns) for s in wf.get_recipe(ws, dataset.id).steps]
    assert steps[0] == ("iqr_outliers", ("code",))
    assert {c for key, columns in steps for c in columns if key == "linear_fill"} == {"code", "gap"}
    assert app.title[0].value == "1 of 7 columns needs attention before training"
    assert app.button(key="apply_fixes").disabled


def test_the_leak_is_ignored_by_its_own_click(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    app.session_state["screening_pick"] = "leak"
    app.run()
    app.button(key="fix.leak.leak").click().run()
    assert not app.exception
    assert [c.name for c in wf.open_dataset(wf.open_workspace(), dataset.id).with_role("ignore")] == ["leak"]


def test_what_is_left_is_remembered_and_can_be_taken_back(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset)
    app.session_state["screening_pick"] = "gap"
    app.run()
    app.button(key="leave.gap.missing").click().run()
    assert app.title[0].value == "3 of 7 columns need attention before training"
    again = screen(open_app, dataset)
    assert again.title[0].value == "3 of 7 columns need attention before training"
    again.button(key="take_all_back").click().run()
    assert again.title[0].value == "4 of 7 columns need attention before training"


def test_the_screen_speaks_chinese(open_app: Open, dataset: Dataset) -> None:
    app = screen(open_app, dataset, lang="zh")
    assert "7 列" in app.title[0].value
    assert not any("missing" in str(cell) for cell in table(app)["why"])


def test_rejected_lines_are_said_right_after_the_import(open_app: Open) -> None:
    app = open_app("prepare/data.py")
    give(app, b"a,b\n" + b"1,2\n" * 30 + b"9,8,7,6\n" + b"2,3\n" * 5)
    app.button(key="import_file").click().run()
    assert not app.exception
    assert [m.value for m in app.markdown if "rejected" in m.value or "not loaded" in m.value]
    assert [link.proto.label for link in app.get("page_link")] == ["See how the file was read"]


def test_an_import_leads_here(open_app: Open) -> None:
    app = open_app("prepare/data.py")
    give(app, b"a,b\n" + b"".join(b"%d,%d\n" % (i % 7, i * i % 11) for i in range(60)))
    app.button(key="import_file").click().run()
    assert not app.exception
    assert "columns" in app.title[0].value
    assert [m.label for m in app.metric][1].startswith("Grade A")


def test_where_only_a_person_can_tell_leaving_stands_first_with_a_word_of_caution(
    open_app: Open, tmp_path: Path, own_store: Path
) -> None:
    rng = np.random.default_rng(2)
    n = 600
    table = pd.DataFrame({"when": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n), unit="min")})
    table["shifted"] = rng.normal(20, 1, n) + np.where(np.arange(n) >= 350, 6, 0)
    table["x"] = np.clip(rng.normal(50, 2, n), 48, 52.5)  # clipped at both ends: two cards, one decision
    table.to_csv(tmp_path / "line.csv", index=False)
    dataset = wf.import_file(wf.open_workspace(), tmp_path / "line.csv").dataset
    assert dataset is not None
    app = screen(open_app, dataset)
    assert app.button(key="apply_fixes").disabled  # nothing of this is proposed in bulk
    for name, code, step in (("shifted", "shift", "correct_stretch"), ("x", "clipped", "fixed_limits")):
        app.session_state["screening_pick"] = name
        app.run()
        assert not app.exception
        keys = [b.key for b in app.button]
        assert keys.index(f"leave.{name}.{code}") < keys.index(f"fix.{name}.{code}")
        assert any("leave it" in c.value for c in app.caption)
        app.button(key=f"fix.{name}.{code}").click().run()
        assert not app.exception
        assert (step, (name,)) in [(s.key, s.columns) for s in wf.get_recipe(wf.open_workspace(), dataset.id).steps]
    limits = wf.get_recipe(wf.open_workspace(), dataset.id).steps[0]
    assert limits.settings == {"smallest": 48.0, "largest": 52.5, "with_ends": True, "action": "set_missing"}
    assert app.title[0].value == "All 3 columns are ready"


def test_a_large_table_is_screened_by_a_job_with_stop(
    open_app: Open, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_job, "SMALL_CELLS", 1_000)
    monkeypatch.setattr(screening, "screen", lambda *a: pytest.fail("screened in the web process"))
    app = screen(open_app, dataset)
    assert not app.exception
    assert app.title[0].value.startswith("Looking at 7 columns of 'line'")
    app.button(key="stop_screening").click().run()
    assert app.title[0].value == "The screening of 'line' was stopped"
    app.button(key="screen_again").click().run()
    assert app.title[0].value.startswith("Looking at 7 columns of 'line'")
    ws = wf.open_workspace()
    (job,) = ws.store.list_jobs(["queued"])
    assert wait_for_job(ws.store, job.id, timeout=120).state == "succeeded"
    app.run()
    assert app.title[0].value == "4 of 7 columns need attention before training"
