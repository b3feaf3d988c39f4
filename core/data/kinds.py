"""Text columns → number, time or text: decided on all cells in DuckDB, one expression a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from core.data.cells import is_time
from core.data.dataset import Kind
from core.data.findings import Finding
from core.data.options import ReadOptions
from core.data.staging import Profile, missing_sql, number_sql, profile_numbers, profile_texts, value_sql
from core.data.times import TimeReading, time_readings
from core.messages import Message, msg, msg_n

MOSTLY = 0.9
MAX_MARKERS = 10


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How one column is converted: its kind, the SQL expression, what was noticed, and whether no cell is filled."""

    kind: Kind
    sql: str
    findings: tuple[Finding, ...] = ()
    is_empty: bool = False
    open_day_month: bool = False


def read_kinds(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], numbers: Collection[int], options: ReadOptions
) -> tuple[ColumnReading | None, ...]:
    """The conversion of each column of a staged table.

    Args:
        connection: Where the table can be read.
        table: SQL that names the staged table.
        names: What the columns are called, for findings.
        numbers: The columns that were staged as numbers.
        options: Resolved read options.

    Returns:
        One entry a column; None where a column was staged as a number and is not one: stage it again as text.
    """
    decimal, thousands = options.decimal or ".", options.thousands or ""
    as_numbers = sorted(numbers)
    profiles = profile_numbers(connection, table, as_numbers)
    profiles |= profile_texts(connection, table, [i for i in range(len(names)) if i not in numbers], decimal, thousands)
    return tuple(
        _staged_number(connection, table, i, name, profiles[i])
        if i in numbers
        else _decide(connection, table, i, name, profiles[i], options)
        for i, name in enumerate(names)
    )


def _staged_number(
    connection: duckdb.DuckDBPyConnection, table: str, i: int, name: str, profile: Profile
) -> ColumnReading | None:
    found = _words_found(name, profile)
    if profile.filled == 0:
        return _empty(name, found)
    if profile.codes or profile.big:
        return None
    failed = profile.filled - profile.numbers - profile.infinite
    found += _infinite(name, profile)
    if failed:
        if profile.numbers < MOSTLY * profile.filled:
            return None
        reading = _with_markers(connection, table, f"x{i}", name, "number", f"d{i}", failed)
        return None if reading is None else ColumnReading("number", f"d{i}", (*found, *reading.findings))
    return ColumnReading("number", f"d{i}", tuple(found))


def _empty(name: str, found: list[Finding]) -> ColumnReading:
    empty = Finding("all_missing", msg("Column '{column}' has no values.", column=name), name)
    return ColumnReading("number", "CAST(NULL AS DOUBLE)", (*found, empty), is_empty=True)


def _decide(
    connection: duckdb.DuckDBPyConnection, table: str, i: int, name: str, profile: Profile, options: ReadOptions
) -> ColumnReading:
    column, decimal, thousands = f"c{i}", options.decimal or ".", options.thousands or ""
    found = _words_found(name, profile)
    if profile.filled == 0:
        return _empty(name, found)
    if profile.codes or profile.big:
        if profile.numbers == profile.filled:
            found.append(Finding("kept_as_text", _why_text(name, profile), name, "info"))
    elif profile.numbers + profile.infinite == profile.filled and profile.numbers:
        return ColumnReading("number", _finite(number_sql(column, decimal, thousands)), (*found, *_infinite(name, profile)))
    else:
        reading = _time(connection, table, column, name, profile, options) or _nearly(
            connection, table, column, name, profile, decimal, thousands
        )
        if reading is not None:
            return ColumnReading(reading.kind, reading.sql, (*found, *reading.findings), open_day_month=reading.open_day_month)
    if profile.filled >= 5 and profile.numbers > 0.3 * profile.filled and not (profile.codes or profile.big):
        message = msg(
            "Column '{column}' is kept as text: {numbers} of {filled} cells are numbers.",
            column=name,
            numbers=profile.numbers,
            filled=profile.filled,
        )
        found.append(Finding("mixed", message, name))
    return ColumnReading("text", value_sql(column), tuple(found))


def _finite(expression: str) -> str:
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"


def _words_found(name: str, profile: Profile) -> list[Finding]:
    if not profile.words:
        return []
    message = msg_n(
        "{n} cell in '{column}' holds a word for missing (such as NA, null or -) and counts as empty.",
        "{n} cells in '{column}' hold a word for missing (such as NA, null or -) and count as empty.",
        profile.words,
        column=name,
    )
    return [Finding("missing_words", message, name, "info")]


def _why_text(name: str, profile: Profile) -> Message:
    if profile.big:
        return msg("Column '{column}' holds whole numbers too long for exact arithmetic; it is kept as text.", column=name)
    return msg("Column '{column}' holds codes with leading zeros; it is kept as text.", column=name)


def _infinite(name: str, profile: Profile) -> tuple[Finding, ...]:
    if not profile.infinite:
        return ()
    message = msg_n(
        "{n} cell in '{column}' is infinite and counts as empty.",
        "{n} cells in '{column}' are infinite and count as empty.",
        profile.infinite,
        column=name,
    )
    return (Finding("infinite", message, name),)


def _nearly(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, name: str, profile: Profile, decimal: str, thousands: str
) -> ColumnReading | None:
    """A column of numbers in the other decimal mark, or with a few marker words between the numbers."""
    other = "." if decimal == "," else ","
    if profile.numbers < MOSTLY * profile.filled:
        sql = number_sql(column, other, "")
        n = _count(connection, f"SELECT count(*) FILTER (isfinite({sql})) FROM {table}")
        if n == profile.filled:
            message = msg(
                "Column '{column}' was read with the decimal mark '{mark}', unlike the rest.", column=name, mark=other
            )
            return ColumnReading("number", _finite(sql), (Finding("other_decimal", message, name),))
        return None
    sql = _finite(number_sql(column, decimal, thousands))
    return _with_markers(connection, table, column, name, "number", sql, profile.filled - profile.numbers)


def _with_markers(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, name: str, kind: Kind, sql: str, failed: int
) -> ColumnReading | None:
    """The reading where a few different words ("ERR", "Bad input") stand between values; None where they are many."""
    query = (
        f"SELECT DISTINCT trim({column}) FROM {table} WHERE {sql} IS NULL AND NOT {missing_sql(column)} LIMIT {MAX_MARKERS + 1}"
    )
    words = sorted(str(row[0]) for row in connection.execute(query).fetchall())
    if len(words) > MAX_MARKERS:
        return None
    shown = ", ".join(f"'{w[:30]}'" for w in words[:3])
    message = msg_n(
        "{n} cell in '{column}' is not a value ({examples}) and counts as empty.",
        "{n} cells in '{column}' are not values ({examples}) and count as empty.",
        failed,
        column=name,
        examples=shown,
    )
    return ColumnReading(kind, sql, (Finding("not_a_value", message, name),))


def _time(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, name: str, profile: Profile, options: ReadOptions
) -> ColumnReading | None:
    query = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND NOT {missing_sql(column)} LIMIT 300"
    sample = [str(row[0]) for row in connection.execute(query).fetchall()]
    if sum(map(is_time, sample)) < MOSTLY * len(sample):
        return None
    readings = time_readings(sample, options.day_first)
    if not readings:
        return None
    counts = ", ".join(f"count({r.sql(value_sql(column))})" for r in readings)
    parsed = connection.execute(f"SELECT {counts} FROM {table}").fetchone() or ()
    best = max(range(len(readings)), key=lambda k: (parsed[k], -k))
    if parsed[best] < MOSTLY * profile.filled:
        return None
    findings, still_open = _day_or_month(connection, table, column, name, readings, parsed, profile.filled)
    if still_open is not None:
        best = still_open[0]
    sql = readings[best].sql(value_sql(column))
    if parsed[best] < profile.filled:
        return _with_markers(connection, table, column, name, "time", sql, profile.filled - parsed[best])
    return ColumnReading("time", sql, findings, open_day_month=still_open is not None and still_open[1])


def _day_or_month(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    name: str,
    readings: Sequence[TimeReading],
    parsed: Sequence[int],
    filled: int,
) -> tuple[tuple[Finding, ...], tuple[int, bool] | None]:
    """Where both orders fit: the one in which times never go back; (findings, (reading, still open)) or None."""
    if len(readings) < 2 or parsed[0] != filled or parsed[1] != filled:
        return (), None
    back = [
        _count(
            connection,
            f"SELECT count(*) FROM (SELECT t < lag(t) OVER (ORDER BY r) AS back FROM "
            f"(SELECT file_row_number AS r, {x.sql(value_sql(column))} AS t FROM {table}) WHERE t IS NOT NULL) WHERE back",
        )
        for x in readings
    ]
    same = _count(connection, f"SELECT count(*) FROM {table} WHERE {readings[0].sql(column)} <> {readings[1].sql(column)}") == 0
    if same:
        return (), (0, False)
    if (back[0] == 0) != (back[1] == 0):
        chosen = 0 if back[0] == 0 else 1
        order = msg("day before month") if chosen == 0 else msg("month before day")
        message = msg("Dates in '{column}' were read with {order}: only so do they never go back.", column=name, order=order)
        return (Finding("day_month", message, name, "info"),), (chosen, False)
    return (), (0, True)


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
