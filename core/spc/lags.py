"""Correlation of two series at a distance: by how many rows one follows the other, and how much of that chance would give.

Neighbouring values of a sensor are alike, so that a thousand rows may be worth as much as thirty independent ones; the band counts them so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.features.season import autocorrelation
from core.messages import Message, msg
from core.spc.chart import Floats, finite
from core.spc.dependence import is_flat, pearson_r
from core.spc.individuals import NotDefined

CONFIDENCE = 0.95
FEWEST_ROWS = 30
WANDERING = 0.95
_MOST_OF_BAND = 2000


@dataclass(frozen=True, slots=True)
class LaggedCorrelation:
    """Correlations at 2L + 1 lags.

    `lags` (2L + 1,) from −L to L in rows: at a positive lag the second series follows the first one by so many rows. `r` likewise, NaN where
    fewer than 30 rows have a partner. `band`: in 95 of 100 pairs of unrelated series with this autocorrelation no lag leaves ±`band`. `best` is
    the lag of the largest |r|. `n` rows, worth `n_effective` independent ones.
    """

    lags: NDArray[np.int64]
    r: Floats
    band: float
    best: int
    n: int
    n_effective: float
    notes: tuple[Message, ...]

    def __post_init__(self) -> None:
        self.lags.flags.writeable = False
        self.r.flags.writeable = False

    @property
    def r_best(self) -> float:
        return float(self.r[self.best + len(self.lags) // 2])

    @property
    def is_clear(self) -> bool:
        """Whether the largest |r| lies outside the band."""
        return bool(abs(self.r_best) > self.band)


def lagged_correlation(
    x: ArrayLike,
    y: ArrayLike,
    most_lag: int,
    *,
    stretches: Sequence[slice] | None = None,
    changes: bool = False,
    confidence: float = CONFIDENCE,
) -> LaggedCorrelation | NotDefined:
    """Pearson's r of x_t and y_{t+k} for k from −L to L, over rows where both are there.

    Effective rows: n / (1 + 2 Σ_j (1 − j/n) ρ_x(j) ρ_y(j)), between 3 and n, j up to n/5. Band: Φ⁻¹(1 − (1 − c) / (2 (2L + 1))) / √n_effective, so
    that it holds for all lags at once (Bonferroni).

    Args:
        x, y: (n,) in order, NaN where empty.
        most_lag: L, rows.
        stretches: Parts whose rows follow each other, such as machines; pairs do not cross from one to the next. None: all rows are one.
        changes: Correlate the changes from row to row instead of the levels, for series that wander.
        confidence: Of the band, for all lags together.

    Degenerate cases: fewer than 30 common rows, or a series that does not vary: `NotDefined`. Of equal |r| the lag nearest 0 is the best.

    Raises:
        ValueError: series of different lengths, or a lag below 0.

    Source: Bartlett, Journal of the Royal Statistical Society 98 (1935) 536-543; Pyper and Peterman, Canadian Journal of Fisheries and Aquatic
    Sciences 55 (1998) 2127-2140, eq. 1 and the limit n/5.
    """
    from scipy.special import ndtri

    a, b = finite(x), finite(y)
    if a.shape != b.shape:
        raise ValueError(f"series of {len(a)} and {len(b)} rows; expected the same number")
    if most_lag < 0:
        raise ValueError(f"the largest lag is {most_lag}; expected 0 or more")
    parts = [slice(0, len(a))] if stretches is None else list(stretches)
    if changes:
        a, b = _changes(a, parts), _changes(b, parts)
    both = np.isfinite(a) & np.isfinite(b)
    n = int(both.sum())
    if n < FEWEST_ROWS:
        return NotDefined(msg("{n} or more rows with both values are needed, and there are {m}", n=FEWEST_ROWS, m=n))
    if is_flat(a[both]) or is_flat(b[both]):
        return NotDefined(msg("a series that does not vary is correlated with nothing"))
    lags = np.arange(-most_lag, most_lag + 1)
    r = np.array([_at(a, b, int(k), parts) for k in lags])
    if not np.isfinite(r).any():
        return NotDefined(msg("no lag has {n} rows with both values", n=FEWEST_ROWS))
    best = int(min(lags[np.isfinite(r)], key=lambda k: (-round(abs(float(r[k + most_lag])), 12), abs(int(k)), int(k))))
    worth, near = _effective(a, b, n, parts)
    band = float(ndtri(1 - (1 - confidence) / (2 * len(lags)))) / float(np.sqrt(worth))
    return LaggedCorrelation(lags, r, min(band, 1.0), best, n, worth, _notes(near, changes, best, most_lag))


def _changes(x: Floats, parts: Sequence[slice]) -> Floats:
    """x_t − x_{t−1}, NaN at the first row of each part."""
    found = np.full(len(x), np.nan)
    for part in parts:
        found[part][1:] = np.diff(x[part])
    return found


def _at(a: Floats, b: Floats, k: int, parts: Sequence[slice]) -> float:
    """r of a_t and b_{t+k}; NaN for too few rows or where one does not vary on them."""
    ones, others = [], []
    for part in parts:
        one, other = a[part], b[part]
        size = len(one) - abs(k)
        if size > 0:
            ones.append(one[:size] if k >= 0 else one[-k:])
            others.append(other[k:] if k >= 0 else other[:size])
    if not ones:
        return np.nan
    u, v = np.concatenate(ones), np.concatenate(others)
    both = np.isfinite(u) & np.isfinite(v)
    if both.sum() < FEWEST_ROWS:
        return np.nan
    u, v = u[both], v[both]
    return np.nan if is_flat(u) or is_flat(v) else pearson_r(u, v)


def _effective(a: Floats, b: Floats, n: int, parts: Sequence[slice]) -> tuple[float, tuple[float, float]]:
    """Effective rows, and the autocorrelation of each series at lag 1. An empty cell counts as the mean there."""
    most = max(1, min(n // 5, _MOST_OF_BAND))
    found = []
    for x in (a, b):
        filled = np.where(np.isfinite(x), x, np.nanmean(x))
        found.append(np.nan_to_num(autocorrelation([filled[part] for part in parts], most)))
    j = np.arange(1, most + 1)
    inflation = 1 + 2 * float(((1 - j / n) * found[0][1:] * found[1][1:]).sum())
    worth = n / inflation if inflation > 0 else float(n)
    return float(np.clip(worth, 3, n)), (float(found[0][1]), float(found[1][1]))


def _notes(near: tuple[float, float], changes: bool, best: int, most_lag: int) -> tuple[Message, ...]:
    notes = []
    if min(near) > WANDERING and not changes:
        notes.append(
            msg("both series wander slowly, and such series look related by chance: look at their changes from row to row too")
        )
    if most_lag and abs(best) == most_lag:
        notes.append(msg("the largest correlation lies at the last lag looked at: look further"))
    return tuple(notes)
