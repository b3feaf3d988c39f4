"""Which way of putting files together is offered first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import Problem
from core.workflows.apart import open_file, preview_table

MOST_BYTES = 50_000_000
SHARED = 0.5


def columns_differ(paths: Sequence[Path], folder: Path, names: Sequence[str]) -> bool:
    """Whether fewer than half of all columns are in every file, so that the files are parts of one row and not more rows.

    Of files that are large together, or that cannot be opened yet, this is not asked: False.

    Args:
        folder: Where what comes out of workbooks is put.
        names: What the files are called.
    """
    if len(paths) < 2 or sum(path.stat().st_size for path in paths) > MOST_BYTES:
        return False
    try:
        found = [
            set(preview_table(open_file(path, folder, source_name=name)).names) for path, name in zip(paths, names, strict=True)
        ]
    except Problem:
        return False
    return len(set.intersection(*found)) < SHARED * len(set.union(*found))
