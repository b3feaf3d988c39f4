from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from core.errors import StoreProblem
from core.store import DatasetRow, RunRow, Store, new_id, schema, sweep
from core.store.engine import now


def test_a_dataset_comes_back_as_it_was_added(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    added = make_dataset("Pumpe Nr. 3 – 泵")
    found = store.get_dataset(added.id)
    assert found == added
    assert (found.name, found.version, found.n_rows, found.lines) == ("Pumpe Nr. 3 – 泵", 1, 3, {"read": 4})
    assert found.columns[1].upper_limit == 3.0
    assert found.to_dataset().path.read_bytes() == b"PAR1"
    assert found.created.tzinfo is UTC and abs(found.created - now()) < timedelta(minutes=1)


def test_a_row_is_refused_before_its_file(store: Store) -> None:
    with pytest.raises(StoreProblem, match="There is no dataset"):
        store.add_dataset(new_id(), "nothing", n_rows=0, columns=(), sha256="")
    assert store.list_datasets() == ()


def test_other_roles_make_a_new_version_of_the_same_file(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    first = make_dataset()
    second = store.add_version(first.id, [replace(c, role="ignore") for c in first.columns])
    assert (second.version, second.path, second.sha256) == (2, first.path, first.sha256)
    assert store.get_dataset(first.id, 1) == first
    assert [d.version for d in store.list_datasets()] == [2]
    with pytest.raises(StoreProblem, match="There is no dataset"):
        store.get_dataset(first.id, 3)


def test_datasets_are_listed_newest_first_and_renamed(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    one, two = make_dataset("one"), make_dataset("two")
    store.rename_dataset(one.id, "uno")
    assert [d.name for d in store.list_datasets()] == ["two", "uno"]
    assert store.get_dataset(two.id).name == "two"


def test_a_deleted_dataset_is_gone_and_its_files_are_in_the_trash(
    store: Store, make_dataset: Callable[..., DatasetRow]
) -> None:
    row = make_dataset()
    store.delete_dataset(row.id)
    assert store.list_datasets() == ()
    assert not row.path.exists()
    assert [p.name for p in (store.home / "trash").rglob("*.parquet")] == ["table.parquet"]
    with pytest.raises(StoreProblem, match="There is no dataset"):
        store.rename_dataset(row.id, "ghost")


def test_a_dataset_in_use_is_not_deleted(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run()
    with pytest.raises(StoreProblem, match="'pump' is used by a job"):
        store.delete_dataset(run.dataset_id)
    store.request_stop(run.job.id)
    store.delete_dataset(run.dataset_id)
    assert store.get_run(run.id).dataset_name == "pump"


def test_the_newest_recipe_counts(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    row = make_dataset()
    assert store.get_recipe(row.id) is None
    for steps in ([], [{"key": "median_fill"}]):
        store.save_recipe(row.id, {"version": 1, "steps": steps})
    assert store.get_recipe(row.id) == {"version": 1, "steps": [{"key": "median_fill"}]}


def test_a_lost_file_is_shown_as_damaged_and_not_hidden(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    row = make_dataset()
    assert not row.is_damaged
    row.path.unlink()
    assert store.list_datasets()[0].is_damaged


def test_renaming_saving_training_and_reporting_leave_a_trace_of_who_what_and_when(
    store: Store, make_run: Callable[..., RunRow]
) -> None:
    run = make_run(name="night shift")
    dataset = run.dataset_id
    store.rename_dataset(dataset, "pump 3")
    store.rename_dataset(dataset, "pump 3")  # the same name is no change
    store.rename_run(run.id, "day shift")
    recipe = {"version": 2, "steps": [{"key": "median_fill"}, {"key": "one_hot"}]}
    store.save_recipe(dataset, recipe)
    store.save_recipe(dataset, recipe)  # nor is the same recipe
    report = new_id()
    store.write_bytes(store.path(report, "report", "report.html"), b"<html>")
    store.add_report(report, run.id, file="report.html", title="day shift", language="zh", sha256="ab" * 32)
    store.delete_report(report)
    told = [(e.kind, e.action, e.name, dict(e.details)) for e in reversed(store.list_audit(dataset))]
    assert told == [
        ("dataset", "imported", "pump", {"rows": 3}),
        ("run", "started", "night shift", {"task": "anomaly", "model": "dense_autoencoder", "version": 1}),
        ("dataset", "renamed", "pump 3", {"before": "pump"}),
        ("run", "renamed", "day shift", {"before": "night shift"}),
        ("dataset", "recipe_saved", "pump 3", {"steps": 2}),
        ("report", "made", "day shift", {"language": "zh"}),
        ("report", "deleted", "day shift", {}),
    ]
    assert {e.owner for e in store.list_audit()} == {"local"}
    assert all(abs(e.created - now()) < timedelta(minutes=1) for e in store.list_audit())
    assert [e.action for e in store.list_audit(run.id)] == ["deleted", "made", "renamed", "started"]
    assert next(e.sha256 for e in store.list_audit() if e.action == "made") == "ab" * 32


def test_a_run_asked_for_twice_is_told_once(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    dataset = make_dataset()
    asked = {"dataset_id": dataset.id, "dataset_version": 1, "name": "", "task": "anomaly", "model": "lstm", "request": {}}
    for _ in range(2):
        store.add_run(**asked, token="one click")  # type: ignore[arg-type]
    assert [e.action for e in store.list_audit()] == ["started", "imported"]


def test_drafts_and_decisions_go_with_their_dataset(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    gone, kept = make_dataset("gone"), make_dataset("kept")
    for row in (gone, kept):
        store.set_draft(row.id, {"place": 1})
        store.set_left(row.id, "pressure", "drift", True)
    store.delete_dataset(gone.id)
    assert store.get_draft(gone.id) is None and store.list_left(gone.id) == frozenset()
    assert store.get_draft(kept.id) == {"place": 1} and store.list_left(kept.id) == {("pressure", "drift")}
    with pytest.raises(StoreProblem, match="There is no dataset"):
        store.set_draft(gone.id, {"place": 2})  # a second tab that is still open


def test_a_sweep_removes_drafts_that_earlier_versions_left_behind(
    store: Store, make_dataset: Callable[..., DatasetRow]
) -> None:
    gone, kept = make_dataset("gone"), make_dataset("kept")
    store.set_draft(kept.id, {"place": 1})
    store.delete_dataset(gone.id)
    for key in (f"recipe_draft.{gone.id}", f"left:{gone.id}:0a1b"):
        store.set_setting(key, {"column": "pressure"})
    sweep(store)
    assert store.get_setting(f"recipe_draft.{gone.id}") is None and store.get_setting(f"left:{gone.id}:0a1b") is None
    assert store.get_draft(kept.id) == {"place": 1}


def test_a_purge_also_empties_the_backups_that_the_store_made(store: Store, make_run: Callable[..., RunRow]) -> None:
    secret = "vanadium-recipe-7"
    run = make_run(name="first", request={"note": secret})
    store.add_verdict(
        run.id, first_row=0, last_row=1, verdict="open", comment=secret, cause=secret, fix=secret, assigned_to=secret
    )
    store.set_draft(run.dataset_id, {"column": secret})
    other = make_run(name="second", request={"note": "of another dataset"})
    schema._backup(store.engine, store.files, "0001")
    (backup,) = (store.home / "backups").glob("*.db")
    (store.home / "backups" / "20200101-damaged.db").write_bytes(b"no database")
    assert secret.encode() in backup.read_bytes()
    for job in store.list_jobs(["queued"]):
        store.request_stop(job.id)
    done = store.purge_dataset(run.dataset_id)
    assert (done.backups, done.backups_left) == (1, ("20200101-damaged.db",))
    assert secret.encode() not in backup.read_bytes()
    with sqlite3.connect(backup) as copy:
        names = [name for (name,) in copy.execute("SELECT name FROM runs ORDER BY number")]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert names == ["", other.name]
    store.engine.dispose()
    assert b"of another dataset" in (store.home / "andon.db").read_bytes()


def test_what_a_purge_removes_cannot_be_read_out_of_the_database_file(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run(name="first", request={"note": "vanadium-recipe-7" * 20})
    store.request_stop(run.job.id)
    store.purge_dataset(run.dataset_id)
    store.engine.dispose()
    files = [p for p in store.home.glob("andon.db*") if p.is_file()]
    assert files and not any(b"vanadium" in p.read_bytes() for p in files)
