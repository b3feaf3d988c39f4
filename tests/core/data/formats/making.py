"""Files that the tests of formats make for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from core.data.formats.opening import open_source, read_opened
from core.data.formats.records import Opened, SourceOptions
from core.data.options import Reading, ReadOptions


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], **options: Any) -> Path:
    """A workbook with plain cells."""
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss", **options})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
    book.close()
    return path


def read_any(
    path: Path, folder: Path, read: ReadOptions | None = None, **source: Any
) -> tuple[Opened, Reading, list[tuple[Any, ...]]]:
    """Open and read a file here, without a child: what was opened, the reading, and all rows."""
    place = folder / "opened"
    place.mkdir()
    opened = open_source(str(path), str(place), SourceOptions(**source), path.name)
    table = folder / "table.parquet"
    reading = read_opened(opened, str(table), read)
    return opened, reading, rows_of(table)


def rows_of(table: Path) -> list[tuple[Any, ...]]:
    """All rows of a Parquet file, in order."""
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM read_parquet('{table}')").fetchall()


def codes(reading: Reading) -> set[str]:
    """The codes of the findings."""
    return {f.code for f in reading.findings}


def said(reading: Reading, code: str) -> str:
    """The sentence of the first finding of that code."""
    return next(str(f.message) for f in reading.findings if f.code == code)
