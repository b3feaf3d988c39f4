"""Predictions and Anomalies show one truth: one sign of residuals, one limit for all views, the figures of the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.anomalies.records import AnomalyEvent, SensorShare
from core.cli import main
from core.workflows.workspace import Workspace
from pages.components import anomaly_view
from tests.pages import finished_runs

Open = Callable[..., AppTest]
Files = dict[str, Callable[[], bytes]]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """What each download button of the screen would save, by its key; a file is written when it is called."""
    offered: Files = {}
    real = st.download_button

    def button(label: str, data: Callable[[], bytes], **more: Any) -> bool:
        offered[more["key"]] = data
        return real(label, data=data, **more)

    monkeypatch.setattr(st, "download_button", button)
    return offered


def saved(files: Files, key: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(files[key]()), low_memory=False)


def table_with(app: AppTest, *columns: str) -> pd.DataFrame:
    """The first table of the screen that has these columns."""
    return next(d.value for d in app.dataframe if set(columns) <= set(d.value.columns))


def clean(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []


def captions(app: AppTest) -> str:
    return "\n".join(c.value for c in app.caption).replace("\\", "")


def plotted(app: AppTest, key: str) -> dict[str, Any]:
    spec = next(c.proto.spec for c in app.get("plotly_chart") if c.proto.id.endswith(key))
    return dict(json.loads(spec))


def test_worst_rows_and_residual_chart_have_one_sign(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("judge/predictions.py", run=run.id)
    worst = table_with(app, "difference")
    scores = wf.open_results(ws, run.id).scores
    right = (scores["truth"] - scores["prediction"])[worst["row"] - 1].to_numpy()
    np.testing.assert_allclose(worst["difference"], right, rtol=1e-4)
    app.radio(key="value_chart.regression").set_value("residuals").run()
    clean(app)
    figure = plotted(app, "value_figure_residuals")
    assert figure["layout"]["yaxis"]["title"]["text"] == "measured − predicted (mm)"
    row, error = int(worst["row"].iloc[0]), right[0]
    trace = next(d for d in figure["data"] if d.get("mode") == "markers")
    assert dict(zip(_numbers(trace["customdata"]), _numbers(trace["y"]), strict=True))[row] == pytest.approx(error)


def _numbers(values: Any) -> list[float]:
    """Numbers of a figure: a list, or bytes as Plotly packs them."""
    if isinstance(values, list):
        return values
    import base64

    return np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"])).tolist()


def test_a_moved_limit_moves_table_filter_and_files(open_app: Open, ws: Workspace, files: Files) -> None:
    run = finished_runs.run_of(ws, "classification")
    scores = wf.open_results(ws, run.id).scores
    app = open_app("judge/predictions.py", run=run.id)
    assert "threshold" not in saved(files, "download_scores")
    next(s for s in app.slider if s.key.startswith(f"class_limit.{run.id}")).set_value(0.05).run()
    clean(app)
    called = np.where(scores["probability_fail"] > 0.05, "fail", "pass")  # the rule, by hand
    assert (called != scores["prediction"]).any()
    assert table_with(app, "probability_fail")["predicted"].tolist() == called[scores["part"] == 2].tolist(), "held-out rows"
    app.selectbox(key="table_part").set_value("all").run()
    assert table_with(app, "probability_fail")["predicted"].tolist() == called.tolist()
    whole = saved(files, "download_scores")
    assert whole["prediction"].tolist() == called.tolist() and set(whole["threshold"]) == {0.05}
    app.selectbox(key="table_kind").set_value("wrong").run()
    app.selectbox(key="table_part").set_value("test").run()
    clean(app)
    wrong = np.flatnonzero((called != scores["truth"]) & (scores["part"] == 2))
    assert table_with(app, "probability_fail")["row"].tolist() == (wrong + 1).tolist(), "people count from 1"
    assert f"{len(wrong)} of 2,000 rows" in captions(app)
    these = saved(files, "download_filtered")
    assert these["row"].tolist() == (wrong + 1).tolist() and these["prediction"].tolist() == called[wrong].tolist()
    assert "n = 400 rows · test part · 'fail' where its probability is above 0.05" in captions(app)
    next(b for b in app.button if b.key.startswith("reset.class_limit")).click().run()
    assert saved(files, "download_scores")["prediction"].tolist() == scores["prediction"].tolist()


def test_rows_are_filtered_by_part_text_and_interval(open_app: Open, ws: Workspace, files: Files) -> None:
    run = finished_runs.run_of(ws, "regression")
    scores = wf.open_results(ws, run.id).scores
    app = open_app("judge/predictions.py", run=run.id)
    app.selectbox(key="table_part").set_value("all").run()
    app.selectbox(key="table_kind").set_value("outside").run()
    clean(app)
    outside = scores[(scores["truth"] < scores["lower"]) | (scores["truth"] > scores["upper"])]
    assert 0 < len(outside) < len(scores)
    assert table_with(app, "lower")["row"].tolist() == (outside["row"] + 1).tolist()
    lot = str(outside["lot"].iloc[0])
    app.text_input(key="table_find").set_value(lot.lower()).run()
    found = saved(files, "download_filtered")
    assert found["row"].tolist() == (outside.loc[outside["lot"] == lot, "row"] + 1).tolist(), (
        "the file counts from 1 as the screen does"
    )
    app.text_input(key="table_find").set_value("no such lot").run()
    clean(app)
    assert "0 of 1,200 rows" in captions(app)
    assert not [b for b in app.get("download_button") if b.proto.id.endswith("download_filtered")]


def _with_forest(ws: Workspace) -> wf.Run:
    """The anomaly run as a network leaves it: T²/SPE with an F1 of 0.5 and an isolation forest with 0.25 beside it."""

    def figures(f1: float) -> dict[str, object]:
        return {"f1": {"value": f1, "n": 800}}

    run = finished_runs.run_of(ws, "anomaly")
    baseline = {"model": "pca_t2_spe", "metrics": figures(0.5), "others": {"isolation_forest": figures(0.25)}}
    ws.store.finish_run(run.id, metrics=figures(0.75), baseline=baseline, summary=run.summary)
    return wf.get_run(ws, run.id)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_anomalies_screen_shows_every_baseline(open_app: Open, ws: Workspace, lang: str) -> None:
    app = open_app("judge/anomalies.py", run=_with_forest(ws).id, lang=lang)
    clean(app)
    line = next(text for text in captions(app).splitlines() if "0.25" in text)
    forest = "Isolation forest 0.25" if lang == "en" else "孤立森林 0.25"
    assert forest in line and " 0.5 · " in line


def test_the_comparison_of_runs_shows_every_baseline(open_app: Open, ws: Workspace) -> None:
    run, other = _with_forest(ws), finished_runs.run_of(ws, "regression")
    app = open_app("learn/runs.py", run=run.id)
    app.selectbox(key="runs_pick").set_value(run.id).run()
    app.selectbox(key="compare").set_value(other.id).run()
    clean(app)
    table = table_with(app, "Baseline: Isolation forest")
    assert table.loc["F1", "Baseline: Isolation forest"] == "0.25"
    assert table.loc["F1", "Baseline: PCA control chart (T² and SPE)"] == "0.5"


SHARES = ("accuracy", "precision", "recall", "far", "mar", "coverage")


def shown(key: str, value: float, unit: str = "") -> str:
    """A figure of the command line as a screen words it: four significant digits, shares in per cent."""
    value, unit = (100 * value, "%") if key in SHARES else (value, unit)
    whole = value == round(value) or abs(value) >= 1000
    return (f"{value:,.0f}" if whole else f"{value:.4g}") + (f" {unit}" if unit else "")


@pytest.mark.parametrize(
    ("task", "model", "page", "in_figures", "in_table"),
    [
        (
            "classification",
            "logistic",
            "judge/predictions.py",
            {"recall": "Defects caught", "far": "Good parts rejected", "roc_auc": "ROC AUC"},
            {"f1": "F1", "roc_auc": "ROC AUC", "macro_f1": "Macro F1", "accuracy": "Accuracy (%)"},
        ),
        ("anomaly", "isolation_forest", "judge/anomalies.py", {"f1": "F1"}, {}),
        (
            "rul",
            "linear",
            "judge/predictions.py",
            {"rmse": "RMSE", "phm08": "PHM08 score", "mae": "MAE"},
            {"rmse": "RMSE (cycles)", "r2": "R²"},
        ),
    ],
)
def test_the_screen_shows_the_figures_of_the_command_line(
    open_app: Open,
    ws: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    task: str,
    model: str,
    page: str,
    in_figures: dict[str, str],
    in_table: dict[str, str],
) -> None:
    # The worker's code runs in this process; everything else is the command as it is typed.
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: finished_runs.work_off(store))
    asked = finished_runs.run_of(ws, task).request
    arguments = ["train", "--data", asked.dataset_id, "--task", task, "--model", model]
    for name in ("target", "time", "group"):
        if getattr(asked, name):
            arguments += [f"--{name}", getattr(asked, name)]
    if asked.ignore:
        arguments += ["--ignore", ",".join(asked.ignore)]
    if asked.split is not None:
        arguments += ["--split", f"first:{asked.split.first}"]
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    app = open_app(page, run=said["run"])
    clean(app)
    unit = "cycles" if task == "rul" else ""
    figures = {m.label: m for m in app.metric}
    for key, title in in_figures.items():
        named = unit if key in ("rmse", "mae") else ""
        assert figures[title].value == shown(key, said["metrics"][key], named)
        if (other := said["baseline"]["metrics"].get(key)) is not None:
            assert figures[title].delta.endswith(shown(key, other, named))
    if task == "anomaly":
        assert said["baseline"]["model"] == "pca_t2_spe"
        words = figures["F1"].proto.help.replace("\\", "")
        for key in ("far", "mar"):
            assert shown(key, said["metrics"][key]) in words
    titled = [d.value for d in app.dataframe if d.value.index.name == "metric"]
    for key, title in in_table.items():
        # The head of the row has the unit, so that the interval has room beside the figure.
        assert titled[0].loc[title].iloc[0].split(" [")[0] == shown(key, said["metrics"][key]).split(" ")[0]


def test_the_open_event_stays_open_when_a_moved_limit_numbers_events_anew(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id)
    events = {e.number: e for e in wf.anomaly_view(ws, wf.open_results(ws, run.id)).events}
    opened = app.selectbox(key="event").value
    slider = next(s for s in app.select_slider if s.key.startswith("anomaly_limit"))
    slider.set_value(slider.options[1]).run()
    clean(app)
    limit = float(str(slider.options[1]).replace(",", ""))
    moved = {e.number: e for e in wf.anomaly_view(ws, wf.open_results(ws, run.id), limit).events}
    now = moved[app.selectbox(key="event").value]
    assert now.first_row <= events[opened].peak_row <= now.last_row
    last = max(moved)
    app.selectbox(key="event").set_value(last).run()
    assert app.selectbox(key="event").value == last, "what a person chooses is not taken back"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("oil_temp", "flow", "motor_current"), "oil_temp, flow, motor_current"),
        (("discharge_pressure", "motor_current", "case_drain_flow"), "discharge_pressure, motor_current +1"),
        (("a" * 30, "b" * 30, "c"), "a" * 30 + " +2"),
        (("a" * 60,), "a" * 60),
        ((), ""),
    ],
)
def test_the_names_of_leading_sensors_fit_into_their_column(names: tuple[str, ...], said: str) -> None:
    event = AnomalyEvent(1, 0, 1, 0, 0, 1, 2, 1.0, 1.0, tuple(SensorShare(name, 0.2) for name in names))
    assert anomaly_view._sensors(event) == said


def test_ends_of_an_interval_have_three_digits_and_never_become_all_or_none() -> None:
    """Two intervals of four digits were wider than the table of figures at 1366 pixels."""
    from core.evaluation.result import Metric
    from pages.components.run_view import metric_text

    assert metric_text(Metric("far", 0.003442, 100, 0.001292, 0.0060134), interval=True) == "0.3442 [0.129 – 0.601]"
    assert metric_text(Metric("accuracy", 0.99, 100, 0.98765, 0.99979), interval=True) == "99 [98.77 – 99.98]"
    assert metric_text(Metric("roc_auc", 0.9755, 100, 0.9646, 0.99978), interval=True) == "0.9755 [0.9646 – 0.9998]"
    assert metric_text(Metric("accuracy", 0.98123, 9, 0.98112, 0.98134), interval=True) == "98.12 [98.11 – 98.13]"
    assert metric_text(Metric("rmse", 101.44, 9, 101.41, 101.47), interval=True) == "101.4 [101.4 – 101.5]"
    assert metric_text(Metric("accuracy", 1.0, 9, 0.97, 1.0), interval=True) == "100 [97 – 100]"
