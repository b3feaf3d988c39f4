"""A file that verbs of the command line name again is read once: what it gave is found by its path, size, time and content.

The record lies in the folder of the dataset and goes with it. Only what was read with every option left to Andon is found again, at the version that
the import made, and only by the version of Andon that read it, so that a verb on a file says what it would say of a fresh import.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from core import __version__
from core.data.dataset import Dataset
from core.durable import sha256_of
from core.errors import StoreProblem
from core.workflows.datasets import open_dataset
from core.workflows.workspace import Workspace

RECORD = "read-from.json"


def known_import(ws: Workspace, path: Path) -> Dataset | None:
    """The dataset that this file gave before, None where there is none or the file has changed since.

    A path, size and time that stand in a record are asked first, which costs nothing; the content is then hashed all the same, because a file may be written anew
    within the step of the clock (79 MB: 0.06 s, against 1.6 s for reading it).
    """
    if not path.is_file():
        return None
    seen = facts_of(path)
    candidates = [
        (row.id, record)
        for row in ws.store.list_datasets()
        if (record := _record_of(ws, row.id)) is not None and all(record.get(key) == value for key, value in seen.items())
    ]
    if not candidates:
        return None
    digest = sha256_of(path)
    for dataset_id, record in candidates:
        if record.get("sha256") == digest:
            with suppress(StoreProblem):
                found = open_dataset(ws, dataset_id, int(record["dataset_version"]))
                if found.path.is_file():
                    return found
    return None


def remember_import(ws: Workspace, path: Path, dataset: Dataset, seen: dict[str, Any]) -> None:
    """Note from which file a dataset was read.

    Args:
        seen: What `facts_of` said of the file before it was read, so that a file that changed meanwhile is not found again.
    """
    if seen != facts_of(path):
        return
    record = {**seen, "sha256": ws.store.get_dataset(dataset.id).source_sha256, "dataset_version": dataset.version}
    place = ws.store.path(dataset.id, "dataset", RECORD)
    with suppress(StoreProblem):  # a full disk costs the next verb a reading, nothing else
        ws.store.write_bytes(place, json.dumps(record).encode())


def facts_of(path: Path) -> dict[str, Any]:
    """What a record says of a file besides its content: place, size, time of its last change, and who reads it."""
    facts = path.stat()
    return {"path": os.fsdecode(path.resolve()), "size": facts.st_size, "changed_ns": facts.st_mtime_ns, "andon": __version__}


def _record_of(ws: Workspace, dataset_id: str) -> dict[str, Any] | None:
    place = ws.store.path(dataset_id, "dataset", RECORD)
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
