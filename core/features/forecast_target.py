"""What a model of a forecast is asked for: for each step ahead, the difference from an anchor that the window holds.

The anchor is the last known value ("last"), or the value one season before the one that is asked for ("season"); "level" takes
the training part's mean. One scale serves all steps, the root mean square of the training part's differences, so that errors of
all steps count as they are. What helps where was measured: docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.features.own_past import OwnPast
from core.features.windows import Windows

ANCHORS = ("last", "season", "level")
OWN = 0  # the feature that is the target's own past


@dataclass(frozen=True, slots=True)
class ForecastTarget:
    """`horizon` values (h) less their anchors, in units of `scale`.

    `own_mean` and `own_scale` turn feature 0 back into the target's unit; `season` rows, 1 for none; `has_season_feature`
    says that the last feature is the target's value of one season before, `horizon` rows on. `mean` is the target's level.
    """

    horizon: int
    anchor: str
    season: int
    has_season_feature: bool
    own_mean: float
    own_scale: float
    mean: float
    scale: float
    key = "forecast"

    def to_json(self) -> dict[str, object]:
        return {"key": self.key, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> ForecastTarget:
        return cls(**stored)  # type: ignore[arg-type]

    def lags(self, anchor: str) -> NDArray[np.int64]:
        """How many rows before the window's last row each step's anchor stands, (h,), in the feature that `feature` names."""
        steps = np.arange(1, self.horizon + 1)
        if anchor == "season" and self.season > 1:
            if self.has_season_feature:
                return self.horizon - steps
            return self.season * -(-steps // self.season) - steps
        return np.zeros(self.horizon, dtype=np.int64)

    def feature(self, anchor: str) -> int:
        """The feature in which the anchors stand: the last one for a season ago where there is one, else the own past."""
        return -1 if anchor == "season" and self.has_season_feature else OWN

    def values(self, windows: NDArray[np.floating], anchor: str) -> NDArray[np.float64]:
        """The anchors of windows (n, rows, f) in the target's unit, (n, h); rows before the window count as its first."""
        if anchor == "level":
            return np.full((len(windows), self.horizon), self.mean)
        rows = np.maximum(windows.shape[1] - 1 - self.lags(anchor), 0)
        return windows[:, rows, self.feature(anchor)].astype(np.float64) * self.own_scale + self.own_mean

    def values_at(self, windows: Windows, places: NDArray[np.int64], anchor: str) -> NDArray[np.float64]:
        """The same for the windows that end at some places, (b, h), read without the rest of them."""
        if anchor == "level":
            return np.full((len(places), self.horizon), self.mean)
        lags = np.minimum(self.lags(anchor), windows.width - 1)
        rows = np.maximum(places[:, None] - lags, np.asarray(windows.first_row[places], dtype=np.int64)[:, None])
        kinds, back = np.unique(rows, return_inverse=True)
        found = np.asarray(windows.values[kinds], dtype=np.float64)[:, self.feature(anchor)]
        return found[back.reshape(rows.shape)] * self.own_scale + self.own_mean

    def encode(self, following: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values (n, h) and their anchors (n, h) → what the model is asked for."""
        return ((following - anchors) / self.scale).astype(np.float32)

    def decode(self, outputs: NDArray[np.floating], windows: NDArray[np.floating]) -> NDArray[np.float64]:
        """What the model said (n, h) of windows (n, rows, f) → values in the target's unit."""
        return outputs.astype(np.float64) * self.scale + self.values(windows, self.anchor)


def unfitted(past: OwnPast, anchor: str, own_mean: float, own_scale: float, mean: float) -> ForecastTarget:
    """The target before its scale is known; a season asked for where there is none is the last value."""
    return ForecastTarget(
        horizon=past.horizon,
        anchor=anchor,
        season=past.season,
        has_season_feature=past.has_season_feature,
        own_mean=own_mean,
        own_scale=own_scale,
        mean=mean,
        scale=1.0,
    )
