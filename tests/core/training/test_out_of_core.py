"""A table too large for memory is trained on and scored with the very numbers of one in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clean import streaming
from core.data import dataset as dataset_module
from core.data import rows as rows_module
from core.data.dataset import Dataset
from core.data.room import Room
from core.data.rows import FrameRows, ParquetRows
from core.data.split import TRAIN, Split, SplitSettings
from core.jobs.fitting import column_facts, fit_baseline
from core.jobs.judged import judge
from core.jobs.train_job import write_scores
from core.messages import msg
from core.models import model_by_key
from core.serving.scoring import input_notes, raw_scores, score_table
from core.training.prepare import prepare
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import as_dataset

N = 2_000
RECIPE = {
    "steps": [
        {"key": "iqr_outliers", "settings": {"action": "drop_rows", "fence": 3.0}},
        {"key": "linear_fill", "settings": {"max_gap": 4}},
        {"key": "median_fill"},
    ]
}


def table_of() -> pd.DataFrame:
    """Two lines in turn, newest first, with empty cells, a few wild ones and a text column."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(10, 2, N), rng.normal(0, 1, N)
    target = 2 * a - b + rng.normal(0, 0.1, N)
    a[rng.random(N) < 0.05] = np.nan
    b[rng.random(N) < 0.01] = 60.0
    target[rng.random(N) < 0.02] = np.nan
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(N)[::-1], unit="min"),
            "line": rng.choice(["L1", "L2"], N),
            "a": a,
            "b": b,
            "shift": rng.choice(["day", "night"], N),
            "y": target,
        }
    )


def dataset_of(folder: Path) -> Dataset:
    folder.mkdir()
    dataset = as_dataset(table_of(), folder, y="target", when="time", line="group")
    table_of().to_parquet(dataset.path, index=False, row_group_size=300)
    return dataset


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_module, "IN_MEMORY_CELLS", 0)
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 300)
    monkeypatch.setattr(streaming, "BUNDLE_ROWS", 400)
    monkeypatch.setattr(streaming, "OVERLAP_ROWS", 50)


def trained(folder: Path, task: str, model: str, room: Room):
    request = TrainRequest(
        dataset_id="d",
        dataset_version=1,
        task=task,
        model=model,
        split=SplitSettings(method="time"),
        recipe=RECIPE,
        options={"window": 5, **({"horizon": 3, "season": 4} if task == "forecast" else {})},
    )
    dataset = dataset_of(folder)
    resolved = resolve(dataset, request)
    prepared = prepare(resolved, room)
    bundle = fit_baseline(resolved, prepared, model_by_key(model), model_by_key(model).settings(), folder / "bundle")
    judged = judge(bundle, prepared, resolved)
    write_scores(folder / "scores.parquet", judged, prepared, resolved)
    return resolved, prepared, judged


@pytest.mark.parametrize(("task", "model"), [("regression", "ridge"), ("anomaly", "pca_t2_spe"), ("forecast", "ridge")])
def test_a_run_from_files_equals_one_in_memory(task: str, model: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    resolved, small, judged = trained(tmp_path / "small", task, model, Room())
    assert isinstance(small.rows, FrameRows)
    request.getfixturevalue("on_disk")
    _, large, judged_large = trained(tmp_path / "large", task, model, Room(tmp_path / "room", most_bytes=0))
    assert isinstance(large.rows, ParquetRows) and not isinstance(large.inputs.windows.values, np.ndarray)
    assert small.pipeline.to_json() == large.pipeline.to_json()
    np.testing.assert_array_equal(small.train, large.train)
    np.testing.assert_array_equal(small.validation, large.validation)
    np.testing.assert_array_equal(small.inputs.windows.batch(small.train), large.inputs.windows.batch(large.train))
    assert column_facts(resolved, small) == column_facts(resolved, large)
    assert judged.metrics == judged_large.metrics
    one, other = (pd.read_parquet(tmp_path / name / "scores.parquet") for name in ("small", "large"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert set(one["why_not"]) >= {"", "padded window", "left out by iqr_outliers"}


def test_a_file_is_scored_from_the_disk_as_in_memory(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    _, _, judged = trained(tmp_path / "small", "anomaly", "pca_t2_spe", Room())
    whole = score_table(judged.bundle, table_of())
    request.getfixturevalue("on_disk")
    rows = dataset_of(tmp_path / "large").rows()
    told: list[float] = []
    raw = raw_scores(judged.bundle, rows, Room(tmp_path / "room", most_bytes=0), told.append)
    np.testing.assert_array_equal(raw.outputs[:, 0], whole.table["score"])
    assert raw.contributions is not None and whole.contributions is not None
    np.testing.assert_array_equal(raw.contributions[:], whole.contributions)
    assert input_notes(judged.bundle, raw) == whole.notes
    assert told == sorted(told) and told[0] >= 0 and told[-1] <= 1


def test_a_long_training_part_is_sampled_in_stretches_of_training_rows_only() -> None:
    n = 400_000
    parts = np.where(np.arange(n) % 4 == 3, 2, TRAIN).astype(np.int8)
    split = Split(SplitSettings(), parts, 7, msg("by hand"))
    rows = FrameRows(pd.DataFrame({"a": np.arange(n, dtype=float)}))
    sample = split.train_sample(rows, most_cells=60_000).table
    assert len(sample) == 60_000
    assert (sample["a"] % 4 != 3).all(), "a test row was taken"
    steps = np.diff(sample["a"].to_numpy())
    assert (steps > 2).sum() == 49, "50 stretches of neighbours"
    assert sample["a"].iloc[0] == 0 and sample["a"].iloc[-1] == n - 2
    assert len(split.train_sample(rows, most_cells=300_000).table) == 300_000
