"""What a store holds, counted from outside: for tests that say "nothing was kept"."""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = ("datasets", "dataset_versions", "runs", "jobs", "reports")


def stored(home: Path) -> dict[str, object]:
    """The files below data, runs, reports and tmp, and the number of rows of each table; all empty for an empty store."""
    files = [p for part in ("data", "runs", "reports", "tmp") for p in (home / part).rglob("*") if p.is_file()]
    database = home / "andon.db"
    rows = {}
    if database.exists():
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
        finally:
            connection.close()
    return {"files": sorted(str(p.relative_to(home)) for p in files), "rows": rows or dict.fromkeys(TABLES, 0)}


NOTHING: dict[str, object] = {"files": [], "rows": dict.fromkeys(TABLES, 0)}
