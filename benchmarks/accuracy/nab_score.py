"""The score of the Numenta Anomaly Benchmark, after its published rules.

Rows above a threshold are alarms. The first 15 % of a file, at most 750 rows, do not count. In each labelled window the
best alarm counts S(position) ÷ S(−1), no alarm counts − the weight of a miss; each alarm outside of windows counts S(distance
behind the last window) · the weight of a false alarm, −1 · weight before the first window or three window lengths behind
one. S(x) = 2 ÷ (1 + e^(5x)) − 1; the position runs from −1 at a window's first row towards 0 at its end. One threshold for
all files, the best one, which the rules allow. 100 · (score − score without alarms) ÷ (windows − score without alarms).

Source: Lavin, Ahmad (2015), ICMLA, arXiv:1510.03336, and the scoring text of the repository's wiki.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION, MOST_PROBATION = 0.15, 750
PROFILES = {"standard": (0.11, 1.0), "low_fp": (0.22, 1.0), "low_fn": (0.11, 2.0)}
"""Weights of a false alarm and of a miss."""


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """Scores (n,) of a file's rows in time order, higher = odder, and the first and last row of each window."""

    scores: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]


def probation(n_rows: int) -> int:
    """How many rows at the start of a file do not count."""
    return int(min(PROBATION * n_rows, MOST_PROBATION))


def scaled_sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """S(x), −1 from three window lengths on."""
    return np.where(x >= 3.0, -1.0, 2 / (1 + np.exp(5 * np.minimum(x, 3.0))) - 1)


def row_values(file: ScoredFile) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What an alarm at each row counts, before weights, and the number of its window, −1 outside."""
    n = len(file.scores)
    rows = np.arange(n)
    place, window = np.full(n, 3.0), np.full(n, -1)
    for number, (first, last) in enumerate(file.windows):
        length = last - first + 1
        behind = rows > last
        place[behind] = (rows[behind] - last) / max(1, length - 1)
        inside = (rows >= first) & (rows <= last)
        place[inside] = -(last - rows[inside] + 1) / length
        window[inside] = number
    values = scaled_sigmoid(place)
    return np.where(window >= 0, values / scaled_sigmoid(np.array(-1.0)), values), window


def nab_scores(files: Sequence[ScoredFile]) -> dict[str, float]:
    """The normalised score of each profile, each at its best threshold over all files; higher thresholds first."""
    values, windows, scores, n_windows = [], [], [], 0
    for file in files:
        start = probation(len(file.scores))
        value, window = row_values(file)
        values.append(value[start:])
        windows.append(np.where(window >= 0, window + n_windows, -1)[start:])
        scores.append(file.scores[start:])
        n_windows += len(file.windows)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return {
        name: _best(np.concatenate(values)[order], np.concatenate(windows)[order], np.concatenate(scores)[order], *weights)
        for name, weights in PROFILES.items()
    }


def _best(
    values: NDArray[np.float64], windows: NDArray[np.int64], scores: NDArray[np.float64], false_alarm: float, miss: float
) -> float:
    """The best normalised score of rows in falling order of their scores."""
    counted = np.unique(windows[windows >= 0])
    parts = dict.fromkeys(counted.tolist(), -miss)
    nothing = -miss * len(counted)
    total, best = nothing, nothing
    for i, (value, window) in enumerate(zip(values.tolist(), windows.tolist(), strict=True)):
        if window < 0:
            total += value * false_alarm
        elif value > parts[window]:
            total += value - parts[window]
            parts[window] = value
        if i + 1 == len(scores) or scores[i + 1] != scores[i]:
            best = max(best, total)
    return 100 * (best - nothing) / (len(counted) - nothing)
