"""A stretch of time whose values are to be multiplied or moved: another unit for a while, a sensor that was set anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, count_changed, names_of, numbers, with_cells
from core.clean.neighbours import needs_time
from core.clean.periods import Place, inside_ends, place_text, read_place
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings, setting


class CorrectionSettings(Settings):
    """What is done to the values, and from when to when."""

    factor: float = setting(
        1.0,
        title="Multiply by",
        help="For example 0.1 where ten times too much was written, or 25.4 from inch to mm.",
        expert=False,
    )
    offset: float = setting(0.0, title="Then add", help="Added after multiplying, in the unit wanted.", expert=False)
    start: str = setting(
        "", title="From", help="A time such as 2026-05-01 06:00, or a number of the time column. Empty: from the first row.",
        max_length=40, expert=False,
    )  # fmt: skip
    end: str = setting(
        "", title="To", help="Included, like the start. Empty: to the last row, and on all rows that are scored later.",
        max_length=40, expert=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FittedCorrection:
    """new = old · factor + offset on the rows from `start` to `end`, both included; None: open on that side."""

    columns: tuple[str, ...]
    time: str | None
    start: Place | None
    end: Place | None
    factor: float
    offset: float
    key: str = "correct_stretch"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        rows = self._rows(table)
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name in self.columns:
            before = numbers(table, name)
            with np.errstate(over="ignore", invalid="ignore"):
                after = np.where(rows, before * self.factor + self.offset, before)
            if n_changed := count_changed(before, after):
                cells[name], changed[name] = after, n_changed
        return applied(with_cells(table, cells), Change(changed_cells=changed))

    def _rows(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        if self.start is None and self.end is None:
            return np.ones(len(table), dtype=np.bool_)
        if self.time is None or self.time not in table.columns:
            raise unknown_column(str(self.time), [str(c) for c in table.columns])
        return inside_ends(table[self.time], self.start, self.end)

    def state(self) -> dict[str, object]:
        ends = {name: None if end is None else place_text(end) for name, end in (("start", self.start), ("end", self.end))}
        return {"columns": list(self.columns), "time": self.time, **ends, "factor": self.factor, "offset": self.offset}


@dataclass(frozen=True, slots=True)
class CorrectStretch:
    """Multiply and move the values of a stretch of time. Learns nothing. Applied twice it corrects twice.

    Rows without a time stay as they are where a start or end is given. Factor 1 and offset 0: nothing happens.
    """

    title: Message
    summary: Message
    key: str = "correct_stretch"
    settings: type[Settings] = CorrectionSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedCorrection:
        """Raises SettingProblem: an end that is neither a time nor a number, ends of two kinds, or no time column."""
        chosen = CorrectionSettings.model_validate(settings.model_dump())
        start, end = (_read(name, getattr(chosen, name)) for name in ("start", "end"))
        if (start is not None or end is not None) and keys.time is None:
            raise needs_time(msg("A stretch of time is to be corrected."))
        if start is not None and end is not None and isinstance(start, float) != isinstance(end, float):
            raise _unreadable("end", chosen.end)
        return FittedCorrection(names_of(columns), keys.time, start, end, chosen.factor, chosen.offset)

    def restore(self, state: Mapping[str, object]) -> FittedCorrection:
        s: Mapping[str, Any] = state
        start, end = (None if s[name] is None else read_place(s[name]) for name in ("start", "end"))
        return FittedCorrection(tuple(s["columns"]), s["time"], start, end, s["factor"], s["offset"])


def _read(name: str, text: str) -> Place | None:
    if not text.strip():
        return None
    found = read_place(text)
    if found is None:
        raise _unreadable(name, text)
    return found


def _unreadable(name: str, text: str) -> SettingProblem:
    return SettingProblem(
        msg("'{text}' is no place on the time column.", text=text),
        msg("Expected a time such as 2026-05-01 06:00, or a number where the time column counts; both ends alike."),
        msg("Correct it, or leave it empty for the first or last row."),
        name=name,
        value=text,
    )


CORRECT_STRETCH = CorrectStretch(
    msg("Correct a stretch of time"),
    msg("Values between two times are multiplied by a factor and moved: another unit for a while, a sensor that was set anew."),
)
