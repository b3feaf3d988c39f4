"""A forecast on its screens: asked for, shown, saved, and opened where anomalies are judged."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.dataset import Column
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from pages.components.train_guess import guess_task
from tests.pages.finished_runs import work_off
from tests.synthetic import series_table

Open = Callable[..., AppTest]
COLUMNS = (
    Column("when", "time", "time"),
    Column("line", "text", "group"),
    Column("x", "number", "sensor"),
    Column("y", "number", "target", unit="kW"),
)


@pytest.fixture
def stored(own_store: Path, tmp_path: Path) -> tuple[Workspace, str]:
    """A store with a table of two series; its dataset."""
    ws = Workspace(open_store(own_store))
    series_table().to_csv(tmp_path / "s.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "s.csv", columns=COLUMNS).dataset
    assert dataset is not None
    return ws, dataset.id


@pytest.fixture
def run(stored: tuple[Workspace, str]) -> wf.Run:
    ws, dataset = stored
    request = {"dataset_id": dataset, "dataset_version": 1, "task": "forecast", "model": "ridge"}
    started = wf.start_training(ws, TrainRequest.read(request))
    work_off(ws.store)
    found = wf.get_run(ws, started.id)
    assert found.state == "succeeded", found.problem
    return found


def words(app: AppTest) -> str:
    return " ".join(str(e.value) for kind in (app.markdown, app.caption, app.title, app.header) for e in kind).replace("\\", "")


def clean(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []


@pytest.mark.parametrize(("lang", "seen"), [("en", "In 24 rows"), ("zh", "24 行之后")])
def test_the_next_values_come_first_beside_the_error_and_the_band(open_app: Open, run: wf.Run, lang: str, seen: str) -> None:
    app = open_app("judge/predictions.py", lang=lang, run=run.id)
    clean(app)
    assert seen in " ".join(m.label for m in app.metric)
    assert any("kW" in str(m.value) for m in app.metric)
    step_table = next(d.value for d in app.dataframe if len(d.value) == 24 and "MASE" in d.value.columns)
    np.testing.assert_array_equal(step_table.iloc[:, 0], np.arange(1, 25))


def test_a_chosen_row_and_another_series_change_the_fan(open_app: Open, stored: tuple[Workspace, str], run: wf.Run) -> None:
    app = open_app("judge/predictions.py", run=run.id)
    assert "average error of this forecast" not in words(app)  # after the last row nothing came yet
    first = int(wf.origins(wf.open_results(stored[0], run.id), "a").rows[0])
    app.select_slider[0].set_value(first).run()
    clean(app)
    assert "average error of this forecast" in words(app)
    app.selectbox(key="forecast_group").set_value("b").run()
    clean(app)
    table = next(d.value for d in app.dataframe if len(d.value) == 24 and "forecast" in d.value.columns)
    assert table["forecast"].between(9, 21).all()  # line b stands at 15 ± 4
    app.radio(key="forecast_chart").set_value("steps").run()
    clean(app)


def test_the_next_values_are_saved_as_they_are_shown(open_app: Open, run: wf.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: dict[str, Callable[[], bytes]] = {}
    real = st.download_button

    def button(label: str, data: Callable[[], bytes], **more: Any) -> bool:
        offered[more["key"]] = data
        return real(label, data=data, **more)

    monkeypatch.setattr(st, "download_button", button)
    clean(open_app("judge/predictions.py", run=run.id))
    found = pd.read_csv(io.BytesIO(offered["download_next"]()))
    assert found["line"].tolist() == ["a"] * 24 + ["b"] * 24 and found["step"].tolist() == [*range(1, 25)] * 2


def test_its_residuals_open_as_anomalies(open_app: Open, run: wf.Run) -> None:
    app = open_app("judge/anomalies.py", run=run.id)
    clean(app)
    assert any("Events" in m.label for m in app.metric)


@pytest.mark.parametrize(("lang", "said"), [("en", "forecast one row before"), ("zh", "前一行的预测")])
def test_an_event_of_a_forecast_shows_what_was_forecast_beside_what_came(
    lang: str, said: str, open_app: Open, own_store: Path, tmp_path: Path
) -> None:
    table = series_table()
    table.loc[950:952, "y"] += 9.0
    ws = Workspace(open_store(own_store))
    table.to_csv(tmp_path / "s.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "s.csv", columns=COLUMNS).dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "forecast", "model": "ridge"}
    started = wf.start_training(ws, TrainRequest.read(request))
    work_off(ws.store)
    app = open_app("judge/anomalies.py", run=started.id, lang=lang)
    clean(app)
    drawn = [json.loads(c.proto.spec) for c in app.get("plotly_chart")]
    lines = {line.get("name"): line for figure in drawn for line in figure["data"]}
    assert said in lines and lines[said]["line"]["dash"] == "dash"
    event = wf.anomaly_view(ws, wf.open_results(ws, started.id)).later[0]
    assert event.first_row <= 952 and event.last_row >= 950


def test_the_train_screen_asks_for_rows_ahead_and_starts_the_run(open_app: Open, stored: tuple[Workspace, str]) -> None:
    ws, dataset = stored
    app = open_app("learn/train.py", dataset=dataset)
    app.radio(key="train_task").set_value("forecast").run()
    clean(app)
    app.number_input(key="train_horizon").set_value(6).run()
    app.selectbox(key="train_model").set_value("ridge").run()
    clean(app)
    assert "at random" not in app.selectbox(key=f"train_split_by.{dataset}.in_order").options
    app.button(key="train_start").click().run()
    clean(app)
    started = wf.list_runs(ws)[0]
    assert (started.task, started.model, started.request.options) == ("forecast", "ridge", {"horizon": 6})


def test_a_number_over_time_with_nothing_beside_it_suggests_a_forecast(own_store: Path, tmp_path: Path) -> None:
    ws = Workspace(open_store(own_store))
    series_table(lines=("a",))[["when", "y"]].to_csv(tmp_path / "s.csv", index=False)
    alone = wf.import_file(ws, tmp_path / "s.csv", columns=(COLUMNS[0], COLUMNS[3])).dataset
    assert alone is not None and guess_task(ws, alone) == "forecast"
