"""How a column of a staged table is converted, and the questions that decide it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from core.data.cells import is_missing
from core.data.dataset import Kind
from core.data.findings import Finding
from core.data.staging import missing_sql
from core.messages import msg_n

MOSTLY = 0.9
MAX_MARKERS = 10
_LINES_NAMED = 5
_ENOUGH = 20


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
    `head` keeps the first cells that were looked at, `exponents` tells whether cells such as 1E5 may be among them."""

    connection: duckdb.DuckDBPyConnection
    table: str
    line_of: Callable[[int], int]
    head: dict[str, list[str]] = field(default_factory=dict)
    exponents: bool = False

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


def with_markers(
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
