"""What is in each column of a dataset: missing share, range, spread, shape in row order, and what to look at.

Computed by DuckDB over the Parquet file; the table is never in memory as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.data.free_text import remarks_sentence, words_of_remarks
from core.messages import msg

FORMAT = 2  # of the kept form: raised where what is found changes, so that it is made anew
SPARK_POINTS = 40
MUCH_MISSING = 0.3
_EXACT_DISTINCT = 1_000
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column. Numbers are in the column's unit; None where the column is no number or has no values.

    `missing_fraction` is 0 to 1. `sd` is the sample standard deviation (n − 1), None with fewer than two values.
    `n_distinct` is exact up to 1,000 and a HyperLogLog estimate above. `sparkline` holds at most 40 means of equal
    stretches of rows, NaN for a stretch without values; it is empty for text and times.
    """

    name: str
    kind: str
    role: str
    unit: str
    missing_fraction: float
    minimum: float | None
    maximum: float | None
    mean: float | None
    sd: float | None
    n_distinct: int
    is_constant: bool
    sparkline: tuple[float, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A dataset at a glance. `period` is the first and last value of the time column, a datetime or a number."""

    n_rows: int
    n_columns: int
    missing_fraction: float
    period: tuple[datetime | float, datetime | float] | None
    columns: tuple[ColumnSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that is cached."""
        return {
            "n_rows": self.n_rows,
            "n_columns": self.n_columns,
            "missing_fraction": self.missing_fraction,
            "period": None if self.period is None else [v.isoformat() if isinstance(v, datetime) else v for v in self.period],
            "columns": [_column_to_json(c) for c in self.columns],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Summary:
        """The summary that `to_json` wrote."""
        period = stored["period"]
        read = None if period is None else tuple(datetime.fromisoformat(v) if isinstance(v, str) else v for v in period)
        columns = tuple(_column_from_json(c) for c in stored["columns"])
        return cls(stored["n_rows"], stored["n_columns"], stored["missing_fraction"], read, columns)  # type: ignore[arg-type]


def _column_to_json(column: ColumnSummary) -> dict[str, Any]:
    values = {name: getattr(column, name) for name in ColumnSummary.__slots__}
    values["sparkline"] = [None if math.isnan(v) else v for v in column.sparkline]
    values["findings"] = [f.to_json() for f in column.findings]
    return values


def _column_from_json(stored: Mapping[str, Any]) -> ColumnSummary:
    values = dict(stored)
    values["sparkline"] = tuple(math.nan if v is None else v for v in stored["sparkline"])
    values["findings"] = tuple(Finding.from_json(f) for f in stored["findings"])
    return ColumnSummary(**values)


def summarise(dataset: Dataset) -> Summary:
    """Summarise every column of a dataset.

    A dataset without rows gives missing fractions of 0 and None everywhere else.
    """
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '512MB'")
        source = "read_parquet('" + str(dataset.path).replace("'", "''") + "', file_row_number = true)"
        columns: list[ColumnSummary] = []
        for start in range(0, len(dataset.columns), _AT_ONCE):
            columns += _summarise(connection, source, dataset.columns[start : start + _AT_ONCE], dataset.n_rows)
        period = _period(connection, source, dataset)
    missing = sum(c.missing_fraction for c in columns) / len(columns) if columns else 0.0
    return Summary(dataset.n_rows, len(dataset.columns), missing, period, tuple(columns))


def _summarise(
    connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[Column], n_rows: int
) -> list[ColumnSummary]:
    parts: list[str] = []
    for column in columns:
        q = _quoted(column.name)
        numbers = f"min({q}), max({q}), avg({q}), stddev_samp({q})" if column.kind == "number" else "NULL, NULL, NULL, NULL"
        parts.append(f"count({q}), approx_count_distinct({q}), {numbers}")
    row = connection.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchone() or ()
    facts = {c.name: row[6 * i : 6 * i + 6] for i, c in enumerate(columns)}
    exact = _exact_distinct(connection, source, [c.name for c in columns if facts[c.name][1] <= _EXACT_DISTINCT])
    sparks = _sparklines(connection, source, [c.name for c in columns if c.kind == "number"], n_rows)
    found = [_one(c, facts[c.name], exact.get(c.name), sparks.get(c.name, ()), n_rows) for c in columns]
    return [_with_remarks(connection, source, one) for one in found]


def _with_remarks(connection: duckdb.DuckDBPyConnection, source: str, one: ColumnSummary) -> ColumnSummary:
    """A column of free text says so, where a model would read it, and is no serial number for differing in every row."""
    if one.kind != "text" or not one.n_distinct:
        return one
    words = words_of_remarks(connection, source, one.name, one.n_distinct)
    if words is None:
        return one
    others = tuple(finding for finding in one.findings if finding.code != "id_like")
    told = (Finding("free_text", remarks_sentence(words), one.name, "info"),) if one.role == "sensor" else ()
    return replace(one, findings=others + told)


def _exact_distinct(connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    counts = ", ".join(f"count(DISTINCT {_quoted(n)})" for n in names)
    row = connection.execute(f"SELECT {counts} FROM {source}").fetchone() or ()
    return dict(zip(names, map(int, row), strict=True))


def _sparklines(
    connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str], n_rows: int
) -> dict[str, tuple[float, ...]]:
    """Means of up to 40 equal stretches of rows."""
    if not names or not n_rows:
        return {}
    n = min(SPARK_POINTS, n_rows)
    means = ", ".join(f"avg({_quoted(name)})" for name in names)
    query = f"SELECT file_row_number * {n} // {n_rows} AS bucket, {means} FROM {source} GROUP BY bucket ORDER BY bucket"
    rows = connection.execute(query).fetchall()
    return {name: tuple(math.nan if r[i + 1] is None else float(r[i + 1]) for r in rows) for i, name in enumerate(names)}


def _one(column: Column, facts: Sequence[Any], exact: int | None, spark: tuple[float, ...], n_rows: int) -> ColumnSummary:
    filled, distinct = int(facts[0]), int(facts[1]) if exact is None else exact
    distinct = min(distinct, filled)
    minimum, maximum, mean, sd = (None if v is None else float(v) for v in facts[2:])
    missing = 1 - filled / n_rows if n_rows else 0.0
    return ColumnSummary(
        column.name,
        column.kind,
        column.role,
        column.unit,
        missing,
        minimum,
        maximum,
        mean,
        sd,
        distinct,
        distinct == 1,
        spark,
        _findings(column, filled, distinct, missing, n_rows),
    )


def _findings(column: Column, filled: int, distinct: int, missing: float, n_rows: int) -> tuple[Finding, ...]:
    found = []
    if n_rows and not filled:
        return (Finding("all_missing", msg("'{column}' has no values.", column=column.name), column.name),)
    if filled == 1 and n_rows > 1:
        found.append(Finding("single_value", msg("'{column}' has a value in one row only.", column=column.name), column.name))
    elif distinct == 1 and n_rows > 1:
        found.append(Finding("constant", msg("'{column}' never changes.", column=column.name), column.name))
    if missing >= MUCH_MISSING:
        message = msg("{percent} % of '{column}' is missing.", percent=round(100 * missing), column=column.name)
        found.append(Finding("much_missing", message, column.name))
    if column.kind == "text" and n_rows >= 10 and distinct >= 0.95 * n_rows:
        message = msg("'{column}' differs in nearly every row, like a serial number.", column=column.name)
        found.append(Finding("id_like", message, column.name, "info"))
    return tuple(found)


def _period(
    connection: duckdb.DuckDBPyConnection, source: str, dataset: Dataset
) -> tuple[datetime | float, datetime | float] | None:
    times = dataset.with_role("time")
    if not times:
        return None
    q = _quoted(times[0].name)
    row = connection.execute(f"SELECT min({q}), max({q}) FROM {source}").fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
