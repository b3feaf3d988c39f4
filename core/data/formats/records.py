"""Which table of a file is meant and how several files become one: settings, and what opening and combining give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.data.findings import Finding
from core.data.options import Question, Reading, ReadOptions
from core.messages import Message
from core.settings import Settings, setting

Combine = Literal["stack", "join", "wide"]
ALL_MEMBERS = "*"
ANY_GROUP = "*"


class SourceOptions(Settings):
    """What stands beside `ReadOptions`: the table inside a file, and how files go together. None = find out or ask."""

    sheet: str | None = setting(None, title="Sheet", help="The sheet of a workbook that holds the table.", expert=False)
    member: str | None = setting(
        None,
        title="File inside",
        help="The file of an archive that holds the table; * takes all of them together.",
        expert=False,
    )
    combine: Combine | None = setting(
        None,
        title="Several files",
        help="stack: one below the other; join: side by side; wide: one file a sensor, one row a cycle, one column a step.",
        expert=False,
    )
    columns: Literal["all", "common"] | None = setting(
        None, title="Columns that differ", help="Keep all columns, with gaps, or only those that every file has.", expert=False
    )
    key: str | None = setting(None, title="Key", help="The column by which files are joined.", expert=False)
    within: str | None = setting(
        None,
        title="Same group",
        help="A column of every file, such as the machine or the lot: only rows with the same value in it are joined; * = any.",
        expert=False,
    )
    tolerance: float | None = setting(
        None,
        title="Tolerance",
        help="Join the nearest row within this distance: seconds for times, else the unit of the key. Empty = equal keys only.",
        gt=0,
        expert=False,
    )

    def fill(self, **found: Any) -> SourceOptions:
        """A copy in which what was open is filled."""
        return self.with_values(**{k: v for k, v in found.items() if getattr(self, k) is None})


@dataclass(frozen=True, slots=True)
class Opened:
    """A file taken apart as far as one table.

    Args:
        path: A delimited text file or a Parquet file: the original, or a copy in the folder that the opener was given.
        kind: Which of the two.
        read: What is known of how the text is to be read.
        source: The options with what was chosen.
        findings: What was noticed on the way.
        questions: What is open; `path` then holds the first answer.
        sheets, members: What there was to choose from, in the order of the file; empty for other formats.
        more: Further tables of the archive where all are wanted together.
    """

    path: str
    kind: Literal["text", "parquet"]
    read: ReadOptions
    source: SourceOptions
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    sheets: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    label: str = ""
    more: tuple[Any, ...] = ()

    @property
    def file(self) -> Path:
        """The table's file."""
        return Path(self.path)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Rows without a partner in a join: rows of the first file that this file has nothing for, and rows of this file
    that went nowhere."""

    file: str
    first: int
    other: int


@dataclass(frozen=True, slots=True)
class Combination:
    """Several files as one table. `head` holds up to 20 rows as text; `reading` is as for one file."""

    source: SourceOptions
    reading: Reading
    head: tuple[tuple[str, ...], ...]
    unmatched: tuple[Unmatched, ...] = ()


def source_question(code: str, message: Message, options: Sequence[tuple[SourceOptions, Message]]) -> Question:
    """A question whose answers are source options; it is shown and answered like those about the text."""
    answers: Any = tuple(options)
    return Question(code, message, answers)
