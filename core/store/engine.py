"""The database: how it is opened, how a transaction is held, how times and JSON go in and out.

SQLite keeps one file for all processes: full sync, foreign keys on, ten seconds of patience, the rollback journal
below SQLite 3.51.3 (its write-ahead log could lose its place before), and every write transaction takes its lock at
the start, because a read that turns into a write fails at once however long one is willing to wait.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psutil
from sqlalchemy import Connection, CursorResult, Engine, Update, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from core.store.files import Files
from core.store.problems import from_database

DATABASE_FILE = "andon.db"
WAL_SINCE = (3, 51, 3)
BUSY_SECONDS = 10
_LOCAL_FILE_SYSTEMS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "apfs", "hfs", "ntfs", "refs"})


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def make_engine(home: Path, url: str | None) -> Engine:
    """The engine of a store; it connects at the first use, so it may be made before a process is started."""
    target = url or f"sqlite:///{(home / DATABASE_FILE).as_posix()}"
    if not target.startswith("sqlite"):
        return create_engine(target, json_serializer=to_json_text, pool_pre_ping=True)
    engine = create_engine(target, json_serializer=to_json_text, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "connect", overwrite_deleted)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def to_json_text(value: object) -> str:
    """JSON for a column. NaN and infinities become null, NumPy numbers become numbers."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def set_journal(engine: Engine, home: Path) -> None:
    """Choose the journal once a store is opened; the write-ahead log only where it is safe."""
    if engine.dialect.name != "sqlite":
        return
    safe = sqlite3.sqlite_version_info >= WAL_SINCE and is_local(home)
    wanted = "wal" if safe else "delete"
    with engine.connect() as connection:
        # Through the driver's cursor: the journal cannot be changed inside the transaction that SQLAlchemy would begin.
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA journal_mode")
        (current,) = cursor.fetchone() or ("",)
        if current != wanted:
            cursor.execute(f"PRAGMA journal_mode={wanted}")


def is_local(folder: Path) -> bool:
    """Whether a folder is on a file system of this machine that is known to lock properly."""
    best, kind = -1, ""
    for mount in psutil.disk_partitions(all=True):
        if folder.is_relative_to(mount.mountpoint) and len(mount.mountpoint) > best:
            best, kind = len(mount.mountpoint), mount.fstype.lower()
    return kind in _LOCAL_FILE_SYSTEMS


class Database:
    """One open store, in one process: the engine, the files, and whose rows are read and written."""

    def __init__(self, engine: Engine, files: Files, owner: str, workspace: str) -> None:
        self.engine, self.files, self.owner, self.workspace = engine, files, owner, workspace
        self._writer = engine.execution_options(andon_write=True)

    @property
    def home(self) -> Path:
        """The folder that holds everything."""
        return self.files.home

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A short read-only transaction: one consistent view."""
        with self._problems(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A short write transaction; commits at the end, rolls back on any error."""
        with self._problems(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def owned(self) -> dict[str, Any]:
        """The columns that every new row carries."""
        return {"owner": self.owner, "workspace": self.workspace, "created": now()}

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise from_database(error, self.home / DATABASE_FILE) from error


def rows_changed(session: Session, change: Update) -> int:
    """Run an UPDATE and say how many rows it changed: the answer to a compare-and-set."""
    return cast("CursorResult[Any]", session.execute(change)).rowcount


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def overwrite_deleted(connection: sqlite3.Connection, _record: object) -> None:
    """What is deleted or emptied is overwritten with zeros, so that it cannot be read out of the file afterwards."""
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("andon_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        return _finite(value.item())
    return value
