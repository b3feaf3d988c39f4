"""Text lines → records, exactly: which cells a record has, how many physical lines it spans, or why it cannot be read.

RFC 4180 with four kindnesses: spaces around a quoted cell are dropped, a quote inside an unquoted cell is an
ordinary character, a quote that never closes spoils its own line only, and a line with quotes that are not doubled
is cut where a quote stands before a delimiter; such a repair is named in the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.messages import Message, msg

MAX_RECORD_LINES = 2_000
MAX_RECORD_CHARS = 4_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record: 1-based first line, physical lines spanned, its cells, its text, why it is bad and what was repaired."""

    line: int
    n_lines: int
    cells: tuple[str, ...]
    text: str
    error: Message | None = None
    repair: Message | None = None

    @property
    def is_blank(self) -> bool:
        """True for a line with nothing but white space."""
        return self.error is None and len(self.cells) <= 1 and not self.text.strip()


ONE_COLUMN = "\x1f"  # What "no delimiter" is cut with: the unit separator, which no table of one column holds.


class Splitter:
    """Cuts the text of one record into cells, for one delimiter, quote and escape.

    A delimiter "" means one column; an escape "\\" means that a quote inside a quoted cell may stand behind a backslash.
    """

    def __init__(self, delimiter: str, quote: str, escape: str = "") -> None:
        self.delimiter, self.quote, self.escape = delimiter or ONE_COLUMN, quote, escape
        spaces = " *" if delimiter != " " else ""
        q, d, e = re.escape(quote), re.escape(self.delimiter), re.escape(escape)
        inside = f"[^{q}{e}]|{e}.|{q}{q}" if escape else f"[^{q}]|{q}{q}"
        self._opening = re.compile(f"{spaces}{q}") if quote else None
        self._closed = re.compile(f"(?:{inside})*{q}", re.DOTALL) if quote else None
        self._after = re.compile(f"{spaces}({d}|$)")
        self._loose = re.compile(f"{q}{spaces}({d}|$)") if quote else None
        self._escaped = re.compile(f"{e}([{q}{e}{d}])") if escape else None

    def split(self, text: str) -> list[str] | Message | None:
        """The cells; a message when the quoting is wrong; None when a quoted cell is still open at the end."""
        if not self.quote or self.quote not in text:
            return text.split(self.delimiter)
        cells: list[str] = []
        position = 0
        while True:
            opening = self._opening.match(text, position)  # type: ignore[union-attr]
            if opening is None:
                position = self._plain(text, position, cells)
                if position < 0:
                    return cells
                continue
            closed = self._closed.match(text, opening.end())  # type: ignore[union-attr]
            if closed is None:
                return None
            after = self._after.match(text, closed.end())
            if after is None:
                return msg("There is text after a closing quote.")
            cells.append(self._unquoted(text[opening.end() : closed.end() - 1]))
            if not after.group(1):
                return cells
            position = after.end()

    def split_loosely(self, line: str) -> list[str]:
        """The cells of one line whose quotes are not doubled: a quoted cell ends where a quote stands before a delimiter;
        where there is none, the quote is an ordinary character."""
        cells: list[str] = []
        position = 0
        while position >= 0:
            opening = self._opening.match(line, position) if self._opening else None
            closing = self._loose.search(line, opening.end()) if opening and self._loose else None
            if opening is None or closing is None:
                position = self._plain(line, position, cells)
                continue
            cells.append(self._unquoted(line[opening.end() : closing.start()]))
            position = closing.end() if closing.group(1) else -1
        return cells

    def _plain(self, text: str, position: int, cells: list[str]) -> int:
        """Take an unquoted cell; where the next one begins, or -1 at the end."""
        end = text.find(self.delimiter, position)
        cells.append(text[position:] if end < 0 else text[position:end])
        return -1 if end < 0 else end + 1

    def _unquoted(self, cell: str) -> str:
        if self._escaped is not None:
            cell = self._escaped.sub(r"\1", cell)
        return cell.replace(self.quote * 2, self.quote)


def split_records(lines: Sequence[str], splitter: Splitter, first_line: int, at_end: bool) -> Iterator[Record]:
    """Records of some physical lines (without line ends).

    Args:
        lines: Whole physical lines, in order.
        splitter: How cells are cut.
        first_line: The 1-based number of the first line.
        at_end: True when no more lines follow in the file. Otherwise the records stop before a record that is
            still open at the end, so that the caller can come again with more lines.
    """
    i = 0
    while i < len(lines):
        cells = splitter.split(lines[i])
        if isinstance(cells, list):
            yield Record(first_line + i, 1, tuple(cells), lines[i])
            i += 1
            continue
        taken, result, open_at_end = (1, cells, False) if cells is not None else _over_lines(lines, i, splitter)
        if open_at_end and not at_end:
            return
        if isinstance(result, list):
            yield Record(first_line + i, taken, tuple(result), "\n".join(lines[i : i + taken]))
            i += taken
            continue
        # Over several lines, text after a quote says that the quote of the first line closes nowhere sensible.
        yield unreadable(lines[i], first_line + i, cells, splitter)
        i += 1


def unreadable(line: str, number: int, reason: Message | None, splitter: Splitter) -> Record:
    """The record of one line whose quoting is wrong: cut loosely where there is text after a quote, else an error."""
    if reason is None:
        return Record(number, 1, (), line, msg("A quote opens here and never closes."))
    cells = tuple(splitter.split_loosely(line))
    return Record(number, 1, cells, line, repair=msg("Quotes inside a quoted cell were not doubled."))


def _over_lines(lines: Sequence[str], start: int, splitter: Splitter) -> tuple[int, list[str] | Message | None, bool]:
    """Add lines until the open cell closes: lines taken, the cells or reason, and whether the lines ran out."""
    text, taken = lines[start], 1
    while start + taken < len(lines):
        if taken >= MAX_RECORD_LINES or len(text) > MAX_RECORD_CHARS:
            return taken, None, False
        new = lines[start + taken]
        text = text + "\n" + new
        taken += 1
        if splitter.quote not in new:
            continue
        result = splitter.split(text)
        if result is not None:
            return taken, result, False
    return taken, None, taken < MAX_RECORD_LINES and len(text) <= MAX_RECORD_CHARS


def join_cells(cells: Sequence[str], delimiter: str, quote: str) -> str:
    """One record as text, quoted where needed; what `Splitter.split` reads back without an escape."""
    if not quote:
        return delimiter.join(cells)
    if list(cells) == [""]:
        return quote * 2
    return delimiter.join(
        quote + c.replace(quote, quote * 2) + quote if _needs_quotes(c, delimiter, quote) else c for c in cells
    )


def _needs_quotes(cell: str, delimiter: str, quote: str) -> bool:
    return delimiter in cell or quote in cell or "\n" in cell or cell != cell.strip(" ")
