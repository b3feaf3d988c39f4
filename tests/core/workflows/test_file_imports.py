"""A file that is named again is read once: found while it is the same, read anew when anything about it changed."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.cli.common import open_or_import
from core.data.dataset import Column
from core.workflows import file_imports


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "line.csv"
    pd.DataFrame({"x": range(30), "y": range(30, 60)}).to_csv(path, index=False)
    return path


def test_the_same_file_gives_the_same_dataset(ws: wf.Workspace, file: Path) -> None:
    first = open_or_import(ws, str(file))
    assert open_or_import(ws, str(file)) == first
    assert open_or_import(ws, str(file.parent / "." / file.name)) == first
    assert len(wf.list_datasets(ws)) == 1


def test_other_content_is_read_even_where_size_and_time_are_the_same(ws: wf.Workspace, file: Path) -> None:
    first, stamp = open_or_import(ws, str(file)), file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes().replace(b"29,59", b"29,95"))
    os.utime(file, ns=(stamp, stamp))
    second = open_or_import(ws, str(file))
    assert second.id != first.id and second.rows(["y"]).read()["y"].iloc[-1] == 95


def test_another_path_or_time_is_read_anew(ws: wf.Workspace, file: Path) -> None:
    first = open_or_import(ws, str(file))
    other = file.with_name("other.csv")
    other.write_bytes(file.read_bytes())
    assert open_or_import(ws, str(other)).name == "other"
    os.utime(file, ns=(1, 1))
    assert open_or_import(ws, str(file)).id != first.id


def test_what_was_imported_with_options_or_changed_later_is_not_taken_for_it(ws: wf.Workspace, file: Path) -> None:
    by_hand = wf.import_file(ws, file, columns=[Column("x", "number", "target", "mm")]).dataset
    first = open_or_import(ws, str(file))
    assert by_hand is not None and first.id != by_hand.id
    wf.change_columns(ws, first.id, [Column("x", "number", "target", "mm"), Column("y", "number", "sensor")])
    again = open_or_import(ws, str(file))
    assert (again.id, again.version) == (first.id, first.version) and again.columns == first.columns


def test_a_deleted_dataset_and_a_spoiled_record_cost_a_reading_and_nothing_else(ws: wf.Workspace, file: Path) -> None:
    first = open_or_import(ws, str(file))
    wf.delete_with_everything(ws, first.id)
    second = open_or_import(ws, str(file))
    assert second.id != first.id
    ws.store.path(second.id, "dataset", file_imports.RECORD).write_bytes(b"{")
    third = open_or_import(ws, str(file))
    assert third.id != second.id
    assert not ws.store.path(first.id, "dataset", file_imports.RECORD).exists(), "the record goes with its dataset"


def test_another_version_of_andon_reads_for_itself(ws: wf.Workspace, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_or_import(ws, str(file))
    monkeypatch.setattr(file_imports, "__version__", "999")
    assert open_or_import(ws, str(file)).id != first.id


def test_a_file_that_changes_while_it_is_read_is_not_remembered(ws: wf.Workspace, file: Path) -> None:
    seen = wf.facts_of(file)
    dataset = wf.import_file(ws, file).dataset
    assert dataset is not None
    with file.open("a") as more:
        more.write("30,60\n")
    wf.remember_import(ws, file, dataset, seen)
    assert wf.known_import(ws, file) is None and not ws.store.path(dataset.id, "dataset", file_imports.RECORD).exists()
