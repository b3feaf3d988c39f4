"""Two detectors of delimiters that know nothing of each other: DuckDB's sniffer and CleverCSV."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import duckdb

_LINES = 200
_CHARACTERS = 20_000
_REFEREE_LINES = 60
_REFEREE_CHARACTERS = 4_000  # CleverCSV looks at every pattern of a line: 20,000 characters cost seconds.


def ask_duckdb(lines: Sequence[str]) -> str | None:
    """The delimiter that DuckDB's sniffer finds, "" for one column, None where it finds none."""
    text = _beginning(lines, _LINES, _CHARACTERS)
    handle, path = tempfile.mkstemp(suffix=".csv")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as out:
            out.write(text + "\n")
        with duckdb.connect(config={"threads": 1}) as connection:
            row = connection.execute("SELECT delimiter, len(columns) FROM sniff_csv(?)", [path]).fetchone()
    except duckdb.Error:
        return None
    finally:
        os.unlink(path)
    if row is None:
        return None
    # Rows of several widths make DuckDB fall back to one column, cut by a character that does not occur: no opinion.
    return str(row[0]) if row[1] > 1 else None if row[0] not in text and row[0] != "," else ""


def ask_clevercsv(lines: Sequence[str]) -> str | None:
    """The delimiter that CleverCSV finds, "" for one column, None where it finds none."""
    from clevercsv import Sniffer
    from clevercsv.exceptions import NoDetectionResult

    text = _beginning(lines, _REFEREE_LINES, _REFEREE_CHARACTERS)
    try:
        found = Sniffer().sniff(text)
    except (NoDetectionResult, AttributeError, ValueError, RecursionError):
        return None  # AttributeError is how version 0.8 says that it found nothing.
    return None if found is None else str(found.delimiter or "")


def _beginning(lines: Sequence[str], most_lines: int, most_characters: int) -> str:
    """Whole lines up to a number of characters, or the first part of the first line."""
    taken: list[str] = []
    size = 0
    for line in lines[:most_lines]:
        size += len(line) + 1
        if size > most_characters and taken:
            break
        taken.append(line[:most_characters])
    return "\n".join(taken)
