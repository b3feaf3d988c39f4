"""Parts of the training part: what a shallow family holds back from itself to stop in time or to learn probabilities.

Neighbouring rows resemble each other. Parts are therefore stretches of time where the split is by time, whole groups
where it is by group, and drawn at random, class by class, only where the split is random too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_FOLDS = 5


def random_folds(n: int, seed: int, codes: NDArray[np.int64] | None = None, n_folds: int = N_FOLDS) -> NDArray[np.int64]:
    """A part from 0 to n_folds − 1 for each of n rows, parts of nearly one size; with `codes` (n,) within every class.

    Fewer rows than parts leave the last parts empty.
    """
    drawn = np.random.default_rng(seed).permutation(n)
    order = drawn if codes is None else drawn[np.argsort(codes[drawn], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.arange(n) % n_folds
    return folds


def time_folds(moments: NDArray, n_folds: int = N_FOLDS) -> NDArray[np.int64]:
    """Stretches of time with about as many rows each, 0 the earliest; rows of one moment are never parted."""
    order = np.argsort(moments, kind="stable")
    ordered = moments[order]
    first = np.searchsorted(ordered, ordered, side="left")
    folds = np.empty(len(moments), dtype=np.int64)
    folds[order] = first * n_folds // max(1, len(moments))
    return folds


def group_folds(groups: NDArray[np.int64], seed: int, n_folds: int = N_FOLDS) -> NDArray[np.int64] | None:
    """Whole groups, drawn at random, the part with the fewest rows taking the next; None with fewer than two groups."""
    codes, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(codes) < 2:
        return None
    n_parts = min(n_folds, len(codes))
    sizes, part_of = np.zeros(n_parts, dtype=np.int64), np.empty(len(codes), dtype=np.int64)
    for group in np.random.default_rng(seed).permutation(len(codes)):
        part_of[group] = sizes.argmin()
        sizes[part_of[group]] += counts[group]
    return part_of[place]


def last_fold(folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows (n,) are in the last part: the latest stretch of time, where parts are stretches."""
    return folds == folds.max()
