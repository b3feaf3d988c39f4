"""The straight way of a large, clean file: one typed COPY from the original to Parquet, believed only when it is proved.

The kinds come from the first 10,000 rows. While DuckDB reads the file strictly, `byte_facts` goes over the same bytes. The
table is taken when all of this holds, else the file goes the careful way (`scanning`, `staging`, `kinds`):

- the rows of the table are the lines of the file without those above it: nothing was skipped, joined or parted;
- every cell of a number or time column converted (the cast is strict), none is infinite, beyond 2^53, or more than a
  number (`007`, `1_000`, `1E5`); no text cell holds a quote, a line end, a character that could not be read, or a word for missing;
- the lines that were sampled every 256 KB differ enough to be told apart and stand at their own row numbers: DuckDB 2.0
  was seen to exchange pieces of a table that several threads wrote; else one thread writes it again.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.data.byte_facts import ByteFacts, Seen, byte_facts
from core.data.cells import is_missing, is_number, is_time
from core.data.column_reading import ColumnReading, Staged
from core.data.converting import ROW_GROUP, identifier
from core.data.first_rows import FirstRows, look_at_first_rows, strict_time_sql
from core.data.footer import Footer, read_footer
from core.data.kinds import MAX_CELL, plain_number, read_kinds
from core.data.lines import Splitter
from core.data.options import LineCount
from core.data.scanning import Scan
from core.data.signs import sign_reading
from core.data.sniffing import Sniffed
from core.data.source import SAMPLE
from core.data.staging import BIG, copy_in_order, text_literal
from core.data.totals import TAIL_BYTES, may_end_with_totals

SMALLEST = 16 << 20
_MOST_COLUMNS = 100
_COMPARED = 3
_FEW_WORDS = 1_000
_REPLACED = "\ufffd".encode()  # What an earlier export could not read: it is counted.


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A finished table: the reading of each column of the file, the numbers of those that are in the table, the account
    of the lines, characters that could not be read, and zero characters."""

    written: Path
    readings: tuple[ColumnReading, ...]
    kept: list[int]
    scan: Scan
    lines: LineCount
    replaced: int = 0
    zeros: int = 0


def straight_table(
    path: Path, folder: Path, connection: duckdb.DuckDBPyConnection, sniffed: Sniffed, seen: Seen | None = None
) -> ReadTable | None:
    """Read a file the straight way.

    Args:
        path: The original.
        folder: Where the table is made.
        connection: With its memory limited.
        sniffed: How the file is read, and what lies above its rows.
        seen: Told the bytes read so far, from another thread; what it raises ends the reading and goes through.

    Returns:
        The table; None where the file is small, not plain, or anything about it is not proved.
    """
    if not _is_plain(path, sniffed):
        return None
    try:
        return _Straight(path, folder, connection, sniffed, seen).table()
    except duckdb.OutOfMemoryException as error:
        if "max_temp_directory_size" in str(error):
            raise
        return None  # Long texts in many columns: the careful way takes less at once.
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.InterruptException):
        return None  # A row of another width, a cell that is no number, an odd byte: the careful way says what and where.


def is_large(path: Path) -> bool:
    """Whether a file is large enough for the straight way, and not packed."""
    if not path.is_file() or path.stat().st_size < SMALLEST:
        return False
    with path.open("rb") as file:
        return file.read(2) != b"\x1f\x8b"


def _is_plain(path: Path, sniffed: Sniffed) -> bool:
    """Whether options, size and header allow it."""
    preview, options = sniffed.preview, sniffed.preview.options
    marks = f"{options.delimiter}{options.quote}"
    return (
        is_large(path)
        and str(options.encoding) in ("utf-8", "utf-8-sig")
        and bool(options.delimiter)
        and marks.isascii()
        and not (options.escape or options.comment or options.last_line or options.thousands or options.cells)
        and options.decimal == "."
        and not preview.questions
        and 1 < sniffed.width <= _MOST_COLUMNS
        and len(preview.names) == sniffed.width
        and not any(f.code in ("blank_name", "header_short") for f in preview.findings)
        and _REPLACED not in _head(path)
        and (
            options.last_line == 0
            or not may_end_with_totals(_tail(path), Splitter(str(options.delimiter), options.quote or ""), ".")
        )
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SAMPLE)


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read()


class _GivenUp(Exception):
    """The writing has ended, so that nobody waits for the look at the bytes any more."""


class _Straight:
    def __init__(
        self, path: Path, folder: Path, connection: duckdb.DuckDBPyConnection, sniffed: Sniffed, seen: Seen | None
    ) -> None:
        self.seen, self.given_up = seen, threading.Event()
        self.path, self.folder, self.connection, self.sniffed = path, folder, connection, sniffed
        self.options, self.names, self.width = sniffed.preview.options, sniffed.preview.names, sniffed.width
        self.skip = sniffed.first_data_line - 1
        self.has_cr = False

    def table(self) -> ReadTable | None:
        self.has_cr = self._has_cr()
        sample = look_at_first_rows(self.connection, self._source(self.path, self.skip), self.width, self.options.day_first)
        if sample is None or not (sample.numbers or sample.times) or not self._header_is_words(sample):
            return None
        written = self.folder / "table-straight.parquet"
        facts = self._copied(written, sample)
        if facts.odd or not 0 < read_footer(written).rows == facts.lines - self.skip:
            return None
        if not self._in_order(written, sample, facts, told_apart=True):
            copy_in_order(self.connection, self._select(sample, self.path, self.skip), written, _PARQUET)
            if not self._in_order(written, sample, facts, told_apart=False):
                return None
        readings = self._readings(written, sample)
        return None if readings is None else self._accounted(written, readings, facts)

    def _has_cr(self) -> bool:
        with self.path.open("rb") as file:
            return b"\r\n" in file.read(1 << 16)

    def _source(self, path: Path, skip: int, types: Sequence[str] | None = None) -> str:
        """A file as a table function with columns c0, c1, …"""
        columns = ", ".join(f"'c{i}': '{types[i] if types else 'VARCHAR'}'" for i in range(self.width))
        quote = text_literal(self.options.quote or "")
        # Told of \r\n, DuckDB 2.0 reads no row at all; untold it reads them right.
        line_end = "" if self.has_cr else "new_line = '\\n', "
        return (
            f"read_csv({text_literal(path)}, delim = {text_literal(self.options.delimiter)}, quote = {quote}, escape = {quote}, "
            f"header = false, skip = {skip}, auto_detect = false, strict_mode = true, null_padding = false, comment = '', "
            f"{line_end}max_line_size = {2 << 20}, buffer_size = {16 << 20}, columns = {{{columns}}})"
        )

    def _count(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _header_is_words(self, sample: FirstRows) -> bool:
        """Whether a header that comes again would be no row: one of its words stands above numbers or times."""
        typed = [self.names[i] for i in (*sample.numbers, *sample.times)]
        return not self.options.header or any(not is_number(name) and not is_time(name) for name in typed)

    def _select(self, sample: FirstRows, path: Path, skip: int) -> str:
        """The query that makes the table from a file; numbers are typed by the reader itself."""
        types = ["DOUBLE" if i in sample.numbers else "VARCHAR" for i in range(self.width)]
        parts = []
        for i, name in enumerate(self.names):
            value = f"c{i}"
            if i in sample.times:
                value = strict_time_sql(f"c{i}")
            parts.append(f"{value} AS {identifier(name)}")
        return f"SELECT {', '.join(parts)} FROM {self._source(path, skip, types)}"

    def _copied(self, written: Path, sample: FirstRows) -> ByteFacts:
        """Write the table while the bytes are looked through; what is odd in them ends the writing."""
        with ThreadPoolExecutor(1, thread_name_prefix="byte-facts") as beside:
            looked = beside.submit(self._look, sample)
            query = self._select(sample, self.path, self.skip)
            try:
                self.connection.execute(f"COPY ({query}) TO {text_literal(written)} (FORMAT parquet, {_PARQUET})")
            except duckdb.Error:
                self.given_up.set()
                error = looked.exception()
                if error is not None and not isinstance(error, _GivenUp):
                    raise error from None
                raise
            return looked.result()

    def _look(self, sample: FirstRows) -> ByteFacts:
        try:
            facts = self._facts(sample)
        except BaseException:  # the copy beside it would be written to its end for nothing
            self.connection.interrupt()
            raise
        if facts.odd:
            self.connection.interrupt()
        return facts

    def _facts(self, sample: FirstRows) -> ByteFacts:
        return byte_facts(
            self.path,
            str(self.options.delimiter),
            self.options.quote or "",
            typed=sample.numbers,
            whole=sample.whole,
            skip=self.skip,
            seen=self._seen,
        )

    def _seen(self, n_bytes: int) -> None:
        if self.given_up.is_set():
            raise _GivenUp
        if self.seen is not None:
            self.seen(n_bytes)

    def _in_order(self, written: Path, sample: FirstRows, facts: ByteFacts, *, told_apart: bool) -> bool:
        """Whether the sampled lines stand at their own row numbers, by the columns that vary most among them.

        With `told_apart` no less than half of the lines must differ in these columns: lines that look alike prove nothing.
        """
        lines = self.folder / "sampled.csv"
        end = b"\r\n" if facts.ends_with_cr else b"\n"
        lines.write_bytes(b"".join(line + end for _, line in facts.samples))
        numbers = self.folder / "sampled.txt"
        numbers.write_text("".join(f"{number - self.skip}\n" for number, _ in facts.samples))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE sampled AS SELECT * FROM ({self._select(sample, lines, 0)}) "
            f"POSITIONAL JOIN read_csv({text_literal(numbers)}, header = false, columns = {{'row_number': 'BIGINT'}}, auto_detect = false)"
        )
        counts = ", ".join(f"count(DISTINCT {identifier(name)})" for name in self.names)
        varied = self.connection.execute(f"SELECT {counts} FROM sampled").fetchone() or ()
        compared = [identifier(self.names[i]) for i in sorted(range(self.width), key=lambda i: -varied[i])[:_COMPARED]]
        different = self._count(f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(compared)} FROM sampled)")
        if told_apart and different < len(facts.samples) / 2:
            return False
        same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM s.{name}" for name in compared)
        table = f"read_parquet({text_literal(written)}, file_row_number = true)"
        query = f"SELECT count(*) FROM sampled s JOIN {table} t ON t.file_row_number = s.row_number AND {same}"
        return self._count(query) == len(facts.samples)

    def _readings(self, written: Path, sample: FirstRows) -> tuple[ColumnReading, ...] | None:
        """What each column is, from the finished table; None where one of them is not what the sample promised."""
        footer = read_footer(written)
        if not self._no_hollow_rows(written, footer) or not all(_is_exact(footer.extremes[i]) for i in sample.numbers):
            return None
        readings: dict[int, ColumnReading] = {}
        for i, name in enumerate(self.names):
            if i in sample.numbers:
                readings[i] = plain_number(name, identifier(name), footer.filled[i])
            elif i in sample.times:
                readings[i] = ColumnReading("time", identifier(name), footer.filled[i])
            elif self._is_words(i, written):
                readings[i] = ColumnReading("text", identifier(name), footer.filled[i])
        texts = [i for i in range(self.width) if i not in readings]
        view = ", ".join(f"{identifier(self.names[i])} AS c{i}" for i in texts)
        table = f"(SELECT {view}, file_row_number FROM read_parquet({text_literal(written)}, file_row_number = true))"
        if texts and not self._plain_texts(table, texts):
            return None
        staged = Staged(self.connection, table, lambda row: self.sniffed.first_data_line + row)
        for i, reading in zip(
            texts, read_kinds(staged, self.names, (), self.options, has_long_cells=True, columns=texts), strict=True
        ):
            if reading is None or reading.kind != "text" or reading.sql != f"c{i}":
                return None
            readings[i] = reading
        return tuple(readings[i] for i in range(self.width))

    def _is_words(self, i: int, written: Path) -> bool:
        """Whether a text column has few different values, each of them a plain word: looking at these is quicker than at all."""
        if self._count(f"SELECT count(DISTINCT c{i}) FROM first_rows") > _FEW_WORDS:
            return False
        name = identifier(self.names[i])
        query = (
            f"SELECT DISTINCT {name} FROM read_parquet({text_literal(written)}) WHERE {name} IS NOT NULL LIMIT {2 * _FEW_WORDS}"
        )
        words = [str(row[0]) for row in self.connection.execute(query).fetchall()]
        return len(words) < 2 * _FEW_WORDS and all(_is_word(w, self.options.quote or '"') for w in words)

    def _plain_texts(self, table: str, texts: Sequence[int]) -> bool:
        """Whether no text holds a quote or a line end: then every quote of the file stood around a cell."""
        quote = text_literal(self.options.quote or '"')
        odd = " OR ".join(
            f"contains(c{i}, {quote}) OR contains(c{i}, chr(10)) OR contains(c{i}, chr(13)) OR contains(c{i}, chr(65533))"
            for i in texts
        )
        return self._count(f"SELECT count(*) FILTER ({odd}) FROM {table}") == 0

    def _no_hollow_rows(self, written: Path, footer: Footer) -> bool:
        """Whether no row is without any value: at the end of a file such rows are no rows."""
        if footer.rows in footer.filled:
            return True
        empty = " AND ".join(f"coalesce(trim(CAST({identifier(name)} AS VARCHAR)), '') = ''" for name in self.names)
        return self._count(f"SELECT count(*) FILTER ({empty}) FROM read_parquet({text_literal(written)})") == 0

    def _accounted(self, written: Path, readings: tuple[ColumnReading, ...], facts: ByteFacts) -> ReadTable:
        sniffed = self.sniffed
        scan = Scan(
            sniffed.width,
            str(self.options.delimiter),
            self.options.quote or "",
            io.BytesIO(),
            line=sniffed.first_data_line,
            header=sniffed.header_text,
        )
        scan.rows = scan.accepted = facts.lines - self.skip
        preamble = sniffed.lines_above - sniffed.blank_above - sniffed.comments_above
        lines = scan.counts(facts.lines, sniffed.header_lines, preamble, sniffed.comments_above, sniffed.blank_above)
        return ReadTable(written, readings, list(range(sniffed.width)), scan, lines)


_PARQUET = f"COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"


def _is_word(cell: str, quote: str) -> bool:
    """Whether a cell can be nothing but a text, and is as long as it may be."""
    if (
        "\ufffd" in cell
        or is_missing(cell)
        or is_number(cell)
        or is_time(cell)
        or len(cell) > MAX_CELL
        or not cell.isprintable()
        or quote in cell
    ):
        return False
    try:
        float(cell)
    except ValueError:
        return sign_reading([cell], ".") is None
    return False


def _is_exact(extremes: tuple[float, float] | None) -> bool:
    """Whether numbers between two extremes are finite and none is beyond 2^53."""
    return extremes is not None and not any(abs(v) > BIG for v in extremes)
