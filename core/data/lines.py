"""Text lines → records, exactly: which cells a record has, how many physical lines it spans, or why it cannot be read.

RFC 4180 with three kindnesses: spaces around a quoted cell are dropped, a quote inside an unquoted cell is an
ordinary character, and a quote that never closes spoils its own line only.
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
    """One record: 1-based first line, physical lines spanned, its cells, its text, and why it is bad (or None)."""

    line: int
    n_lines: int
    cells: tuple[str, ...]
    text: str
    error: Message | None = None

    @property
    def is_blank(self) -> bool:
        """True for a line with nothing but white space."""
        return self.error is None and len(self.cells) <= 1 and not self.text.strip()


class Splitter:
    """Cuts the text of one record into cells, for one delimiter and quote."""

    def __init__(self, delimiter: str, quote: str) -> None:
        self.delimiter, self.quote = delimiter, quote
        spaces = " *" if delimiter != " " else ""
        q, d = re.escape(quote), re.escape(delimiter)
        self._opening = re.compile(f"{spaces}{q}") if quote else None
        self._closed = re.compile(f"(?:[^{q}]|{q}{q})*{q}", re.DOTALL) if quote else None
        self._after = re.compile(f"{spaces}({d}|$)")

    def split(self, text: str) -> list[str] | Message | None:
        """The cells; a message when the quoting is wrong; None when a quoted cell is still open at the end."""
        if not self.quote or self.quote not in text:
            return text.split(self.delimiter)
        cells: list[str] = []
        position = 0
        while True:
            opening = self._opening.match(text, position)  # type: ignore[union-attr]
            if opening is None:
                end = text.find(self.delimiter, position)
                cells.append(text[position:] if end < 0 else text[position:end])
                if end < 0:
                    return cells
                position = end + 1
                continue
            closed = self._closed.match(text, opening.end())  # type: ignore[union-attr]
            if closed is None:
                return None
            after = self._after.match(text, closed.end())
            if after is None:
                return msg("There is text after a closing quote.")
            cells.append(text[opening.end() : closed.end() - 1].replace(self.quote * 2, self.quote))
            if not after.group(1):
                return cells
            position = after.end()


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
        reason = msg("A quote opens here and never closes.") if result is None else result
        yield Record(first_line + i, 1, (), lines[i], reason)
        i += 1


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
    """One record as text, quoted where needed; what `Splitter.split` reads back."""
    if not quote:
        return delimiter.join(cells)
    if list(cells) == [""]:
        return quote * 2
    return delimiter.join(
        quote + c.replace(quote, quote * 2) + quote if _needs_quotes(c, delimiter, quote) else c for c in cells
    )


def _needs_quotes(cell: str, delimiter: str, quote: str) -> bool:
    return delimiter in cell or quote in cell or "\n" in cell or cell != cell.strip(" ")
