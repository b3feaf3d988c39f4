"""How a file reaches the store without going through memory: sent in chunks, or already on this machine."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from core.errors import DataProblem, SettingProblem
from core.messages import Message, msg
from core.store.incoming import CHUNK_BYTES, MAX_BYTES, MOST_FILES, Arrived, Chunk, Incoming, NotTaken
from core.workflows.workspace import Workspace

__all__ = [
    "CHUNK_BYTES",
    "MOST_FILES",
    "Arrived",
    "Chunk",
    "Incoming",
    "NotTaken",
    "import_folder",
    "open_incoming",
    "server_file",
]

FOLDER_SETTING, LIMIT_SETTING = "ANDON_IMPORT_FOLDER", "ANDON_MAX_UPLOAD_MB"
_LONGEST = 1_000
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def open_incoming(ws: Workspace) -> Incoming:
    """The place where uploads arrive; the largest upload is 10 GB, or `ANDON_MAX_UPLOAD_MB`."""
    given = os.environ.get(LIMIT_SETTING, "")
    return Incoming(ws.store.files, max_bytes=int(given) * 1_000_000 if given.isdecimal() else MAX_BYTES)


def import_folder() -> Path | None:
    """The folder that `ANDON_IMPORT_FOLDER` opens for imports by path, or None."""
    named = os.environ.get(FOLDER_SETTING, "").strip()
    return Path(named).expanduser() if named else None


def server_file(text: str, folder: Path | None) -> Path:
    """The file on this machine that somebody named, without copying it.

    Args:
        text: Inside `folder` a path relative to it or below it; without a folder a whole path.
        folder: The only folder that may be read, or None where the person at the screen owns this machine.

    Raises:
        SettingProblem: not a path that may be read.
        DataProblem: there is no file.
    """
    wanted = text.strip()
    if len(wanted) >= 2 and wanted[0] == wanted[-1] and wanted[0] in "\"'":
        wanted = wanted[1:-1]  # as a file manager copies it
    if not wanted or len(wanted) > _LONGEST or _UNSAFE.search(wanted) or wanted.startswith(("\\\\", "//")):
        raise _not_allowed(wanted, folder)
    path = Path(wanted)
    if any(part == ".." or _RESERVED.fullmatch(part) for part in path.parts):
        raise _not_allowed(wanted, folder)
    if folder is None:
        path = path.expanduser() if wanted.startswith("~/") else path
        if not path.is_absolute():
            raise _not_allowed(wanted, folder)
    else:
        path = _inside(path, wanted, folder)
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise DataProblem(
            msg("There is no file '{file}'.", file=path.name),
            _expected(folder),
            msg("Check the name and the place of the file."),
        )
    return path


def _inside(path: Path, wanted: str, folder: Path) -> Path:
    """The path below the folder; a link that leaves it is refused like any other way out."""
    if not path.is_absolute() and ("\\" in wanted or ":" in wanted):
        raise _not_allowed(wanted, folder)
    root = folder.resolve()
    whole = path if path.is_absolute() else root / path
    try:
        found = whole.resolve()
    except (OSError, RuntimeError) as error:
        raise _not_allowed(wanted, folder) from error
    if not found.is_relative_to(root):
        raise _not_allowed(wanted, folder)
    return found


def _expected(folder: Path | None) -> Message:
    if folder is None:
        return msg("Expected the whole path of a file on this machine.")
    return msg("Expected a file in the folder that ANDON_IMPORT_FOLDER names.")


def _not_allowed(wanted: str, folder: Path | None) -> SettingProblem:
    shown = _UNSAFE.sub("?", wanted)[:80]
    return SettingProblem(
        msg("The path '{path}' cannot be read from here.", path=shown),
        _expected(folder),
        msg("Type the path of a table, or send the file."),
    )
