"""A forecast through the store: what screens, reports, files and the Anomalies screen say of it is one truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import TEST
from core.errors import SettingProblem
from core.jobs import wait_for_job
from core.jobs.study_request import StudyRequest
from core.training.request import TrainRequest
from tests.synthetic import series_table

TABLE = series_table()


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> wf.Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("forecasts") / "home")


def request(ws: wf.Workspace, folder: Path, **more: object) -> TrainRequest:
    TABLE.to_csv(folder / "series.csv", index=False)
    dataset = wf.import_file(ws, folder / "series.csv").dataset
    assert dataset is not None
    given = {"target": "y", "time": "when", "group": "line", "model": "ridge"} | more
    return TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "task": "forecast", **given})


@pytest.fixture(scope="module")
def run(ws: wf.Workspace, tmp_path_factory: pytest.TempPathFactory) -> wf.Run:
    started = wf.start_training(ws, request(ws, tmp_path_factory.mktemp("csv")))
    wait_for_job(ws.store, started.job_id, timeout=120)
    found = wf.get_run(ws, started.id)
    assert found.state == "succeeded", found.problem
    return found


@pytest.fixture(scope="module")
def results(ws: wf.Workspace, run: wf.Run) -> wf.Results:
    return wf.open_results(ws, run.id)


def test_the_view_has_the_stored_figures_and_both_baselines(results: wf.Results, run: wf.Run) -> None:
    view = wf.forecast_view(results)
    assert run.baseline == "season_ago" and set(run.other_baselines) == {"last_value"}
    assert view.horizon == 24 and view.season == 24 and view.groups == ("a", "b") and view.level == pytest.approx(0.9)
    weights = np.array([s.n for s in view.steps])
    mae = float(np.sum(weights * [s.mae for s in view.steps]) / weights.sum())  # type: ignore[misc]
    assert mae == pytest.approx(run.metrics["mae"].value)
    assert set(view.baseline_steps) == {"season_ago", "last_value"}
    assert "clearly better than the simple baseline" in str(view.verdict)


def test_the_stored_figures_are_those_of_the_stored_rows(results: wf.Results, run: wf.Run) -> None:
    scores = results.scores
    errors = []
    for _, line in scores.groupby("line"):
        ordered = line.sort_values("when")
        test = ordered[ordered["part"] == TEST]
        for step in range(1, 25):
            came = test["truth"].shift(-step)
            errors.append((came - test[f"prediction_{step}"]).abs().dropna())
    assert float(pd.concat(errors).mean()) == pytest.approx(run.metrics["mae"].value)
    assert len(pd.concat(errors)) == run.metrics["mae"].n


def test_the_next_values_are_what_scoring_the_same_file_gives(ws: wf.Workspace, results: wf.Results, tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "series.csv", index=False)
    wf.score_file(wf.resolve_bundle(ws, results.run.id), tmp_path / "series.csv", tmp_path / "next.csv")
    found, latest = pd.read_csv(tmp_path / "next.csv"), wf.latest_values(results)
    assert found["line"].tolist() == latest["line"].tolist() == ["a"] * 24 + ["b"] * 24
    np.testing.assert_allclose(found["prediction"], latest["prediction"])
    np.testing.assert_allclose(found["upper"] - found["lower"], latest["upper"] - latest["lower"])


def test_a_fan_shows_what_was_known_and_what_came(results: wf.Results) -> None:
    at = wf.origins(results, "b")
    rows = TABLE.index[TABLE["line"] == "b"].to_numpy()
    assert set(at.rows) <= set(rows.tolist()) and (results.parts[at.rows] == TEST).all()
    found = wf.fan(results, int(at.rows[0]), "b")
    place = int(np.flatnonzero(rows == at.rows[0])[0])
    y = TABLE["y"].to_numpy()
    np.testing.assert_allclose(found.truth, y[rows[place + 1 : place + 25]])
    np.testing.assert_allclose(found.history, y[rows[place - 71 : place + 1]])
    assert found.upper is not None and found.lower is not None
    assert (found.at[1:] - found.at[:-1] == np.timedelta64(1, "h")).all() and found.at[0] > found.history_at[-1]
    last = wf.fan(results, wf.last_row(results, "b"), "b")
    assert np.isnan(last.truth).all()
    assert last.at[-1] == np.datetime64(TABLE["when"].max() + pd.Timedelta(hours=24))
    np.testing.assert_allclose(last.prediction, wf.latest_values(results).query("line == 'b'")["prediction"])


def test_a_row_without_a_time_is_no_last_row(ws: wf.Workspace, results: wf.Results, tmp_path: Path) -> None:
    found = {}
    for name, table in {"plain": TABLE, "hole": pd.concat([TABLE, TABLE.tail(1).assign(when=pd.NaT, y=1e6)])}.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        wf.score_file(wf.resolve_bundle(ws, results.run.id), tmp_path / f"{name}.csv", tmp_path / f"{name}-next.csv")
        found[name] = pd.read_csv(tmp_path / f"{name}-next.csv")
    pd.testing.assert_frame_equal(found["plain"], found["hole"])


def test_a_row_of_another_series_is_no_origin(results: wf.Results) -> None:
    with pytest.raises(SettingProblem, match="is not one of 'a'"):
        wf.fan(results, wf.last_row(results, "b"), "a")


def test_residuals_open_as_anomalies_of_the_column_that_is_forecast(ws: wf.Workspace, results: wf.Results) -> None:
    view = wf.anomaly_view(ws, results)
    assert view.labels is None and view.n_refused == 2  # the first row of each line was not forecast
    assert {m.key for m in view.metrics} == {"flagged_fraction"}
    assert view.threshold.value == results.manifest.threshold["value"]  # type: ignore[index]
    lower = wf.anomaly_view(ws, results, threshold=view.threshold.value / 2)
    assert lower.flags.sum() > view.flags.sum()
    assert lower.events and lower.events[0].sensors[0].column == "y"
    detail = wf.event_detail(results, lower.events[0])
    trace = detail.traces[0]
    assert trace.column == "y" and trace.expected is not None
    scores = results.scores  # independently: the first value forecast from the row before of the same line
    line = scores["line"].iloc[trace.rows[0]]
    assert set(scores["line"].iloc[trace.rows]) == {lower.events[0].group}, "no rows of the other line at the end of this one"
    of_line = scores[scores["line"] == line].sort_values("when").set_index("row")
    np.testing.assert_allclose(trace.expected, of_line["prediction_1"].shift(1).loc[trace.rows], rtol=1e-6)
    np.testing.assert_allclose(trace.values, of_line["truth"].loc[trace.rows], rtol=1e-6)
    wf.set_verdict(ws, results.run.id, lower.events[0], "contained")
    assert wf.list_verdicts(ws, results.run.id)[0].verdict == "contained"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_says_season_band_and_next_values(ws: wf.Workspace, run: wf.Run, tmp_path: Path, language: str) -> None:
    made = wf.make_report(ws, run.id, language=language, out=tmp_path / "r.html")
    text = made.path.read_text(encoding="utf-8")
    assert ("Season (rows)" in text) == (language == "en")
    assert ("各预测步的误差" in text) == (language == "zh")


def test_scores_leave_as_csv_with_every_step(results: wf.Results, tmp_path: Path) -> None:
    wf.export_scores(results, tmp_path / "s.csv", np.array([3, 4]))
    found = pd.read_csv(tmp_path / "s.csv")
    assert [f"prediction_{k}" for k in range(1, 25)] == [c for c in found.columns if c.startswith("prediction_")]
    assert {"truth", "expected", "score", "flag"} <= set(found.columns) and len(found) == 2


def test_the_plan_says_what_would_be_done_and_refuses_what_cannot(ws: wf.Workspace, tmp_path: Path) -> None:
    asked = request(ws, tmp_path)
    plan = wf.plan_training(ws, asked)
    assert plan.width == 30 and plan.n_features == 3 and plan.split.counts["gap"] == 0
    assert not plan.notes
    mixed = wf.plan_training(ws, asked.with_values(group=None, ignore=("line",)))
    assert "50 % of the rows" in str(mixed.notes[0]) and "as group" in str(mixed.notes[0])
    auto = wf.plan_training(ws, asked.with_values(model="auto"))
    assert [p.model for p in auto.planned][:3] == ["season_ago", "last_value", "ridge"]
    with pytest.raises(SettingProblem, match="at random"):
        wf.plan_training(ws, asked.with_values(split={"method": "random"}))


@pytest.mark.parametrize(("method", "cells"), [("cross_validate", 3), ("learning_curve", 4)])
def test_a_forecast_is_measured_again_on_stretches_of_time(ws: wf.Workspace, tmp_path: Path, method: str, cells: int) -> None:
    study = StudyRequest.read(
        {"method": method, "request": request(ws, tmp_path, options={"horizon": 6}).model_dump(), "folds": 3}
    )
    work = wf.start_study(ws, study)
    wait_for_job(ws.store, work.job_id, timeout=120)
    found = wf.get_study(ws, work.job_id)
    assert found.state == "succeeded", found.problem
    assert len(found.cells) == cells and all(0.2 < c.metrics["rmse"].value < 1.5 for c in found.cells)  # type: ignore[operator]


def test_several_splits_of_a_forecast_are_refused(ws: wf.Workspace, tmp_path: Path) -> None:
    study = StudyRequest.read({"method": "optimism", "request": request(ws, tmp_path).model_dump()})
    with pytest.raises(SettingProblem, match="keeps the order of time"):
        wf.start_study(ws, study)


@pytest.mark.slow
def test_the_automatic_choice_tries_earlier_values_first_and_keeps_no_worse_model(ws: wf.Workspace, tmp_path: Path) -> None:
    asked = request(ws, tmp_path, model="auto", budget_minutes=1.0, options={"horizon": 3, "epochs": 2, "rounds": 30})
    started = wf.start_training(ws, asked)
    wait_for_job(ws.store, started.job_id, timeout=400)
    run = wf.get_run(ws, started.id)
    assert run.state == "succeeded", run.problem
    assert run.choice is not None
    tried = {c.model: c for c in run.choice.candidates}
    assert list(tried)[:2] == ["season_ago", "last_value"] and tried["season_ago"].state == "done"
    assert run.metrics["mae"].value < run.baseline_metrics["mae"].value  # type: ignore[operator]
    assert len(wf.latest_values(wf.open_results(ws, run.id))) == 6
