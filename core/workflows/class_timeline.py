"""The probability of the class to catch over time, with what is flagged at a limit and how many alarms that makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation import predict_classes
from core.workflows.class_rows import class_rows, class_rule
from core.workflows.results import Results


@dataclass(frozen=True, slots=True)
class ClassTimeline:
    """Scored rows of a part in group and time order, all (n,). `limit` is None where the most probable class is called.

    `alarms` counts stretches of flagged rows that follow each other within a group.
    """

    rows: NDArray[np.int64]
    times: NDArray
    chance: NDArray[np.float64]
    flags: NDArray[np.bool_]
    is_bad: NDArray[np.bool_]
    limit: float | None
    alarms: int


def class_timeline(results: Results, part: str, positive: str | None = None, threshold: float | None = None) -> ClassTimeline:
    """Probabilities in order, with flags at a limit; None for each choice means the run's own.

    Raises:
        SettingProblem: the run predicts no class, or there is no such class or part.
    """
    rule = class_rule(results.manifest, positive, threshold)
    given = class_rows(results, part, rule.positive)
    found = results.in_order(given.rows)
    order, rows = found.order, found.rows
    flags = predict_classes(given.probabilities[order], rule.place, rule.threshold) == given.place
    begins = flags & (found.begins | ~np.r_[False, flags[:-1]]) if len(rows) else flags
    return ClassTimeline(
        rows=rows,
        times=results.positions(rows),
        chance=given.chance[order],
        flags=flags,
        is_bad=given.is_bad[order],
        limit=None if rule.place is None else rule.threshold,
        alarms=int(begins.sum()),
    )
