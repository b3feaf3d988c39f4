"""Anomalies of a run trained again: what another run said stands in the form, and is written only when somebody saves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]
PAGE = "judge/anomalies.py"


@pytest.fixture
def again(ws: Workspace) -> tuple[str, str]:
    """The anomaly run with a closed event and a false alarm, and the same training once more."""
    run = finished_runs.run_of(ws, "anomaly")
    view = wf.anomaly_view(ws, wf.open_results(ws, run.id))
    wf.set_verdict(ws, run.id, view.events[0], "closed", "quiet *since*", cause="seal leak", fix="new seal", assigned_to="Ann")
    wf.set_verdict(ws, run.id, view.events[1], "false_alarm")
    made = wf.start_training(ws, run.request.with_values(name="again"), token="again")
    finished_runs.work_off(ws.store)
    return run.id, made.id


def field(app: AppTest, name: str) -> str:
    return str(next(w for w in [*app.text_input, *app.selectbox] if str(w.key).startswith(f"{name}.")).value)


def said(app: AppTest) -> str:
    return " ".join(box.value for box in [*app.info, *app.markdown, *app.caption]).replace("\\", "")


def test_a_verdict_of_another_run_stands_in_the_form_and_saving_confirms_it(
    open_app: Open, ws: Workspace, again: tuple[str, str]
) -> None:
    app = open_app(PAGE, run=again[1], event="1")
    assert not app.error
    assert field(app, "verdict") == "closed" and field(app, "comment") == "quiet *since*"
    assert [field(app, name) for name in ("cause", "fix", "assigned")] == ["seal leak", "new seal", "Ann"]
    assert "Taken over from run 'hydraulic_pump'. Save to confirm it, or change it first." in said(app)
    listed = next(d.value for d in app.dataframe if "severity" in d.value.columns)
    assert listed["verdict"].tolist()[:3] == ["closed, to confirm", "false alarm, to confirm", "open"]
    assert listed["cause"].iloc[0] == "seal leak"
    assert wf.list_verdicts(ws, again[1]) == (), "looking writes nothing"
    app.text_input(key="signed_by").set_value("Mei").run()
    next(b for b in app.button if str(b.key).startswith("FormSubmitter") or "save_verdict" in str(b.key)).click().run()
    given = wf.list_verdicts(ws, again[1])
    assert [(v.verdict, v.cause, v.fix, v.assigned_to, v.comment, v.owner) for v in given] == [
        ("closed", "seal leak", "new seal", "Ann", "quiet *since*", "Mei")
    ]


def test_all_that_wait_are_confirmed_at_once(open_app: Open, ws: Workspace, again: tuple[str, str]) -> None:
    app = open_app(PAGE, run=again[1])
    assert "2 events have a verdict in other runs (hydraulic_pump)" in said(app)
    app.button(key="confirm_verdicts").click().run()
    assert any("No name was given" in e.value for e in app.error) and wf.list_verdicts(ws, again[1]) == ()
    app.text_input(key="signed_by").set_value("Mei").run()
    app.button(key="confirm_verdicts").click().run()
    assert not app.error
    assert {(v.verdict, v.owner) for v in wf.list_verdicts(ws, again[1])} == {("closed", "Mei"), ("false_alarm", "Mei")}
    assert not [b for b in app.button if b.key == "confirm_verdicts"]


def test_different_words_of_other_runs_are_named_and_none_is_chosen(
    open_app: Open, ws: Workspace, again: tuple[str, str]
) -> None:
    event = wf.anomaly_view(ws, wf.open_results(ws, again[1])).events[2]
    half = (event.first_row + event.last_row) // 2
    for first, last, verdict in ((event.first_row, half, "contained"), (half + 1, event.last_row, "false_alarm")):
        ws.store.add_verdict(again[0], first_row=first, last_row=last, verdict=verdict)
    app = open_app(PAGE, run=again[1], event="3")
    assert field(app, "verdict") == "None"
    words = said(app)
    assert f"rows {event.first_row + 1:,} to {half + 1:,} 'contained' in run 'hydraulic_pump'" in words
    assert f"rows {half + 2:,} to {event.last_row + 1:,} 'false alarm'" in words and "Nothing is taken over." in words
    chinese = open_app(PAGE, run=again[1], event="3", lang="zh")
    assert not chinese.error and "to confirm" not in said(chinese)


def test_the_event_chosen_on_events_is_the_one_that_why_explains(open_app: Open, ws: Workspace) -> None:
    app = open_app(PAGE, run=finished_runs.run_of(ws, "anomaly").id)
    app.selectbox(key="event").set_value(4).run()
    app.segmented_control(key="anomalies_view").set_value("why").run()
    assert app.title[0].value.startswith("Event 4") and app.query_params["event"] == "4"
    app.selectbox(key="event").set_value(2).run()
    app.segmented_control(key="anomalies_view").set_value("events").run()
    assert app.selectbox(key="event").value == 2
