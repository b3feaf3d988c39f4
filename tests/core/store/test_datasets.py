from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from core.errors import StoreProblem
from core.store import DatasetRow, RunRow, Store, new_id
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
