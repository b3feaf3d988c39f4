"""In which order the sensors of an event changed, and by how many rows each follows the one that it is measured from.

Every sensor has one lag, by one method, which is said. Where both sensors have an onset, the place where each left what was normal
for it, the lag is the difference of the two onsets; its interval reaches from the earliest plausible onset of the one to the latest of
the other. Where one of them has no onset, it is the distance in rows at which both series are correlated most, with an interval by a
moving-block bootstrap, in which whole stretches of rows are drawn again. A lag at the edge of the search is none, nor is that of series
that are related no more than chance gives: series that repeat themselves always are related at some distance.

With m sensors each interval has a confidence of 1 − 0.05 / m (Bonferroni), so that in 95 of 100 events all of them hold, whichever
sensor the others are measured from; an order is said only where an interval leaves 0 out.

Source: onsets: `core.anomalies.onset`; blocks: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of
Statistics 17 (1989) 1217-1241.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.anomalies.onset import NoOnset, Onset
from core.messages import Message, msg
from core.spc.chart import Floats, finite
from core.spc.individuals import NotDefined
from core.spc.lags import FEWEST_ROWS, lagged_correlation

MOST_LAG = 30
CONFIDENCE = 0.95
DRAWS, SEED = 1000, 7
BLOCKS = 12
"""Stretches that the rows are cut into at the least, where they are long enough."""
By = Literal["onsets", "correlation"]


@dataclass(frozen=True, slots=True)
class Lag:
    """By how many rows a sensor follows another one, with an interval; positive `rows` = it comes later.

    `by` says how it was found; `r` is the correlation at the lag, None by onsets.
    """

    rows: int
    low: int
    high: int
    by: By
    r: float | None = None

    @property
    def differs(self) -> bool:
        """Whether one clearly follows the other: the interval leaves 0 out."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class NoLag:
    """Why there is no lag."""

    why: Message


@dataclass(frozen=True, slots=True)
class Follower:
    """A sensor of an event. `onset` is its own, None where it cannot be told; `lag` is how it follows the reference, None for itself."""

    column: str
    onset: Onset | None
    lag: Lag | NoLag | None

    @property
    def span(self) -> tuple[int, int] | None:
        """The lags that are plausible, rows; None where there is none."""
        return (0, 0) if self.lag is None else (self.lag.low, self.lag.high) if isinstance(self.lag, Lag) else None


@dataclass(frozen=True, slots=True)
class LeadLag:
    """The sensors of an event in the order of their lags to `reference`; those without one come last.

    `reference` has the earliest onset, else the largest part; None without a sensor. `confidence` is that of each interval, `most_lag` the
    farthest that a correlation was looked for, rows.
    """

    reference: str | None = None
    followers: tuple[Follower, ...] = ()
    confidence: float = CONFIDENCE
    most_lag: int = MOST_LAG

    @property
    def first(self) -> str | None:
        """The sensor whose plausible lags all lie before those of every other one that has any; None where no order is clear.

        None too where a sensor differed already at the first row looked at: it began there or before, and no other one before it for sure.
        """
        if any(f.onset is not None and not f.onset.is_bounded for f in self.followers):
            return None
        known = [(f.span, f.column) for f in self.followers if f.span is not None]
        if len(known) < 2:
            return None
        (earliest, name), *others = sorted(known, key=lambda one: one[0][1])
        return name if all(earliest[1] < low for (low, _), _ in others) else None


def confidence_of(n_sensors: int) -> float:
    """What each interval needs so that those of so many sensors hold together: 1 − 0.05 / m (Bonferroni)."""
    return 1 - (1 - CONFIDENCE) / max(1, n_sensors)


def lead_lag(series: Mapping[str, Floats], onsets: Mapping[str, Onset | NoOnset], *, most_lag: int = MOST_LAG) -> LeadLag:
    """The order in which an event's sensors changed.

    Args:
        series: (n,) values of each sensor around the event, in the order of their parts in it.
        onsets: What `find_onset` says of each at the confidence of `confidence_of`, as places in those values.
        most_lag: The farthest that a correlation is looked for, rows.

    Degenerate cases: no sensor: nothing. No onset at all: lags are measured from the sensor with the largest part, by correlation.
    """
    if not series:
        return LeadLag()
    found = {name: o if isinstance(o := onsets.get(name), Onset) else None for name in series}
    # What differed already at the first row looked at began there or before: it has no place to measure from.
    placed = {name: o for name, o in found.items() if o is not None and o.is_bounded}
    reference = min(series, key=lambda name: placed[name].at if name in placed else np.inf)
    confidence = confidence_of(len(series))
    made = []
    for name, values in series.items():
        lag: Lag | NoLag | None = None
        if name != reference:
            if name in placed and reference in placed:
                lag = _between_onsets(placed[reference], placed[name])
            else:
                lag = lag_between(series[reference], values, most_lag, confidence=confidence)
        made.append(Follower(name, found[name], lag))

    def place(one: Follower) -> float:
        return 0.0 if one.lag is None else one.lag.rows if isinstance(one.lag, Lag) else np.inf

    return LeadLag(reference, tuple(sorted(made, key=place)), confidence, most_lag)


def _between_onsets(first: Onset, other: Onset) -> Lag:
    return Lag(other.at - first.at, other.low - first.high, other.high - first.low, "onsets")


def lag_between(x: ArrayLike, y: ArrayLike, most_lag: int = MOST_LAG, *, confidence: float = CONFIDENCE) -> Lag | NoLag:
    """By how many rows y follows x where both move together, with an interval; or why that cannot be told.

    Of the lags the one with the largest |r| counts, and of equal ones the one nearest 0. The interval: rows are cut into stretches as
    long as the largest lag, at least 12 of them where there are rows enough, and drawn again 1,000 times, seeded.

    Degenerate cases: fewer than 30 rows with both values, a series that does not vary, a correlation that chance would give too, a lag or
    an interval that reaches the edge of the search: `NoLag`.

    Example:
        >>> t = np.random.default_rng(0).normal(size=300)
        >>> lag_between(t[5:], t[:-5], 10).rows
        5
    """
    a, b = finite(x), finite(y)
    most = min(most_lag, len(a) // 6)
    found = lagged_correlation(a, b, most, confidence=confidence)
    if isinstance(found, NotDefined):
        return NoLag(found.reason)
    if not found.is_clear:
        return NoLag(msg("related no more than by chance"))
    best = _drawn_lags(a, b, most)
    if not len(best):
        return NoLag(msg("not found within ±{n} rows", n=most))
    outside = (1 - confidence) / 2
    low = min(int(np.floor(np.quantile(best, outside))), found.best)
    high = max(int(np.ceil(np.quantile(best, 1 - outside))), found.best)
    if low <= -most or high >= most:
        return NoLag(msg("not found within ±{n} rows", n=most))
    return Lag(found.best, low, high, "correlation", found.r_best)


def _drawn_lags(a: Floats, b: Floats, most: int) -> NDArray[np.int64]:
    """The best lag of each draw of stretches, (draws,): sums of a stretch are made once, and a draw adds them up."""
    lags = np.arange(-most, most + 1)
    inside = np.arange(most, len(a) - most)
    if len(inside) < FEWEST_ROWS:
        return np.zeros(0, np.int64)
    a, b = a - np.nanmean(a), b - np.nanmean(b)
    other = b[inside[:, None] + lags]
    one = np.broadcast_to(a[inside][:, None], other.shape)
    known = np.isfinite(one) & np.isfinite(other)
    one, other = np.where(known, one, 0.0), np.where(known, other, 0.0)
    block = max(1, min(max(most, 5), len(inside) // BLOCKS))
    edges = np.arange(max(1, len(inside) // block)) * block
    sums = [np.add.reduceat(cells, edges, axis=0) for cells in (known * 1.0, one, other, one**2, other**2, one * other)]
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(len(edges), np.full(len(edges), 1 / len(edges)), size=DRAWS).astype(float)
    # A product by BLAS would wait for threads that other work holds: these are a few million multiplications.
    n, sx, sy, sxx, syy, sxy = (np.einsum("db,bl->dl", counts, cells) for cells in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))
    size = np.where(np.isfinite(r), np.abs(r), -1.0).round(12)
    nearest = np.argsort(np.abs(lags), kind="stable")  # of equal ones the one nearest 0
    return lags[nearest[np.argmax(size[:, nearest], axis=1)]]
