"""A file named by its path: only what may be read, and never anything outside the folder that was opened for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import DataProblem, SettingProblem
from core.workflows.incoming import import_folder, server_file

ESCAPES = [
    "../secret.csv",
    "a/../../secret.csv",
    "..",
    "/etc/passwd",
    "link.csv",
    "out/secret.csv",
    "\\\\host\\share\\x.csv",
    "//host/share/x.csv",
    "C:\\Windows\\win.ini",
    "c:secret.csv",
    "x\x00.csv",
    "a\nb.csv",
    "\u202evsc.terces",
    "CON",
    "nul.csv",
    "sub\\..\\..\\secret.csv",
    "",
    "   ",
    "a" * 1_001,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    root = tmp_path / "open"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "May 2026.csv").write_text("a\n1\n")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "out").symlink_to(tmp_path)
    return root


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_leaves_the_folder(folder: Path, text: str) -> None:
    with pytest.raises(SettingProblem, match="cannot be read from here"):
        server_file(text, folder)


def test_a_file_in_the_folder_is_found_by_a_relative_or_a_whole_path(folder: Path) -> None:
    wanted = (folder / "sub" / "May 2026.csv").resolve()
    assert server_file("sub/May 2026.csv", folder) == wanted
    assert server_file(f'"{wanted}"', folder) == wanted


@pytest.mark.parametrize("text", ["sub", "no.csv", "sub/no.csv"])
def test_what_is_not_there_or_no_file_is_said(folder: Path, text: str) -> None:
    with pytest.raises(DataProblem, match="There is no file"):
        server_file(text, folder)


def test_on_ones_own_machine_a_whole_path_is_read_and_no_device(folder: Path) -> None:
    file = folder / "sub" / "May 2026.csv"
    assert server_file(str(file), None) == file
    with pytest.raises(SettingProblem, match="cannot be read from here"):
        server_file("sub/May 2026.csv", None)
    with pytest.raises(SettingProblem, match="cannot be read from here"):
        server_file(f"{folder}/../secret.csv", None)
    pipe = folder / "pipe.csv"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(DataProblem, match="There is no file"):
            server_file(str(path), None)


def test_the_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANDON_IMPORT_FOLDER", raising=False)
    assert import_folder() is None
    monkeypatch.setenv("ANDON_IMPORT_FOLDER", str(tmp_path))
    assert import_folder() == tmp_path
