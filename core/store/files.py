"""Files of the store: ids become paths here and nowhere else, and a file is there whole or not at all.

A write goes to a temporary name in the same folder, is flushed and synced, replaces the target, and the folder is
synced (Pillai et al., OSDI 2014). A failed sync is fatal for that file: after it the system may call the pages clean
(Rebello et al., ATC 2020), so nothing is retried.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.durable import sync_folder
from core.errors import StoreProblem
from core.store.problems import disk_full, is_disk_full, not_found, unusable

PLACES: dict[str, tuple[str, str]] = {
    "dataset": ("data", ""),
    "parquet": ("data", "table.parquet"),
    "source": ("data", "source.zst"),
    "rejected": ("data", "rejected.json"),
    "run": ("runs", ""),
    "bundle": ("runs", "bundle"),
    "results": ("runs", "results"),
    "job": ("jobs", ""),
    "log": ("jobs", "worker.log"),
    "checkpoints": ("jobs", "checkpoints"),
    "stop": ("jobs", "stop"),
    "stop_heard": ("jobs", "stop-heard"),
    "report": ("reports", ""),
}
TRASH, SCRATCH, INCOMING = "trash", "tmp", "incoming"
RESERVE_BYTES = 32 * 2**20

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")

Writer = Callable[[BinaryIO], object]


def new_id() -> str:
    """A random id (UUID4) for a row and its files."""
    return str(uuid.uuid4())


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn "no space left" of the system, DuckDB or NumPy into the store's sentence; other errors pass."""
    try:
        yield
    except Exception as error:  # DuckDB's errors are no OSError, and it may not be loaded; what is not a full disk goes on
        if is_disk_full(error):
            raise disk_full() from error
        raise


class Files:
    """The folder of a store."""

    def __init__(self, home: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.home = _private_folder(home)
        self._reserve = reserve_bytes

    def path(self, id: str, kind: str, name: str = "") -> Path:
        """Where an object's file or folder is. It need not exist; its folder is not made.

        Args:
            id: A UUID4 in lower case; nothing else ever becomes part of a path.
            kind: A key of `PLACES`.
            name: A file inside, letters, digits, dot, dash and underscore only, at most 80 characters.

        Raises:
            StoreProblem: not an id, not a plain name, or a link stands in the way.
        """
        folder, inner = PLACES[kind]
        if not _ID.fullmatch(id):
            raise not_found(kind, id)
        if name and not _NAME.fullmatch(name):
            raise not_found("file", name)
        target = self.home.joinpath(folder, id, *(part for part in (inner, name) if part))
        for part in (target, *target.parents):
            if part == self.home:
                break
            if part.is_symlink():
                raise not_found(kind, id)
        if not target.resolve().is_relative_to(self.home):
            raise not_found(kind, id)
        return target

    def need_space(self, n_bytes: int) -> None:
        """Refuse before the work starts when `n_bytes` and a reserve do not fit on the disk.

        Raises:
            StoreProblem: the disk is too full; says what is free and what is needed.
        """
        free = shutil.disk_usage(self.home).free
        if free < n_bytes + self._reserve:
            raise disk_full(free, n_bytes + self._reserve)

    def write_file(self, target: Path, writer: Writer, expected_bytes: int = 0) -> Path:
        """Write a file whole or not at all; `writer` gets the open binary file.

        Raises:
            StoreProblem: the disk is full; the old file, if any, is untouched.
        """
        self._check_inside(target)
        self.need_space(expected_bytes)
        temporary = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex}.tmp")
        try:
            with disk_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("xb") as handle:
                    writer(handle)
                    handle.flush()
                    os.fsync(handle.fileno())
                os.replace(temporary, target)
                sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return target

    def write_bytes(self, target: Path, content: bytes) -> Path:
        """`write_file` for bytes that are already in memory."""
        return self.write_file(target, lambda handle: handle.write(content), len(content))

    def adopt_file(self, temporary: Path, target: Path) -> Path:
        """Take over a finished file written elsewhere in the store (`scratch`): sync it, then move it to its place."""
        self._check_inside(target)
        with disk_errors():
            _sync_file(temporary)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, target)
            sync_folder(target.parent)
        return target

    def adopt_folder(self, temporary: Path, target: Path) -> Path:
        """Take over a finished folder (a bundle): sync each file, then move the folder. A former one goes to the trash."""
        self._check_inside(target)
        with disk_errors():
            for folder, _, names in os.walk(temporary, topdown=False):
                for name in names:
                    _sync_file(Path(folder, name))
                sync_folder(Path(folder))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                self.to_trash(target)
            os.replace(temporary, target)
            sync_folder(target.parent)
        return target

    def secret(self, name: str) -> bytes:
        """A random key of 32 bytes that only this user can read, made at the first call and the same ever after."""
        place = self.home / name
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return place.read_bytes()
        with disk_errors(), os.fdopen(descriptor, "wb") as handle:
            handle.write(os.urandom(32))
            handle.flush()
            os.fsync(handle.fileno())
        sync_folder(self.home)
        return place.read_bytes()

    def incoming(self) -> Path:
        """A private folder for files on their way in, which its maker removes; what a crash leaves is swept after a day."""
        return _private_folder(self.home / INCOMING / new_id())

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder on the store's disk, removed at the end; finished parts leave it by `adopt_…`."""
        folder = _private_folder(self.home / SCRATCH / new_id())
        try:
            with disk_errors():
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def to_trash(self, target: Path) -> None:
        """Move a file or folder to the trash; nothing happens when it is not there."""
        self._check_inside(target)
        if target.exists():
            trash = _private_folder(self.home / TRASH)
            os.replace(target, trash / f"{target.parent.name}-{target.name}-{uuid.uuid4().hex[:8]}")

    def discard(self, target: Path) -> None:
        """Remove a file or folder that no row knows yet, because what it was written for was refused."""
        self._check_inside(target)
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)

    def _check_inside(self, target: Path) -> None:
        if not target.parent.resolve().is_relative_to(self.home):
            raise ValueError(f"{target} is outside the store.")


def _sync_file(path: Path) -> None:
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def _private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may read.

    Raises:
        StoreProblem: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _folder_problem(folder, error) from error
    return folder.resolve()


def _folder_problem(folder: Path, error: OSError) -> StoreProblem:
    return disk_full() if is_disk_full(error) else unusable(folder, error.strerror or str(error))
