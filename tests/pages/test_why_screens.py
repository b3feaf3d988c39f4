"""The view "Why" of Predictions and Anomalies: what it says is what the workflows found, and it is kept in the address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]


def plain(words: str) -> str:
    return words.replace("\\", "")


def explainer(ws: Workspace, run: wf.Run) -> wf.Explainer:
    return wf.open_explainer(ws, wf.open_results(ws, run.id))


@pytest.mark.parametrize("task", ["regression", "classification", "rul"])
def test_a_row_is_explained_with_the_words_of_the_workflow(open_app: Open, ws: Workspace, task: str) -> None:
    run = finished_runs.run_of(ws, task)
    app = open_app("judge/predictions.py", run=run.id, view="why", row="700")
    view = wf.row_why(explainer(ws, run), 700)
    said = str(view.headline)
    assert plain(app.title[0].value) == said[:1].upper() + said[1:]
    assert app.query_params["row"] == "700" and app.query_params["view"] == "why"
    assert any("add up to" in plain(c.value) for c in app.caption)
    refused = [e.value for e in app.error]
    assert not refused, refused


def test_another_way_of_covering_and_the_worst_row(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    worst = wf.worst_rows(wf.open_results(ws, run.id))
    app = open_app("judge/predictions.py", run=run.id, view="why")
    assert app.query_params["row"] == str(worst[0]), "the worst row is the first that is shown"
    app.button(key="why_next").click().run()
    assert app.query_params["row"] == str(worst[1])
    app.radio(key="why_cover").set_value("expected").run()
    view = wf.row_why(explainer(ws, run), int(worst[1]), cover="expected")
    assert plain(app.title[0].value)[1:] == str(view.headline)[1:]


def test_the_model_as_a_whole_is_measured_when_it_is_asked_for(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workflows.explaining_global.SECONDS", 0.5)
    run = finished_runs.run_of(ws, "classification")
    app = open_app("judge/predictions.py", run=run.id, view="why", row="10")
    assert not any("when it is shuffled" in plain(c.value) for c in app.caption)
    app.toggle(key="why_importance_on").set_value(True).run()
    assert not app.exception
    assert any("ROC AUC lost" in plain(c.value) or "clearly worse" in plain(c.value) for c in app.caption)
    app.segmented_control(key="why_method").set_value("pdp").run() if hasattr(app, "segmented_control") else None
    assert not app.exception


def test_a_change_keeps_the_limit_that_was_typed(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    found = explainer(ws, run)
    now = wf.row_why(found, 700).output
    app = open_app("judge/predictions.py", run=run.id, view="why", row="700")
    low = next(n for n in app.number_input if str(n.key).endswith(".low")).value
    high = next(n for n in app.number_input if str(n.key).endswith(".high"))
    high.set_value(round(now - 0.01, 3)).run()
    view = wf.row_counterfactual(found, 700, wf.goal_of(found, low=low, high=round(now - 0.01, 3)))
    assert any(str(view.headline)[1:] in plain(m.value) for m in app.markdown)


def test_an_event_is_explained_and_a_model_without_gradient_says_so(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="why")
    view = wf.anomaly_view(ws, wf.open_results(ws, run.id))
    number = int(app.query_params["event"])
    event = wf.open_event(view.events, number)
    why = wf.event_why(explainer(ws, run), event, float(view.threshold.value))
    assert not app.error and plain(app.title[0].value) == f"Event {number}: {why.sentence}"
    table = (
        app.dataframe[-1].value
        if "sensor" in app.dataframe[-1].value
        else next(d.value for d in app.dataframe if "sensor" in d.value)
    )
    assert table["sensor"].tolist() == [s.column for s in why.sensors[:12]]
    assert why.sensors[0].share > 0, "an isolation forest names its sensors too"
    said = " ".join(plain(c.value) for c in app.caption)
    assert "Another question than repair: the row of the peak alone" in said
    assert ("below 0: repairing it alone raises the score" in said) == any(one.repair < 0 for one in why.sensors[:12])
    assert "repair takes off, mean" in table and "largest distance (σ)" in table
    assert any("are for networks" in plain(c.value) for c in app.caption)
    assert any("decision limit" in plain(m.value) or "No single column" in plain(m.value) for m in app.markdown)
