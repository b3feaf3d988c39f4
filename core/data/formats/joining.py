"""Files side by side: rows with the same key, or the nearest row within a tolerance. No row of the first file is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.formats.combining import Made, Part, shown_cell
from core.data.formats.records import SourceOptions, Unmatched, source_question
from core.data.formats.stacking import _OPTIONS, as_kind, quoted
from core.data.options import Question
from core.data.roles import guess_roles
from core.data.staging import copy_in_order
from core.errors import DataProblem, SettingProblem, unknown_column
from core.messages import msg, msg_n


def join(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, source: SourceOptions) -> Made:
    """Write the rows of the first file, in their order, with the columns of the others beside them.

    With a tolerance the nearest row counts: the one before or after, whichever is closer, the one before where both are as
    close (ASOF joins in both directions). Rows without a partner have gaps and are counted, on both sides.

    Raises:
        DataProblem: a file lacks the key, its kinds do not fit, or a key occurs twice where it must be unique.
        SettingProblem: there is only one file.
    """
    if len(parts) < 2:
        raise SettingProblem(
            msg("One file was given to join."), msg("Expected two files or more."), msg("Add the file that it is joined with.")
        )
    key = source.key or _only_key(parts)
    if key is None:
        question = _which_key(parts)
        key = next(iter(question.options))[0].key  # type: ignore[attr-defined]
        made = _joined(connection, parts, parquet, str(key), source.tolerance)
        return replace(made, questions=(question,))
    return _joined(connection, parts, parquet, key, source.tolerance)


def _only_key(parts: Sequence[Part]) -> str | None:
    common = _common(parts)
    return common[0] if len(common) == 1 else None


def _common(parts: Sequence[Part]) -> list[str]:
    common = [name for name in parts[0].columns if all(name in p.columns for p in parts)]
    if not common:
        raise DataProblem(
            msg("The files have no column in common."),
            msg("Expected a column of the same name in every file, such as a part number or a time."),
            msg("Give the columns the same name, or stack the files."),
        )
    return common


def _which_key(parts: Sequence[Part]) -> Question:
    """Times and identifiers first: few join on a measured value."""
    order = {"time": 0, "group": 1, "ignore": 2, "target": 3, "sensor": 4}
    names = sorted(_common(parts), key=lambda n: order[parts[0].columns[n].role])
    answers = [(SourceOptions(key=name), msg("{name}", name=name)) for name in names]
    return source_question("key", msg("By which column are the files joined?"), answers)


def _joined(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, key: str, tolerance: float | None
) -> Made:
    first = parts[0]
    for part in parts:
        if key not in part.columns:
            raise unknown_column(key, part.columns)
    _check_kinds(parts, key, tolerance)
    connection.execute(f"CREATE TEMP TABLE base AS SELECT file_row_number AS r, {quoted(key)} AS k FROM {first.sql}")
    unmatched, joins, cells = [], [], [f"a.{quoted(n)}" for n in first.columns]
    columns, names = list(first.reading.columns), set(first.columns)
    for n, part in enumerate(parts[1:]):
        _match(connection, part, n, key, first.columns[key], tolerance)
        unmatched.append(_unmatched(connection, part, n))
        joins.append(f"LEFT JOIN m{n} ON m{n}.r = a.file_row_number LEFT JOIN {part.sql} b{n} ON b{n}.file_row_number = m{n}.s")
        for column in (c for c in part.reading.columns if c.name != key):
            name = _free(column.name, part.name, names)
            names.add(name)
            columns.append(replace(column, name=name))
            cells.append(f"b{n}.{quoted(column.name)} AS {quoted(name)}")
    query = f"SELECT {', '.join(cells)} FROM {first.sql} a {' '.join(joins)} ORDER BY a.file_row_number"
    copy_in_order(connection, query, parquet, _OPTIONS)
    guessed, roles = guess_roles(parquet, [c.name for c in columns], [c.kind for c in columns], [c.unit for c in columns])
    findings = (*(f for u in unmatched for f in _unmatched_findings(u, first.name)), *roles)
    return Made(guessed, first.reading.n_rows, findings, (), tuple(unmatched))


def _check_kinds(parts: Sequence[Part], key: str, tolerance: float | None) -> None:
    kinds = {p.columns[key].kind for p in parts}
    if tolerance is not None and (len(kinds) > 1 or kinds == {"text"}):
        raise DataProblem(
            msg("The nearest row was asked for, but '{column}' is not a time or number in every file.", column=key),
            msg("Expected a column of times, or of numbers, in every file."),
            msg("Choose another key, or leave the tolerance out."),
        )


def _match(connection: duckdb.DuckDBPyConnection, part: Part, n: int, key: str, first: Column, tolerance: float | None) -> None:
    """Fill table m<n>: for each row r of the first file the row s of this one, or NULL."""
    own = part.columns[key]
    value = as_kind(quoted(key), own.kind, "text" if own.kind != first.kind else own.kind)
    connection.execute(
        f"CREATE TEMP TABLE o{n} AS SELECT file_row_number AS s, {value} AS k FROM {part.sql} WHERE {quoted(key)} IS NOT NULL"
    )
    if tolerance is not None:
        connection.execute(f"CREATE TEMP TABLE m{n} AS {_nearest(n, tolerance, own.kind == 'time')}")
        return
    twice = connection.execute(f"SELECT k, count(*) AS c FROM o{n} GROUP BY k HAVING c > 1 ORDER BY c DESC LIMIT 1").fetchone()
    if twice:
        raise DataProblem(
            msg(
                "'{key}' is {value} in {n} rows of '{file}'.",
                key=key,
                value=shown_cell(twice[0])[:60],
                n=twice[1],
                file=part.name,
            ),
            msg("Expected each key at most once in every file but the first, or rows would multiply."),
            msg("Make the file with the repeated key the first one, or choose another key."),
        )
    left = as_kind("base.k", first.kind, "text" if own.kind != first.kind else first.kind)
    connection.execute(f"CREATE TEMP TABLE m{n} AS SELECT base.r, o{n}.s FROM base LEFT JOIN o{n} ON {left} = o{n}.k")


def _nearest(n: int, tolerance: float, is_time: bool) -> str:
    """The nearest of the row before and the row after. Several rows at one time: the last before, the first after."""
    distance = "abs(epoch_us({0}) - epoch_us({1})) / 1e6" if is_time else "abs({0} - {1})"
    before = (
        f"SELECT base.r, o.s, {distance.format('base.k', 'o.k')} AS d, 0 AS side FROM base "
        f"ASOF JOIN (SELECT k, max(s) AS s FROM o{n} GROUP BY k) o ON base.k >= o.k"
    )
    after = (
        f"SELECT base.r, o.s, {distance.format('base.k', 'o.k')} AS d, 1 AS side FROM base "
        f"ASOF JOIN (SELECT k, min(s) AS s FROM o{n} GROUP BY k) o ON base.k <= o.k"
    )
    best = f"SELECT r, arg_min(s, (d, side)) AS s FROM ({before} UNION ALL {after}) WHERE d <= {float(tolerance)!r} GROUP BY r"
    return f"SELECT base.r, best.s FROM base LEFT JOIN ({best}) best ON best.r = base.r"


def _unmatched(connection: duckdb.DuckDBPyConnection, part: Part, n: int) -> Unmatched:
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM m{n} WHERE s IS NULL), "
        f"{part.reading.n_rows} - (SELECT count(DISTINCT s) FROM m{n} WHERE s IS NOT NULL)"
    ).fetchone()
    first, other = row if row else (0, 0)
    return Unmatched(part.name, int(first), int(other))


def _unmatched_findings(found: Unmatched, first: str) -> list[Finding]:
    findings = []
    if found.first:
        message = msg_n(
            "{n} row of '{first}' has no partner in '{other}'; its cells are empty there.",
            "{n} rows of '{first}' have no partner in '{other}'; their cells are empty there.",
            found.first,
            first=first,
            other=found.file,
        )
        findings.append(Finding("unmatched_first", message))
    if found.other:
        message = msg_n(
            "{n} row of '{other}' goes with no row of '{first}' and was left out.",
            "{n} rows of '{other}' go with no row of '{first}' and were left out.",
            found.other,
            first=first,
            other=found.file,
        )
        findings.append(Finding("unmatched_other", message))
    return findings


def _free(name: str, file: str, taken: set[str]) -> str:
    """The column's name, with its file's where another one has it."""
    if name.casefold() not in {t.casefold() for t in taken}:
        return name
    wanted = f"{name} · {file}"
    k = 2
    while wanted in taken:
        wanted, k = f"{name} · {file} {k}", k + 1
    return wanted
