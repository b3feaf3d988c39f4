"""Which sensor of an event changed first, and by how many rows others follow it.

Two ways to see it, because they see different things. The onsets: where each sensor left what was normal for it, which a single
lasting change shows. The correlation at a distance: by how many rows one series follows the other wherever they move together,
before the event too; its lag has an interval from a moving-block bootstrap, in which whole stretches of rows are drawn again.

Source: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics 17 (1989) 1217-1241.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.anomalies.onset import NoOnset, Onset
from core.spc.chart import Floats, finite
from core.spc.individuals import NotDefined
from core.spc.lags import FEWEST_ROWS, lagged_correlation

MOST_LAG = 30
DRAWS, SEED = 400, 7
BLOCKS = 12
"""Stretches that the rows are cut into at the least, where they are long enough."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How a sensor follows another one where they move together: `r` at the lag, positive `rows` = it comes later.

    `low` and `high` hold the lag in 95 of 100 draws. `is_clear`: the correlation is more than chance would give between unrelated series.
    """

    rows: int
    low: int
    high: int
    r: float
    is_clear: bool

    @property
    def differs(self) -> bool:
        """Whether one clearly follows the other: a clear correlation, at a lag whose interval leaves 0 out."""
        return self.is_clear and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Follower:
    """A sensor of an event beside the one that changed first.

    `onset` is its own, None where it cannot be told. `after` are the rows from the leader's onset to its own, and `is_later` says
    whether the rows that are plausible for the two onsets do not overlap. `lag` is None where it is not defined.
    """

    column: str
    onset: Onset | None
    after: int | None
    is_later: bool
    lag: Lag | None


def lead_lag(
    series: Mapping[str, Floats], onsets: Mapping[str, Onset | NoOnset], *, most_lag: int = MOST_LAG
) -> tuple[Follower, ...]:
    """An event's sensors in the order in which they changed, the first one being the leader; those without an onset come last.

    Args:
        series: (n,) values of each sensor around the event, in the order of their parts in it.
        onsets: What `find_onset` says of each, as places in those values.
        most_lag: The farthest that a sensor may follow another, rows.

    Degenerate cases: no sensor: nothing. No onset at all: the sensor with the largest part leads, and only the lags speak.
    """
    found = {name: o if isinstance(o, Onset) else None for name, o in onsets.items()}
    order = sorted(series, key=lambda name: o.at if (o := found.get(name)) is not None else np.inf)
    if not order:
        return ()
    first = found.get(order[0])
    made = []
    for name in order:
        own = found.get(name)
        both = own is not None and first is not None
        made.append(
            Follower(
                column=name,
                onset=own,
                after=own.at - first.at if own is not None and first is not None else None,
                is_later=both and own.low > first.high,  # type: ignore[union-attr]
                lag=None if name == order[0] else lag_between(series[order[0]], series[name], most_lag),
            )
        )
    return tuple(made)


def lag_between(x: ArrayLike, y: ArrayLike, most_lag: int = MOST_LAG) -> Lag | None:
    """By how many rows y follows x, with an interval; None where a correlation is not defined.

    Of the lags the one with the largest |r| counts, and of equal ones the one nearest 0. The interval: rows are cut into stretches as
    long as the largest lag, at least 12 of them where there are rows enough, and drawn again 400 times, seeded.

    Degenerate cases: fewer than 30 rows with both values, or a series that does not vary: None.

    Example:
        >>> t = np.random.default_rng(0).normal(size=300)
        >>> lag_between(t[5:], t[:-5], 10).rows
        5
    """
    a, b = finite(x), finite(y)
    most = min(most_lag, len(a) // 6)
    found = lagged_correlation(a, b, most)
    if isinstance(found, NotDefined):
        return None
    drawn = _drawn_lags(a, b, most)
    low, high = (
        (int(np.floor(np.quantile(drawn, 0.025))), int(np.ceil(np.quantile(drawn, 0.975)))) if len(drawn) else (-most, most)
    )
    return Lag(found.best, min(low, found.best), max(high, found.best), found.r_best, found.is_clear)


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
    # A product by BLAS would wait for threads that other work holds: these are a million multiplications.
    n, sx, sy, sxx, syy, sxy = (np.einsum("db,bl->dl", counts, cells) for cells in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))
    size = np.where(np.isfinite(r), np.abs(r), -1.0).round(12)
    nearest = np.argsort(np.abs(lags), kind="stable")  # of equal ones the one nearest 0
    return lags[nearest[np.argmax(size[:, nearest], axis=1)]]
