"""Another set of rows: seen, made, told where it came from, and by the command line the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from core.data.dataset import Dataset
from core.errors import DataProblem, SettingProblem
from tests.stored import stored

FAST = "time,machine,vibration\n" + "".join(
    f"2024-05-01 06:{i // 60:02d}:{i % 60:02d},{'AB'[i % 2]},{i / 10}\n" for i in range(600)
)
SLOW = "time,temperature\n" + "".join(f"2024-05-01 06:{i:02d}:00,{20 + i}\n" for i in range(0, 10, 2))


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wf.Workspace:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    return wf.open_workspace()


def given(ws: wf.Workspace, folder: Path, text: str, name: str) -> Dataset:
    path = folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset


def settings(operation: str, **values: Any) -> Any:
    return wf.shape_settings(operation).read(values)


def test_a_new_dataset_says_where_it_came_from(ws: wf.Workspace, tmp_path: Path) -> None:
    fast = given(ws, tmp_path, FAST, "fast")
    made = wf.shape_dataset(ws, "resample", fast, settings("resample", step=60, count=True))
    assert (made.name, made.n_rows) == ("fast resampled", 20 if fast.with_role("group") else 10)
    origin = wf.dataset_origin(ws, made.id)
    assert origin is not None
    assert str(origin.sentence) == "Made from 'fast' with a time step of 60 s."
    assert [(p.id, p.version, p.sha256) for p in origin.parents] == [(fast.id, 1, fast.sha256)]
    assert (origin.n_before, origin.notes) == (600, ())
    assert wf.dataset_origin(ws, fast.id) is None
    assert wf.dataset_lines(ws, made.id) is None
    assert wf.open_dataset(ws, fast.id) == fast
    assert wf.summarise_dataset(ws, made.id).n_rows == made.n_rows


def test_two_tables_become_one(ws: wf.Workspace, tmp_path: Path) -> None:
    fast, slow = given(ws, tmp_path, FAST, "fast"), given(ws, tmp_path, SLOW, "slow")
    made = wf.shape_dataset(ws, "align", fast, settings("align", tolerance=60), slow, name="both")
    table = made.table()
    seconds = np.arange(600)
    expected = np.where(seconds % 120 <= 60, 20.0 + 2 * (seconds // 120), np.nan)
    np.testing.assert_array_equal(table["temperature"], expected)
    origin = wf.dataset_origin(ws, made.id)
    assert origin is not None
    assert str(origin.sentence) == "Made from 'fast' with the columns of 'slow' that belong to its times."
    assert [str(n) for n in origin.notes] == ["295 rows have no partner in 'slow' and stay empty there."]
    assert [str(f.message) for f in wf.dataset_findings(ws, made.id)] == [str(n) for n in origin.notes]


def test_a_preview_keeps_nothing(ws: wf.Workspace, tmp_path: Path) -> None:
    fast = given(ws, tmp_path, FAST, "fast")
    before = stored(ws.home)
    seen = wf.preview_shape(ws, "aggregate", fast, settings("aggregate", by=["machine"], how=["mean"]), rows=100)
    assert stored(ws.home) == before
    assert seen.head["rows"].tolist() == [50.0, 50.0] and not seen.is_whole
    assert seen.head["vibration"].tolist() == [4.9, 5.0]


def test_what_cannot_be_done_leaves_nothing_behind(ws: wf.Workspace, tmp_path: Path) -> None:
    fast = given(ws, tmp_path, FAST, "fast")
    before = stored(ws.home)
    with pytest.raises(SettingProblem, match="Only one dataset was given"):
        wf.shape_dataset(ws, "align", fast, settings("align"))
    with pytest.raises(SettingProblem, match="operation is 'melt'"):
        wf.shape_settings("melt")
    with pytest.raises(DataProblem, match="no column 'pressure'"):
        wf.shape_dataset(ws, "aggregate", fast, settings("aggregate", by=["pressure"]))
    assert stored(ws.home) == before


def test_the_command_line_gives_the_same(ws: wf.Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fast, slow = given(ws, tmp_path, FAST, "fast"), given(ws, tmp_path, SLOW, "slow")

    def answer(*arguments: str, code: int = 0) -> dict[str, Any]:
        assert main(["shape", *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    made = answer("resample", fast.id, "--step", "120", "--set", "columns=vibration:maximum", "--set", "count=true")
    table = wf.open_dataset(ws, made["dataset"]).table()
    assert made["rows"] == len(table) and made["rows_before"] == 600
    assert made["parents"] == [{"dataset": fast.id, "version": 1, "name": "fast"}]
    assert table["vibration"].max() == 59.9
    made = answer("aggregate", fast.id, "--by", "machine", "--set", "how=mean,maximum", "--name", "machines")
    assert [c["name"] for c in made["columns"]] == ["machine", "time", "vibration_mean", "vibration_max", "rows"]
    made = answer("align", fast.id, slow.id, "--direction", "nearest", "--tolerance", "30")
    assert made["notes"] == [str(n) for n in wf.dataset_origin(ws, made["dataset"]).notes]  # type: ignore[union-attr]
    n_datasets = len(wf.list_datasets(ws))
    shown = answer("resample", fast.id, "--step", "60", "--rows", "3")
    assert shown["dataset"] is None and len(shown["head"]) == 3
    assert len(wf.list_datasets(ws)) == n_datasets
    assert answer("resample", fast.id, slow.id, code=2)["expected"] == "Expected 1."
    assert answer("aggregate", fast.id, "--step", "5", code=2)["what"] == "setting is 'step'."
    assert "COLUMN:AGGREGATE" in answer("resample", fast.id, "--set", "columns=p", code=2)["expected"]
    assert "1/0" in answer("resample", fast.id, "--set", "step=1/0", code=2)["what"]


def test_a_made_dataset_can_be_made_into_another_and_trained_on(ws: wf.Workspace, tmp_path: Path) -> None:
    fast = given(ws, tmp_path, FAST, "fast")
    minutes = wf.shape_dataset(ws, "resample", fast, settings("resample", step=2))
    again = wf.shape_dataset(ws, "resample", minutes, settings("resample", step=60))
    whole = fast.table().set_index("time").groupby("machine")["vibration"].resample("60s").mean()
    np.testing.assert_allclose(np.sort(again.table()["vibration"].dropna()), np.sort(whole), rtol=1e-3)
    assert isinstance(again.table(), pd.DataFrame)
