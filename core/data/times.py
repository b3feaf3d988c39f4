"""Which spelling of date and time a column uses, as a DuckDB expression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DATE = re.compile(r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ]|$)")
_MONTH_NAME = re.compile(r"\s*\d{1,2}([- ])[A-Za-z]{3}\1(\d{2,4})(?:[T ]|$)")
_CLOCKS = (" %H:%M:%S", " %H:%M:%S.%f", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p")
_ISO = "iso"
_ZONE = " ?(Z|UTC|GMT|[A-Z]{2,4}T|[+-][0-9]{2}(:?[0-9]{2})?)$"


@dataclass(frozen=True, slots=True)
class TimeReading:
    """One way to read a column as times. `day_first` is None where the spelling leaves no choice; `is_mixed` says that
    dates with the year in front stand beside others."""

    formats: tuple[str, ...]
    day_first: bool | None = None
    is_mixed: bool = False

    @property
    def is_iso(self) -> bool:
        """Whether it is year-month-day, the one spelling that needs no format."""
        return self.formats == (_ISO,)

    def sql(self, text: str) -> str:
        """A TIMESTAMP expression over a text expression; NULL where it does not fit. The zone is dropped."""
        local = f"replace(replace(regexp_replace(trim({text}), '{_ZONE}', ''), 'T', ' '), ',', '.')"
        plain = f"CASE WHEN contains({text}, ':') THEN {local} ELSE trim({text}) END"
        if self.is_iso:
            return f"TRY_CAST({plain} AS TIMESTAMP)"
        formats = ", ".join(f"'{f}'" for f in self.formats)
        return f"CAST(try_strptime({plain}, [{formats}]) AS TIMESTAMP)"

    def utc_sql(self, text: str) -> str:
        """The same in UTC, by the zone behind each time; a time without one is taken as UTC.

        Names such as EST are those of the IANA time zone database; they are known only beside dates with the year in front.
        """
        zone = zone_sql(text)
        minutes = (
            f"(CASE WHEN starts_with({zone}, '-') THEN -1 ELSE 1 END) * (60 * TRY_CAST(substr({zone}, 2, 2) AS INTEGER) + "
            f"coalesce(TRY_CAST(right(replace({zone}, ':', ''), 2) AS INTEGER) * CAST(length({zone}) > 3 AS INTEGER), 0))"
        )
        by_name = f"TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
        return (
            f"CASE WHEN {zone} IN ('', 'Z', 'UTC', 'GMT') THEN {self.sql(text)} "
            f"WHEN {zone} SIMILAR TO '[+-].*' THEN {self.sql(text)} - to_minutes({minutes}) ELSE {by_name} END"
        )


def zone_sql(text: str) -> str:
    """The zone behind a time of day ("+02:00", "Z", "EST"), "" where there is none."""
    return f"CASE WHEN contains({text}, ':') THEN trim(regexp_extract(trim({text}), '[0-9]{_ZONE}', 1)) ELSE '' END"


def time_readings(values: Sequence[str], day_first: bool | None) -> tuple[TimeReading, ...]:
    """The ways in which a sample of cells may be times, best first; two where day and month can be swapped."""
    dates = [m for v in values if (m := _DATE.match(v))]
    if len(dates) >= 0.5 * len(values) > 0:
        return _numeric_dates(dates, day_first)
    names = [m for v in values if (m := _MONTH_NAME.match(v))]
    if len(names) >= 0.5 * len(values) > 0:
        sep, year = names[0].group(1), "%Y" if len(names[0].group(2)) == 4 else "%y"
        return (TimeReading(_with_clock(f"%d{sep}%b{sep}{year}")),)
    compact = [v for v in values if re.match(r"\s*(19|20)\d{6}[T ]\d{4,6}\s*$", v)]
    if len(compact) >= 0.5 * len(values) > 0:
        return (TimeReading(("%Y%m%d %H%M%S", "%Y%m%d %H%M", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M")),)
    return ()


def _numeric_dates(dates: Sequence[re.Match[str]], day_first: bool | None) -> tuple[TimeReading, ...]:
    if len({(len(m.group(1)) == 4, m.group(2)) for m in dates}) > 1:
        return _mixed_dates(dates, day_first)
    first = dates[0]
    sep = first.group(2)
    if len(first.group(1)) == 4:
        return (TimeReading((_ISO,)),) if sep == "-" else (TimeReading(_with_clock(f"%Y{sep}%m{sep}%d")),)
    year = "%Y" if len(first.group(4)) == 4 else "%y"
    day = TimeReading(_with_clock(f"%d{sep}%m{sep}{year}"), True)
    month = TimeReading(_with_clock(f"%m{sep}%d{sep}{year}"), False)
    if sep == "." or day_first is True:
        return (day,)
    return (month,) if day_first is False else (day, month)


def _mixed_dates(dates: Sequence[re.Match[str]], day_first: bool | None) -> tuple[TimeReading, ...]:
    """Dates of several spellings in one column: each with its separator, the year in front or behind."""
    shapes = sorted({(len(m.group(1)) == 4, m.group(2), len(m.group(4)) == 4) for m in dates}, reverse=True)
    readings = []
    for first in (True, False) if day_first is None else (day_first,):
        formats: tuple[str, ...] = ()
        for year_in_front, sep, whole_year in shapes:
            year = "%Y" if whole_year or year_in_front else "%y"
            order = ("%d", "%m") if first else ("%m", "%d")
            formats += _with_clock(f"%Y{sep}%m{sep}%d" if year_in_front else sep.join((*order, year)))
        readings.append(TimeReading(formats, first, is_mixed=True))
    return tuple(readings)


def _with_clock(date: str) -> tuple[str, ...]:
    return tuple(date + clock for clock in _CLOCKS)
