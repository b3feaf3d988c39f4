"""Delimiter, quote and decimal mark from a sample of lines.

The delimiter is the one that cuts most records into equally many cells that look like numbers, times or plain words:
the idea of CleverCSV (van den Burg, Nazábal & Sutton 2019, "Wrangling messy CSV files by detecting row and type
patterns"), with a smaller set of candidates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.data.cells import is_missing, is_number, is_time
from core.data.lines import Record, Splitter, split_records

DELIMITERS = (",", ";", "\t", "|", ":", "~", "^", " ")
_WEIGHTS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, ":": 0.6, "~": 0.9, "^": 0.9, " ": 0.6}
_PLAIN = re.compile(r"[\w .\-/%()\[\]°µ#+*&'\"<>=]*")
_SAMPLE_LINES = 400

DecimalEvidence = Literal["point", "comma", "ambiguous", "none"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are cut, and how sure that is (0 to 1)."""

    delimiter: str
    quote: str
    score: float


def sample_records(lines: Sequence[str], delimiter: str, quote: str, first_line: int = 1) -> list[Record]:
    """The records of some lines; a record that is open at the end is taken as it is."""
    return list(split_records(lines, Splitter(delimiter, quote), first_line, at_end=True))


def find_dialect(lines: Sequence[str], delimiter: str | None, quote: str | None) -> Dialect:
    """The delimiter and quote of the sample; a given one is kept. One column gives ("," , quote, 0)."""
    sample = [line for line in lines if line.strip()][:_SAMPLE_LINES]
    if delimiter is None and sample and (match := re.fullmatch(r"\"?sep=(.)\"?", sample[0].strip("\ufeff"))):
        delimiter = match.group(1)
    text = "\n".join(sample)
    quotes = [quote] if quote is not None else [q for q in ('"', "'") if q in text] or ['"']
    best = Dialect(delimiter or ",", '"' if quote is None else quote, 0.0)
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        if candidate not in text:
            continue
        for mark in quotes:
            score = _score(sample, candidate, mark) * (0.999 if mark == "'" else 1.0)
            if score > best.score:
                best = Dialect(candidate, mark, score)
    return best


def _score(sample: Sequence[str], delimiter: str, quote: str) -> float:
    """Sum over widths of (share of records) · (1 − 1/width), times the share of cells of a clear type."""
    records = sample_records(sample, delimiter, quote)
    if quote == "'" and not any(c.startswith("'") for r in records for c in r.text.split(delimiter)):
        return 0.0
    widths = Counter(len(r.cells) for r in records if r.error is None)
    if not widths:
        return 0.0
    width, common = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.0
    pattern = (common / len(records)) ** 2 * (1 - 0.5 / width)
    cells = [c for r in records if len(r.cells) == width for c in r.cells]
    return pattern * _WEIGHTS.get(delimiter, 0.9) * sum(map(_clarity, cells)) / len(cells)


def _clarity(cell: str) -> float:
    if is_missing(cell):
        return 0.7
    if is_number(cell) or is_time(cell):
        return 1.0
    return 0.6 if _PLAIN.fullmatch(cell) else 0.2


_COMMA_SURE = re.compile(r"[+-]?(0,\d+|\d+,(\d{1,2}|\d{4,})|\d{4,},\d+|\d{1,3}(\.\d{3})+,\d+|,\d+)([eE][+-]?\d+)?")
_POINT_SURE = re.compile(r"[+-]?(0\.\d+|\d+\.(\d{0,2}|\d{4,})|\d{4,}\.\d+|\d{1,3}([,' ]\d{3})+\.\d+|\.\d+)([eE][+-]?\d+)?")
_COMMA_OPEN = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT_OPEN = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}(\.\d+)?")
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}(,\d+)?")


def find_decimal(cells: Sequence[str]) -> tuple[str, DecimalEvidence]:
    """The decimal mark of a sample of cells and what speaks for it.

    "1,5" can only be a decimal comma and "0.5" only a point; "1,234" can be either and is "ambiguous" where nothing
    else in the file decides. "1.234" alone is read with a decimal point.
    """
    texts = [c.strip() for c in cells]
    comma = sum(1 for t in texts if _COMMA_SURE.fullmatch(t)) + sum(1 for t in texts if _POINT_GROUPS.fullmatch(t))
    point = sum(1 for t in texts if _POINT_SURE.fullmatch(t)) + sum(1 for t in texts if _COMMA_GROUPS.fullmatch(t))
    if comma > point:
        return ",", "comma"
    if point:
        return ".", "point"
    if any(_COMMA_OPEN.fullmatch(t) for t in texts):
        return (".", "point") if any(_POINT_OPEN.fullmatch(t) for t in texts) else (",", "ambiguous")
    return ".", "none"


def find_thousands(cells: Sequence[str], decimal: str) -> str:
    """The thousands mark of a sample, "" where there is none."""
    for mark in (",", ".", "'", " "):
        if mark == decimal:
            continue
        m, d = re.escape(mark), re.escape(decimal)
        groups = re.compile(rf"[+-]?[1-9]\d{{0,2}}({m}\d{{3}})+({d}\d+)?")
        if any(mark in c and groups.fullmatch(c.strip()) for c in cells):
            return mark
    return ""
