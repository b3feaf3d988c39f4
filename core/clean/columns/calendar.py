"""Columns made of a time: hour of the day, day of the week and of the year as sine and cosine, and the shift.

Sine and cosine put 23:59 beside 00:00. Times are local as written in the file; empty times give empty cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from core.clean.cells import applied, with_cells
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import unknown_column
from core.messages import Message, msg
from core.settings import Settings, setting

Floats = NDArray[np.float64]
Part = Literal["hour", "weekday", "month", "shift"]
Hour = Annotated[int, Field(ge=0, le=23)]


class CalendarSettings(Settings):
    """Which parts of a time."""

    parts: tuple[Part, ...] = setting(
        ("hour", "weekday"),
        title="Parts",
        help="Hour, weekday and month become a sine and a cosine each; the shift becomes a number as text.",
        expert=False,
        min_length=1,
    )
    shift_starts: tuple[Hour, ...] = setting(
        (6, 14, 22),
        title="Shifts begin at",
        help="Full hours, one a shift; shift 1 begins at the first.",
        unit="h",
        min_length=1,
    )


@dataclass(frozen=True, slots=True)
class FittedCalendar:
    """Adds the columns in `made`: (source, part, "sin" / "cos" / "", what the new column is)."""

    made: tuple[tuple[str, Part, str, Column], ...]
    shift_starts: tuple[int, ...]
    key: str = "calendar"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, Floats | pd.Series] = {}
        for source, part, wave, column in self.made:
            times = _times(table, source)
            if part == "shift":
                cells[column.name] = pd.Series(shift_of(times, self.shift_starts), index=table.index, dtype="str")
            else:
                angle = 2 * np.pi * turn(times, part)
                cells[column.name] = np.sin(angle) if wave == "sin" else np.cos(angle)
        columns = tuple(column for *_, column in self.made)
        notes = () if self.made else (msg("There is no time column, so nothing was added."),)
        return applied(with_cells(table, cells), Change(added_columns=tuple(cells), columns=columns, notes=notes))

    def state(self) -> dict[str, object]:
        made = [[source, part, wave, asdict(column)] for source, part, wave, column in self.made]
        return {"made": made, "shift_starts": list(self.shift_starts)}


def _times(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise unknown_column(name, [str(c) for c in table.columns])
    cells = table[name]
    return cells if pd.api.types.is_datetime64_any_dtype(cells) else pd.to_datetime(cells, errors="coerce")


def turn(times: pd.Series, part: Part) -> Floats:
    """How far round its circle a time is, 0 to 1, (n,): of the day, of the week from Monday, of the twelve months."""
    if part == "hour":
        seconds = times.dt.hour * 3600 + times.dt.minute * 60 + times.dt.second
        return np.asarray((seconds / 86400).to_numpy(dtype=np.float64, na_value=np.nan))
    if part == "weekday":
        return np.asarray((times.dt.day_of_week / 7).to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(((times.dt.month - 1) / 12).to_numpy(dtype=np.float64, na_value=np.nan))


def shift_of(times: pd.Series, starts: tuple[int, ...]) -> NDArray[np.object_]:
    """The shift of each time as text, (n,); shift 1 begins at the first of `starts`, and the last goes on over midnight."""
    number = {hour: i + 1 for i, hour in enumerate(starts)}
    in_day = np.array(sorted(number))
    hours = times.dt.hour.to_numpy(dtype=np.float64, na_value=np.nan)
    place = (
        np.searchsorted(in_day, np.nan_to_num(hours), side="right") - 1
    )  # -1, before the first, is the last of the day before
    texts = np.array([str(number[hour]) for hour in in_day], dtype=object)[place]
    texts[np.isnan(hours)] = None
    return np.asarray(texts)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Parts of the time column, or of the columns that are named. It learns nothing; applied twice it gives the same again.

    A dataset whose time is a number (a cycle counter) has no calendar: nothing is added, with a note.
    """

    title: Message
    summary: Message
    key: str = "calendar"
    settings: type[Settings] = CalendarSettings
    fits_keys: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "time"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedCalendar:
        chosen = CalendarSettings.model_validate(settings.model_dump())
        sources = [c.name for c in columns]
        if keys.time is not None and pd.api.types.is_datetime64_any_dtype(train.table[keys.time]):
            sources = sources or [keys.time]
        taken = {str(c) for c in train.table.columns}
        made: list[tuple[str, Part, str, Column]] = []
        for source in sources:
            for part in dict.fromkeys(chosen.parts):
                for wave in ("",) if part == "shift" else ("sin", "cos"):
                    name = free_name(f"{source}_{part}" + (f"_{wave}" if wave else ""), taken)
                    made.append((source, part, wave, Column(name, "text" if part == "shift" else "number")))
        return FittedCalendar(tuple(made), tuple(dict.fromkeys(chosen.shift_starts)))

    def restore(self, state: Mapping[str, object]) -> FittedCalendar:
        stored: Any = state
        made = tuple((source, part, wave, Column(**column)) for source, part, wave, column in stored["made"])
        return FittedCalendar(made, tuple(stored["shift_starts"]))


CALENDAR = Calendar(
    msg("Add calendar features"),
    msg("Hour, weekday, month and shift of a time, so that a model can see what repeats by day, week and shift."),
)
