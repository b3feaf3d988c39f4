"""From rows to lives: the age that each unit has reached, and whether it ended there or still runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EARLY_SHARE = 0.05  # a counter that starts at 0 or 1, or at most this share of a usual life after 0, counts the age itself


@dataclass(frozen=True, slots=True)
class Lives:
    """One entry a unit, arrays (n_units,), in the order of `codes`.

    `ages` are in the unit of the clock; `failed` False: the unit still runs at that age (right-censored). `last_row` is the
    row at which the life stands, the row of the failure or the last one. `from_counter` says what ages count from: the zero
    of the counter, or the unit's first row. `n_after` units have rows after their failure, which are not looked at.
    `n_late` units appear late by the counter: their early life was not seen.
    """

    ages: NDArray[np.float64]
    failed: NDArray[np.bool_]
    last_row: NDArray[np.int64]
    from_counter: bool
    n_after: int = 0
    n_late: int = 0

    @property
    def n_failed(self) -> int:
        return int(np.count_nonzero(self.failed))

    @property
    def n_running(self) -> int:
        return len(self.failed) - self.n_failed


def lives_of_units(
    codes: NDArray[np.int64],
    clock: NDArray[np.float64],
    failure: NDArray[np.bool_] | None,
    *,
    from_counter: bool | None = None,
) -> Lives:
    """The life of each unit.

    Args:
        codes: (n_rows,) number of the unit, 0 … n_units-1, each with at least one row.
        clock: (n_rows,) counter or time of each row, NaN where empty; rows may be in any order.
        failure: (n_rows,) whether a row says that its unit has failed; a life ends at the first such row. None: every
            unit ends in a failure at its last row.
        from_counter: Ages are the counter's value (True) or count from the unit's first row (False). None: the counter's
            value where it starts near 0 for most units.

    Degenerate cases: a unit without any time has age NaN; no unit: empty arrays. A negative counter counts from the
    first row. A unit of one row has the age 0 when ages count from the first row.
    """
    n = int(codes.max()) + 1 if codes.size else 0
    known = np.isfinite(clock)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, codes[known], clock[known])
    np.maximum.at(last, codes[known], clock[known])
    has_failed = np.ones(n, dtype=bool)
    end = last.copy()
    if failure is not None:
        ended = known & failure
        failed_at = np.full(n, np.inf)
        np.minimum.at(failed_at, codes[ended], clock[ended])
        has_failed = np.isfinite(failed_at)
        end = np.where(has_failed, failed_at, last)
    seen = np.isfinite(first)
    early = max(1.0, EARLY_SHARE * float(np.median(end[seen]))) if seen.any() else 0.0
    if from_counter is None:
        from_counter = bool(seen.any() and first[seen].min() >= 0 and np.median(first[seen]) <= early)
    ages = np.where(seen, end if from_counter else end - np.where(seen, first, 0.0), np.nan)
    late = seen & (first > early) & from_counter
    return Lives(
        ages=ages,
        failed=has_failed & seen,
        last_row=_rows_at(codes, clock, end),
        from_counter=from_counter,
        n_after=int(np.count_nonzero(seen & has_failed & (last > end))),
        n_late=int(np.count_nonzero(late)),
    )


def _rows_at(codes: NDArray[np.int64], clock: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.int64]:
    """The last row in the file of each unit at its end; -1 where a unit has no time."""
    rows = np.full(len(end), -1, dtype=np.int64)
    at_end = np.flatnonzero(clock == end[codes]) if codes.size else np.zeros(0, dtype=np.int64)
    np.maximum.at(rows, codes[at_end], at_end)
    return rows
