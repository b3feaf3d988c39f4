"""One pass over the whole file that accounts for each physical line and writes the good records as clean CSV.

Blocks whose quoting is regular are counted with NumPy; others are split record by record. What comes out is UTF-8,
has `\\n` line ends and the same number of cells in each record, so that DuckDB can read it at full speed and every
rejected line keeps its own number and reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.lines import Record, Splitter, join_cells, split_records
from core.data.options import LineCount, Reject
from core.messages import Message, msg, msg_n

MAX_LISTED = 10_000
MAX_TEXT = 2_000
_LONG_CARRY = 4 << 20
_NEWLINE = 10


@dataclass(slots=True)
class Scan:
    """What the pass counted. `columns` = cells a record must have; `blank_inside` = a row follows a blank line."""

    columns: int
    delimiter: str
    quote: str
    out: BinaryIO
    line: int = 1
    blank: int = 0
    accepted: int = 0
    rejected: int = 0
    rows: int = 0
    widest: int = 0
    trimmed: int = 0
    blank_pending: bool = False
    blank_inside: bool = False
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, line: int, n_lines: int, reason: Message, text: str, column: str = "") -> None:
        """Count a record that is not loaded, and keep its text (the first 10,000 of them)."""
        self.rejected += n_lines
        if len(self.rejects) < MAX_LISTED:
            self.rejects.append(Reject(line, column, reason, text[:MAX_TEXT]))

    def counts(self, total: int, header: int, preamble: int, comment: int, blank_above: int) -> LineCount:
        """The account of the whole file, with what lay above the data."""
        return LineCount(total, header, preamble, comment, blank_above + self.blank, self.accepted, self.rejected)


def scan_blocks(blocks: Iterable[bytes], scan: Scan) -> None:
    """Go through the data lines of a file. `scan.line` must be the number of the first of them.

    Args:
        blocks: UTF-8 with `\\n` line ends, in order, starting at a line's beginning.
        scan: Counts, rejects and the open file that the good records go to.
    """
    splitter = Splitter(scan.delimiter, scan.quote)
    carry = b""
    for block in blocks:
        carry = _scan_block(carry + block, scan, splitter, at_end=False)
    if carry:
        _scan_block(carry if carry.endswith(b"\n") else carry + b"\n", scan, splitter, at_end=True)


def _scan_block(text: bytes, scan: Scan, splitter: Splitter, *, at_end: bool) -> bytes:
    """Handle all whole records of a block; what is left over comes back."""
    cut = text.rfind(b"\n") + 1
    if cut == 0:
        return text
    used = _scan_regular(text[:cut], scan) if splitter.delimiter.isascii() and splitter.quote.isascii() else 0
    left = text[used:]
    must_split = at_end or used == 0 or len(left) > _LONG_CARRY
    return _scan_slowly(left, scan, splitter, at_end) if must_split and left else left


def _scan_regular(text: bytes, scan: Scan) -> int:
    """Count and write the records of a block with regular quoting; the number of bytes used, 0 when it is not regular."""
    codes = np.frombuffer(text, dtype=np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    delimiters = np.flatnonzero(codes == ord(scan.delimiter))
    ends, limit = newlines, newlines
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
    odd = np.flatnonzero((cells != scan.columns) | bare | ((cells == 1) & (codes[starts] <= 32)))
    written = 0
    for i in odd:
        start, end = int(starts[i]), int(ends[i])
        line = scan.line + int(line_ends[i] - spans[i])
        scan.out.write(memoryview(text)[written:start])
        written = end + 1
        _take(_record(text[start:end].decode("utf-8"), line, int(spans[i]), scan), scan)
    last = int(ends[-1]) + 1
    scan.out.write(memoryview(text)[written:last])
    scan.blank_inside |= scan.blank_pending and (not len(odd) or int(odd[-1]) < len(ends) - 1)
    scan.rows += len(ends) - len(odd)
    scan.accepted += int(spans.sum() - spans[odd].sum())
    scan.line += int(line_ends[-1])


def _record(text: str, line: int, n_lines: int, scan: Scan) -> Record:
    cells = Splitter(scan.delimiter, scan.quote).split(text)
    if isinstance(cells, list):
        return Record(line, n_lines, tuple(cells), text)
    return Record(line, n_lines, (), text, cells or msg("A quote opens here and never closes."))


def _take(record: Record, scan: Scan) -> None:
    """Accept, blank or reject one record that was split into cells."""
    cells = record.cells
    if record.is_blank or (record.error is None and not record.text.strip(f" {scan.delimiter}")):
        scan.blank += record.n_lines
        scan.blank_pending = True
        return
    scan.blank_inside |= scan.blank_pending
    if record.error is not None:
        scan.reject(record.line, record.n_lines, record.error, record.text)
        return
    if len(cells) > scan.columns and not any(c.strip() for c in cells[scan.columns :]):
        cells = cells[: scan.columns]
        scan.trimmed += 1
    if len(cells) != scan.columns:
        scan.reject(record.line, record.n_lines, _wrong_width(len(cells), scan.columns), record.text)
        return
    scan.out.write(join_cells(cells, scan.delimiter, scan.quote).encode("utf-8") + b"\n")
    scan.widest = max(scan.widest, len(record.text) * 4)
    scan.rows += 1
    scan.accepted += record.n_lines


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
