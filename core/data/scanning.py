"""One pass over the whole file that accounts for each physical line and writes the good records as clean CSV.

Blocks whose quoting is regular are counted with NumPy; others are split record by record. What comes out is UTF-8,
has `\\n` line ends and the same number of cells in each record, so that DuckDB can read it at full speed and every
rejected line keeps its own number and reason.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.cells import is_number, is_time
from core.data.lines import Record, Splitter, join_cells, split_records, unreadable
from core.data.options import LineCount, OddRow
from core.data.several import Window, begins_table, in_window
from core.messages import Message, msg, msg_n

if TYPE_CHECKING:
    from core.data.totals import Totals

MAX_LISTED = 10_000
MAX_TEXT = 2_000
MAX_MARKS = 100_000
_LONG_CARRY = 4 << 20
_NEWLINE = 10


@dataclass(slots=True)
class Scan:
    """What the pass counted. `columns` = cells a record must have; `blank_inside` = a row follows a blank line, or a row
    of nothing but delimiters was seen. `header` is the header's text where it is one line: rows that repeat it are no data.
    `repaired` counts rows that were loaded in a corrected form; `again` are the lines on which the header came again;
    `window` are the cells of a row that are read. `second` is a row that looks like the header of another table: names below
    columns of `values`; `suspect` waits for the row below it, with whether there is a gap above it.
    `exponents` tells whether an e stands between digits somewhere; `totals` are the rows of totals that were cut off the end afterwards, with the line of the first.
    """

    columns: int
    delimiter: str
    quote: str
    out: BinaryIO
    line: int = 1
    escape: str = ""
    comment: str = ""
    header: str = ""
    blank: int = 0
    comments: int = 0
    accepted: int = 0
    rejected: int = 0
    rows: int = 0
    widest: int = 0
    trimmed: int = 0
    blank_pending: bool = False
    blank_inside: bool = False
    cut_off: bool = False
    rejects: list[OddRow] = field(default_factory=list)
    repaired: int = 0
    repairs: list[OddRow] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    unclosed: int = 0
    hollow: list[Record] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    exponents: bool = False
    window: Window | None = None
    values: frozenset[int] = frozenset()
    after_gap: bool = False
    suspect: tuple[Record, bool] | None = None
    second: Record | None = None
    totals: tuple[Totals, int] | None = None

    @property
    def splitter(self) -> Splitter:
        """How a record of the file is cut."""
        return Splitter(self.delimiter, self.quote, self.escape)

    def reject(self, line: int, n_lines: int, reason: Message, text: str, column: str = "") -> None:
        """Count a record that is not loaded, and keep its text (the first 10,000 of them)."""
        self.rejected += n_lines
        if len(self.rejects) < MAX_LISTED:
            self.rejects.append(OddRow(line, column, reason, text[:MAX_TEXT]))

    def repair(self, record: Record, what: Message) -> None:
        """Count a record that is loaded in a corrected form, and keep its text (the first 10,000 of them)."""
        self.repaired += 1
        if len(self.repairs) < MAX_LISTED:
            self.repairs.append(OddRow(record.line, "", what, record.text[:MAX_TEXT]))

    def mark(self, row: int, line: int) -> None:
        """Remember the line of a row (0-based) where it does not follow from the row before."""
        if len(self.marks) < MAX_MARKS and (not self.marks or line - self.marks[-1][1] != row - self.marks[-1][0]):
            self.marks.append((row, line))

    def line_of(self, row: int) -> int:
        """The first physical line of a row that was loaded; only near the truth beyond 100,000 rows over several lines."""
        place = bisect_right(self.marks, (row, 1 << 62)) - 1
        known_row, known_line = self.marks[place] if place >= 0 else (0, self.line)
        return known_line + row - known_row

    def counts(self, total: int, header: int, preamble: int, comment: int, blank_above: int) -> LineCount:
        """The account of the whole file, with what lay above the data."""
        return LineCount(
            total, header, preamble, comment + self.comments, blank_above + self.blank, self.accepted, self.rejected
        )


def has_exponents(text: bytes) -> bool:
    """Whether an e or E stands between two digits somewhere: what makes it worth looking for such codes.

    Example:
        >>> has_exponents(b"a,1E5"), has_exponents(b"a,1.2E-05"), has_exponents(b"e5,5e")
        (True, False, False)
    """
    if b"E" not in text and b"e" not in text:
        return False
    codes = np.frombuffer(text, dtype=np.uint8)
    at = np.flatnonzero((codes | 32) == ord("e"))
    at = at[(at > 0) & (at < len(codes) - 1)]
    zero = ord("0")  # What lies below it wraps round to a large number.
    return bool(((codes[at - 1] - zero < 10) & (codes[at + 1] - zero < 10)).any())


def scan_blocks(blocks: Iterable[bytes], scan: Scan) -> None:
    """Go through the data lines of a file. `scan.line` must be the number of the first of them.

    Args:
        blocks: UTF-8 with `\\n` line ends, in order, starting at a line's beginning.
        scan: Counts, rejects and the open file that the good records go to.
    """
    splitter = scan.splitter
    carry = b""
    ended = True
    for block in blocks:
        ended = block.endswith(b"\n") if block else ended
        carry = _scan_block(carry + block, scan, splitter, at_end=False)
    if carry:
        scan.cut_off = not ended
        _scan_block(carry if carry.endswith(b"\n") else carry + b"\n", scan, splitter, at_end=True)


def _scan_block(text: bytes, scan: Scan, splitter: Splitter, *, at_end: bool) -> bytes:
    """Handle all whole records of a block; what is left over comes back."""
    cut = text.rfind(b"\n") + 1
    if cut == 0:
        return text
    scan.exponents = scan.exponents or has_exponents(text)
    by_numpy = scan.window is None and splitter.delimiter.isascii() and splitter.quote.isascii()
    used = _scan_regular(text[:cut], scan) if by_numpy else 0
    left = text[used:]
    must_split = at_end or used == 0 or len(left) > _LONG_CARRY
    return _scan_slowly(left, scan, splitter, at_end) if must_split and left else left


def _scan_regular(text: bytes, scan: Scan) -> int:
    """Count and write the records of a block with regular quoting; the number of bytes used, 0 when it is not regular."""
    codes = np.frombuffer(text, dtype=np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    delimiters = np.flatnonzero(codes == ord(scan.delimiter))
    ends, limit = newlines, newlines
    if scan.escape and scan.escape.encode() in text:
        return 0
    if scan.quote and scan.quote.encode() in text:
        quotes = np.flatnonzero(codes == ord(scan.quote))
        if not _is_regular(codes, quotes, ord(scan.delimiter), ord(scan.quote)):
            return 0
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        limit = newlines
    if not len(ends):
        return 0
    _count_records(text, codes, ends, delimiters, limit, scan)
    return int(ends[-1]) + 1


def _is_regular(codes: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int, quote: int) -> bool:
    """Each opening quote follows a delimiter, a line end or a quote; each closing one is followed by one of them."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = codes[np.maximum(opening - 1, 0)]
    before_ok = (opening == 0) | (before == delimiter) | (before == _NEWLINE) | (before == quote)
    after = codes[np.minimum(closing + 1, len(codes) - 1)]
    after_ok = (after == delimiter) | (after == _NEWLINE) | (after == quote)
    return bool(before_ok.all() and after_ok.all())


def _count_records(
    text: bytes,
    codes: NDArray[np.uint8],
    ends: NDArray[np.int64],
    delimiters: NDArray[np.int64],
    newlines: NDArray[np.int64],
    scan: Scan,
) -> None:
    starts = np.concatenate(([0], ends[:-1] + 1))
    cells = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1
    line_ends = np.searchsorted(newlines, ends) + 1
    spans = np.diff(line_ends, prepend=0)
    scan.widest = max(scan.widest, int((ends - starts).max()))
    bare = ends - starts < scan.columns
    is_odd = (cells != scan.columns) | bare | ((cells == 1) & (codes[starts] <= 32))
    if scan.comment:
        is_odd |= codes[starts] == ord(scan.comment)
    if scan.header:
        is_odd |= ends - starts == len(scan.header.encode())
    odd = np.flatnonzero(is_odd)
    written, taken = 0, 0
    for i in odd:
        start, end = int(starts[i]), int(ends[i])
        _pass_on(memoryview(text)[written:start], line_ends, spans, (taken, int(i)), scan)
        written, taken = end + 1, int(i) + 1
        line = scan.line + int(line_ends[i] - spans[i])
        _take(_record(text[start:end].decode("utf-8"), line, int(spans[i]), scan), scan)
    last = int(ends[-1]) + 1
    _pass_on(memoryview(text)[written:last], line_ends, spans, (taken, len(ends)), scan)
    scan.line += int(line_ends[-1])


def _pass_on(
    text: memoryview, line_ends: NDArray[np.int64], spans: NDArray[np.int64], records: tuple[int, int], scan: Scan
) -> None:
    """Write a run of good records as they are, and remember on which lines they stand."""
    first, stop = records
    if first == stop:
        return
    scan.blank_inside |= scan.blank_pending
    if scan.hollow:
        _release(scan)
    if scan.after_gap or scan.suspect:
        _look_at_first(text, scan, scan.line + int(line_ends[first] - spans[first]))
    scan.out.write(text)
    scan.mark(scan.rows, scan.line + int(line_ends[first] - spans[first]))
    if len(scan.marks) < MAX_MARKS:
        for k in np.flatnonzero(spans[first:stop] > 1)[: MAX_MARKS - len(scan.marks)] + 1:
            if first + k < stop:
                scan.mark(scan.rows + int(k), scan.line + int(line_ends[first + k] - spans[first + k]))
    scan.rows += stop - first
    scan.accepted += int(spans[first:stop].sum())


def _record(text: str, line: int, n_lines: int, scan: Scan) -> Record:
    cells = scan.splitter.split(text)
    if isinstance(cells, list):
        return Record(line, n_lines, tuple(cells), text)
    return unreadable(text, line, cells, scan.splitter)


def _take(record: Record, scan: Scan) -> None:
    """Accept, repair, blank or reject one record that was split into cells."""
    if scan.comment and record.text.startswith(scan.comment):
        scan.comments += record.n_lines
        return
    record = in_window(record, scan.window, scan.delimiter, scan.quote)
    cells = record.cells
    if record.is_blank or (scan.columns == 1 and not record.text.strip()):
        scan.blank += record.n_lines
        scan.blank_pending = scan.after_gap = True
        return
    if record.error is None and not record.text.strip(f" {scan.delimiter}"):
        _hold(record, scan)
        scan.after_gap = True
        return
    _look_for_table(record, scan)
    scan.blank_inside |= scan.blank_pending
    if record.error is not None:
        scan.unclosed = scan.unclosed or record.line
        scan.reject(record.line, record.n_lines, record.error, record.text)
        return
    if scan.rows and scan.header and record.text == scan.header:
        scan.again.append(record.line)
        scan.reject(record.line, record.n_lines, msg("The header comes again here."), record.text)
        return
    if len(cells) > scan.columns and not any(c.strip() for c in cells[scan.columns :]):
        cells = cells[: scan.columns]
        scan.trimmed += 1
    what = record.repair
    if len(cells) != scan.columns:
        cells, what = _fitted(record, cells, scan)
    if len(cells) != scan.columns:
        is_end = scan.cut_off and len(cells) < scan.columns
        reason = msg("The file ends in the middle of this row.") if is_end else _wrong_width(len(cells), scan.columns)
        scan.reject(record.line, record.n_lines, reason, record.text)
        return
    if scan.hollow:
        _release(scan)
    if what is not None:
        scan.repair(record, what)
    _write(record, cells, scan)


def _look_at_first(text: memoryview, scan: Scan, line: int) -> None:
    """Look at the first two rows of a run of good ones, for what may begin there or goes on from above."""
    for row in bytes(text[: 2 * MAX_TEXT]).decode("utf-8", "replace").split("\n")[:2]:
        cells = scan.splitter.split(row)
        if isinstance(cells, list) and row.strip():
            _look_for_table(Record(line, 1, tuple(cells), row), scan)


def _look_for_table(record: Record, scan: Scan) -> None:
    """Whether the row before this one was the header of another table, and whether this one may be."""
    if scan.suspect is not None and scan.second is None:
        before, gap = scan.suspect
        if before.text != scan.header and begins_table(before, record, scan.values, scan.columns, after_gap=gap):
            scan.second = before
    is_new = scan.rows and scan.second is None and (scan.after_gap or len(record.cells) != scan.columns)
    scan.suspect = (record, scan.after_gap) if is_new else None
    scan.after_gap = len(record.cells) == 1 < scan.columns and scan.after_gap  # A title may stand above the header.


def _hold(record: Record, scan: Scan) -> None:
    """Wait with a row of nothing but delimiters: between rows it is a row without values, below the last one it is none."""
    scan.blank += record.n_lines
    scan.hollow.append(record)


def _release(scan: Scan) -> None:
    """Another row follows: the rows without values before it belong to the table."""
    held, scan.hollow = scan.hollow, []
    for record in held:
        scan.blank -= record.n_lines
        scan.repair(record, msg("The row has no values."))
        _write(record, ("",) * scan.columns, scan)


def _write(record: Record, cells: tuple[str, ...], scan: Scan) -> None:
    scan.out.write(join_cells(cells, scan.delimiter, scan.quote).encode("utf-8") + b"\n")
    scan.widest = max(scan.widest, len(record.text) * 4)
    scan.mark(scan.rows, record.line)
    scan.rows += 1
    scan.accepted += record.n_lines


def _fitted(record: Record, cells: tuple[str, ...], scan: Scan) -> tuple[tuple[str, ...], Message | None]:
    """The cells of a row of another width as a row of the table, and what was done; None where that would be a guess.

    A comment behind the row is cut off. A row that is too short gets empty cells at its end, when at least half of it is
    there or all of it are values: a line of words below a table is a note and no row. What the end of the file cuts off
    may have lost a part of its last number.
    """
    if scan.comment and scan.comment in record.text:
        bare = scan.splitter.split(record.text.partition(scan.comment)[0].rstrip())
        if isinstance(bare, list) and len(bare) == scan.columns:
            return tuple(bare), msg("A comment behind the row was left out.")
    if record.repair is not None or len(cells) > scan.columns or scan.cut_off:
        return cells, None
    is_row = 2 * len(cells) >= scan.columns and len(cells) > 1
    if not is_row and not all(is_number(c) or is_time(c) for c in cells if c.strip()):
        return cells, None
    missing = scan.columns - len(cells)
    what = msg_n("{n} cell at the end of the row is missing.", "{n} cells at the end of the row are missing.", missing)
    return cells + ("",) * missing, what


def _wrong_width(found: int, expected: int) -> Message:
    return msg_n(
        "The row has {n} cell; {expected} were expected.",
        "The row has {n} cells; {expected} were expected.",
        found,
        expected=expected,
    )


def _scan_slowly(text: bytes, scan: Scan, splitter: Splitter, at_end: bool) -> bytes:
    """Record by record; the text of a record that is still open comes back."""
    cut = text.rfind(b"\n") + 1
    lines = text[:cut].decode("utf-8").split("\n")[:-1]
    used = 0
    for record in split_records(lines, splitter, scan.line, at_end):
        _take(record, scan)
        used += record.n_lines
    scan.line += used
    rest = "\n".join(lines[used:]) + "\n" if used < len(lines) else ""
    return rest.encode("utf-8") + text[cut:]
