"""The messy-csv collection: its files, what others expect of them, and how Andon reads one of them."""

from __future__ import annotations

import csv
import json
import re
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from core.data.options import OddRow
from core.data.reading import Reading, read_file
from core.errors import Problem

Cell = str | None
Table = list[tuple[Cell, ...]]
_STRUCTURE = frozenset({"blank-label", "duplicate-label", "missing-cell", "extra-cell", "blank-row"})


@dataclass(frozen=True)
class Read:
    """How one file was read: its reading, or the sentence of its refusal, or the traceback of a fault."""

    file: str
    outcome: str
    seconds: float
    reading: Reading | None = None
    rows: tuple[tuple[object, ...], ...] = ()
    said: str = ""
    fault: str = ""
    refused: tuple[OddRow, ...] = ()

    @property
    def odd_rows(self) -> tuple[OddRow, ...]:
        """The rows that were not loaded, also those of a file that was refused."""
        return self.reading.rejected if self.reading else self.refused

    @property
    def names(self) -> tuple[str, ...]:
        """The column names of the table."""
        return tuple(c.name for c in self.reading.columns) if self.reading else ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """number, text or time of each column."""
        return tuple(c.kind for c in self.reading.columns) if self.reading else ()

    @property
    def codes(self) -> frozenset[str]:
        """The findings' codes."""
        return frozenset(f.code for f in self.reading.findings) if self.reading else frozenset()

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions' codes."""
        return tuple(q.code for q in self.reading.questions) if self.reading else ()


def read_one(root: Path, file: str, folder: Path) -> Read:
    """Read one file of the collection with default options."""
    parquet = folder / "table.parquet"
    parquet.unlink(missing_ok=True)
    start = time.process_time()
    try:
        reading = read_file(root / file, parquet)
    except Problem as problem:
        stored = " A file was left behind." if parquet.exists() else ""
        refused = problem.values.get("rejected", ())
        return Read(file, "reject", time.process_time() - start, said=str(problem) + stored, refused=refused)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - any fault is what the collection is there to find
        return Read(file, "fault", time.process_time() - start, fault=traceback.format_exc())
    seconds = time.process_time() - start
    table = pq.read_table(parquet)
    rows = tuple(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return Read(file, reading.outcome, seconds, reading, rows)


@dataclass(frozen=True)
class Corpus:
    """The collection's files and the expectations beside them."""

    root: Path

    @cached_property
    def files(self) -> list[str]:
        return [row["file"] for row in _csv(self.root / "MANIFEST.csv")]

    @cached_property
    def proposed(self) -> dict[str, dict[str, str]]:
        """The proposed outcome and check of 129 files."""
        return {row["file"]: row for row in _csv(self.root / "PROPOSED_OUTCOMES.csv")}

    @cached_property
    def read_by_duckdb(self) -> list[str]:
        """The files whose DuckDB test reads rows with default options."""
        facts = json.loads((self.root / "duckdb" / "EXPECTED_duckdb_tests.json").read_text(encoding="utf-8"))
        return sorted(
            f"duckdb/{file}"
            for file, fact in facts.items()
            if any(a["expect"] == "rows" and not a["options"] for a in fact["assertions"])
        )

    def frictionless(self) -> dict[str, list[tuple[int | None, int | None, str]]]:
        """File → the (row, field, error) facts of frictionless's tests of files as they are: no schema, no added check."""
        facts = json.loads((self.root / "frictionless" / "EXPECTED_frictionless_tests.json").read_text(encoding="utf-8"))
        found: dict[str, set[tuple[int | None, int | None, str]]] = {}
        for file, tests in facts.items():
            for test in tests:
                if test["fields"] != '["rowNumber", "fieldNumber", "type"]' or test["checks_or_options"]:
                    continue
                for row, field, kind in re.findall(r'\[(None|\d+), (None|\d+), "([a-z-]+)"\]', test["expected_errors"]):
                    if kind in _STRUCTURE and file != "table.csv":  # Facts about table.csv are about texts beside it.
                        found.setdefault(file, set()).add((_int(row), _int(field), kind))
        return {f"frictionless/{file}": sorted(errors, key=str) for file, errors in found.items()}


def duckdb_rows(path: Path) -> tuple[list[str], Table] | None:
    """The names and rows that DuckDB's reader gives with default options, everything as text; None where it fails."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        try:
            relation = connection.execute("SELECT * FROM read_csv(?)", [_escaped(path)])
            names = [d[0] for d in relation.description]
            texts = ", ".join('CAST("' + n.replace('"', '""') + '" AS VARCHAR)' for n in names)
            rows = connection.execute(f"SELECT {texts} FROM read_csv(?)", [_escaped(path)]).fetchall()
        except duckdb.Error:
            return None
    return names, rows


def same_rows(ours: Sequence[Sequence[object]], theirs: Sequence[Sequence[object]]) -> bool:
    """Whether two tables hold the same values, whatever their spelling."""
    return len(ours) == len(theirs) and all(
        len(a) == len(b) and all(map(_same, a, b)) for a, b in zip(ours, theirs, strict=True)
    )


def _same(ours: object, theirs: object) -> bool:
    if isinstance(ours, datetime):
        return any(ours == t for t in _times(str(theirs).strip()))
    x, y = _value(ours), _value(theirs)
    if isinstance(x, float) and isinstance(y, float):
        return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y))
    return x == y


def _value(cell: object) -> object:
    """A number or a text without zero characters; None for what means nothing."""
    if cell is None or isinstance(cell, float):
        return None if cell is None or cell != cell else cell
    text = str(cell).replace("\x00", "").strip()
    if text.lower() in ("", "null", "na", "n/a", "nan", "none", "-"):
        return None
    try:
        return float(text)
    except ValueError:
        return text.lower() if text.lower() in ("true", "false") else text


def _times(text: str) -> Iterator[datetime]:
    """What a text may say as a time: as written, and in UTC where it names its zone."""
    for bare in (text, text.replace("/", "-").replace(".", "-", 2)):
        zoned = re.sub(r" ?(UTC|Z)$", "+00:00", re.sub(r" ?EST$", "-05:00", re.sub(r"([+-]\d\d)$", r"\1:00", bare)))
        for written in (bare, zoned):
            try:
                read = datetime.fromisoformat(written)
            except ValueError:
                continue
            yield read.replace(tzinfo=None)
            yield (read - (read.utcoffset() or timedelta())).replace(tzinfo=None)
    for spelling in ("%d-%m-%Y %H:%M:%S", "%Y/%m/%d %I:%M:%S %p", "%m/%d/%Y", "%d.%m.%y"):
        try:
            yield datetime.strptime(text, spelling)
        except ValueError:
            continue


def _escaped(path: Path) -> str:
    """A path without glob characters."""
    return re.sub(r"([\[\]*?])", r"[\1]", str(path))


def _int(text: str) -> int | None:
    return None if text == "None" else int(text)


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
