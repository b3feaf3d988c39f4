"""When an event began: the change point before its first flag, by likelihood, within a bounded look-back.

A flag comes late: a window has to fill, a drift has to grow. Behind the first flag f lies a look-back of L rows, and behind that a
reference of rows that were normal. Each place t from f − L on is tried as the beginning of a step, of a ramp, or of a ramp that comes to
rest after k rows: w is 0 before t and 1, 2, 3 … from t on, at most k (1 for a step). T² = (Σ (w − w̄) z)² / Σ (w − w̄)², over the
reference and all rows after it, is twice the logarithm of the likelihood ratio against no change, z being deviations from the mean of
the reference in its standard deviations. The largest T² is the onset, and a place is plausible by the shape that fits it best: a ramp that
was taken for a step would seem to begin late, and surely so. Where neighbours hang together by r, z and w are first freed of it, as in
generalised least squares: zᵢ − r zᵢ₋₁ over √(1 − r²). A slow change then counts (1 − r) / (1 + r) of what it would, a jump nearly all.

Source: likelihood of a change with a known state before it: Hinkley, "Inference about the change-point in a sequence of random
variables", Biometrika 57 (1970) 1-17; the bar, 3 ln N: Zhang & Siegmund, Biometrics 63 (2007) 22-32, eq. 7; the rows that are
also plausible: Siegmund, "Confidence sets in change-point problems", International Statistical Review 56 (1988) 31-48.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.changes import PENALTY, neighbour_correlation
from core.spc.chart import Floats, finite

Shape = Literal["step", "ramp"]
LOOK_BACK = 100
"""Rows before the first flag in which a beginning is looked for, unless the caller knows better."""
RISES = (1, 5, 10, 20, 50, 100, 10**6)
"""Rows in which a change comes to its height: a step in one, a ramp that never rests in more than are looked at."""
REFERENCE = 200
"""Rows before the look-back that say what was normal."""
FEWEST_REFERENCE = 20
LONGEST = 2000
"""Rows of an event that are looked at; where it began is settled in its first rows."""
CONFIDENCE = 0.95
CLEAR = 3.0
"""Times the bar from which T² is clear: the rows so far say which places are plausible."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Where a series left what was normal for it: `at`, a place in the series, with the places `low` to `high` that are plausible too, with 95 % by default.

    `size` is the step, or how far a ramp had come at the end, in standard deviations of the reference, signed. `is_bounded` is
    False where `at` is the first place looked at: then it began there or before.
    """

    at: int
    low: int
    high: int
    shape: Shape
    size: float
    statistic: float
    is_bounded: bool = True


@dataclass(frozen=True, slots=True)
class NoOnset:
    """Why the beginning cannot be told."""

    why: Message


def find_onset(
    values: ArrayLike,
    first_flag: int,
    last_flag: int,
    *,
    look_back: int = LOOK_BACK,
    reference: int = REFERENCE,
    until: int | None = None,
    is_normal: NDArray[np.bool_] | None = None,
    confidence: float = CONFIDENCE,
) -> Onset | NoOnset:
    """Where a series changed, at or before a place.

    Args:
        values: (n,) in order, of one group, NaN where empty; empty ones are passed over.
        first_flag, last_flag: Places of the event's first and last flagged row.
        look_back: Rows before the first flag in which it may have begun; fewer where the series begins later.
        reference: Rows before those that are taken as normal.
        until: The last place that may be the beginning; the first flag by default. The event's last row for a sensor that may follow others.
        is_normal: (n,) False for rows that must not count as reference, such as those of an earlier event.
        confidence: Of the places that are plausible too.

    Degenerate cases: fewer than 20 reference rows with a value, a reference that does not vary, or no change above the bar: `NoOnset`.

    Raises:
        ValueError: places that are not in order within the series.

    Example:
        >>> x = np.tile([0.0, 1.0], 60)
        >>> x[90:] += 5
        >>> find_onset(x, 95, 119, look_back=40).at
        90
    """
    x = finite(values)
    until = first_flag if until is None else until
    if not 0 <= first_flag <= last_flag < len(x) or until > last_flag:
        raise ValueError(f"first flag {first_flag}, last flag {last_flag}, until {until} in a series of {len(x)}")
    start, stop = max(0, first_flag - look_back), min(last_flag + 1, first_flag + LONGEST)
    start = max(start, min(FEWEST_REFERENCE, first_flag))  # the first rows of a short series have to stand for what is normal
    normal = np.isfinite(x) if is_normal is None else np.isfinite(x) & is_normal
    before = np.flatnonzero(normal[:start])[-reference:]
    if len(before) < FEWEST_REFERENCE:
        return NoOnset(
            msg(
                "{n} normal rows before the event are needed to tell when it began, and there are {m}",
                n=FEWEST_REFERENCE,
                m=len(before),
            )
        )
    level, spread = float(x[before].mean()), float(x[before].std(ddof=1))
    if not spread > 1e-12 * max(1.0, abs(level)):
        return NoOnset(msg("nothing varied before the event, so that any change would count"))
    known = np.flatnonzero(np.isfinite(x[start:stop])) + start
    places = known[known <= until]
    if not len(places):
        return NoOnset(msg("there is no value in the rows where it may have begun"))
    r = min(max(neighbour_correlation(x[before] - level), 0.0), 0.98)
    z, ends = (x[known] - level) / spread, _ends(known, first_flag)
    bar = PENALTY * np.log(max(len(RISES) * len(ends) * len(places), 3))

    def judged(end: int) -> tuple[Floats, Floats]:
        return _statistics(z[:end], min(len(places), end), len(before), r)

    i, (statistics, sizes) = _first_clear((judged(end) for end in ends), bar)
    statistic = statistics.max(axis=0)
    if statistic.max() <= bar:
        return NoOnset(msg("no change stands out from the rows before"))
    near = np.flatnonzero(statistic >= statistic.max() - _drop(confidence))
    likely = np.flatnonzero(statistic >= statistic.max() - _drop(CONFIDENCE))
    rise, at = _best(statistics)
    for end in ends[i + 2 :: 3]:  # further rows place it better, for as long as the change keeps to its shape
        further = judged(end)
        rise_then, then = _best(further[0])
        if not likely[0] <= then <= likely[-1]:
            break
        rise, at, sizes = rise_then, then, further[1]
    return Onset(
        at=int(places[at]),
        low=int(places[near[0]]),
        high=int(places[near[-1]]),
        shape="step" if RISES[rise] == 1 else "ramp",
        size=float(sizes[rise, at]),
        statistic=float(statistic.max()),
        is_bounded=at > 0 or start == 0,
    )


def _drop(confidence: float) -> float:
    """How far T² of a place may lie below the largest for the place to be plausible, −2 ln(1 − √c): 7.35 with 95 %."""
    return float(-2 * np.log(1 - np.sqrt(confidence)))


def _best(statistics: Floats) -> tuple[int, int]:
    """The rise and the place of the largest T²; a step or a ramp without rest where none of the others fits clearly better."""
    plain = statistics.copy()
    plain[1:-1] = -np.inf
    chosen = plain if plain.max() >= statistics.max() - _drop(CONFIDENCE) else statistics
    rise, at = np.unravel_index(int(np.argmax(chosen)), chosen.shape)
    return int(rise), int(at)


def _first_clear(tried: Iterable[tuple[Floats, Floats]], bar: float) -> tuple[int, tuple[Floats, Floats]]:
    """The number and the statistics of the first of some ends at which T² is clear; else of the one with the largest.

    No change keeps to its shape for long. With all its rows a fault that grows faster and faster would be a ramp that began late, and
    surely so: what it came to drowns how it began.
    """
    best, highest = (-1, (np.empty((0, 0)), np.empty((0, 0)))), -np.inf
    for i, one in enumerate(tried):
        if one[0].max() > highest:
            best, highest = (i, one), float(one[0].max())
        if highest > CLEAR * bar:
            break
    return best


def _ends(known: NDArray[np.int64], first_flag: int) -> list[int]:
    """How many of the known rows are looked at: to the first flag, further ones each a third farther beyond it, and to the end.

    What has ended before the last flag, as a short disturbance does within a window, would drown in the rows after it.
    """
    begun = max(int(np.searchsorted(known, first_flag, side="right")), 1)
    further = sorted({begun, begun + 1, *(begun + round(1.33**k) - 1 for k in range(1, 28))})
    return [end for end in further if end < len(known)] + [len(known)]


def _statistics(z: Floats, n_places: int, m: int, r: float) -> tuple[Floats, Floats]:
    """T² of each of `RISES` from each of the first places to the end of z (k,), (rises, places), and how far it had come at the end.

    Freed of the correlation r of neighbours, a weight is (1 − r) w + r Δw, with Δw = 1 while it rises and 0 afterwards. The m rows of
    the reference stand before them with a sum of 0, as they are measured from their own mean.
    """
    free = (z - r * np.r_[0.0, z[:-1]]) / np.sqrt(1 - r**2)
    n = np.arange(len(z), 0, -1, dtype=np.float64)[:n_places]  # rows from each place to the end
    tail = np.concatenate([np.cumsum(free[::-1])[::-1], [0.0]])
    ramp = np.concatenate([np.cumsum(tail[-2::-1])[::-1], [0.0]])  # Σ (i − t + 1) z_i = sum of the tails from t on
    rows, total, places = m + len(z), float(free.sum()), np.arange(n_places)
    found = np.empty((2, len(RISES), n_places))
    for i, rise in enumerate(RISES):
        k, rest = np.minimum(n, rise), np.minimum(places + rise, len(z))
        # Σ w z and Σ Δw z with w = min(i − t + 1, rise), then Σ w, Σ w², Σ w Δw = k (k + 1) / 2 and Σ Δw = Σ Δw² = k
        weighted = (1 - r) * (ramp[places] - ramp[rest]) + r * (tail[places] - tail[rest])
        half = k * (k + 1) / 2
        length = (1 - r) * (half + (n - k) * rise) + r * k
        square = (1 - r) ** 2 * (k * (k + 1) * (2 * k + 1) / 6 + (n - k) * float(rise) ** 2) + 2 * r * (1 - r) * half + r**2 * k
        across = weighted - length * total / rows
        spread = np.maximum(square - length**2 / rows, 1e-12)
        found[:, i] = across**2 / spread, across / spread * k * np.sqrt(1 - r**2)
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class EventOnset:
    """When an event began. `at` is a place in the order of the rows, None where it cannot be told, with the reason in `why_not`.

    `leading` is the column that changed first, None where it was the score. `rows_before_flag` is how long before the first flag.
    """

    at: int | None
    onset: Onset | None
    leading: str | None
    rows_before_flag: int
    why_not: Message | None = None


def event_onset(sensors: dict[str, Onset | NoOnset], score: Onset | NoOnset, first_flag: int) -> EventOnset:
    """The earliest beginning among an event's sensors; that of its score where none of them says.

    A beginning at the first row looked at is none: what differs from the reference there may have done so for long.

    Args:
        sensors: What `find_onset` found for each of the event's sensors, those with the largest parts; a beginning after the
            first flag does not count, for that sensor follows.
        score: The same for the score, whose windows smear a change.
    """
    found = {name: o for name, o in sensors.items() if isinstance(o, Onset) and o.at <= first_flag}
    bounded = {name: o for name, o in found.items() if o.is_bounded}
    if bounded:
        leading = min(bounded, key=lambda name: bounded[name].at)
        return EventOnset(bounded[leading].at, bounded[leading], leading, first_flag - bounded[leading].at)
    if isinstance(score, Onset) and score.is_bounded:
        return EventOnset(score.at, score, None, first_flag - score.at)
    before = [o.at for o in (*found.values(), score) if isinstance(o, Onset)]
    if before:
        return EventOnset(
            None,
            None,
            None,
            0,
            msg("it was different already {n} rows before the first flag: look back further", n=first_flag - min(before)),
        )
    return EventOnset(None, None, None, 0, score.why if isinstance(score, NoOnset) else None)
