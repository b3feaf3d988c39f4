"""Columns that may give the answer away: one column alone that tells the target, better than a sensor usually can.

A hint and no verdict: such a column is either the best sensor of the plant or was written down after the result was
known. Only the user knows which. The caller hands in baseline rows only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.evaluation import ranking_metrics
from core.features.targets import class_texts
from core.messages import Message, msg

FEW_VALUES = 20
CHANCE = 1e-6
CLEAR_AUC, CLEAR_CORRELATION, CLEAR_R2 = 0.99, 0.999, 0.97
BINS, STRETCHES = 64, 20
FEWEST_ROWS = 10
FEWEST_BINNED = 500


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that tells the target alone; `words` say how well. `tells_all`: in all rows looked at, not only in some."""

    column: str
    words: Message
    tells_all: bool = True


def class_leak(column: Column, cells: pd.Series, classes: NDArray, codes: NDArray[np.int64]) -> Leak | None:
    """For classes: a value whose rows all have one rare class, or a number with an ROC AUC of at least .99.

    A column of at most 20 values counts where every row of one value has the same class, and that class is so rare that this
    has a chance below one in a million. The AUC needs two classes.

    Args:
        cells: (n,) of the column. classes: different classes, in the order of `codes` (n,).
    """
    values, different = pd.factorize(cells)
    if len(different) <= FEW_VALUES:
        return _by_value(column, class_texts(pd.Series(different)), values, classes, codes)
    numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan) if column.kind == "number" else np.empty(0)
    known = np.isfinite(numbers)
    if len(classes) != 2 or not known.any():
        return None
    area = ranking_metrics(codes[known] == 1, numbers[known], n_boot=0)[0].value
    clear = area is not None and max(area, 1 - area) >= CLEAR_AUC
    return Leak(column.name, msg("it alone tells '{a}' from '{b}'", a=classes[0], b=classes[1])) if clear else None


def _by_value(
    column: Column, names: NDArray[np.object_], values: NDArray[np.int64], classes: NDArray, codes: NDArray[np.int64]
) -> Leak | None:
    """The value of the most rows that all have one class, where that can be no chance."""
    counts = np.zeros((len(names), len(classes)), dtype=np.int64)
    np.add.at(counts, (values[values >= 0], codes[values >= 0]), 1)
    share, rows = counts.sum(axis=0) / max(1, counts.sum()), counts.sum(axis=1)
    first = counts.argmax(axis=1)
    chance = share[first] ** rows
    sure = np.flatnonzero((counts.max(axis=1, initial=0) == rows) & (rows > 0) & (share[first] < 0.5) & (chance < CHANCE))
    if not len(sure):
        return None
    most = sure[np.argmax(rows[sure])]
    tells_all = bool((counts.max(axis=1, initial=0) == rows).all())
    words = msg(
        "where it is '{value}', all {n} training rows looked at are '{name}'",
        value=str(names[most]),
        n=int(rows[most]),
        name=str(classes[first[most]]),
    )
    return Leak(column.name, words, tells_all)


def value_leak(column: Column, cells: pd.Series, target: pd.Series) -> Leak | None:
    """For values: a correlation of at least .999 either way, or means of 64 bins that explain 97 % of the variance.

    The bins are fitted on every other of 20 stretches of rows and judged on the rest, so that any curved relation counts
    and a coincidence in time does not.
    """
    if column.kind != "number":
        return None
    x, y = (c.to_numpy(dtype=np.float64, na_value=np.nan) for c in (cells, target))
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < FEWEST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    together = float(np.corrcoef(x, y)[0, 1])
    if abs(together) >= CLEAR_CORRELATION:
        return Leak(column.name, msg("its correlation with the target is {value}", value=round(together, 4)))
    explained = binned_r2(x, y)
    if explained is None or explained < CLEAR_R2:
        return None
    percent = round(100 * explained, 1)
    return Leak(column.name, msg("it alone explains {percent} % of the target's variance", percent=percent))


def binned_r2(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """R² on held-out stretches of the mean of y in 64 equally filled bins of x, (n,) each without gaps.

    None with fewer than 500 rows, with fewer than 3 bins, or where y does not vary in the held-out rows.
    """
    if len(x) < FEWEST_BINNED:
        return None
    fitted = (np.arange(len(x)) * STRETCHES // len(x)) % 2 == 0
    edges = np.unique(np.quantile(x[fitted], np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, x, side="right")
    counts = np.bincount(bins[fitted], minlength=len(edges) + 1)
    sums = np.bincount(bins[fitted], y[fitted], minlength=len(edges) + 1)
    if np.count_nonzero(counts) < 3:
        return None
    means = np.where(counts > 0, sums / np.maximum(counts, 1), y[fitted].mean())
    truth = y[~fitted]
    total = float(np.sum((truth - truth.mean()) ** 2))
    return None if total == 0 else 1 - float(np.sum((truth - means[bins[~fitted]]) ** 2)) / total


def tells_groups_apart(values: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    """Whether a column has one value in each group and another one in nearly every other, (n,) codes, −1 where empty."""
    known = (values >= 0) & (groups >= 0)
    pairs = np.unique(np.column_stack([groups[known], values[known]]), axis=0)
    n_groups, n_values = len(np.unique(pairs[:, 0])), len(np.unique(pairs[:, 1]))
    return n_groups >= 5 and len(pairs) == n_groups and n_values >= 0.9 * n_groups
