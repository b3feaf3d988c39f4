"""A target that cannot be learned is refused before the job, in the words in which the job would refuse it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import Problem
from core.training.prepare import prepare
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import anomaly_table, regression_table

ROWS = 100


def _table() -> pd.DataFrame:
    """100 rows by time, of which the first 68 train, rows 68 to 79 validate and the last 20 test."""
    known = np.arange(ROWS, dtype=float)
    return regression_table(ROWS).assign(
        constant=4.0,
        nothing=np.nan,
        one="ok",
        empty=None,
        five=np.where(np.arange(ROWS) < 95, np.nan, known),
        seven=np.where((np.arange(ROWS) < 7) | (np.arange(ROWS) > 70), known, np.nan),
        eight=np.where((np.arange(ROWS) < 8) | (np.arange(ROWS) > 70), known, np.nan),
        not_validated=np.where(np.arange(ROWS) < 60, known, np.nan),
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[wf.Workspace, str]:
    folder = tmp_path_factory.mktemp("targets")
    ws = wf.open_workspace(folder / "home")
    _table().to_csv(folder / "data.csv", index=False)
    imported = wf.import_file(ws, folder / "data.csv").dataset
    assert imported is not None
    return ws, imported.id


def _request(dataset_id: str, task: str, target: str) -> TrainRequest:
    model = "logistic" if task == "classification" else "ridge"
    ignore = tuple(c for c in ("constant", "nothing", "one", "empty", "five", "seven", "eight", "not_validated") if c != target)
    named = {"dataset_id": dataset_id, "dataset_version": 1, "task": task, "model": model, "target": target, "time": "when"}
    return TrainRequest.read({**named, "ignore": ignore})


@pytest.mark.parametrize(
    ("task", "target", "says"),
    [
        ("regression", "constant", "The target 'constant' is always 4 in the training part."),
        ("regression", "nothing", "The target 'nothing' has 0 known values in the training part."),
        ("regression", "five", "The target 'five' has 0 known values in the training part."),
        ("regression", "seven", "The training part has 7 usable rows."),
        ("regression", "not_validated", "The validation part has 0 usable rows."),
        ("classification", "one", "The target 'one' has only one class in the training part: ok."),
        ("classification", "empty", "The target 'empty' has only one class in the training part: –."),
    ],
)
def test_the_plan_refuses_what_the_job_would_refuse(
    dataset: tuple[wf.Workspace, str], task: str, target: str, says: str
) -> None:
    ws, dataset_id = dataset
    request = _request(dataset_id, task, target)
    with pytest.raises(Problem, match="target|usable") as before:
        wf.plan_training(ws, request)
    with pytest.raises(Problem, match="target|usable") as within:
        prepare(resolve(wf.open_dataset(ws, dataset_id), request))
    assert before.value.to_json() == within.value.to_json()
    assert str(before.value.what) == says


def test_eight_rows_with_a_result_are_enough(dataset: tuple[wf.Workspace, str]) -> None:
    ws, dataset_id = dataset
    assert wf.plan_training(ws, _request(dataset_id, "regression", "eight")).model == "ridge"


def test_a_constant_label_does_not_stop_a_search_for_anomalies(tmp_path: Path) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    anomaly_table().assign(label=0.0).to_csv(tmp_path / "data.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "data.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
    plan = wf.plan_training(ws, TrainRequest.read(request))
    assert plan.split.method == "time" and sum(plan.split.counts.values()) == 600
