"""The sentences of the store: what it could not keep or find, and the way out."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from core.errors import StoreProblem
from core.messages import msg

DISK_FULL = "disk_full"
NOT_FOUND = "not_found"
BUSY = "busy"
DAMAGED = "damaged"
NEWER = "newer"
IN_USE = "in_use"
UNUSABLE = "unusable"
NAME_TAKEN = "name_taken"

_FULL_ERRNOS = frozenset(code for name in ("ENOSPC", "EDQUOT", "EFBIG") if (code := getattr(errno, name, None)) is not None)
# What libraries say that keep the number to themselves: DuckDB writing, DuckDB moving memory to disk, NumPy's tofile.
_FULL_TEXT = re.compile(
    "|".join(
        [
            *(re.escape(os.strerror(code)) for code in sorted(_FULL_ERRNOS)),
            "max_temp_directory_size",
            r"\d+ requested and \d+ written",
        ]
    )
)

_NAMES = {
    "dataset": msg("dataset"),
    "run": msg("run"),
    "job": msg("job"),
    "report": msg("report"),
    "challenge set": msg("challenge set"),
}


def is_disk_full(error: BaseException) -> bool:
    """Whether the system said that the disk, the quota or the largest file size is used up, itself or through a library.

    DuckDB's errors are no OSError, and some of NumPy's and HDF5's carry no number: those are known by their text.

    Example:
        >>> is_disk_full(OSError(errno.ENOSPC, "")), is_disk_full(OSError("8 requested and 2 written"))
        (True, True)
        >>> is_disk_full(PermissionError(errno.EACCES, "")), is_disk_full(ValueError(os.strerror(errno.ENOSPC)))
        (False, False)
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL_ERRNOS
    is_of_a_writer = isinstance(error, OSError) or type(error).__module__.lstrip("_").startswith("duckdb")
    return is_of_a_writer and _FULL_TEXT.search(str(error)) is not None


def disk_full(free_bytes: int | None = None, needed_bytes: int | None = None) -> StoreProblem:
    """The disk has no room; sizes are shown in MB where they are known."""
    if free_bytes is not None and needed_bytes is not None:
        expected = msg(
            "{free} MB are free, {needed} MB are needed.", free=free_bytes // 2**20, needed=-(-needed_bytes // 2**20)
        )
    else:
        expected = msg("There must be free space on the disk that holds the store, and on that of temporary files.")
    return StoreProblem(
        msg("The disk is full; nothing was saved."),
        expected,
        msg("Free some space, then try again."),
        reason=DISK_FULL,
        free_bytes=free_bytes,
        needed_bytes=needed_bytes,
    )


def not_found(kind: str, wanted: str) -> StoreProblem:
    """No such object, or it was deleted."""
    return StoreProblem(
        msg("There is no {kind} '{id}'.", kind=_NAMES.get(kind, msg("file")), id=wanted[:40]),
        msg("Expected the id of one that exists and is not deleted."),
        msg("Choose one from the list."),
        reason=NOT_FOUND,
        kind=kind,
        id=wanted,
    )


def in_use(name: str) -> StoreProblem:
    """A dataset that a queued or running job still reads."""
    return StoreProblem(
        msg("'{name}' is used by a job that has not ended.", name=name),
        msg("Expected no queued or running job on it."),
        msg("Stop the job or wait for its end, then delete."),
        reason=IN_USE,
    )


def name_taken(name: str) -> StoreProblem:
    """A challenge set of this dataset that counts has the name."""
    return StoreProblem(
        msg("There is a challenge set '{name}' already.", name=name),
        msg("A name tells sets apart."),
        msg("Choose another one, or withdraw that set."),
        reason=NAME_TAKEN,
    )


def newer_schema(found: str, known: str) -> StoreProblem:
    """The store was written by a later version of Andon."""
    return StoreProblem(
        msg("The store was written by a newer version of Andon (schema {found}).", found=found),
        msg("This version reads up to schema {known}.", known=known),
        msg("Update Andon, or start it with another ANDON_HOME."),
        reason=NEWER,
    )


def damaged(where: Path | str) -> StoreProblem:
    """The database file cannot be read."""
    return StoreProblem(
        msg("The store's database is damaged or is not a database: {where}.", where=str(where)),
        msg("Expected a database that Andon wrote."),
        msg("Put back the newest file from the folder 'backups' under the name 'andon.db'."),
        reason=DAMAGED,
    )


def unusable(where: Path | str, detail: str) -> StoreProblem:
    """The store's folder or database cannot be opened or written."""
    return StoreProblem(
        msg("The store cannot be used: {detail}.", detail=detail),
        msg("Expected to be able to read and write {where}.", where=str(where)),
        msg("Check the rights and the disk, or set ANDON_HOME to another folder."),
        reason=UNUSABLE,
    )


def busy() -> StoreProblem:
    """Other processes kept the database locked for longer than the waiting time."""
    return StoreProblem(
        msg("The store was busy for too long."),
        msg("Expected it to be free within 10 seconds."),
        msg("Try again."),
        reason=BUSY,
    )


def from_database(error: DBAPIError, where: Path | str) -> StoreProblem:
    """The sentence for an error that the database driver raised."""
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    if name == "SQLITE_FULL":
        return disk_full()
    if name in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
        return damaged(where)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy()
    return unusable(where, str(error.orig).splitlines()[0][:200] if str(error.orig) else type(error.orig).__name__)
