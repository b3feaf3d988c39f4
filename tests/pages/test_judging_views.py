"""The views that judge further: a limit by a rule moves the slider, calibration, where it errs, accept or measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]
PAGE = "judge/predictions.py"


def plain(words: str) -> str:
    return words.replace("\\", "")


def test_a_rule_moves_the_limit_that_drives_everything(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "classification")
    results = wf.open_results(ws, run.id)
    app = open_app(PAGE, run=run.id)
    next(w for w in app.number_input if str(w.key).endswith(".missed")).set_value(50.0).run()
    wanted = wf.limit_view(results, wf.LimitSettings(missed=50.0))
    assert wanted.limit is not None and wanted.test is not None
    assert any(str(wanted.headline) in plain(m.value) for m in app.markdown)
    next(b for b in app.button if str(b.key).startswith("use.class_rule")).click().run()
    assert app.slider[0].value == pytest.approx(round(wanted.limit, 3))
    said = next(plain(c.value) for c in app.caption if "caught," in c.value)
    assert f"{wanted.test.caught} caught, {wanted.test.missed} missed; {wanted.test.rejected} of other" in said
    app.slider[0].set_value(0.9).run()
    moved = wf.classification_view(results, "test", wanted.positive, 0.9)
    place = moved.classes.index(wanted.positive)
    said = next(plain(c.value) for c in app.caption if "caught," in c.value)
    assert f"{int(moved.confusion[place, place])} caught" in said


@pytest.mark.parametrize("chart", ["errors", "time", "calibration"])
def test_every_chart_of_classes_draws(open_app: Open, ws: Workspace, chart: str) -> None:
    run = finished_runs.run_of(ws, "classification")
    app = open_app(PAGE, run=run.id)
    next(c for c in app.get("button_group") if c.key == "class_curves").set_value(chart).run()
    assert not app.exception and not app.error
    if chart == "calibration":
        view = wf.calibration_view(wf.open_results(ws, run.id))
        assert any(str(view.headline) in plain(m.value) for m in app.markdown)
    if chart == "time":
        line = wf.class_timeline(wf.open_results(ws, run.id), "test")
        assert any(f"{line.alarms} alarm" in c.value for c in app.caption)


@pytest.mark.parametrize("task", ["regression", "classification", "rul"])
def test_where_it_errs_says_the_workflows_headline(open_app: Open, ws: Workspace, task: str) -> None:
    run = finished_runs.run_of(ws, task)
    app = open_app(PAGE, run=run.id, view="strata")
    view = wf.worst_strata(wf.open_results(ws, run.id))
    assert not app.error and plain(app.title[0].value) == str(view.headline)
    assert app.dataframe[0].value["stratum"].tolist() == [s.stratum for s in view.strata]
    assert app.query_params["view"] == "strata"


def test_zones_follow_their_settings_in_the_address(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    results = wf.open_results(ws, run.id)
    app = open_app(PAGE, run=run.id, view="zones", set="risk=0.1")
    view = wf.zone_view(results, wf.ZoneSettings(risk=0.1))
    assert not app.error and plain(app.title[0].value) == str(view.headline)
    next(w for w in app.number_input if str(w.key).endswith(".upper")).set_value(0.001).run()
    assert "no zones of this run" in app.title[0].value and app.error
    assert "upper=0.001" in app.query_params["set"]


def test_the_list_opens_on_held_out_rows_and_says_why_padded_ones_are_never_flagged(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id)
    scores = wf.open_results(ws, run.id).scores

    def listed() -> list[int]:
        return next(d.value for d in app.dataframe if "remark" in d.value and "score" in d.value)["row"].tolist()

    def explained() -> bool:
        return any("never flagged" in c.value for c in app.caption)

    assert listed() == (np.flatnonzero(scores["part"] == 2) + 1).tolist()
    assert explained() is bool(((scores["part"] == 2) & (scores["why_not"] == wf.PADDED)).any())
    app.selectbox(key="table_part").set_value("train").run()
    assert listed() == (np.flatnonzero(scores["part"] == 0) + 1).tolist()
    assert ((scores["part"] == 0) & (scores["why_not"] == wf.PADDED)).any() and explained()
