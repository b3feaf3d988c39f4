"""Repeated measurement on the Runs screen: started by a button, followed, said in a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off

Open = Callable[..., AppTest]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_study_is_started_from_a_run_and_its_sentence_is_shown(open_app: Open, ws: Workspace, lang: str) -> None:
    run = next(r for r in wf.list_runs(ws) if r.task == "regression")
    app = open_app("learn/runs.py", run=run.id, lang=lang)
    app.selectbox(key="runs_pick").set_value(run.id).run()
    app.selectbox(key="study_method").set_value("seeds").run()
    app.button(key="study_start").click().run()
    assert not app.exception
    study = wf.list_studies(ws, run.dataset_id)[0]
    assert study.method == "seeds" and study.request.request.model == run.model and study.is_live
    work_off(ws.store)
    app = open_app("learn/runs.py", run=run.id, lang=lang)
    app.selectbox(key="runs_pick").set_value(run.id).run()
    shown = " ".join(str(m.value) for m in app.markdown)
    assert ("Over 5 seeds" if lang == "en" else "5 个种子") in shown
    assert any(len(frame.value) == 5 and frame.value.shape[1] == 5 for frame in app.dataframe)


def test_a_run_about_anomalies_offers_no_study(open_app: Open, ws: Workspace) -> None:
    run = next(r for r in wf.list_runs(ws) if r.task == "anomaly")
    app = open_app("learn/runs.py", run=run.id)
    app.selectbox(key="runs_pick").set_value(run.id).run()
    assert not [b for b in app.button if b.key == "study_start"]
