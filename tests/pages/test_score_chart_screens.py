"""The score or residual of a run as a control chart, and the alarm budget: the screens say what the workflows found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]


def plain(words: str) -> str:
    return words.replace("\\", "")


@pytest.mark.parametrize("task", ["anomaly", "regression", "classification", "rul"])
def test_every_run_has_its_chart_with_the_figures_of_the_workflow(open_app: Open, ws: Workspace, task: str) -> None:
    run = finished_runs.run_of(ws, task)
    page = "judge/anomalies.py" if task == "anomaly" else "judge/predictions.py"
    app = open_app(page, run=run.id, view="chart")
    view = wf.score_chart_view(wf.open_results(ws, run.id))
    assert not app.error and plain(app.title[0].value) == str(view.headline)
    assert app.metric[2].value.replace(",", "") == str(int(view.signals.sum()))
    assert app.metric[3].value.replace(",", "") == str(int(view.series.of.baseline.sum()))
    assert any(str(view.promise) in plain(m.value) for m in app.markdown)
    assert app.query_params["view"] == "chart"


def test_another_phase_one_moves_the_limits_and_stands_in_the_address(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="chart", set="rate=0.02")
    loose = wf.score_chart_view(wf.open_results(ws, run.id), wf.ScoreChartSettings(rate=0.02))
    assert app.metric[2].value.replace(",", "") == str(int(loose.signals.sum()))
    next(n for n in app.number_input if str(n.key).endswith(".first_row")).set_value(10_000_000).run()
    assert "Expected rows from 1" in app.error[0].value and "no control chart of this run" in app.title[0].value
    assert set(app.query_params["set"].split(";")) == {"rate=0.02", "first_row=10000000"}


def test_the_alarm_budget_says_both_promises_and_what_a_logic_buys(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="budget", set="rate=0.05")
    view = wf.alarm_budget_view(wf.open_results(ws, run.id), wf.AlarmBudgetSettings(rate=0.05))
    assert not app.error and plain(app.title[0].value) == str(view.headline)
    said = [plain(m.value) for m in app.markdown]
    for limit in (view.chosen.average, view.chosen.confident):
        assert any(str(limit.sentence) in words for words in said)
    events = wf.anomaly_view(ws, wf.open_results(ws, run.id)).events
    told = wf.budget_events(wf.open_results(ws, run.id), view, events)
    assert app.dataframe[1].value["with this logic"].tolist() == [str(one.why) for one in told]
    table = app.dataframe[0].value
    assert table["limit"].tolist() == pytest.approx([c.limit for c in (view.chosen, *view.beside)])
    assert table["logic"].tolist()[:2] == ["a score is above", "2 of 3 scores are above"]
    next(n for n in app.number_input if str(n.key).endswith(".n")).set_value(4).run()
    next(n for n in app.number_input if str(n.key).endswith(".k")).set_value(3).run()
    assert app.dataframe[0].value["logic"][0] == "3 of 4 scores are above"


def test_the_budget_of_the_run_stands_in_its_field_and_a_share_of_rows_replaces_it(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    results = wf.open_results(ws, run.id)
    assert wf.counts_weeks(results)
    app = open_app("judge/anomalies.py", run=run.id, view="budget")
    weekly = next(n for n in app.number_input if str(n.key).endswith(".per_week"))
    assert weekly.value == wf.weekly_budget(run) == 2 and "set" not in app.query_params
    assert str(wf.alarm_budget_view(results).beside_events) in " ".join(plain(m.value) for m in [*app.caption, *app.markdown])
    next(n for n in app.number_input if str(n.key).endswith(".rate")).set_value(0.05).run()
    assert not app.error and app.query_params["set"] == "rate=0.05"


def test_events_are_listed_at_a_limit_of_the_budget_when_it_is_taken(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    results = wf.open_results(ws, run.id)
    app = open_app("judge/anomalies.py", run=run.id, view="budget", set="rate=0.05")
    limit = wf.alarm_budget_view(results, wf.AlarmBudgetSettings(rate=0.05)).chosen.limit
    next(b for b in app.button if b.key == "alarm_budget_use").click().run()
    assert not app.error and "view" not in app.query_params
    view = wf.anomaly_view(ws, results, limit)
    assert plain(app.title[0].value) == str(view.verdict)
    slider = next(s for s in app.select_slider if str(s.key).startswith("anomaly_limit"))
    assert slider.value == limit


def test_k_above_n_is_refused_in_words(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="budget", set="k=5;n=3")
    assert app.error and "5" in app.error[0].value


def test_the_events_are_the_first_view_and_stay(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id, view="nonsense")
    assert not app.error and "view" not in app.query_params
    assert np.isfinite(wf.open_results(ws, run.id).judged).any()
