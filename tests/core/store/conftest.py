from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.dataset import Column
from core.store import DatasetRow, RunRow, Store, new_id, open_store

COLUMNS = (Column("cycle", "number", "time"), Column("pressure", "number", "sensor", "bar", 1.0, 2.0, 3.0))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "home")


@pytest.fixture
def make_dataset(store: Store) -> Callable[..., DatasetRow]:
    def make(name: str = "pump") -> DatasetRow:
        dataset_id = new_id()
        store.write_bytes(store.path(dataset_id, "parquet"), b"PAR1")
        return store.add_dataset(dataset_id, name, n_rows=3, columns=COLUMNS, sha256="0" * 64, lines={"read": 4})

    return make


@pytest.fixture
def make_run(store: Store, make_dataset: Callable[..., DatasetRow]) -> Callable[..., RunRow]:
    def make(token: str | None = None, **changes: object) -> RunRow:
        values: dict[str, object] = {"name": "first", "task": "anomaly", "model": "dense_autoencoder", "request": {"seed": 7}}
        dataset = make_dataset()
        run, _ = store.add_run(dataset_id=dataset.id, dataset_version=1, token=token, **(values | changes))  # type: ignore[arg-type]
        return run

    return make
