"""What a file leaves open, as questions with the readings that each answer would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.data.lines import Record
from core.data.options import Question, ReadOptions
from core.messages import Message, msg

_NAMES: dict[str, Message] = {
    ",": msg("comma"),
    ";": msg("semicolon"),
    "\t": msg("tab"),
    "|": msg("vertical bar"),
    " ": msg("space"),
    ":": msg("colon"),
}
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Open:
    """What the beginning of a file leaves open.

    `delimiters` are other ones ("" for one column), `quote` another quote character, `encodings` other encodings,
    `other_header` the lines above another row that may be the header, `mixed` the column with both decimal marks,
    `groups` a column and its cell whose mark may part thousands; `header_text` is the row taken as the header.
    `second` is a row that looks like the header of a table below, `above` the lines of the header of a table above and of
    the one that was found, `blocks` the first and last cells of tables side by side, with `names` as their names.
    """

    encodings: tuple[str, ...] = ()
    delimiters: tuple[str, ...] = ()
    quote: str | None = None
    header: bool = False
    other_header: int | None = None
    comma: bool = False
    mixed: str | None = None
    groups: tuple[str, str] | None = None
    unnamed: bool = False
    second: Record | None = None
    above: tuple[int, int] | None = None
    blocks: tuple[tuple[int, int], ...] = ()
    names: tuple[str, ...] = ()
    header_text: str = ""


def questions(options: ReadOptions, asked: Open) -> tuple[Question, ...]:
    """The questions, each with at least two answers; the first one is what would be taken."""
    found = [
        _encoding(options, asked.encodings) if asked.encodings else None,
        _delimiter(options, asked.delimiters) if asked.delimiters else None,
        _quote(options, asked.quote) if asked.quote is not None else None,
        _place(options, asked.other_header, asked.header_text) if asked.other_header is not None else None,
        _header(options) if asked.header else None,
        _unnamed(options) if asked.unnamed else None,
        _comma(options) if asked.comma else None,
        _mixed(options, asked.mixed) if asked.mixed is not None else None,
        _groups(options, *asked.groups) if asked.groups is not None else None,
        table_above(options, *asked.above) if asked.above is not None else None,
        next_table(options, asked.second.line, asked.second.text) if asked.second is not None else None,
        _side_by_side(options, asked.blocks, asked.names) if asked.blocks else None,
    ]
    return tuple(q for q in found if q is not None)


def table_ends(options: ReadOptions, line: int) -> Question:
    """Whether a header that comes again begins another table."""
    return Question(
        "last_line",
        msg("The header comes again in line {line}. Does another table begin there?", line=line),
        (
            (options.with_values(last_line=line - 1), msg("yes, only the table above is wanted")),
            (options.with_values(last_line=0), msg("no, it is one table and the header is repeated")),
        ),
    )


def next_table(options: ReadOptions, line: int, text: str) -> Question:
    """Whether a row that looks like a header begins another table."""
    anew = dict.fromkeys(("header", "header_rows", "units_row", "decimal", "thousands", "last_line", "unnamed"))
    return Question(
        "last_line",
        msg("Line {line} looks like the header of another table: {text}. Which is wanted?", line=line, text=text[:_SHOWN]),
        (
            (options.with_values(last_line=line - 1), msg("the table above it")),
            (options.with_values(last_line=0), msg("all lines: it is one table")),
            (options.with_values(**anew).with_values(preamble_rows=line - 1), msg("the table that begins with it")),
        ),
    )


def table_above(options: ReadOptions, first: int, second: int) -> Question:
    """Which of two tables is wanted, where the one further down was found to be the file's."""
    anew = dict.fromkeys(("header", "header_rows", "units_row", "decimal", "thousands", "unnamed"))
    upper = options.with_values(**anew).with_values(preamble_rows=first - 1, last_line=second - 1)
    return Question(
        "preamble_rows",
        msg("Tables seem to begin in line {first} and in line {second}. Which is wanted?", first=first, second=second),
        (
            (options, msg("the one that begins in line {line}", line=second)),
            (upper, msg("the one that begins in line {line}", line=first)),
        ),
    )


def _side_by_side(options: ReadOptions, found: Sequence[tuple[int, int]], names: Sequence[str]) -> Question:
    choices = [
        (
            options.with_values(cells=f"{first}-{last}"),
            msg("cells {first} to {last}: {names}", first=first, last=last, names=", ".join(names[first - 1 : last])[:_SHOWN]),
        )
        for first, last in found
    ]
    everything = (options.with_values(cells="1-"), msg("all columns: it is one table"))
    message = msg("Empty columns part the header: {n} tables seem to stand side by side. Which is wanted?", n=len(found))
    return Question("cells", message, (*choices, everything))


def totals_row(options: ReadOptions, line: int, word: str) -> Question:
    """Whether a last row that begins like one of totals, but does not add up, ends the table."""
    return Question(
        "last_line",
        msg(
            "Line {line} begins with '{word}', but its numbers do not follow from the rows above. Are these totals?",
            line=line,
            word=word[:_SHOWN],
        ),
        (
            (options.with_values(last_line=-1), msg("yes, the table ends above them")),
            (options.with_values(last_line=0), msg("no, it is a row like the others")),
        ),
    )


def day_order(options: ReadOptions) -> Question:
    """Whether the day or the month comes first."""
    choices = (
        (options.with_values(day_first=True), msg("day before month: 03/04 is 3 April")),
        (options.with_values(day_first=False), msg("month before day: 03/04 is March 4")),
    )
    return Question("day_first", msg("Which comes first in the dates?"), choices)


def signs(options: ReadOptions, column: str, example: str) -> Question:
    """Whether cells with a percent or currency sign are numbers."""
    return Question(
        "signs",
        msg("'{column}' holds cells such as {example}. Are they numbers?", column=column, example=example[:_SHOWN]),
        (
            (options.with_values(signs="number"), msg("yes, numbers; the sign becomes the unit, brackets mean below zero")),
            (options.with_values(signs="text"), msg("no, keep them as texts")),
        ),
    )


def _encoding(options: ReadOptions, others: Sequence[str]) -> Question:
    read = [(options, msg("{encoding}", encoding=str(options.encoding)))]
    read += [(options.with_values(encoding=name), msg("{encoding}", encoding=name)) for name in others]
    return Question("encoding", msg("In which encoding was the file written? Look at the names and texts."), tuple(read))


def _delimiter(options: ReadOptions, others: Sequence[str]) -> Question:
    read = [(options, delimiter_name(options.delimiter or ""))]
    read += [(options.with_values(delimiter=mark), delimiter_name(mark)) for mark in others]
    return Question("delimiter", msg("What stands between two cells?"), tuple(read))


def delimiter_name(mark: str) -> Message:
    """A delimiter in words."""
    if not mark:
        return msg("nothing: each line is one cell")
    if mark < " " and mark not in _NAMES:
        return msg("control character {code}", code=f"0x{ord(mark):02X}")
    return _NAMES.get(mark, msg("{mark}", mark=mark))


def _quote(options: ReadOptions, other: str) -> Question:
    choices = tuple((options.with_values(quote=mark), _quote_name(mark)) for mark in (str(options.quote), other))
    return Question("quote", msg("What stands around cells that hold a delimiter?"), choices)


def _quote_name(mark: str) -> Message:
    if not mark:
        return msg("nothing: quotes and apostrophes belong to the cells")
    return msg("apostrophes: 'cell'") if mark == "'" else msg('quotes: "cell"')


def _place(options: ReadOptions, lines_above: int, text: str) -> Question:
    return Question(
        "preamble_rows",
        msg("Most names in '{text}' are empty. Which line holds the column names?", text=text[:_SHOWN].strip()),
        (
            (options, msg("line {n}", n=int(options.preamble_rows or 0) + 1)),
            (options.with_values(preamble_rows=lines_above), msg("line {n}", n=lines_above + 1)),
        ),
    )


def _header(options: ReadOptions) -> Question:
    return Question(
        "header",
        msg("The first row looks like values. Does it hold the column names?"),
        (
            (options.with_values(header=False, units_row=False), msg("no, it is the first row of data")),
            (options.with_values(header=True, units_row=False), msg("yes, it holds the names")),
        ),
    )


def _unnamed(options: ReadOptions) -> Question:
    return Question(
        "unnamed",
        msg("Rows have more cells than the header has names. Which cells have no name?"),
        (
            (options.with_values(unnamed="last"), msg("the last ones")),
            (options.with_values(unnamed="first"), msg("the first ones, such as row numbers")),
        ),
    )


def _comma(options: ReadOptions) -> Question:
    as_decimal = (
        options.with_values(decimal=",", thousands=""),
        msg("a decimal comma: 1,234 is a little more than one"),
    )
    as_thousands = (options.with_values(decimal=".", thousands=","), msg("a thousands mark: 1,234 is more than a thousand"))
    order = (as_decimal, as_thousands) if options.delimiter in (";", "\t") else (as_thousands, as_decimal)
    return Question("decimal", msg("What is the comma in numbers such as 1,234?"), order)


def _mixed(options: ReadOptions, column: str) -> Question:
    comma = (options.with_values(decimal=",", thousands=""), msg("the comma; cells with a point are listed and left empty"))
    point = (options.with_values(decimal=".", thousands=""), msg("the point; cells with a comma are listed and left empty"))
    order = (comma, point) if options.decimal == "," else (point, comma)
    return Question("decimal", msg("'{column}' has both 1,5 and 1.5. Which is its decimal mark?", column=column), order)


def _groups(options: ReadOptions, column: str, example: str) -> Question:
    mark = "." if options.decimal == "," else ","
    return Question(
        "thousands",
        msg("What is {example} in '{column}', where the decimal mark is another?", example=example, column=column),
        (
            (options.with_values(thousands=mark), msg("more than a thousand: the mark parts thousands")),
            (options.with_values(thousands=""), msg("unclear: such cells are listed and left empty")),
        ),
    )
