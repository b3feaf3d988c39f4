"""Runs from start to verdict through the workflows that pages and the command line share; baselines only, so no TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import VALIDATION
from core.errors import DataProblem, NotEnoughData, SettingProblem, StoreProblem
from core.evaluation import Metric
from core.jobs import wait_for_job
from core.languages import text_in
from core.messages import Message, msg
from core.training.request import TrainRequest
from core.workflows.report_facts import report_facts
from pages.components.run_view import main_metric
from tests.synthetic import anomaly_table, class_table, life_table, regression_table

TABLES = {
    "regression": (regression_table(), {"target": "y", "time": "when", "model": "ridge"}),
    "classification": (class_table(), {"target": "result", "model": "logistic"}),
    "anomaly": (anomaly_table(), {"target": "label", "time": "when", "model": "pca_t2_spe"}),
    "rul": (life_table(), {"group": "unit", "time": "cycle", "model": "ridge", "options": {"cap": 30.0, "window": 8}}),
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> wf.Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("runs") / "home")


@pytest.fixture(scope="module")
def runs(ws: wf.Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, wf.Run]:
    """One finished run of each task."""
    folder, found = tmp_path_factory.mktemp("csv"), {}
    for task, (table, request) in TABLES.items():
        table.to_csv(folder / f"{task}.csv", index=False)
        dataset = wf.import_file(ws, folder / f"{task}.csv").dataset
        assert dataset is not None
        made = TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "task": task, **request})
        run = wf.start_training(ws, made, token=task)
        assert wf.start_training(ws, made, token=task).id == run.id
        wait_for_job(ws.store, run.job_id, timeout=120)
        found[task] = wf.get_run(ws, run.id)
    return found


def test_all_succeed_and_are_listed_newest_first(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    assert {run.state for run in runs.values()} == {"succeeded"}, [str(run.problem) for run in runs.values()]
    assert [run.task for run in wf.list_runs(ws)] == ["rul", "anomaly", "classification", "regression"]
    assert wf.jobs_overview(ws) == ()


def test_the_regression_view_shows_the_stored_figures(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    view = wf.regression_view(wf.open_results(ws, runs["regression"].id))
    rmse = float(np.sqrt(np.mean((view.prediction - view.truth) ** 2)))
    stored = {m.key: m for m in view.metrics}
    assert stored["rmse"].value == pytest.approx(rmse) and stored["rmse"].n == len(view.rows) == 80
    assert stored["rmse"].low < rmse < stored["rmse"].high
    assert np.abs(view.worst["residual"].to_numpy()[0]) == pytest.approx(np.abs(view.residuals).max())
    assert view.coverage is not None and view.coverage.value == stored["coverage"].value
    assert view.interval is not None and stored["coverage"].value == pytest.approx(0.9, abs=0.12)


def test_the_report_draws_measured_less_predicted(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["regression"].id)
    rows = results.scores.iloc[320:]
    figure = next(f.figure for f in report_facts(ws, results, str).figures if str(f.title) == "Residuals")
    drawn = next(trace for trace in figure.data if trace.mode == "markers")
    np.testing.assert_allclose(drawn.y, (rows["truth"] - rows["prediction"]).to_numpy())
    assert figure.layout.yaxis.title.text == "measured − predicted"


@pytest.mark.parametrize("task", TABLES)
def test_the_report_opens_with_the_figure_that_the_screens_promise(
    ws: wf.Workspace, runs: dict[str, wf.Run], task: str
) -> None:
    results = wf.open_results(ws, runs[task].id)
    promised = main_metric(results.run)
    lines = report_facts(ws, results, str).metrics
    assert promised is not None and lines[0].metric == promised
    assert {line.metric.key for line in lines} == set(results.run.metrics)


def test_the_report_gives_the_hash_of_the_file_as_it_was_given(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["regression"].id)
    row = ws.store.get_dataset(results.dataset.id, results.dataset.version)
    facts = report_facts(ws, results, str)
    assert facts.dataset.source_sha256 == facts.hashes["source"] == row.source_sha256 != ""
    assert facts.dataset.sha256 == facts.hashes["table"] == row.sha256 != row.source_sha256


def test_the_report_says_what_was_asked_for_with_its_unit(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    def said(task: str) -> dict[str, object]:
        facts = report_facts(ws, wf.open_results(ws, runs[task].id), str)
        assert str(next(f.value for f in facts.run if str(f.name) == "Task")) == titles[task]
        return {str(f.name): f.value if isinstance(f.value, float) else str(f.value) for f in facts.settings}

    titles = {
        "regression": "Predict a value",
        "classification": "Predict a class",
        "anomaly": "Warn when something is off",
        "rul": "Remaining life",
    }
    cap, alarms, missed = "Life cap (cycles)", "False alarms allowed a week (1/week)", "Interval miss rate"
    asked = {task: {k: v for k, v in said(task).items() if k in (cap, alarms, missed)} for task in titles}
    assert asked == {
        "regression": {missed: 0.1},
        "classification": {},
        "anomaly": {alarms: 2.0},
        "rul": {cap: 30.0, missed: 0.1},
    }


def test_the_report_of_a_network_says_its_preset_and_time_budget_in_the_language(
    ws: wf.Workspace, runs: dict[str, wf.Run]
) -> None:
    from core.languages import text_in
    from core.training.settings import FitSettings
    from core.workflows.report_facts import _settings

    results = wf.open_results(ws, runs["regression"].id)
    fit = FitSettings(budget_minutes=4.0, class_weights=True).model_dump(mode="json")
    network = replace(
        results,
        run=replace(results.run, model="dense", request=results.run.request.with_values(model="dense", preset="quick")),
        manifest=results.manifest.model_copy(update={"training": {"fit": fit}}),
    )
    facts = {str(f.name): f for f in _settings(network)}
    assert str(facts["How thorough"].value) == "quick" and facts["Time budget (min)"].value == 4.0
    assert str(facts["Class weights"].value) == "yes"
    preset, budget, chinese = facts["How thorough"], facts["Time budget (min)"], text_in("zh")
    assert isinstance(preset.value, Message)
    assert (chinese(preset.name), chinese(preset.value)) == ("细致程度", "快速")
    assert "时间预算" in chinese(budget.name) and "分钟" in chinese(budget.name)


def test_the_report_shows_every_baseline(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    forest = {"f1": Metric("f1", 0.25, 100)}
    more = replace(results, run=replace(results.run, other_baselines={"isolation_forest": forest}))
    facts = report_facts(ws, more, str)
    assert [str(name) for name in facts.other_baselines] == ["Isolation forest"]
    others = {line.metric.key: line.others for line in facts.metrics}
    assert others["f1"] == (forest["f1"],) and others["recall"] == (None,)


def test_the_test_part_is_the_latest(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["regression"].id)
    assert results.part_rows("test").tolist() == list(range(320, 400))
    assert results.manifest.split["method"] == "time"


def test_a_moved_threshold_moves_every_view(ws: wf.Workspace, runs: dict[str, wf.Run], tmp_path: Path) -> None:
    results = wf.open_results(ws, runs["classification"].id)
    own, strict = wf.classification_view(results), wf.classification_view(results, threshold=0.999999)
    assert own.positive == "fail"
    recall = {m.key: m.value for m in own.metrics}["recall"]
    assert own.operating_point[1] == pytest.approx(recall) == pytest.approx(own.pr_point[0])
    place = own.classes.index("fail")
    assert strict.confusion[:, place].sum() < own.confusion[:, place].sum()
    assert strict.confusion.sum() == own.confusion.sum() == own.n
    assert strict.operating_point[1] < own.operating_point[1]

    def saved(rows: np.ndarray | None = None, **limit: Any) -> pd.DataFrame:
        wf.export_scores(results, tmp_path / "classes.csv", rows, **limit)
        return pd.read_csv(tmp_path / "classes.csv")

    limits: tuple[dict[str, Any], ...] = ({}, {"threshold": 0.999999}, {"threshold": 0.3}, {"positive": "pass"})
    for limit in limits:
        view, scores = wf.classification_view(results, **limit), wf.scores_at(results, **limit)
        test = scores[scores["part"] == 2]
        counted = [[int(((test["truth"] == a) & (test["prediction"] == b)).sum()) for b in view.classes] for a in view.classes]
        assert counted == view.confusion.tolist(), limit
        wrong = wf.filter_scores(scores, "classification", part="test", kind="wrong")
        assert len(wrong) == view.n - np.trace(view.confusion)
        assert (scores["prediction"].iloc[wrong] != scores["truth"].iloc[wrong]).all()
        assert saved(**limit)["prediction"].tolist() == scores["prediction"].tolist()
        assert saved(wrong, **limit)["row"].tolist() == (wrong + 1).tolist()
    # By hand: above the limit is "fail", all else "pass".
    moved = saved(threshold=0.3)
    assert moved["prediction"].tolist() == ["fail" if p > 0.3 else "pass" for p in moved["probability_fail"]]
    assert set(moved["threshold"]) == {0.3} and set(moved["threshold_of"]) == {"fail"}
    assert not {"threshold", "threshold_of"} & set(saved().columns)
    assert saved()["prediction"].tolist() == results.scores["prediction"].tolist()


def test_events_cover_the_planted_fault_and_take_a_verdict(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    view = wf.anomaly_view(ws, results)
    largest = view.events[0]
    assert largest.first_row <= 500 and largest.last_row >= 590
    assert largest.sensors[0].column in ("p1", "p2")
    assert sum(s.share for s in largest.sensors) == pytest.approx(1)
    with pytest.raises(SettingProblem, match="was called 'assignable cause' without a cause"):
        wf.set_verdict(ws, runs["anomaly"].id, largest, "assignable_cause", "no idea", cause="  ")
    assert wf.list_verdicts(ws, runs["anomaly"].id) == ()
    wf.set_verdict(
        ws, runs["anomaly"].id, largest, "assignable_cause", "=cmd|' /C calc'!A0", cause="seal leak", assigned_to="Ann"
    )
    again = wf.anomaly_view(ws, results).events[0]
    wf.set_verdict(ws, runs["anomaly"].id, again, "closed", "second look", fix="new seal")  # cause and name stay as they were
    again = wf.anomaly_view(ws, results).events[0]
    assert again.verdict is not None and not again.is_open
    said = wf.list_verdicts(ws, runs["anomaly"].id)
    assert [(v.verdict, v.cause, v.fix, v.assigned_to) for v in said] == [
        ("assignable_cause", "seal leak", "", "Ann"),
        ("closed", "seal leak", "new seal", "Ann"),
    ]
    assert wf.history_of(results, again, said) == said
    wf.set_verdict(ws, runs["anomaly"].id, again, "open")
    assert wf.anomaly_view(ws, results).events[0].is_open
    with pytest.raises(SettingProblem, match="verdict is 'maybe'"):
        wf.set_verdict(ws, runs["anomaly"].id, largest, "maybe")


def test_the_decision_limit_moves_without_training(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    own = wf.anomaly_view(ws, results)
    wide = wf.anomaly_view(ws, results, threshold=own.threshold.value * 1e6)
    assert wide.flags.sum() == 0 and wide.events == () and not wide.is_default
    detail = wf.event_detail(results, own.events[0])
    assert detail.traces[0].column == own.events[0].sensors[0].column
    assert len(detail.traces[0].values) == len(detail.traces[0].rows) == len(detail.traces[0].times)


def test_a_moved_decision_limit_keeps_the_intervals(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    own = wf.anomaly_view(ws, results)
    moved = wf.anomaly_view(ws, results, float(own.threshold.value) * (1 + 1e-12))
    assert (moved.flags == own.flags).all() and not moved.is_default
    stored, found = ({m.key: (m.value, m.low, m.high, m.n) for m in view.metrics} for view in (own, moved))
    for key in ("f1", "precision", "recall", "far"):
        assert found[key] == stored[key], key  # the fault is found whole: some have no interval, at both limits


def test_saved_scores_are_flagged_at_the_limit_that_is_shown(ws: wf.Workspace, runs: dict[str, wf.Run], tmp_path: Path) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    scores = results.scores
    full = (scores["why_not"] != "padded window").to_numpy()
    limit = float(np.median(scores["score"]))
    wf.export_scores(results, tmp_path / "moved.csv", threshold=limit)
    moved = pd.read_csv(tmp_path / "moved.csv")
    assert (moved["threshold"] == limit).all()
    assert moved["flag"].tolist() == ((scores["score"] > limit).to_numpy() & full).astype(int).tolist()
    assert moved["flag"].sum() == wf.anomaly_view(ws, results, threshold=limit).flags.sum() > scores["flag"].sum()
    wf.export_scores(results, tmp_path / "some.csv", np.array([500, 30]), limit)
    assert pd.read_csv(tmp_path / "some.csv")["row"].tolist() == [501, 31], "people count from 1"
    wf.export_scores(results, tmp_path / "own.csv")
    own = pd.read_csv(tmp_path / "own.csv")
    assert "threshold" not in own and own["flag"].tolist() == scores["flag"].astype(int).tolist()
    wf.export_scores(wf.open_results(ws, runs["regression"].id), tmp_path / "values.csv", threshold=limit)
    assert not {"flag", "threshold"} & set(pd.read_csv(tmp_path / "values.csv").columns)


def test_padded_windows_are_scored_and_make_no_event_at_any_limit(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    padded = np.flatnonzero(results.scores["why_not"] == "padded window")
    assert padded.tolist() == list(range(len(padded))) and len(padded) > 1
    view = wf.anomaly_view(ws, results, threshold=0.0)
    assert np.isfinite(view.scores[padded]).all() and view.n_scored == len(view.scores)
    assert not view.flags[padded].any() and view.flags[len(padded) :].any()
    assert min(e.first_row for e in view.events) >= len(padded)
    assert not results.scores["flag"].to_numpy()[padded].any()


def test_events_are_counted_after_the_baseline_period_everywhere(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["anomaly"].id)
    for limit in (None, float(np.quantile(results.scores["score"], 0.9))):
        view = wf.anomaly_view(ws, results, threshold=limit)
        train = set(results.part_rows("train").tolist())
        assert [e.number for e in view.later] == [e.number for e in view.events if e.first_row not in train]
        waiting = sum(e.is_open for e in view.later)
        assert str(view.verdict).startswith(str(waiting or len(view.later) or "No"))


def test_life_is_judged_on_machines_that_were_held_back(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    results = wf.open_results(ws, runs["rul"].id)
    units = results.scores["unit"].to_numpy()
    assert not set(units[results.part_rows("test")]) & set(units[results.part_rows("train")])
    view = wf.regression_view(results)
    assert view.cap == 30 and view.truth.max() == 30 and (view.prediction >= 0).all()


def test_a_view_of_another_task_is_refused(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    with pytest.raises(SettingProblem, match="answers another question"):
        wf.regression_view(wf.open_results(ws, runs["anomaly"].id))
    with pytest.raises(SettingProblem, match="answers another question"):
        wf.anomaly_view(ws, wf.open_results(ws, runs["rul"].id))


def test_scoring_the_training_file_gives_the_scores_of_the_run(
    ws: wf.Workspace, runs: dict[str, wf.Run], tmp_path: Path
) -> None:
    for task, (table, _) in TABLES.items():
        table.to_csv(tmp_path / "data.csv", index=False)
        scored = wf.score_file(wf.resolve_bundle(ws, runs[task].id), tmp_path / "data.csv", tmp_path / "out.csv")
        assert scored.rows == len(table)
        column = "score" if task == "anomaly" else "probability_fail" if task == "classification" else "prediction"
        scores, found = wf.open_results(ws, runs[task].id).scores, pd.read_csv(tmp_path / "out.csv")
        # The run keeps what the fit before the last one said of the validation rows: the kept model has seen them.
        same = (scores["part"] != VALIDATION).to_numpy() | (task == "anomaly")
        np.testing.assert_allclose(found[column][same], scores[column][same], rtol=1e-9)
        assert same.all() or not np.allclose(found[column][~same], scores[column][~same], rtol=1e-9, equal_nan=True)


def test_reports_are_written_in_both_languages(ws: wf.Workspace, runs: dict[str, wf.Run], tmp_path: Path) -> None:
    for task, run in runs.items():
        made = wf.make_report(ws, run.id, language="zh" if task == "rul" else "en", out=tmp_path / f"{task}.html")
        text = (tmp_path / f"{task}.html").read_text(encoding="utf-8")
        assert made.run_id == run.id and made.path.read_text(encoding="utf-8") == text
        assert wf.open_dataset(ws, run.dataset_id).sha256 in text
        assert (text_in("zh")(msg("How long units last")) in text) == (task == "rul")
    assert len(wf.list_reports(ws)) == 4
    with pytest.raises(SettingProblem, match="asked for as 'r.pdf'"):
        wf.make_report(ws, runs["rul"].id, out=tmp_path / "r.pdf")
    with pytest.raises(DataProblem, match="no run and no bundle"):
        wf.make_report(ws, "nothing")


def test_runs_are_renamed_and_deleted_but_not_while_they_wait(ws: wf.Workspace, runs: dict[str, wf.Run]) -> None:
    request = runs["regression"].request
    extra = wf.start_training(ws, request)
    with pytest.raises(StoreProblem, match="running|in use|used"):
        wf.delete_run(ws, extra.id)
    with pytest.raises(NotEnoughData, match="has no results"):
        wf.open_results(ws, extra.id)
    wf.stop_run(ws, extra.id)
    assert wf.get_run(ws, extra.id).state == "cancelled"
    wf.rename_run(ws, extra.id, "Trial")
    assert wf.get_run(ws, extra.id).name == "Trial"
    wf.delete_run(ws, extra.id)
    with pytest.raises(StoreProblem, match="There is no run"):
        wf.get_run(ws, extra.id)


def test_a_finished_run_stays_readable_without_its_dataset_until_it_is_deleted_too(
    ws: wf.Workspace, runs: dict[str, wf.Run], tmp_path: Path
) -> None:
    anomaly_table().to_csv(tmp_path / "pump.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "pump.csv").dataset
    assert dataset is not None
    run = wf.start_training(ws, runs["anomaly"].request.with_values(dataset_id=dataset.id, dataset_version=dataset.version))
    wait_for_job(ws.store, run.job_id, timeout=120)
    wf.delete_dataset(ws, dataset.id)
    assert dataset.id not in {d.id for d in wf.list_datasets(ws)}
    results = wf.open_results(ws, run.id)
    view = wf.anomaly_view(ws, results)
    assert view.events and view.events[0].sensors[0].deviation is not None
    plain = wf.anomaly_view(ws, results, without_deviations=True)
    assert [s.deviation for s in plain.events[0].sensors] == [None] * len(plain.events[0].sensors)
    assert tuple(wf.with_deviations(results, event) for event in plain.events) == view.events
    assert dataset.path.exists()
    wf.delete_run(ws, run.id)
    assert not dataset.path.exists()


def test_machines_that_take_turns_in_the_file_keep_their_verdicts_and_deviations_apart(
    ws: wf.Workspace, tmp_path: Path
) -> None:
    one, other = anomaly_table(seed=3), anomaly_table(seed=4)
    other["p2"] -= 12 * (other["label"] > 0)  # the other machine falls where this one rises
    table = pd.concat([one.assign(machine="A"), other.assign(machine="B")]).sort_values(["when", "machine"], ascending=False)
    table.to_csv(tmp_path / "two.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "two.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
    run = wf.start_training(ws, TrainRequest.read({**request, "group": "machine", "model": "pca_t2_spe"}))
    wait_for_job(ws.store, run.job_id, timeout=120)
    results = wf.open_results(ws, run.id)
    events = {e.group: e for e in wf.anomaly_view(ws, results).events if e.n_rows > 60}
    assert set(events) == {"A", "B"}, "the fault of each machine is one event"
    shift = {g: next(s.deviation for s in e.sensors if s.column == "p2") for g, e in events.items()}
    assert shift["A"] > 3 and shift["B"] < -3
    view = wf.anomaly_view(ws, results)
    for group, event in events.items():  # the fault of both begins after 480 minutes and lasts 120
        facts = wf.event_facts(results, view, event)
        assert facts.began is not None and abs(pd.Timestamp(facts.began.when) - pd.Timestamp("2026-01-01 08:00")).seconds <= 180
        assert facts.seconds is not None and facts.seconds == 60 * (facts.n_rows - 1) and facts.n_rows <= 123
        assert {s.value for s in facts.suspects} == {group}
    wf.set_verdict(ws, run.id, events["A"], "contained")
    said = {e.group: e.verdict for e in wf.anomaly_view(ws, results).events if e.n_rows > 60}
    assert said["A"] is not None and said["B"] is None
