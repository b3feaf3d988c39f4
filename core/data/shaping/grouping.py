"""One row a group, lot or cycle: what its rows were on average, at most, at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from core.data.dataset import Column
from core.data.shaping.table import (
    ColumnChoice,
    Shaped,
    Source,
    aggregated,
    cells_of,
    checked_how,
    choices_by_name,
    free_column,
    put_aside,
    quoted,
    ticks_sql,
    working,
    write,
)
from core.errors import SettingProblem
from core.messages import msg
from core.settings import Settings, setting

NumberAggregate = Literal["mean", "median", "minimum", "maximum", "first", "last", "sum", "sd", "count"]


class AggregateSettings(Settings):
    """By what, and what becomes of the cells."""

    by: tuple[str, ...] = setting(
        (),
        title="One row for each",
        help="Columns whose equal values belong together. Empty: the group column.",
        max_length=10,
        expert=False,
    )
    how: tuple[NumberAggregate, ...] = setting(
        ("mean", "sd", "minimum", "maximum"),
        title="Numbers become",
        help="One column for each number column and each of these.",
        min_length=1,
        expert=False,
    )
    texts: Literal["first", "last", "most_frequent", "leave_out"] = setting(
        "most_frequent", title="Texts become", help="Unless a column is named below.", expert=False
    )
    target: Literal["mean", "median", "minimum", "maximum", "first", "last", "most_frequent"] = setting(
        "last", title="The target becomes", help="One value a group; a mean or median only for numbers.", expert=False
    )
    columns: tuple[ColumnChoice, ...] = setting(
        (), title="Other columns", help="Columns that become something else.", max_length=2000, expert=False
    )
    count: bool = setting(True, title="Count rows", help="A column with the rows of each group.")


def aggregate_table(source: Source, settings: AggregateSettings, target: Path) -> Shaped:
    """Write one row for each different value of the columns `by`, in order of first appearance; an empty value is one too.

    A time column becomes the group's first time. A single column `by` gets the role "ignore": it names the row, and rows of
    a group of their own could never share a window.

    Raises:
        SettingProblem: nothing to group by, or a column that cannot become that.
        DataProblem: a column that is not there.
    """
    by = _by(source, settings)
    named = choices_by_name(source.dataset, settings.columns)
    time = source.only("time")
    order = "file_row_number" if time is None else f"ROW({ticks_sql(time)}, file_row_number)"
    chosen: list[tuple[Column, str]] = []
    columns = [replace(c, role="ignore") if len(by) == 1 else c for c in by]
    taken = {c.name for c in by}
    for column in source.dataset.columns:
        ways = () if column in by else _ways(column, settings, named.get(column.name))
        for how in ways:
            single = len(ways) == 1
            new = aggregated(
                column, how, free_column(column.name if single else f"{column.name}_{_SHORT.get(how, how)}", taken)
            )
            columns.append(new if single else replace(new, role="sensor"))
            chosen.append((column, how))
    with working(target.parent) as connection:
        cells = cells_of(chosen, order, source.n_rows)
        keys = ", ".join(f"{quoted(c.name)} AS k{i}" for i, c in enumerate(by))
        n_tables = put_aside(connection, cells, keys, "count(*) AS _n, min(file_row_number) AS _place", source.sql)
        same = (" AND ".join(f"c0.k{k} IS NOT DISTINCT FROM c{i}.k{k}" for k in range(len(by))) for i in range(1, n_tables))
        joins = " ".join(f"LEFT JOIN c{i} ON {on}" for i, on in enumerate(same, start=1))
        parts = [*(f"c0.k{i}" for i in range(len(by))), *(cell.at for cell in cells)]
        if settings.count:
            columns.append(Column(free_column("rows", taken), "number", "ignore"))
            parts.append("CAST(c0._n AS DOUBLE)")
        select = ", ".join(f"{part} AS {quoted(column.name)}" for part, column in zip(parts, columns, strict=True))
        n_rows = write(connection, f"SELECT {select} FROM c0 {joins} ORDER BY c0._place", target)
    return Shaped(tuple(columns), n_rows, source.n_rows)


_SHORT = {"minimum": "min", "maximum": "max"}


def _by(source: Source, settings: AggregateSettings) -> tuple[Column, ...]:
    names = dict.fromkeys(name.strip() for name in settings.by if name.strip())
    if names:
        return tuple(source.dataset.column(name) for name in names)
    group = source.only("group")
    if group is None:
        raise SettingProblem(
            msg("'{dataset}' has no group column.", dataset=source.dataset.name),
            msg("Expected the columns whose equal values belong together."),
            msg("Name them, or give a column the role 'group'."),
            name="by",
        )
    return (group,)


def _ways(column: Column, settings: AggregateSettings, named: str | None) -> tuple[str, ...]:
    """What the column becomes; nothing for one that is left out."""
    if named is not None:
        return () if named == "leave_out" else (named,)
    if column.role == "target":
        return (checked_how(column, settings.target),)
    if column.role == "time" or column.kind == "time":
        return ("minimum",) if column.kind != "text" else ("first",)
    if column.kind == "text":
        return () if settings.texts == "leave_out" else (settings.texts,)
    return tuple(dict.fromkeys(settings.how))
