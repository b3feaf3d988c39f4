from __future__ import annotations

import os
import time
from collections.abc import Callable

from core.store import DatasetRow, Store, new_id
from core.store.sweep import ORPHAN_SECONDS, TRASH_SECONDS


def test_what_a_crash_left_goes_to_the_trash_after_a_day(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    known, orphan = make_dataset(), new_id()
    store.write_bytes(store.path(orphan, "parquet"), b"x")
    left = store.home / "tmp" / new_id()
    left.mkdir(parents=True)
    assert store.sweep().orphans == ()
    swept = store.sweep(lambda: time.time() + ORPHAN_SECONDS + 60)
    assert swept.orphans == (store.home / "data" / orphan,)
    assert left in swept.removed and not left.exists()
    assert known.path.is_file()
    assert len(list((store.home / "trash").rglob("table.parquet"))) == 1


def test_the_trash_is_emptied_after_a_month(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    store.delete_dataset(make_dataset().id)
    (item,) = (store.home / "trash").iterdir()
    store.sweep()
    assert item.exists()
    past = time.time() - TRASH_SECONDS - 60
    os.utime(item, (past, past))
    store.sweep()
    assert not item.exists()
