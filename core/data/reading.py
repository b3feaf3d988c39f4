"""A delimited text file → Parquet, with an account of every line.

Bytes → encoding → dialect → layout (`sniffing`) → one pass that sorts out each physical line (`scanning`) → everything
as text in DuckDB → kinds decided on all cells (`kinds`) → Parquet. Nothing is loaded that the account does not cover.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.kinds import ColumnReading, read_kinds
from core.data.options import LineCount, Outcome, Preview, Question, Reading, ReadOptions, Reject
from core.data.roles import guess_roles
from core.data.scanning import Scan, scan_blocks
from core.data.sniffing import Sniffed, no_rows, sniff, sniff_layout
from core.data.source import TextBlocks
from core.data.staging import CleanCsv, copy_in_order, numbers_in_sample, stage, text_literal
from core.errors import DataProblem
from core.messages import msg, msg_n

__all__ = ["LineCount", "Preview", "Question", "ReadOptions", "Reading", "Reject", "read_file", "sniff"]

ROW_GROUP = 100_000
MAX_LINE = 32 << 20
_MEMORY_MB = 512
MAX_COLUMNS = 5_000


def read_file(path: Path, parquet: Path, options: ReadOptions | None = None) -> Reading:
    """Read a whole file and write it as Parquet (zstd): numbers DOUBLE, times TIMESTAMP, text VARCHAR, NULL where empty.

    Args:
        path: The delimited text file, packed with gzip or not.
        parquet: Where the table goes; written beside it first, then renamed.
        options: What is known; None fields are found out.

    Returns:
        The reading. `outcome` is "ask" where the file leaves something open (the Parquet file then holds the first
        option), "warn" where something was noticed or rejected, else "load".

    Raises:
        DataProblem: the file cannot be read as a table; nothing is written.
        SettingProblem: an unknown encoding.
    """
    path, parquet = Path(path), Path(parquet)
    sniffed = sniff_layout(path, options or ReadOptions())
    if sniffed.width > MAX_COLUMNS:
        raise DataProblem(
            msg("'{file}' has {columns} columns.", file=path.name, columns=sniffed.width),
            msg("Expected up to {limit} columns.", limit=MAX_COLUMNS),
            msg("Leave out columns, or turn the table so that each column is one quantity."),
        )
    with tempfile.TemporaryDirectory(dir=parquet.parent, prefix=".reading-") as folder:
        clean = Path(folder) / "clean.csv"
        scan, lines, replaced = _scan_file(path, sniffed, clean)
        with duckdb.connect() as connection:
            connection.execute(f"SET memory_limit = '{max(_MEMORY_MB, min(3_000, sniffed.width // 3))}MB'")
            connection.execute(f"SET temp_directory = {text_literal(folder)}")
            try:
                return _convert(path, parquet, Path(folder), connection, sniffed, scan, lines, replaced)
            except duckdb.OutOfMemoryException as error:
                if "max_temp_directory_size" in str(error):
                    raise  # The disk and not the memory is at its end; the store has the words for that.
                raise DataProblem(
                    msg(
                        "'{file}' with {columns} columns needs more memory than an import may use.",
                        file=path.name,
                        columns=scan.columns,
                    ),
                    msg("Expected a table of up to some thousand columns."),
                    msg("Leave out columns or split the file."),
                ) from error


def _scan_file(path: Path, sniffed: Sniffed, clean: Path) -> tuple[Scan, LineCount, int]:
    options = sniffed.preview.options
    blocks = TextBlocks(path, str(options.encoding))
    counter = _LineCounter()
    with clean.open("wb") as out:
        scan = Scan(sniffed.width, str(options.delimiter), options.quote or "", out, line=sniffed.first_data_line)
        scan_blocks(_after_lines(counter.watch(blocks), sniffed.first_data_line - 1), scan)
    preamble = int(options.preamble_rows or 0)
    between = sniffed.first_data_line - 1 - preamble - sniffed.header_lines
    blank = sniffed.blank_above
    lines = scan.counts(
        counter.lines,
        sniffed.header_lines,
        preamble - (blank - between) - sniffed.comments_above,
        sniffed.comments_above,
        blank,
    )
    if not lines.holds:
        raise _not_conserved(path)
    if scan.rows == 0:
        raise _no_rows(path, sniffed, scan)
    if scan.widest > MAX_LINE:
        raise DataProblem(
            msg("A row of '{file}' is longer than {limit} characters.", file=path.name, limit=MAX_LINE),
            msg("Expected rows of ordinary length."),
            msg("Check the delimiter and the quote character."),
        )
    return scan, lines, blocks.replaced


class _LineCounter:
    """Counts the physical lines that flow past; the last line needs no line end."""

    def __init__(self) -> None:
        self.lines = 0

    def watch(self, blocks: TextBlocks) -> Iterator[bytes]:
        last = b"\n"
        for block in blocks:
            self.lines += block.count(b"\n")
            last = block[-1:] or last
            yield block
        self.lines += last != b"\n"


def _after_lines(blocks: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """The text after the first `skip` lines."""
    for block in blocks:
        position = 0
        while skip and (end := block.find(b"\n", position)) >= 0:
            position, skip = end + 1, skip - 1
        if not skip:
            yield block[position:]


def _convert(
    path: Path,
    parquet: Path,
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    sniffed: Sniffed,
    scan: Scan,
    lines: LineCount,
    replaced: int,
) -> Reading:
    preview = sniffed.preview
    csv = CleanCsv(folder / "clean.csv", scan.delimiter, scan.quote, scan.columns, scan.widest)
    table, readings = _staged(path, folder / "staged.parquet", connection, csv, preview, scan)
    unnamed = {f.column for f in preview.findings if f.code == "blank_name"}
    kept = [i for i, r in enumerate(readings) if not (r.is_empty and preview.names[i] in unnamed)]
    written = folder / "table.parquet"
    select = ", ".join(f"{readings[i].sql} AS {_name(preview.names[i])}" for i in kept)
    copy_in_order(connection, f"SELECT {select} FROM {table}", written, f"COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}")
    names, kinds = [preview.names[i] for i in kept], [readings[i].kind for i in kept]
    columns, role_findings = guess_roles(written, names, kinds, [preview.units[i] for i in kept])
    os.replace(written, parquet)
    findings = _findings(preview, readings, kept, scan, replaced) + role_findings
    questions = preview.questions + _day_question(preview.options, readings)
    return Reading(
        _outcome(questions, findings, scan),
        preview.options,
        columns,
        scan.rows,
        lines,
        findings,
        tuple(scan.rejects),
        questions,
    )


def _staged(
    path: Path, staged: Path, connection: duckdb.DuckDBPyConnection, csv: CleanCsv, preview: Preview, scan: Scan
) -> tuple[str, tuple[ColumnReading, ...]]:
    """Stage the file and decide each column's kind; a column that breaks the promise of its sample is staged as text."""
    decimal, thousands = preview.options.decimal or ".", preview.options.thousands or ""
    numbers = numbers_in_sample(connection, csv, decimal, thousands)
    table = f"read_parquet({text_literal(staged)}, file_row_number = true)"
    while True:
        if stage(connection, csv, staged, numbers, decimal, thousands) != scan.rows:
            raise _not_conserved(path)
        readings = read_kinds(connection, table, preview.names, numbers, preview.options)
        refused = {i for i, reading in enumerate(readings) if reading is None}
        if not refused:
            return table, tuple(r for r in readings if r is not None)
        numbers -= refused


def _findings(
    preview: Preview, readings: Sequence[ColumnReading], kept: Sequence[int], scan: Scan, replaced: int
) -> tuple[Finding, ...]:
    left_out = {preview.names[i] for i in range(len(readings)) if i not in set(kept)}
    found = [f for f in preview.findings if f.column not in left_out]
    for name in sorted(left_out):
        found.append(
            Finding(
                "empty_column", msg("'{column}' has neither a name nor values; it was left out.", column=name), severity="info"
            )
        )
    found += [f for i in kept for f in readings[i].findings]
    if scan.rejected:
        message = msg_n("{n} line was rejected.", "{n} lines were rejected.", scan.rejected)
        found.append(Finding("rejected", message))
    if scan.blank:
        found.append(
            Finding(
                "blank_lines",
                msg_n("{n} blank line was left out.", "{n} blank lines were left out.", scan.blank),
                severity="warn" if scan.blank_inside else "info",
            )
        )
    if replaced:
        message = msg_n(
            "{n} character could not be read in this encoding.", "{n} characters could not be read in this encoding.", replaced
        )
        found.append(Finding("bad_characters", message))
    return tuple(found)


def _day_question(options: ReadOptions, readings: Sequence[ColumnReading]) -> tuple[Question, ...]:
    if options.day_first is not None or not any(r.open_day_month for r in readings):
        return ()
    choices = (
        (options.with_values(day_first=True), msg("day before month: 03/04 is 3 April")),
        (options.with_values(day_first=False), msg("month before day: 03/04 is March 4")),
    )
    return (Question("day_first", msg("Which comes first in the dates?"), choices),)


def _outcome(questions: Sequence[Question], findings: Sequence[Finding], scan: Scan) -> Outcome:
    if questions:
        return "ask"
    return "warn" if scan.rejected or any(f.severity != "info" for f in findings) else "load"


def _no_rows(path: Path, sniffed: Sniffed, scan: Scan) -> DataProblem:
    if scan.rejected:
        return DataProblem(
            msg("No row of '{file}' has the expected {width} cells.", file=path.name, width=scan.columns),
            msg("Expected rows as wide as the header."),
            msg("Check the delimiter and the number of lines above the header."),
            rejected=tuple(scan.rejects),
        )
    return no_rows(path, bool(sniffed.preview.options.header))


def _not_conserved(path: Path) -> DataProblem:
    return DataProblem(
        msg("The lines of '{file}' do not add up, so nothing was loaded.", file=path.name),
        msg("Expected lines read = header + preamble + comments + blank + accepted + rejected."),
        msg("Check the delimiter and the quote character, and report this file."),
    )


def _name(value: str) -> str:
    """A SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def with_columns(reading: Reading, columns: Sequence[Column]) -> Reading:
    """The reading with columns that a person corrected."""
    return replace(reading, columns=tuple(columns))
