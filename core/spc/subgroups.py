"""Values put together into subgroups: mean, range, standard deviation and size of each.

Subgroups may differ in size. Which rows belong together is the caller's choice (a batch, an hour, five in a row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.spc.chart import Floats, numbered


@dataclass(frozen=True, slots=True)
class Subgroups:
    """m subgroups in the order in which they first come; all arrays (m,).

    `means` is NaN for a subgroup of empty cells only, `ranges` and `deviations` (n − 1) for fewer than two values.
    """

    means: Floats
    ranges: Floats
    deviations: Floats
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.means)


def subgroups(values: ArrayLike, labels: Sequence[object] | ArrayLike) -> Subgroups:
    """Subgroups by a label a row; rows of one label need not be neighbours.

    Args:
        values: (n,) column unit, NaN where empty.
        labels: (n,) anything that can be compared.

    Raises:
        ValueError: Another number of labels than of values.

    Example:
        >>> found = subgroups([1.0, 3.0, 5.0, 5.0], ["b", "b", "a", "a"])
        >>> found.means.tolist(), found.ranges.tolist()
        ([2.0, 5.0], [2.0, 0.0])
    """
    x, names = np.asarray(values, dtype=np.float64), np.asarray(labels)
    if names.shape != x.shape:
        raise ValueError(f"{len(x)} values came with labels of shape {names.shape}; expected one label a value")
    codes, found = numbered(names)
    return _statistics(x, codes, len(found))


def subgroups_of_size(values: ArrayLike, size: int) -> Subgroups:
    """Subgroups of `size` rows in a row; what is left at the end is a smaller subgroup.

    Raises:
        ValueError: A size below 1.
    """
    if size < 1:
        raise ValueError(f"the size of a subgroup is {size}; expected 1 or more")
    x = np.asarray(values, dtype=np.float64)
    return _statistics(x, np.arange(len(x)) // size, -(-len(x) // size))


def _statistics(x: Floats, codes: NDArray[np.int64], m: int) -> Subgroups:
    """Statistics of each of m groups; `codes` (n,) says to which group a value belongs."""
    known = np.isfinite(x)
    x, codes = x[known], codes[known]
    order = np.argsort(codes, kind="stable")
    x, codes = x[order], codes[order]
    sizes = np.bincount(codes, minlength=m).astype(np.int64)
    means, ranges, deviations = np.full(m, np.nan), np.full(m, np.nan), np.full(m, np.nan)
    there = sizes > 0
    if there.any():
        starts = np.flatnonzero(np.r_[True, np.diff(codes) > 0])
        means[there] = np.add.reduceat(x, starts) / sizes[there]
        squares = np.add.reduceat((x - means[codes]) ** 2, starts)
        several = sizes[there] > 1
        filled = np.flatnonzero(there)[several]
        ranges[filled] = (np.maximum.reduceat(x, starts) - np.minimum.reduceat(x, starts))[several]
        deviations[filled] = np.sqrt(squares[several] / (sizes[filled] - 1))
    return Subgroups(means, ranges, deviations, sizes)
