"""Text columns → number, time or text: decided on all cells in DuckDB, one expression a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from core.data.cells import is_number, is_time
from core.data.column_reading import MOSTLY, ColumnReading, Staged, with_markers
from core.data.exponents import code_reading, doubtful_numbers
from core.data.findings import Finding
from core.data.options import ReadOptions
from core.data.signs import SignReading, sign_reading
from core.data.staging import Profile, missing_sql, number_sql, profile_numbers, profile_texts, value_sql
from core.data.time_columns import time_reading
from core.data.times import time_readings
from core.messages import Message, msg, msg_n

MAX_CELL = 10_000
_MIXED = 0.4
_COLUMNS_AT_ONCE = 2_000


def read_kinds(
    staged: Staged,
    names: Sequence[str],
    numbers: Collection[int],
    options: ReadOptions,
    *,
    has_long_cells: bool = False,
    columns: Sequence[int] | None = None,
) -> tuple[ColumnReading | None, ...]:
    """The conversion of each column of a staged table.

    Args:
        staged: The table.
        names: What the columns are called, for findings.
        numbers: The columns that were staged as numbers.
        options: Resolved read options.
        has_long_cells: Whether a cell may be longer than a spreadsheet holds.
        columns: The columns that are asked about; all by default.

    Returns:
        One entry a column asked about; None where a column was staged as a number and is not one: stage it again as text.
    """
    decimal, thousands = options.decimal or ".", options.thousands or ""
    wanted = range(len(names)) if columns is None else columns
    profiles = profile_numbers(staged.connection, staged.table, sorted(numbers))
    texts = [i for i in wanted if i not in numbers]
    profiles |= profile_texts(staged.connection, staged.table, texts, decimal, thousands)
    doubtful = doubtful_numbers(staged, sorted(numbers)) if staged.exponents else set()
    readings = {
        i: None
        if i in doubtful
        else _staged_number(staged, i, names[i], profiles[i])
        if i in numbers
        else _decide(staged, f"c{i}", names[i], profiles[i], options)
        for i in wanted
    }
    if has_long_cells:
        _name_long_cells(staged, names, readings)
    return tuple(readings.values())


def plain_number(name: str, sql: str, n_values: int) -> ColumnReading:
    """The reading of a column that is known to hold numbers only, `n_values` of them."""
    return ColumnReading("number", sql, n_values) if n_values else _empty(name, [])


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
        reading = with_markers(staged, f"x{i}", name, "number", f"d{i}", profile.numbers, failed)
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
        codes = code_reading(staged, column, name, profile, sql) if staged.exponents else None
        if codes is not None:
            told = () if codes.kind == "text" else _infinite(name, profile)
            return replace(codes, findings=(*found, *told, *codes.findings))
        return ColumnReading("number", sql, profile.numbers, (*found, *_infinite(name, profile), *_inexact(name, profile)))
    else:
        reading = (
            _before_comment(staged, column, name, profile, options)
            or time_reading(staged, column, name, profile, options)
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


def _name_long_cells(staged: Staged, names: Sequence[str], readings: dict[int, ColumnReading | None]) -> None:
    """Name the text columns with cells longer than a spreadsheet holds."""
    texts = [i for i, reading in readings.items() if reading is not None and reading.kind == "text"]
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
            readings[i] = replace(reading, findings=(*reading.findings, Finding("long_cells", message, names[i])))


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
    return with_markers(staged, column, name, "number", sql, profile.numbers, profile.filled - profile.numbers)


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
