"""Periods that take no part: downtime, maintenance, trial runs; each from a time to a time with a reason.

A period is written as "FROM/TO reason", FROM and TO as ISO 8601 writes times or as numbers for a counter of cycles: the same
text in a recipe's JSON, on the command line and in a form. Both ends are included. A row without a time is in no period.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import DataProblem, SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings, setting

KEY = "exclude_periods"
MAX_REASON = 80
_TIME = r"(?:\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})(?:[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_END = rf"{_TIME}|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?"
_WRITTEN = re.compile(rf"(?P<start>{_END})\s*/\s*(?P<stop>{_END})(?:\s+(?P<reason>.*))?")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")

Place: TypeAlias = pd.Timestamp | float


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `stop`, both included: two times, or two numbers of a counter."""

    start: Place
    stop: Place
    reason: str = ""

    @property
    def is_time(self) -> bool:
        return isinstance(self.start, pd.Timestamp)

    @property
    def text(self) -> str:
        """As it stands in a recipe; `read_period` reads it."""
        return f"{place_text(self.start)}/{place_text(self.stop)} {self.reason}".strip()


def place_text(place: Place) -> str:
    """A time or number as `read_place` reads it back, exactly."""
    if isinstance(place, pd.Timestamp):
        return str(place).replace(" ", "T")
    short = f"{place:.15g}"
    return short if float(short) == place else repr(float(place))


def make_period(start: object, stop: object, reason: object = "") -> Period:
    """A period of two times or two numbers, in either order; texts are read.

    Raises:
        SettingProblem: an end is neither a time nor a number, or the ends are of two kinds.
    """
    ends = (read_place(start), read_place(stop))
    is_time = [isinstance(end, pd.Timestamp) for end in ends]
    if None in ends or is_time[0] != is_time[1]:
        given = " / ".join(str(end) for end in (start, stop) if end is not None)
        raise SettingProblem(
            msg("'{text}' is not a period.", text=given[:80]),
            msg("Expected two times such as 2026-05-01 06:00, or two numbers of the time column."),
            msg("Correct both ends of the period."),
        )
    first, last = sorted(ends)  # type: ignore[type-var]
    words = re.sub(r"[\x00-\x1f,;，；/\s]+", " ", "" if reason is None or reason != reason else str(reason)).strip()[
        :MAX_REASON
    ]
    return Period(first, last, words)  # type: ignore[arg-type]


def read_period(text: str) -> Period:
    """The period that "FROM/TO reason" names.

    Raises:
        SettingProblem: it names none.

    Example:
        >>> read_period("2026-05-01 06:00/2026-05-01T08:30 tool change").text
        '2026-05-01T06:00:00/2026-05-01T08:30:00 tool change'
        >>> read_period("120/140").text
        '120/140'
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return make_period(text, None)
    return make_period(found["start"], found["stop"], found["reason"] or "")


def joined(periods: Iterable[Period]) -> tuple[Period, ...]:
    """In order, and those that overlap made one, with the reasons of both."""
    done: list[Period] = []
    for period in sorted(periods, key=lambda p: (p.is_time, p.start, p.stop)):  # type: ignore[arg-type, return-value]
        last = done[-1] if done else None
        if last is not None and last.is_time == period.is_time and period.start <= last.stop:  # type: ignore[operator]
            reasons = dict.fromkeys(r for r in (last.reason, period.reason) if r)
            done[-1] = Period(last.start, max(last.stop, period.stop), " + ".join(reasons)[:MAX_REASON])  # type: ignore[type-var]
        else:
            done.append(period)
    return tuple(done)


def inside(periods: Sequence[Period], values: pd.Series | NDArray) -> NDArray[np.bool_]:
    """Which of the times or numbers (n,) lie in a period, ends included; empty ones in none.

    Raises:
        DataProblem: periods of times on a column of numbers or texts, or the other way round.
    """
    kind, given = _cells(values)
    found = np.zeros(len(given), dtype=np.bool_)
    for period in periods:
        if period.is_time is not kind:
            raise _does_not_fit(period.text)
        found |= _between(given, period.start, period.stop)
    return found


def inside_ends(values: pd.Series | NDArray, start: Place | None, stop: Place | None) -> NDArray[np.bool_]:
    """Which of the times or numbers (n,) lie from `start` to `stop`, ends included; None: open on that side. Empty ones never.

    Raises:
        DataProblem: ends that are times on a column of numbers or texts, or the other way round.
    """
    kind, given = _cells(values)
    for end in (start, stop):
        if end is not None and isinstance(end, pd.Timestamp) is not kind:
            raise _does_not_fit(str(end))
    return _between(given, start, stop) & ~pd.isna(given)


def _cells(values: pd.Series | NDArray) -> tuple[bool | None, NDArray]:
    """Whether a column holds times (None: neither times nor numbers), and its cells as datetime64[ns] or float64."""
    cells = pd.Series(values)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return True, cells.to_numpy(dtype="datetime64[ns]")
    if pd.api.types.is_numeric_dtype(cells):
        return False, cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return None, np.full(len(cells), np.nan)


def _between(given: NDArray, start: Place | None, stop: Place | None) -> NDArray[np.bool_]:
    ends = [np.datetime64(e, "ns") if isinstance(e, pd.Timestamp) else e for e in (start, stop)]
    found = np.ones(len(given), dtype=np.bool_)
    if ends[0] is not None:
        found &= given >= ends[0]
    if ends[1] is not None:
        found &= given <= ends[1]
    return found


def _does_not_fit(period: str) -> DataProblem:
    return DataProblem(
        msg("The period '{period}' does not fit the time column.", period=period),
        msg("Expected times where the column holds times, and numbers where it counts."),
        msg("Correct the period, or the role of the time column."),
    )


class PeriodSettings(Settings):
    """The periods."""

    periods: tuple[str, ...] = setting(
        (),
        title="Periods",
        help="Each as FROM/TO and a reason, such as 2026-05-01T06:00/2026-05-01T08:30 maintenance. Both ends are left out.",
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class FittedPeriods:
    """Marks the rows whose time lies in a period as left out."""

    time: str | None
    periods: tuple[Period, ...]
    key: str = KEY
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        if not self.periods or self.time is None:
            return applied(table, Change())
        if self.time not in table.columns:
            raise unknown_column(self.time, [str(c) for c in table.columns])
        left_out = inside(self.periods, table[self.time])
        return applied(table, Change(left_out_rows=int(left_out.sum())), left_out=left_out)

    def state(self) -> dict[str, object]:
        return {"time": self.time, "periods": [p.text for p in self.periods]}


@dataclass(frozen=True, slots=True)
class ExcludePeriods:
    """Leave out the rows of some periods. Learns nothing. No period: nothing happens."""

    title: Message
    summary: Message
    key: str = KEY
    settings: type[Settings] = PeriodSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedPeriods:
        """Raises SettingProblem: a period that cannot be read, or no time column to find it by."""
        chosen = PeriodSettings.model_validate(settings.model_dump())
        periods = joined(read_period(text) for text in chosen.periods)
        if periods and keys.time is None:
            raise SettingProblem(
                msg("Periods are to be left out, and no column has the role 'time'."),
                msg("Expected a time column by which they are found."),
                msg("Give a column the role 'time', or take the step out."),
            )
        return FittedPeriods(keys.time, periods)

    def restore(self, state: Mapping[str, object]) -> FittedPeriods:
        time, periods = state["time"], state["periods"]
        return FittedPeriods(time, tuple(read_period(text) for text in periods))  # type: ignore[arg-type, attr-defined]


EXCLUDE_PERIODS = ExcludePeriods(
    msg("Leave out periods"),
    msg("Rows of downtime, maintenance or trials take no part in training and are not scored; they stay in the dataset."),
)


def read_place(value: object) -> Place | None:
    """A time or a number, also from a text such as 2026-05-01 06:00 or 01.05.2026; None where it is neither."""
    if isinstance(value, pd.Timestamp | datetime | np.datetime64):
        found = pd.Timestamp(value)
        return None if found is pd.NaT else found.tz_localize(None) if found.tzinfo else found
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return float(value) if np.isfinite(value) else None
    text = str(value or "").strip()
    try:
        number = float(text)
        return number if np.isfinite(number) else None
    except ValueError:
        pass
    if german := _GERMAN.fullmatch(text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}{german[4]}"
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        found = pd.Timestamp(text)
    except ValueError:
        return None
    return found.tz_localize(None) if found.tzinfo else found
