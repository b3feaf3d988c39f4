"""The clean file of a scan → the finished Parquet table: staged as text, kinds decided on all cells, cells counted.

A table of thousands of columns is converted in pieces of some hundred: DuckDB 2.0 needs minutes to plan a query over all
of them, and was seen to end with a segmentation fault.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.column_reading import ColumnReading, Staged
from core.data.footer import read_footer
from core.data.kinds import MAX_CELL, read_kinds
from core.data.lines import Splitter, join_cells, split_records
from core.data.options import Preview
from core.data.scanning import Scan
from core.data.staging import CleanCsv, copy_in_order, numbers_in_sample, stage, text_literal
from core.errors import DataProblem
from core.messages import msg

ROW_GROUP = 100_000
_PIECE = 150
_FEW_CELLS = 5_000_000


def convert(
    path: Path, folder: Path, connection: duckdb.DuckDBPyConnection, preview: Preview, scan: Scan, unnamed: Collection[str]
) -> tuple[Path, tuple[ColumnReading, ...], list[int]]:
    """Convert the clean file in a folder.

    Args:
        path: The file that was read, for problems.
        folder: Holds `clean.csv`; what is made lies there too.
        unnamed: Names of columns that had none: they are left out where they have no values either.

    Returns:
        The table, the reading of each column, and the numbers of the columns that are in the table.

    Raises:
        DataProblem: rows or cells do not add up; nothing is loaded.
    """
    readings: list[ColumnReading] = []
    parts: list[Path] = []
    kept: list[int] = []
    for start, csv in _pieces(folder, scan):
        names = preview.names[start : start + csv.columns]
        table, found = _staged(path, folder / "staged.parquet", connection, csv, names, preview, scan)
        whole = csv.columns == scan.columns
        here = [i for i, r in enumerate(found) if not (r.is_empty and names[i] in unnamed)]
        here = here if here or not whole else list(range(len(found)))
        readings += found
        if here:
            parts.append(folder / f"table-{start}.parquet")
            select = ", ".join(f"{found[i].sql} AS {identifier(names[i])}" for i in here)
            options = f"COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
            copy_in_order(connection, f"SELECT {select} FROM {table}", parts[-1], options)
            kept += [start + i for i in here]
    written = _joined(parts, folder / "table.parquet")
    _check_cells(path, written, [preview.names[i] for i in kept], [readings[i] for i in kept], scan.rows)
    return written, tuple(readings), kept


def _pieces(folder: Path, scan: Scan) -> Iterator[tuple[int, CleanCsv]]:
    """The clean file as it is, or cut into files of some hundred columns: (number of the first column, file)."""
    clean = CleanCsv(folder / "clean.csv", scan.delimiter, scan.quote, scan.columns, scan.widest)
    if scan.columns <= _PIECE or scan.rows * scan.columns > _FEW_CELLS:
        yield 0, clean
        return
    lines = clean.path.read_text(encoding="utf-8").split("\n")[:-1]
    records = [r.cells for r in split_records(lines, Splitter(scan.delimiter, scan.quote), 1, at_end=True)]
    for start in range(0, scan.columns, _PIECE):
        piece = folder / "piece.csv"
        cells = [r[start : start + _PIECE] for r in records]
        text = "".join(join_cells(c, scan.delimiter, scan.quote) + "\n" for c in cells)
        piece.write_text(text, encoding="utf-8", newline="")
        longest = 4 * max(map(len, text.split("\n")))
        yield start, CleanCsv(piece, scan.delimiter, scan.quote, min(_PIECE, scan.columns - start), longest)


def _joined(parts: Sequence[Path], written: Path) -> Path:
    """One table of all pieces, side by side."""
    if len(parts) == 1:
        return parts[0].rename(written)
    tables = [pq.read_table(part) for part in parts]
    columns = {name: table.column(name) for table in tables for name in table.column_names}
    pq.write_table(pa.table(columns), written, compression="zstd", row_group_size=ROW_GROUP)
    return written


def _staged(
    path: Path,
    staged: Path,
    connection: duckdb.DuckDBPyConnection,
    csv: CleanCsv,
    names: Sequence[str],
    preview: Preview,
    scan: Scan,
) -> tuple[str, tuple[ColumnReading, ...]]:
    """Stage the file and decide each column's kind; a column that breaks the promise of its sample is staged as text."""
    decimal, thousands = preview.options.decimal or ".", preview.options.thousands or ""
    numbers = numbers_in_sample(connection, csv, decimal, thousands)
    table = f"read_parquet({text_literal(staged)}, file_row_number = true)"
    while True:
        if stage(connection, csv, staged, numbers, decimal, thousands, exponents=scan.exponents) != scan.rows:
            raise not_conserved(path)
        readings = read_kinds(
            Staged(connection, table, scan.line_of, exponents=scan.exponents),
            names,
            numbers,
            preview.options,
            has_long_cells=csv.longest > MAX_CELL,
        )
        refused = {i for i, reading in enumerate(readings) if reading is None}
        if not refused:
            return table, tuple(r for r in readings if r is not None)
        numbers -= refused


def _check_cells(path: Path, table: Path, names: Sequence[str], readings: Sequence[ColumnReading], rows: int) -> None:
    """Cells in = cells out: each filled cell of a column is a value of the table, or is counted as left empty."""
    footer = read_footer(table)
    for name, reading, filled in zip(names, readings, footer.filled, strict=True):
        if footer.rows != rows or filled != reading.n_values:
            raise DataProblem(
                msg(
                    "The cells of '{file}' do not add up in column '{column}', so nothing was loaded.",
                    file=path.name,
                    column=name,
                ),
                msg("Expected {n} values; the table has {found}.", n=reading.n_values, found=filled),
                msg("Report this file: Andon itself made an error."),
            )


def not_conserved(path: Path) -> DataProblem:
    """The error for a file whose lines do not add up."""
    return DataProblem(
        msg("The lines of '{file}' do not add up, so nothing was loaded.", file=path.name),
        msg("Expected lines read = header + preamble + comments + blank + accepted + rejected."),
        msg("Check the delimiter and the quote character, and report this file."),
    )


def identifier(value: str) -> str:
    """A SQL identifier."""
    return '"' + value.replace('"', '""') + '"'
