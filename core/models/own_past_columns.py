"""What a shallow family sees of a forecast's window: one column a row of the target's own past, and little of the rest.

Statistics of a window would blur where in the season it ends, so that its rows are given as they are, each as its difference from
the last one, beside that one's level. Of every other column the last value and the window's mean are given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def own_past_columns(windows: NDArray[np.floating], horizon: int, has_season: bool) -> NDArray[np.float64]:
    """(n, d) columns of windows (n, rows, f): the target is feature 0, with `has_season` its value of one season before the last.

    In order: the last value of the target; the rows before it, oldest first, less that one (rows − 1); with a season its
    last `horizon` rows less the last value; the last values of the other features; their means. d = rows +
    2 · (f − 1) without a season, rows + min(horizon, rows) + 2 · (f − 2) with one.

    Example:
        >>> own_past_columns(np.array([[[1.0, 5.0], [4.0, 7.0]]]), horizon=1, has_season=False).tolist()
        [[4.0, -3.0, 7.0, 6.0]]
    """
    values = np.asarray(windows, dtype=np.float64)
    last = values[:, -1, 0]
    parts = [last[:, None], values[:, :-1, 0] - last[:, None]]
    others = values[:, :, 1:]
    if has_season:
        parts.append(values[:, -horizon:, -1] - last[:, None])
        others = values[:, :, 1:-1]
    return np.concatenate([*parts, others[:, -1], others.mean(axis=1)], axis=1)


def n_own_past_columns(rows: int, n_features: int, horizon: int, has_season: bool) -> int:
    """How many columns that gives."""
    season = min(horizon, rows) if has_season else 0
    return rows + season + 2 * (n_features - 1 - has_season)
