"""Two forecasts that learn nothing: the last value, and the value one season ago. Every other one has to beat them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.spec import Engine, FittedArrays, Role, Task
from core.settings import Settings


class EarlierSettings(Settings):
    """Nothing to choose."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """Every value ahead is the last known one."""

    key: str = "last_value"
    title: Message = msg("Last value")
    summary: Message = msg("Everything stays as it is now: the least that a forecast has to beat.")
    source: str = "Hyndman, Athanasopoulos (2021), Forecasting: Principles and Practice, section 5.2"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("forecast",)
    windowed: bool = True
    settings: type[Settings] = EarlierSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: EarlierSettings, seed: int
    ) -> FittedArrays:
        """Nothing is fitted: which values are repeated is all that is kept, as `is_season` ()."""
        return FittedArrays("earlier", {"is_season": np.array(0.0)})


@dataclass(frozen=True, slots=True)
class SeasonAgo:
    """Every value ahead is the one that was measured one season before it; without a season the last known one."""

    key: str = "season_ago"
    title: Message = msg("One season ago")
    summary: Message = msg("The same hour yesterday or last week, whichever the series repeats: often hard to beat.")
    source: str = "Hyndman, Athanasopoulos (2021), Forecasting: Principles and Practice, section 5.2"
    role: Role = "baseline"
    engine: Engine = "arrays"
    tasks: tuple[Task, ...] = ("forecast",)
    windowed: bool = True
    settings: type[Settings] = EarlierSettings
    smallest_rows: int = 1

    def fit(
        self, inputs: NDArray[np.float64], targets: NDArray[np.float64] | None, settings: EarlierSettings, seed: int
    ) -> FittedArrays:
        """Nothing is fitted: which values are repeated is all that is kept, as `is_season` ()."""
        return FittedArrays("earlier", {"is_season": np.array(1.0)})


LAST_VALUE = LastValue()
SEASON_AGO = SeasonAgo()
