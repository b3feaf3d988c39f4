"""Charts and alarm budgets of real small runs of each task: Phase I held out, residuals with one sign, promises, files, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gumbel_r

from core import workflows as wf
from core.anomalies.promises import fewest_scores
from core.data.split import TEST, TRAIN, VALIDATION
from core.errors import NotEnoughData, SettingProblem
from core.messages import msg
from core.training.request import TrainRequest
from core.workflows import report_chart
from core.workflows.report_chart import control_facts
from core.workflows.score_chart import rate_of
from core.workflows.score_series import score_series
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, class_table, life_table, regression_table, series_table

FAULT = 4200
ASKED = {
    "anomaly": (anomaly_table(4500, FAULT), {"target": "label", "time": "when", "model": "pca_t2_spe"}),
    "regression": (regression_table(1500).drop(columns="machine"), {"target": "y", "time": "when", "model": "ridge"}),
    "classification": (class_table(900), {"target": "result", "model": "logistic"}),
    "rul": (life_table(16), {"group": "unit", "time": "cycle", "model": "ridge", "options": {"cap": 30}}),
    "forecast": (series_table(900), {"target": "y", "time": "when", "group": "line", "model": "ridge"}),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, wf.Results]:
    folder = tmp_path_factory.mktemp("charts")
    ws = wf.open_workspace(folder / "home")
    found = {}
    for task, (table, asked) in ASKED.items():
        table.to_csv(folder / f"{task}.csv", index=False)
        dataset = wf.import_file(ws, folder / f"{task}.csv").dataset
        assert dataset is not None
        split = {"split": {"method": "first", "first": 3000}} if task == "anomaly" else {}
        request = TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "task": task, **asked, **split})
        run = wf.start_training(ws, request, token=task)
        work_off(ws.store)
        ended = wf.get_run(ws, run.id)
        assert ended.state == "succeeded", ended.problem
        found[task] = wf.open_results(ws, run.id)
    return found


@pytest.mark.parametrize("task", ASKED)
def test_every_task_has_a_chart_whose_limits_come_from_held_out_rows(results: dict[str, wf.Results], task: str) -> None:
    view = wf.score_chart_view(results[task])
    series = view.series
    assert (series.parts[series.of.baseline] == VALIDATION).all() and series.of.baseline.sum() >= 50
    assert not (series.parts == TRAIN).any()
    assert view.found.side == ("upper" if task in ("anomaly", "classification") else "both")
    assert len(view.rows) == len(view.found.chart.points) and view.n_judged > 0
    assert str(view.headline) and str(view.promise) and all(str(note) for note in view.notes)


def test_residuals_are_measured_less_predicted_in_the_order_of_time(results: dict[str, wf.Results]) -> None:
    series = wf.score_chart_view(results["regression"]).series
    scores = results["regression"].scores.iloc[series.rows]
    assert series.values == pytest.approx((scores["truth"] - scores["prediction"]).to_numpy(float), nan_ok=True)
    assert (np.diff(series.times.astype("int64")) > 0).all() and series.period_seconds == 60


def test_a_forecast_is_judged_by_what_was_expected_one_row_before(results: dict[str, wf.Results]) -> None:
    series = wf.score_chart_view(results["forecast"]).series
    table = ASKED["forecast"][0]
    expected = results["forecast"].numbers("expected")[series.rows]
    assert series.values == pytest.approx(table["y"].to_numpy()[series.rows] - expected, nan_ok=True)
    borders = np.flatnonzero(series.groups[1:] != series.groups[:-1]) + 1
    assert set(borders) <= set(series.of.bounds), "nothing reaches from one line to the next"
    assert 0.1 < np.nanstd(series.values) < 1


def test_a_class_is_judged_by_the_probability_of_the_true_one(results: dict[str, wf.Results]) -> None:
    series = wf.score_chart_view(results["classification"]).series
    scores = results["classification"].scores.iloc[series.rows]
    own = [1 - row[f"probability_{row['truth']}"] for _, row in scores.iterrows()]
    assert series.values == pytest.approx(own) and series.kind == "surprise"


def test_a_fault_is_outside_and_the_rows_before_it_are_not(results: dict[str, wf.Results]) -> None:
    view = wf.score_chart_view(results["anomaly"])
    fault = view.rows >= FAULT
    assert view.signals[fault].mean() > 0.95
    before = ~fault & ~view.series.of.baseline
    assert view.signals[before].mean() < 0.02
    assert "Not in control" in str(view.headline)


def test_labelled_anomalies_are_no_part_of_phase_one(results: dict[str, wf.Results]) -> None:
    series = score_series(results["anomaly"], 3001, 4500)
    assert series.of.baseline.sum() == 1200 and series.rows[series.of.baseline].max() == FAULT - 1


def test_a_chosen_phase_one_may_hold_training_rows_and_says_so(results: dict[str, wf.Results]) -> None:
    view = wf.score_chart_view(results["regression"], wf.ScoreChartSettings(first_row=1, last_row=800))
    assert view.series.of.baseline.sum() == 800 and view.rows[0] == 0
    assert any("rows that the model was trained on" in str(note) for note in view.notes)
    with pytest.raises(SettingProblem, match="from row 9,000 to row 1,500"):
        wf.score_chart_view(results["regression"], wf.ScoreChartSettings(first_row=9000))


def test_the_file_has_what_the_chart_has(results: dict[str, wf.Results], tmp_path: Path) -> None:
    view = wf.score_chart_view(results["regression"])
    wf.export_score_chart(view, tmp_path / "chart.csv")
    table = pd.read_csv(tmp_path / "chart.csv")
    assert len(table) == len(view.rows) and table["row"].tolist() == (view.rows + 1).tolist()
    assert table["outside"].sum() == view.found.chart.outside.sum()
    assert set(table["phase"]) == {"I", "II"}


def test_a_budget_a_week_needs_times_and_one_budget_is_enough() -> None:
    assert rate_of(None, 2, 60) == pytest.approx(2 * 60 / 604_800)
    assert rate_of(None, None, None) == 0.0027 and rate_of(0.01, None, 60) == 0.01
    with pytest.raises(SettingProblem, match="no time column"):
        rate_of(None, 2, None)
    with pytest.raises(SettingProblem, match="both given"):
        rate_of(0.01, 2, 60)


def test_too_short_a_phase_one_is_refused(results: dict[str, wf.Results]) -> None:
    with pytest.raises(NotEnoughData, match="at least 50 values in Phase I, and there are 40"):
        wf.score_chart_view(results["regression"], wf.ScoreChartSettings(first_row=1301, last_row=1340))


def test_both_promises_of_a_budget_say_what_is_missing(results: dict[str, wf.Results]) -> None:
    view = wf.alarm_budget_view(results["anomaly"], wf.AlarmBudgetSettings(per_week=2))
    assert view.rate == pytest.approx(120 / 604_800) and view.per_week == pytest.approx(2)
    chosen = view.chosen
    assert not chosen.is_promised and chosen.average.value is None
    blocks = chosen.average.ranks
    assert chosen.average.missing_rows == (fewest_scores(blocks.rate, "on_average") - blocks.n) * chosen.average.block
    assert chosen.confident.missing_rows > 2.5 * chosen.average.missing_rows
    assert "cannot be promised yet" in str(view.headline)


def test_a_budget_that_cannot_be_promised_is_expected_at_the_limit_at_which_the_run_lists_its_events(
    results: dict[str, wf.Results],
) -> None:
    run = results["anomaly"]
    view = wf.alarm_budget_view(run)
    own = run.manifest.threshold["value"]
    assert view.per_week == pytest.approx(2) and not view.chosen.is_promised and view.chosen.is_estimated
    assert (
        view.chosen.limit == pytest.approx(own, rel=1e-3) and str(view.beside_events) == "Events are listed at the same limit."
    )
    given = run.ordered
    normal = np.isin(given.parts, (TRAIN, VALIDATION)) & ~(given.labels == 1) & np.isfinite(given.judged)
    width = int(run.manifest.pipeline["width"])
    kept = given.judged[normal]
    blocks = kept[: len(kept) // width * width].reshape(-1, width).max(axis=1)
    beta = blocks.std(ddof=1) * np.sqrt(6) / np.pi
    gumbel = gumbel_r(loc=blocks.mean() - np.euler_gamma * beta, scale=beta)
    assert view.chosen.limit == pytest.approx(gumbel.isf(2 * 60 * width / 604_800), rel=0.01)
    highest = np.nanmax(view.series.odd[view.series.of.baseline])
    assert view.chosen.limit > highest and view.chosen.measured[0] == 0
    assert view.chosen.limit > view.beside[0].limit > view.beside[1].limit, "k of n needs no limit as high"


def test_another_budget_has_another_limit_and_says_how_it_stands_to_the_events(results: dict[str, wf.Results]) -> None:
    own = results["anomaly"].manifest.threshold["value"]
    view = wf.alarm_budget_view(results["anomaly"], wf.AlarmBudgetSettings(rate=0.02))
    assert view.chosen.is_promised and not view.chosen.is_estimated and view.chosen.limit < own
    assert f"Events are listed at {float(f'{own:.4g}'):,}"[:24] in str(view.beside_events) and not view.is_as_events
    assert wf.alarm_budget_view(results["regression"]).beside_events is None, "residuals have no events"


def test_a_budget_that_can_be_kept_gives_limits_and_what_they_buy(results: dict[str, wf.Results]) -> None:
    given = wf.AlarmBudgetSettings(rate=0.01, k=2, n=3, hold_off=9, memory=10)
    view = wf.alarm_budget_view(results["anomaly"], given)
    chosen = view.chosen
    assert chosen.is_promised and chosen.confident.value is not None and chosen.confident.value >= chosen.average.value
    assert chosen.average.counts_alarms and chosen.average.block == 10
    assert chosen.on_events is not None and (chosen.on_events.n, chosen.on_events.caught) == (1, 1.0)
    assert chosen.on_events.delay <= 3
    assert [(c.logic.k, c.logic.n) for c in view.beside] == [(1, 1), (3, 5)]
    in_fault = view.later[view.later >= FAULT]
    assert len(in_fault) and (np.diff(in_fault) >= 10).all()


@pytest.mark.parametrize("task", ["regression", "classification", "rul", "forecast"])
def test_every_task_has_an_alarm_budget_measured_on_steps(results: dict[str, wf.Results], task: str) -> None:
    view = wf.alarm_budget_view(results[task], wf.AlarmBudgetSettings(rate=0.05, step=6, within=10))
    assert view.chosen.on_events is None
    assert np.isfinite(view.chosen.limit) and view.n_normal == np.isfinite(view.series.values[view.series.of.baseline]).sum()
    if task == "regression":
        assert view.chosen.is_promised and view.chosen.on_steps.caught > 0.9
        later = view.series.parts == TEST
        assert len(view.later) / later.sum() < 0.15


def test_columns_of_the_scores_are_read_as_they_are_asked_for(results: dict[str, wf.Results]) -> None:
    fresh = wf.Results(**{name: getattr(results["rul"], name) for name in ("run", "manifest", "dataset", "folder")})
    whole = pd.read_parquet(fresh.folder / "scores.parquet")
    assert len(fresh.cells([])) == len(whole) and fresh.cells([]).columns.empty
    some = fresh.cells(["prediction", "truth"], np.array([3, 1]))
    pd.testing.assert_frame_equal(some, whole[["prediction", "truth"]].iloc[[3, 1]])
    pd.testing.assert_frame_equal(fresh.scores, whole)
    assert fresh.cells(["truth"])["truth"] is not None and fresh.cells(["unit"]).equals(whole[["unit"]])


def test_a_report_has_the_chart_of_its_run_with_what_it_promises(results: dict[str, wf.Results]) -> None:
    for task in ("anomaly", "regression", "classification", "rul", "forecast"):
        view = wf.score_chart_view(results[task])
        facts, figures = control_facts(results[task], str)
        told = [str(fact.value) for fact in facts]
        assert told[:2] == [str(view.headline), str(view.promise)] and set(map(str, view.found.why)) <= set(told)
        assert len(figures) == 2 and figures[0].figure.layout.title.text == str(view.title(0))
        for figure, chart in zip(figures, (view.found.chart, view.found.twin), strict=True):
            marked = [
                y for trace in figure.figure.data if str(trace.mode).startswith("markers") for y in np.asarray(trace.y, float)
            ]
            assert set(np.round(chart.points[chart.outside], 9)) <= set(np.round(marked, 9))
            assert "rule" not in figure.figure.layout.title.text, "the first line counts points after Phase I only"


def test_a_report_says_why_a_run_has_no_chart(results: dict[str, wf.Results], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(results: wf.Results) -> None:
        raise NotEnoughData(msg("Four rows."), msg("Fifty."), msg("More."))

    monkeypatch.setattr(report_chart, "score_chart_view", refuse)
    facts, figures = control_facts(results["rul"], str)
    assert [str(fact.value) for fact in facts] == ["Four rows."] and figures == ()
