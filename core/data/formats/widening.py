"""Wide files → long: one file a sensor, one row a cycle, one column a time step; a file of facts a cycle joins in.

The long table has one row a cycle and step: `cycle` (a group), `step` (the time, from 0), one column a sensor, and the facts
repeated over the steps of their cycle. That is what windows are cut from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.formats.combining import Made, Part
from core.data.formats.records import SourceOptions
from core.data.formats.stacking import _OPTIONS, quoted
from core.data.roles import guess_roles
from core.data.staging import copy_in_order
from core.errors import DataProblem
from core.messages import msg, msg_n

CYCLE, STEP = "cycle", "step"
_MIN_STEPS = 3


def widen(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], parquet: Path, source: SourceOptions) -> Made:
    """Write the long table. Row k of every file is cycle k, counted from 1.

    The sensor files are those of the width that most files have (the wider one where two are as frequent); the others hold
    facts about each cycle. Steps at which no sensor has a value are left out, so that cycles may differ in length.

    Raises:
        DataProblem: the files differ in their number of rows, a sensor file holds text, or no file is wide.
    """
    sensors, facts = _sorted_out(parts)
    _check(sensors, facts)
    steps = len(sensors[0].columns)
    names = _names(sensors, facts)
    query = _query(sensors, facts, names, steps)
    copy_in_order(connection, query, parquet, _OPTIONS)
    row = connection.execute(f"SELECT count(*) FROM read_parquet('{_sql(parquet)}')").fetchone()
    n_rows = int(row[0]) if row else 0
    n_cycles = sensors[0].reading.n_rows
    fact_columns = [c for p in facts for c in p.reading.columns]
    kinds = ["number", "number", *("number" for _ in sensors), *(c.kind for c in fact_columns)]
    units = ["", "", *("" for _ in sensors), *(c.unit for c in fact_columns)]
    columns, roles = guess_roles(parquet, names, kinds, units)  # type: ignore[arg-type]
    found = (*_findings(sensors, facts, steps, n_cycles, n_rows), *(f for f in roles if f.column not in (CYCLE, STEP)))
    return Made(_with_roles(columns, len(sensors)), n_rows, found)


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")


def _sorted_out(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    widths = Counter(len(p.columns) for p in parts)
    width = max(widths, key=lambda w: (widths[w], w))
    return [p for p in parts if len(p.columns) == width], [p for p in parts if len(p.columns) != width]


def _check(sensors: Sequence[Part], facts: Sequence[Part]) -> None:
    first = sensors[0]
    width = len(first.columns)
    if width < _MIN_STEPS:
        raise DataProblem(
            msg("'{file}' has {n} columns.", file=first.name, n=width),
            msg("Expected one column a time step, at least {n}.", n=_MIN_STEPS),
            msg("Import it as an ordinary table, or stack the files."),
        )
    for part in (*sensors, *facts):
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
        if part.reading.lines.rejected:
            raise DataProblem(
                msg("{n} rows of '{file}' could not be read.", n=part.reading.lines.rejected, file=part.name),
                msg("Expected every cycle in every file: rows go together by their number."),
                msg("Correct these rows first."),
            )
    for part in sensors:
        text = next((c for c in part.reading.columns if c.kind != "number"), None)
        if text is not None:
            raise DataProblem(
                msg("Column '{column}' of '{file}' is not a number.", column=text.name, file=part.name),
                msg("Expected the values of one sensor, one column a time step."),
                msg("Leave the file out, or import it as an ordinary table."),
            )
    widths = {len(p.columns) for p in facts}
    wide = next((p for p in facts if len(p.columns) > max(_MIN_STEPS, width)), None)
    if wide is not None and widths:
        raise DataProblem(
            msg("'{file}' has {n} columns, '{other}' has {m}.", file=wide.name, n=len(wide.columns), other=first.name, m=width),
            msg("Expected sensors that were sampled at the same rate."),
            msg("Import the sensors of each rate on their own."),
        )


def _names(sensors: Sequence[Part], facts: Sequence[Part]) -> list[str]:
    names = [CYCLE, STEP]
    headerless = any(p.reading.options.header is False for p in facts)
    wanted = [p.name for p in sensors] + [
        f"{p.name}_{c.name.removeprefix('column_')}" if headerless else c.name for p in facts for c in p.reading.columns
    ]
    for name in wanted:
        base, k = name, 2
        while name.casefold() in {n.casefold() for n in names}:
            name, k = f"{base}_{k}", k + 1
        names.append(name)
    return names


def _query(sensors: Sequence[Part], facts: Sequence[Part], names: Sequence[str], steps: int) -> str:
    """Parallel unnest of one list a sensor: lists of one row are as long as each other, so steps stay together."""
    joins = "".join(
        f" JOIN {p.sql} t{n} ON t{n}.file_row_number = t0.file_row_number" for n, p in enumerate((*sensors, *facts)) if n
    )
    lists = [f"unnest([{', '.join(f't{n}.{quoted(c)}' for c in p.columns)}]) AS s{n}" for n, p in enumerate(sensors)]
    n_facts = len(sensors)
    plain = [f"t{n_facts + n}.{quoted(c)} AS f{n}_{k}" for n, p in enumerate(facts) for k, c in enumerate(p.columns)]
    inner = ", ".join(["t0.file_row_number AS r", f"unnest(range({steps})) AS q", *lists, *plain])
    values = [f"s{n}" for n in range(n_facts)] + [f"f{n}_{k}" for n, p in enumerate(facts) for k in range(len(p.columns))]
    cells = ["CAST(r + 1 AS DOUBLE)", "CAST(q AS DOUBLE)", *values]
    named = ", ".join(f"{cell} AS {quoted(name)}" for cell, name in zip(cells, names, strict=True))
    filled = " OR ".join(f"s{n} IS NOT NULL" for n in range(n_facts))
    return f"SELECT {named} FROM (SELECT {inner} FROM {sensors[0].sql} t0{joins}) WHERE {filled} ORDER BY r, q"


def _findings(sensors: Sequence[Part], facts: Sequence[Part], steps: int, n_cycles: int, n_rows: int) -> list[Finding]:
    message = msg(
        "{files} sensors, {cycles} cycles of {steps} steps became {rows} rows: one a cycle and step.",
        files=len(sensors),
        cycles=n_cycles,
        steps=steps,
        rows=n_rows,
    )
    found = [Finding("wide", message, severity="info")]
    if facts:
        names = ", ".join(p.name for p in facts)
        message = msg("The columns of {files} hold for a whole cycle and were joined by the row number.", files=names)
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
