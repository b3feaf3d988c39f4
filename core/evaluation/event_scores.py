"""A detector judged by whole events as a shift meets them: caught or not, how late, and how many false events a shift and a day.

Nothing is point-adjusted: one flag within an event makes it caught, and says nothing of the event's other rows. A false event is a run of flags,
joined as the screen joins them, that touches no bad row at all.

Source: intervals of a rate from a count: Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936) 437-442.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.events import _group_ends, _runs
from core.messages import Message, msg

SHIFT_HOURS = 8.0
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class EventScores:
    """What a limit finds of the labelled events of some rows, and what it costs.

    `delay_rows` and `delay_seconds` are medians over the events caught, from an event's first row to its first flag; NaN where none was
    caught, or where rows have no clock. `n_false` events lie in `normal_seconds` of normal rows (NaN without a clock) or `normal_rows` of them;
    `low` and `high` bound their true number with 95 %.
    """

    n_events: int
    n_caught: int
    delay_rows: float
    delay_seconds: float
    n_false: int
    normal_rows: int
    normal_seconds: float
    low: float
    high: float
    shift_hours: float = SHIFT_HOURS

    def rate(self, hours: float, count: float | None = None) -> float:
        """False events in so many hours; NaN without a clock. `count`: another number than was seen, such as a bound."""
        counted = self.n_false if count is None else count
        return counted * hours * 3600 / self.normal_seconds if self.normal_seconds > 0 else math.nan

    @property
    def a_shift(self) -> float:
        return self.rate(self.shift_hours)

    @property
    def a_day(self) -> float:
        return self.rate(24.0)

    @property
    def why_no_rate(self) -> Message | None:
        """Why there are no false events a shift, None where there are."""
        if self.normal_seconds > 0:
            return None
        if not self.normal_rows:
            return msg("There is no normal row.")
        return msg("There is no time column, so that rows cannot be turned into shifts.")


def event_scores(
    truth: ArrayLike,
    flags: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    seconds: ArrayLike | None = None,
    join_gap_rows: int = 0,
    shift_hours: float = SHIFT_HOURS,
) -> EventScores | None:
    """The event scores of some rows; None where none of them is known.

    Args:
        truth: (n_rows,) in order of group and time, True or 1 for bad rows; NaN where unknown. An event is a run of bad rows.
        flags: (n_rows,) True or 1 where flagged; NaN where not scored. Rows with a NaN are left out.
        groups: (n_rows,) what follows one another, as the codes of machines whose rows stand together.
        seconds: (n_rows,) a clock in seconds, NaN where empty; None without one. Normal time is normal rows times the usual step.
        join_gap_rows: Rows without a flag that may lie inside one false event, as for `make_events`.

    Degenerate cases: no bad row: no event, and only false events are counted. No normal row: the other way round.
    """
    y, f = np.asarray(truth, dtype=np.float64), np.asarray(flags, dtype=np.float64)
    known = ~(np.isnan(y) | np.isnan(f))
    if not known.any():
        return None
    bad, flagged = y[known] > 0, f[known] > 0
    first = _group_ends(groups, known)[0]
    clock = None if seconds is None else np.asarray(seconds, dtype=np.float64)[known]
    starts, ends = _runs(bad, first)
    late = [
        int(start + np.argmax(flagged[start : end + 1]))
        for start, end in zip(starts, ends, strict=True)
        if flagged[start : end + 1].any()
    ]
    begun = [int(start) for start, end in zip(starts, ends, strict=True) if flagged[start : end + 1].any()]
    n_false = _false_events(bad, flagged, first, join_gap_rows)
    normal = int((~bad).sum())
    low, high = poisson_bounds(n_false)
    waited = np.array([]) if clock is None else clock[late] - clock[begun]
    return EventScores(
        n_events=len(starts),
        n_caught=len(late),
        delay_rows=float(np.median(np.array(late) - begun)) if late else math.nan,
        delay_seconds=float(np.median(waited)) if len(waited) and np.isfinite(waited).all() else math.nan,
        n_false=n_false,
        normal_rows=normal,
        normal_seconds=math.nan if clock is None else normal * _usual_step(clock, first),
        low=low,
        high=high,
        shift_hours=shift_hours,
    )


def poisson_bounds(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of the mean of a Poisson count: χ²(α/2; 2k) / 2 to χ²(1 − α/2; 2k + 2) / 2."""
    from scipy.special import chdtri

    tail = (1 - confidence) / 2
    return float(chdtri(2 * count, 1 - tail) / 2) if count else 0.0, float(chdtri(2 * count + 2, tail) / 2)


def _false_events(bad: NDArray[np.bool_], flagged: NDArray[np.bool_], first: NDArray[np.int64], join_gap_rows: int) -> int:
    """Runs of flags, joined over gaps, without a bad row between their first and last flag."""
    places = np.flatnonzero(flagged)
    if not len(places):
        return 0
    apart = (np.diff(places) - 1 > join_gap_rows) | (np.diff(first[places]) != 0)
    heads, tails = places[np.concatenate([[True], apart])], places[np.concatenate([apart, [True]])]
    total = np.concatenate([[0], np.cumsum(bad)])
    return int((total[tails + 1] == total[heads]).sum())


def _usual_step(clock: NDArray[np.float64], first: NDArray[np.int64]) -> float:
    """The median step of the clock between neighbours of a group; NaN without one."""
    steps = np.diff(clock)[np.diff(first) == 0]
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if len(steps) else math.nan
