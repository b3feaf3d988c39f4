"""Files one below the other: columns by name, the file's name as a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from core.data.dataset import Column, Kind
from core.data.findings import Finding
from core.data.formats.parts import Made, Part, differing
from core.data.formats.records import SourceOptions
from core.data.options import Question
from core.data.roles import guess_roles
from core.data.staging import copy_in_order, text_literal
from core.errors import DataProblem
from core.messages import msg

FILE_COLUMN = "file"
_OPTIONS = "COMPRESSION zstd, ROW_GROUP_SIZE 100000"


def stack(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, source: SourceOptions) -> Made:
    """Write the files one below the other, in the order given; the rows of a file keep theirs.

    Columns that are a number in one file and text in another are text. Where columns differ, it is asked what becomes of
    them; all are kept until then.

    Raises:
        DataProblem: the files have no column in common.
    """
    question = differing(parts)
    names = _names(parts, source)
    kinds = {
        name: _kind([p.columns[name].kind for p in parts if name in p.columns and not _is_empty(p, name)]) for name in names
    }
    label = _free_name(FILE_COLUMN, names)
    query = " UNION ALL ".join(_select(part, names, kinds, label) for part in parts)
    copy_in_order(connection, query, parquet, _OPTIONS)
    units = [next((p.columns[n].unit for p in parts if n in p.columns and p.columns[n].unit), "") for n in names]
    columns, roles = guess_roles(parquet, [label, *names], ["text", *(kinds[n] for n in names)], ["", *units])
    asked: tuple[Question, ...] = (question,) if question is not None and source.columns is None else ()
    # Time may go back from one file to the next; whether it does inside a file is known from reading it.
    unsorted = [f for p in parts for f in p.reading.findings if f.code == "time_not_sorted"][:1]
    roles = tuple(f for f in roles if f.column != label and f.code != "time_not_sorted")
    findings = (*_mixed(parts, names, kinds), *roles, *unsorted)
    return Made(with_group(columns, label), sum(p.reading.n_rows for p in parts), findings, asked)


def _names(parts: Sequence[Part], source: SourceOptions) -> list[str]:
    common = set.intersection(*(set(p.columns) for p in parts))
    if not common:
        raise DataProblem(
            msg("The files have no column in common."),
            msg("Expected tables with the same columns, in any order."),
            msg("Check that they are of one kind, or join them on a key instead."),
        )
    every = list(dict.fromkeys(name for p in parts for name in p.columns))
    return [n for n in every if n in common] if source.columns == "common" else every


def _is_empty(part: Part, name: str) -> bool:
    """Whether a column has no value in this file; its kind says nothing then."""
    return any(f.code == "all_missing" and f.column == name for f in part.reading.findings)


def _kind(kinds: Sequence[Kind]) -> Kind:
    found = set(kinds)
    return next(iter(found)) if len(found) == 1 else ("text" if found else "number")


def _select(part: Part, names: Sequence[str], kinds: dict[str, Kind], label: str) -> str:
    cells = [f"{text_literal(part.name)} AS {quoted(label)}"]
    for name in names:
        own = part.columns.get(name)
        value = "NULL" if own is None or _is_empty(part, name) else as_kind(quoted(name), own.kind, kinds[name])
        cells.append(f"CAST({value} AS {_SQL[kinds[name]]}) AS {quoted(name)}")
    return f"(SELECT {', '.join(cells)} FROM {part.sql})"  # Read and written on one thread: the order stays.


_SQL: dict[Kind, str] = {"number": "DOUBLE", "text": "VARCHAR", "time": "TIMESTAMP"}


def as_kind(value: str, own: Kind, wanted: Kind) -> str:
    """A value as text where the kinds differ: whole numbers without ".0", as they stood in the file."""
    if own == wanted or wanted != "text":
        return value
    if own == "number":
        whole = f"{value} = trunc({value}) AND abs({value}) < 9e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
    return f"CAST({value} AS VARCHAR)"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _free_name(wanted: str, names: Sequence[str]) -> str:
    taken = {n.casefold() for n in names}
    return next(n for n in (wanted, *(f"{wanted}_{k}" for k in range(2, len(names) + 3))) if n.casefold() not in taken)


def _mixed(parts: Sequence[Part], names: Sequence[str], kinds: dict[str, Kind]) -> list[Finding]:
    found = []
    for name in names:
        if kinds[name] == "text" and any(
            name in p.columns and p.columns[name].kind != "text" for p in parts if not _is_empty(p, name)
        ):
            message = msg("Column '{column}' is text in some files and not in others; it is kept as text.", column=name)
            found.append(Finding("mixed_files", message, name))
    return found


def with_group(columns: Sequence[Column], label: str) -> tuple[Column, ...]:
    """One column is the group; a column that was guessed to be one is left aside, as only one can be."""
    return tuple(
        replace(c, role="group") if c.name == label else replace(c, role="ignore") if c.role == "group" else c for c in columns
    )
