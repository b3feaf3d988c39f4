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
class EarlierValue:
    """Every value ahead is one that was measured before: the last known one, or the one that lies one season before it."""

    key: str
    title: Message
    summary: Message
    is_season: bool
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
        return FittedArrays("earlier", {"is_season": np.array(float(self.is_season))})


LAST_VALUE = EarlierValue(
    "last_value",
    msg("Last value"),
    msg("Everything stays as it is now: the least that a forecast has to beat."),
    is_season=False,
)
SEASON_AGO = EarlierValue(
    "season_ago",
    msg("One season ago"),
    msg("The same hour yesterday or last week, whichever the series repeats: often hard to beat."),
    is_season=True,
)
