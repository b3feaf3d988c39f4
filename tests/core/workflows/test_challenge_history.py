"""A frozen row scores as it did in the run, however far back its model looks, and only the rows that were chosen are judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.serving import load_bundle
from core.serving.pieces import PIECE, decide_pieces, judged_scores, piece_pipeline
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, series_table


def trained(ws: Workspace, table: pd.DataFrame, folder: Path, **request: object) -> wf.Results:
    table.to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "name": "run", **request}
    run = wf.start_training(ws, TrainRequest.read(given))
    work_off(ws.store)
    return wf.open_results(ws, run.id)


@pytest.fixture
def ws(home: Path) -> Workspace:
    return wf.open_workspace(home)


def frozen_scores(ws: Workspace, results: wf.Results, rows: str) -> list[np.ndarray]:
    """The scores of the judged rows of each case of a set that is frozen from these rows."""
    made, _ = wf.add_challenge(ws, results, wf.ChallengeSettings(name="set", source="rows", rows=rows, expect="flag"))
    table, cases = wf.read_challenge(ws, made)
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    starts = [int(np.flatnonzero(table[PIECE] == case.number)[0]) + case.places for case in cases]
    wanted = np.zeros(len(table), dtype=bool)
    wanted[np.concatenate(starts)] = True
    scores = judged_scores(decide_pieces(bundle, piece_pipeline(bundle), table, wanted))
    return [scores[at] for at in starts]


def test_a_row_of_a_forecast_with_a_long_season_keeps_its_season(ws: Workspace, tmp_path: Path) -> None:
    roles = {"target": "y", "time": "when", "group": "line"}
    options = {"season": 240, "horizon": 2, "window": 6}
    results = trained(ws, series_table(900), tmp_path, task="forecast", model="ridge", options=options, **roles)
    # Rows of two lines lie in turn: rows 1501 to 1504 are two of each.
    found = frozen_scores(ws, results, "1501-1504")
    for scores, rows in zip(found, ([1500, 1502], [1501, 1503]), strict=True):
        assert np.isfinite(scores).all() and scores == pytest.approx(results.judged[rows], rel=1e-5)


def test_a_row_behind_windows_and_a_wide_filter_keeps_what_both_look_at(ws: Workspace, tmp_path: Path) -> None:
    hampel = {"half_width": 150, "limit": 0.5, "floor": 0.0, "action": "clip"}
    recipe = {"version": 1, "steps": [{"key": "hampel_outliers", "columns": ["p1", "p2"], "settings": hampel}]}
    given = {"task": "anomaly", "model": "pca_t2_spe", "target": "label", "time": "when", "recipe": recipe}
    split = {"method": "first", "first": 800}
    results = trained(ws, anomaly_table(1_600, 1_400), tmp_path, split=split, options={"window": 20}, **given)
    (scores,) = frozen_scores(ws, results, "1001-1010")
    assert scores == pytest.approx(results.judged[1000:1010], rel=1e-5)


def test_rows_that_lie_apart_in_time_are_judged_without_those_between(ws: Workspace, tmp_path: Path) -> None:
    table = anomaly_table(1_600, 1_400)
    mixed = table.iloc[np.random.default_rng(5).permutation(len(table))].reset_index(drop=True)
    given = {"task": "anomaly", "model": "pca_t2_spe", "target": "label", "time": "when", "options": {"window": 5}}
    results = trained(ws, mixed, tmp_path, split={"method": "time"}, **given)
    (scores,) = frozen_scores(ws, results, "1001-1004")
    by_time = 1000 + np.argsort(mixed["when"].iloc[1000:1004].to_numpy())
    assert len(scores) == 4 and scores == pytest.approx(results.judged[by_time], rel=1e-5)


def test_a_model_that_looks_back_further_than_a_case_is_told_so(ws: Workspace, tmp_path: Path) -> None:
    given = {"task": "anomaly", "model": "pca_t2_spe", "target": "label", "time": "when"}
    split = {"method": "first", "first": 800}
    short = trained(ws, anomaly_table(1_600, 1_400), tmp_path, split=split, options={"window": 2}, **given)
    wf.add_challenge(ws, short, wf.ChallengeSettings(name="set", source="rows", rows="1451-1460", expect="flag"))
    request = short.run.request.with_values(options={"window": 300}, name="long")
    run = wf.start_training(ws, request)
    work_off(ws.store)
    (check,) = wf.check_run(ws, run.id)
    assert str(check.failing[0].said) == (
        "no row could be scored: 109 rows stand before the last of them, and the model looks back at 299"
    )
