"""A file on its way in: taken out of the browser's upload into a private temporary file, then released from memory."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from core.errors import DataProblem
from core.messages import msg

TYPES = ("csv", "tsv", "txt", "gz", "xlsx", "parquet", "zip")
MAX_MEGABYTES = 200
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. The folder goes away with the session or with `drop`."""

    folder: tempfile.TemporaryDirectory[str]
    path: Path
    name: str
    n_bytes: int

    @property
    def title(self) -> str:
        """The file's name without its endings, for people."""
        return re.sub(r"(\.(csv|tsv|txt|gz|xlsx|parquet|zip))+$", "", self.name, flags=re.IGNORECASE) or self.name


def current() -> Upload | None:
    """The file that waits to be imported, if any."""
    return st.session_state.get("_upload")


def waiting() -> tuple[Upload, ...]:
    """All files that wait; more than one are to become one table."""
    first = current()
    return () if first is None else (first, *st.session_state.get("_upload_more", ()))


def ask(label: str, help_text: str) -> None:
    """The widget. When a file has come it is taken over and the page starts again with `current()` set."""
    turn = st.session_state.setdefault("_upload_turn", 0)
    given = st.file_uploader(
        label,
        type=list(TYPES),
        key=f"upload_{turn}",
        help=help_text,
        max_upload_size=MAX_MEGABYTES,
        label_visibility="collapsed",
        accept_multiple_files=True,
    )
    if not given:
        return
    taken = [_take(file, file.name) for file in sorted(given, key=lambda f: _natural(f.name))]
    st.session_state["_upload"], st.session_state["_upload_more"] = taken[0], tuple(taken[1:])
    st.session_state["_upload_turn"] = turn + 1
    forget_corrections()
    st.rerun()


def drop() -> None:
    """Forget the waiting file and remove it from the disk."""
    for file in waiting():
        file.folder.cleanup()
    st.session_state.pop("_upload", None)
    st.session_state.pop("_upload_more", None)
    forget_corrections()


def forget_corrections() -> None:
    """Let the widgets of the preview start from what is found in the next file."""
    for key in [k for k in st.session_state if str(k).startswith(("read.", "together."))]:
        del st.session_state[key]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """The order in which people number files: 2.csv before 10.csv."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name.casefold()) if part]


def _take(stream: BinaryIO, name: str) -> Upload:
    """Copy in blocks of 1 MB to a file of our own name in a folder that only this user can read.

    Raises:
        DataProblem: the disk has no room for it.
    """
    folder = tempfile.TemporaryDirectory(prefix="andon-upload-")
    path = Path(folder.name) / ("upload.csv.gz" if name.lower().endswith(".gz") else "upload.csv")
    n_bytes = 0
    try:
        with path.open("wb") as out:
            while block := stream.read(_BLOCK):
                n_bytes += out.write(block)
    except OSError as error:
        folder.cleanup()
        raise DataProblem(
            msg("The file '{name}' could not be kept: {reason}.", name=name, reason=error.strerror or "?"),
            msg("Expected room on the disk for a copy of the file."),
            msg("Free some space and upload it again."),
        ) from error
    return Upload(folder, path, name, n_bytes)
