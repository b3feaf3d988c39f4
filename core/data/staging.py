"""Clean CSV → a staged Parquet file in DuckDB: numbers where a sample promises them, text elsewhere.

A column that is expected to be a number is staged as `d` (DOUBLE, finite or NULL) and `x` (the text of every cell that
is not a plain number), so that nothing is lost before the kind is decided on all cells. Other columns are staged as `c`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.data.cells import MISSING_WORDS
from core.errors import DataProblem
from core.messages import msg

BIG = 9_007_199_254_740_992
_COLUMNS_AT_ONCE = 200
_MANY = 20
_FEW_CELLS = 2_000_000
_WORDS = "|".join(re.escape(w.lower()) for w in MISSING_WORDS)
SAMPLE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class CleanCsv:
    """The clean file of a scan: its place, dialect, number of columns and longest record in bytes."""

    path: Path
    delimiter: str
    quote: str
    columns: int
    longest: int

    def sql(self) -> str:
        """The file as a DuckDB table function with text columns c0, c1, …"""
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(self.columns))
        line = max(2 << 20, 2 * self.longest)
        return (
            f"read_csv({text_literal(self.path)}, delim = {text_literal(self.delimiter)}, quote = {text_literal(self.quote)}, "
            f"escape = {text_literal(self.quote)}, header = false, auto_detect = false, strict_mode = true, comment = '', "
            f"new_line = '\\n', max_line_size = {line}, buffer_size = {max(16 << 20, 2 * line)}, columns = {{{columns}}})"
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of cells of one column: filled (words for missing left out), such words, finite numbers, infinite ones,
    codes with leading zeros, whole numbers beyond 2^53, and other numbers beyond it, which lose their last digits."""

    filled: int
    words: int
    numbers: int
    infinite: int
    codes: int
    big: int
    inexact: int = 0


def text_literal(value: object) -> str:
    """A SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def missing_sql(column: str) -> str:
    """True where a cell holds a word for "missing" or only spaces.

    A pattern, for a list of constants costs DuckDB 2.0 two seconds of planning for a hundred columns and gigabytes for some
    hundred.
    """
    return f"(length({column}) < 8 AND regexp_full_match(trim({column}), '(?i)({_WORDS})'))"


def value_sql(column: str) -> str:
    """The cell's text, NULL where it is missing."""
    return f"CASE WHEN {missing_sql(column)} THEN NULL ELSE {column} END"


def number_sql(column: str, decimal: str, thousands: str) -> str:
    """The cell as DOUBLE, NULL where it is no number in this spelling."""
    text = f"trim({column})"
    plain = f"CASE WHEN contains({column}, '.') THEN NULL ELSE replace({text}, ',', '.') END" if decimal == "," else column
    cast = f"TRY_CAST({plain} AS DOUBLE)"
    if not thousands:
        return cast
    mark, point = ("''" if thousands == "'" else thousands), ("," if decimal == "," else "[.]")
    group = "[.]" if thousands == "." else mark
    fits = f"regexp_full_match({text}, '[+-]?[0-9]{{1,3}}({group}[0-9]{{3}})+({point}[0-9]*)?')"
    joined = f"TRY_CAST(replace(replace({text}, '{mark}', ''), ',', '.') AS DOUBLE)"
    return f"CASE WHEN contains({column}, '{mark}') THEN CASE WHEN {fits} THEN {joined} END ELSE {cast} END"


def _code_sql(column: str) -> str:
    return f"(contains({column}, '_') OR (starts_with({column}, '0') AND regexp_full_match({column}, '0[0-9]+([.,][0-9]+)?')))"


def _big_sql(column: str, number: str) -> str:
    return f"(abs({number}) > {BIG} AND regexp_full_match(trim({column}), '[+-]?[0-9]+'))"


def _inexact_sql(column: str, number: str) -> str:
    """A number beyond 2^53 written with decimals: as a 64-bit float it loses its last digits."""
    return f"(abs({number}) > {BIG} AND regexp_full_match(trim({column}), '[+-]?[0-9]+[.,][0-9]+'))"


def exponent_sql(column: str) -> str:
    """True where a cell is a whole number with an exponent of digits alone ("1E5"): what a part number may look like too."""
    return f"coalesce(regexp_full_match(trim({column}), '[0-9]+[eE][0-9]+'), false)"


def stage(
    connection: duckdb.DuckDBPyConnection,
    csv: CleanCsv,
    target: Path,
    numbers: Collection[int],
    decimal: str,
    thousands: str,
    *,
    exponents: bool = False,
) -> int:
    """Write the staged file; the number of rows. With `exponents` the text of cells such as 1E5 is kept too.

    Raises:
        DataProblem: DuckDB cannot read the file (a row that is too long).
    """
    inner, outer = [], []
    for i in range(csv.columns):
        inner.append(f"c{i}")
        if i not in numbers:
            outer.append(f"c{i}")
            continue
        inner.append(f"{number_sql(f'c{i}', decimal, thousands)} AS n{i}")
        outer.append(f"CASE WHEN isfinite(n{i}) THEN n{i} END AS d{i}")
        special = f"n{i} IS NULL OR NOT isfinite(n{i}) OR abs(n{i}) > {BIG} OR {_code_sql(f'c{i}')}"
        special += f" OR {exponent_sql(f'c{i}')}" if exponents else ""
        outer.append(f"CASE WHEN {special} THEN c{i} END AS x{i}")
    query = f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {csv.sql()})"
    try:
        connection.execute(
            f"COPY ({query}) TO {text_literal(target)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 50000)"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise DataProblem(
            msg("The rows could not be cut into cells."),
            msg("Expected one delimiter and one quote character throughout the file."),
            msg("Check the delimiter and the quote character."),
        ) from error
    row = connection.execute(f"SELECT count(*) FROM read_parquet({text_literal(target)})").fetchone()
    return int(row[0]) if row else 0


def copy_in_order(connection: duckdb.DuckDBPyConnection, query: str, target: Path, options: str) -> None:
    """COPY to Parquet on one thread: with several, DuckDB 2.0 was seen to exchange pieces of about 50,000 rows although
    `preserve_insertion_order` was on, and the order of rows is what windows and time splits stand on."""
    connection.execute("SET threads = 1")
    try:
        connection.execute(f"COPY ({query}) TO {text_literal(target)} (FORMAT parquet, {options})")
    finally:
        connection.execute("RESET threads")


def numbers_in_sample(connection: duckdb.DuckDBPyConnection, csv: CleanCsv, decimal: str, thousands: str) -> set[int]:
    """The columns whose first rows are plain numbers."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {csv.sql()} LIMIT {SAMPLE_ROWS}")
    profiles = profile_texts(connection, "sample", list(range(csv.columns)), decimal, thousands)
    connection.execute("DROP TABLE sample")
    return {i for i, p in profiles.items() if p.numbers > 0.9 * p.filled and not p.codes and not p.big}


def profile_texts(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[int], decimal: str, thousands: str
) -> dict[int, Profile]:
    """Counts of the columns that were staged as text."""
    number = number_sql("c", decimal, thousands)
    if len(columns) > _MANY and _rows_of(connection, table) * len(columns) <= _FEW_CELLS:
        return _counted_long(connection, table, columns, number)
    inner = [f"c{i}, {number_sql(f'c{i}', decimal, thousands)} AS n{i}" for i in columns]
    return _counted(connection, table, columns, inner, [_text_counts(f"c{i}", f"n{i}") for i in columns])


def _text_counts(text: str, number: str) -> str:
    """The seven counts of a `Profile` for a text and the number that it may be."""
    return (
        f"count({text}), count(*) FILTER ({missing_sql(text)}), count(*) FILTER (isfinite({number})), "
        f"count(*) FILTER (isinf({number})), count(*) FILTER (isfinite({number}) AND {_code_sql(text)}), "
        f"count(*) FILTER ({_big_sql(text, number)}), count(*) FILTER ({_inexact_sql(text, number)})"
    )


def _rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _counted_long(connection: duckdb.DuckDBPyConnection, table: str, columns: list[int], number: str) -> dict[int, Profile]:
    """The same counts over cells instead of columns: of many columns with few rows, planning the query costs the most."""
    found = {i: Profile(0, 0, 0, 0, 0, 0) for i in columns}
    for start in range(0, len(columns), _COLUMNS_AT_ONCE * 10):
        names = ", ".join(f"c{i}" for i in columns[start : start + _COLUMNS_AT_ONCE * 10])
        cells = f"SELECT name, c, {number} AS n FROM (UNPIVOT (SELECT {names} FROM {table}) ON {names} INTO NAME name VALUE c)"
        for name, *counts in connection.execute(
            f"SELECT name, {_text_counts('c', 'n')} FROM ({cells}) GROUP BY name"
        ).fetchall():
            found[int(name[1:])] = _profile(counts)
    return found


def _profile(counts: Sequence[int]) -> Profile:
    filled, words, *rest = counts
    return Profile(filled - words, words, *rest)


def profile_numbers(connection: duckdb.DuckDBPyConnection, table: str, columns: list[int]) -> dict[int, Profile]:
    """Counts of the columns that were staged as numbers; those without any special cell cost two counts."""
    found: dict[int, Profile] = {}
    special: list[int] = []
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        part = columns[start : start + _COLUMNS_AT_ONCE]
        counts = ", ".join(f"count(d{i}), count(x{i})" for i in part)
        row = connection.execute(f"SELECT {counts} FROM {table}").fetchone() or ()
        for k, i in enumerate(part):
            found[i] = Profile(row[2 * k], 0, row[2 * k], 0, 0, 0)
            special += [i] if row[2 * k + 1] else []
    return found | _profile_special(connection, table, special)


def _profile_special(connection: duckdb.DuckDBPyConnection, table: str, columns: list[int]) -> dict[int, Profile]:
    inner = [f"d{i}, x{i}" for i in columns]
    counts = [
        f"count(*) FILTER (d{i} IS NOT NULL OR x{i} IS NOT NULL), count(*) FILTER ({missing_sql(f'x{i}')}), count(d{i}), "
        f"count(*) FILTER (isinf(TRY_CAST(x{i} AS DOUBLE))), count(*) FILTER (d{i} IS NOT NULL AND {_code_sql(f'x{i}')}), "
        f"count(*) FILTER ({_big_sql(f'x{i}', f'd{i}')}), count(*) FILTER ({_inexact_sql(f'x{i}', f'd{i}')})"
        for i in columns
    ]
    return _counted(connection, table, columns, inner, counts)


def _counted(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[int], inner: list[str], counts: list[str]
) -> dict[int, Profile]:
    found: dict[int, Profile] = {}
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        part = slice(start, start + _COLUMNS_AT_ONCE)
        query = f"SELECT {', '.join(counts[part])} FROM (SELECT {', '.join(inner[part])} FROM {table})"
        row = connection.execute(query).fetchone() or ()
        for k, i in enumerate(columns[part]):
            found[i] = _profile(row[7 * k : 7 * k + 7])
    return found
