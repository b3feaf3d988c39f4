"""Seeded faults on the Anomalies screen: the figures of the workflow, the address, refusals and the job of a large request."""

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


def test_the_screen_says_what_the_workflow_found(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="seeded", set="sensors=flow;kinds=step|stuck;sizes=0.1|50;length=20")
    results = wf.open_results(ws, run.id)
    given = wf.SeedSettings(sensors=("flow",), kinds=("step", "stuck"), sizes=(0.1, 50.0), length=20)
    view = wf.kept_seeding(ws, results, given)
    assert view is not None and not app.error and plain(app.title[0].value) == str(view.headline)
    table = app.dataframe[0].value
    assert table["size"].tolist() == [0.1, 50.0]
    assert table["share"].tolist() == pytest.approx([100 * p.share for p in view.faults[0].found.points])  # type: ignore[operator]
    assert set(app.query_params["set"].split(";")) >= {"sensors=flow", "kinds=step|stuck", "sizes=0.1|50.0", "length=20"}
    app.selectbox(key=f"seeded.{run.id}.fault").set_value(1).run()
    assert "size" not in app.dataframe[0].value and not app.exception


def test_what_cannot_be_seeded_is_said(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="seeded", set="length=1500;stretches=5;sizes=1|2")
    assert "normal held-out rows in a row" in plain(app.error[0].value) and "No fault can be seeded" in app.title[0].value


def test_a_large_request_waits_for_its_button_and_becomes_a_job(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workflows.seeding.SMALL_CELLS", 1)
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="seeded", set="length=20")
    app.button(key="seeded_start").click().run()
    work = wf.find_seeding(ws, wf.open_results(ws, run.id), wf.SeedSettings(length=20))
    assert work is not None and work.state == "queued" and not app.exception
    app.button(key="seeded_stop").click().run()
    work = wf.find_seeding(ws, wf.open_results(ws, run.id), wf.SeedSettings(length=20))
    assert work is not None and work.state == "cancelled" and app.button(key="seeded_start") is not None


def test_a_common_cause_is_asked_for_on_the_screen(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    results = wf.open_results(ws, run.id)
    app = open_app("judge/anomalies.py", run=run.id, view="seeded", set="sensors=flow;sizes=1|50;length=20")
    app.multiselect(key=f"seeded.{run.id}.sensors").set_value(["flow", wf.sensors_of(results)[1]]).run()
    app.toggle(key=f"seeded.{run.id}.together").set_value(True).run()
    app.segmented_control(key=f"seeded.{run.id}.scale").set_value("sigma").run()
    sensors = ("flow", wf.sensors_of(results)[1])
    given = wf.SeedSettings(sensors=sensors, sizes=(1.0, 50.0), length=20, together=True, scale="sigma")
    view = wf.kept_seeding(ws, results, given)
    assert view is not None and not app.error and not app.exception
    assert plain(app.title[0].value) == str(view.headline) and " + ".join(sensors) in plain(app.title[0].value)
    assert set(app.query_params["set"].split(";")) >= {"together=True", "scale=sigma"}
    again = open_app("judge/anomalies.py", run=run.id, view="seeded", set="together=True;length=20;sizes=1|50")
    assert again.multiselect(key=f"seeded.{run.id}.sensors").value == list(wf.sensors_of(results))
