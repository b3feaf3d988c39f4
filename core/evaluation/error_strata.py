"""Where a model is worst: its error by machine, lot, shift or time, worst first, and whether a stratum differs by more than chance.

A stratum is held against all other rows. Values: Welch's test of the mean squared (or absolute) error. Classes: Fisher's exact test of wrong
against right. Many strata are looked at, so that p values are adjusted by Holm (Scandinavian J. Statistics 6, 1979): the chance that any
stratum is called different where none is stays below 5 %. With blocks, rows that hang together count as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.holm import holm
from core.evaluation.bootstrap import Bounds, percentile_bounds, resampling, wilson_bounds

SIGNIFICANT = 0.05
FEWEST_ROWS = 5


@dataclass(frozen=True, slots=True)
class ErrorStratum:
    """One stratum of a column: its rows, its error beside that of all other rows, and the adjusted p value of their difference.

    For values `error` is the RMSE and `bias` the mean of measured less predicted, in the unit of the target; for classes `error` is the
    share of wrong rows and `bias` is None. `p` is None where it cannot be told: fewer than 5 rows (or blocks) on a side.
    """

    column: str
    stratum: str
    n: int
    error: float
    bounds: Bounds
    others: float
    bias: float | None
    p: float | None

    @property
    def is_worse(self) -> bool:
        """Whether its error is larger than that of the others by more than chance."""
        return self.p is not None and self.p < SIGNIFICANT and self.error > self.others


def error_strata(
    errors: NDArray[np.float64],
    strata: Sequence[tuple[str, NDArray[np.object_]]],
    *,
    are_classes: bool = False,
    blocks: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> tuple[ErrorStratum, ...]:
    """All strata, those worse than the others by more than chance first, then by error.

    Args:
        errors: (n,) measured less predicted, or for classes 1 for a wrong row and 0 for a right one; NaN rows are left out.
        strata: (column, (n,) label of each row; None where it has none).
        blocks: (n,) rows that hang together, such as a lot or a stretch of time; None: each row is independent.
    """
    known = np.isfinite(errors)
    e = errors[known]
    units = None if blocks is None else pd.factorize(np.asarray(blocks)[known])[0]
    squares = e if are_classes else e**2
    found: list[ErrorStratum] = []
    for column, labels in strata:
        codes, names = pd.factorize(labels[known], use_na_sentinel=True)
        has_label = codes >= 0
        for k in np.argsort([str(name) for name in names], kind="stable"):
            inside = codes == k
            sides = tuple(_Side.of(squares, side, units) for side in (inside, has_label & ~inside))
            bias = None if are_classes else float(e[inside].mean())
            found.append(_stratum(column, str(names[k]), sides[0], sides[1], bias, seed))
    adjusted = holm([s.p for s in found])
    ranked = [_with_p(s, p) for s, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(ranked, key=lambda s: (not s.is_worse, -s.error if np.isfinite(s.error) else np.inf)))


@dataclass(frozen=True, slots=True)
class _Side:
    """Rows on one side: their number, the sum of their squared errors (or of wrong rows), and both by block where rows hang together."""

    n: int
    total: float
    rows: NDArray[np.float64]
    block_n: NDArray[np.float64] | None
    block_sum: NDArray[np.float64] | None

    @classmethod
    def of(cls, squares: NDArray[np.float64], inside: NDArray[np.bool_], units: NDArray[np.int64] | None) -> _Side:
        rows = squares[inside]
        if units is None:
            return cls(len(rows), float(rows.sum()), rows, None, None)
        n = np.bincount(units[inside]).astype(np.float64)
        sums = np.bincount(units[inside], weights=rows)
        return cls(len(rows), float(rows.sum()), rows, n[n > 0], np.asarray(sums[n > 0], dtype=np.float64))

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else float("nan")

    @property
    def compared(self) -> NDArray[np.float64]:
        """What a test compares: the mean of each block, or each row."""
        return self.rows if self.block_n is None or self.block_sum is None else self.block_sum / self.block_n

    def drawn(self, seed: int) -> NDArray[np.float64]:
        """Resampled means, 300 of them; empty with too few rows or blocks."""
        if self.block_n is None or self.block_sum is None:
            parts = np.column_stack([np.ones(self.n), self.rows])
        else:
            parts = np.column_stack([self.block_n, self.block_sum])
        again = resampling(len(parts), None, 300, seed)
        if not again.n_boot:
            return np.empty(0)
        sums = again.sums(parts)
        return np.asarray(sums[:, 1] / sums[:, 0])


def _stratum(column: str, name: str, own: _Side, other: _Side, bias: float | None, seed: int) -> ErrorStratum:
    """Shares of wrong rows where there is no bias, else root mean squares."""
    p = _p(own, other, are_classes=bias is None)
    if bias is None:
        bounds = wilson_bounds(own.total, own.n) if own.block_n is None else percentile_bounds(own.drawn(seed))
        return ErrorStratum(column, name, own.n, own.mean, bounds, other.mean, None, p)
    bounds = percentile_bounds(np.sqrt(own.drawn(seed)))
    return ErrorStratum(column, name, own.n, own.mean**0.5, bounds, other.mean**0.5, bias, p)


def _p(own: _Side, other: _Side, *, are_classes: bool) -> float | None:
    from scipy.stats import fisher_exact, ttest_ind

    a, b = own.compared, other.compared
    if min(len(a), len(b)) < FEWEST_ROWS:
        return None
    if are_classes and own.block_n is None:
        wrong = [round(own.total), round(other.total)]
        return float(fisher_exact([[wrong[0], own.n - wrong[0]], [wrong[1], other.n - wrong[1]]])[1])
    if float(a.std()) == 0 and float(b.std()) == 0:
        return 1.0 if a[0] == b[0] else 0.0
    return float(ttest_ind(a, b, equal_var=False).pvalue)


def _with_p(stratum: ErrorStratum, p: float | None) -> ErrorStratum:

    return replace(stratum, p=p)
