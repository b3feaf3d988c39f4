"""How a file would be read: options found from its head, with a preview and what is really open as questions."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from core.data.dialect import find_decimal, find_dialect, find_thousands, sample_records
from core.data.findings import Finding, Severity
from core.data.layout import Layout, find_layout, unique_names, units_of
from core.data.lines import Record
from core.data.options import Preview, Question, ReadOptions
from core.data.source import TextBlocks, check_file, detect_encoding
from core.errors import DataProblem, SettingProblem
from core.messages import Message, msg, msg_n

HEAD_ROWS = 20
_SAMPLE_BYTES = 1 << 20
_SAMPLE_LINES = 3_000


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A preview with what the full read needs besides: the width of a row and the lines that belong to no data row."""

    preview: Preview
    width: int
    first_data_line: int
    header_lines: int
    blank_above: int
    comments_above: int


def sniff(path: Path, options: ReadOptions | None = None) -> Preview:
    """The options, names, units and first rows of a file, and what it leaves open.

    Args:
        path: A delimited text file, packed with gzip or not.
        options: What the caller already knows; None fields are found out.

    Raises:
        DataProblem: not a text table, or nothing in it.
        SettingProblem: an unknown encoding.
    """
    return sniff_layout(Path(path), options or ReadOptions()).preview


def sniff_layout(path: Path, given: ReadOptions) -> Sniffed:
    """`sniff` with the layout of the file's beginning."""
    head = check_file(path)
    encoding = _known_encoding(given.encoding) if given.encoding else detect_encoding(path, head)
    lines = _sample_lines(path, encoding)
    skipped = given.preamble_rows or 0
    dialect = find_dialect(lines[skipped:], given.delimiter, given.quote)
    records = sample_records(lines, dialect.delimiter, dialect.quote)
    layout = find_layout(records, given.preamble_rows, given.header, given.units_row)
    table = [r for r in records[layout.first :] if not r.is_blank]
    if not table:
        raise DataProblem(
            msg("The file '{file}' has no table in it.", file=path.name),
            msg("Expected a header and rows."),
            msg("Check the number of lines above the header."),
        )
    sniffed = _assemble(given, encoding, dialect.delimiter, dialect.quote, records, table, layout)
    if len(table) > int(layout.header) + int(layout.units_row):
        return sniffed
    return replace(sniffed, preview=replace(sniffed.preview, refusal=no_rows(path, layout.header)))


def no_rows(path: Path, header: bool) -> DataProblem:
    """The error for a table that ends with its header."""
    what = (
        msg("The file '{file}' has a header and no rows.", file=path.name)
        if header
        else msg("The file '{file}' has no rows.", file=path.name)
    )
    return DataProblem(what, msg("Expected at least one row below the header."), msg("Export the table again with its rows."))


def _assemble(
    given: ReadOptions, encoding: str, delimiter: str, quote: str, records: list[Record], table: list[Record], layout: Layout
) -> Sniffed:
    n_top = int(layout.header) + int(layout.units_row)
    data = table[n_top:]
    width = _width(table, layout)
    header = table[0].cells if layout.header else ()
    names, findings = unique_names(header, width) if layout.header else (tuple(f"column_{i + 1}" for i in range(width)), ())
    units = units_of(names, table[1].cells if layout.units_row and len(table) > 1 else ())
    cells = [c for r in data for c in r.cells]
    decimal, evidence = (given.decimal, "given") if given.decimal else find_decimal(cells)
    grouped = evidence == "ambiguous" and delimiter == ","
    if grouped:
        decimal = "."
    thousands = find_thousands(cells, decimal) if given.thousands is None else given.thousands
    options = ReadOptions(
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        decimal=decimal,  # type: ignore[arg-type]
        thousands=thousands,  # type: ignore[arg-type]
        preamble_rows=layout.preamble_rows,
        header=layout.header,
        units_row=layout.units_row,
        day_first=given.day_first,
    )
    questions = _questions(options, "given" if grouped else evidence, layout)
    top = table[:n_top]
    above = [r for r in records if r.line <= layout.preamble_rows]
    between = [r for r in records if top and top[0].line < r.line < top[-1].line and r.is_blank]
    rows = tuple(tuple(r.cells[:width]) for r in data if r.error is None and len(r.cells) >= width)[:HEAD_ROWS]
    preamble = [r for r in above if not r.is_blank]
    more = _layout_findings(layout, width, header, options, sum(r.n_lines for r in preamble))
    if grouped:
        more.append(Finding("thousands", msg("The comma in numbers such as 1,234 was read as a thousands mark.")))
    return Sniffed(
        Preview(options, names, units, rows, (*findings, *more), questions),
        width,
        (top[-1].line + top[-1].n_lines) if top else layout.preamble_rows + 1,
        sum(r.n_lines for r in top),
        sum(1 for r in above if r.is_blank) + len(between),
        sum(1 for r in above if not r.is_blank and r.text.startswith("#")),
    )


def _width(table: list[Record], layout: Layout) -> int:
    """Cells of a row: the header's count, unless the rows agree on more."""
    good = [r for r in table if r.error is None]
    if not good:
        return 1
    top = len(good[0].cells) if layout.header else 0
    rows = Counter(len(_trimmed(r.cells, top)) for r in good[int(layout.header) + int(layout.units_row) :])
    if not rows:
        return max(1, top)
    common, n = max(rows.items(), key=lambda item: (item[1], item[0]))
    if not layout.header:
        return common
    return common if common > top and n > 0.5 * sum(rows.values()) else top


def _trimmed(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Without empty cells beyond the header's width (a delimiter at the end of each row)."""
    return cells[:width] if width and len(cells) > width and not any(c.strip() for c in cells[width:]) else cells


def _layout_findings(layout: Layout, width: int, header: tuple[str, ...], options: ReadOptions, n_above: int) -> list[Finding]:
    found = []
    if width == 1:
        found.append(Finding("one_column", msg("Only one column was found; is the delimiter right?")))
    if layout.header and len(header) < width:
        message = msg("The header has {header} names, the rows have {width} cells.", header=len(header), width=width)
        found.append(Finding("header_short", message))
    if layout.units_row:
        found.append(Finding("units_row", msg("The row below the header was read as units."), severity="info"))
    if n_above:
        message = msg_n("{n} line above the table was left out.", "{n} lines above the table were left out.", n_above)
        found.append(Finding("preamble", message))
    if options.encoding not in ("utf-8", "utf-8-sig"):
        severity: Severity = "info" if str(options.encoding).startswith("utf") else "warn"
        found.append(
            Finding("encoding", msg("The file was read as {encoding}.", encoding=str(options.encoding)), severity=severity)
        )
    return found


def _questions(options: ReadOptions, evidence: str, layout: Layout) -> tuple[Question, ...]:
    asked: list[Question] = []
    if evidence == "ambiguous":
        as_decimal: tuple[ReadOptions, Message] = (
            options.with_values(decimal=",", thousands=""),
            msg("a decimal comma: 1,234 is a little more than one"),
        )
        as_thousands: tuple[ReadOptions, Message] = (
            options.with_values(decimal=".", thousands=","),
            msg("a thousands mark: 1,234 is more than a thousand"),
        )
        order = (as_decimal, as_thousands) if options.delimiter in (";", "\t") else (as_thousands, as_decimal)
        asked.append(Question("decimal", msg("What is the comma in numbers such as 1,234?"), order))
    if not layout.sure:
        asked.append(
            Question(
                "header",
                msg("The first row looks like values. Does it hold the column names?"),
                (
                    (options.with_values(header=False, units_row=False), msg("no, it is the first row of data")),
                    (options.with_values(header=True, units_row=False), msg("yes, it holds the names")),
                ),
            )
        )
    return tuple(asked)


def _sample_lines(path: Path, encoding: str) -> list[str]:
    """The first physical lines, as text; the last one only when it is whole or the file ends there."""
    text, ended = b"", True
    for block in TextBlocks(path, encoding, _SAMPLE_BYTES):
        if len(text) >= _SAMPLE_BYTES:
            ended = False
            break
        text += block
    lines = text.decode("utf-8", "replace").split("\n")
    if not ended or lines[-1] == "":
        lines = lines[:-1] if len(lines) > 1 else lines
    return lines[:_SAMPLE_LINES]


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise SettingProblem(
            msg("The encoding is '{name}'.", name=name),
            msg("Expected the name of an encoding, such as utf-8, cp1252, utf-16 or gb18030."),
            msg("Leave the encoding out to have it found."),
        ) from error
    return name
