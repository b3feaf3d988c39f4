"""Several tables in one file: one below the other, or side by side with an empty column between them.

Nothing is decided here: what looks like another table is asked about. Where it begins is told from rows alone, so that the
head of a file and a pass over all of it ask in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.data.cells import is_missing, is_number, is_time
from core.data.lines import ONE_COLUMN, Record, join_cells

Window = tuple[int, int | None]
MAX_COLUMNS = 2_000
_ROWS_ABOVE = 60
_MOSTLY = 0.8
_LONGEST_NAME = 100
_FEWEST = 2


def trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells without the empty ones at the end."""
    n = len(cells)
    while n and not cells[n - 1].strip():
        n -= 1
    return tuple(cells[:n])


def value_columns(rows: Sequence[Sequence[str]]) -> frozenset[int]:
    """The columns (0-based) whose filled cells are mostly numbers or times."""
    found = []
    for i in range(max(map(len, rows), default=0)):
        filled = [r[i] for r in rows if i < len(r) and not is_missing(r[i])]
        if filled and sum(_is_value(c) for c in filled) >= _MOSTLY * len(filled):
            found.append(i)
    return frozenset(found)


def begins_table(record: Record, below: Record, values: frozenset[int], width: int, *, after_gap: bool) -> bool:
    """Whether a row looks like the header of another table: names, all different, over a row with values.

    Args:
        record: The row, somewhere below the first rows of a table.
        below: The next row that is not blank.
        values: The columns of the table above that hold values (`value_columns`): the names stand below some of them.
        width: Cells of a row of the table above.
        after_gap: Whether there is a blank line, or a row of empty cells, right above it.

    Without a gap and in the width of the table, it must be names below all columns of values, two at least: a word or two
    among numbers is a fault of theirs.
    """
    names, next_row = trimmed(record.cells), trimmed(below.cells)
    if record.error or below.error or not _FEWEST <= len(names) <= MAX_COLUMNS or not _are_names(names):
        return False
    if len(next_row) > len(names) or not any(_is_value(c) for c in next_row):
        return False
    covered = sum(1 for i in values if i < len(names))
    other_width = len(record.cells) != width and len(below.cells) == len(record.cells)
    if after_gap or other_width:
        return covered >= 1
    return len(names) == width and covered == len(values) >= _FEWEST


def _are_names(cells: Sequence[str]) -> bool:
    for cell in cells:
        if not cell.strip() or len(cell) > _LONGEST_NAME or "\n" in cell or _is_value(cell) or is_missing(cell):
            return False
    return len({c.strip().casefold() for c in cells}) == len(cells)


def _is_value(cell: str) -> bool:
    return is_number(cell) or is_time(cell)


def next_table(records: Sequence[Record], width: int, header_text: str) -> Record | None:
    """The header of a second table below the first, among the records below the first header; None where there is none.

    Args:
        records: Data records without comments, and with their lines; rows of empty cells among them, blank ones not.
        width: Cells of a row.
        header_text: The first header; where it comes again, that is another question.
    """
    rows = [r for r in records if any(c.strip() for c in r.cells)]
    for k in range(1, len(rows) - 1):
        record, above = rows[k], rows[k - 1]
        if record.text == header_text or width > MAX_COLUMNS or _is_value(record.cells[0]):
            continue
        gap = record.line > above.line + above.n_lines or (len(trimmed(above.cells)) == 1 < width)
        table = [r.cells for r in rows[max(0, k - _ROWS_ABOVE) : k] if len(trimmed(r.cells)) > 1 or width == 1]
        may_be = bool(table) and _are_names(trimmed(record.cells))
        if may_be and begins_table(record, rows[k + 1], value_columns(table), width, after_gap=gap):
            return record
    return None


def table_above(records: Sequence[Record]) -> Record | None:
    """The header of a table above the one that was found: names over at least two rows of their width with values.

    Two cells a line, the first of them words, are facts about the table below ("Operator,Kim").
    """
    for k in range(len(records) - _FEWEST):
        names = trimmed(records[k].cells)
        if not _FEWEST <= len(names) <= MAX_COLUMNS or records[k].error or not _are_names(names):
            continue
        below = [r.cells for r in records[k + 1 : k + 1 + _FEWEST]]
        told = any if len(names) > _FEWEST else all
        if all(len(trimmed(cells)) == len(names) and told(map(_is_value, trimmed(cells))) for cells in below):
            return records[k]
    return None


def blocks(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> tuple[tuple[int, int], ...]:
    """The tables side by side, as their first and last cell (1-based): between them lies a column without a name and
    without any cell, and each has at least two columns with a name; nothing where there is only one.

    Example:
        >>> blocks(["a", "b", "", "c", "d"], [["1", "2", "", "3", "4"], ["5", "6", "", "", ""]], 5)
        ((1, 2), (4, 5))
    """
    if len(rows) < _FEWEST or width > MAX_COLUMNS:
        return ()
    is_filled = [i < len(header) and bool(header[i].strip()) for i in range(width)]
    for i in (i for i in range(width) if not is_filled[i]):
        is_filled[i] = any(i < len(r) and r[i].strip() for r in rows)
    found: list[tuple[int, int]] = []
    start = None
    for i in range(width + 1):
        inside = i < width and is_filled[i]
        if inside and start is None:
            start = i
        if not inside and start is not None:
            found.append((start + 1, i))
            start = None
    named = [sum(1 for c in header[first - 1 : last] if c.strip()) for first, last in found]
    return tuple(found) if len(found) > 1 and min(named) >= _FEWEST else ()


def window_of(cells: str | None) -> Window | None:
    """The first and last cell (1-based; None for the last one of a row) of "4-6" or "4-"; None where all are meant.

    Example:
        >>> window_of("4-6"), window_of("4-"), window_of("1-"), window_of(None)
        ((4, 6), (4, None), None, None)
    """
    if cells is None or cells == "1-":
        return None
    first, _, last = cells.partition("-")
    return int(first), int(last) if last else None


def in_window(record: Record, window: Window | None, delimiter: str, quote: str) -> Record:
    """The record with the cells of a window only. A line of a single cell, such as a title or a note, is left as it is."""
    if window is None or record.error is not None or len(record.cells) < _FEWEST:
        return record
    cells = record.cells[window[0] - 1 : window[1]]
    return replace(record, cells=cells, text=join_cells(cells, delimiter or ONE_COLUMN, quote) if cells else "")
