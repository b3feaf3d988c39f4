"""Rows put in order of group and time, each with the first row of its group: what windows, blocks and stretches are counted from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """Some rows of a table in order, all (n,).

    `rows` are their row numbers, `order` where each of them stood among the rows that were given, `first` the place of the first row of
    its group among them.
    """

    rows: NDArray[np.int64]
    order: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def begins(self) -> NDArray[np.bool_]:
        """Which places are the first of a group."""
        begins: NDArray[np.bool_] = self.first == np.arange(len(self.first))
        return begins

    @property
    def stop(self) -> NDArray[np.int64]:
        """The place behind the last row of the group of each."""
        edges = np.append(np.flatnonzero(self.begins), len(self.first))
        return np.repeat(edges[1:], np.diff(edges))


def first_places(codes: NDArray[np.integer] | None, n: int) -> NDArray[np.int64]:
    """The place of the first of each unbroken stretch of equal codes, (n,); one stretch where there are no codes.

    Example:
        >>> first_places(np.array([2, 2, 0, 0, 0, 1]), 6).tolist()
        [0, 0, 2, 2, 2, 5]
    """
    if codes is None:
        return np.zeros(n, np.int64)
    begins = np.r_[True, np.diff(codes) != 0][:n]
    return np.maximum.accumulate(np.where(begins, np.arange(n), 0)).astype(np.int64)
