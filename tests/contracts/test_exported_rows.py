"""Every CSV file that a screen or a verb exports for people counts rows from 1: the row that it names is the one whose cells it gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.workflows import calibration
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

COSTS = '{"pass": {"fail": 12}, "fail": {"pass": 120}}'
Exported = tuple[pd.Series, pd.Series, pd.Series]
"""Rows as the file has them, cells of the file, and the whole column of the table that they were taken from."""


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    home = tmp_path_factory.mktemp("exports") / "home"
    home.mkdir()
    finished_runs.build(home)
    return wf.open_workspace(home)


def opened(ws: Workspace, task: str) -> wf.Results:
    return wf.open_results(ws, finished_runs.run_of(ws, task).id)


def column(results: wf.Results, name: str | None) -> pd.Series:
    return results.dataset.table([str(name)])[str(name)]


def scores(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "regression")
    wf.export_scores(results, path, np.array([3, 700]))
    table = pd.read_csv(path)
    return table["row"], table["truth"], column(results, results.manifest.target_column)


def calibrated(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "classification")
    with pytest.MonkeyPatch.context() as patch:  # the run needs no temperature; here only the rows of the file are looked at
        patch.setattr(calibration, "_is_offered", lambda found, gain: True)
        wf.export_calibrated(results, path)
    table = pd.read_csv(path)
    return table["row"], table["truth"], column(results, results.manifest.target_column)


def zones(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "regression")
    wf.export_zones(wf.zone_view(results, wf.ZoneSettings(lower=47.9, upper=48.1, risk=0.05)), path)
    table = pd.read_csv(path)
    return table["row"], table["truth"], column(results, results.manifest.target_column)


def costs(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "classification")
    wf.export_cost_calls(results, wf.cost_view(results, wf.CostSettings(costs=COSTS)), path)
    table = pd.read_csv(path)
    return table["row"], table["truth"], column(results, results.manifest.target_column)


def label_problems(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "classification")
    wf.export_label_problems(wf.label_view(results), path)
    table = pd.read_csv(path)
    return table["row"], table["label"], column(results, results.manifest.target_column)


def events(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "anomaly")
    wf.export_events(wf.event_list(results, wf.anomaly_view(ws, results)), path)
    table = pd.read_csv(path)
    dated = {"first_row": "first_flag", "last_row": "ended", "onset_row": "onset"}
    rows = pd.concat([table[name] for name in dated], ignore_index=True)
    times = pd.to_datetime(pd.concat([table[name] for name in dated.values()], ignore_index=True))
    known = rows.notna()
    return rows[known].astype(int), times[known], column(results, results.time)


def score_chart(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "anomaly")
    wf.export_score_chart(wf.score_chart_view(results), path)
    table = pd.read_csv(path, parse_dates=["time"])
    return table["row"], table["time"], column(results, results.time)


def control(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "regression")
    name = str(results.manifest.target_column)
    wf.export_control(wf.control_view(results.dataset, name, wf.ControlSettings()), path)
    table = pd.read_csv(path)
    return table["row"], table["I"], column(results, name)


def many(ws: Workspace, path: Path) -> Exported:
    results = opened(ws, "anomaly")
    wf.export_many(wf.control_many(results.dataset, wf.ManySettings()), path)
    table = pd.read_csv(path, parse_dates=["time"])
    return table["row"], table["time"], column(results, results.time)


WITH_ROWS: dict[str, Callable[[Workspace, Path], Exported]] = {
    "export_scores": scores,
    "export_calibrated": calibrated,
    "export_zones": zones,
    "export_cost_calls": costs,
    "export_label_problems": label_problems,
    "export_events": events,
    "export_score_chart": score_chart,
    "export_control": control,
    "export_many": many,
}
WITHOUT_ROWS = {
    "export_agreement", "export_capability", "export_fleet", "export_gage", "export_lags", "export_pareto", "export_relabelled",
    "export_relations", "export_seeding", "export_strata", "export_worst",
}  # fmt: skip
"""Their lines are pairs, strata, units and sizes, or the table itself in its own order."""


@pytest.mark.parametrize("name", WITH_ROWS)
def test_a_file_for_people_counts_rows_from_one(ws: Workspace, tmp_path: Path, name: str) -> None:
    rows, cells, whole = WITH_ROWS[name](ws, tmp_path / "out.csv")
    assert len(rows) and rows.between(1, len(whole)).all()
    expected = whole.iloc[rows.to_numpy() - 1]
    if pd.api.types.is_datetime64_any_dtype(whole):
        assert (cells.to_numpy().astype("datetime64[s]") == expected.to_numpy().astype("datetime64[s]")).all()
    elif pd.api.types.is_numeric_dtype(whole):
        np.testing.assert_allclose(cells.to_numpy(dtype=float), expected.to_numpy(dtype=float), rtol=1e-6)
    else:
        assert cells.tolist() == expected.tolist()


def test_every_export_is_looked_at() -> None:
    assert {name for name in dir(wf) if name.startswith("export_")} == WITH_ROWS.keys() | WITHOUT_ROWS


def test_events_of_a_table_without_a_clock_begin_at_rows_that_count_from_one(ws: Workspace, tmp_path: Path) -> None:
    """Where there is no time, the moments of the file are rows too."""
    results = opened(ws, "anomaly")
    timeless = tmp_path / "timeless.csv"
    results.dataset.table().drop(columns=[str(results.time)]).to_csv(timeless, index=False)
    dataset = wf.import_file(ws, timeless).dataset
    assert dataset is not None
    request = results.run.request.with_values(dataset_id=dataset.id, time=None, name="timeless")
    run = wf.start_training(ws, request)
    finished_runs.work_off(ws.store)
    own = wf.open_results(ws, run.id)
    wf.export_events(wf.event_list(own, wf.anomaly_view(ws, own)), tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    assert len(table) and (table["first_flag"] == table["first_row"]).all()
    known = table["onset_row"].notna()
    assert (table.loc[known, "onset"] == table.loc[known, "onset_row"]).all()
