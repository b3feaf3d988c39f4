"""What all reshaping shares: a table as DuckDB sees it, aggregates as SQL, and the file that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import duckdb

from core.data.dataset import Column, Dataset
from core.data.staging import copy_in_order, text_literal
from core.errors import DataProblem, SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Aggregate = Literal["mean", "median", "minimum", "maximum", "first", "last", "sum", "sd", "count", "most_frequent", "leave_out"]
TEXT_AGGREGATES = ("first", "last", "count", "most_frequent", "leave_out")
TIME_AGGREGATES = ("minimum", "maximum", "first", "last", "count", "leave_out")
_SAME_MEANING = ("mean", "median", "minimum", "maximum", "first", "last", "most_frequent")
_ROW_GROUP = 100_000
_MEMORY = "1GB"
_HELD_BYTES = 300_000_000
_BYTES_A_VALUE = 16


class ColumnChoice(Settings):
    """How the cells of one column become one."""

    column: str = setting("", title="Column", help="The column.", expert=False)
    how: Aggregate = setting("mean", title="Becomes", help="What becomes of its cells.", expert=False)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A table that was written: what its columns are, its rows, the rows that went in, and what has to be known."""

    columns: tuple[Column, ...]
    n_rows: int
    n_before: int
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset's rows as SQL; `limit`: only the first rows, for a preview."""

    dataset: Dataset
    limit: int | None = None

    @property
    def sql(self) -> str:
        """A table expression with the columns and `file_row_number`."""
        table = f"read_parquet({text_literal(self.dataset.path)}, file_row_number = true)"
        return table if self.limit is None else f"(SELECT * FROM {table} WHERE file_row_number < {int(self.limit)})"

    @property
    def row_numbers(self) -> str:
        """A table expression with the row numbers alone, as `l`."""
        return f"(SELECT range AS l FROM range({self.n_rows}))"

    @property
    def n_rows(self) -> int:
        return self.dataset.n_rows if self.limit is None else min(self.limit, self.dataset.n_rows)

    def only(self, role: Literal["time", "group"]) -> Column | None:
        """The first column of that role."""
        return next(iter(self.dataset.with_role(role)), None)


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def ticks_sql(column: Column, table: str = "") -> str:
    """A time column as a number: microseconds for times, the numbers themselves for counters."""
    name = f"{table}.{quoted(column.name)}" if table else quoted(column.name)
    return f"epoch_us({name})" if column.kind == "time" else f"CAST({name} AS DOUBLE)"


def ticks(column: Column, seconds: float) -> float:
    """A length in seconds (or the column's own unit) in the ticks of `ticks_sql`."""
    return round(seconds * 1e6) if column.kind == "time" else seconds


def needed_time(source: Source) -> Column:
    """The time column.

    Raises:
        SettingProblem: there is none, or it holds texts.
    """
    column = source.only("time")
    if column is None or column.kind == "text":
        raise SettingProblem(
            msg("'{dataset}' has no time column.", dataset=source.dataset.name),
            msg("Expected a column with the role 'time' that holds times or numbers."),
            msg("Give a column the role 'time' on the Data screen."),
        )
    return column


def aggregate_sql(column: Column, how: str, order: str) -> str:
    """One cell out of many, empty cells passed over; sd of a sample (n − 1).

    Args:
        order: A SQL expression that is different for every row and rises in order; for "first" and "last".
    """
    q = quoted(column.name)
    ways = {
        "mean": f"avg({q})",
        "median": f"median({q})",
        "minimum": f"min({q})",
        "maximum": f"max({q})",
        "first": f"arg_min({q}, {order}) FILTER ({q} IS NOT NULL)",
        "last": f"arg_max({q}, {order}) FILTER ({q} IS NOT NULL)",
        "sum": f"sum({q})",
        "sd": f"stddev_samp({q})",
        "count": f"CAST(count({q}) AS DOUBLE)",
        "most_frequent": f"mode({q} ORDER BY file_row_number)",
    }
    return ways[how]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a new row: the SQL that makes it, the table it is put aside in and its name there."""

    sql: str
    table: int
    name: str

    @property
    def at(self) -> str:
        return f"c{self.table}.{self.name}"


def cells_of(chosen: Sequence[tuple[Column, str]], order: str, n_rows: int) -> list[Cell]:
    """The cells of all columns. A median holds all values until its group is complete, so only some are made at a time."""
    at_once = max(1, int(_HELD_BYTES / (_BYTES_A_VALUE * max(n_rows, 1))))
    n_medians, cells = 0, []
    for i, (column, how) in enumerate(chosen):
        table = n_medians // at_once if how == "median" else 0
        n_medians += how == "median"
        cells.append(Cell(aggregate_sql(column, how, order), table, f"a{i}"))
    return cells


def put_aside(connection: duckdb.DuckDBPyConnection, cells: Sequence[Cell], keys: str, first: str, rows: str) -> int:
    """Make the tables c0, c1, … of the cells, one row a different value of `keys`; how many tables there are.

    Args:
        keys: SQL of the key columns with their names; `first`: what only c0 has beside them; `rows`: the source with WHERE.
    """
    n_tables = max((cell.table for cell in cells), default=0) + 1
    for table in range(n_tables):
        parts = [keys, *([first] if table == 0 else []), *(f"{c.sql} AS {c.name}" for c in cells if c.table == table)]
        connection.execute(f"CREATE TEMP TABLE c{table} AS SELECT {', '.join(parts)} FROM {rows} GROUP BY ALL")
    return n_tables


def aggregated(column: Column, how: str, name: str | None = None) -> Column:
    """What a column holds afterwards: limits stay where a value is still a value of the same thing."""
    new = name or column.name
    if how == "count":
        return Column(new, "number", column.role)
    if how in _SAME_MEANING:
        return replace(column, name=new)
    return Column(new, "number", column.role, column.unit)


def checked_how(column: Column, how: str) -> str:
    """The aggregate, if cells of this kind have it.

    Raises:
        SettingProblem: a mean of texts and the like.
    """
    allowed = {"text": TEXT_AGGREGATES, "time": TIME_AGGREGATES}.get(column.kind)
    if allowed is not None and how not in allowed:
        raise SettingProblem(
            msg("'{how}' was asked of column '{column}'.", how=how.replace("_", " "), column=column.name),
            msg("Expected one of: {choices}.", choices=", ".join(a.replace("_", " ") for a in allowed)),
            msg("Choose another one for this column."),
            column=column.name,
        )
    return how


def choices_by_name(dataset: Dataset, choices: Sequence[ColumnChoice]) -> Mapping[str, str]:
    """The aggregate of each column that was named.

    Raises:
        DataProblem: there is no such column.
        SettingProblem: its kind does not have the aggregate.
    """
    return {c.column: checked_how(dataset.column(c.column), c.how) for c in choices}


def free_column(name: str, taken: set[str]) -> str:
    """The name, with a number behind it while another column has it; SQL takes "Temp" and "temp" for one name."""
    used, new, i = {t.casefold() for t in taken}, name, 2
    while new.casefold() in used:
        new, i = f"{name}_{i}", i + 1
    taken.add(new)
    return new


@contextmanager
def working(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that keeps to its memory, writes what does not fit into `folder`, and gives the same sums every time."""
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute(f"SET temp_directory = {text_literal(folder)}")
        connection.execute("SET threads = 1")  # sums of two threads differ in their last digits from run to run
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            if "max_temp_directory_size" in str(error):
                raise
            raise DataProblem(
                msg("The table does not fit into the memory that reshaping may use ({memory}).", memory=_MEMORY),
                msg("Medians hold all values of a step or group at once."),
                msg("Choose means instead of medians, or leave columns out."),
            ) from error


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The first row of a query."""
    return connection.execute(query).fetchone() or ()


def write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    """Write the rows of a query in their order; how many there are."""
    copy_in_order(connection, query, target, f"COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}")
    return int(one_row(connection, f"SELECT count(*) FROM read_parquet({text_literal(target)})")[0])


def without_time_note(n: int) -> tuple[Message, ...]:
    """Rows that no step of time can hold."""
    if not n:
        return ()
    return (msg_n("{n} row without a time is left out.", "{n} rows without a time are left out.", n),)
