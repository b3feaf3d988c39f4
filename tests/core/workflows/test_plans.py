"""A plan says what a training would do, before anything is fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import Split, SplitSettings
from core.features.plan import fit_features
from core.models import Shape, model_by_key
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import regression_table


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def asked(ws: wf.Workspace, table: pd.DataFrame, folder: Path, **more: object) -> TrainRequest:
    """To predict y over time from a table."""
    table.to_csv(folder / "parts.csv", index=False)
    dataset = wf.import_file(ws, folder / "parts.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "target": "y", "time": "when"}
    return TrainRequest.read({**request, **more})


def test_a_plan_shows_the_split_before_anything_is_fitted(ws: wf.Workspace, tmp_path: Path) -> None:
    plan = wf.plan_training(ws, asked(ws, regression_table(), tmp_path, model="auto"))
    assert plan.model == "auto" and plan.recommendation.model == "dense"
    assert [p.model for p in plan.planned][:2] == ["ridge", "gradient_boosting"]
    assert plan.seconds_total is not None and 0 < plan.seconds_total <= 600
    assert plan.split.method == "time" and sum(plan.split.counts.values()) == 400
    assert (np.diff(plan.split.parts.astype(int)[plan.split.parts != 3]) >= 0).all()
    assert plan.estimate is not None and plan.estimate.n_parameters > 0


def test_the_weights_of_a_plan_count_each_category_of_a_text(ws: wf.Workspace, tmp_path: Path) -> None:
    table = regression_table()
    table["press"] = [f"P{i % 5}" for i in range(len(table))]
    table["serial"] = [f"S{i}" for i in range(len(table))]  # too many texts: left out, as the training does
    request = asked(ws, table, tmp_path, model="dense")
    (dataset,) = wf.list_datasets(ws)
    dataset = wf.change_columns(
        ws, dataset.id, [replace(c, role="sensor" if c.kind == "text" else c.role) for c in dataset.columns]
    )
    plan = wf.plan_training(ws, request.with_values(dataset_version=dataset.version))
    columns = resolve(dataset, plan.request).dataset.columns
    split = Split(SplitSettings(method="time"), plan.split.parts, 0, plan.split.reason)
    features = fit_features(split.train_part(dataset.table()), columns).features
    spec = model_by_key("dense")
    weights = spec.count_parameters(spec.settings.read(plan.model_settings), Shape(plan.width, len(features), 1))
    assert plan.estimate is not None and plan.estimate.n_parameters == weights
    assert sum(f.column == "press" for f in features) == 5


def test_few_groups_are_split_by_time_and_it_says_so(ws: wf.Workspace, tmp_path: Path) -> None:
    plan = wf.plan_training(ws, asked(ws, regression_table(), tmp_path, model="ridge", group="machine"))
    assert plan.split.method == "time" and "only 2 values" in str(plan.split.reason)


def test_the_weights_of_a_plan_count_a_skewed_column_twice(ws: wf.Workspace, tmp_path: Path) -> None:
    table = regression_table()
    skewed = table.assign(energy=np.random.default_rng(0).lognormal(0, 1.5, len(table)).round(4))
    request = asked(ws, skewed, tmp_path, model="dense")
    straight, plain = wf.plan_training(ws, request), wf.plan_training(ws, request.with_values(options={"straighten": False}))
    assert straight.estimate is not None and plain.estimate is not None
    units = model_by_key("dense").settings().units
    assert straight.estimate.n_parameters - plain.estimate.n_parameters == units
