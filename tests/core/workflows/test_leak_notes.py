"""Columns that give the answer away are named before a training; good sensors and chance are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.training.request import TrainRequest
from core.workflows.leak_notes import leak_note


def notes(folder: Path, table: pd.DataFrame, task: str, target: str) -> list[str]:
    ws = wf.open_workspace(folder / "home")
    table.to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": task, "target": target, "split": {"method": "random"}}
    found = [leak_note(leak) for leak in wf.plan_training(ws, TrainRequest.read(request)).leaks]
    ws.store.engine.dispose()
    return [str(note) for note in found]


@pytest.fixture
def parts() -> pd.DataFrame:
    """2,000 parts, 5 % bad; torque is a good sensor of it, `code` is written down at rework, `score` by the inspector."""
    rng = np.random.default_rng(3)
    n = 2_000
    bad = rng.random(n) < 0.05
    return pd.DataFrame(
        {
            "torque": rng.normal(10, 1, n) + 1.5 * bad,
            "line": rng.choice(["A", "B", "C"], n),
            "code": np.where(bad & (rng.random(n) < 0.4), 1, 0),
            "score": np.where(bad, 50, 0) + rng.normal(0, 3, n),
            "result": np.where(bad, "fail", "pass"),
        }
    )


def test_a_code_that_only_bad_parts_have_and_a_score_of_the_inspector_are_named(tmp_path: Path, parts: pd.DataFrame) -> None:
    code, score = notes(tmp_path, parts, "classification", "result")
    assert code.startswith("'code' may give the answer away: where it is '1', all ")
    assert "training rows looked at are 'fail'" in code and "set its role to 'ignore'" in code
    assert score.startswith("'score' may give the answer away: it alone tells 'fail' from 'pass'.")


def test_good_sensors_and_small_lucky_groups_are_not_named(tmp_path: Path, parts: pd.DataFrame) -> None:
    few = parts["result"].eq("fail").to_numpy().nonzero()[0][:3]
    parts.loc[few, "line"] = "D"  # three bad parts and nothing else: a chance of 1 in 8,000 at 5 %
    assert notes(tmp_path, parts.drop(columns=["code", "score"]), "classification", "result") == []


def test_a_second_gage_of_the_target_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    width = rng.normal(48, 0.1, 500)
    table = pd.DataFrame(
        {"inch": width / 25.4 + rng.normal(0, 1e-6, 500), "speed": width + rng.normal(0, 0.05, 500), "width": width}
    )
    (note,) = notes(tmp_path, table, "regression", "width")
    assert note.startswith("'inch' may give the answer away: its correlation with the target is 1")
