"""Random convolutions of a window, each seen as the share of rows in which it exceeds a bias: the features of MiniRocket.

A kernel has nine weights, six of −1 and three of 2, so that it sums to zero and no constant is seen; there are 84 of
them. A kernel is laid over every d-th row (dilation d) of the sum of a few features. Everything here adds float32 in
one fixed order, whatever the batch, so that a window gives the same features alone, in a batch and on any machine.

Source: Dempster, Schmidt, Webb (2021), KDD, arXiv:2012.08791; several features by the authors' code for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

LENGTH = 9
POSITIONS: tuple[tuple[int, ...], ...] = tuple(combinations(range(LENGTH), 3))
MOST_DILATIONS = 32
MOST_CHANNELS = 9
GOLDEN = (np.sqrt(5) + 1) / 2
# Cells of a batch of windows: small enough that one convolution stays in the processor's cache.
BATCH_CELLS = 40_000
MOST_COUNT = 255  # what a byte can count to


@dataclass(frozen=True, slots=True)
class RandomKernels:
    """What replays the features.

    dilations (m,) and counts (m,): each dilation and how many biases each of the 84 kernels has with it. channels bool
    (m · 84, n_features): which features each pair of dilation and kernel adds up. biases float32 (Σ 84 · counts,).
    """

    dilations: NDArray[np.int64]
    counts: NDArray[np.int64]
    channels: NDArray[np.bool_]
    biases: NDArray[np.float32]

    @property
    def n_features(self) -> int:
        """How many features a window gets."""
        return len(self.biases)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """As float64 arrays for npz."""
        return {name: np.asarray(getattr(self, name), dtype=np.float64) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> RandomKernels:
        return cls(
            arrays["dilations"].astype(np.int64),
            arrays["counts"].astype(np.int64),
            arrays["channels"] > 0,
            arrays["biases"].astype(np.float32),
        )


def spread_dilations(rows: int, n_features: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dilations for windows of `rows` ≥ 9 rows, and the biases of each kernel for each: exponentially spread, as in the paper.

    The widest kernel spans at most the window: d ≤ (rows − 1) / 8. Together 84 · Σ counts ≤ n_features, at least 84.

    Example:
        >>> [a.tolist() for a in spread_dilations(50, 1_000)]
        [[1, 2, 3, 4, 5, 6], [4, 3, 1, 1, 1, 1]]
    """
    each = max(1, n_features // len(POSITIONS))
    wanted = min(each, MOST_DILATIONS)
    top = np.log2((rows - 1) / (LENGTH - 1))
    dilations, counts = np.unique(np.logspace(0, top, wanted, base=2).astype(np.int64), return_counts=True)
    counts = (counts * (each / wanted)).astype(np.int64)
    left = each - int(counts.sum())
    counts[:left] += 1  # never more than there are dilations: each lost less than one to the rounding
    return dilations, counts


def fit_kernels(windows: NDArray[np.floating], n_features: int, seed: int) -> RandomKernels:
    """Channels drawn by `seed`; biases are quantiles of a convolution of a random window, (n, rows ≥ 9, n_channels)."""
    rng = np.random.default_rng(seed)
    n, rows, n_channels = windows.shape
    dilations, counts = spread_dilations(rows, n_features)
    channels = _draw_channels(len(dilations) * len(POSITIONS), n_channels, rng)
    levels = np.arange(1, len(POSITIONS) * int(counts.sum()) + 1) * GOLDEN % 1
    biases = np.empty(len(levels), dtype=np.float32)
    pair = done = 0
    for place, (dilation, count) in enumerate(zip(dilations, counts, strict=True)):
        for kernel in range(len(POSITIONS)):
            window = _rows_first(windows[rng.integers(n)][None])
            found = _convolved(_summed(window, channels[pair]), kernel, int(dilation), is_padded=(place + kernel) % 2 == 0)
            biases[done : done + count] = np.quantile(found, levels[done : done + count])
            pair, done = pair + 1, done + int(count)
    return RandomKernels(dilations, counts, channels, biases)


def _draw_channels(pairs: int, n_channels: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """For each pair of dilation and kernel 1 to 9 of the channels, few more often than many."""
    top = np.log2(min(n_channels, MOST_CHANNELS) + 1)
    chosen = np.zeros((pairs, n_channels), dtype=np.bool_)
    for row in chosen:
        row[rng.choice(n_channels, int(2 ** rng.uniform(0, top)), replace=False)] = True
    return chosen


def kernel_features(kernels: RandomKernels, windows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shares of rows, from 0 to 1: windows (n, rows, n_channels) → (n, n_features) float32.

    Every second pair of dilation and kernel reads the window with zeros before and after it and looks at all rows; the
    others look only at rows around which the whole kernel fits.
    """
    found = np.empty((len(windows), kernels.n_features), dtype=np.float32)
    size = int(np.clip(BATCH_CELLS // windows.shape[1], 1, 2048))
    for start in range(0, len(windows), size):
        _batch_features(kernels, _rows_first(windows[start : start + size]), found[start : start + size])
    return found


def _rows_first(windows: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, rows, n_channels) → (n_channels, rows, n), so that sums over rows run along whole stretches of memory."""
    return np.ascontiguousarray(windows.transpose(2, 1, 0), dtype=np.float32)


def _batch_features(kernels: RandomKernels, values: NDArray[np.float32], found: NDArray[np.float32]) -> None:
    pair = done = 0
    for place, (dilation, count) in enumerate(zip(kernels.dilations, kernels.counts, strict=True)):
        for kernel in range(len(POSITIONS)):
            series = _summed(values, kernels.channels[pair])
            result = _convolved(series, kernel, int(dilation), is_padded=(place + kernel) % 2 == 0)
            biases = kernels.biases[done : done + count]
            found[:, done : done + count] = _shares_above(result, biases).T
            pair, done = pair + 1, done + int(count)


def _summed(values: NDArray[np.float32], channels: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The sum of the chosen channels, first to last: (rows, n)."""
    first, *others = np.flatnonzero(channels)
    series = values[first]
    for channel in others:
        series = series + values[channel]
    return series


def _convolved(series: NDArray[np.float32], kernel: int, dilation: int, *, is_padded: bool) -> NDArray[np.float32]:
    """3 · (the three rows with weight 2) − (all nine rows): (rows, n) → (rows, n), or (rows − 8 · dilation, n) unpadded."""
    if is_padded:
        edge = np.zeros((LENGTH // 2 * dilation, series.shape[1]), dtype=np.float32)
        series = np.concatenate([edge, series, edge])
    rows = len(series) - (LENGTH - 1) * dilation
    parts = [series[i * dilation : i * dilation + rows] for i in range(LENGTH)]
    every = parts[0] + parts[1]
    for part in parts[2:]:
        every += part
    one, two, three = (parts[i] for i in POSITIONS[kernel])
    result = one + two
    result += three
    result *= np.float32(3)
    result -= every
    return result


def _shares_above(values: NDArray[np.float32], biases: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of rows above each bias: (rows, n) and (b,) → (b, n)."""
    rows, n = values.shape
    counted = np.zeros((len(biases), n), dtype=np.float32)
    for start in range(0, rows, MOST_COUNT):
        above = values[None, start : start + MOST_COUNT] > biases[:, None, None]
        counted += np.add.reduce(above.view(np.uint8), axis=1, dtype=np.uint8)
    return counted / np.float32(rows)
