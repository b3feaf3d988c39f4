"""Values beyond limits that the user knows: what a sensor can measure, what physics allows. Learns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import names_of, numbers
from core.clean.outliers import ACTION_HELP, Action, marked
from core.clean.step import FILE_ORDER, Applied, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem
from core.messages import Message, msg
from core.settings import Settings, setting


class FixedLimitSettings(Settings):
    """The limits, and what happens beyond them."""

    smallest: float | None = setting(
        None, title="Smallest value", help="Values below it are wrong. Empty: no limit.", expert=False
    )
    largest: float | None = setting(
        None, title="Largest value", help="Values above it are wrong. Empty: no limit.", expert=False
    )
    with_ends: bool = setting(
        False,
        title="Limits are wrong too",
        help="A value equal to a limit is wrong as well: so stands a signal at the end of its sensor's range.",
        expert=False,
    )
    action: Action = setting("flag", title="What to do", help=ACTION_HELP, expert=False)


@dataclass(frozen=True, slots=True)
class FittedFixedLimits:
    """The limits for all its columns; None: no limit on that side."""

    columns: tuple[str, ...]
    smallest: float | None
    largest: float | None
    with_ends: bool
    action: Action
    key: str = "fixed_limits"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        low = -np.inf if self.smallest is None else self.smallest
        high = np.inf if self.largest is None else self.largest
        # Clipping leaves a value at the limit as it is, so that it is no outlier there.
        ends = self.with_ends and self.action != "clip"
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        outlying: dict[str, NDArray[np.bool_]] = {}
        for name in self.columns:
            values = numbers(table, name)
            outside = (values < low) | (values > high)
            if ends:
                outside |= ((values == low) & (self.smallest is not None)) | ((values == high) & (self.largest is not None))
            if outside.any():
                outlying[name] = outside
                cells[name] = np.clip(values, low, high) if self.action == "clip" else np.where(outside, np.nan, values)
        return marked(table, self.action, cells, outlying)

    def state(self) -> dict[str, object]:
        limits = {"smallest": self.smallest, "largest": self.largest, "with_ends": self.with_ends}
        return {"columns": list(self.columns), **limits, "action": self.action}


@dataclass(frozen=True, slots=True)
class FixedLimits:
    """Limits that are given. Empty cells are never beyond them; without a limit nothing happens, and ±infinity stays."""

    title: Message
    summary: Message
    key: str = "fixed_limits"
    settings: type[Settings] = FixedLimitSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedFixedLimits:
        """Raises SettingProblem: the smallest value is above the largest."""
        chosen = FixedLimitSettings.model_validate(settings.model_dump())
        low, high = chosen.smallest, chosen.largest
        if low is not None and high is not None and low > high:
            raise SettingProblem(
                msg("The smallest value is {low} and the largest {high}.", low=low, high=high),
                msg("Expected a smallest value below the largest."),
                msg("Exchange the two, or leave one empty."),
                name="smallest",
                value=low,
            )
        return FittedFixedLimits(names_of(columns), low, high, chosen.with_ends, chosen.action)

    def restore(self, state: Mapping[str, object]) -> FittedFixedLimits:
        s: Mapping[str, Any] = state
        return FittedFixedLimits(tuple(s["columns"]), s["smallest"], s["largest"], s["with_ends"], s["action"])


FIXED_LIMITS = FixedLimits(
    msg("Values beyond given limits"),
    msg("Cells below or above what the sensor can measure or physics allows; with the limits themselves for a clipped signal."),
)
