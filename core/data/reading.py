"""A delimited text file → Parquet, with an account of every line.

Bytes → encoding → dialect → layout (`sniffing`), then one of two ways. A large file that is as plain as its beginning
goes straight to Parquet (`straight`). Any other: one pass that sorts out each physical line (`scanning`) → everything as
text in DuckDB → kinds decided on all cells (`kinds`) → Parquet. Nothing is loaded that the account does not cover.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from core.data.column_reading import ColumnReading
from core.data.converting import convert, not_conserved
from core.data.dataset import Column
from core.data.findings import Finding
from core.data.lines import ONE_COLUMN
from core.data.options import LineCount, OddRow, Outcome, Preview, Question, Reading, ReadOptions
from core.data.places import first_bytes
from core.data.questions import day_order, next_table, signs, table_ends, totals_row
from core.data.roles import guess_roles
from core.data.scanning import Scan, scan_blocks
from core.data.several import MAX_COLUMNS as MAX_WATCHED
from core.data.several import value_columns, window_of
from core.data.sniffing import Sniffed, sniff, sniff_layout
from core.data.source import TextBlocks
from core.data.staging import text_literal
from core.data.steps import Steps
from core.data.straight import ReadTable, is_large, straight_table
from core.data.totals import leave_out_totals, totals_findings
from core.errors import DataProblem
from core.messages import msg, msg_n

__all__ = ["LineCount", "Preview", "Question", "ReadOptions", "Reading", "OddRow", "read_file", "sniff"]

MAX_LINE = 32 << 20
_MEMORY_MB = 512
MAX_COLUMNS = 10_000


def read_file(
    path: Path, parquet: Path, options: ReadOptions | None = None, told: Callable[[float], None] | None = None
) -> Reading:
    """Read a whole file and write it as Parquet (zstd): numbers DOUBLE, times TIMESTAMP, text VARCHAR, NULL where empty.

    Args:
        path: The delimited text file, packed with gzip or not.
        parquet: Where the table goes; written beside it first, then renamed.
        options: What is known; None fields are found out.
        told: Gets the share of the work that is done, at each per cent; what it raises ends the reading.

    Returns:
        The reading. `outcome` is "ask" where the file leaves something open (the Parquet file then holds the first
        option), "warn" where something was noticed or rejected, else "load".

    Raises:
        DataProblem: the file cannot be read as a table; nothing is written.
        SettingProblem: an unknown encoding.
    """
    path, parquet, options = Path(path), Path(parquet), options or ReadOptions()
    steps = Steps(told, path.stat().st_size if path.is_file() else 0)
    with _working(path, parquet) as (folder, connection):
        if is_large(path):
            sniffed = sniff_layout(path, options, only_head=True)
            if found := straight_table(path, folder, connection, sniffed, steps.part(0.0, 0.9)):
                return _finished(path, parquet, connection, sniffed, found, steps)
        steps.restart()
        sniffed = sniff_layout(path, options)
        if sniffed.width > MAX_COLUMNS:
            raise _too_wide(path, sniffed.width)
        _limit_memory(connection, sniffed.width)
        return _finished(path, parquet, connection, sniffed, _careful_table(path, folder, connection, sniffed, steps), steps)


@contextmanager
def _working(path: Path, parquet: Path) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A folder beside the table and a connection with limits; both are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=parquet.parent, prefix=".reading-") as folder, duckdb.connect() as connection:
        _limit_memory(connection, 1)
        connection.execute(f"SET temp_directory = {text_literal(folder)}")
        try:
            yield Path(folder), connection
        except duckdb.OutOfMemoryException as error:
            if "max_temp_directory_size" in str(error):
                raise  # The disk and not the memory is at its end; the store has the words for that.
            raise DataProblem(
                msg("'{file}' needs more memory than an import may use.", file=path.name),
                msg("Expected a table of up to some thousand columns."),
                msg("Leave out columns or split the file."),
            ) from error


def _limit_memory(connection: duckdb.DuckDBPyConnection, width: int) -> None:
    connection.execute(f"SET memory_limit = '{max(_MEMORY_MB, min(3_000, width // 3))}MB'")


def _too_wide(path: Path, width: int) -> DataProblem:
    return DataProblem(
        msg("'{file}' has {columns} columns.", file=path.name, columns=width),
        msg("Expected up to {limit} columns.", limit=MAX_COLUMNS),
        msg("Leave out columns, or turn the table so that each column is one quantity."),
    )


def _careful_table(
    path: Path, folder: Path, connection: duckdb.DuckDBPyConnection, sniffed: Sniffed, steps: Steps
) -> ReadTable:
    """Each line sorted out, everything as text first, kinds decided on all cells."""
    scan, lines, text = _scan_file(path, sniffed, folder / "clean.csv", steps.part(0.0, 0.4))
    lines = leave_out_totals(connection, folder / "clean.csv", scan, lines, sniffed.preview.options)
    unnamed = {f.column for f in sniffed.preview.findings if f.code == "blank_name"}
    written, readings, kept = convert(path, folder, connection, sniffed.preview, scan, unnamed)
    return ReadTable(written, readings, kept, scan, lines, text.replaced, text.zeros)


def _scan_file(path: Path, sniffed: Sniffed, clean: Path, seen: Callable[[int], None]) -> tuple[Scan, LineCount, TextBlocks]:
    options = sniffed.preview.options
    text = TextBlocks(path, str(options.encoding))
    counter = _LineCounter(seen)
    with clean.open("wb") as out:
        scan = Scan(
            sniffed.width,
            options.delimiter or ONE_COLUMN,
            options.quote or "",
            out,
            line=sniffed.first_data_line,
            escape=options.escape or "",
            comment=options.comment or "",
            header=sniffed.header_text,
            window=window_of(options.cells),
            values=value_columns(sniffed.preview.head) if sniffed.width <= MAX_WATCHED else frozenset(),
        )
        _scan_lines(_after_lines(counter.watch(text), sniffed.first_data_line - 1), scan, options.ends_at or 0)
    preamble = sniffed.lines_above - sniffed.blank_above - sniffed.comments_above
    lines = scan.counts(counter.lines, sniffed.header_lines, preamble, sniffed.comments_above, sniffed.blank_above)
    if not lines.holds:
        raise not_conserved(path)
    if scan.rows == 0 and scan.rejected and options.ends_at is None:
        raise _no_good_row(path, scan)
    if scan.widest > MAX_LINE:
        raise DataProblem(
            msg("A row of '{file}' is longer than {limit} characters.", file=path.name, limit=MAX_LINE),
            msg("Expected rows of ordinary length."),
            msg("Check the delimiter and the quote character."),
        )
    return scan, lines, text


def _scan_lines(blocks: Iterator[bytes], scan: Scan, last_line: int) -> None:
    """Scan to the end, or to the table's last line; what is below counts as rejected and is listed once."""
    if not last_line:
        return scan_blocks(blocks, scan)
    below = _Below()
    scan_blocks(below.watch(blocks, max(0, last_line - scan.line + 1)), scan)
    if below.lines:
        message = msg_n("{n} line below the table was left out.", "{n} lines below the table were left out.", below.lines)
        scan.reject(last_line + 1, below.lines, message, below.text)


class _Below:
    """Lets a number of lines through and counts those after them."""

    def __init__(self) -> None:
        self.lines, self.text = 0, ""

    def watch(self, blocks: Iterator[bytes], n: int) -> Iterator[bytes]:
        last = b"\n"
        for block in blocks:
            position = 0
            while n and (end := block.find(b"\n", position)) >= 0:
                position, n = end + 1, n - 1
            if position or n:
                yield block[: position if not n else len(block)]
            rest = block[position:] if not n else b""
            self.lines += rest.count(b"\n")
            self.text = self.text or rest[:200].decode("utf-8", "replace")
            last = rest[-1:] or last
        self.lines += last != b"\n"


class _LineCounter:
    """Counts the physical lines that flow past; the last line needs no line end."""

    def __init__(self, seen: Callable[[int], None]) -> None:
        self.lines, self._seen, self._bytes = 0, seen, 0

    def watch(self, blocks: TextBlocks) -> Iterator[bytes]:
        last = b"\n"
        for block in blocks:
            self._bytes += len(block)
            self._seen(self._bytes)
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


def _finished(
    path: Path, parquet: Path, connection: duckdb.DuckDBPyConnection, sniffed: Sniffed, found: ReadTable, steps: Steps
) -> Reading:
    """Guess the roles, put the table in its place, and say what was found."""
    preview, scan, readings, kept = sniffed.preview, found.scan, found.readings, found.kept
    names, kinds = [preview.names[i] for i in kept], [readings[i].kind for i in kept]
    units = [readings[i].unit or preview.units[i] for i in kept]
    columns, role_findings = guess_roles(found.written, names, kinds, units, connection)
    os.replace(found.written, parquet)
    steps.finish()
    findings = _findings(preview, found)
    questions = preview.questions + _questions(preview, readings, scan)
    places = first_bytes(path, str(preview.options.encoding), [r.line for r in (*scan.rejects, *scan.repairs)])
    return Reading(
        _outcome(questions, findings, scan),
        preview.options,
        columns,
        scan.rows,
        found.lines,
        findings + role_findings,
        tuple(replace(r, byte=places.get(r.line, -1)) for r in scan.rejects),
        questions,
        tuple(replace(r, byte=places.get(r.line, -1)) for r in scan.repairs),
    )


def _findings(preview: Preview, table: ReadTable) -> tuple[Finding, ...]:
    scan, readings, kept = table.scan, table.readings, table.kept
    left_out = {preview.names[i] for i in set(range(len(readings))) - set(kept)}
    found = [f for f in preview.findings if f.column not in left_out]
    for name in sorted(left_out):
        found.append(
            Finding(
                "empty_column", msg("'{column}' has neither a name nor values; it was left out.", column=name), severity="info"
            )
        )
    found += [f for i in kept for f in readings[i].findings] + totals_findings(scan)
    if scan.rejected:
        message = msg_n("{n} line was rejected.", "{n} lines were rejected.", scan.rejected)
        found.append(Finding("rejected", message))
    if scan.blank:
        found.append(
            Finding(
                "blank_lines",
                msg_n("{n} blank line was left out.", "{n} blank lines were left out.", scan.blank),
                severity="warn" if scan.blank_inside or scan.hollow else "info",
            )
        )
    if not scan.rows:
        found.append(Finding("no_rows", msg("The table has no rows: there is nothing to train on.")))
    if scan.repaired:
        message = msg_n("{n} row was repaired.", "{n} rows were repaired.", scan.repaired)
        found.append(Finding("repaired", message))
    if scan.comments and not any(f.code == "comments" for f in found):
        message = msg_n("{n} comment line was left out.", "{n} comment lines were left out.", scan.comments)
        found.append(Finding("comments", message))
    if table.replaced:
        message = msg_n(
            "{n} character could not be read in this encoding.",
            "{n} characters could not be read in this encoding.",
            table.replaced,
        )
        found.append(Finding("bad_characters", message))
    if table.zeros:
        message = msg_n("{n} zero character was left out.", "{n} zero characters were left out.", table.zeros)
        found.append(Finding("zero_characters", message))
    return tuple(found)


def _questions(preview: Preview, readings: Sequence[ColumnReading], scan: Scan) -> tuple[Question, ...]:
    """What only the whole file leaves open."""
    options, found = preview.options, []
    is_open = options.end_is_open and not any(q.code == "last_line" for q in preview.questions)
    if scan.again and is_open:
        found.append(table_ends(options, scan.again[0]))
    elif scan.second and is_open:
        found.append(next_table(options, scan.second.line, scan.second.text))
    elif scan.totals and not scan.totals[0].certain and options.last_line is None and is_open:
        found.append(totals_row(options, scan.totals[1], scan.totals[0].word))
    signed = [i for i, r in enumerate(readings) if r.signed]
    if signed and options.signs is None:
        found.append(signs(options, preview.names[signed[0]], readings[signed[0]].signed))
    if options.day_first is None and any(r.open_day_month for r in readings):
        found.append(day_order(options))
    return tuple(found)


def _outcome(questions: Sequence[Question], findings: Sequence[Finding], scan: Scan) -> Outcome:
    if questions:
        return "ask"
    return "warn" if scan.rejected or any(f.severity != "info" for f in findings) else "load"


def _no_good_row(path: Path, scan: Scan) -> DataProblem:
    if scan.unclosed:
        what = msg(
            "No row of '{file}' can be read: in line {line} a quote opens and never closes.", file=path.name, line=scan.unclosed
        )
    else:
        what = msg("No row of '{file}' has the expected {width} cells.", file=path.name, width=scan.columns)
    return DataProblem(
        what,
        msg("Expected rows as wide as the header."),
        msg("Check the delimiter and the number of lines above the header."),
        rejected=tuple(scan.rejects),
    )


def with_columns(reading: Reading, columns: Sequence[Column]) -> Reading:
    """The reading with columns that a person corrected."""
    return replace(reading, columns=tuple(columns))
