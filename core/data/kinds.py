"""Text columns → number, time or text: decided on all cells in DuckDB, one expression a column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from core.data.cells import is_missing, is_number, is_time
from core.data.dataset import Kind
from core.data.findings import Finding, Severity
from core.data.options import ReadOptions
from core.data.signs import SignReading, sign_reading
from core.data.staging import Profile, missing_sql, number_sql, profile_numbers, profile_texts, value_sql
from core.data.times import TimeReading, time_readings, zone_sql
from core.messages import Message, msg, msg_n

MOSTLY = 0.9
MAX_MARKERS = 10
MAX_CELL = 10_000
_MIXED = 0.4
_ENOUGH = 20
_COLUMNS_AT_ONCE = 2_000
_LINES_NAMED = 5


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How one column is converted: its kind, the SQL expression, how many cells of it have a value, what was noticed.

    `signed` is a cell with a percent or currency sign where such cells make the column, `unit` what that sign stands for.
    """

    kind: Kind
    sql: str
    n_values: int
    findings: tuple[Finding, ...] = ()
    is_empty: bool = False
    open_day_month: bool = False
    signed: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged table: where it can be read, SQL that names it, and the physical line of each of its rows (0-based);
    `head` keeps the first cells that were looked at."""

    connection: duckdb.DuckDBPyConnection
    table: str
    line_of: Callable[[int], int]
    head: dict[str, list[str]] = field(default_factory=dict)

    def count(self, condition: str) -> int:
        """Rows that fulfil a condition."""
        row = self.connection.execute(f"SELECT count(*) FILTER ({condition}) FROM {self.table}").fetchone()
        return int(row[0]) if row else 0

    def lines(self, condition: str) -> str:
        """The lines of the first rows that fulfil a condition, as text."""
        query = f"SELECT file_row_number FROM {self.table} WHERE {condition} ORDER BY file_row_number LIMIT {_LINES_NAMED + 1}"
        rows = [self.line_of(int(row[0])) for row in self.connection.execute(query).fetchall()]
        return ", ".join(map(str, rows[:_LINES_NAMED])) + (", …" if len(rows) > _LINES_NAMED else "")

    def sample(self, column: str, n: int = 300) -> list[str]:
        """The first cells that hold something."""
        if not self.head:
            rows = self.connection.execute(f"SELECT * FROM {self.table} LIMIT {n}")
            names = [d[0] for d in rows.description]
            cells = rows.fetchall()
            self.head["is_whole"] = ["yes"] if len(cells) < n else []
            for name, column_cells in zip(names, zip(*cells, strict=True), strict=False):
                self.head[name] = [c for c in column_cells if isinstance(c, str) and not is_missing(c)]
        found = self.head.get(column, [])
        if len(found) < _ENOUGH and not self.head["is_whole"]:
            query = f"SELECT {column} FROM {self.table} WHERE {column} IS NOT NULL AND NOT {missing_sql(column)} LIMIT {n}"
            found = self.head[column] = [str(row[0]) for row in self.connection.execute(query).fetchall()]
        return found


def read_kinds(
    staged: Staged, names: Sequence[str], numbers: Collection[int], options: ReadOptions, *, has_long_cells: bool = False
) -> tuple[ColumnReading | None, ...]:
    """The conversion of each column of a staged table.

    Args:
        staged: The table.
        names: What the columns are called, for findings.
        numbers: The columns that were staged as numbers.
        options: Resolved read options.
        has_long_cells: Whether a cell may be longer than a spreadsheet holds.

    Returns:
        One entry a column; None where a column was staged as a number and is not one: stage it again as text.
    """
    decimal, thousands = options.decimal or ".", options.thousands or ""
    profiles = profile_numbers(staged.connection, staged.table, sorted(numbers))
    texts = [i for i in range(len(names)) if i not in numbers]
    profiles |= profile_texts(staged.connection, staged.table, texts, decimal, thousands)
    readings = tuple(
        _staged_number(staged, i, name, profiles[i]) if i in numbers else _decide(staged, f"c{i}", name, profiles[i], options)
        for i, name in enumerate(names)
    )
    return _with_long_cells(staged, names, readings) if has_long_cells else readings


def _staged_number(staged: Staged, i: int, name: str, profile: Profile) -> ColumnReading | None:
    found = _words_found(staged, f"x{i}", name, profile)
    if profile.filled == 0:
        return _empty(name, found)
    if profile.codes or profile.big:
        return None
    found += _inexact(name, profile)
    failed = profile.filled - profile.numbers - profile.infinite
    found += _infinite(name, profile)
    if failed:
        if profile.numbers < MOSTLY * profile.filled:
            return None
        reading = _with_markers(staged, f"x{i}", name, "number", f"d{i}", profile.numbers, failed)
        return None if reading is None else replace(reading, findings=(*found, *reading.findings))
    return ColumnReading("number", f"d{i}", profile.numbers, tuple(found))


def _empty(name: str, found: list[Finding]) -> ColumnReading:
    empty = Finding("all_missing", msg("Column '{column}' has no values.", column=name), name)
    return ColumnReading("number", "CAST(NULL AS DOUBLE)", 0, (*found, empty), is_empty=True)


def _decide(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> ColumnReading:
    decimal, thousands = options.decimal or ".", options.thousands or ""
    found = _words_found(staged, column, name, profile)
    if profile.filled == 0:
        return _empty(name, found)
    is_code = bool(profile.codes or profile.big)
    if is_code:
        if profile.numbers == profile.filled:
            found.append(Finding("kept_as_text", _why_text(name, profile), name, "warn" if profile.big else "info"))
    elif profile.numbers + profile.infinite == profile.filled and profile.numbers:
        sql = _finite(number_sql(column, decimal, thousands))
        return ColumnReading("number", sql, profile.numbers, (*found, *_infinite(name, profile), *_inexact(name, profile)))
    else:
        reading = (
            _before_comment(staged, column, name, profile, options)
            or _time(staged, column, name, profile, options)
            or _nearly(staged, column, name, profile, decimal, thousands)
            or _signed(staged, column, name, profile, options)
        )
        if reading is not None:
            return replace(reading, findings=(*found, *reading.findings))
    if not is_code:
        found += _mixed(staged, column, name, profile, options)
    return ColumnReading("text", value_sql(column) if profile.words else column, profile.filled, tuple(found))


def _mixed(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> list[Finding]:
    """A column of texts of which many are numbers or dates, with the lines of the others; sentences between them are
    remarks, which nobody takes for faults."""
    filled = f"NOT {missing_sql(column)}"
    if profile.filled >= 3 and profile.numbers >= _MIXED * profile.filled:
        value, n = f"isfinite({number_sql(column, options.decimal or '.', options.thousands or '')})", profile.numbers
    else:
        sample = staged.sample(column)
        readings = time_readings(sample, options.day_first)
        if not readings or sum(map(is_time, sample)) < _MIXED * len(sample):
            return []
        value = f"{readings[0].sql(column)} IS NOT NULL"
        n = staged.count(f"{filled} AND {value}")
        if n < _MIXED * profile.filled:
            return []
    failing = f"{filled} AND NOT coalesce({value}, false)"
    if staged.count(f"{failing} AND (length({column}) > 20 OR contains({column}, chr(10)))"):
        return []
    message = msg(
        "Column '{column}' is kept as text: {numbers} of {filled} cells are numbers or dates, others are in lines {lines}.",
        column=name,
        numbers=n,
        filled=profile.filled,
        lines=staged.lines(failing),
    )
    return [Finding("mixed", message, name)]


def _with_long_cells(
    staged: Staged, names: Sequence[str], readings: tuple[ColumnReading | None, ...]
) -> tuple[ColumnReading | None, ...]:
    """Name the text columns with cells longer than a spreadsheet holds."""
    found = list(readings)
    texts = [i for i, reading in enumerate(readings) if reading is not None and reading.kind == "text"]
    lengths: list[int] = []
    for start in range(0, len(texts), _COLUMNS_AT_ONCE):
        longest = ", ".join(f"coalesce(max(length(c{i})), 0)" for i in texts[start : start + _COLUMNS_AT_ONCE])
        lengths += staged.connection.execute(f"SELECT {longest} FROM {staged.table}").fetchone() or ()
    for i in (i for i, length in zip(texts, lengths, strict=True) if length > MAX_CELL):
        reading = readings[i]
        if reading is None:
            continue
        long = f"length(c{i}) > {MAX_CELL}"
        if n := staged.count(long):
            message = msg_n(
                "{n} cell in '{column}' is longer than {limit} characters (line {lines}).",
                "{n} cells in '{column}' are longer than {limit} characters (lines {lines}).",
                n,
                column=names[i],
                limit=MAX_CELL,
                lines=staged.lines(long),
            )
            found[i] = replace(reading, findings=(*reading.findings, Finding("long_cells", message, names[i])))
    return tuple(found)


def _finite(expression: str) -> str:
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"


def _words_found(staged: Staged, column: str, name: str, profile: Profile) -> list[Finding]:
    """Which words for missing came how often. A dash can mean nothing else; "NA" or "None" may be a value somewhere."""
    if not profile.words:
        return []
    query = f"SELECT trim({column}) AS w, count(*) FROM {staged.table} WHERE {column} IS NOT NULL AND {missing_sql(column)} GROUP BY w ORDER BY 2 DESC, w LIMIT 6"
    words = [(str(w), int(n)) for w, n in staged.connection.execute(query).fetchall()]
    listed = ", ".join(f"'{w}' ({n})" for w, n in words)
    message = msg_n(
        "{n} cell in '{column}' holds a word for missing and counts as empty: {words}.",
        "{n} cells in '{column}' hold a word for missing and count as empty: {words}.",
        profile.words,
        column=name,
        words=listed,
    )
    return [Finding("missing_words", message, name, "info" if all(w in ("-", "") for w, _ in words) else "warn")]


def _inexact(name: str, profile: Profile) -> list[Finding]:
    if not profile.inexact:
        return []
    message = msg_n(
        "{n} number in '{column}' has more digits than can be kept; it was rounded to about 16.",
        "{n} numbers in '{column}' have more digits than can be kept; they were rounded to about 16.",
        profile.inexact,
        column=name,
    )
    return [Finding("inexact", message, name)]


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


def _nearly(staged: Staged, column: str, name: str, profile: Profile, decimal: str, thousands: str) -> ColumnReading | None:
    """A column of numbers in the other decimal mark, or with a few marker words between the numbers."""
    other = "." if decimal == "," else ","
    if profile.numbers < MOSTLY * profile.filled:
        if not all(is_number(c) for c in staged.sample(column)):
            return None
        sql = number_sql(column, other, "")
        n = staged.count(f"isfinite({sql})")
        if n == profile.filled:
            message = msg(
                "Column '{column}' was read with the decimal mark '{mark}', unlike the rest.", column=name, mark=other
            )
            return ColumnReading("number", _finite(sql), n, (Finding("other_decimal", message, name, "info"),))
        return None
    sql = _finite(number_sql(column, decimal, thousands))
    return _with_markers(staged, column, name, "number", sql, profile.numbers, profile.filled - profile.numbers)


def _before_comment(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> ColumnReading | None:
    """In a file with comment lines: a column that is all numbers once the comments behind them are cut off."""
    if not options.comment or not profile.numbers or not any(options.comment in c for c in staged.sample(column)):
        return None
    mark = f"contains({column}, '{options.comment}')"
    bare = f"CASE WHEN {mark} THEN trim(split_part({column}, '{options.comment}', 1)) ELSE {column} END"
    sql = _finite(number_sql(f"({bare})", options.decimal or ".", options.thousands or ""))
    n = staged.count(f"{sql} IS NOT NULL")
    if n + staged.count(f"{mark} AND ({bare}) = ''") < profile.filled:
        return None
    message = msg_n(
        "A comment behind {n} number in '{column}' was left out (line {lines}).",
        "Comments behind {n} numbers in '{column}' were left out (lines {lines}).",
        profile.filled - profile.numbers,
        column=name,
        lines=staged.lines(mark),
    )
    return ColumnReading("number", sql, n, (Finding("comment_behind", message, name),))


def _with_markers(
    staged: Staged, column: str, name: str, kind: Kind, sql: str, n_values: int, failed: int
) -> ColumnReading | None:
    """The reading where a few different words ("ERR", "Bad input") stand between values; None where they are many."""
    failing = f"{sql} IS NULL AND NOT {missing_sql(column)}"
    query = f"SELECT DISTINCT trim({column}) FROM {staged.table} WHERE {failing} LIMIT {MAX_MARKERS + 1}"
    words = sorted(str(row[0]) for row in staged.connection.execute(query).fetchall())
    if len(words) > MAX_MARKERS:
        return None
    message = msg_n(
        "{n} cell in '{column}' is not a value ({examples}; line {lines}) and counts as empty.",
        "{n} cells in '{column}' are not values ({examples}; lines {lines}) and count as empty.",
        failed,
        column=name,
        examples=", ".join(f"'{w[:30]}'" for w in words[:3]),
        lines=staged.lines(failing),
    )
    return ColumnReading(kind, sql, n_values, (Finding("not_a_value", message, name),))


def _signed(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> ColumnReading | None:
    """A column whose cells carry a percent or currency sign or stand in brackets: numbers, where the user says so."""
    if options.signs == "text":
        return None
    reading: SignReading | None = sign_reading(staged.sample(column), options.decimal or ".")
    if reading is None:
        return None
    sql = reading.sql(column)
    n = staged.count(f"isfinite({sql})")
    if n < profile.filled:
        return None
    return ColumnReading("number", _finite(sql), n, signed=reading.example, unit=reading.unit)


def _time(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> ColumnReading | None:
    sample = staged.sample(column)
    if sum(map(is_time, sample)) < MOSTLY * len(sample):
        return None
    readings = time_readings(sample, options.day_first)
    if not readings:
        return None
    counts = ", ".join(f"count({r.sql(value_sql(column))})" for r in readings)
    parsed = staged.connection.execute(f"SELECT {counts} FROM {staged.table}").fetchone() or ()
    best = max(range(len(readings)), key=lambda k: (parsed[k], -k))
    if parsed[best] < MOSTLY * profile.filled:
        return None
    findings, still_open = _day_or_month(staged, column, name, readings, parsed, profile.filled)
    if still_open is not None:
        best = still_open[0]
    sql, zone = _zones(staged, column, name, readings[best])
    if readings[best].is_mixed:
        other = f"{column} IS NOT NULL AND NOT {missing_sql(column)} AND TRY_CAST(trim({column}) AS TIMESTAMP) IS NULL"
        message = msg(
            "Dates in '{column}' are written in several ways; see lines {lines}.", column=name, lines=staged.lines(other)
        )
        findings = (*findings, Finding("mixed_dates", message, name))
    reading = ColumnReading("time", sql, parsed[best], (*findings, *zone))
    if parsed[best] < profile.filled:
        marked = _with_markers(staged, column, name, "time", sql, parsed[best], profile.filled - parsed[best])
        if marked is None:
            return None
        reading = replace(marked, findings=(*reading.findings, *marked.findings))
    return replace(reading, open_day_month=still_open is not None and still_open[1])


def _zones(staged: Staged, column: str, name: str, reading: TimeReading) -> tuple[str, tuple[Finding, ...]]:
    """The expression of a time column: local time as written where it has one offset, UTC where it has several."""
    plain = reading.sql(value_sql(column))
    zone = zone_sql(column)
    rows = staged.connection.execute(f"SELECT DISTINCT {zone} FROM {staged.table} WHERE {zone} <> '' LIMIT 9").fetchall()
    zones = sorted(str(row[0]) for row in rows)
    if not zones:
        return plain, ()
    without = staged.count(f"{plain} IS NOT NULL AND {zone} = ''")
    if len(zones) == 1 and not without:
        message = msg("Times in '{column}' carry the zone {zone}; they are kept as written.", column=name, zone=zones[0])
        return plain, (Finding("time_zone", message, name, "info"),)
    severity: Severity = "warn"
    message = msg(
        "Times in '{column}' are written in several zones ({zones}) and were converted to UTC.",
        column=name,
        zones=", ".join(zones[:5]),
    )
    if without:
        message = msg(
            "Times in '{column}' are written in several zones ({zones}) and were converted to UTC; those without a zone were taken as UTC.",
            column=name,
            zones=", ".join(zones[:5]),
        )
    return reading.utc_sql(value_sql(column)), (Finding("time_zones", message, name, severity),)


def _day_or_month(
    staged: Staged, column: str, name: str, readings: Sequence[TimeReading], parsed: Sequence[int], filled: int
) -> tuple[tuple[Finding, ...], tuple[int, bool] | None]:
    """Where both orders fit: the one in which times never go back; (findings, (reading, still open)) or None."""
    if len(readings) < 2 or parsed[0] != filled or parsed[1] != filled:
        return (), None
    first, second = (x.sql(value_sql(column)) for x in readings[:2])
    if staged.count(f"{first} <> {second}") == 0:
        return (), (0, False)
    if readings[0].is_mixed:
        return (), (0, True)
    back = [_goes_back(staged, x) for x in (first, second)]
    if (back[0] == 0) != (back[1] == 0):
        chosen = 0 if back[0] == 0 else 1
        order = msg("day before month") if chosen == 0 else msg("month before day")
        message = msg("Dates in '{column}' were read with {order}: only so do they never go back.", column=name, order=order)
        return (Finding("day_month", message, name, "info"),), (chosen, False)
    return (), (0, True)


def _goes_back(staged: Staged, time: str) -> int:
    """How often a time is earlier than the one before it."""
    query = (
        f"SELECT count(*) FROM (SELECT t < lag(t) OVER (ORDER BY r) AS back FROM "
        f"(SELECT file_row_number AS r, {time} AS t FROM {staged.table}) WHERE t IS NOT NULL) WHERE back"
    )
    row = staged.connection.execute(query).fetchone()
    return int(row[0]) if row else 0
