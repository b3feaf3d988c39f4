"""The fleet on the Predictions screen: the same figures as the workflow, the fleet in service, rules, both languages, the file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Dataset
from core.data.demos import engine_life
from core.workflows.reports import make_report
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]


@pytest.fixture
def service(ws: Workspace, tmp_path: Path) -> Dataset:
    """Ten engines that the run has not seen, each stopped at a part of its life."""
    table = engine_life.make(11)
    stopped = [rows.iloc[: max(40, len(rows) * (k + 1) // 10)] for k, (_, rows) in enumerate(table.groupby("engine")) if k < 10]
    path = tmp_path / "service.csv"
    pd.concat(stopped).to_csv(path, index=False)
    found = wf.import_file(ws, path, name="In service", columns=engine_life.COLUMNS).dataset
    assert found is not None
    return found


def clean(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []


def plain(words: str) -> str:
    return words.replace("\\", "")


def charts(app: AppTest) -> list[str]:
    return [c.proto.id.rsplit("-", 1)[-1] for c in app.get("plotly_chart")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_fleet_that_ran_to_failure(open_app: Open, ws: Workspace, lang: str) -> None:
    run = finished_runs.run_of(ws, "rul")
    app = open_app("judge/predictions.py", run=run.id, view="fleet", lang=lang)
    clean(app)
    view = wf.fleet_view(wf.open_results(ws, run.id), wf.FleetSettings())
    assert len(view.units) == 0
    title = plain(app.title[0].value)
    assert str(view.lives.curve.n) in title and f"{view.lives.curve.median.value:g}" in title
    if lang == "en":
        assert title == str(view.headline)
        assert {m.label for m in app.metric} == {"Half last", "A tenth has failed by", "Weibull shape"}
    assert charts(app) == ["fleet_survival"]
    app.radio(key="fleet_chart.2").set_value("weibull").run()
    clean(app)
    assert charts(app) == ["fleet_weibull"]


def test_the_view_is_kept_in_the_address_and_left_again(open_app: Open, ws: Workspace) -> None:
    run, other = finished_runs.run_of(ws, "rul"), finished_runs.run_of(ws, "regression")
    app = open_app("judge/predictions.py", run=run.id)
    assert "value_chart.rul" in [r.key for r in app.radio] and "view" not in app.query_params
    app.segmented_control(key="predictions_view").set_value("fleet").run()
    clean(app)
    assert app.query_params["view"] == "fleet" and "value_chart.rul" not in [r.key for r in app.radio]
    shown = open_app("judge/predictions.py", run=other.id, view="fleet")
    clean(shown)
    assert "value_chart.regression" in [r.key for r in shown.radio], "only remaining life has a fleet"


def test_the_fleet_in_service(open_app: Open, ws: Workspace, service: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: dict[str, Callable[[], bytes]] = {}
    real = st.download_button

    def button(label: str, data: Callable[[], bytes], **more: Any) -> bool:
        offered[more["key"]] = data
        return real(label, data=data, **more)

    monkeypatch.setattr(st, "download_button", button)
    run = finished_runs.run_of(ws, "rul")
    app = open_app("judge/predictions.py", run=run.id, view="fleet")
    choice = app.selectbox(key=f"fleet.{run.id}")
    assert "In service" in choice.options and "injection_moulding" not in choice.options
    choice.set_value(service.id).run()
    app.number_input(key="fleet_within").set_value(25.0).run()
    clean(app)
    view = wf.fleet_view(wf.open_results(ws, run.id), wf.FleetSettings(within=25), in_service=service)
    assert plain(app.title[0].value) == str(view.headline) and len(view.units) == 10
    table = next(d.value for d in app.dataframe if "engine" in d.value.columns)
    assert table["engine"].tolist() == view.units["unit"].tolist()
    assert table["lasts 25 cycles: model"].tolist() == pytest.approx((100 * view.units["chance"]).tolist())
    assert charts(app) == ["fleet_due"]
    saved = pd.read_csv(io.BytesIO(offered["download_fleet"]()))
    assert saved["unit"].tolist() == view.units["unit"].tolist() and set(saved["within"]) == {25}


def test_another_rule_of_failure(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "rul")
    app = open_app("judge/predictions.py", run=run.id, view="fleet")
    app.radio(key="fleet_rule").set_value("running").run()
    clean(app)
    assert "their chances cannot be told" in plain(app.title[0].value)
    said = plain("\n".join(c.value for c in app.caption))
    assert "as if every history ended in a failure" in said
    app.radio(key="fleet_rule").set_value("column").run()
    clean(app)
    app.selectbox(key="fleet_column").set_value("takeoff_thrust").run()
    app.text_input(key="fleet_value").set_value("no such value").run()
    clean(app)
    assert "their chances cannot be told" in plain(app.title[0].value), "no row says so, so no unit has failed"


def every_word(app: AppTest) -> str:
    """All that a screen shows: texts, labels, figures, cells and the titles of charts."""
    said = [str(e.value) for kind in ("title", "header", "markdown", "caption", "info", "warning") for e in app.get(kind)]
    said += [f"{m.label} {m.value} {m.delta}" for m in app.metric]
    said += [str(getattr(w, "label", "")) for kind in ("selectbox", "radio", "number_input") for w in app.get(kind)]
    for table in app.dataframe:
        said += [str(c) for c in table.value.columns] + [str(v) for v in table.value.to_numpy().ravel()]
    said += [c.proto.spec if hasattr(c.proto, "spec") else str(c.proto) for c in app.get("plotly_chart")]
    return plain("\n".join(said))


@pytest.mark.parametrize("view", ["fleet", ""])
def test_cycles_and_remarks_of_rows_are_said_in_chinese(open_app: Open, ws: Workspace, service: Dataset, view: str) -> None:
    run = finished_runs.run_of(ws, "rul")
    results = wf.open_results(ws, run.id)
    assert results.unit == "cycles" and "padded window" in set(results.scores["why_not"]), "else this shows nothing"
    app = open_app("judge/predictions.py", run=run.id, lang="zh", **({"view": view} if view else {}))
    clean(app)
    if view:
        app.selectbox(key=f"fleet.{run.id}").set_value(service.id).run()
        clean(app)
    said = every_word(app)
    assert "循环" in said
    assert "cycles" not in said and "padded" not in said, [line for line in said.split("\n") if "cycles" in line][:3]
    if not view:
        assert "窗口行数不足，已补齐" in said
    english = open_app("judge/predictions.py", run=run.id, lang="en", **({"view": view} if view else {}))
    assert "cycles" in every_word(english)
    assert view or "window not full yet" in every_word(english)


def test_the_report_of_remaining_life_says_cycles_in_chinese(ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "rul")
    html = make_report(ws, run.id, language="zh").path.read_text(encoding="utf-8")
    shown = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert "循环" in shown and "(cycles)" not in html, "and no axis of a chart"
    assert not re.findall(r"[^\n]{0,60}\bcycles\b[^\n]{0,60}", shown)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_starts_with_the_fleet_that_was_looked_at(
    open_app: Open, ws: Workspace, service: Dataset, lang: str
) -> None:
    run = finished_runs.run_of(ws, "rul")
    app = open_app("judge/predictions.py", run=run.id, view="fleet", lang=lang)
    app.selectbox(key=f"fleet.{run.id}").set_value(service.id).run()
    headline = plain(app.title[0].value)
    app.switch_page("use/reports.py").run()
    clean(app)
    app.selectbox(key="report_run").set_value(run.id).run()
    assert app.selectbox(key=f"report_fleet.{run.id}").value == service.id
    app.segmented_control(key="report_lang").set_value(lang).run()
    app.button(key="make_report").click().run()
    clean(app)
    assert headline in wf.list_reports(ws)[0].path.read_text(encoding="utf-8")
    app.selectbox(key="report_run").set_value(finished_runs.run_of(ws, "regression").id).run()
    assert not [s for s in app.selectbox if str(s.key).startswith("report_fleet")], "only remaining life has a fleet"
