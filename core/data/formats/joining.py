"""Files side by side: rows with the same key, or the nearest row within a tolerance. No row of the first file is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from core.data.findings import Finding
from core.data.formats.parts import Made, Part, shown_cell
from core.data.formats.records import ANY_GROUP, SourceOptions, Unmatched, source_question
from core.data.formats.stacking import _OPTIONS, as_kind, quoted, with_group
from core.data.options import Question
from core.data.roles import guess_roles
from core.data.staging import copy_in_order
from core.errors import DataProblem, SettingProblem, unknown_column
from core.messages import msg, msg_n


def join(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, source: SourceOptions) -> Made:
    """Write the rows of the first file, in their order, with the columns of the others beside them.

    With `source.within` only rows that have the same value in that column go together, and a row without one has no partner.
    Where a tolerance is given and the files share a column of groups, it is asked whether rows must be of the same group.

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
    questions: list[Question] = []
    key, within = source.key or _only_key(parts, source), source.within
    if key is None:
        questions.append(_which_key(parts, source))
        key = next(iter(questions[0].options))[0].key  # type: ignore[attr-defined]
    if within is None and source.tolerance is not None and (shared := _shared_group(parts, str(key))):
        questions.append(_same_group(shared))
        within = shared
    how = _How(str(key), None if within == ANY_GROUP else within, source.tolerance)
    return replace(_joined(connection, parts, parquet, how), questions=tuple(questions))


@dataclass(frozen=True, slots=True)
class _How:
    """By what rows are joined: the key, the column that must be the same besides (or None), and the tolerance."""

    key: str
    within: str | None
    tolerance: float | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every file has to have; they come from the first one."""
        return (self.key,) if self.within is None else (self.key, self.within)


def _only_key(parts: Sequence[Part], source: SourceOptions) -> str | None:
    common = _common(parts, source)
    return common[0] if len(common) == 1 else None


def _shared_group(parts: Sequence[Part], key: str) -> str | None:
    """The column of groups of the first file, where every file has it."""
    names = (c.name for c in parts[0].reading.columns if c.role == "group" and c.name != key)
    return next((name for name in names if all(name in p.columns for p in parts)), None)


def _same_group(column: str) -> Question:
    answers = [
        (SourceOptions(within=column), msg("only rows with the same '{column}'", column=column)),
        (SourceOptions(within=ANY_GROUP), msg("rows of any '{column}'", column=column)),
    ]
    return source_question("within", msg("Every file has '{column}'. Which rows may be joined?", column=column), answers)


def _common(parts: Sequence[Part], source: SourceOptions) -> list[str]:
    common = [name for name in parts[0].columns if name != source.within and all(name in p.columns for p in parts)]
    if not common:
        raise DataProblem(
            msg("The files have no column in common.")
            if source.within is None
            else msg("The files have no column in common but '{column}'.", column=source.within),
            msg("Expected a column of the same name in every file, such as a part number or a time."),
            msg("Give the columns the same name, or stack the files."),
        )
    return common


def _not_in_file(name: str, part: Part) -> DataProblem:
    """Like an unknown column, with the file's name: the others may well have it."""
    known = unknown_column(name, part.columns)
    return DataProblem(
        msg("'{file}' has no column '{column}'.", file=part.name, column=name),
        known.expected,
        msg("The column must have the same name in every file: rename it in one of them."),
        column=name,
    )


def _which_key(parts: Sequence[Part], source: SourceOptions) -> Question:
    """Times and identifiers first: few join on a measured value."""
    order = {"time": 0, "group": 1, "ignore": 2, "target": 3, "sensor": 4}
    names = sorted(_common(parts, source), key=lambda n: order[parts[0].columns[n].role])
    answers = [(SourceOptions(key=name), msg("{name}", name=name)) for name in names]
    return source_question("key", msg("By which column are the files joined?"), answers)


def _joined(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, how: _How) -> Made:
    first = parts[0]
    for part in parts:
        for name in how.columns:
            if name not in part.columns:
                raise _not_in_file(name, part)
    _check_kinds(parts, how)
    group = "" if how.within is None else f", {quoted(how.within)} AS g"
    connection.execute(f"CREATE TEMP TABLE base AS SELECT file_row_number AS r, {quoted(how.key)} AS k{group} FROM {first.sql}")
    unmatched, joins, cells = [], [], [f"a.{quoted(n)}" for n in first.columns]
    columns, names = list(first.reading.columns), set(first.columns)
    for n, part in enumerate(parts[1:]):
        _match(connection, part, n, first, how)
        unmatched.append(_unmatched(connection, part, n))
        joins.append(f"LEFT JOIN m{n} ON m{n}.r = a.file_row_number LEFT JOIN {part.sql} b{n} ON b{n}.file_row_number = m{n}.s")
        for column in (c for c in part.reading.columns if c.name not in how.columns):
            name = _free(column.name, part.name, names)
            names.add(name)
            columns.append(replace(column, name=name))
            cells.append(f"b{n}.{quoted(column.name)} AS {quoted(name)}")
    query = f"SELECT {', '.join(cells)} FROM {first.sql} a {' '.join(joins)} ORDER BY a.file_row_number"
    copy_in_order(connection, query, parquet, _OPTIONS)
    guessed, roles = guess_roles(parquet, [c.name for c in columns], [c.kind for c in columns], [c.unit for c in columns])
    findings = (*(f for u in unmatched for f in _unmatched_findings(u, first.name)), *roles)
    if how.within is not None:
        guessed = with_group(guessed, how.within)
    return Made(guessed, first.reading.n_rows, findings, (), tuple(unmatched))


def _check_kinds(parts: Sequence[Part], how: _How) -> None:
    if how.within == how.key:
        raise SettingProblem(
            msg("'{column}' is both the key and the group.", column=how.key),
            msg("Expected two different columns."),
            msg("Leave the group out: rows with the same key are of one group."),
        )
    kinds = {p.columns[how.key].kind for p in parts}
    if how.tolerance is not None and (len(kinds) > 1 or kinds == {"text"}):
        raise DataProblem(
            msg("The nearest row was asked for, but '{column}' is not a time or number in every file.", column=how.key),
            msg("Expected a column of times, or of numbers, in every file."),
            msg("Choose another key, or leave the tolerance out."),
        )


def _match(connection: duckdb.DuckDBPyConnection, part: Part, n: int, first: Part, how: _How) -> None:
    """Fill table m<n>: for each row r of the first file the row s of this one, or NULL."""
    theirs, filled = [], []
    for letter, name in zip("kg", how.columns, strict=False):
        own = part.columns[name].kind
        value = as_kind(quoted(name), own, own if own == first.columns[name].kind else "text")
        theirs.append(f"{value} AS {letter}")
        filled.append(f"{quoted(name)} IS NOT NULL")
    connection.execute(
        f"CREATE TEMP TABLE o{n} AS SELECT file_row_number AS s, {', '.join(theirs)} FROM {part.sql} "
        f"WHERE {' AND '.join(filled)}"
    )
    if how.tolerance is not None:
        left = _left(first, part, "g", how.within) if how.within is not None else None
        connection.execute(
            f"CREATE TEMP TABLE m{n} AS {_nearest(n, how.tolerance, part.columns[how.key].kind == 'time', left)}"
        )
        return
    _check_unique(connection, part, n, how)
    same = " AND ".join(
        f"{_left(first, part, letter, name)} = o{n}.{letter}" for letter, name in zip("kg", how.columns, strict=False)
    )
    connection.execute(f"CREATE TEMP TABLE m{n} AS SELECT base.r, o{n}.s FROM base LEFT JOIN o{n} ON {same}")


def _left(first: Part, part: Part, letter: str, name: str) -> str:
    """A column of the first file as it is compared with this file's."""
    own, other = first.columns[name].kind, part.columns[name].kind
    return as_kind(f"base.{letter}", own, own if own == other else "text")


def _check_unique(connection: duckdb.DuckDBPyConnection, part: Part, n: int, how: _How) -> None:
    """Each key at most once, in each group where there are groups."""
    by = "k" if how.within is None else "k, g"
    twice = connection.execute(
        f"SELECT count(*) AS c, {by} FROM o{n} GROUP BY {by} HAVING c > 1 ORDER BY c DESC LIMIT 1"
    ).fetchone()
    if twice:
        raise DataProblem(
            msg(
                "'{key}' is {value} in {n} rows of '{file}'.",
                key=" · ".join(how.columns),
                value=" · ".join(shown_cell(v) for v in twice[1:])[:60],
                n=twice[0],
                file=part.name,
            ),
            msg("Expected each key at most once in every file but the first, or rows would multiply."),
            msg("Make the file with the repeated key the first one, or choose another key."),
        )


def _nearest(n: int, tolerance: float, is_time: bool, group: str | None) -> str:
    """The nearest of the row before and the row after, in the group where one is given (as an expression on the first
    file). Several rows at one time: the last before, the first after."""
    distance = "abs(epoch_us({0}) - epoch_us({1})) / 1e6" if is_time else "abs({0} - {1})"
    same, by = ("", "k") if group is None else (f"{group} = o.g AND ", "k, g")
    before = (
        f"SELECT base.r, o.s, {distance.format('base.k', 'o.k')} AS d, 0 AS side FROM base "
        f"ASOF JOIN (SELECT {by}, max(s) AS s FROM o{n} GROUP BY {by}) o ON {same}base.k >= o.k"
    )
    after = (
        f"SELECT base.r, o.s, {distance.format('base.k', 'o.k')} AS d, 1 AS side FROM base "
        f"ASOF JOIN (SELECT {by}, min(s) AS s FROM o{n} GROUP BY {by}) o ON {same}base.k <= o.k"
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
