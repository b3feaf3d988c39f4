"""What a forecast needs beside windows: the target's own past as feature 0, unbroken series, and the rows that follow.

A series is a group's rows in order of time. It breaks where more than three usual steps of the time column pass between
two rows: what comes after such a gap is no next value. One or two missing rows only shift the forecast by as many steps. Where
the steps are not regular (less than four fifths of them within a tenth of the median), rows are counted and nothing breaks.

With a season of at least as many rows as are forecast, every row also carries the target's value one season before the
furthest row that is forecast from it: the last `horizon` rows of any window then hold what was measured one season
before the values asked for, however long the season is and however short the window. Nothing of it lies in the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.room import BigArray, Room, blocks

LONGEST_BREAK = 3.0  # usual steps between two rows of one series
REGULAR_SHARE, REGULAR_WITHIN = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class OwnPast:
    """Of a forecast `horizon` rows ahead with a season of `season` rows, 1 for none.

    `column` is the target, `step` the usual step of the time column in its unit (seconds for a clock), None without one or
    where time stands still; `is_regular` says that steps are alike, so that a long one breaks a series.
    """

    column: str
    horizon: int
    season: int
    step: float | None
    is_regular: bool

    @property
    def has_season_feature(self) -> bool:
        """Whether every row carries the value of one season before; a season within the horizon lies in the window."""
        return self.season > 1 and self.season >= self.horizon

    @property
    def smallest_window(self) -> int:
        """The narrowest window that holds the values of one season before all rows ahead."""
        if self.season == 1:
            return 1
        return self.horizon if self.has_season_feature else self.season

    @property
    def reach(self) -> int:
        """How many rows before a row its features look."""
        return self.season - self.horizon if self.has_season_feature else 0

    def series(self, groups: NDArray[np.integer] | None, times: NDArray[np.float64] | None) -> NDArray[np.int64]:
        """The number of the series of each row, (n,), rows in group and time order; adjacent rows of one have the same.

        Args:
            times: (n,) in the unit of `step`, None without a time column.
        """
        n = len(groups) if groups is not None else len(times) if times is not None else 0
        breaks = np.zeros(n, dtype=bool)
        if groups is not None:
            breaks[1:] |= np.diff(groups) != 0
        if times is not None and self.is_regular and self.step is not None:
            breaks[1:] |= np.diff(times) > LONGEST_BREAK * self.step
        return np.cumsum(breaks)

    def extended(self, values: BigArray, first_row: NDArray[np.integer], room: Room) -> BigArray:
        """The features (n, f) with the target's value of one season before behind them, (n, f + 1) float32.

        Row i gets that of row i + horizon − season; rows so near to the start of their series that there is none get the
        series' first value, and count as padded.
        """
        if not self.has_season_feature:
            return values
        n, f = values.shape
        found = room.array((n, f + 1), np.float32)
        for start, stop in blocks(n):
            earlier = np.maximum(np.arange(start, stop) - self.reach, first_row[start:stop])
            found[start:stop] = np.column_stack([values[start:stop], values[earlier][:, 0]])
        return found

    def to_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> OwnPast:
        return cls(**stored)  # type: ignore[arg-type]


def usual_step(times: NDArray[np.float64], series: NDArray[np.integer] | None) -> tuple[float | None, bool]:
    """The median step between rows of one group, and whether steps are regular; None where there is no step forwards."""
    steps = np.diff(times)
    if series is not None:
        steps = steps[np.diff(series) == 0]
    steps = steps[np.isfinite(steps) & (steps > 0)]
    if not steps.size:
        return None, False
    middle = float(np.median(steps))
    return middle, bool(np.mean(np.abs(steps - middle) <= REGULAR_WITHIN * middle) >= REGULAR_SHARE)


def fill_forward(own: NDArray[np.float64], first_row: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each row the place of the last row up to it with a known value in its series, −1 where there is none, (n,)."""
    last = np.maximum.accumulate(np.where(np.isfinite(own), np.arange(len(own)), -1))
    return np.where(last >= first_row, last, -1)


@dataclass(frozen=True, slots=True)
class Following:
    """The values that follow each row within its stretch: rows of one series, in one part, none left out between them.

    `own` float64 (n,) in group and time order, NaN unknown; `last` int64 (n,) the place of the last row of its stretch.
    """

    own: NDArray[np.float64]
    last: NDArray[np.int64]
    horizon: int

    @property
    def is_whole(self) -> NDArray[np.bool_]:
        """Rows (n,) after which all `horizon` values lie in their stretch and are known, and whose own value is known."""
        n, h = len(self.own), self.horizon
        unknown = np.concatenate([[0], np.cumsum(~np.isfinite(self.own))])
        end = np.minimum(np.arange(n) + h, n - 1)
        return (np.arange(n) + h <= self.last) & (unknown[end + 1] - unknown[:n] == 0)

    def batch(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """What follows these rows, (b, horizon), NaN where it is unknown or outside the stretch."""
        at = places[:, None] + np.arange(1, self.horizon + 1)
        found = self.own[np.minimum(at, len(self.own) - 1)]
        return np.where(at <= self.last[places][:, None], found, np.nan)


def following(
    own: NDArray[np.float64], first_row: NDArray[np.integer], parts: NDArray[np.integer] | None, horizon: int
) -> Following:
    """What follows each row.

    Args:
        own: (n,) the target in group and time order.
        first_row: (n,) the first row of the series of each.
        parts: (n,) the part of the split of each row; None: one part.

    Example:
        >>> f = following(np.arange(5.0), np.zeros(5, int), np.array([0, 0, 0, 1, 1]), 2)
        >>> f.batch(np.array([0, 1])).tolist(), f.is_whole.tolist()
        ([[1.0, 2.0], [2.0, nan]], [True, False, False, False, False])
    """
    n = len(own)
    ends = np.zeros(n, dtype=bool)
    if n:
        ends[-1] = True
        ends[:-1] = np.diff(first_row) != 0
        if parts is not None:
            ends[:-1] |= np.diff(parts) != 0
    places = np.where(ends, np.arange(n), n)
    last = np.minimum.accumulate(places[::-1])[::-1]
    return Following(own, last.astype(np.int64), horizon)
