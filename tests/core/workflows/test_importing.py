"""A file becomes a dataset whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core import workflows as wf
from core.errors import DataProblem, SettingProblem, StoreProblem


@pytest.fixture
def ws(home: Path) -> wf.Workspace:
    return wf.open_workspace(home)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "line 3.csv"
    rows = [f"2026-01-01 00:{i:02d}:00;{20 + i / 10:.1f};{i % 2}" for i in range(40)]
    path.write_text("time;temp [°C];ok\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def files_of(home: Path) -> list[str]:
    return (
        sorted(str(p.relative_to(home)) for p in (home / "data").rglob("*") if p.is_file()) if (home / "data").exists() else []
    )


def test_rows_columns_and_lines_are_accounted_for(ws: wf.Workspace, csv: Path) -> None:
    imported = wf.import_file(ws, csv)
    assert imported.dataset is not None
    assert (imported.dataset.n_rows, imported.dataset.name) == (40, "line 3")
    assert imported.lines.total == 41 and imported.lines.holds
    assert imported.dataset.table().shape == (40, 3)


def test_a_dataset_is_found_again_by_another_workspace(ws: wf.Workspace, csv: Path, home: Path) -> None:
    dataset = wf.import_file(ws, csv, name="Line 3").dataset
    assert wf.list_datasets(wf.open_workspace(home)) == (dataset,)


def test_the_original_bytes_are_kept(ws: wf.Workspace, csv: Path) -> None:
    import gzip

    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    kept = ws.store.path(dataset.id, "source")
    assert gzip.decompress(kept.read_bytes()) == csv.read_bytes()


def test_a_refused_file_leaves_nothing_behind(ws: wf.Workspace, tmp_path: Path, home: Path) -> None:
    bad = tmp_path / "photo.csv"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with pytest.raises(DataProblem):
        wf.import_file(ws, bad)
    assert files_of(home) == [] and wf.list_datasets(ws) == ()


def test_a_full_disk_leaves_nothing_behind(ws: wf.Workspace, csv: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreProblem, match=r"[Dd]isk"):
        wf.import_file(ws, csv)
    monkeypatch.undo()
    assert files_of(home) == [] and wf.list_datasets(ws) == ()


def test_changed_roles_make_a_new_version_of_the_same_table(ws: wf.Workspace, csv: Path) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    temp = dataset.columns[1]
    changed = wf.change_columns(ws, dataset.id, [replace(temp, lower_limit=19.0, upper_limit=25.0)])
    assert changed.version == dataset.version + 1 and changed.sha256 == dataset.sha256
    assert changed.columns[1].upper_limit == 25.0
    assert wf.open_dataset(ws, dataset.id, dataset.version).columns[1].upper_limit is None


def test_limits_in_the_wrong_order_are_refused(ws: wf.Workspace, csv: Path) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    with pytest.raises(SettingProblem, match="rise from the lower limit"):
        wf.change_columns(ws, dataset.id, [replace(dataset.columns[1], lower_limit=5.0, upper_limit=1.0)])


def test_two_time_columns_are_refused(ws: wf.Workspace, csv: Path) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    with pytest.raises(SettingProblem, match="2 columns have the role 'time'"):
        wf.change_columns(ws, dataset.id, [replace(c, role="time") for c in dataset.columns[:2]])


@pytest.mark.parametrize("name", ["", "   ", "\x00\u202e"])
def test_an_empty_name_is_refused(ws: wf.Workspace, csv: Path, name: str) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    with pytest.raises(SettingProblem, match="The name is empty"):
        wf.rename_dataset(ws, dataset.id, name)


def test_a_deleted_dataset_is_gone(ws: wf.Workspace, csv: Path) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    wf.delete_dataset(ws, dataset.id)
    assert wf.list_datasets(ws) == ()
    with pytest.raises(StoreProblem):
        wf.open_dataset(ws, dataset.id)
