"""Windows: the last `width` rows up to and including each row, never across groups, made only when asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.room import BigArray
from core.errors import SettingProblem
from core.messages import msg


@dataclass(frozen=True, slots=True)
class Windows:
    """One causal window a row. Before the first full window of a group its first row is repeated.

    `values` is float32 (n_rows, n_features) in time order, in memory or in a file; `first_row` is (n_rows,), the first row of the
    group that the row belongs to. Nothing is copied until `batch` is called.
    """

    values: BigArray
    first_row: NDArray[np.int32] | NDArray[np.int64]
    width: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_padded(self) -> NDArray[np.bool_]:
        """Rows whose window reaches before the start of their group, (n_rows,)."""
        return np.arange(len(self)) - self.first_row < self.width - 1

    def batch(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The windows that end at these rows: float32 (n, width, n_features)."""
        rows = np.asarray(rows, dtype=np.int64)
        back = np.arange(1 - self.width, 1)
        index = np.maximum(rows[:, None] + back[None, :], self.first_row[rows][:, None])
        found: NDArray[np.float32] = self.values[index]
        return found


def make_windows(values: NDArray[np.float64], groups: NDArray[np.int64] | None, width: int) -> Windows:
    """Windows over rows in time order; `groups` holds a code a row, equal codes adjacent.

    Raises:
        SettingProblem: `width` is below one.

    Example:
        >>> w = make_windows(np.arange(4.0)[:, None], None, 3)
        >>> w.batch(np.array([0, 3]))[:, :, 0].tolist()
        [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
    """
    return windows_over(np.ascontiguousarray(values, dtype=np.float32), groups, width)


def windows_over(values: BigArray, groups: NDArray[np.integer] | None, width: int) -> Windows:
    """The same over float32 features (n_rows, n_features) as they are, without a copy."""
    if width < 1:
        raise SettingProblem(
            msg("{name} is '{value}'.", name="window", value=width),
            msg("A window has at least one row."),
            msg("Choose a whole number from 1."),
        )
    n = len(values)
    small = n < 2**31
    first = np.zeros(n, np.int32) if small else np.zeros(n, np.int64)
    if groups is not None and n:
        changes = np.flatnonzero(np.diff(groups) != 0) + 1
        first[changes] = changes
        np.maximum.accumulate(first, out=first)
    return Windows(values, first, width)
