"""What a crash leaves behind: files without a row, and old leftovers of unfinished writes.

Nothing younger than a day is touched, because its row may be about to be written; what has no row goes to the trash,
and the trash is emptied after a month.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, or_, select

from core.store.datasets import DRAFT, LEFT
from core.store.engine import Database
from core.store.files import INCOMING, SCRATCH, TRASH
from core.store.models import DatasetTable, JobTable, ReportTable, RunTable, SettingTable

ORPHAN_SECONDS = 24 * 3600
TRASH_SECONDS = 30 * 24 * 3600
_OWNERS = {"data": DatasetTable, "runs": RunTable, "jobs": JobTable, "reports": ReportTable}


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep moved to the trash and what it removed for good."""

    orphans: tuple[Path, ...]
    removed: tuple[Path, ...]


def sweep(store: Database, clock: Callable[[], float] = time.time) -> Swept:
    """Move old files without a row to the trash; remove old leftovers and what lay a month in the trash.

    Drafts and decisions of deleted datasets go too: earlier versions left them behind.
    """
    _forget_settings(store)
    orphans = tuple(path for folder, table in _OWNERS.items() for path in _orphans(store, folder, table, clock()))
    for path in orphans:
        store.files.to_trash(path)
    left = [path for folder in (SCRATCH, INCOMING) for path in _older(store.home / folder, clock() - ORPHAN_SECONDS)]
    old = [*left, *_older(store.home / TRASH, clock() - TRASH_SECONDS)]
    for path in old:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return Swept(orphans, tuple(old))


def _forget_settings(store: Database) -> None:
    kept = or_(*(SettingTable.key.startswith(prefix, autoescape=True) for prefix in (LEFT, DRAFT)))
    with store.reading() as session:
        gone = set(session.scalars(select(DatasetTable.id).where(DatasetTable.deleted.is_not(None))))
        keys = [key for key in session.scalars(select(SettingTable.key).where(kept)) if _dataset_of(key) in gone]
    if keys:
        with store.writing() as session:
            for start in range(0, len(keys), 500):
                session.execute(delete(SettingTable).where(SettingTable.key.in_(keys[start : start + 500])))


def _dataset_of(key: str) -> str:
    return key.removeprefix(LEFT).removeprefix(DRAFT).partition(":")[0]


def _orphans(store: Database, folder: str, table: type, clock: float) -> list[Path]:
    old = _older(store.home / folder, clock - ORPHAN_SECONDS)
    if not old:
        return []
    with store.reading() as session:
        known = set(session.scalars(select(table.id)))  # type: ignore[attr-defined]
    return [path for path in old if path.name not in known]


def _older(folder: Path, before: float) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.lstat().st_mtime < before)
