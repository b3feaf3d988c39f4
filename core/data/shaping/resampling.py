"""A regular time step: all rows of a step become one, within their group; steps without rows stay empty.

Steps lie on the clock: a step of 60 s begins on the full minute, one of a counter at its multiples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core.data.dataset import Column
from core.data.shaping.table import (
    Cell,
    ColumnChoice,
    Shaped,
    Source,
    aggregated,
    cells_of,
    choices_by_name,
    free_column,
    needed_time,
    one_row,
    put_aside,
    quoted,
    ticks,
    ticks_sql,
    without_time_note,
    working,
    write,
)
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

MOST_EMPTY = 20
"""More than this many empty steps a step with rows is no table but a gap; below a million rows nobody minds."""
_SMALL = 1_000_000


class ResampleSettings(Settings):
    """The step, and what becomes of the cells."""

    step: float = setting(
        60.0,
        title="Time step",
        help="Seconds where the time column holds dates, else its own unit.",
        gt=0,
        le=1e10,
        expert=False,
    )
    how: Literal["mean", "median", "minimum", "maximum", "first", "last", "sum", "sd"] = setting(
        "mean", title="Numbers become", help="Unless a column is named below.", expert=False
    )
    texts: Literal["first", "last", "most_frequent", "leave_out"] = setting(
        "last", title="Texts become", help="Unless a column is named below.", expert=False
    )
    columns: tuple[ColumnChoice, ...] = setting(
        (), title="Other columns", help="Columns that become something else.", max_length=2000, expert=False
    )
    gaps: Literal["empty_rows", "no_rows"] = setting(
        "empty_rows",
        title="Steps without rows",
        help="A row of empty cells keeps the step regular; no row leaves a gap in time. Nothing is filled in.",
        expert=False,
    )
    label: Literal["start", "end"] = setting(
        "start", title="Time of a step", help="Its start, or its end: when all of its values are known."
    )
    count: bool = setting(False, title="Count rows", help="A column with the rows of each step.")


def resample_table(source: Source, settings: ResampleSettings, target: Path) -> Shaped:
    """Write the table with a regular step: by group in order of first appearance, then by time.

    The time column and the group keep their names; columns keep unit and limits unless they become a sum, spread or count.

    Raises:
        SettingProblem: no time column, a column that cannot become that, or far more empty steps than steps with rows.
        DataProblem: a column that is not there.
    """
    time, group = needed_time(source), source.only("group")
    named = choices_by_name(source.dataset, settings.columns)
    step = ticks(time, settings.step)
    if step <= 0:
        raise _step_too_small(settings.step)
    chosen = [(c, named.get(c.name, _default(c, settings))) for c in source.dataset.columns if c not in (time, group)]
    chosen = [(c, how) for c, how in chosen if how != "leave_out"]
    with working(target.parent) as connection:
        taken = {c.name for c in source.dataset.columns}
        step_name, group_name = free_column("_step", taken), free_column("_group", taken)
        rows = f"(SELECT *, {_bucket_sql(time, step)} AS {step_name}, {_group_sql(group)} AS {group_name} FROM {source.sql})"
        keys = f"{group_name} AS _group, {step_name} AS _step"
        order = f"ROW({ticks_sql(time)}, file_row_number)"
        cells = cells_of(chosen, order, source.n_rows)
        first = "count(*) AS _n, min(file_row_number) AS _place"
        n_tables = put_aside(connection, cells, keys, first, f"{rows} WHERE {step_name} IS NOT NULL")
        connection.execute(
            "CREATE TEMP TABLE spans AS SELECT _group, min(_step) AS low, max(_step) AS high, min(_place) AS place "
            "FROM c0 GROUP BY ALL"
        )
        n_filled, n_kept = one_row(connection, "SELECT count(*), coalesce(sum(_n), 0) FROM c0")
        n_steps = int(one_row(connection, "SELECT coalesce(sum(high - low + 1), 0) FROM spans")[0])
        with_gaps = settings.gaps == "empty_rows"
        if with_gaps and n_steps > max(_SMALL, MOST_EMPTY * n_filled):
            raise _too_many_gaps(settings.step, n_steps, int(n_filled))
        columns, names = _columns(time, group, chosen, cells, settings.count)
        grid = "SELECT _group, place, unnest(range(low, high + 1)) AS _step FROM spans"
        if not with_gaps:
            grid = "SELECT c0._group, place, _step FROM c0 JOIN spans ON c0._group IS NOT DISTINCT FROM spans._group"
        joins = " ".join(
            f"LEFT JOIN c{i} ON g._group IS NOT DISTINCT FROM c{i}._group AND g._step = c{i}._step" for i in range(n_tables)
        )
        query = f"SELECT {', '.join(names)} FROM ({grid}) g {joins} ORDER BY place, g._step"
        n_rows = write(connection, query.replace("{time}", _label_sql(time, step, settings.label)), target)
    notes = (*without_time_note(source.n_rows - int(n_kept)), *(_gap_note(n_steps - int(n_filled), with_gaps)))
    return Shaped(columns, n_rows, source.n_rows, notes)


def _default(column: Column, settings: ResampleSettings) -> str:
    if column.kind == "number":
        return settings.how
    return settings.texts if column.kind == "text" else "last"


def _group_sql(group: Column | None) -> str:
    return "0" if group is None else quoted(group.name)


def _bucket_sql(time: Column, step: float) -> str:
    """The number of the step; a counter at 0.3 is in step 3 of 0.1, although 0.3 ÷ 0.1 is a little less than 3."""
    share = f"({ticks_sql(time)} / {step!r})"
    if time.kind == "time":
        return f"CAST(floor({share}) AS BIGINT)"
    near = f"abs({share} - round({share})) < 1e-9 * greatest(1, abs({share}))"
    return f"CAST(CASE WHEN {near} THEN round({share}) ELSE floor({share}) END AS BIGINT)"


def _label_sql(time: Column, step: float, label: str) -> str:
    number = "g._step" if label == "start" else "(g._step + 1)"
    return (
        f"make_timestamp(CAST({number} * {int(step)} AS BIGINT))"
        if time.kind == "time"
        else f"CAST({number} * {step!r} AS DOUBLE)"
    )


def _columns(
    time: Column, group: Column | None, chosen: list[tuple[Column, str]], cells: list[Cell], count: bool
) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of the new table and their SQL, in the same order: group, time, the others, the count."""
    columns = ([] if group is None else [group]) + [time] + [aggregated(c, how) for c, how in chosen]
    names = ([] if group is None else [f"g._group AS {quoted(group.name)}"]) + ["{time} AS " + quoted(time.name)]
    names += [f"{cell.at} AS {quoted(c.name)}" for cell, (c, _) in zip(cells, chosen, strict=True)]
    if count:
        name = free_column("rows", {c.name for c in columns})
        columns.append(Column(name, "number", "ignore"))
        names.append(f"CAST(coalesce(c0._n, 0) AS DOUBLE) AS {quoted(name)}")
    return tuple(columns), names


def _gap_note(n: int, kept: bool) -> tuple[Message, ...]:
    if n <= 0:
        return ()
    if kept:
        return (msg_n("{n} step without rows stays empty.", "{n} steps without rows stay empty.", n),)
    return (msg_n("{n} step without rows has no row.", "{n} steps without rows have no row.", n),)


def _step_too_small(step: float) -> SettingProblem:
    return SettingProblem(
        msg("The time step is {step} s.", step=step),
        msg("Times are kept to a millionth of a second."),
        msg("Choose a longer step."),
        name="step",
        value=step,
    )


def _too_many_gaps(step: float, n_steps: int, n_filled: int) -> SettingProblem:
    return SettingProblem(
        msg("A step of {step} gives {n} rows, and only {filled} of them have values.", step=step, n=n_steps, filled=n_filled),
        msg("Expected at most {n} empty steps for each step with rows.", n=MOST_EMPTY),
        msg("Choose a longer step, or leave out steps without rows."),
        name="step",
        value=step,
    )
