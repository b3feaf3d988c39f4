"""What several files are on their way to one table: each file read, and the table made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.formats.records import SourceOptions, Unmatched, source_question
from core.data.options import Question, Reading
from core.data.staging import text_literal
from core.messages import Message, msg, msg_n


@dataclass(frozen=True, slots=True)
class Part:
    """One file of several: what it is called, its Parquet table, and what reading it gave."""

    name: str
    table: Path
    reading: Reading

    @property
    def sql(self) -> str:
        """The table, with its row numbers, for a FROM clause."""
        return f"read_parquet({text_literal(self.table)}, file_row_number = true)"

    @property
    def columns(self) -> dict[str, Column]:
        """The columns by name."""
        return {c.name: c for c in self.reading.columns}


@dataclass(frozen=True, slots=True)
class Made:
    """A combined table before it is described: its file, columns, rows and what is to be said."""

    columns: tuple[Column, ...]
    n_rows: int
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()


def shown_cell(value: Any) -> str:
    """A value as text for people."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def differing(parts: Sequence[Part]) -> Question | None:
    """The question what to do with columns that not every file has; None where all have the same."""
    every = [set(p.columns) for p in parts]
    common, union = set.intersection(*every), set.union(*every)
    if common == union:
        return None
    some = sorted(union - common)
    shown = ", ".join(some[:6]) + (" …" if len(some) > 6 else "")
    answers: list[tuple[SourceOptions, Message]] = [
        (SourceOptions(columns="all"), msg("keep all columns; gaps where a file lacks one")),
        (SourceOptions(columns="common"), msg("keep only the columns that every file has")),
    ]
    message = msg_n(
        "{n} column is not in every file: {columns}. What becomes of it?",
        "{n} columns are not in every file: {columns}. What becomes of them?",
        len(some),
        columns=shown,
    )
    return source_question("columns", message, answers if common else answers[:1])
