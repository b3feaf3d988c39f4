"""The name that signs what people say: asked for once, shown everywhere, kept for the session."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.errors import SettingProblem
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]


def test_a_name_that_was_given_for_labels_signs_verdicts_too(open_app: Open, ws: Workspace) -> None:
    labels, events = finished_runs.run_of(ws, "classification"), finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/predictions.py", run=labels.id, view="labels")
    assert app.text_input(key="labels.by").value == ""
    app.text_input(key="labels.by").set_value("Mei").run()
    app.query_params["run"] = events.id
    app.query_params["view"] = ""
    app.switch_page("judge/anomalies.py").run()
    assert not app.exception and app.text_input(key="signed_by").value == "Mei"
    next(w for w in app.selectbox if str(w.key).startswith("verdict.")).set_value("false_alarm").run()
    next(b for b in app.button if str(b.key).startswith("save_verdict")).click().run()
    (given,) = wf.list_verdicts(ws, events.id)
    assert (given.verdict, given.owner) == ("false_alarm", "Mei")
    app.session_state[f"event_tab.{events.id}"] = "History"
    app.run()
    history = next(d.value for d in app.dataframe if "who" in d.value.columns)
    assert history["who"].tolist() == ["Mei"]


def test_what_a_program_said_names_nobody(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    event = wf.anomaly_view(ws, wf.open_results(ws, run.id)).events[0]
    assert wf.set_verdict(ws, run.id, event, "contained").owner == "local"
    app = open_app("judge/anomalies.py", run=run.id, event=str(event.number))
    app.session_state[f"event_tab.{run.id}"] = "History"
    app.run()
    history = next(d.value for d in app.dataframe if "contained" in d.value.to_numpy())
    assert "who" not in history.columns and "local" not in history.to_numpy()


@pytest.mark.parametrize("by", ["", "  ", "\t"])
def test_nobody_signs_nothing(ws: Workspace, by: str) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    event = wf.anomaly_view(ws, wf.open_results(ws, run.id)).events[0]
    with pytest.raises(SettingProblem, match="No name was given"):
        wf.set_verdict(ws, run.id, event, "contained", by=by)
    assert wf.list_verdicts(ws, run.id) == ()
