"""Where the table begins in a file: lines above the header, the header itself, a row of units, unique names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.data.cells import is_missing, is_number, is_time, is_unit, unit_in_name
from core.data.findings import Finding
from core.data.lines import Record
from core.messages import msg

_LOOK_AHEAD = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """The table's place. `first` = index of the first table record in the sample; `sure` = the header is not a guess."""

    first: int
    preamble_rows: int
    header: bool
    units_row: bool
    sure: bool


def find_layout(records: Sequence[Record], preamble_rows: int | None, header: bool | None, units_row: bool | None) -> Layout:
    """The layout of a sample of records; what is given is kept."""
    first = _first_of_table(records) if preamble_rows is None else _after_line(records, preamble_rows)
    above = records[first].line - 1 if first < len(records) else 0
    table = [r for r in records[first:] if not r.is_blank and r.error is None]
    found, sure = _has_header(table)
    with_header = found if header is None else header
    units = units_row if units_row is not None else with_header and _has_units_row(table)
    return Layout(first, above if preamble_rows is None else preamble_rows, with_header, units, sure or header is not None)


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
    common = max(widths.items(), key=_most_wide)[0]
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
    if not stable:
        return before[0] if before else first
    is_data = any(is_number(c) or is_time(c) for c in records[first].cells)
    directly_above = bool(before) and usable[usable.index(first) - 1] == before[-1]
    if is_data and directly_above and abs(len(records[before[-1]].cells) - common) <= max(1, common // 4):
        return before[-1]
    return first


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
    """(has a header, is that sure): words above numbers or times are a header; values above values are not."""
    if not table:
        return True, True
    first, rest = table[0].cells, [r.cells for r in table[1:_LOOK_AHEAD] if len(r.cells) == len(table[0].cells)]
    values_on_top = sum(1 for c in first if (is_number(c) or is_time(c)) and not is_missing(c))
    if not values_on_top:
        return True, True
    if not rest:
        return False, False
    typed = [i for i in range(len(first)) if sum(is_number(r[i]) or is_time(r[i]) for r in rest) > len(rest) / 2]
    words_above_values = sum(1 for i in typed if first[i].strip() and not is_number(first[i]) and not is_time(first[i]))
    if words_above_values and len(set(first)) == len(first):
        return True, True
    return False, False


def _has_units_row(table: Sequence[Record]) -> bool:
    """The row below the header holds units (or nothing) above columns of numbers."""
    if len(table) < 3:
        return False
    row, rest = table[1].cells, [r.cells for r in table[2:_LOOK_AHEAD]]
    filled = [c for c in row if c.strip() and c.strip() not in ("-", "[-]", "()", "[]")]
    if not filled or any(is_number(c) or is_time(c) for c in filled):
        return False
    known = sum(1 for c in filled if is_unit(c))
    numeric = [i for i in range(len(row)) if sum(1 for r in rest if i < len(r) and is_number(r[i])) > 0.5 * len(rest)]
    over_numbers = sum(1 for i in numeric if i < len(row) and (is_unit(row[i]) or not row[i].strip(" -[]()")))
    return known >= max(1, len(filled) / 2) and bool(numeric) and over_numbers >= 0.5 * len(numeric)


def unique_names(cells: Sequence[str], width: int) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Column names: trimmed, on one line, blank ones named by their place, repeated ones numbered."""
    names: list[str] = []
    findings: list[Finding] = []
    taken: set[str] = set()
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
