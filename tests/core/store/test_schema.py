from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from core.errors import StoreProblem
from core.store import Store, default_home, open_store, schema
from core.store.engine import BUSY_SECONDS, DATABASE_FILE
from core.store.models import Base

ROOT = Path(__file__).resolve().parents[3]


def test_the_migrations_make_exactly_the_tables_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_newest_migration_is_the_one_that_the_store_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_the_tables_can_be_written_for_postgresql() -> None:
    for table in Base.metadata.sorted_tables:
        assert "sqlite" not in str(CreateTable(table).compile(dialect=postgresql.dialect())).lower()


def test_every_row_has_an_owner_a_workspace_and_a_time() -> None:
    for table in Base.metadata.sorted_tables:
        assert {"owner", "workspace", "created"} <= set(table.columns.keys()), table.name


def test_sqlite_is_opened_with_care(store: Store) -> None:
    with store.engine.connect() as connection:
        read = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")}
        assert read == {"synchronous": 2, "foreign_keys": 1}
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == BUSY_SECONDS * 1000


def test_several_processes_may_open_a_fresh_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from core.store import open_store; open_store(Path(sys.argv[1])).check()"
    home = tmp_path / "home"
    started = [subprocess.Popen([sys.executable, "-c", code, str(home)], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    with open_store(home).engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_a_newer_store_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreProblem, match="newer version of Andon .schema 9999"):
        open_store(store.home)


def test_an_older_store_is_copied_before_it_is_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.submit_job("selftest", lane="short", params={}, token="kept")
    monkeypatch.setattr(schema, "HEAD", "9998")
    monkeypatch.setattr(schema, "_migrate", lambda connection: None)
    schema.bring_up_to_date(store.engine, store.files)
    (copy,) = (store.home / schema.BACKUPS).iterdir()
    with create_engine(f"sqlite:///{copy}").connect() as connection:
        assert connection.execute(text("SELECT token FROM jobs")).scalar() == "kept"


def test_verdicts_of_an_older_store_are_read_with_their_new_states(tmp_path: Path) -> None:
    """A store of schema 0002, in which the form asked for the assignable cause and kept it as the comment."""
    home = tmp_path / "home"
    home.mkdir()
    engine = create_engine(f"sqlite:///{home / DATABASE_FILE}")
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    said = [("real", "seal leak"), ("real", ""), ("sensor_fault", "loose plug"), ("false_alarm", "start-up")]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        owned = "'ann', 'default', '2026-10-01 06:00:00'"
        connection.exec_driver_sql(f"INSERT INTO datasets (id, owner, workspace, created, name) VALUES ('d', {owned}, 'pump')")
        connection.exec_driver_sql(
            "INSERT INTO jobs (id, owner, workspace, created, kind, lane, state, params, priority, token, attempt, stop_requested) "
            f"VALUES ('j', {owned}, 'train', 'short', 'succeeded', '{{}}', 0, 't', 1, 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO runs (id, owner, workspace, created, job_id, dataset_id, dataset_version, name, task, model, request) "
            f"VALUES ('r', {owned}, 'j', 'd', 1, 'run', 'anomaly', 'mahalanobis', '{{}}')"
        )
        for number, (state, comment) in enumerate(said):
            connection.exec_driver_sql(
                "INSERT INTO verdicts (id, owner, workspace, created, run_id, first_row, last_row, verdict, comment) "
                f"VALUES ('v{number}', {owned}, 'r', {number}, {number}, '{state}', '{comment}')"
            )
    engine.dispose()
    read = [(v.verdict, v.cause, v.comment, v.fix, v.assigned_to, v.owner) for v in open_store(home).list_verdicts("r")]
    assert read == [
        ("assignable_cause", "seal leak", "", "", "", "ann"),
        ("assignable_cause", "", "", "", "", "ann"),
        ("sensor_fault", "loose plug", "", "", "", "ann"),
        ("false_alarm", "", "start-up", "", "", "ann"),
    ]
    assert len(list((home / schema.BACKUPS).iterdir())) == 1


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_database_is_named_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / DATABASE_FILE
    file.write_bytes(content)
    with pytest.raises(StoreProblem, match="damaged or is not a database"):
        open_store(tmp_path)
    assert file.read_bytes() == content


def test_a_damaged_page_is_found_by_the_check(store: Store) -> None:
    for number in range(40):
        store.submit_job("selftest", lane="short", params={"text": "x" * 5000}, token=str(number))
    file = store.home / DATABASE_FILE
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\x5a" * 8192
    file.write_bytes(content)
    with pytest.raises(StoreProblem, match="damaged"):
        store.check()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreProblem, match="The store cannot be used"):
        open_store(tmp_path / "file" / "home")


def test_the_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "plant"))
    assert default_home() == tmp_path / "plant"
    monkeypatch.delenv("ANDON_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_home() == tmp_path / "share" / "andon"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_home() == tmp_path / "local" / "Andon"


def test_no_group_of_methods_hides_one_of_another() -> None:
    groups = [group for group in Store.__mro__ if group.__module__.startswith("core.store.") and group is not Store]
    names = [name for group in groups for name in vars(group) if not name.startswith("__")]
    assert sorted(names) == sorted(set(names))
