"""Several files → one dataset: made in a child process, shown, then stored as it is with all the originals."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.data.dataset import Column
from core.data.formats.records import SourceOptions
from core.data.options import ReadOptions
from core.workflows.apart import Cancelled, Prepared, Progress, expected_bytes, prepare_files
from core.workflows.datasets import checked_name
from core.workflows.importing import SPACE_FACTOR, Imported, stem_of, stored, treated, unstored
from core.workflows.originals import hash_of_all, keep_originals, plain_name
from core.workflows.privacy import Treatment
from core.workflows.workspace import Workspace

MAX_SOURCE_NAME = 300


def import_files(
    ws: Workspace,
    paths: Sequence[Path],
    *,
    names: Sequence[str] | None = None,
    name: str | None = None,
    options: ReadOptions | None = None,
    source: SourceOptions | None = None,
    columns: Sequence[Column] | None = None,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    privacy: Mapping[str, Treatment] | None = None,
) -> Imported:
    """Read several files into one new dataset, stacked, joined or turned long as `source.combine` says.

    Args:
        names: What the files are called; their paths by default.
        prepared: What `prepare_files` made of them and somebody has looked at: stored as it is.
        privacy: Columns that are hashed or dropped before anything is stored; the original files are then not kept.

    Raises:
        DataProblem: a file cannot be read, or they do not go together.
        StoreProblem: the disk is full.
    """
    called = [plain_name(n) for n in names or [p.as_posix() for p in paths]]
    stem = stem_of(called[0].rpartition("/")[2])
    title = checked_name(name or (f"{stem} + {len(called) - 1}" if len(called) > 1 else stem))
    ws.store.need_space(SPACE_FACTOR * sum(expected_bytes(p) for p in paths if p.is_file()))
    with ws.store.scratch() as folder:
        made = prepared or prepare_files(
            paths, folder, names=called, options=options, source=source, progress=progress, cancelled=cancelled
        )
        reading = made.combination.reading
        imported = replace(unstored(reading, made.combination.source), unmatched=made.combination.unmatched)
        if reading.outcome == "ask":
            return imported
        table = folder / "table.parquet"
        shutil.copyfile(made.table, table)
        if privacy:
            reading, table = treated(ws, reading, table, privacy)
            imported = replace(imported, findings=reading.findings, rejected=(), repaired=())
        original = None if privacy else keep_originals(paths, called, folder)
        kept = (original, hash_of_all(paths), ", ".join(called)[:MAX_SOURCE_NAME])
        return stored(ws, title, table, reading, imported, kept, columns, privacy)
