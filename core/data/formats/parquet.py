"""Parquet → the store's Parquet: the schema is kept as far as a dataset knows such columns; the rest is said.

Rows flow through DuckDB in row groups; the table is never held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.dataset import Kind
from core.data.findings import Finding
from core.data.layout import unique_names
from core.data.options import LineCount, Preview, Reading, ReadOptions
from core.data.roles import guess_roles
from core.data.staging import copy_in_order, text_literal
from core.errors import DataProblem
from core.messages import Message, msg, msg_n

_EXACT = 2**53
_ROW_GROUP = 100_000
_MEMORY_MB = 512
_MAX_COLUMNS = 5_000
_HEAD = 20
_SECONDS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class _Planned:
    """How one column is taken over. `sql` is None where it is left out."""

    name: str
    kind: Kind
    sql: str | None
    findings: tuple[Finding, ...] = ()
    unit: str = ""
    source: str = ""
    check: str = ""


def preview_parquet(path: Path, shown: str) -> Preview:
    """The first rows of a Parquet file as they would be taken over.

    Raises:
        DataProblem: it is damaged, encrypted, or no column can be taken over.
    """
    with _connected(None) as connection:
        planned, findings = _plan(connection, path, shown)
        kept = [p for p in planned if p.sql is not None]
        query = f"SELECT {_select(kept)} FROM {_table(path)} LIMIT {_HEAD}"
        rows = _guarded(shown, lambda: connection.execute(query).fetchall())
        head = tuple(tuple("" if v is None else str(v) for v in row) for row in rows)
        return Preview(ReadOptions(), tuple(p.name for p in kept), tuple(p.unit for p in kept), head, findings, ())


def read_parquet(path: Path, parquet: Path, shown: str, progress: Callable[[str, float], None]) -> Reading:
    """Take a Parquet file over: numbers DOUBLE, times TIMESTAMP, text VARCHAR, NULL where empty.

    Raises:
        DataProblem: it is damaged, encrypted, empty, or no column can be taken over.
    """
    with _connected(parquet.parent) as connection:
        planned, findings = _plan(connection, path, shown)
        kept = [p for p in planned if p.sql is not None]
        n_rows = _count(connection, f"SELECT count(*) FROM {_table(path)}", shown)
        if n_rows == 0:
            raise DataProblem(
                msg("The file '{file}' has no rows.", file=shown),
                msg("Expected at least one row."),
                msg("Export the table again with its rows."),
            )
        kept, found = _checked(connection, path, shown, kept)
        progress("storing", 0.2)
        options = f"COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
        _guarded(shown, lambda: copy_in_order(connection, f"SELECT {_select(kept)} FROM {_table(path)}", parquet, options))
    columns, roles = guess_roles(parquet, [p.name for p in kept], [p.kind for p in kept], [p.unit for p in kept])
    every = (*findings, *found, *roles)
    outcome = "warn" if any(f.severity != "info" for f in every) else "load"
    return Reading(outcome, ReadOptions(), columns, n_rows, LineCount(n_rows, 0, 0, 0, 0, n_rows, 0), every, (), ())  # type: ignore[arg-type]


def _connected(spill: Path | None) -> duckdb.DuckDBPyConnection:
    """A connection that moves memory to a folder, or nowhere."""
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = {text_literal(spill or '')}")
    connection.execute(f"SET memory_limit = '{_MEMORY_MB}MB'")
    connection.execute("SET autoinstall_known_extensions = false")
    return connection


def _table(path: Path) -> str:
    return f"read_parquet({text_literal(path)})"


def _select(planned: Sequence[_Planned]) -> str:
    return ", ".join(f"{p.sql} AS {_name(p.name)}" for p in planned)


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _guarded(shown: str, run: Callable[[], Any]) -> Any:
    """Run something that reads the file; what is wrong with its bytes becomes one sentence."""
    try:
        return run()
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException, duckdb.OutOfMemoryException):
        raise  # Ours, or the machine's; not the file's.
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if "No space left" in str(error) or "max_temp_directory_size" in str(error):
            raise
        raise _damaged(shown) from error


def _count(connection: duckdb.DuckDBPyConnection, query: str, shown: str) -> int:
    row = _guarded(shown, lambda: connection.execute(query).fetchone())
    return int(row[0])


def _plan(connection: duckdb.DuckDBPyConnection, path: Path, shown: str) -> tuple[tuple[_Planned, ...], tuple[Finding, ...]]:
    """How each column of the schema is taken over."""
    with path.open("rb") as file:
        if file.read(4) == b"PARE":
            raise _problem(msg("'{file}' is encrypted.", file=shown))
    schema = _guarded(shown, lambda: pq.read_schema(path))
    if len(schema) > _MAX_COLUMNS:
        raise DataProblem(
            msg("'{file}' has {columns} columns.", file=shown, columns=len(schema)),
            msg("Expected up to {limit} columns.", limit=_MAX_COLUMNS),
            msg("Leave out columns, or turn the table so that each column is one quantity."),
        )
    stored = [
        str(row[0]) for row in _guarded(shown, lambda: connection.execute(f"DESCRIBE SELECT * FROM {_table(path)}").fetchall())
    ]
    if len(stored) != len(schema):
        raise _damaged(shown)
    names, findings = unique_names(tuple(schema.names), len(schema))
    planned = tuple(_planned(name, _name(c), t) for name, c, t in zip(names, stored, schema.types, strict=True))
    if all(p.sql is None for p in planned):
        raise DataProblem(
            msg("No column of '{file}' holds numbers, times or text.", file=shown),
            msg("Expected plain columns."),
            msg("Flatten the table before it is written."),
        )
    return planned, (*findings, *(f for p in planned for f in p.findings))


def _planned(name: str, column: str, kind: pa.DataType) -> _Planned:
    """How a column of an Arrow type is taken over."""
    if pa.types.is_dictionary(kind):
        return _planned(name, column, kind.value_type)
    for fits, plan in _TYPES:
        if fits(kind):
            return plan(name, column, kind)
    message = msg("Column '{column}' holds {type} and was left out.", column=name, type=str(kind)[:60])
    return _Planned(name, "text", None, (Finding("left_out", message, name),))


def _of_float(name: str, column: str, kind: pa.DataType) -> _Planned:
    value = f"CAST({column} AS DOUBLE)"
    return _Planned(name, "number", f"CASE WHEN isfinite({value}) THEN {value} END", source=column, check="infinite")


def _of_integer(name: str, column: str, kind: pa.DataType) -> _Planned:
    wide = kind.bit_width > 53
    return _Planned(name, "number", f"CAST({column} AS DOUBLE)", source=column, check="big" if wide else "")


def _of_decimal(name: str, column: str, kind: pa.DataType) -> _Planned:
    found: tuple[Finding, ...] = ()
    if kind.precision > 15:
        message = msg(
            "Column '{column}' holds exact decimals of {n} digits; 15 of them are kept.", column=name, n=kind.precision
        )
        found = (Finding("decimal", message, name, "info"),)
    return _Planned(name, "number", f"CAST({column} AS DOUBLE)", found)


def _of_bool(name: str, column: str, kind: pa.DataType) -> _Planned:
    message = msg("Column '{column}' holds true and false; they are kept as 1 and 0.", column=name)
    return _Planned(name, "number", f"CAST(CAST({column} AS INTEGER) AS DOUBLE)", (Finding("boolean", message, name, "info"),))


def _of_timestamp(name: str, column: str, kind: pa.DataType) -> _Planned:
    if kind.tz is None:
        return _Planned(name, "time", f"CAST({column} AS TIMESTAMP)")
    message = msg("Times in '{column}' have the zone {zone}; they are kept in UTC.", column=name, zone=kind.tz)
    return _Planned(name, "time", f"make_timestamp(epoch_us({column}))", (Finding("time_zone", message, name, "info"),))


def _of_date(name: str, column: str, kind: pa.DataType) -> _Planned:
    return _Planned(name, "time", f"CAST({column} AS TIMESTAMP)")


def _of_duration(name: str, column: str, kind: pa.DataType) -> _Planned:
    message = msg("Durations in '{column}' are kept in seconds.", column=name)
    found = (Finding("duration", message, name, "info"),)
    return _Planned(name, "number", f"CAST({column} AS DOUBLE) / {_SECONDS[kind.unit]}", found, "s")


def _of_clock(name: str, column: str, kind: pa.DataType) -> _Planned:
    return _Planned(name, "text", f"CAST({column} AS VARCHAR)")


def _of_text(name: str, column: str, kind: pa.DataType) -> _Planned:
    return _Planned(name, "text", f"CASE WHEN trim({column}) <> '' THEN {column} END")


def _of_nothing(name: str, column: str, kind: pa.DataType) -> _Planned:
    empty = Finding("all_missing", msg("Column '{column}' has no values.", column=name), name)
    return _Planned(name, "number", "CAST(NULL AS DOUBLE)", (empty,))


_TYPES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[str, str, pa.DataType], _Planned]], ...] = (
    (pa.types.is_floating, _of_float),
    (pa.types.is_integer, _of_integer),
    (pa.types.is_decimal, _of_decimal),
    (pa.types.is_boolean, _of_bool),
    (pa.types.is_timestamp, _of_timestamp),
    (pa.types.is_date, _of_date),
    (pa.types.is_duration, _of_duration),
    (pa.types.is_time, _of_clock),
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t), _of_text),
    (pa.types.is_null, _of_nothing),
)


def _checked(
    connection: duckdb.DuckDBPyConnection, path: Path, shown: str, planned: Sequence[_Planned]
) -> tuple[list[_Planned], list[Finding]]:
    """The plan after a look at all values: whole numbers beyond 2^53 become text, infinite ones empty."""
    conditions = {"big": f"{{0}} > {_EXACT} OR {{0}} < -{_EXACT}", "infinite": "isinf({0})"}
    asked = [p for p in planned if p.check]
    if not asked:
        return list(planned), []
    counts = ", ".join(f"count(*) FILTER ({conditions[p.check].format(p.source)})" for p in asked)
    row = _guarded(shown, lambda: connection.execute(f"SELECT {counts} FROM {_table(path)}").fetchone())
    changed: dict[str, _Planned] = {}
    found: list[Finding] = []
    for p, n in zip(asked, row, strict=True):
        if n and p.check == "big":
            message = msg(
                "Column '{column}' holds whole numbers too long for exact arithmetic; it is kept as text.", column=p.name
            )
            found.append(Finding("kept_as_text", message, p.name, "info"))
            changed[p.name] = _Planned(p.name, "text", f"CAST({p.source} AS VARCHAR)")
        elif n:
            message = msg_n(
                "{n} cell in '{column}' is infinite and counts as empty.",
                "{n} cells in '{column}' are infinite and count as empty.",
                n,
                column=p.name,
            )
            found.append(Finding("infinite", message, p.name))
    return [changed.get(p.name, p) for p in planned], found


def _damaged(shown: str) -> DataProblem:
    return _problem(msg("The Parquet file '{file}' is damaged or cut off.", file=shown))


def _problem(what: Message) -> DataProblem:
    return DataProblem(
        what,
        msg("Expected a whole Parquet file without a password."),
        msg("Copy it again, or write it again."),
    )
