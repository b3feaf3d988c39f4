"""Where the table begins in a file: lines above the header, the header itself, a row of units, unique names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.data.cells import is_missing, is_number, is_time, is_unit, unit_in_name
from core.data.findings import Finding
from core.data.lines import Record
from core.data.options import ReadOptions
from core.messages import msg

_LOOK_AHEAD = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """The table's place. `first` = index of the first table record in the sample; `sure` = the header is not a guess.

    `header_rows` is how many rows the names are spread over (0 without a header). `other_header` is the number of lines
    above another row that may be the header, None where no other comes into question.
    """

    first: int
    preamble_rows: int
    header: bool
    units_row: bool
    sure: bool
    header_rows: int = 1
    other_header: int | None = None

    @property
    def top_rows(self) -> int:
        """Records above the first data row."""
        return self.header_rows + int(self.units_row)


def find_layout(records: Sequence[Record], given: ReadOptions) -> Layout:
    """The layout of a sample of records without comments; what is given is kept."""
    first = _first_of_table(records) if given.preamble_rows is None else _after_line(records, given.preamble_rows)
    above_it = _group_header(records, first) if given.preamble_rows is None and given.header_rows is None else None
    first = first if above_it is None else above_it
    above = records[first].line - 1 if first < len(records) else 0
    table = [r for r in records[first:] if not r.is_blank and r.error is None]
    found, sure = _has_header(table)
    with_header = found if given.header is None else given.header
    rows = 0
    if with_header:
        rows = given.header_rows or (2 if above_it is not None else _header_rows(table))
    units = given.units_row if given.units_row is not None else with_header and _has_units_row(table[max(0, rows - 1) :])
    decided = given.preamble_rows is not None or given.header is not None
    return Layout(
        first,
        above if given.preamble_rows is None else given.preamble_rows,
        with_header,
        bool(units),
        sure or given.header is not None,
        rows,
        None if decided else _other_header(table),
    )


def _group_header(records: Sequence[Record], first: int) -> int | None:
    """The place of a row of groups ("inlet, , outlet, ") above names that come more than once, or None."""
    if not 0 < first < len(records):
        return None
    names, above = [c.strip() for c in records[first].cells], records[first - 1]
    filled = [c for c in above.cells if c.strip()]
    repeated = len({n for n in names if n}) < sum(1 for n in names if n)
    fits = len(above.cells) == len(names) and len(filled) >= 2 and not any(is_number(c) or is_time(c) for c in filled)
    return first - 1 if repeated and fits and not _is_comment(above) and above.error is None else None


def _header_rows(table: Sequence[Record]) -> int:
    """How many rows hold names: rows of words below the first one, over columns of numbers, belong to the header."""
    rows = 1
    while rows < 3 and len(table) > rows + 1:
        body = [r.cells for r in table[rows + 1 : _LOOK_AHEAD]]
        cells = table[rows].cells
        numeric = [i for i in range(len(cells)) if sum(1 for r in body if i < len(r) and is_number(r[i])) > 0.8 * len(body) > 0]
        words = [i for i in numeric if cells[i].strip() and not is_missing(cells[i])]
        if _has_units_row(table[rows - 1 :]) or any(is_number(c) or is_time(c) for c in cells):
            return rows
        if len(body) < 2 or len(words) < 2 or len(words) < 0.6 * len(numeric):
            return rows
        rows += 1
    return rows


def header_names(rows: Sequence[Record]) -> tuple[str, ...]:
    """The names of a header: of several rows, the groups above are carried to the right and joined with what is below."""
    if len(rows) == 1:
        return rows[0].cells
    width = max(len(r.cells) for r in rows)
    parts: list[list[str]] = []
    for place, record in enumerate(rows):
        cells = [*(" ".join(c.split()) for c in record.cells), *[""] * (width - len(record.cells))]
        if place < len(rows) - 1:
            for i in range(1, width):
                cells[i] = cells[i] or cells[i - 1]
        parts.append(cells)
    return tuple(" ".join(dict.fromkeys(p[i] for p in parts if p[i])) for i in range(width))


def _other_header(table: Sequence[Record]) -> int | None:
    """Where most names of the first row are empty: the lines above the next row that is filled better, if there is one."""
    if not table or 2 * _filled(table[0]) > len(table[0].cells):
        return None
    for record in table[1:_LOOK_AHEAD]:
        if _filled(record) > _filled(table[0]):
            return record.line - 1
    return None


def _after_line(records: Sequence[Record], lines: int) -> int:
    for i, record in enumerate(records):
        if record.line > lines and not record.is_blank:
            return i
    return len(records)


def _first_of_table(records: Sequence[Record]) -> int:
    """The header, or the first data row where there is none.

    Where rows agree on a width, lines above them are not part of the table, but for one line of words directly above
    that is nearly as wide. Where they do not, the first line of several words is the header and odd rows are rejected.
    """
    candidates = [i for i, r in enumerate(records) if r.error is None and not r.is_blank]
    widths = Counter(_width_of(records[i]) for i in candidates if _width_of(records[i]) > 1)
    if not widths:
        return next((i for i in candidates if not _is_comment(records[i])), candidates[0] if candidates else 0)
    # Few long lines outweigh many short ones: a block of facts above a wide table has two cells a line.
    common = max(widths.items(), key=lambda item: (item[1] ** 2 * item[0], item[0]))[0]
    # Rows whose last cells are filled for once belong to the table too: a column of remarks that is mostly empty.
    of_width = Counter(len(records[i].cells) for i in candidates if _width_of(records[i]) == common)
    cells = max(of_width.items(), key=_most_wide)[0]
    usable = [i for i in candidates if not _is_comment(records[i], (common, cells))]
    full = [
        i
        for i in usable
        if _width_of(records[i]) == common or _width_of(records[i]) > common and len(records[i].cells) == cells
    ]
    first = next((i for i in full if _filled(records[i]) > common / 2), full[0] if full else 0)
    stable = len(full) >= 5 and len(full) >= 0.8 * sum(1 for i in usable if i >= first)
    before = [i for i in usable if i < first and _is_words(records[i])]
    is_data = any(is_number(c) or is_time(c) for c in records[first].cells)
    directly_above = bool(before) and usable[usable.index(first) - 1] == before[-1]
    if is_data and directly_above and abs(len(records[before[-1]].cells) - common) <= max(1, common // 4):
        return before[-1]
    if stable or not before:
        return first
    below = usable[usable.index(first) + 1 :] if first in usable else []
    is_header = _is_words(records[first]) and any(is_number(c) or is_time(c) for i in below for c in records[i].cells)
    return first if is_header else before[0]


def _most_wide(counted: tuple[int, int]) -> tuple[int, int]:
    """The order of (width, how many): the most frequent width is the largest, and of those the widest."""
    return counted[1], counted[0]


def _width_of(record: Record) -> int:
    """Cells without the empty ones at the end."""
    cells = record.cells
    while len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    return len(cells)


def _is_words(record: Record) -> bool:
    """Several cells, none of them a value, most of them filled: what a header looks like."""
    cells = record.cells
    return len(cells) > 1 and 2 * _filled(record) > len(cells) and not any(is_number(c) or is_time(c) for c in cells)


def _filled(record: Record) -> int:
    return sum(1 for c in record.cells if c.strip())


def _is_comment(record: Record, table_widths: Sequence[int] = ()) -> bool:
    """A line that begins with # and is not as wide as the table, whose header may begin so."""
    return record.text.startswith("#") and len(record.cells) not in table_widths


def _has_header(table: Sequence[Record]) -> tuple[bool, bool]:
    """(has a header, is that sure): words above numbers or times are a header; values above values of the same form are
    data, unless they may number the columns."""
    if not table:
        return True, True
    first, rest = table[0].cells, [r.cells for r in table[1:_LOOK_AHEAD] if len(r.cells) == len(table[0].cells)]
    values_on_top = [c for c in first if (is_number(c) or is_time(c)) and not is_missing(c)]
    if not values_on_top:
        return True, True
    if rest and (_names_then_steps(first, rest) or _numbers_above_words(first, rest)):
        return True, True
    typed = [i for i in range(len(first)) if sum(is_number(r[i]) or is_time(r[i]) for r in rest) > len(rest) / 2]
    words_above_values = sum(1 for i in typed if first[i].strip() and not is_number(first[i]) and not is_time(first[i]))
    if rest and words_above_values and len(set(first)) == len(first):
        return True, True
    return False, first in rest or _counts_on(first, rest) or (not _may_number_columns(first) and _same_form(first, rest))


def _counts_on(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a count that the first row begins goes on below it for at least four rows: it is row 1 of the data."""
    for i, cell in enumerate(first):
        column = [r[i].strip() for r in rest[:20]]
        are_whole = cell.strip().isdecimal() and all(c.isdecimal() for c in column)
        if are_whole and len(column) >= 4 and len(set(first)) > 1 and _in_steps([int(cell), *map(int, column)]):
            return True
    return False


def _numbers_above_words(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Different numbers that for the most part stand above words: tags that name columns of texts."""
    numbers = [i for i, c in enumerate(first) if is_number(c)]
    if len(rest) < 2 or len(numbers) < 2 or len(set(first)) < len(first):
        return False
    over_words = sum(1 for i in numbers if not any(is_number(r[i]) or is_time(r[i]) for r in rest if not is_missing(r[i])))
    return over_words > len(numbers) / 2


def _names_then_steps(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """A word followed by at least three whole numbers in equal steps ("Year, 2000, 2001, 2002"), over numbers that do not
    run so: the columns are years, positions or time steps."""
    numbers = [int(c.strip()) for c in first if c.strip().isdecimal()]
    words = [c for c in first if c.strip() and not is_number(c) and not is_time(c)]
    if len(numbers) < 3 or not words or len(numbers) + len(words) < len(first) or not _in_steps(numbers):
        return False
    below = [[int(c.strip()) for c in r if c.strip().isdecimal()] for r in rest]
    return not any(len(b) == len(numbers) and _in_steps(b) for b in below)


def _may_number_columns(first: Sequence[str]) -> bool:
    """Whether the numbers of a row could be names: whole numbers in equal steps, or one that begins a count."""
    numbers = [c.strip() for c in first if is_number(c)]
    if not numbers or len(numbers) < sum(1 for c in first if is_number(c) or is_time(c)):
        return False
    if not all(n.isdecimal() for n in numbers):
        return False
    whole = [int(n) for n in numbers]
    return whole[0] in (0, 1) if len(whole) <= 2 else _in_steps(whole)


def _in_steps(whole: Sequence[int]) -> bool:
    steps = {b - a for a, b in zip(whole, whole[1:], strict=False)}
    return len(steps) == 1 and 0 not in steps


def _same_form(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the values of a row are written like those below it: whole numbers over whole ones, decimals over decimals."""
    for i, cell in enumerate(first):
        below = [r[i] for r in rest if r[i].strip() and not is_missing(r[i])]
        if not is_number(cell) or not below:
            continue
        if not cell.strip().lstrip("+-").isdecimal():
            continue
        if sum(1 for c in below if is_number(c) and not c.strip().lstrip("+-").isdecimal()) > len(below) / 2:
            return False
    return True


def _has_units_row(table: Sequence[Record]) -> bool:
    """The row below the header holds units (or nothing) above columns of numbers; one row below it is no column yet."""
    if len(table) < 3 or (len(table) == 3 and len(table[1].cells) == 1):
        return False
    row, rest = table[1].cells, [r.cells for r in table[2:_LOOK_AHEAD]]
    filled = [c for c in row if c.strip() and c.strip() not in ("-", "[-]", "()", "[]")]
    if not filled or any(is_number(c) or is_time(c) for c in filled):
        return False
    known = sum(1 for c in filled if is_unit(c))
    numeric = [i for i in range(len(row)) if sum(1 for r in rest if i < len(r) and is_number(r[i])) > 0.5 * len(rest)]
    over_numbers = sum(1 for i in numeric if i < len(row) and (is_unit(row[i]) or not row[i].strip(" -[]()")))
    return known >= max(1, len(filled) / 2) and bool(numeric) and over_numbers >= 0.5 * len(numeric)


_RESERVED = ("file_row_number",)  # DuckDB gives it to the rows of a Parquet file.


def unique_names(cells: Sequence[str], width: int) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Column names: trimmed, on one line, blank ones named by their place, repeated ones numbered."""
    names: list[str] = []
    findings: list[Finding] = []
    taken = set(_RESERVED)
    wanted = [" ".join(c.split()) for c in cells] + [""] * (width - len(cells))
    asked = {name.lower() for name in wanted}
    for i, name in enumerate(wanted[:width]):
        base = name or f"column_{i + 1}"
        unique, k = base, 2
        while unique.lower() in taken or (unique != base and unique.lower() in asked):
            unique, k = f"{base}_{k}", k + 1
        taken.add(unique.lower())
        names.append(unique)
        if i < len(cells) and name and ("\n" in cells[i] or "\t" in cells[i]):
            findings.append(
                Finding("name_cleaned", msg("The column name '{name}' had line breaks or tabs.", name=unique), unique)
            )
        if not name:
            findings.append(
                Finding(
                    "blank_name", msg("Column {number} has no name; it is called '{name}'.", number=i + 1, name=unique), unique
                )
            )
        elif unique != base:
            message = msg("The column name '{old}' came more than once; this one is called '{name}'.", old=base, name=unique)
            findings.append(Finding("duplicate_name", message, unique))
    return tuple(names), tuple(findings)


def units_of(names: Sequence[str], units_row: Sequence[str]) -> tuple[str, ...]:
    """The unit of each column: from the units row, else from the name, else ""."""
    below = [c.strip().strip("[]()").strip() for c in units_row] + [""] * (len(names) - len(units_row))
    return tuple(("" if b == "-" else b) or unit_in_name(n) for n, b in zip(names, below, strict=False))
