"""Which places of the windows count where something is fixed on held-out rows, and how far apart rows are in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.training.prepare import Prepared


def period_seconds(table: pd.DataFrame, time: str | None, order: NDArray[np.int64]) -> float | None:
    """The usual seconds from one row to the next, or None where the table has no clock time."""
    if time is None or not pd.api.types.is_datetime64_any_dtype(table[time]):
        return None
    steps = np.diff(table[time].to_numpy().astype("datetime64[us]")[order].astype(np.int64)) / 1e6
    steps = steps[steps > 0]
    return float(np.median(steps)) if steps.size else None


def full_places(prepared: Prepared, places: NDArray[np.int64], fewest: int = 20) -> NDArray[np.int64]:
    """Places whose window is not padded; all of them where fewer than `fewest` would be left.

    A padded window repeats one row, and its average is far noisier than that of real rows.
    """
    full = places[~prepared.inputs.padded[prepared.inputs.row_of_window[places]]]
    return full if len(full) >= fewest else places
