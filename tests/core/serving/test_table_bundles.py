"""Bundles of the shallow families: written, packed, opened by a fresh reader, and what the fit was told of its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.jobs import wait_for_job
from core.jobs.fitting import question_of
from core.models import MODELS, is_table
from core.models.folds import last_fold
from core.serving import load_bundle
from core.serving.bundle import pack_bundle
from core.training.request import TrainRequest
from tests.core.serving.test_bundle import trained
from tests.synthetic import class_table, life_table, regression_table

KEYS = [spec.key for spec in MODELS if is_table(spec)]


@pytest.mark.parametrize("key", KEYS)
def test_a_packed_bundle_scores_as_the_fitted_one(key: str, tmp_path: Path) -> None:
    bundle = trained(class_table(), tmp_path, "classification", key, result="target")[0]
    pack_bundle(bundle.folder, tmp_path / "b.zip")
    fresh, new = load_bundle(tmp_path / "b.zip"), class_table(seed=8)
    scored = fresh.score(new)
    pd.testing.assert_frame_equal(scored, bundle.score(new))
    assert (scored["prediction"] == new["result"]).mean() > 0.9
    assert scored[["probability_fail", "probability_pass"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(new)), abs=1e-6)
    assert set(bundle.manifest.files) <= {"model.onnx", "model.npz", "model.txt"}


def test_the_part_held_back_is_the_latest_where_the_split_is_by_time(tmp_path: Path) -> None:
    table = regression_table().sample(frac=1, random_state=0).reset_index(drop=True)
    _, resolved, prepared = trained(table, tmp_path, "regression", "gradient_boosting", y="target", when="time")
    assert resolved.split.method == "time"
    folds = question_of(resolved, prepared, prepared.train).folds
    assert folds is not None
    times = table["when"].to_numpy()[prepared.inputs.row_of_window[prepared.train]]
    held = last_fold(folds)
    assert times[held].min() > times[~held].max()
    assert held.mean() == pytest.approx(0.2, abs=0.02)
    later = table["when"].to_numpy()[prepared.inputs.row_of_window[prepared.validation]]
    assert times.max() < later.min(), "nothing of the validation part is among the rows of the fit"


def test_machines_are_held_back_whole(tmp_path: Path) -> None:
    options = {"cap": 30.0, "window": 8}
    _, resolved, prepared = trained(
        life_table(), tmp_path, "rul", "nearest_neighbours", options=options, unit="group", cycle="time"
    )
    question = question_of(resolved, prepared, prepared.train)
    units = life_table()["unit"].to_numpy()[prepared.inputs.row_of_window[prepared.train]]
    assert question.folds is not None and not question.is_classes
    assert all(len(np.unique(question.folds[units == unit])) == 1 for unit in np.unique(units))


def test_rare_rows_that_are_repeated_stay_in_one_part(tmp_path: Path) -> None:
    _, resolved, prepared = trained(class_table(), tmp_path, "classification", "random_forest", result="target")
    assert question_of(resolved, prepared, prepared.train).folds is None
    twice = np.sort(np.concatenate([prepared.train, prepared.train[:50]]))
    question = question_of(resolved, prepared, twice)
    assert question.n_classes == 2 and question.folds is not None
    assert all(len(np.unique(question.folds[twice == place])) == 1 for place in prepared.train[:50])


def test_a_run_of_a_thinned_family_says_so_beside_its_plan(tmp_path: Path) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    regression_table().to_csv(tmp_path / "table.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "table.csv").dataset
    assert dataset is not None
    request = TrainRequest.read(
        {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "target": "y", "time": "when"}
        | {"model": "svm", "options": {"most_rows": 100}}
    )
    plan = wf.plan_training(ws, request)
    assert plan.estimate is not None and plan.seconds_total == plan.estimate.epoch_seconds > 0
    run = wf.start_training(ws, request)
    wait_for_job(ws.store, run.job_id, timeout=120)
    run = wf.get_run(ws, run.id)
    assert run.state == "succeeded", str(run.problem)
    assert any(str(note).startswith("Support vector machine: 100 of ") for note in run.notes)
