"""The question that stands chosen first follows from the target's name and values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Column
from pages.components.train_guess import guess_task, names_faults

N = 60
VALUES = {
    "number": np.linspace(0, 9, N),
    "two": np.arange(N) % 2,
    "three": np.arange(N) % 3,
    "text": np.array(["good", "scratch", "dent"] * (N // 3)),
}


@pytest.mark.parametrize(
    ("name", "values", "task"),
    [
        ("thickness", "number", "regression"),
        ("passed", "two", "classification"),
        ("verdict", "text", "classification"),
        ("fault_kind", "text", "classification"),
        ("is_fault", "two", "anomaly"),
        ("fault", "three", "anomaly"),
        ("fault_depth", "number", "regression"),
    ],
)
def test_the_target_suggests_the_question(tmp_path: Path, name: str, values: str, task: str) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    pd.DataFrame({"p1": np.sin(np.arange(N)), name: VALUES[values]}).to_csv(tmp_path / "d.csv", index=False)
    kind = "text" if values == "text" else "number"
    dataset = wf.import_file(
        ws, tmp_path / "d.csv", columns=(Column("p1", "number", "sensor"), Column(name, kind, "target"))
    ).dataset
    assert dataset is not None and guess_task(ws, dataset) == task


def test_faults_are_named_in_both_languages() -> None:
    assert names_faults("Alarm 3") and names_faults("设备异常") and not names_faults("default_speed")
