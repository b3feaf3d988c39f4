"""Text columns that hold times: which spelling, which order of day and month, which zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.data.cells import is_time
from core.data.column_reading import MOSTLY, ColumnReading, Staged, with_markers
from core.data.findings import Finding
from core.data.options import ReadOptions
from core.data.staging import Profile, missing_sql, value_sql
from core.data.times import TimeReading, time_readings, zone_sql
from core.messages import msg


def time_reading(staged: Staged, column: str, name: str, profile: Profile, options: ReadOptions) -> ColumnReading | None:
    sample = staged.sample(column)
    if sum(map(is_time, sample)) < MOSTLY * len(sample):
        return None
    readings = time_readings(sample, options.day_first)
    if not readings:
        return None
    counts = ", ".join(f"count({r.sql(value_sql(column))})" for r in readings)
    parsed = staged.connection.execute(f"SELECT {counts} FROM {staged.table}").fetchone() or ()
    best = max(range(len(readings)), key=lambda k: (parsed[k], -k))
    if parsed[best] < MOSTLY * profile.filled:
        return None
    findings, still_open = _day_or_month(staged, column, name, readings, parsed, profile.filled)
    if still_open is not None:
        best = still_open[0]
    sql, zone = _zones(staged, column, name, readings[best])
    if readings[best].is_mixed:
        other = f"{column} IS NOT NULL AND NOT {missing_sql(column)} AND TRY_CAST(trim({column}) AS TIMESTAMP) IS NULL"
        message = msg(
            "Dates in '{column}' are written in several ways; see lines {lines}.", column=name, lines=staged.lines(other)
        )
        findings = (*findings, Finding("mixed_dates", message, name))
    reading = ColumnReading("time", sql, parsed[best], (*findings, *zone))
    if parsed[best] < profile.filled:
        marked = with_markers(staged, column, name, "time", sql, parsed[best], profile.filled - parsed[best])
        if marked is None:
            return None
        reading = replace(marked, findings=(*reading.findings, *marked.findings))
    return replace(reading, open_day_month=still_open is not None and still_open[1])


def _zones(staged: Staged, column: str, name: str, reading: TimeReading) -> tuple[str, tuple[Finding, ...]]:
    """The expression of a time column: local time as written where it has one offset, UTC where it has several."""
    plain = reading.sql(value_sql(column))
    zone = zone_sql(column)
    rows = staged.connection.execute(f"SELECT DISTINCT {zone} FROM {staged.table} WHERE {zone} <> '' LIMIT 9").fetchall()
    zones = sorted(str(row[0]) for row in rows)
    if not zones:
        return plain, ()
    without = staged.count(f"{plain} IS NOT NULL AND {zone} = ''")
    if len(zones) == 1 and not without:
        message = msg("Times in '{column}' carry the zone {zone}; they are kept as written.", column=name, zone=zones[0])
        return plain, (Finding("time_zone", message, name, "info"),)
    message = msg(
        "Times in '{column}' are written in several zones ({zones}) and were converted to UTC.",
        column=name,
        zones=", ".join(zones[:5]),
    )
    if without:
        message = msg(
            "Times in '{column}' are written in several zones ({zones}) and were converted to UTC; those without a zone were taken as UTC.",
            column=name,
            zones=", ".join(zones[:5]),
        )
    return reading.utc_sql(value_sql(column)), (Finding("time_zones", message, name, "warn"),)


def _day_or_month(
    staged: Staged, column: str, name: str, readings: Sequence[TimeReading], parsed: Sequence[int], filled: int
) -> tuple[tuple[Finding, ...], tuple[int, bool] | None]:
    """Where both orders fit: the one in which times never go back; (findings, (reading, still open)) or None."""
    if len(readings) < 2 or parsed[0] != filled or parsed[1] != filled:
        return (), None
    first, second = (x.sql(value_sql(column)) for x in readings[:2])
    if staged.count(f"{first} <> {second}") == 0:
        return (), (0, False)
    if readings[0].is_mixed:
        return (), (0, True)
    back = [_goes_back(staged, x) for x in (first, second)]
    if (back[0] == 0) != (back[1] == 0):
        chosen = 0 if back[0] == 0 else 1
        order = msg("day before month") if chosen == 0 else msg("month before day")
        message = msg("Dates in '{column}' were read with {order}: only so do they never go back.", column=name, order=order)
        return (Finding("day_month", message, name, "info"),), (chosen, False)
    return (), (0, True)


def _goes_back(staged: Staged, time: str) -> int:
    """How often a time is earlier than the one before it."""
    query = (
        f"SELECT count(*) FROM (SELECT t < lag(t) OVER (ORDER BY r) AS back FROM "
        f"(SELECT file_row_number AS r, {time} AS t FROM {staged.table}) WHERE t IS NOT NULL) WHERE back"
    )
    row = staged.connection.execute(query).fetchone()
    return int(row[0]) if row else 0
