"""A file becomes a dataset whole or not at all."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from core import workflows as wf
from core.data.dataset import Column
from core.data.options import ReadOptions
from core.errors import DataProblem, SettingProblem, StoreProblem
from core.store.problems import disk_full
from tests.stored import NOTHING, stored


@pytest.fixture
def ws(home: Path) -> wf.Workspace:
    return wf.open_workspace(home)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "line 3.csv"
    rows = [f"2026-01-01 00:{i:02d}:00;{20 + i / 10:.1f};{i % 2}" for i in range(40)]
    path.write_text("time;temp [°C];ok\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_rows_columns_and_lines_are_accounted_for(ws: wf.Workspace, csv: Path) -> None:
    imported = wf.import_file(ws, csv)
    assert imported.dataset is not None
    assert (imported.dataset.n_rows, imported.dataset.name) == (40, "line 3")
    assert imported.lines.total == 41 and imported.lines.holds
    assert imported.dataset.table().shape == (40, 3)


def test_a_dataset_is_found_again_by_another_workspace(ws: wf.Workspace, csv: Path, home: Path) -> None:
    dataset = wf.import_file(ws, csv, name="Line 3").dataset
    assert wf.list_datasets(wf.open_workspace(home)) == (dataset,)


def test_the_original_bytes_are_kept_and_given_back_under_their_name(ws: wf.Workspace, csv: Path, tmp_path: Path) -> None:
    dataset = wf.import_file(ws, csv, source_name="Line 3 (export).csv").dataset
    assert dataset is not None and wf.has_original(ws, dataset.id)
    place = tmp_path / "back"
    place.mkdir()
    (original,) = wf.unpack_original(ws, dataset.id, place)
    assert original.path.read_bytes() == csv.read_bytes() and original.name == "Line 3 (export).csv"
    assert original.path.suffix == ".csv"


def test_an_import_is_repeated_from_what_was_kept(ws: wf.Workspace, csv: Path) -> None:
    first = wf.import_file(ws, csv, options=ReadOptions(decimal=".")).dataset
    assert first is not None
    changed = wf.change_columns(ws, first.id, [replace(first.column("ok"), role="target")])
    csv.unlink()
    again = wf.import_again(ws, first.id)
    assert again.dataset is not None and again.same_as == first.id and again.dataset.id != first.id
    assert again.dataset.columns == changed.columns and again.dataset.name == first.name
    pd.testing.assert_frame_equal(again.dataset.table(), first.table())
    other = wf.import_again(ws, first.id, name="as one column", changed={"delimiter": ""})
    assert other.dataset is not None and len(other.dataset.columns) == 1 and other.dataset.name == "as one column"


def test_the_same_file_is_recognised_under_any_name(ws: wf.Workspace, csv: Path, tmp_path: Path) -> None:
    first = wf.import_file(ws, csv)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(csv.read_bytes())
    again = wf.import_file(ws, copy)
    assert first.same_as is None and first.dataset is not None and again.same_as == first.dataset.id
    assert "same_file" in {f.code for f in again.findings} and again.outcome == first.outcome
    assert again.dataset is not None
    assert "same_file" in {f.code for f in wf.dataset_findings(ws, again.dataset.id)}
    for dataset_id in (first.dataset.id, again.dataset.id):
        wf.delete_dataset(ws, dataset_id)
    assert wf.import_file(ws, copy).same_as is None


def test_what_is_not_kept_or_damaged_is_said(ws: wf.Workspace, csv: Path) -> None:
    hidden = wf.import_file(ws, csv, privacy={"ok": "drop"}).dataset
    assert hidden is not None and not wf.has_original(ws, hidden.id)
    with pytest.raises(StoreProblem, match="not kept"):
        wf.import_again(ws, hidden.id)
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    with pa.output_stream(str(ws.store.path(dataset.id, "source")), compression="zstd") as out:
        out.write(b"other bytes")
    with pytest.raises(StoreProblem, match="damaged"):
        wf.import_again(ws, dataset.id)


@pytest.mark.parametrize("harm", ["flipped", "cut", "emptied"])
def test_a_damaged_original_is_told_in_a_sentence(ws: wf.Workspace, csv: Path, harm: str) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    place = ws.store.path(dataset.id, "source")
    content = bytearray(place.read_bytes())
    content[10] ^= 0xFF
    place.write_bytes({"flipped": bytes(content), "cut": place.read_bytes()[:-2], "emptied": b""}[harm])
    with pytest.raises(StoreProblem, match="damaged"):
        wf.take_original(ws, dataset.id)
    assert not list((ws.home / "tmp").iterdir())


@pytest.mark.parametrize("name", ["测" * 90 + ".csv", "a\0b.csv", "M\udce4rz.csv", "../../x.csv", "", "no ending"])
def test_the_original_comes_back_whatever_its_name_was(ws: wf.Workspace, csv: Path, name: str) -> None:
    dataset = wf.import_file(ws, csv, name="x", source_name=name or None).dataset
    assert dataset is not None
    folder, (original,) = wf.take_original(ws, dataset.id)
    assert original.path.parent == folder and original.path.read_bytes() == csv.read_bytes()
    again = wf.import_again(ws, dataset.id)
    assert again.dataset is not None and again.dataset.n_rows == dataset.n_rows


def test_an_original_that_was_kept_with_gzip_is_read_as_well(ws: wf.Workspace, csv: Path) -> None:
    """Stores from before the change of packing."""
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None
    place = ws.store.path(dataset.id, "source")
    place.unlink()
    place.with_name("source.gz").write_bytes(gzip.compress(csv.read_bytes()))
    assert wf.import_again(ws, dataset.id).same_as == dataset.id


def test_a_refused_file_leaves_nothing_behind(ws: wf.Workspace, tmp_path: Path, home: Path) -> None:
    bad = tmp_path / "photo.csv"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with pytest.raises(DataProblem, match="PNG"):
        wf.import_file(ws, bad)
    assert stored(home) == NOTHING


def test_a_problem_names_the_file_as_the_user_knows_it(ws: wf.Workspace, tmp_path: Path) -> None:
    copy = tmp_path / "upload.csv"
    copy.write_bytes(b'a,b\n"1,2\n')
    with pytest.raises(DataProblem, match=r"No row of 'line 3\.csv' can be read: in line 2 a quote opens"):
        wf.import_file(ws, copy, source_name="line 3.csv")


def test_a_refused_name_or_column_leaves_nothing_behind(ws: wf.Workspace, csv: Path, home: Path) -> None:
    with pytest.raises(SettingProblem, match="The name is empty"):
        wf.import_file(ws, csv, name=" \x00")
    with pytest.raises(DataProblem, match="There is no column 'speed'"):
        wf.import_file(ws, csv, columns=[Column("speed", "number")])
    assert stored(home) == NOTHING


@pytest.mark.parametrize("moment", ["adopt_file", "add_dataset"])
def test_what_fails_after_the_first_file_takes_it_away_again(
    ws: wf.Workspace, csv: Path, home: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    kept = getattr(ws.store, moment)
    calls: list[object] = []

    def fails(*given: object, **more: object) -> object:
        calls.append(given)
        if moment == "add_dataset" or len(calls) == 2:
            raise disk_full()
        return kept(*given, **more)

    monkeypatch.setattr(type(ws.store), moment, lambda _, *given, **more: fails(*given, **more))
    with pytest.raises(StoreProblem, match="The disk is full; nothing was saved"):
        wf.import_file(ws, csv)
    assert stored(home) == NOTHING


def test_a_row_that_was_written_keeps_its_files(
    ws: wf.Workspace, csv: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = type(ws.store).add_dataset

    def then_stopped(*given: object, **more: object) -> object:
        written(*given, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(type(ws.store), "add_dataset", then_stopped)
    with pytest.raises(KeyboardInterrupt):
        wf.import_file(ws, csv)
    assert [d.table().shape for d in wf.list_datasets(ws)] == [(40, 3)]


def test_rejected_rows_are_there_for_whoever_asks_later(ws: wf.Workspace, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "ragged.csv"
    rows = [f"{i},{i * 2}" for i in range(30)]
    rows[3], rows[7] = "3,6,9,12", '5,"=1+1",x'
    path.write_text("a,b\n" + "\n".join(rows) + "\n")
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    found = wf.rejected_rows(wf.open_workspace(home), dataset.id)
    # The header is line 1, so that rows 3 and 7 stand on lines 5 and 9.
    assert [(r.line, r.text) for r in found] == [(5, "3,6,9,12"), (9, '5,"=1+1",x')]
    assert all(str(r.reason) for r in found)
    assert dataset.n_rows == 28


def test_a_dataset_without_rejected_rows_has_none(ws: wf.Workspace, csv: Path) -> None:
    dataset = wf.import_file(ws, csv).dataset
    assert dataset is not None and wf.rejected_rows(ws, dataset.id) == ()
    wf.delete_dataset(ws, dataset.id)
    with pytest.raises(StoreProblem, match="There is no dataset"):
        wf.rejected_rows(ws, dataset.id)


def test_a_full_disk_leaves_nothing_behind(ws: wf.Workspace, csv: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreProblem, match=r"[Dd]isk"):
        wf.import_file(ws, csv)
    monkeypatch.undo()
    assert stored(home) == NOTHING


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
    with pytest.raises(StoreProblem, match="There is no dataset"):
        wf.open_dataset(ws, dataset.id)
