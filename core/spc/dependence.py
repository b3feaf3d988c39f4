"""How columns hang together, pair by pair: Pearson's r, Spearman's ρ and mutual information, the closest pairs first.

A table of pairs and nothing more: what causes what, and what a third column explains, is not told. Rows are taken as independent;
in a series whose values hang together in time, p-values are too small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_ROWS = 20
MOST_BINS = 16
ROWS_PER_CELL = 5
SIGNIFICANT = 0.01


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns on the `n` rows where both are there.

    `pearson` and `spearman` −1 to 1, None where one of them is a category or does not vary. `information` is mutual information on a
    scale from 0 to 1 that equals |r| for a normal pair. `p` is the smaller p-value of Spearman and mutual information, times two.
    """

    one: str
    other: str
    n: int
    pearson: float | None
    spearman: float | None
    information: float
    p: float

    @property
    def strength(self) -> float:
        """The largest of the three, without sign: by it pairs are sorted."""
        return max(abs(self.pearson or 0.0), abs(self.spearman or 0.0), self.information)

    @property
    def is_bent(self) -> bool:
        """Mutual information sees clearly more than the line and the ranks: a bend, a peak, or groups."""
        if self.spearman is None or self.pearson is None:
            return False
        return self.information > max(abs(self.pearson), abs(self.spearman)) + 0.2


def pairs(numbers: Mapping[str, NDArray[np.float64]], categories: Mapping[str, NDArray[np.int64]]) -> tuple[Pair, ...]:
    """All pairs of columns with at least 20 rows in common, the closest first.

    Mutual information I in nats is that of bins of equal frequency (as many as leave five rows a cell, 16 at most), less its bias
    (a − 1)(b − 1) / 2n, not below 0, and is told as √(1 − e^(−2I)). Its p-value is that of the G test, 2nI against χ² with (a − 1)(b − 1)
    degrees of freedom, a and b the bins in use.

    Args:
        numbers: Columns (n,) of numbers, NaN where empty.
        categories: Columns (n,) of codes from 0 on, −1 where empty.

    Degenerate cases: a pair in which one column does not vary on the common rows is left out; no such pair: an empty tuple.

    Source: the scale: Linfoot, "An Informational Measure of Correlation", Information and Control 1 (1957) 85-89; the bias: Miller,
    Information Theory in Psychology (1955) 95-100.
    """
    names = [*numbers, *categories]
    cells = {
        **{name: _Column.of_numbers(values) for name, values in numbers.items()},
        **{name: _Column.of_codes(codes) for name, codes in categories.items()},
    }
    found = []
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            pair = _pair(one, cells[one], other, cells[other])
            if pair is not None:
                found.append(pair)
    return tuple(sorted(found, key=lambda pair: -pair.strength))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column made ready once: its numbers and, where nothing is empty, their mid-ranks and bins."""

    known: NDArray[np.bool_]
    values: NDArray[np.float64] | None
    codes: NDArray[np.int64]
    ranks: NDArray[np.float64] | None
    bins: NDArray[np.int64] | None

    @staticmethod
    def of_numbers(values: NDArray[np.float64]) -> _Column:
        from scipy.stats import rankdata

        known = np.isfinite(values)
        whole = bool(known.all()) and len(values) >= FEWEST_ROWS
        ranks = rankdata(values) if whole else None
        return _Column(known, values, np.empty(0, np.int64), ranks, None if ranks is None else _binned(ranks))

    @staticmethod
    def of_codes(codes: NDArray[np.int64]) -> _Column:
        return _Column(codes >= 0, None, codes, None, None)

    def on(self, rows: NDArray[np.bool_], every: bool) -> tuple[NDArray | None, NDArray | None, NDArray[np.int64]]:
        """Numbers, ranks and bins on some rows; numbers and ranks are None for a category."""
        from scipy.stats import rankdata

        if self.values is None:
            return None, None, np.unique(self.codes[rows], return_inverse=True)[1]
        if every and self.ranks is not None and self.bins is not None:
            return self.values, self.ranks, self.bins
        values = self.values[rows]
        ranks = rankdata(values)
        return values, ranks, _binned(ranks)


def _binned(ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bins of equal frequency from mid-ranks (n,); equal values share a bin, and empty bins are closed up."""
    n = len(ranks)
    bins = int(np.clip(np.sqrt(n / ROWS_PER_CELL), 2, MOST_BINS))
    codes = np.minimum((ranks - 0.5) * bins / n, bins - 1).astype(np.int64)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _pair(one: str, a: _Column, other: str, b: _Column) -> Pair | None:
    from scipy.stats import chi2, t

    rows = a.known & b.known
    n = int(rows.sum())
    if n < FEWEST_ROWS:
        return None
    every = n == len(rows)
    (x, x_ranks, x_bins), (y, y_ranks, y_bins) = a.on(rows, every), b.on(rows, every)
    if _flat(x, x_bins) or _flat(y, y_bins):
        return None
    pearson = spearman = None
    rank_p = 1.0
    if x is not None and y is not None and x_ranks is not None and y_ranks is not None:
        pearson, spearman = pearson_r(x, y), pearson_r(x_ranks, y_ranks)
        left = max(1 - spearman**2, 1e-300)
        rank_p = float(2 * t.sf(abs(spearman) * np.sqrt((n - 2) / left), n - 2))
    information, freedom = _information(x_bins, y_bins)
    g_p = float(chi2.sf(2 * n * information, freedom)) if freedom else 1.0
    told = float(np.sqrt(1 - np.exp(-2 * max(0.0, information - freedom / (2 * n)))))
    return Pair(one, other, n, pearson, spearman, told, min(1.0, 2 * min(rank_p, g_p)))


def _flat(values: NDArray | None, bins: NDArray[np.int64]) -> bool:
    if values is None:
        return bool(bins.max() == 0)
    return is_flat(values)


def pearson_r(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's r of two complete columns (n,) that vary."""
    x, y = x - x.mean(), y - y.mean()
    # Sums and not dot products: for those BLAS starts threads, which cost far more than the sum on a busy machine.
    r = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    return float(np.clip(r, -1.0, 1.0))


def is_flat(x: NDArray[np.float64]) -> bool:
    """Whether values (n,), n above 0, spread no more than by rounding."""
    return bool(np.ptp(x) <= 8 * np.finfo(np.float64).eps * np.abs(x).max())


def _information(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[float, int]:
    """Mutual information of two columns of bins in nats, as it comes, and the degrees of freedom of its G test."""
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    joint = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns) / len(a)
    alone = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None, :]
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / alone[there])).sum()), (rows - 1) * (columns - 1)
