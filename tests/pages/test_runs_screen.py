"""Runs: filters leave what was asked for, and deleting asks once and says what will be gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.errors import StoreProblem
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]
ALL = ["engine_life", "inspection", "hydraulic_pump", "injection_moulding"]  # newest first


def listed(app: AppTest) -> list[str]:
    """The names in the table of runs; empty where it says that no run passes."""
    assert not app.exception and not app.error
    return [name for d in app.dataframe if {"state", "took"} <= set(d.value.columns) for name in d.value["name"]]


def captions(app: AppTest) -> str:
    return "\n".join(c.value for c in app.caption).replace("\\", "")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ALL),
        ("PUMP", ["hydraulic_pump"]),
        ("regression", ["engine_life", "inspection", "injection_moulding"]),  # models: ridge, logistic and linear regression
        ("logistic", ["inspection"]),
        ("  engine ", ["engine_life"]),
        ("[", []),
    ],
)
def test_runs_are_found_by_name_dataset_or_model(open_app: Open, ws: Workspace, text: str, names: list[str]) -> None:
    app = open_app("learn/runs.py")
    app.text_input(key="runs_find").set_value(text).run()
    assert listed(app) == names
    if names:
        assert f"{len(names)} of 4 runs" in captions(app)
    else:
        assert any("No run passes these filters" in i.value for i in app.info)


def test_question_and_state_narrow_together(open_app: Open, ws: Workspace) -> None:
    live = finished_runs.start_live(ws, 2)
    app = open_app("learn/runs.py")
    app.selectbox(key="runs_task").set_value("regression").run()
    assert listed(app) == ["live", "injection_moulding"]
    app.selectbox(key="runs_state").set_value("running").run()
    assert listed(app) == ["live"]
    app.selectbox(key="runs_task").set_value("anomaly").run()
    assert listed(app) == []
    app.selectbox(key="runs_pick").set_value(live.id).run()
    assert not [b for b in app.button if b.key == "delete_run"], "a run at work is stopped first"


def test_deleting_says_what_will_be_gone_and_takes_no_for_an_answer(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "classification")
    app = open_app("learn/runs.py", run=run.id)
    app.button(key="delete_run").click().run()
    said = " ".join(m.value for m in app.markdown).replace("\\", "")
    assert "'inspection' will be gone: its model, its scores, its verdicts and its curves. The dataset stays." in said
    app.button(key="keep_run").click().run()
    assert listed(app) == ALL
    assert wf.get_run(ws, run.id).has_results
    assert not [b for b in app.button if b.key == "delete_run_yes"]


def test_a_deleted_run_is_gone_and_its_dataset_stays(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "classification")
    app = open_app("learn/runs.py", run=run.id)
    app.button(key="delete_run").click().run()
    app.button(key="delete_run").click()  # AppTest runs the whole screen, where a browser runs the open dialog alone
    app.button(key="delete_run_yes").click().run()
    assert listed(app) == [name for name in ALL if name != "inspection"]
    with pytest.raises(StoreProblem, match="run"):
        wf.get_run(ws, run.id)
    assert run.dataset_id in {dataset.id for dataset in wf.list_datasets(ws)}
