"""Faults seeded into a run's own normal rows: the scores are those of the run, large faults are found, and the answer is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.anomalies.alarm_logic import AlarmLogic
from core.errors import NotEnoughData, SettingProblem
from core.jobs.processes import host_name
from core.jobs.worker import run_job
from core.serving import load_bundle
from core.training.request import TrainRequest
from core.workflows.seeding import LAGS, MOST_DOUBLED, MOST_HALVED, SIGMAS
from core.workflows.seeding_pieces import Fault, cut_pieces, normal_values, usable_rows
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, series_table


def trained(ws: Workspace, table: pd.DataFrame, folder: Path, **request: object) -> wf.Results:
    table.to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "name": "run", "options": {}, **request}
    run = wf.start_training(ws, TrainRequest.read(given))
    work_off(ws.store)
    return wf.open_results(ws, run.id)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("seeds") / "home")


@pytest.fixture(scope="module")
def results(ws: Workspace, tmp_path_factory: pytest.TempPathFactory) -> wf.Results:
    split = {"method": "first", "first": 1_500}
    roles = {"target": "label", "time": "when"}
    table = anomaly_table(4_000, 3_700)
    return trained(ws, table, tmp_path_factory.mktemp("data"), task="anomaly", model="pca_t2_spe", split=split, **roles)


def test_pieces_score_as_the_run_did(ws: Workspace, results: wf.Results) -> None:
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    usable = usable_rows(ws, results)
    pieces = cut_pieces(results, bundle, usable, length=20, n=30, look_back=2, seed=1)
    found = pieces.scores(pieces.table, AlarmLogic(2, 3))
    place = np.empty(results.n_rows, int)
    place[results.ordered.rows] = np.arange(results.n_rows)
    at = place[pieces.starts][:, None] + np.arange(-2, 20)
    assert found == pytest.approx(results.ordered.judged[at], rel=1e-6)
    assert (results.parts[pieces.starts] != 0).all() and (results.ordered.labels[at[:, 2:]] == 0).all()  # type: ignore[index]


def test_a_fault_is_in_its_sensor_in_its_rows_only(ws: Workspace, results: wf.Results) -> None:
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    usable = usable_rows(ws, results)
    pieces = cut_pieces(results, bundle, usable, length=10, n=6, look_back=0, seed=1)
    normal = normal_values(results, usable, ("p2",))
    changed = pieces.seeded(Fault("step", ("p2",), (2.5,), "up"), 7, normal.values, normal.block)
    moved = (changed["p2"] - pieces.table["p2"]).to_numpy()
    expected = np.zeros(len(moved))
    for first in pieces.first:
        expected[first : first + 10] = 2.5
    assert moved == pytest.approx(expected) and changed.drop(columns="p2").equals(pieces.table.drop(columns="p2"))
    truth = results.dataset.table(["p2"])["p2"].to_numpy()[results.parts == 0]
    assert normal.sigmas[0] == pytest.approx(truth.std(ddof=1)) and normal.block > 1


def test_large_faults_are_found_and_small_ones_are_not(ws: Workspace, results: wf.Results) -> None:
    view = wf.seed_faults(ws, results, wf.SeedSettings(sensors=("p2",), kinds=("step", "lost_correlation"), sizes=(0.001, 6.0)))
    step, lost = view.faults
    # p2 follows p1 to within 0.12 (twice the noise of 0.05, and its own): a step of 6 stands far out, one of 0.001 is nothing.
    assert step.found.points[0].share == 0 and step.found.points[1].share == 1 and step.found.points[1].delay == 0
    reach = step.found.reach(0.8)
    assert reach is not None and (reach.low, reach.high) == (0.001, 6.0) and 0.001 < (reach.size or 0) < 6
    # A wave may come back in step by chance, so that not every lost correlation shows.
    assert lost.found.points[0].size is None and (lost.found.points[0].share or 0) > 0.8
    # Held out and normal are the rows to 3,700 that did not train; each stretch takes 30 of them and a window to the next.
    held, away = int((results.parts[:3_700] != 0).sum()), 30 + int(results.manifest.pipeline["width"])
    assert (held - 29) // away <= view.n_stretches <= held // away + 1 and set(view.parts) == {"validation", "test"}
    assert str(view.headline).startswith("Step change in p2: found 90 % of the time from 5.4")
    assert any("300 rows are left out as known to be bad" in str(note) for note in view.notes)


def test_a_size_below_which_none_was_tried_says_so(ws: Workspace, results: wf.Results) -> None:
    view = wf.seed_faults(ws, results, wf.SeedSettings(sensors=("p2",), kinds=("step",), sizes=(6.0, 9.0)))
    assert view.faults[0].found.points[0].share == 1
    assert str(view.headline) == "Step change in p2: found 90 % of the time at 6 already; smaller ones were not tried"


def test_sizes_go_on_until_the_one_found_80_percent_of_the_time_lies_between_two(
    ws: Workspace, results: wf.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest size of p2 is found nearly always: it is halved. With a far limit eight standard deviations are: one is doubled up to there."""
    given = wf.SeedSettings(sensors=("p2",), kinds=("step",), length=12)
    halved = wf.seed_faults(ws, results, given).faults[0]
    below = [p for p in halved.found.points if p.size < 0.499 * halved.sigma]
    assert 1 <= len(below) <= MOST_HALVED and len(halved.found.points) == len(SIGMAS) + len(below)
    assert [p.size / halved.sigma for p in below][::-1] == pytest.approx(
        [0.5 / 2**k for k in range(1, len(below) + 1)], rel=0.01
    )
    assert below[0].share < 0.8 <= halved.found.points[1].share
    assert "not tried" not in str(wf.fault_sentence(halved))
    monkeypatch.setattr("core.workflows.seeding.SIGMAS", (0.25, 1.0))
    doubled = wf.seed_faults(ws, results, given.with_values(threshold=300.0, seed=8)).faults[0]
    assert [p.size / doubled.sigma for p in doubled.found.points] == pytest.approx([0.25, 1, 2, 4, 8], rel=0.01)
    assert doubled.found.points[-1].share >= 0.8 > doubled.found.points[-2].share


def test_sizes_stop_at_a_bound(ws: Workspace, results: wf.Results) -> None:
    """No size is found with a limit that nothing reaches: three further ones are tried, and it says up to where."""
    given = wf.SeedSettings(sensors=("p2",), kinds=("step",), length=12, threshold=1e12)
    fault = wf.seed_faults(ws, results, given).faults[0]
    assert len(fault.found.points) == len(SIGMAS) + MOST_DOUBLED and fault.largest == pytest.approx(64 * fault.sigma, rel=0.01)
    assert "not found 90 % of the time up to" in str(wf.fault_sentence(fault))


def test_asked_sizes_and_lags_are_tried_as_they_are(ws: Workspace, results: wf.Results) -> None:
    given = wf.SeedSettings(sensors=("p2",), kinds=("step", "lag"), length=12, stretches=10)
    assert [p.size for p in wf.seed_faults(ws, results, given).faults[1].found.points] == list(LAGS)
    asked = wf.seed_faults(ws, results, given.with_values(kinds=("step",), sizes=(6.0, 9.0)))
    assert [p.size for p in asked.faults[0].found.points] == [6.0, 9.0]


def test_a_higher_limit_finds_less_and_alarms_less(ws: Workspace, results: wf.Results) -> None:
    given = wf.SeedSettings(sensors=("p1",), kinds=("step",), sizes=(0.2, 0.4, 0.8), threshold=1.0)
    low, high = (wf.seed_faults(ws, results, given.with_values(threshold=limit)) for limit in (1.0, 1e9))
    assert low.alarm_rate > 0 and high.alarm_rate == 0 and high.n_alarmed == 0
    assert all(p.share == 0 for p in high.faults[0].found.points)
    assert str(high.headline) == "Step change in p1: not found 90 % of the time up to 0.8"


def test_the_answer_is_kept_and_opens_at_once(ws: Workspace, results: wf.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    given = wf.SeedSettings(sensors=("p1",), kinds=("stuck",), length=12)
    view = wf.seed_faults(ws, results, given)
    monkeypatch.setattr("core.workflows.seeding.load_bundle", lambda path: pytest.fail("computed again"))
    assert wf.seed_faults(ws, results, given) == view == wf.newest_seeding(ws, results)


def test_a_job_gives_the_same_and_can_be_stopped(ws: Workspace, results: wf.Results) -> None:
    given = wf.SeedSettings(sensors=("p1",), kinds=("drift",), stretches=20, seed=3)
    work = wf.start_seeding(ws, results, given)
    assert work.state == "queued" and wf.start_seeding(ws, results, given).job_id == work.job_id
    wf.stop_seeding(ws, work.job_id)
    stopped = wf.find_seeding(ws, results, given)
    assert stopped is not None and stopped.state == "cancelled" and wf.kept_seeding(ws, results, given) is None
    again = wf.start_seeding(ws, results, given)
    job = ws.store.claim_next("short", host=host_name(), limit=9, only={again.job_id})
    assert job is not None and run_job(ws.store, job.id, job.attempt) == 0
    kept = wf.kept_seeding(ws, results, given)
    assert kept is not None and wf.find_seeding(ws, results, given).state == "succeeded"  # type: ignore[union-attr]
    ws.store.discard(ws.store.path(results.run.id, "run", next(p.name for p in _kept(ws, results) if _is(p, kept))))
    assert wf.seed_faults(ws, results, given).faults == kept.faults


def test_what_cannot_be_is_refused(ws: Workspace, results: wf.Results) -> None:
    with pytest.raises(SettingProblem, match="sensor is 'p9'.*Expected one of: p1, p2"):
        wf.seed_faults(ws, results, wf.SeedSettings(sensors=("p9",)))
    with pytest.raises(SettingProblem, match="A size is -1"):
        wf.seed_faults(ws, results, wf.SeedSettings(sizes=(-1.0, 2.0)))
    with pytest.raises(NotEnoughData, match="normal held-out rows in a row"):
        wf.seed_faults(ws, results, wf.SeedSettings(length=2_000))


def test_a_forecast_has_its_column_seeded(ws: Workspace, tmp_path: Path) -> None:
    roles = {"target": "y", "time": "when", "group": "line"}
    results = trained(ws, series_table(600), tmp_path, task="forecast", model="last_value", **roles)
    sigma = 4 / np.sqrt(2)
    view = wf.seed_faults(ws, results, wf.SeedSettings(kinds=("step", "spike"), sizes=(0.01, 8 * sigma), length=20))
    assert [f.sensor for f in view.faults] == ["y", "y"] and view.parts == ("validation", "test")
    for fault in view.faults:
        assert fault.found.points[0].share == 0 and fault.found.points[1].share == 1 and fault.found.points[1].delay == 0


def test_rows_with_a_bad_verdict_are_left_out(ws: Workspace, results: wf.Results) -> None:
    before = usable_rows(ws, results).mask.sum()
    ws.store.add_verdict(results.run.id, first_row=2_000, last_row=2_099, verdict="assignable_cause")
    ws.store.add_verdict(results.run.id, first_row=2_200, last_row=2_299, verdict="false_alarm")
    assert usable_rows(ws, results).mask.sum() == before - 100


def test_a_common_cause_moves_all_its_sensors_by_its_size_in_each(ws: Workspace, results: wf.Results) -> None:
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    usable = usable_rows(ws, results)
    pieces = cut_pieces(results, bundle, usable, length=10, n=6, look_back=0, seed=1)
    changed = pieces.seeded(Fault("step", ("p1", "p2"), (0.5, 2.0)), 7, None, 1)
    moved = (changed[["p1", "p2"]] - pieces.table[["p1", "p2"]]).to_numpy()
    assert moved[:, 1] == pytest.approx(4 * moved[:, 0]), "the same way in the same rows"
    assert sorted(moved[pieces.first, 0].round(6).tolist()) == [-0.5] * 3 + [0.5] * 3
    assert np.count_nonzero(moved[:, 0].round(9)) == 60


def test_what_moves_all_sensors_as_the_process_does_is_found_later(ws: Workspace, results: wf.Results) -> None:
    """p2 follows p1 two to one. Both moved by half a standard deviation look like the wave itself; one alone leaves its partner by 6 times the noise."""
    asked = wf.SeedSettings(sensors=("p1", "p2"), sizes=(0.5,), scale="sigma", length=15)
    alone = wf.seed_faults(ws, results, asked)
    (both,) = wf.seed_faults(ws, results, asked.with_values(together=True)).faults
    assert [f.sensor for f in alone.faults] == ["p1", "p2"] and all((f.found.points[0].share or 0) > 0.9 for f in alone.faults)
    assert (both.sensor, both.sensors, both.size_unit, both.in_sigma(2.0)) == ("p1 + p2", ("p1", "p2"), "σ", 2.0)
    assert (both.found.points[0].share or 0) < 0.4
    kept = wf.kept_seeding(ws, results, asked.with_values(together=True))
    assert kept is not None and kept.faults == (both,)
    # In the unit of each the two sizes are no longer in the proportion of the wave.
    (apart,) = wf.seed_faults(ws, results, asked.with_values(together=True, scale="unit", sizes=(1.0,))).faults
    assert apart.found.points[0].share == 1 and str(apart.unit_words) == "in the unit of each" and apart.in_sigma(1.0) is None


def test_a_common_cause_without_sensors_or_sizes_takes_all_and_their_spread(ws: Workspace, results: wf.Results) -> None:
    view = wf.seed_faults(ws, results, wf.SeedSettings(together=True, kinds=("step", "lag"), length=12, stretches=10))
    step, lag = view.faults
    assert step.sensors == ("p1", "p2") and step.scale == "sigma" and lag.size_unit == "rows"
    assert [p.size for p in step.found.points] == [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]
    assert [p.size for p in lag.found.points] == [1, 2, 4, 8, 16, 32]


def test_a_sensor_that_stands_still_has_no_size_in_sigma(ws: Workspace, tmp_path: Path) -> None:
    table = anomaly_table(1_600, 1_400).assign(p3=np.where(np.arange(1_600) < 900, 5.0, 5.1))
    split = {"method": "first", "first": 800}
    roles = {"target": "label", "time": "when"}
    recipe = {"version": 1, "steps": [{"key": "hampel_outliers", "columns": ["p1"], "settings": {}}]}  # may read any column
    results = trained(ws, table, tmp_path, task="anomaly", model="pca_t2_spe", split=split, recipe=recipe, **roles)
    assert "p3" in wf.sensors_of(results)
    with pytest.raises(SettingProblem, match="'p3' stands still in the training part"):
        wf.seed_faults(ws, results, wf.SeedSettings(sensors=("p1", "p3"), together=True, length=12))


def test_a_verdict_that_came_while_faults_were_seeded_makes_the_answer_old(
    ws: Workspace, results: wf.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were drawn before the event was called real: the answer speaks of rows that are normal no longer."""
    given = wf.SeedSettings(sensors=("p1",), kinds=("stuck",), length=14, seed=11)
    view = wf.anomaly_view(ws, results)
    event = next(e for e in view.events if e.verdict is None)
    told: list[float] = []

    def watch(fraction: float) -> None:
        if not told:
            wf.set_verdict(ws, results.run.id, event, "contained")
        told.append(fraction)

    wf.seed_faults(ws, results, given, watch)
    assert told and wf.kept_seeding(ws, results, given) is None
    wf.seed_faults(ws, results, given)
    assert wf.kept_seeding(ws, results, given) is not None


def _kept(ws: Workspace, results: wf.Results) -> list[Path]:
    return sorted(ws.store.path(results.run.id, "run").glob("seeded-*.json"))


def _is(path: Path, view: wf.SeededView) -> bool:
    import json

    return bool(json.loads(path.read_text())["created"] == view.created and '"seed": 3' in path.read_text())
