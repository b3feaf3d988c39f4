"""Fewer points, same picture: at most `MAX_POINTS` a trace, extremes and gaps kept.

MinMaxLTTB (Van Der Donckt et al. 2023) from tsdownsample, on the filled cells only: its NaN variant answers a bucket
that holds one empty cell with that empty cell, so that a column with scattered empty cells would vanish. Gaps
that would be seen on a screen are put back as one empty cell each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tsdownsample import MinMaxLTTBDownsampler

MAX_POINTS = 5_000
_SMALLEST = 8


def downsample(values: ArrayLike, limit: int = MAX_POINTS) -> NDArray[np.int64]:
    """Positions to draw of a series (n,), ascending, at most `limit`.

    Up to `limit` rows all positions come back, empty cells included. Above, first and last filled cells, the
    extremes, and one empty cell for each gap of at least n / limit rows (the longest gaps first, a quarter of the
    limit at most). All cells empty: none comes back.
    """
    series = np.ascontiguousarray(values, dtype=np.float64)
    n = len(series)
    if n <= limit:
        return np.arange(n, dtype=np.int64)
    filled = np.flatnonzero(np.isfinite(series))
    if len(filled) == n:
        return _pick(series, None, limit)
    if not len(filled):
        return filled
    breaks = _gap_starts(filled, max(2, n // limit), limit // 4)
    kept = filled if len(filled) <= limit - len(breaks) else filled[_pick(series[filled], filled, limit - len(breaks))]
    return np.union1d(kept, breaks)


def downsample_marks(positions: ArrayLike, values: ArrayLike, limit: int = MAX_POINTS) -> NDArray[np.int64]:
    """At most `limit` of the marked `positions` of a series (n,): all of them, or those that keep the extremes."""
    marked = np.asarray(positions, dtype=np.int64)
    return marked[downsample(np.asarray(values, dtype=np.float64)[marked], limit)] if len(marked) > limit else marked


def _pick(series: NDArray[np.float64], x: NDArray[np.int64] | None, limit: int) -> NDArray[np.int64]:
    """MinMaxLTTB, with the smallest and the largest value added: a bucket that holds both keeps only one of them."""
    sampler, n_out = MinMaxLTTBDownsampler(), max(limit, _SMALLEST) - 2
    picked = sampler.downsample(series, n_out=n_out) if x is None else sampler.downsample(x, series, n_out=n_out)
    return np.union1d(picked.astype(np.int64), [int(series.argmin()), int(series.argmax())])


def _gap_starts(filled: NDArray[np.int64], shortest: int, most: int) -> NDArray[np.int64]:
    """The first empty position of each gap between filled ones that is at least `shortest` rows long."""
    steps = np.diff(filled)
    gaps = np.flatnonzero(steps > shortest)
    longest = gaps[np.argsort(-steps[gaps], kind="stable")[:most]]
    return np.sort(filled[longest] + 1)
