"""A sheet of an Excel workbook (.xlsx) → a text table, so that the text reader finds header, units, kinds and gaps as in a CSV.

One row of the sheet is one line of the text, from row 1 on, so that line numbers are the sheet's row numbers and the account
of lines is one of rows. Numbers keep all their digits, times become ISO texts.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

import python_calamine

from core.data.findings import Finding
from core.data.formats.sheet_marks import SheetMarks, column_letters, has_table, read_marks
from core.data.options import ReadOptions
from core.errors import DataProblem
from core.messages import Message, msg, msg_n

_NUMBER = re.compile(r"\s*[+-]?(0|[1-9]\d*|\d+\.\d*|\.\d+)(\.\d+)?([eE][+-]?\d+)?\s*")
_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_BREAK = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]+\s*")
_EXACT = 2**53
_TOLD_EVERY = 2_000
_NAMED = 3
_MOST_ABOVE = 60
DELIMITER = "\t"

Row = list[Any]


@dataclass(slots=True)
class _Seen:
    """What was noticed on the way through the cells."""

    text_numbers: Counter[int] = field(default_factory=Counter)
    breaks: int = 0
    repeated: int = 0
    commas: bool = False
    fractions: bool = False


class Workbook:
    """An open workbook.

    Raises:
        DataProblem: it is damaged or has a password.
    """

    def __init__(self, path: Path, shown: str) -> None:
        self.path, self.shown = path, shown
        try:
            self._book = python_calamine.CalamineWorkbook.from_path(path)
        except python_calamine.PasswordError as error:
            raise _unreadable(shown, msg("it has a password")) from error
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise _unreadable(shown, msg("it is damaged or not an Excel workbook")) from error
        sheets = [m for m in self._book.sheets_metadata if m.typ == python_calamine.SheetTypeEnum.WorkSheet]
        visible = python_calamine.SheetVisibleEnum.Visible
        self.hidden = tuple(m.name for m in sheets if m.visible != visible)
        self.sheets = tuple(m.name for m in sheets if m.visible == visible)

    def filled_sheets(self) -> tuple[str, ...]:
        """The visible sheets that hold more than one filled cell."""
        return tuple(name for name in self.sheets if has_table(self.path, name))

    def _sheet(self, name: str) -> Any:
        try:
            return self._book.get_sheet_by_name(name)
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise _unreadable(self.shown, msg("the sheet '{sheet}' is damaged", sheet=name)) from error

    def write_text(self, name: str, target: Path, progress: Callable[[str, float], None]) -> tuple[ReadOptions, list[Finding]]:
        """Write a sheet as text; how it is to be read, and what was noticed.

        Raises:
            DataProblem: the sheet is damaged or empty.
        """
        sheet = self._sheet(name)
        if sheet.start is None:
            raise DataProblem(
                msg("The sheet '{sheet}' of '{file}' is empty.", sheet=name, file=self.shown),
                msg("Expected a header and rows."),
                msg("Choose another sheet."),
            )
        marks = read_marks(self.path, name)
        seen = _Seen()
        with target.open("x", encoding="utf-8", newline="") as out:
            _write_rows(sheet, out, seen, progress)
        decimal: Literal["."] | None = None if seen.commas and not seen.fractions else "."
        options = ReadOptions(
            encoding="utf-8", delimiter=DELIMITER, quote='"', decimal=decimal, thousands="" if decimal else None
        )
        return options, [*_cell_findings(seen), *_mark_findings(marks), *self._hidden_findings()]

    def _hidden_findings(self) -> list[Finding]:
        if not self.hidden:
            return []
        message = msg_n(
            "{n} hidden sheet was left out: {names}.",
            "{n} hidden sheets were left out: {names}.",
            len(self.hidden),
            names=", ".join(self.hidden),
        )
        return [Finding("hidden_sheets", message, severity="info")]


def _write_rows(sheet: Any, out: TextIO, seen: _Seen, progress: Callable[[str, float], None]) -> None:
    """Write the rows. Titles and remarks above the table, less than half as wide, are not padded to its width: the text
    reader knows them by that.
    """
    writer = csv.writer(out, delimiter=DELIMITER, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    left = sheet.start[1]  # The library gives the empty rows above the first filled cell, but not the columns before it.
    fill = _Fill(sheet.merged_cell_ranges or (), left)
    is_above = True
    for n, row in enumerate(sheet.iter_rows()):
        fill.apply(n, row, seen)
        filled = len(row) - row.count("")
        is_above = is_above and n < _MOST_ABOVE and 2 * filled < len(row)
        if is_above:
            row = row[: max((k + 1 for k, value in enumerate(row) if value != ""), default=0)]
        if filled:
            _write_row(writer, out, [_cell(value, k, seen) for k, value in enumerate(row, start=left)])
        else:
            out.write("\n")
        if n % _TOLD_EVERY == 0:
            progress("reading", n / max(1, sheet.height))


def _write_row(writer: Any, out: TextIO, cells: list[Any]) -> None:
    if isinstance(cells[0], str) and cells[0].startswith("#"):  # Quoted, it is no comment.
        out.write('"' + cells[0].replace('"', '""') + '"' + (DELIMITER if len(cells) > 1 else "\n"))
        cells = cells[1:]
    if cells:
        writer.writerow(cells)


class _Fill:
    """Cells merged downwards repeat their value in every row, as people read them; cells merged across stay at the left."""

    def __init__(self, ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], left: int) -> None:
        self._starts: dict[int, list[tuple[int, int]]] = {}
        for (first, column), (last, _) in ranges:
            if last > first:
                self._starts.setdefault(first, []).append((column - left, last))
        self._open: dict[int, tuple[int, Any]] = {}

    def apply(self, n: int, row: Row, seen: _Seen) -> None:
        if not (self._starts or self._open):
            return
        for k, (last, value) in list(self._open.items()):
            row[k] = value
            seen.repeated += value != ""
            if n >= last:
                del self._open[k]
        for k, last in self._starts.pop(n, ()):
            if 0 <= k < len(row):
                self._open[k] = (last, row[k])


def _cell(value: Any, column: int, seen: _Seen) -> Any:
    """A cell for the CSV writer, which writes numbers with all their digits: times as ISO, line breaks as a space.

    A library gives whole numbers as floats; 5.0 is written 5, as in the sheet.
    """
    kind = type(value)
    if kind is float:
        if value % 1 == 0 and -_EXACT < value < _EXACT:
            return int(value)
        seen.fractions = True
        return value
    if kind is str:
        return _of_text(value, column, seen) if value else ""
    if kind is bool:
        return "TRUE" if value else "FALSE"
    return value if kind is int else _of_time(value)


def _of_text(value: str, column: int, seen: _Seen) -> str:
    if _NUMBER.fullmatch(value):
        seen.text_numbers[column] += 1
    elif _COMMA.fullmatch(value):
        seen.commas = True
    if _BREAK.search(value):
        seen.breaks += 1
        return _BREAK.sub(" ", value).strip()
    return value


def _of_time(value: dt.date | dt.time | dt.timedelta) -> str:
    """ISO date, date with time, time of day; a duration as hours:minutes:seconds."""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(value.total_seconds(), 60)
        return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{seconds:02.0f}"
    return value.isoformat()


def _cell_findings(seen: _Seen) -> Iterator[Finding]:
    if seen.text_numbers:
        columns = ", ".join(column_letters(k) for k in sorted(seen.text_numbers))
        message = msg_n(
            "{n} number is stored as text (column {columns}); it was read as a number where its column is one.",
            "{n} numbers are stored as text (columns {columns}); they were read as numbers where their column is one.",
            seen.text_numbers.total(),
            columns=columns,
        )
        yield Finding("text_numbers", message, severity="info")
    if seen.repeated:
        message = msg_n(
            "{n} cell below a merged one got its value.", "{n} cells below merged ones got their value.", seen.repeated
        )
        yield Finding("merged_cells", message)
    if seen.breaks:
        message = msg_n(
            "{n} cell holds a line break; it became a space.", "{n} cells hold line breaks; they became spaces.", seen.breaks
        )
        yield Finding("line_breaks", message, severity="info")


def _mark_findings(marks: SheetMarks) -> Iterator[Finding]:
    if marks.errors:
        codes = Counter(e.code for e in marks.errors).most_common()
        message = msg_n(
            "{n} cell holds an Excel error ({codes}; {cells}) and counts as empty.",
            "{n} cells hold Excel errors ({codes}; {cells}) and count as empty.",
            marks.n_errors,
            codes=", ".join(code for code, _ in codes),
            cells=", ".join(e.cell for e in marks.errors[:_NAMED]) + (" …" if marks.n_errors > _NAMED else ""),
        )
        yield Finding("excel_errors", message)
    if marks.formulas_without_value:
        message = msg_n(
            "{n} formula has no stored value and counts as empty: open the file in Excel and save it.",
            "{n} formulas have no stored value and count as empty: open the file in Excel and save it.",
            marks.formulas_without_value,
        )
        yield Finding("formulas_without_value", message)
    if marks.hidden_rows:
        message = msg_n(
            "{n} hidden row of the sheet was read too.", "{n} hidden rows of the sheet were read too.", marks.hidden_rows
        )
        yield Finding("hidden_rows", message)
    if marks.hidden_columns:
        message = msg_n(
            "{n} hidden column of the sheet was read too.",
            "{n} hidden columns of the sheet were read too.",
            marks.hidden_columns,
        )
        yield Finding("hidden_columns", message, severity="info")


def _unreadable(shown: str, why: Message) -> DataProblem:
    return DataProblem(
        msg("The workbook '{file}' cannot be read: {why}.", file=shown, why=why),
        msg("Expected an Excel workbook (.xlsx) without a password."),
        msg("Open it in Excel and save it again, or export the sheet as CSV."),
    )
