"""The copies of a SQLite store that Andon makes before it changes its tables, and what must be taken out of them later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from core.store.engine import overwrite_deleted, to_json_text

BACKUPS = "backups"


def list_backups(home: Path) -> tuple[Path, ...]:
    """The backups in a store's folder, oldest first; none for a server database, which its keeper backs up."""
    folder = home / BACKUPS
    return tuple(sorted(folder.glob("*.db"))) if folder.is_dir() else ()


def change_backups(
    home: Path, concerns: Callable[[Session], bool], change: Callable[[Session], None]
) -> tuple[int, tuple[str, ...]]:
    """Change the backups that `concerns` answers for; what was deleted is overwritten on the disk.

    Returns:
        How many were changed, and the names of those that could not be opened or changed, which stay as they were.
    """
    n_changed, left = 0, []
    for path in list_backups(home):
        engine = create_engine(f"sqlite:///{path.as_posix()}", json_serializer=to_json_text, poolclass=NullPool)
        event.listen(engine, "connect", overwrite_deleted)
        try:
            with Session(engine) as session, session.begin():
                if concerns(session):
                    change(session)
                    n_changed += 1
        except DatabaseError:
            left.append(path.name)
        finally:
            engine.dispose()
    return n_changed, tuple(left)
