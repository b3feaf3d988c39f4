"""How a file would be read: options found from its head, with a preview and what is really open as questions."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.data.cells import is_number, is_time
from core.data.dialect import Dialect, find_decimal, find_dialect, find_thousands, mixed_marks, open_groups, sample_records
from core.data.findings import Finding, Severity
from core.data.layout import Layout, find_layout, header_names, unique_names, units_of
from core.data.lines import Record, Splitter
from core.data.options import Preview, ReadOptions
from core.data.questions import Open, questions
from core.data.several import blocks, in_window, next_table, table_above, window_of
from core.data.source import Encoding, TextBlocks, check_file, detect_encoding
from core.errors import DataProblem, SettingProblem
from core.messages import msg, msg_n

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
    header_text: str
    lines_above: int


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


def sniff_layout(path: Path, given: ReadOptions, *, only_head: bool = False) -> Sniffed:
    """`sniff` with the layout of the file's beginning; with `only_head` the encoding is that of the first MB."""
    head = check_file(path)
    found = Encoding(_known_encoding(given.encoding)) if given.encoding else detect_encoding(path, head, only_head=only_head)
    lines = _sample_lines(path, found.name, given.preamble_rows or 0)[: given.ends_at]
    bare = _without_comments(lines, given)
    dialect = find_dialect(bare, given.delimiter, given.quote, given.escape)
    splitter = Splitter(dialect.delimiter, dialect.quote, dialect.escape)
    records = sample_records(lines, splitter)
    comment = _comment_mark(records, given)
    window = window_of(given.cells)
    if window is not None:
        records = [
            r if comment and r.text.startswith(comment) else in_window(r, window, dialect.delimiter, dialect.quote)
            for r in records
        ]
    content = [
        r for r in records if not _is_sep(r) and (not (comment and r.text.startswith(comment)) or _is_header(r, records))
    ]
    layout = find_layout(content, given)
    table = [r for r in content[layout.first :] if not r.is_blank]
    if not table:
        raise DataProblem(
            msg("The file '{file}' has no table in it.", file=path.name),
            msg("Expected a header and rows."),
            msg("Check the number of lines above the header.")
            if window is None
            else msg("Check which cells of a row are named: {cells}.", cells=str(given.cells)),
        )
    above = [r for r in content[: layout.first] if not r.is_blank] if given.preamble_rows is None else []
    return _assemble(given, found, dialect, comment, records, table, layout, above)


def _without_comments(lines: list[str], given: ReadOptions) -> list[str]:
    """The lines that tell the dialect: those below the given number of lines, without comments where any are left."""
    below = lines[given.preamble_rows or 0 :]
    bare = below if given.comment == "" else [line for line in below if not line.startswith("#")]
    return bare if any(line.strip() for line in bare) else below


def _comment_mark(records: list[Record], given: ReadOptions) -> str:
    """ "#" where lines that begin with it are no rows: at least one of them is not as wide as the others."""
    if given.comment is not None:
        return given.comment
    marked = [r for r in records if r.text.startswith("#")]
    rows = [r for r in records if not r.is_blank and not r.text.startswith("#")]
    widths = Counter(len(r.cells) for r in rows)
    if not marked or not widths:
        return ""
    common = widths.most_common(1)[0][0]
    begin_with_values = sum(1 for r in rows if r.cells and (is_number(r.cells[0]) or is_time(r.cells[0])))
    names_only = len(marked) == 1 and _is_header(marked[0], records)
    if any(len(r.cells) != common or common == 1 for r in marked):
        return "#"
    return "#" if begin_with_values > len(rows) / 2 and not names_only else ""


def _is_header(record: Record, records: list[Record]) -> bool:
    """A line of names that begins with the comment mark: as wide as the row below it, words above values."""
    below = next((r for r in records if r.line > record.line and not r.is_blank), None)
    if below is None or below.text.startswith("#") or len(below.cells) != len(record.cells) or len(record.cells) < 2:
        return False
    if any(is_number(c) or is_time(c) for c in record.cells) or any(r.line < record.line for r in records if _is_data(r)):
        return False
    return any(is_number(c) or is_time(c) for c in below.cells)


def _is_data(record: Record) -> bool:
    return len(record.cells) > 1 and not record.text.startswith("#") and any(is_number(c) for c in record.cells)


def _assemble(
    given: ReadOptions,
    encoding: Encoding,
    dialect: Dialect,
    comment: str,
    records: list[Record],
    table: list[Record],
    layout: Layout,
    not_taken: list[Record],
) -> Sniffed:
    n_top = layout.top_rows
    data = table[n_top:]
    header = header_names(table[: layout.header_rows]) if layout.header_rows else ()
    width = _width(table, layout, len(header))
    is_short = 0 < len(header) < width
    names, findings = _names(header, width, given.unnamed == "first")
    units = units_of(names, table[n_top - 1].cells if layout.units_row and len(table) >= n_top else ())
    cells = [c for r in data for c in r.cells]
    columns = [[r.cells[i] for r in data if i < len(r.cells)] for i in range(width)]
    decimal, evidence = (given.decimal, "given") if given.decimal else find_decimal(cells)
    mixed = mixed_marks(columns) if evidence in ("comma", "point") else None
    grouped = evidence == "ambiguous" and dialect.delimiter == ","
    if grouped:
        decimal = "."
    thousands = find_thousands(cells, decimal) if given.thousands is None else given.thousands
    options = ReadOptions(
        encoding=encoding.name,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        escape=dialect.escape,  # type: ignore[arg-type]
        comment=comment,  # type: ignore[arg-type]
        decimal=decimal,  # type: ignore[arg-type]
        thousands=thousands,  # type: ignore[arg-type]
        preamble_rows=layout.preamble_rows,
        header=layout.header,
        header_rows=max(1, layout.header_rows),
        units_row=layout.units_row,
        unnamed=given.unnamed,
        last_line=given.last_line,
        cells=given.cells,
        signs=given.signs,
        day_first=given.day_first,
    )
    asked = Open(
        encodings=encoding.others,
        delimiters=dialect.rivals,
        quote=dialect.open_quote,
        header=not layout.sure,
        other_header=layout.other_header,
        comma=evidence == "ambiguous" and not grouped,
        mixed=None if mixed is None else names[mixed],
        groups=None if given.thousands is not None or given.decimal else _named(open_groups(columns, decimal), names),
        unnamed=is_short and given.unnamed is None,
        header_text=table[0].text if layout.header else "",
        second=next_table(data, width, table[0].text) if layout.header and given.end_is_open else None,
        above=_lines_of(table_above(not_taken), table[0]) if layout.header else None,
        blocks=blocks(header, [r.cells for r in data], width) if given.cells is None else (),
        names=names,
    )
    top = table[:n_top]
    above = [r for r in records if r.line <= layout.preamble_rows]
    between = [r for r in records if top and top[0].line < r.line < top[-1].line and r not in top]
    comments = [r for r in (*above, *between) if not r.is_blank and _is_comment(r, comment)]
    preamble = [r for r in above if not r.is_blank and not _is_comment(r, comment) and not _is_sep(r)]
    rows = tuple(tuple(r.cells[:width]) for r in data if r.error is None and len(r.cells) >= width)[:HEAD_ROWS]
    more = _layout_findings(layout, width, options, asked, sum(r.n_lines for r in preamble), len(header))
    if any(_is_comment(r, comment) for r in records):
        more.append(Finding("comments", msg("Lines that begin with {mark} were left out as comments.", mark=comment or "#")))
    if grouped:
        message = msg("The comma in numbers such as 1,234 was read as a thousands mark.")
        more.append(Finding("thousands", message, severity="info"))
    return Sniffed(
        Preview(options, names, units, rows, (*findings, *more), questions(options, asked)),
        width,
        (top[-1].line + top[-1].n_lines) if top else layout.preamble_rows + 1,
        sum(r.n_lines for r in top),
        sum(1 for r in above if r.is_blank) + sum(1 for r in between if r.is_blank),
        sum(r.n_lines for r in comments),
        table[0].text if layout.header_rows == 1 and table[0].n_lines == 1 and width > 1 else "",
        sum(r.n_lines for r in above) + sum(r.n_lines for r in between),
    )


def _lines_of(above: Record | None, header: Record) -> tuple[int, int] | None:
    return None if above is None else (above.line, header.line)


def _is_comment(record: Record, comment: str) -> bool:
    return record.text.startswith(comment or "#")


def _is_sep(record: Record) -> bool:
    """Excel's line that names the delimiter."""
    return record.line == 1 and bool(re.fullmatch(r"\"?sep=.\"?", record.text.strip("\ufeff")))


def _named(found: tuple[int, str] | None, names: tuple[str, ...]) -> tuple[str, str] | None:
    return None if found is None else (names[found[0]], found[1])


def _names(header: tuple[str, ...], width: int, first_has_none: bool) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The columns' names; without a header they are called by their place."""
    if not header:
        return tuple(f"column_{i + 1}" for i in range(width)), ()
    return unique_names(("",) * (width - len(header)) + header if first_has_none and len(header) < width else header, width)


def _width(table: list[Record], layout: Layout, n_names: int) -> int:
    """Cells of a row: the header's count, unless the rows agree on more."""
    good = [r for r in table if r.error is None]
    if not good:
        return 1
    rows = Counter(len(_trimmed(r.cells, n_names)) for r in good[layout.top_rows :])
    if not rows:
        return max(1, n_names)
    common, n = max(rows.items(), key=lambda item: (item[1], item[0]))
    if not layout.header:
        return common
    return common if common > n_names and n > 0.5 * sum(rows.values()) else n_names


def _trimmed(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Without empty cells beyond the header's width (a delimiter at the end of each row)."""
    return cells[:width] if width and len(cells) > width and not any(c.strip() for c in cells[width:]) else cells


def _layout_findings(
    layout: Layout, width: int, options: ReadOptions, asked: Open, n_above: int, n_names: int
) -> list[Finding]:
    found = []
    if width == 1 and (options.delimiter or asked.delimiters):
        found.append(Finding("one_column", msg("Only one column was found; is the delimiter right?")))
    if layout.header and n_names < width:
        message = msg("The header has {header} names, the rows have {width} cells.", header=n_names, width=width)
        found.append(Finding("header_short", message))
    if not layout.header:
        message = msg("The first row holds values, so the columns are called by their place.")
        found.append(Finding("no_header", message, severity="info"))
    if layout.header_rows > 1:
        message = msg("The column names are spread over {n} rows, which were joined.", n=layout.header_rows)
        found.append(Finding("header_rows", message))
    if layout.units_row:
        found.append(Finding("units_row", msg("The row below the header was read as units."), severity="info"))
    if n_above:
        message = msg_n("{n} line above the table was left out.", "{n} lines above the table were left out.", n_above)
        found.append(Finding("preamble", message))
    if (window := window_of(options.cells)) is not None:
        last = window[0] + width - 1
        message = msg("Cells {first} to {last} of each row were read; the others were left out.", first=window[0], last=last)
        found.append(Finding("cells", message, severity="info"))
    if options.escape:
        message = msg("A backslash before a quote was read as part of the quoting.")
        found.append(Finding("escape", message, severity="info"))
    if options.encoding not in ("utf-8", "utf-8-sig"):
        severity: Severity = "info" if str(options.encoding).startswith("utf") else "warn"
        found.append(
            Finding("encoding", msg("The file was read as {encoding}.", encoding=str(options.encoding)), severity=severity)
        )
    return found


def _sample_lines(path: Path, encoding: str, above: int) -> list[str]:
    """The physical lines above the header and the first ones below, as text; the last one only when it is whole or the
    file ends there."""
    text, ended, skipped, enough = bytearray(), True, 0, _SAMPLE_BYTES
    for block in TextBlocks(path, encoding, _SAMPLE_BYTES):
        if len(text) >= enough:
            ended = False
            break
        skipped += block.count(b"\n")
        enough += len(block) if skipped < above else 0
        text += block
    lines = text.decode("utf-8", "replace").split("\n")
    if not ended or lines[-1] == "":
        lines = lines[:-1] if len(lines) > 1 else lines
    return lines[: above + _SAMPLE_LINES]


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
