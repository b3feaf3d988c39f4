"""Delimiter, quote, escape and decimal mark from a sample of lines.

Three opinions on the delimiter. Our own is the one that cuts most records into equally many cells that look like
numbers, times or plain words: the idea of CleverCSV (van den Burg, Nazábal & Sutton 2019, "Wrangling messy CSV files by
detecting row and type patterns"), with a smaller set of candidates. DuckDB's sniffer is the second, CleverCSV itself the
referee where these two disagree. What two of them say is taken; where they leave two readings open, both are offered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.data.cells import is_missing, is_number, is_time
from core.data.detectors import ask_clevercsv, ask_duckdb
from core.data.lines import Record, Splitter, split_records

DELIMITERS = (",", ";", "\t", "|", ":", "~", "^", " ", "\x01", "\x1f")
UNUSUAL = frozenset(" :\x01\x1f")
_WEIGHTS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, ":": 0.5, "~": 0.9, "^": 0.9, " ": 0.3}
_PLAIN = re.compile(r"[\w .\-/%()\[\]°µ#+*&'\"<>=]*")
_SAMPLE_LINES = 400
_OPEN = 0.5  # A delimiter that another detector names is open where ours cuts at most twice as well.
_NEARLY = 0.9
_ONE_COLUMN = 0.03  # What cuts worse than this cuts nothing: sentences with a few commas in them.

DecimalEvidence = Literal["point", "comma", "mixed", "ambiguous", "none"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are cut, how sure that is (0 to 1), and what else could be meant.

    `rivals` are other delimiters that are open, "" for one column; `open_quote` is another quote character that is open.
    """

    delimiter: str
    quote: str
    score: float
    escape: str = ""
    rivals: tuple[str, ...] = ()
    open_quote: str | None = None


def sample_records(lines: Sequence[str], splitter: Splitter, first_line: int = 1) -> list[Record]:
    """The records of some lines; a record that is open at the end is taken as it is."""
    return list(split_records(lines, splitter, first_line, at_end=True))


def find_dialect(lines: Sequence[str], delimiter: str | None, quote: str | None, escape: str | None = None) -> Dialect:
    """The dialect of a sample of lines without comments; what is given is kept. One column has the delimiter ""."""
    sample = [line for line in lines if line.strip()][:_SAMPLE_LINES]
    if delimiter is None and sample and (match := re.fullmatch(r"\"?sep=(.)\"?", sample[0].strip("\ufeff"))):
        delimiter = match.group(1)
        sample = sample[1:]
    text = "\n".join(sample)
    best = _best_by_delimiter(sample, text, delimiter, quote, escape)
    if delimiter is not None:
        chosen = best.get(delimiter, Dialect(delimiter, '"' if quote is None else quote, 0.0, escape or ""))
    else:
        chosen = _agreed(best, sample, text, quote)
    return chosen if quote is not None else _with_open_quote(chosen, sample, text)


def _best_by_delimiter(
    sample: Sequence[str], text: str, delimiter: str | None, quote: str | None, escape: str | None
) -> dict[str, Dialect]:
    """The best quote and escape for each delimiter that the sample holds, and for one column."""
    quotes = [quote] if quote is not None else [q for q in ('"', "'") if q == '"' or q in text]
    found: dict[str, Dialect] = {}
    for candidate in (delimiter,) if delimiter else ("", *(d for d in DELIMITERS if d in text)):
        for mark in quotes:
            escapes = [escape] if escape is not None else ["", "\\"] if mark and f"\\{mark}" in text else [""]
            for escaped in escapes:
                score = _score(sample, candidate, mark, escaped) * (0.999 if mark == "'" else 1.0)
                tried = Dialect(candidate, mark, score, escaped)
                if candidate not in found or _better(tried, found[candidate], sample):
                    found[candidate] = tried
    return found


def _better(one: Dialect, other: Dialect, sample: Sequence[str]) -> bool:
    """Whether a dialect cuts better; where neither cuts anything, whether its quotes fit better."""
    return one.score > other.score or (one.score == other.score and _odd(one, sample) < _odd(other, sample))


def _odd(dialect: Dialect, sample: Sequence[str]) -> int:
    records = sample_records(sample, Splitter(dialect.delimiter, dialect.quote, dialect.escape))
    return sum(1 for r in records if r.error is not None or r.repair is not None)


def _agreed(best: dict[str, Dialect], sample: Sequence[str], text: str, quote: str | None) -> Dialect:
    """What two of three detectors say; else our own best, with the others as rivals where they are nearly as good."""
    ours = max(best.values(), key=lambda d: d.score, default=Dialect("", '"' if quote is None else quote, 0.0))
    if not any(d in text for d in DELIMITERS):
        return best.get("", ours)
    second = ask_duckdb(sample)
    if second == ours.delimiter and ours.delimiter not in UNUSUAL:
        return ours
    third = ask_clevercsv(sample)
    chosen = ours
    if second in best and (second == third or (ours.delimiter in UNUSUAL and second not in ("", *UNUSUAL))):
        chosen = best[str(second)]
    votes = [d for d in dict.fromkeys((second, third)) if d and d != chosen.delimiter and d in best]
    if chosen.delimiter in UNUSUAL:
        rivals = [] if chosen.delimiter == " " and _all_values(sample, chosen) else [*votes, ""]
    else:
        rivals = [d for d in votes if d not in UNUSUAL and best[d].score >= _OPEN * chosen.score]
        if chosen.delimiter not in (second, third):
            rivals += [
                d for d in best if d and best[d].score >= _NEARLY * chosen.score and d not in (chosen.delimiter, *rivals)
            ]
    return replace(chosen, rivals=tuple(rivals[:3]))


def _all_values(sample: Sequence[str], dialect: Dialect) -> bool:
    """Whether every cell below the first line is a value: what no text with spaces in it looks like."""
    records = sample_records(sample[1:] or sample, Splitter(dialect.delimiter, dialect.quote, dialect.escape))
    cells = [c for r in records for c in r.cells if c]
    return bool(cells) and all(is_number(c) or is_time(c) for c in cells)


def _with_open_quote(dialect: Dialect, sample: Sequence[str], text: str) -> Dialect:
    """Say which other quote is open: apostrophes around cells are rare, and quotes that do not fit may be mere text."""
    if dialect.quote == "'":
        return replace(dialect, open_quote="" if '"' not in text else '"')
    if dialect.quote != '"' or '"' not in text:
        return dialect
    records = sample_records(sample, Splitter(dialect.delimiter, '"', dialect.escape))
    odd = sum(1 for r in records if r.error is not None or (r.n_lines > 1 and len(r.cells) == 1))
    if odd <= 0.1 * len(records):
        return dialect
    plain = [line.split(dialect.delimiter) if dialect.delimiter else [line] for line in sample]
    widths = {len(cells) for cells in plain}
    return replace(dialect, quote="", open_quote='"') if len(widths) == 1 and max(widths) > 1 and len(plain) > 2 else dialect


def _score(sample: Sequence[str], delimiter: str, quote: str, escape: str) -> float:
    """Sum over widths of (share of records) · (1 − 1/width), times the share of cells of a clear type.

    One column scores by the share of its lines that are a value as a whole: times hold colons, and no comma cuts "12,5".
    """
    records = sample_records(sample, Splitter(delimiter, quote, escape))
    if not records:
        return 0.0
    if quote == "'" and not any(c.startswith("'") for r in records for c in r.text.split(delimiter or None)):
        return 0.0
    if not delimiter:
        cells = [r.cells[0] for r in records[1:] or records if len(r.cells) == 1 and not is_missing(r.cells[0])]
        # Names with a comma between them, above "1,2": two columns and no decimal comma.
        parted = "," in records[0].text and not is_number(records[0].text)
        one = sum(-1 if parted and "," in c else is_number(c) or is_time(c) for c in cells)
        values = 0.85 * one / len(cells) if cells else 0.0
        quoted = sum(1 for r in records if quote and r.text.startswith(quote) and r.error is None)
        repaired = sum(1 for r in records if r.repair is not None)
        in_quotes = (0.3 - 0.2 * repaired / len(records)) if quoted >= len(records) / 2 else 0.0
        return max(values, in_quotes, _ONE_COLUMN)
    widths = Counter(len(r.cells) for r in records if r.error is None)
    if not widths:
        return 0.0
    width, common = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.0
    whole = common - 0.3 * sum(1 for r in records if r.repair is not None and len(r.cells) == width)
    pattern = (whole / len(records)) ** 2 * (1 - 0.5 / width)
    return pattern * _WEIGHTS.get(delimiter, 0.9) * _clear(c for r in records if len(r.cells) == width for c in r.cells)


def _clear(cells: Iterable[str]) -> float:
    found = [_clarity(c) for c in cells]
    return sum(found) / len(found)


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
    comma, point = _sure_marks(texts)
    if comma > point:
        return ",", "comma"
    if point:
        return ".", "point"
    if any(_COMMA_OPEN.fullmatch(t) for t in texts):
        return (".", "point") if any(_POINT_OPEN.fullmatch(t) for t in texts) else (",", "ambiguous")
    return ".", "none"


def mixed_marks(columns: Sequence[Sequence[str]]) -> int | None:
    """The first column in which one cell can only have a decimal comma and another only a decimal point, or None."""
    for i, cells in enumerate(columns):
        comma, point = _sure_marks([c.strip() for c in cells])
        if comma and point:
            return i
    return None


def open_groups(columns: Sequence[Sequence[str]], decimal: str) -> tuple[int, str] | None:
    """The first column in which "5.555" stands beside "5,5" (or "5,555" beside "5.5"), and that cell; None where there
    is none: a point that may part thousands or may be another spelling of the decimal mark."""
    other_open = _POINT_OPEN if decimal == "," else _COMMA_OPEN
    other_sure = _POINT_GROUPS if decimal == "," else _COMMA_GROUPS
    grouped = re.compile(rf"[+-]?\d{{1,3}}([.,]\d{{3}})+{re.escape(decimal)}\d+")
    for i, cells in enumerate(columns):
        texts = [c.strip() for c in cells]
        single = [t for t in texts if other_open.fullmatch(t)]
        if not single or any(other_sure.fullmatch(t) or grouped.fullmatch(t) for t in texts):
            continue
        marks = _sure_marks(texts)
        if marks[0 if decimal == "," else 1]:
            return i, single[0]
    return None


def _sure_marks(texts: Sequence[str]) -> tuple[int, int]:
    """How many cells can only have a decimal comma, and how many only a point."""
    comma = sum(1 for t in texts if _COMMA_SURE.fullmatch(t)) + sum(1 for t in texts if _POINT_GROUPS.fullmatch(t))
    point = sum(1 for t in texts if _POINT_SURE.fullmatch(t)) + sum(1 for t in texts if _COMMA_GROUPS.fullmatch(t))
    return comma, point


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
