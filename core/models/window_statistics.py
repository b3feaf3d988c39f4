"""Six plain statistics of each feature of a window: what a baseline sees of it, so that both see the same rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STATISTICS: tuple[str, ...] = ("mean", "sd", "min", "max", "last", "slope")


def window_statistics(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean, standard deviation (ddof 0), minimum, maximum, last value and slope a row of every feature.

    The slope is that of the least-squares line through the rows of the window, in units of the feature a row:
    Σ (t − t̄) x / Σ (t − t̄)². A window of one row has slope 0 and standard deviation 0.

    Args:
        windows: (n_windows, window_rows, n_features), any float type.

    Returns:
        (n_windows, 6 · n_features) float64, all means first, then all standard deviations and so on. One row a
        window gives (n_windows, n_features), because the other statistics would only repeat that row.

    Example:
        >>> window_statistics(np.array([[[1.0], [2.0], [6.0]]])).round(3).tolist()
        [[3.0, 2.16, 1.0, 6.0, 6.0, 2.5]]
    """
    values = np.asarray(windows, dtype=np.float64)
    rows = values.shape[1]
    if rows == 1:
        return values[:, 0, :].copy()
    steps = np.arange(rows, dtype=np.float64) - (rows - 1) / 2
    slope = np.tensordot(values, steps / np.sum(steps**2), axes=(1, 0))
    parts = (values.mean(axis=1), values.std(axis=1), values.min(axis=1), values.max(axis=1), values[:, -1, :], slope)
    return np.concatenate(parts, axis=1)


def statistic_names(features: tuple[str, ...], window_rows: int) -> tuple[str, ...]:
    """The name of each column that `window_statistics` gives, as "mean of p1"; plain names for one row a window."""
    if window_rows == 1:
        return features
    return tuple(f"{statistic} of {feature}" for statistic in STATISTICS for feature in features)
