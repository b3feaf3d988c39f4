"""Recipes with feature steps from training to scoring: what a model was trained on is what new rows are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.jobs import wait_for_job
from core.serving.bundle import load_bundle
from core.training.request import TrainRequest
from tests.synthetic import anomaly_table, regression_table


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> wf.Workspace:
    return wf.open_workspace(tmp_path_factory.mktemp("features") / "home")


def trained(ws: wf.Workspace, table: pd.DataFrame, folder: Path, steps: list[dict[str, Any]], **request: Any) -> wf.Run:
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    made = TrainRequest.read(
        {"dataset_id": dataset.id, "dataset_version": 1, "recipe": {"version": 1, "steps": steps}, **request}
    )
    run = wf.start_training(ws, made)
    wait_for_job(ws.store, run.job_id, timeout=120)
    run = wf.get_run(ws, run.id)
    assert run.state == "succeeded", str(run.problem)
    return run


def test_features_made_in_training_are_made_again_for_new_rows(ws: wf.Workspace, tmp_path: Path) -> None:
    table = regression_table()
    table["supplier"] = np.random.default_rng(0).choice([f"S{i}" for i in range(12)], len(table))
    sensors = [c for c in table if c not in ("y", "when", "supplier")]
    steps = [
        {"key": "target_encode"},
        {"key": "lag", "columns": sensors[:1], "settings": {"rows": [1, 2]}},
        {"key": "rolling", "columns": sensors[:1], "settings": {"width": 5}},
        {"key": "pca_features", "settings": {"n_components": 2, "keep": True}},
        {"key": "drop_constant"},
        {"key": "keep_informative", "settings": {"n_keep": 6}},
    ]
    run = trained(ws, table, tmp_path, steps, task="regression", target="y", time="when", model="ridge")
    bundle = load_bundle(ws.store.path(run.id, "bundle"))
    assert len(bundle.pipeline.plan.columns) == 6
    results = wf.open_results(ws, run.id)
    scored = bundle.score(table)
    test_rows = results.scores["part"].to_numpy() == 2
    np.testing.assert_allclose(scored["prediction"][test_rows], results.scores["prediction"][test_rows], rtol=1e-9)


def test_an_event_in_columns_that_a_recipe_made_can_be_opened(ws: wf.Workspace, tmp_path: Path) -> None:
    table = anomaly_table()
    steps = [{"key": "rolling", "settings": {"width": 5, "statistics": ["mean", "sd"]}}]
    run = trained(ws, table, tmp_path, steps, task="anomaly", target="label", time="when", model="pca_t2_spe")
    results = wf.open_results(ws, run.id)
    view = wf.anomaly_view(ws, results)
    assert view.events
    detail = wf.event_detail(results, view.events[0])
    names = {c.name for c in results.dataset.columns}
    assert {share.column for share in detail.event.sensors} - names
    assert all(trace.column in names for trace in detail.traces)


def test_the_normal_band_is_in_the_unit_that_was_measured(ws: wf.Workspace, tmp_path: Path) -> None:
    table = anomaly_table()
    sensor = next(c for c in table if c not in ("label", "when"))
    steps = [{"key": "convert_unit", "columns": [sensor], "settings": {"source": "m", "to": "mm"}}]
    run = trained(ws, table, tmp_path, steps, task="anomaly", target="label", time="when", model="pca_t2_spe")
    facts = {c.name: c for c in load_bundle(ws.store.path(run.id, "bundle")).manifest.columns}[sensor]
    assert facts.low is not None and facts.high is not None and facts.maximum is not None
    assert table[sensor].min() <= facts.low < facts.high <= table[sensor].max()
    assert facts.maximum > 100 * abs(facts.high)


def test_labels_that_only_judge_teach_a_recipe_nothing(ws: wf.Workspace, tmp_path: Path) -> None:
    table = anomaly_table().assign(shift=lambda t: np.where(np.arange(len(t)) % 3, "day", "night"))
    path = tmp_path / "labels.csv"
    table.to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    made = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
    recipe = {"version": 1, "steps": [{"key": "target_encode"}]}
    run = wf.start_training(ws, TrainRequest.read({**made, "model": "pca_t2_spe", "recipe": recipe}))
    wait_for_job(ws.store, run.job_id, timeout=120)
    assert "learns from the column to predict, and there is none" in str(wf.get_run(ws, run.id).problem)
