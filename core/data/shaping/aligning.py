"""Two tables by time: each row of the first gets the row of the second that was valid then, or lies nearest.

Rows of the first keep their number and order. A row without a partner within the tolerance has empty cells and is counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import duckdb

from core.data.dataset import Column
from core.data.shaping.table import (
    Shaped,
    Source,
    free_column,
    needed_time,
    one_row,
    quoted,
    ticks,
    ticks_sql,
    working,
    write,
)
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Direction = Literal["backward", "nearest", "forward"]
_KINDS = {"number": msg("numbers"), "text": msg("texts"), "time": msg("times")}


class AlignSettings(Settings):
    """Which row of the second table belongs to a row of the first."""

    direction: Direction = setting(
        "backward",
        title="Take",
        help="Backward: the last row before or at that time, as one knew it then. Nearest and forward look ahead.",
        expert=False,
    )
    tolerance: float | None = setting(
        None,
        title="Largest distance",
        help="Rows further away in time are no partner. Empty: no limit. Seconds where the time column holds dates, else its own unit.",
        ge=0,
        expert=False,
    )
    match_group: bool = setting(
        True,
        title="Same group only",
        help="Where both tables have a group column of the same name, partners share its value.",
        expert=False,
    )
    columns: tuple[str, ...] = setting(
        (), title="Columns to take over", help="Empty: all but the time.", max_length=2000, expert=False
    )
    age: bool = setting(
        False,
        title="Add the distance in time",
        help="A column with the time from the partner to the row, negative where it lies ahead.",
    )


def align_tables(left: Source, right: Source, settings: AlignSettings, target: Path) -> Shaped:
    """Write the rows of `left` with the columns of their partners in `right` behind their own.

    Of rows of `right` with the same time the last in the file counts; of two equally near ones the earlier in time. Names
    that both have get a number behind them. A target of `right` is ignored where `left` has one.

    Raises:
        SettingProblem: a table without a time column, or times here and numbers there.
        DataProblem: a column that is not there.
    """
    first, second = needed_time(left), needed_time(right)
    if (first.kind == "time") != (second.kind == "time"):
        raise _other_kind(first, second)
    group = _shared_group(left, right, settings)
    taken_over = _taken_over(right, second, group, settings)
    with working(target.parent) as connection:
        n_repeats = _prepare(connection, left, right, first, second, group)
        _pair(connection, settings.direction, None if settings.tolerance is None else ticks(first, settings.tolerance))
        names = {c.name for c in left.dataset.columns}
        partners: list[str] = []
        columns, parts = list(left.dataset.columns), [f"l.{quoted(c.name)}" for c in left.dataset.columns]
        has_target = bool(left.dataset.with_role("target"))
        for column in taken_over:
            new = free_column(column.name, names)
            columns.append(replace(column, name=new, role=_role(column, has_target)))
            partners.append(f"r.{quoted(column.name)} AS b{len(partners)}")
            parts.append(f"b.b{len(partners) - 1} AS {quoted(new)}")
        if settings.age:
            new = free_column("age", names)
            columns.append(Column(new, "number", unit="s" if first.kind == "time" else first.unit))
            partners.append("p.age AS age")
            parts.append(f"CAST(b.age AS DOUBLE) / {ticks(first, 1.0)!r} AS {quoted(new)}")
        # Only the partners are sorted, not the whole rows of the first table, which stand in their order already.
        partner_rows = f"{left.row_numbers} a LEFT JOIN pairs p ON p.l = a.l LEFT JOIN {right.sql} r ON r.file_row_number = p.r"
        connection.execute(
            f"CREATE TEMP TABLE partners AS SELECT {', '.join(['a.l AS l', *partners])} FROM {partner_rows} ORDER BY a.l"
        )
        same_row = "CASE WHEN l.file_row_number = b.l THEN true ELSE error('rows of the first table lost their order') END"
        query = f"SELECT {', '.join(parts)} FROM {left.sql} l POSITIONAL JOIN partners b WHERE {same_row}"
        n_rows = write(connection, query, target)
        n_matched = int(one_row(connection, "SELECT count(*) FROM pairs")[0])
    return Shaped(tuple(columns), n_rows, left.n_rows, _notes(left.n_rows - n_matched, n_repeats, right.dataset.name))


def _prepare(
    connection: duckdb.DuckDBPyConnection, left: Source, right: Source, first: Column, second: Column, group: str | None
) -> int:
    """Tables of row, time and group of both sides; how many rows of the right one have a later twin."""
    key = "0" if group is None else quoted(group)
    connection.execute(
        f"CREATE TEMP TABLE lefts AS SELECT file_row_number AS l, {ticks_sql(first)} AS t, {key} AS g FROM {left.sql} "
        f"WHERE {ticks_sql(first)} IS NOT NULL"
    )
    connection.execute(
        f"CREATE TEMP TABLE rights AS SELECT max(file_row_number) AS r, {ticks_sql(second)} AS t, {key} AS g FROM {right.sql} "
        f"WHERE {ticks_sql(second)} IS NOT NULL GROUP BY ALL"
    )
    timed = int(one_row(connection, f"SELECT count({quoted(second.name)}) FROM {right.sql}")[0])
    return timed - int(one_row(connection, "SELECT count(*) FROM rights")[0])


def _pair(connection: duckdb.DuckDBPyConnection, direction: Direction, tolerance: float | None) -> None:
    """The table `pairs`: row of the left, row of the right, and the time from the second to the first."""
    found = []
    for way, sign in (("backward", ">="), ("forward", "<=")):
        if direction in (way, "nearest"):
            found.append(f"SELECT a.l, b.r, a.t - b.t AS age FROM lefts a ASOF JOIN rights b ON a.g = b.g AND a.t {sign} b.t")
    within = "" if tolerance is None else f"WHERE abs(age) <= {tolerance!r}"
    # Of two equally near partners the one with the larger age lies before the row.
    nearer = "QUALIFY row_number() OVER (PARTITION BY l ORDER BY abs(age), age DESC) = 1" if len(found) > 1 else ""
    connection.execute(f"CREATE TEMP TABLE pairs AS SELECT l, r, age FROM ({' UNION ALL '.join(found)}) {within} {nearer}")


def _shared_group(left: Source, right: Source, settings: AlignSettings) -> str | None:
    """The group column that both have under one name and in one kind."""
    one, other = left.only("group"), right.only("group")
    if not settings.match_group or one is None or other is None or one.name != other.name:
        return None
    if one.kind != other.kind:
        raise SettingProblem(
            msg(
                "The group '{column}' holds {one} here and {other} there.",
                column=one.name,
                one=_KINDS[one.kind],
                other=_KINDS[other.kind],
            ),
            msg("Expected the same kind of values in both tables."),
            msg("Correct one of them, or do not match groups."),
            name="match_group",
        )
    return one.name


def _taken_over(right: Source, time: Column, group: str | None, settings: AlignSettings) -> tuple[Column, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in settings.columns if name.strip()))
    if names:
        return tuple(right.dataset.column(name) for name in names)
    return tuple(c for c in right.dataset.columns if c != time and c.name != group)


def _role(column: Column, has_target: bool) -> Literal["time", "group", "target", "sensor", "ignore"]:
    """A second time, group or target would compete with the first table's."""
    if column.role in ("time", "group") or (column.role == "target" and has_target):
        return "ignore"
    return column.role


def _notes(n_alone: int, n_repeats: int, name: str) -> tuple[Message, ...]:
    notes = []
    if n_alone:
        notes.append(
            msg_n(
                "{n} row has no partner in '{name}' and stays empty there.",
                "{n} rows have no partner in '{name}' and stay empty there.",
                n_alone,
                name=name,
            )
        )
    if n_repeats:
        notes.append(
            msg_n(
                "{n} row of '{name}' has the time of a later row, which counts instead.",
                "{n} rows of '{name}' have the time of a later row, which counts instead.",
                n_repeats,
                name=name,
            )
        )
    return tuple(notes)


def _other_kind(first: Column, second: Column) -> SettingProblem:
    return SettingProblem(
        msg(
            "'{first}' holds {one} and '{second}' holds {other}.",
            first=first.name,
            one=_KINDS[first.kind],
            second=second.name,
            other=_KINDS[second.kind],
        ),
        msg("Expected times in both tables, or numbers in both."),
        msg("Give the matching columns the role 'time'."),
    )
