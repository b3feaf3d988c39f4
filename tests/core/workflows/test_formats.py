"""Imports through the child process: datasets from workbooks, archives and several files; nothing half-stored."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest
import xlsxwriter

from core import workflows as wf
from core.confined import Limits
from core.data.formats.records import SourceOptions
from core.errors import DataProblem, StoreProblem
from core.workflows import apart
from core.workflows.workspace import Workspace
from tests.command_line import Capture, called
from tests.core.data.formats.making import write_workbook
from tests.stored import NOTHING, stored

TABLE = "lot,p\n" + "".join(f"L{n % 3},{n * 0.5}\n" for n in range(40))


@pytest.fixture
def ws(home: Path) -> Workspace:
    return wf.open_workspace()


def a_workbook(folder: Path, n: int = 20) -> Path:
    return write_workbook(folder / "a.xlsx", {"S": [["n", "p"], *([k, k * 0.5] for k in range(n))], "T": [["x", "y"], [1, 2]]})


def test_a_workbook_becomes_a_dataset_with_its_original_and_its_choice(ws: Workspace, tmp_path: Path) -> None:
    path = a_workbook(tmp_path)
    asked = wf.import_file(ws, path)
    assert asked.dataset is None and asked.outcome == "ask" and stored(ws.home) == NOTHING
    made = wf.import_file(ws, path, source=SourceOptions(sheet="S"))
    assert made.dataset is not None and made.dataset.name == "a"
    assert made.dataset.table(["p"])["p"].tolist() == [k * 0.5 for k in range(20)]
    content = path.read_bytes()
    path.unlink()
    again = wf.import_again(ws, made.dataset.id)
    assert again.dataset is not None and again.dataset.n_rows == 20
    (tmp_path / "back").mkdir()
    (original,) = wf.unpack_original(ws, made.dataset.id, tmp_path / "back")
    assert original.path.read_bytes() == content
    assert ws.store.get_dataset(made.dataset.id).options["source"] == {"sheet": "S"}
    lines = wf.dataset_lines(ws, made.dataset.id)
    assert lines is not None and (lines.total, lines.accepted) == (21, 20)


def test_a_large_text_file_is_read_in_a_child_and_gives_the_same(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text(TABLE + "1,2,3\n")
    here = wf.import_file(ws, tmp_path / "a.csv")
    monkeypatch.setattr(apart, "IN_PROCESS_BYTES", 10)
    told: list[str] = []
    there = wf.import_file(ws, tmp_path / "a.csv", progress=lambda stage, part: told.append(stage))
    assert here.dataset is not None and there.dataset is not None
    assert told and here.dataset.sha256 == there.dataset.sha256
    again = tuple(f for f in there.findings if f.code != "same_file")
    assert (here.findings, here.rejected, here.lines) == (again, there.rejected, there.lines)


def test_a_refusal_from_the_child_names_the_users_file(ws: Workspace, tmp_path: Path) -> None:
    copy = tmp_path / "upload.csv"
    copy.write_bytes(b"PAR1" + bytes(50))
    with pytest.raises(DataProblem, match="'line 3.parquet' is damaged"):
        wf.import_file(ws, copy, source_name="line 3.parquet")
    assert stored(ws.home) == NOTHING


def test_several_files_keep_all_their_originals(ws: Workspace, tmp_path: Path) -> None:
    paths = []
    for name in ("b.csv", "a.csv"):
        paths.append(tmp_path / name)
        paths[-1].write_text(TABLE)
    made = wf.import_files(ws, paths, names=["b.csv", "a.csv"])
    assert made.dataset is not None and (made.dataset.name, made.dataset.n_rows) == ("b + 1", 80)
    assert made.dataset.with_role("group")[0].name == "file"
    for path in paths:
        path.unlink()
    (tmp_path / "back").mkdir()
    kept = [(o.name, o.path.read_text()) for o in wf.unpack_original(ws, made.dataset.id, tmp_path / "back")]
    assert kept == [("b.csv", TABLE), ("a.csv", TABLE)]
    again = wf.import_again(ws, made.dataset.id)
    assert again.dataset is not None and again.same_as == made.dataset.id
    assert again.dataset.table().equals(made.dataset.table())
    assert not list((ws.home / "tmp").iterdir())


def test_what_was_prepared_is_stored_as_it_is(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(TABLE)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with wf.workplace(ws) as folder:
        prepared = wf.prepare_files(paths, Path(folder))
        monkeypatch.setattr(apart, "in_child", lambda *_, **__: pytest.fail("It was read again."))
        made = wf.import_files(ws, paths, prepared=prepared)
    assert made.dataset is not None and made.dataset.n_rows == prepared.combination.reading.n_rows == 80


def test_a_missing_file_among_several_is_named(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    with pytest.raises(DataProblem, match="There is no file 'b.csv'"):
        wf.import_files(ws, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert stored(ws.home) == NOTHING


def test_opening_is_done_once_for_each_choice(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_workbook(tmp_path)
    with wf.workplace(ws) as folder:
        first = wf.open_file(path, Path(folder), source_name="line 3.xlsx")
        preview = wf.preview_table(first)
        assert preview.names == ("n", "p") and preview.head[1] == ("1", "0.5")
        second = wf.open_file(path, Path(folder), SourceOptions(sheet="T"), source_name="line 3.xlsx")
        assert wf.preview_table(second).names == ("x", "y")
        monkeypatch.setattr(apart, "in_child", lambda *_, **__: pytest.fail("It was opened again."))
        assert wf.open_file(path, Path(folder), source_name="line 3.xlsx") == first


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_file_that_eats_memory_or_disk_leaves_nothing(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two cells in opposite corners of a sheet: a file of 5 kB, a table of 17 thousand million cells.
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write("A1", 1)
    sheet.write(1_048_575, 16_383, 2)
    book.close()
    for limits in (Limits(), Limits(memory_mb=200)):  # The second is too little even for the libraries.
        monkeypatch.setattr(apart, "LIMITS", limits)
        with pytest.raises(DataProblem, match="'a.xlsx' needs more memory than reading may use"):
            wf.import_file(ws, path)
    assert stored(ws.home) == NOTHING and not list((ws.home / "tmp").iterdir())
    text = tmp_path / "a.csv"
    text.write_text("n,p\n" + "".join(f"{n},{n * 0.37}\n" for n in range(100_000)))
    monkeypatch.setattr(apart, "LIMITS", Limits(file_mb=1))
    with pytest.raises((DataProblem, StoreProblem), match="'a.csv' unpacks to more than may be written|disk is full"):
        wf.import_file(ws, text)
    assert stored(ws.home) == NOTHING and not list((ws.home / "tmp").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")
@pytest.mark.parametrize("after_seconds", [0.0, 0.2, 0.5])
def test_kill_9_in_the_middle_of_an_import_leaves_nothing(ws: Workspace, tmp_path: Path, after_seconds: float) -> None:
    path = a_workbook(tmp_path, 60_000)
    killed: list[int] = []

    def readers() -> list[int]:
        return [c.pid for c in psutil.Process().children() if "core.confined.main" in " ".join(c.cmdline())]

    def kill() -> None:
        end = time.monotonic() + 60
        while not readers() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(after_seconds)  # Its libraries alone take longer to load, and the sheet takes longer than they.
        for pid in readers():
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DataProblem, match="'a.xlsx' was ended from outside"):
        wf.import_file(ws, path, source=SourceOptions(sheet="S"))
    killer.join()
    assert killed and stored(ws.home) == NOTHING and not list((ws.home / "tmp").iterdir())


def test_an_import_can_be_stopped(ws: Workspace, tmp_path: Path) -> None:
    told: list[Any] = []
    with pytest.raises(DataProblem, match="Reading 'a.xlsx' was stopped"):
        wf.import_file(
            ws,
            a_workbook(tmp_path, 60_000),
            source=SourceOptions(sheet="S"),
            progress=lambda *step: told.append(step),
            cancelled=lambda: bool(told),
        )
    assert stored(ws.home) == NOTHING


def test_a_workbook_is_scored_or_compared_like_a_text_file(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["n", "p"], [1, 2.5], [2, 3.5]]})
    assert wf.read_table(path)["p"].tolist() == [2.5, 3.5]


def test_the_command_line_takes_sheets_files_and_ways(home: Path, tmp_path: Path, capsys: Capture) -> None:
    path = a_workbook(tmp_path)
    answer = called(capsys, "import", str(path), code=2)
    assert [o["set"] for o in answer["questions"][0]["options"]] == [{"sheet": "S"}, {"sheet": "T"}]
    assert "--set sheet=S" in json.dumps(answer)
    answer = called(capsys, "import", str(path), "--set", "sheet=S", "--set", "header=true")
    assert (answer["rows"], answer["source"]) == (20, {"sheet": "S"})
    for name, key in (("a.csv", "p"), ("b.csv", "q")):
        (tmp_path / name).write_text(f"part,{key}\n" + "".join(f"A{k},{k}.5\n" for k in range(3, 9)) + f"{name},0\n")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    answer = called(capsys, "import", *files, "--join", "part")
    assert (answer["rows"], answer["unmatched"]) == (7, [{"file": "b", "first": 1, "other": 1}])
    answer = called(capsys, "import", *files, "--stack", "--set", "columns=common")
    assert (answer["rows"], [c["name"] for c in answer["columns"]]) == (14, ["file", "part"])
    answer = called(capsys, "import", *files, "--stack", "--wide", code=2)
    assert "--stack, --wide were given together" in json.dumps(answer)


def test_at_most_two_files_are_read_at_once_and_a_third_waits_or_gives_up(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two places are taken; one is given back when the third file has been told to wait."""
    (tmp_path / "a.csv").write_text(TABLE)
    monkeypatch.setattr(apart, "IN_PROCESS_BYTES", 10)
    monkeypatch.setattr(apart, "_WAIT_SECONDS", 0.05)
    assert apart._PLACES.acquire(timeout=1) and apart._PLACES.acquire(timeout=1)
    held = 2
    try:
        with pytest.raises(DataProblem, match="stopped|cancelled|ended"):
            wf.import_file(ws, tmp_path / "a.csv", cancelled=lambda: True)
        told: list[str] = []

        def give_back(stage: str, part: float) -> None:
            nonlocal held
            told.append(stage)
            if held == 2:
                apart._PLACES.release()
                held = 1

        made = wf.import_file(ws, tmp_path / "a.csv", progress=give_back)
        assert told[0] == "waiting" and "reading" in told and made.dataset is not None
    finally:
        for _ in range(held):
            apart._PLACES.release()


@pytest.mark.parametrize(
    "source", [SourceOptions(member="*"), SourceOptions(member="*", combine="stack"), SourceOptions(member="b.csv")]
)
def test_an_archive_is_imported_again_as_it_was(ws: Workspace, tmp_path: Path, source: SourceOptions) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.csv", TABLE.replace("L1", "M1"))
    for imported in (wf.import_file(ws, path, source=source), wf.import_files(ws, [path], name="x", source=source)):
        assert imported.dataset is not None
        again = wf.import_again(ws, imported.dataset.id)
        assert again.dataset is not None and again.dataset.table().equals(imported.dataset.table())
