"""Labels on the Predictions screen: the list of the workflow, and a blind screen that hides label and model until the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.command_line import Capture, called, refused
from tests.pages import finished_runs

Open = Callable[..., AppTest]


def plain(words: str) -> str:
    return words.replace("\\", "")


def test_rows_are_asked_about_blindly_and_answers_are_kept(open_app: Open, ws: Workspace, capsys: Capture) -> None:
    run = finished_runs.run_of(ws, "classification")
    results = wf.open_results(ws, run.id)
    view = wf.label_view(results)
    app = open_app("judge/predictions.py", run=run.id, view="labels", set="most=4")
    assert not app.error and plain(app.title[0].value) == str(view.headline)
    queue = wf.relabelling(ws, results, view, wf.LabelSettings(most=4)).queue
    asked = app.dataframe[0].value
    shown = results.dataset.table([c for c in asked.columns if c]).iloc[queue[0]]
    marked = asked[asked[""] == "▶"].iloc[0]
    assert view.target not in asked.columns and all(marked[c] == shown[c] for c in shown.index)
    assert not any("the model says" in plain(c.value) for c in app.caption)
    app.button(key=f"labels_answer_{queue[0]}_1").click().run()
    assert "No name was given" in plain(app.error[0].value) and ws.store.list_relabels(run.id) == ()
    app.text_input(key="labels.by").set_value("Mei").run()
    app.button(key=f"labels_answer_{queue[0]}_1").click().run()
    assert app.text_input(key="labels.by").value == "Mei", "asked for once"
    with pytest.raises(KeyError, match=f"labels_answer_{queue[0]}_1"):  # a double click does not answer the next row unseen
        app.button(key=f"labels_answer_{queue[0]}_1")
    assert not app.exception and any(f"Row {queue[0] + 1:,}: you said {view.classes[1]}" in plain(c.value) for c in app.caption)
    kept = ws.store.list_relabels(run.id)
    assert [(a["row"], a["answer"], a["by"]) for a in kept] == [(queue[0], view.classes[1], "Mei")]
    listed = app.dataframe[1].value
    assert listed["row"].tolist() == [p.row + 1 for p in view.problems]

    told = called(capsys, "labels", run.id, "--set", "most=4")
    assert told["headline"] == str(view.headline) and told["answers"]["given"] == 1
    assert [p["row"] + 1 for p in told["problems"]] == listed["row"].tolist() and told["answers"]["waiting"] == len(queue) - 1

    asked_about = str(wf.relabelling(ws, results, view, wf.LabelSettings(most=4)).sentence)
    assert any(plain(c.value) == asked_about for c in app.caption)
    app.button(key="labels_undo_1").click().run()
    assert not app.exception and wf.relabelling(ws, results, view).answers == {}
    assert [a.get("undoes") for a in ws.store.list_relabels(run.id)] == [None, 1]
    assert app.dataframe[0].value[app.dataframe[0].value[""] == "▶"].equals(asked[asked[""] == "▶"]), "it is asked again"
    app.button(key=f"labels_answer_{queue[0]}_0").click().run()
    undone = called(capsys, "labels", run.id, "--undo")
    assert undone["undone"] == queue[0] and undone["answers"]["given"] == 0


def test_a_run_without_classes_is_refused(ws: Workspace, capsys: Capture) -> None:
    assert "answers another question" in refused(capsys, "labels", finished_runs.run_of(ws, "anomaly").id)["what"]
