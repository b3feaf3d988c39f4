"""The store: the only writer of files and SQL.

One folder (`ANDON_HOME`) holds the files by id; one database, SQLite in that folder or PostgreSQL by URL, holds the
rows. A file is written first and its row second, a deletion goes the other way, so that a crash leaves at most a file
that nobody knows, never a row that points at nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from core.store.audit import AuditEntry
from core.store.challenges import ChallengeStore
from core.store.datasets import DatasetStore
from core.store.engine import DATABASE_FILE, make_engine, set_journal
from core.store.files import Files, Writer, new_id
from core.store.models import DEFAULT_WORKSPACE, LOCAL_OWNER
from core.store.problems import damaged, from_database
from core.store.purge import MadeFrom, PurgeStore
from core.store.records import DatasetRow, EventRow, JobRow, JobState, Lane, ReportRow, RunRow, VerdictRow
from core.store.relabels import RelabelStore
from core.store.reports import ReportStore
from core.store.runs import RunStore
from core.store.schema import bring_up_to_date
from core.store.sweep import Swept, sweep

__all__ = [
    "AuditEntry",
    "DatasetRow",
    "EventRow",
    "JobRow",
    "JobState",
    "Lane",
    "MadeFrom",
    "ReportRow",
    "RunRow",
    "Store",
    "Swept",
    "VerdictRow",
    "default_home",
    "new_id",
    "open_store",
]


class Store(DatasetStore, RunStore, ReportStore, PurgeStore, ChallengeStore, RelabelStore):
    """Everything that is kept. Its methods stand by table in the modules of this package; callers hold one object."""

    def path(self, id: str, kind: str, name: str = "") -> Path:
        """Where an object's file or folder is; see `Files.path` for the rules and `files.PLACES` for the kinds."""
        return self.files.path(id, kind, name)

    def write_file(self, target: Path, writer: Writer, expected_bytes: int = 0) -> Path:
        """Write a file whole or not at all."""
        return self.files.write_file(target, writer, expected_bytes)

    def write_bytes(self, target: Path, content: bytes) -> Path:
        """Write bytes whole or not at all."""
        return self.files.write_bytes(target, content)

    def adopt_file(self, temporary: Path, target: Path) -> Path:
        """Move a finished file from `scratch` to its place."""
        return self.files.adopt_file(temporary, target)

    def adopt_folder(self, temporary: Path, target: Path) -> Path:
        """Move a finished folder from `scratch` to its place."""
        return self.files.adopt_folder(temporary, target)

    def scratch(self) -> AbstractContextManager[Path]:
        """A private temporary folder on the store's disk."""
        return self.files.scratch()

    def discard(self, target: Path) -> None:
        """Remove what was written for something that was then refused."""
        self.files.discard(target)

    def need_space(self, n_bytes: int) -> None:
        """Refuse before the work starts when the disk has no room for `n_bytes`."""
        self.files.need_space(n_bytes)

    def sweep(self, clock: Callable[[], float] | None = None) -> Swept:
        """Tidy up after crashes; called when the server starts."""
        return sweep(self) if clock is None else sweep(self, clock)

    def check(self) -> None:
        """Look whether the database is sound (SQLite's quick check).

        Raises:
            StoreProblem: it is damaged.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.reading() as session:
            answer = session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if answer != "ok":
            raise damaged(self.home / DATABASE_FILE)


def open_store(home: Path | None = None, database_url: str | None = None) -> Store:
    """Open the store, make or migrate it when needed; safe when several processes do so at once.

    Args:
        home: The folder; default `ANDON_HOME`, else the user's data folder.
        database_url: An SQLAlchemy URL; default `ANDON_DATABASE_URL`, else SQLite in the folder.

    Raises:
        StoreProblem: it cannot be read or written, is damaged, or a newer version wrote it.
    """
    files = Files(home or default_home())
    engine = make_engine(files.home, database_url or os.environ.get("ANDON_DATABASE_URL") or None)
    try:
        set_journal(engine, files.home)
        bring_up_to_date(engine, files)
    except DatabaseError as error:
        raise from_database(error, files.home / DATABASE_FILE) from error
    return Store(engine, files, LOCAL_OWNER, DEFAULT_WORKSPACE)


def default_home() -> Path:
    """`ANDON_HOME`, or the folder in which this system keeps a user's data."""
    if named := os.environ.get("ANDON_HOME"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Andon"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Andon"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "andon"
