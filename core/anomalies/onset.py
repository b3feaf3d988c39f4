"""When an event began: the change point before its first flag, by likelihood, within a bounded look-back.

A flag comes late: a window has to fill, a drift has to grow. Behind the first flag f lies a look-back of L rows, and behind that a
reference of rows that were normal. Each place t from f − L on is tried as the beginning of a step or of a ramp: w is 0 before t and
1, or 1, 2, 3 …, from t on. T² = (Σ (w − w̄) z)² / Σ (w − w̄)², over the reference and all rows after it, is twice the logarithm of the
likelihood ratio against no change, z being deviations from the mean of the reference in its standard deviations. The largest T² is
the onset. Where neighbours hang together, T² is smaller by (1 − r) / (1 + r).

Source: likelihood of a change with a known state before it: Hinkley, "Inference about the change-point in a sequence of random
variables", Biometrika 57 (1970) 1-17; the bar, 3 ln N: Zhang & Siegmund, Biometrics 63 (2007) 22-32, eq. 7; the rows that are
also plausible: Siegmund, "Confidence sets in change-point problems", International Statistical Review 56 (1988) 31-48.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.changes import PENALTY, neighbour_correlation
from core.spc.chart import Floats, finite

Shape = Literal["step", "ramp"]
LOOK_BACK = 100
"""Rows before the first flag in which a beginning is looked for, unless the caller knows better."""
SHAPES: tuple[Shape, ...] = get_args(Shape)
REFERENCE = 200
"""Rows before the look-back that say what was normal."""
FEWEST_REFERENCE = 20
LONGEST = 2000
"""Rows of an event that are looked at; where it began is settled in its first rows."""
PLAUSIBLE = 7.35
"""−2 ln(1 − √0.95): how far T² of a place may lie below the largest for the place to be plausible with 95 %."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Where a series left what was normal for it: `at`, a place in the series, with the places `low` to `high` that are plausible too.

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
) -> Onset | NoOnset:
    """Where a series changed, at or before a place.

    Args:
        values: (n,) in order, of one group, NaN where empty; empty ones are passed over.
        first_flag, last_flag: Places of the event's first and last flagged row.
        look_back: Rows before the first flag in which it may have begun; fewer where the series begins later.
        reference: Rows before those that are taken as normal.
        until: The last place that may be the beginning; the first flag by default. The event's last row for a sensor that may follow others.
        is_normal: (n,) False for rows that must not count as reference, such as those of an earlier event.

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
    tried = [(shape, *_statistics(z[:end], min(len(places), end), len(before))[shape]) for end in ends for shape in SHAPES]
    shape, statistic, sizes = max(tried, key=lambda one: float(one[1].max()))
    statistic = statistic * (1 - r) / (1 + r)
    at = int(np.argmax(statistic))
    if statistic[at] <= PENALTY * np.log(max(len(SHAPES) * len(ends) * len(places), 3)):
        return NoOnset(msg("no change stands out from the rows before"))
    near = np.flatnonzero(statistic >= statistic[at] - PLAUSIBLE)
    return Onset(
        at=int(places[at]),
        low=int(places[near[0]]),
        high=int(places[near[-1]]),
        shape=shape,
        size=float(sizes[at]),
        statistic=float(statistic[at]),
        is_bounded=at > 0 or start == 0,
    )


def _ends(known: NDArray[np.int64], first_flag: int) -> list[int]:
    """How many of the known rows are looked at: to the first flag, 1, 3, 7 … rows beyond it, and to the end.

    What has ended before the last flag, as a short disturbance does within a window, would drown in the rows after it.
    """
    begun = max(int(np.searchsorted(known, first_flag, side="right")), 1)
    further = [begun + 2**k - 1 for k in range(16)]
    return [end for end in further if end < len(known)] + [len(known)]


def _statistics(z: Floats, n_places: int, m: int) -> dict[Shape, tuple[Floats, Floats]]:
    """T² of a step and of a ramp from each of the first places to the end of z (k,), and how far it had come at the end.

    The m rows of the reference stand before them with a sum of 0, as they are measured from their own mean.
    """
    n = np.arange(len(z), 0, -1, dtype=np.float64)[:n_places]  # rows from each place to the end
    tail = np.cumsum(z[::-1])[::-1]
    ramp = np.cumsum(tail[::-1])[::-1][:n_places]  # Σ (i − t + 1) z_i = sum of the tails from t on
    tail = tail[:n_places]
    squares = n * (n + 1) * (2 * n + 1) / 6
    lengths = n * (n + 1) / 2
    rows, total = m + len(z), float(z.sum())

    def fitted(weighted: Floats, square: Floats, length: Floats) -> tuple[Floats, Floats]:
        across = weighted - length * total / rows
        spread = np.maximum(square - length**2 / rows, 1e-12)
        return across**2 / spread, across / spread

    step, slope = fitted(tail, n, n), fitted(ramp, squares, lengths)
    return {"step": step, "ramp": (slope[0], slope[1] * n)}


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
