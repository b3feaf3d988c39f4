"""Known faults among the rows that an anomaly model takes for healthy are said before the training."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.training.request import TrainRequest
from core.workflows.plan_notes import known_faults
from tests.synthetic import anomaly_table


def notes(folder: Path, first_fault: int, split: dict[str, object]) -> list[str]:
    """The notes of a plan for 600 rows whose faults begin at a row."""
    ws = wf.open_workspace(folder / "home")
    anomaly_table(600, first_fault).to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
    return [str(note) for note in wf.plan_training(ws, TrainRequest.read({**request, "split": split})).notes]


@pytest.mark.parametrize(
    ("first_fault", "first", "said"),
    [
        (400, 480, "80 rows with a known fault stand in the baseline period; choose a split whose first part is healthy, "
                   "for example the first 400 rows."),
        (479, 480, "1 row with a known fault stands in the baseline period; choose a split whose first part is healthy, "
                   "for example the first 479 rows."),
        (10, 480, "470 rows with a known fault stand in the baseline period; choose a split whose first part is healthy."),
    ],
)  # fmt: skip
def test_faults_in_the_baseline_are_counted(tmp_path: Path, first_fault: int, first: int, said: str) -> None:
    assert notes(tmp_path, first_fault, {"method": "first", "first": first}) == [said]


def test_a_healthy_baseline_needs_no_note(tmp_path: Path) -> None:
    assert notes(tmp_path, 400, {"method": "first", "first": 400}) == []


def test_rows_without_a_label_are_no_faults() -> None:
    assert known_faults(pd.Series(["正常", None, "leak", "OK"])).tolist() == [False, False, True, False]
    assert known_faults(pd.Series([0.0, None, 2.0, 1.0])).tolist() == [False, False, True, True]
