"""Flags joined into events, ranked by severity.

Rule of joining: two flagged rows of the same group belong to one event when at most `join_gap_rows` rows that are
not flagged lie between them, counted in order of time within the group, whatever the order of the file (newest first,
several machines in turn). Rows that could not be scored count as not flagged.
With windows of w rows, w is a good gap: two windows that share a row are not two things to review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.records import AnomalyEvent, SensorShare
from core.anomalies.thresholds import Threshold

EVENTS_AT_ONCE = 200


class Contributions(Protocol):
    """Parts of f sensors in the scores of some positions (m,): (m, f)."""

    def __getitem__(self, positions: NDArray[np.int64], /) -> NDArray[np.floating[Any]]: ...


def make_events(
    scores: NDArray[np.floating[Any]],
    threshold: Threshold | float,
    rows: NDArray[np.integer[Any]],
    *,
    times: Sequence[Any] | NDArray[Any] | None = None,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    contributions: Contributions | None = None,
    names: Sequence[str] = (),
    join_gap_rows: int = 0,
) -> tuple[AnomalyEvent, ...]:
    """The events of scored rows, most severe first; ties keep the order of the rows.

    Args:
        scores: (n,) of all rows, those of a group together and in order of time; NaN where a row could not be scored.
        threshold: A row is flagged when score > threshold.
        rows: Dataset row number of each score, (n,), in any order.
        times: Time of each row (n,); without it events begin and end at row numbers.
        groups: Lot, unit or serial of each row (n,); an event never spans two.
        contributions: (n, f), or what gives (m, f) for m positions, never negative; fills each event's sensors with their shares.
        names: The f sensor names, in the order of `contributions`.
        join_gap_rows: Rows without a flag that may lie inside an event.

    Returns:
        One event for each run of flags. Sensors hold shares only; `core.explain` adds deviations and bands.
    """
    values = np.asarray(scores, np.float64)
    limit = threshold.value if isinstance(threshold, Threshold) else float(threshold)
    flagged = np.flatnonzero(np.nan_to_num(values, nan=-np.inf) > limit)
    if not len(flagged):
        return ()
    numbers = np.asarray(rows, np.int64)
    codes = np.zeros(len(values), np.int64) if groups is None else pd.factorize(np.asarray(groups, object))[0]
    breaks = (np.diff(flagged) - 1 > join_gap_rows) | (np.diff(codes[flagged]) != 0)
    runs = np.split(flagged, np.flatnonzero(breaks) + 1)
    shares = [()] * len(runs) if contributions is None else _shares_of(contributions, runs, names)
    found = []
    for run, sensors in zip(runs, shares, strict=True):
        event = _event(run, values, limit, numbers, times)
        found.append(replace(event, sensors=sensors, group="" if groups is None else str(groups[int(run[0])])))
    ranked = sorted(found, key=lambda event: (-event.peak, event.first_row))
    return tuple(replace(event, number=i) for i, event in enumerate(ranked, start=1))


def sensor_shares(contributions: NDArray[np.floating[Any]], names: Sequence[str]) -> tuple[SensorShare, ...]:
    """Shares of f sensors over the m rows of an event, (m, f) → largest first, summing to 1.

    Each row is first divided by its own sum, so that one enormous row does not speak for the whole event. Where no
    row has a contribution there is nothing to share out, and the result is empty.
    """
    parts = np.array(contributions, np.float64)
    parts[np.isnan(parts)] = 0.0
    totals = parts.sum(axis=1)
    known = totals > 0
    if not known.any():
        return ()
    shares = (1 / totals[known]) @ parts[known]
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    return tuple(SensorShare(names[i], share) for i, share in zip(order.tolist(), shares[order].tolist(), strict=True))


def _shares_of(
    contributions: Contributions, runs: Sequence[NDArray[np.int64]], names: Sequence[str]
) -> list[tuple[SensorShare, ...]]:
    """`sensor_shares` of each run of positions, the rows of some hundred events in one reading."""
    found: list[tuple[SensorShare, ...]] = []
    for start in range(0, len(runs), EVENTS_AT_ONCE):
        some = runs[start : start + EVENTS_AT_ONCE]
        ends = np.cumsum([len(run) for run in some])
        parts = contributions[np.concatenate(some)]
        found += [sensor_shares(parts[end - len(run) : end], names) for run, end in zip(some, ends, strict=True)]
    return found


def _event(
    run: NDArray[np.int64],
    scores: NDArray[np.float64],
    limit: float,
    rows: NDArray[np.int64],
    times: Sequence[Any] | NDArray[Any] | None,
) -> AnomalyEvent:
    """One event of the flagged positions `run`; its number is given when all are ranked."""
    first, last = int(run[0]), int(run[-1])
    at = int(run[np.argmax(scores[run])])
    peak = float(scores[at])
    return AnomalyEvent(
        number=0,
        first_row=int(rows[run].min()),
        last_row=int(rows[run].max()),
        peak_row=int(rows[at]),
        began=_moment(times, rows, first),
        ended=_moment(times, rows, last),
        n_rows=len(run),
        peak=peak,
        severity=peak / limit if limit > 0 else None,
        began_row=int(rows[first]),
    )


def _moment(times: Sequence[Any] | NDArray[Any] | None, rows: NDArray[np.int64], at: int) -> pd.Timestamp | float | int:
    """The time of a row, or its number where the table has no time or the cell is empty."""
    if times is None:
        return int(rows[at])
    value = times.iloc[at] if isinstance(times, pd.Series) else times[at]
    if pd.isna(value):
        return int(rows[at])
    if isinstance(value, np.datetime64 | pd.Timestamp):
        return pd.Timestamp(value)
    # Whole numbers are rows, floats a counter of the user's own: people count rows from 1, and a counter is shown as it is.
    return int(value) if isinstance(value, int | np.integer) else float(value)
