"""Which sensors have to be repaired together to bring an event below its decision limit: the fewest that a greedy search finds.

A stop of several sensors is not undone by repairing one: the others still hold the score up, and what they "expect" of it is spoilt too.
So the set grows by the sensor that helps most, each time with the whole set holding what the sensors outside of it expect, and afterwards
gives back those that it does not need. One sensor is the best there is; a set of two or three is small, and a smaller or another one may
exist that a greedy search misses (Guyon & Elisseeff 2003, J. Mach. Learn. Res. 3, section 4.2: forward selection with backward steps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.anomalies.conditional import Conditional
from core.explain.columns import Floats, InputColumn, Predict, Windows
from core.explain.occlusion import repaired_together

MOST = 3


@dataclass(frozen=True, slots=True)
class RepairSet:
    """Sensors that are repaired together, the most helpful first, and the highest score of the windows before and after.

    `is_within` says that no window is above the limit any more. Empty where none is above it, or repairing lowers nothing.
    """

    columns: tuple[str, ...]
    before: float
    after: float
    is_within: bool


def smallest_repair(
    predict: Predict,
    windows: Windows,
    columns: Sequence[InputColumn],
    conditional: Conditional | None,
    limit: float,
    most: int = MOST,
) -> RepairSet:
    """The fewest of the columns, `most` at the utmost, whose repair brings all windows (n, rows, f) to the limit or below.

    Where no such set is found, the best one of `most` columns, or of fewer where a further one does not help.
    """
    scores = predict(windows) if len(windows) else np.zeros(0)
    before = float(np.max(scores, initial=-np.inf))
    if before <= limit:
        return RepairSet((), before, before, True)
    chosen: list[InputColumn] = []
    now = _worse(scores, limit)
    while len(chosen) < most and now[0] > 0:
        left = [c for c in columns if c not in chosen]
        tried = [(_worse(predict(repaired_together(windows, [*chosen, c], conditional)), limit), c) for c in left]
        best = min(tried, key=lambda one: one[0], default=None)
        if best is None or best[0] >= now:
            break
        now = best[0]
        chosen.append(best[1])
    for column in [c for c in chosen[:-1] if now[0] <= 0]:
        fewer = [c for c in chosen if c is not column]
        if _worse(predict(repaired_together(windows, fewer, conditional)), limit)[0] <= 0:
            chosen = fewer
    after = predict(repaired_together(windows, chosen, conditional)) if chosen else scores
    return RepairSet(tuple(c.name for c in chosen), before, float(np.max(after)), bool(np.max(after) <= limit))


def _worse(scores: Floats, limit: float) -> tuple[float, float]:
    """How far the windows are above the limit in the mean, then their mean score: less is better."""
    return float(np.maximum(scores - limit, 0).mean()), float(scores.mean())
