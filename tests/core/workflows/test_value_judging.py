"""Zones and worst strata of a real run of values: a bad machine is found, zones keep their risk, refusals are sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import NotEnoughData, SettingProblem
from core.evaluation.zones import ACCEPT, REJECT
from core.training.request import TrainRequest
from core.workflows.worst_strata import SHIFT, STRETCH
from tests.pages.finished_runs import work_off


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> wf.Results:
    """3,000 rows ten minutes apart; machine m3 has three times the noise of the others, and nothing else differs."""
    folder = tmp_path_factory.mktemp("values")
    rng = np.random.default_rng(6)
    n = 3000
    machine = rng.integers(0, 4, n)
    x = rng.normal(size=(n, 2))
    table = pd.DataFrame({"when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) * 10, unit="min")})
    table["machine"] = np.char.add("m", machine.astype(str))
    table["a"], table["b"] = x.T
    table["serial"] = [f"s{i}" for i in range(n)]
    table["y"] = 20 + 2 * x[:, 0] + x[:, 1] + rng.normal(0, np.where(machine == 3, 1.5, 0.5))
    table.to_csv(folder / "table.csv", index=False)
    ws = wf.open_workspace(folder / "home")
    dataset = wf.import_file(ws, folder / "table.csv").dataset
    assert dataset is not None
    asked = {"task": "regression", "target": "y", "time": "when", "ignore": ("serial", "machine"), "model": "ridge"}
    run = wf.start_training(ws, TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, **asked}), token="x")
    work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "succeeded", wf.get_run(ws, run.id).problem
    return wf.open_results(ws, run.id)


def test_the_noisy_machine_stands_first_and_alone(results: wf.Results, tmp_path: Path) -> None:
    view = wf.worst_strata(results)
    assert [(s.column, s.stratum) for s in view.worse] == [("machine", "m3")]
    assert "'m3' of 'machine'" in str(view.headline)
    first, rows = view.strata[0], results.part_rows("test")
    errors = (results.numbers("truth", rows) - results.numbers("prediction", rows))[
        (results.dataset.table(["machine"])["machine"].astype(str) == "m3").to_numpy()[rows]
    ]
    assert first.error == pytest.approx(float(np.sqrt(np.nanmean(errors**2))))
    assert first.bias == pytest.approx(float(np.nanmean(errors)))
    assert {s.column for s in view.strata} == {"machine", SHIFT, STRETCH}
    assert not {"serial", "y"} & {s.column for s in view.strata}
    assert not view.drifts
    wf.export_worst(view, tmp_path / "strata.csv")
    assert pd.read_csv(tmp_path / "strata.csv")["stratum"][0] == "m3"


def test_shifts_begin_when_they_are_said_to(results: wf.Results) -> None:
    view = wf.worst_strata(results, wf.StrataErrorSettings(shift_hours=12, first_shift=7))
    shifts = {s.stratum: s.n for s in view.strata if s.column == SHIFT}
    rows = results.part_rows("test")
    hours = pd.DatetimeIndex(results.positions(rows)).hour
    day = int(((hours >= 7) & (hours < 19)).sum())
    assert shifts == {"07:00–19:00": day, "19:00–07:00": len(rows) - day}


def test_an_error_that_grows_with_time_is_a_drift(results: wf.Results) -> None:
    from core.workflows.worst_strata import _drift

    times = np.arange(2000)
    errors = np.random.default_rng(0).normal(0, 1 + times / 1000)
    drift, p = _drift(errors, times, False)
    assert drift is not None and p is not None
    assert drift == pytest.approx(2.0, rel=0.3)  # the spread goes from 1 to 3
    assert p < 0.001


def test_zones_keep_their_risk_on_the_test_part_and_predictions_alone_promise_too_much(
    results: wf.Results, tmp_path: Path
) -> None:
    view = wf.zone_view(results, wf.ZoneSettings(lower=17.0, upper=23.0, risk=0.05))
    wrong = view.counts.wrong(ACCEPT) / len(view.rows)
    assert wrong <= 2 * 0.05
    assert view.share(ACCEPT) > 0.3 and view.share(REJECT) > 0
    assert view.counts.n.sum() == len(view.rows)
    ppk = view.capability
    assert ppk.measured is not None and ppk.predicted is not None and ppk.predictions_alone is not None
    assert abs(ppk.predicted - ppk.measured) < abs(ppk.predictions_alone - ppk.measured)
    wf.export_zones(view, tmp_path / "zones.csv")
    written = pd.read_csv(tmp_path / "zones.csv")
    assert written["zone"].value_counts()["accept"] == int((view.places == ACCEPT).sum())


def test_a_known_gage_leaves_fewer_parts_to_measure(results: wf.Results) -> None:
    settings = wf.ZoneSettings(lower=17.0, upper=23.0, risk=0.05)
    plain, known = wf.zone_view(results, settings), wf.zone_view(results, settings.with_values(gage_sigma=0.4))
    assert known.share(1) < plain.share(1)
    assert 0 < known.zones.shrunk < 1


def test_what_zones_cannot_do_is_said(results: wf.Results) -> None:
    with pytest.raises(SettingProblem, match="no specification limit"):
        wf.zone_view(results)
    with pytest.raises(SettingProblem, match="not below"):
        wf.zone_view(results, wf.ZoneSettings(lower=3.0, upper=2.0))
    with pytest.raises(NotEnoughData, match="held-out rows"):
        wf.zone_view(results, wf.ZoneSettings(lower=17.0, risk=0.0001))
    assert "no part can be accepted" in str(wf.zone_view(results, wf.ZoneSettings(lower=19.9, upper=20.1)).headline)
