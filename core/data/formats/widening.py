"""Wide files → long: one file a sensor, one row a cycle, one column a time step; a file of facts a cycle joins in.

The long table has one row a cycle and step: `cycle` (a group), `step` (the time, from 0), one column a sensor, and the facts
repeated over the steps of their cycle. That is what windows are cut from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from core.data.dataset import Column, Kind
from core.data.findings import Finding
from core.data.formats.one_wide import MIN_STEPS, taken_apart
from core.data.formats.parts import Made, Part
from core.data.formats.records import SourceOptions
from core.data.formats.stacking import _OPTIONS, quoted
from core.data.roles import guess_roles, words_of
from core.data.staging import copy_in_order, text_literal
from core.errors import DataProblem, unknown_column
from core.messages import msg, msg_n

CYCLE, STEP = "cycle", "step"
_CYCLE_WORDS = frozenset(["cycle", "part", "id", "serial", "unit", "shot", "stroke", "piece", "no", "nr"])


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the files are: sensors, facts, the steps of a sensor by column name, and the column that names the cycle.
    `of_one` where all of it comes from one file, whose rows cannot go astray."""

    sensors: tuple[Part, ...]
    facts: tuple[Part, ...]
    cycle: str | None
    of_one: bool = False
    findings: tuple[Finding, ...] = ()

    def steps(self, part: Part) -> list[str]:
        """The columns of a sensor that are time steps."""
        return [name for name in part.columns if name != self.cycle]

    @property
    def fact_columns(self) -> list[tuple[Part, Column]]:
        """The columns of the facts, but for the one that names the cycle."""
        return [(p, c) for p in self.facts for c in p.reading.columns if c.name != self.cycle]


def widen(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, source: SourceOptions) -> Made:
    """Write the long table.

    The sensor files are those of the width that most files have (the wider one where two are as frequent); the others hold
    facts about each cycle. A first column that names the cycle (`source.key`, or the same in every sensor file, each value
    once) joins the files; without one, row k of every file is cycle k, counted from 1. Steps at which no sensor has a
    value are left out, so that cycles may differ in length. One file alone is taken apart by its column names (`one_wide`).

    Raises:
        DataProblem: the files differ in their rows, a sensor file holds text, or no file is wide.
    """
    layout = _layout(connection, parts, source)
    _check(layout)
    _check_cycles(connection, layout)
    names, first = _names(layout), layout.sensors[0]
    steps, n_cycles = len(layout.steps(first)), first.reading.n_rows
    copy_in_order(connection, _query(layout, names, steps), parquet, _OPTIONS)
    n_rows = _count(connection, f"SELECT count(*) FROM read_parquet({text_literal(parquet)})")
    facts = [c for _, c in layout.fact_columns]
    sensor_kinds: list[Kind] = ["number" for _ in range(len(layout.sensors) + 1)]
    kinds = ["number" if layout.cycle is None else first.columns[layout.cycle].kind, *sensor_kinds, *(c.kind for c in facts)]
    units = ["", "", *("" for _ in layout.sensors), *(c.unit for c in facts)]
    columns, roles = guess_roles(parquet, names, kinds, units)
    # Time goes back from cycle to cycle, and cycle and step are what they are.
    roles = tuple(f for f in roles if f.code != "time_not_sorted" and f.column not in names[:2])
    return Made(_with_roles(columns, len(layout.sensors)), n_rows, (*_findings(layout, steps, n_cycles, n_rows), *roles))


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _layout(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], source: SourceOptions) -> _Layout:
    if len(parts) == 1:
        return _of_one(connection, parts[0], source)
    widths = Counter(len(p.columns) for p in parts)
    width = max(widths, key=lambda w: (widths[w], w))
    sensors = tuple(p for p in parts if len(p.columns) == width)
    facts = tuple(p for p in parts if len(p.columns) != width)
    wanted = source.key or sensors[0].reading.columns[0].name
    if source.key is not None and any(wanted not in p.columns for p in sensors):
        raise unknown_column(wanted, sensors[0].columns)
    found = source.key is not None or _names_cycles(connection, sensors, wanted)
    return _Layout(sensors, facts, wanted if found else None)


def _of_one(connection: duckdb.DuckDBPyConnection, part: Part, source: SourceOptions) -> _Layout:
    if source.key is not None and source.key not in part.columns:
        raise unknown_column(source.key, part.columns)

    def is_unique(name: str) -> bool:
        return _count(connection, f"SELECT count(DISTINCT {quoted(name)}) FROM {part.sql}") == part.reading.n_rows

    if source.key is not None and not is_unique(source.key):
        raise DataProblem(
            msg("'{column}' does not have another value in each row of '{file}'.", column=source.key, file=part.name),
            msg("Expected every cycle once."),
            msg("Name another column as the key, or leave it out: then row 1 is cycle 1."),
        )
    one = taken_apart(part, source.key, _CYCLE_WORDS, is_unique)
    return _Layout(one.sensors, one.facts, one.cycle, of_one=True, findings=one.findings)


def _names_cycles(connection: duckdb.DuckDBPyConnection, sensors: Sequence[Part], name: str) -> bool:
    """Whether a column has another value in every row and the same values in every sensor file; one file has to say so."""
    if any(name not in p.columns for p in sensors) or sensors[0].reading.options.header is False:
        return False
    if len(sensors) == 1 and not set(words_of(name)) & _CYCLE_WORDS:
        return False
    first, n_rows = sensors[0], sensors[0].reading.n_rows
    column = quoted(name)
    if _count(connection, f"SELECT count(DISTINCT {column}) FROM {first.sql}") != n_rows:
        return False
    same = f"SELECT count(*) FROM {first.sql} a JOIN {{}} b ON a.{column} = b.{column}"
    return all(p.reading.n_rows == n_rows and _count(connection, same.format(p.sql)) == n_rows for p in sensors[1:])


def _check(layout: _Layout) -> None:
    first = layout.sensors[0]
    if len(layout.steps(first)) < MIN_STEPS:
        raise DataProblem(
            msg("'{file}' has {n} columns.", file=first.name, n=len(first.columns)),
            msg("Expected one column a time step, at least {n}.", n=MIN_STEPS),
            msg("Import it as an ordinary table, or stack the files."),
        )
    for part in (*layout.sensors, *layout.facts) if not layout.of_one else ():
        _check_rows(part, first)
    for part in layout.sensors:
        _check_numbers(part, layout)
    wide = next((p for p in layout.facts if len(p.columns) > len(first.columns)), None)
    if wide is not None and not layout.of_one:
        raise DataProblem(
            msg(
                "'{file}' has {n} columns, '{other}' has {m}.",
                file=wide.name,
                n=len(wide.columns),
                other=first.name,
                m=len(first.columns),
            ),
            msg("Expected sensors that were sampled at the same rate."),
            msg("Import the sensors of each rate on their own."),
        )


def _check_cycles(connection: duckdb.DuckDBPyConnection, layout: _Layout) -> None:
    """Every cycle of the first file stands once in every file that names its cycles."""
    first = layout.sensors[0]
    for part in (*layout.sensors, *layout.facts):
        if layout.cycle is None or layout.cycle not in part.columns:
            continue
        column = quoted(layout.cycle)
        same = _count(connection, f"SELECT count(*) FROM {first.sql} a JOIN {part.sql} b ON a.{column} = b.{column}")
        own = _count(connection, f"SELECT count(DISTINCT {column}) FROM {part.sql}")
        if same != first.reading.n_rows or own != first.reading.n_rows:
            raise DataProblem(
                msg(
                    "The values of '{column}' in '{file}' are not those of '{other}'.",
                    column=column[1:-1],
                    file=part.name,
                    other=first.name,
                ),
                msg("Expected every cycle once in every file."),
                msg("Check that the files belong together, or name another column as the key."),
            )


def _check_rows(part: Part, first: Part) -> None:
    if part.reading.lines.rejected:
        raise DataProblem(
            msg("{n} rows of '{file}' could not be read.", n=part.reading.lines.rejected, file=part.name),
            msg("Expected every cycle in every file."),
            msg("Correct these rows first."),
        )
    if part.reading.n_rows != first.reading.n_rows:
        raise DataProblem(
            msg(
                "'{file}' has {n} rows, '{other}' has {m}.",
                file=part.name,
                n=part.reading.n_rows,
                other=first.name,
                m=first.reading.n_rows,
            ),
            msg("Expected one row a cycle in every file."),
            msg("Check that the files belong together and that no header or row is missing."),
        )


def _check_numbers(part: Part, layout: _Layout) -> None:
    text = next((name for name in layout.steps(part) if part.columns[name].kind != "number"), None)
    if text is not None:
        raise DataProblem(
            msg("Column '{column}' of '{file}' is not a number.", column=text, file=part.name),
            msg("Expected the values of one sensor, one column a time step."),
            msg("Leave the file out, or import it as an ordinary table."),
        )


def _names(layout: _Layout) -> list[str]:
    names = [layout.cycle or CYCLE]
    wanted = [STEP, *(p.name for p in layout.sensors)]
    for part, column in layout.fact_columns:
        own = part.reading.options.header is not False
        wanted.append(column.name if own else f"{part.name}_{column.name.removeprefix('column_')}")
    for name in wanted:
        base, k = name, 2
        while name.casefold() in {n.casefold() for n in names}:
            name, k = f"{base}_{k}", k + 1
        names.append(name)
    return names


def _query(layout: _Layout, names: Sequence[str], steps: int) -> str:
    """Parallel unnest of one list a sensor: lists of one row are as long as each other, so steps stay together."""
    every = (*layout.sensors, *layout.facts)
    joins = "".join(f" JOIN {p.sql} t{n} ON {_same_cycle(layout, p, n)}" for n, p in enumerate(every) if n)
    place = {id(p): n for n, p in enumerate(every)}
    lists = [
        f"unnest([{', '.join(f't{n}.{quoted(c)}' for c in layout.steps(p))}]) AS s{n}" for n, p in enumerate(layout.sensors)
    ]
    facts = [f"t{place[id(p)]}.{quoted(c.name)} AS f{k}" for k, (p, c) in enumerate(layout.fact_columns)]
    cycle = "CAST(t0.file_row_number + 1 AS DOUBLE)" if layout.cycle is None else f"t0.{quoted(layout.cycle)}"
    inner = ", ".join(
        ["t0.file_row_number AS r", f"{cycle} AS c", f"CAST(unnest(range({steps})) AS DOUBLE) AS q", *lists, *facts]
    )
    cells = ["c", "q", *(f"s{n}" for n in range(len(lists))), *(f"f{k}" for k in range(len(facts)))]
    named = ", ".join(f"{cell} AS {quoted(name)}" for cell, name in zip(cells, names, strict=True))
    filled = " OR ".join(f"s{n} IS NOT NULL" for n in range(len(lists)))
    return f"SELECT {named} FROM (SELECT {inner} FROM {every[0].sql} t0{joins}) WHERE {filled} ORDER BY r, q"


def _same_cycle(layout: _Layout, part: Part, n: int) -> str:
    if layout.cycle is not None and layout.cycle in part.columns:
        return f"t{n}.{quoted(layout.cycle)} = t0.{quoted(layout.cycle)}"
    return f"t{n}.file_row_number = t0.file_row_number"


def _findings(layout: _Layout, steps: int, n_cycles: int, n_rows: int) -> list[Finding]:
    message = msg_n(
        "{n} sensor, {cycles} cycles of {steps} steps became {rows} rows: one a cycle and step.",
        "{n} sensors, {cycles} cycles of {steps} steps became {rows} rows: one a cycle and step.",
        len(layout.sensors),
        cycles=n_cycles,
        steps=steps,
        rows=n_rows,
    )
    found = [Finding("wide", message, severity="info"), *layout.findings]
    if layout.facts and not layout.of_one:
        names = ", ".join(p.name for p in layout.facts)
        by_name = layout.cycle is not None and all(layout.cycle in p.columns for p in layout.facts)
        message = (
            msg(
                "The columns of {files} hold for a whole cycle and were joined by '{column}'.", files=names, column=layout.cycle
            )
            if by_name
            else msg("The columns of {files} hold for a whole cycle and were joined by the row number.", files=names)
        )
        found.append(Finding("wide_facts", message, severity="info"))
    left_out = n_cycles * steps - n_rows
    if left_out:
        message = msg_n("{n} step without any value was left out.", "{n} steps without any value were left out.", left_out)
        found.append(Finding("empty_steps", message))
    return found


def _with_roles(columns: Sequence[Column], n_sensors: int) -> tuple[Column, ...]:
    """The cycle is the group, the step the time; each sensor is one; of the facts a guessed target stays, the rest waits."""
    fixed = [replace(columns[0], role="group"), replace(columns[1], role="time")]
    fixed += [replace(c, role="sensor") for c in columns[2 : 2 + n_sensors]]
    facts = [c if c.role == "target" else replace(c, role="ignore") for c in columns[2 + n_sensors :]]
    return (*fixed, *facts)
