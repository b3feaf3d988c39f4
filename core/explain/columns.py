"""A table's column inside a model's window: where it stands, what stands for "not known", and how it is moved.

A column may be several values of a row: a category for each text, a straightened copy of a skewed number, its distance from the
unit's own start. Whatever is done to the column is done to all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Windows = NDArray[np.float32]
Predict = Callable[[Windows], Floats]
"""Windows (m, rows, f) → one output each, (m,), in the output's unit."""
Reach = Literal["window", "last", "outside"]
REACHES: tuple[Reach, ...] = ("window", "last", "outside")


@dataclass(frozen=True, slots=True)
class Straightened:
    """A second feature of a number column at `place`: (curve(value) − mean) ÷ scale."""

    place: int
    curve: Callable[[Floats], Floats]
    mean: float
    scale: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A feature at `place` that is (feature at `of` − the unit's start) ÷ scale."""

    place: int
    of: int
    scale: float


@dataclass(frozen=True, slots=True)
class Move:
    """How a number becomes features: (value − mean) ÷ scale at the column's first place, then what follows from it.

    `mean` and `scale` are the training part's mean and standard deviation, in the column's unit.
    """

    mean: float
    scale: float
    straightened: tuple[Straightened, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One column of a model's input.

    `places` are the values of a row that belong to it and `cover` what stands there when it is not known: the training
    part's centre, 0 for scaled features. `move` is None for columns that hold no numbers. `low` and `high` are the smallest
    and largest value of the training part, `band` what is normal for it there, all in column units, NaN where unknown.
    """

    name: str
    places: tuple[int, ...]
    cover: tuple[float, ...]
    unit: str = ""
    move: Move | None = None
    low: float = float("nan")
    high: float = float("nan")
    band: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def titled(self) -> str:
        """Its name with the unit, as "X3 (bar)"."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def values(self, windows: Windows) -> Floats:
        """The column in its unit, (n, rows), after cleaning; NaN where it holds no numbers."""
        if self.move is None:
            return np.full(windows.shape[:2], np.nan)
        return windows[:, :, self.places[0]].astype(np.float64) * self.move.scale + self.move.mean

    def covered(self, windows: Windows) -> Windows:
        """A copy in which nobody knows the column, over the whole window."""
        found = windows.copy()
        found[:, :, list(self.places)] = np.array(self.cover, dtype=np.float32)
        return found

    def moved(self, windows: Windows, to: Floats | float, reach: Reach = "window") -> Windows:
        """A copy in which the last row holds `to` (n,), in column units.

        Args:
            reach: What is shifted by as much as the last row: "window" all rows, as if the machine had run at another level;
                "last" only that one; "outside" the last rows of the window as far back as they lie outside the normal band in one
                piece, as if what went wrong had not, and all rows where the last one lies inside.

        Raises:
            ValueError: the column holds no numbers.
        """
        before = self.values(windows)
        step = np.broadcast_to(np.asarray(to, np.float64), len(windows)) - before[:, -1]
        return self.holding(windows, before + step[:, None] * self._reached(before, reach))

    def _reached(self, values: Floats, reach: Reach) -> NDArray[np.bool_]:
        """Which rows of windows (n, rows) move with the last one."""
        found = np.ones(values.shape, dtype=bool)
        if reach == "last":
            found[:, :-1] = False
        elif reach == "outside":
            outside = (values < self.band[0]) | (values > self.band[1])
            trailing = np.logical_and.accumulate(outside[:, ::-1], axis=1)[:, ::-1]
            found = np.where(outside[:, -1:], trailing, found)
        return found

    def holding(self, windows: Windows, values: Floats) -> Windows:
        """A copy in which the column's rows hold `values` (n, rows), in column units."""
        found, move = windows.copy(), self.move
        if move is None:
            raise ValueError(f"{self.name} holds no numbers")
        found[:, :, self.places[0]] = (values - move.mean) / move.scale
        for straight in move.straightened:
            found[:, :, straight.place] = (straight.curve(values) - straight.mean) / straight.scale
        for more in move.differences:
            found[:, :, more.place] += (found[:, :, more.of] - windows[:, :, more.of]) / np.float32(more.scale)
        return found


def in_chunks(predict: Predict, windows: Windows, chunk: int = 4096) -> Floats:
    """The outputs of many windows, a part at a time; (0,) for none."""
    parts = [predict(windows[i : i + chunk]) for i in range(0, len(windows), chunk)]
    return np.concatenate(parts) if parts else np.empty(0)
