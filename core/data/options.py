"""How a text file is read, and what reading it gives: plain records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.data.dataset import Column
from core.data.findings import Finding
from core.errors import DataProblem
from core.messages import Message, msg
from core.settings import Settings, setting

Outcome = Literal["load", "warn", "ask", "reject"]


class ReadOptions(Settings):
    """How to read a delimited text file. None = find it out from the file.

    `delimiter` "" means one column and `quote` "" that the file has no quoting. `preamble_rows` counts physical lines
    above the header, blank ones included. `units_row` is a row of units between the header and the first data row.
    """

    encoding: str | None = setting(None, title="Encoding", help="How bytes become characters, for example utf-8 or gb18030.")
    delimiter: str | None = setting(
        None, title="Delimiter", help="The character between two cells; empty for a single column.", max_length=1
    )
    quote: str | None = setting(None, title="Quote", help="The character around cells that hold a delimiter.", max_length=1)
    escape: Literal["", "\\"] | None = setting(
        None, title="Escape", help="The character before a quote inside a quoted cell; empty where quotes are doubled."
    )
    comment: Literal["", "#"] | None = setting(None, title="Comment mark", help="Lines that begin with it hold no data.")
    decimal: Literal[".", ","] | None = setting(None, title="Decimal mark", help="The mark before the decimals.", expert=False)
    thousands: Literal["", ",", ".", " ", "'"] | None = setting(
        None, title="Thousands mark", help="The mark between thousands."
    )
    preamble_rows: int | None = setting(
        None, title="Lines above the header", help="Lines that are not part of the table.", ge=0
    )
    header: bool | None = setting(None, title="Header", help="The first row of the table holds the column names.", expert=False)
    header_rows: int | None = setting(
        None, title="Header rows", help="How many rows the column names are spread over.", ge=1, le=3
    )
    units_row: bool | None = setting(None, title="Units row", help="The row below the header holds units.", expert=False)
    unnamed: Literal["last", "first"] | None = setting(
        None, title="Column without a name", help="Where rows have more cells than the header: which cells have no name."
    )
    last_line: int | None = setting(
        None,
        title="Last line of the table",
        help="The line with which the table ends; 0 for the end of the file, -1 for the end without rows of totals.",
        ge=-1,
    )
    cells: str | None = setting(
        None,
        title="Cells of a row",
        help="Which cells make the table, where several stand side by side: 4-6, or 4- to the last one; 1- takes all.",
        pattern=r"^[1-9][0-9]{0,4}-([1-9][0-9]{0,4})?$",
    )
    signs: Literal["number", "text"] | None = setting(
        None, title="Percent and currency", help="Whether 12 %, $5 and (3.50) are numbers or texts."
    )
    day_first: bool | None = setting(None, title="Day first", help="03/04/2024 is 3 April, not 4 March.")

    @property
    def ends_at(self) -> int | None:
        """The line with which the table ends, where one is given."""
        return self.last_line if self.last_line is not None and self.last_line > 0 else None

    @property
    def end_is_open(self) -> bool:
        """Whether nobody has said yet where the table ends, but for rows of totals."""
        return self.last_line is None or self.last_line < 0


@dataclass(frozen=True, slots=True)
class LineCount:
    """Where each physical line of the file went. A quoted cell with line breaks spans several lines."""

    total: int
    header: int
    preamble: int
    comment: int
    blank: int
    accepted: int
    rejected: int

    @property
    def holds(self) -> bool:
        """True when every line is accounted for."""
        return self.total == self.header + self.preamble + self.comment + self.blank + self.accepted + self.rejected

    def to_json(self) -> dict[str, int]:
        """The form that is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, int]) -> LineCount:
        """The counts that `to_json` wrote."""
        return cls(**{k: int(v) for k, v in stored.items()})


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that was rejected or repaired: its first physical line (1-based), the place of that line's first byte in
    the unpacked file (0-based; -1 where it is not known), the column or "", what is wrong or was repaired, its text."""

    line: int
    column: str
    reason: Message
    text: str
    byte: int = -1

    def to_json(self) -> dict[str, object]:
        """The form that is stored."""
        return {"line": self.line, "byte": self.byte, "column": self.column, "reason": self.reason.to_json(), "text": self.text}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> OddRow:
        """The row that `to_json` wrote; older ones do not know their byte."""
        reason = Message.from_json(stored["reason"])
        return cls(stored["line"], stored["column"], reason, stored["text"], stored.get("byte", -1))


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the file leaves open; the first option is what the product would take."""

    code: str
    message: Message
    options: tuple[tuple[ReadOptions, Message], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The head of a file as it would be read. `head` holds up to 20 rows of cells as written.

    `refusal` is what an import would say of a file without rows: its beginning can be shown and corrected all the same.
    """

    options: ReadOptions
    names: tuple[str, ...]
    units: tuple[str, ...]
    head: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    refusal: DataProblem | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a whole file gave.

    `rejected` lists at most 10,000 rows that were not loaded and `repaired` as many that were loaded in a corrected
    form; `lines` counts all rejected lines, the findings all repaired rows.
    """

    outcome: Outcome
    options: ReadOptions
    columns: tuple[Column, ...]
    n_rows: int
    lines: LineCount
    findings: tuple[Finding, ...]
    rejected: tuple[OddRow, ...]
    questions: tuple[Question, ...]
    repaired: tuple[OddRow, ...] = ()


def unanswered(questions: Sequence[Question]) -> DataProblem:
    """The error for a file that leaves something open, where nobody can be asked: names the first question's answers."""
    first, second = questions[0].options[:2]
    return DataProblem(
        msg("The file can be read in more than one way: {question}", question=questions[0].message),
        msg("Expected a file that can be read in one way only."),
        msg(
            "Say how to read it: --set {first} ({meaning}), or --set {second} ({other}).",
            first=_answer(questions[0].code, first[0]),
            meaning=first[1],
            second=_answer(questions[0].code, second[0]),
            other=second[1],
        ),
    )


def _answer(code: str, options: ReadOptions) -> str:
    """An answer as the command line takes it; a question's code is the option that answers it."""
    value = getattr(options, code)
    if isinstance(value, bool):
        return f"{code}={str(value).lower()}"
    return f"{code}={json.dumps(value, ensure_ascii=True)[1:-1] if isinstance(value, str) else value}"
