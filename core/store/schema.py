"""Bringing a store's tables up to this version, once, however many processes open it at the same moment.

The whole migration is one write transaction: a second process waits for the lock, then finds nothing left to do.
Alembic is imported only when there is something to migrate.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from core.store.backups import BACKUPS
from core.store.engine import DATABASE_FILE, now
from core.store.files import Files
from core.store.problems import newer_schema

HEAD = "0003"
MIGRATIONS = Path(__file__).with_name("migrations")


def bring_up_to_date(engine: Engine, files: Files) -> None:
    """Create or migrate the tables.

    Raises:
        StoreProblem: a newer version of Andon wrote the store.
    """
    found = current_revision(engine)
    if found == HEAD:
        return
    if found is not None:
        _check_known(found)
        _backup(engine, files, found)
    with engine.execution_options(andon_write=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7202611)"))
        if _revision(connection) != HEAD:
            _migrate(connection)


def current_revision(engine: Engine) -> str | None:
    """The revision of the tables, or None in an empty database."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _check_known(found: str) -> None:
    if not any(found == file.name.split("_")[0] for file in MIGRATIONS.joinpath("versions").glob("[0-9]*.py")):
        raise newer_schema(found, HEAD)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _backup(engine: Engine, files: Files, found: str) -> None:
    """A copy before the first change of an existing SQLite store. Server databases are backed up by their keeper."""
    if engine.dialect.name != "sqlite":
        return
    folder = files.home / BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{now():%Y%m%dT%H%M%S%f}-schema-{found}-{DATABASE_FILE}"
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("VACUUM INTO ?", (str(target),))
    finally:
        raw.close()
