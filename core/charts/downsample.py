"""Fewer points, same picture: at most `MAX_POINTS` a trace, extremes and gaps kept.

MinMax and MinMaxLTTB (Van Der Donckt et al. 2023) from tsdownsample, on the filled cells only: its NaN variant answers a bucket
that holds one empty cell with that empty cell, so that a column with scattered empty cells would vanish. Gaps
that would be seen on a screen are put back as one empty cell each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tsdownsample import MinMaxDownsampler, MinMaxLTTBDownsampler

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


class Overview:
    """The same for a series that is never held whole: blocks in order, then `result`.

    Of each block its share of four times the limit is kept, so that the memory does not grow with the series.
    """

    def __init__(self, n: int, limit: int = MAX_POINTS) -> None:
        self._n, self._limit, self._seen = n, limit, 0
        self._positions: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []

    def add(self, values: ArrayLike) -> NDArray[np.int64]:
        """Take the next block; the positions in it (ascending) that are kept, for whatever else belongs to them."""
        block = np.ascontiguousarray(values, dtype=np.float64)
        filled = np.flatnonzero(np.isfinite(block))
        share = max(64, 4 * self._limit * len(block) // max(1, self._n))
        kept = filled if len(filled) <= share else filled[_pick(block[filled], filled, share)]
        self._positions.append(self._seen + kept)
        self._values.append(block[kept])
        self._seen += len(block)
        return kept

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Positions in the whole series, their values, and which of the kept ones they are, -1 for an empty cell of a gap.

        A gap is drawn where at least 4 n / limit rows are empty, which the thinning of the blocks cannot make.
        """
        positions = np.concatenate([*self._positions, np.empty(0, np.int64)])
        values = np.concatenate([*self._values, np.empty(0)])
        breaks = _gap_starts(positions, max(2, 4 * self._n // self._limit), self._limit // 4)
        taken = np.arange(len(positions))
        if len(positions) > self._limit - len(breaks):
            taken = _pick(values, positions, self._limit - len(breaks))
        place = np.searchsorted(positions[taken], breaks)
        return (
            np.insert(positions[taken], place, breaks),
            np.insert(values[taken], place, np.nan),
            np.insert(taken, place, -1),
        )


def _pick(series: NDArray[np.float64], x: NDArray[np.int64] | None, limit: int) -> NDArray[np.int64]:
    """Half the points are the smallest and the largest value of each of limit / 4 equal stretches, half MinMaxLTTB's.

    The first half is the promise that no spike is lost: MinMaxLTTB alone leaves out about one lonely spike in a hundred, as it
    keeps one point of each of its stretches. The second half keeps the shape between.
    """
    n_ends, ends = max(2, limit // 4 * 2), MinMaxDownsampler()
    kept = [
        [int(series.argmin()), int(series.argmax())],
        ends.downsample(series, n_out=n_ends) if x is None else ends.downsample(x, series, n_out=n_ends),
    ]
    n_shape = max(limit, _SMALLEST) - n_ends - 2
    if n_shape >= _SMALLEST // 2:
        shape = MinMaxLTTBDownsampler()
        kept.append(shape.downsample(series, n_out=n_shape) if x is None else shape.downsample(x, series, n_out=n_shape))
    return np.unique(np.concatenate(kept).astype(np.int64))


def _gap_starts(filled: NDArray[np.int64], shortest: int, most: int) -> NDArray[np.int64]:
    """The first empty position of each gap between filled ones that is at least `shortest` rows long."""
    steps = np.diff(filled)
    gaps = np.flatnonzero(steps > shortest)
    longest = gaps[np.argsort(-steps[gaps], kind="stable")[:most]]
    return np.sort(filled[longest] + 1)
