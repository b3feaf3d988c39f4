"""What the first rows of a plain file promise: which columns are numbers, which are times, and how a strict cast says so."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from core.data.cells import is_time
from core.data.staging import SAMPLE_ROWS, Profile, profile_texts
from core.data.times import time_readings

_FEW = 0.4
_ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?"
_SECONDS = "????-??-??[ T][0-9][0-9]:[0-9][0-9]:[0-9][0-9]"


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The 0-based columns of numbers, those of whole numbers among them, and those of times; all others are texts."""

    numbers: frozenset[int]
    whole: frozenset[int]
    times: frozenset[int]


def look_at_first_rows(
    connection: duckdb.DuckDBPyConnection, source: str, width: int, day_first: bool | None
) -> FirstRows | None:
    """The kinds of the first 10,000 rows, which stay in the temporary table `first_rows`.

    Args:
        source: A relation for FROM with the text columns c0, c1, … of the whole file.
        width: The number of its columns.
        day_first: What is known of the order in dates.

    Returns:
        None where a column is neither plainly numbers nor plainly times or texts.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE first_rows AS SELECT * FROM {source} LIMIT {SAMPLE_ROWS}")
    numbers, whole, times = set(), set(), set()
    for i, profile in profile_texts(connection, "first_rows", list(range(width)), ".", "").items():
        if _is_numbers(profile):
            numbers.add(i)
            if _count(connection, f"contains(c{i}, '.')") == 0:
                whole.add(i)
        elif _is_iso_times(connection, i, profile, day_first):
            times.add(i)
        elif profile.words or (profile.numbers > _FEW * profile.filled and not profile.codes):
            return None
    return FirstRows(frozenset(numbers), frozenset(whole), frozenset(times))


def strict_time_sql(cell: str) -> str:
    """A cell as TIMESTAMP; an error where it is no date, alone or with hours and minutes, seconds, and decimals of them.

    What else a cast to a TIMESTAMP takes it drops silently: a zone, or the PM behind an hour.
    """
    fits = f"{cell} GLOB '{_SECONDS}' OR ({_clock_sql(cell)})"  # The first is quick, and mostly enough.
    return f"CASE WHEN {cell} IS NULL THEN NULL WHEN {fits} THEN CAST({cell} AS TIMESTAMP) ELSE error('time') END"


def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    row = connection.execute(f"SELECT count(*) FILTER ({condition}) FROM first_rows").fetchone()
    return int(row[0]) if row else 0


def _is_numbers(profile: Profile) -> bool:
    """All sampled cells are plain numbers, or there are none: what comes later must convert as well."""
    odd = profile.words or profile.codes or profile.big or profile.infinite or profile.inexact
    return not odd and profile.numbers == profile.filled


def _is_iso_times(connection: duckdb.DuckDBPyConnection, i: int, profile: Profile, day_first: bool | None) -> bool:
    """Whether all sampled cells of a column are times with the year in front, which leaves no choice."""
    rows = connection.execute(f"SELECT c{i} FROM first_rows WHERE c{i} IS NOT NULL LIMIT 300").fetchall()
    cells = [str(row[0]) for row in rows]
    if not cells or profile.words or not all(map(is_time, cells)):
        return False
    readings = time_readings(cells, day_first)
    if len(readings) != 1 or readings[0].is_mixed or not readings[0].is_iso:
        return False
    return _count(connection, f"c{i} IS NOT NULL AND NOT regexp_full_match(c{i}, '{_ISO}')") == 0


def _clock_sql(cell: str) -> str:
    return (
        f"{cell}[8] = '-' AND {cell}[-1] BETWEEN '0' AND '9' AND (length({cell}) = 10 OR ({cell}[14] = ':' AND (length({cell}) = 16 "
        f"OR ({cell}[17] = ':' AND (length({cell}) = 19 OR (length({cell}) BETWEEN 21 AND 26 AND {cell}[20] = '.' "
        f"AND regexp_full_match({cell}[21:], '[0-9]+')))))))"
    )
