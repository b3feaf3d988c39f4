"""The disturbances that plant data has: slow wander, sensor resolution, lost cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ar1(rng: np.random.Generator, n: int, phi: float, sd: float) -> Array:
    """A stationary first-order autoregression (n,) with mean 0 and standard deviation `sd`."""
    shocks = rng.normal(0.0, sd * np.sqrt(1.0 - phi * phi), n)
    values = np.empty(n)
    level = rng.normal(0.0, sd)
    for i in range(n):
        level = phi * level + shocks[i]
        values[i] = level
    return values


def lag(values: Array, rows: float) -> Array:
    """First-order lag of `values` (n,) with a time constant in rows; starts at the first value."""
    gain = 1.0 - np.exp(-1.0 / rows)
    out = np.empty(len(values))
    level = float(values[0])
    for i, value in enumerate(values):
        level += gain * (value - level)
        out[i] = level
    return out


def lose_cells(table: pd.DataFrame, column: str, stretches: Sequence[tuple[int, int]]) -> None:
    """Empty the rows `start` to `stop` (exclusive) of one column, in place, as a lost connection does."""
    position = table.columns.get_loc(column)
    for start, stop in stretches:
        table.iloc[start:stop, position] = np.nan
