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
CONSTANT = 1e-9
"""A spread of so small a share of the mean is rounding: such values are all alike."""
MOST_WEIGHTS = 16


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
    chosen = slice(None) if known.all() else known
    e = errors[chosen]
    units = None if blocks is None else pd.factorize(np.asarray(blocks)[chosen])[0]
    squares = e if are_classes else e**2
    draws = _Draws(seed)
    found: list[ErrorStratum] = []
    for column, labels in strata:
        codes, names = pd.factorize(labels[chosen], use_na_sentinel=True)
        sides = _Sides(codes, len(names), squares, units)
        for k in np.argsort([str(name) for name in names], kind="stable").tolist():
            own, other = sides.of(k)
            bias = None if are_classes else float(e[sides.rows(k)].mean())
            found.append(_stratum(column, str(names[k]), own, other, bias, draws, are_rows=units is None))
    adjusted = holm([s.p for s in found])
    ranked = [_with_p(s, p) for s, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(ranked, key=lambda s: (not s.is_worse, -s.error if np.isfinite(s.error) else np.inf)))


@dataclass(frozen=True, slots=True)
class _Side:
    """Rows on one side: their number and the sum of their squared errors (or of wrong rows).

    `mean`, `variance` (ddof 1) and `size` are those of what a test compares: the mean of each block, or each row. `units` (m, 2) are the rows and
    the sum of each block, or each row with its value; None where only the figures are known.
    """

    n: int
    total: float
    size: int
    mean: float
    variance: float
    units: NDArray[np.float64] | None

    @property
    def error(self) -> float:
        return self.total / self.n if self.n else float("nan")

    @classmethod
    def of_blocks(cls, n: NDArray[np.float64], sums: NDArray[np.float64]) -> _Side:
        """From the rows and the sum of each block, (m,)."""
        units = np.column_stack([n, sums])[n > 0]
        means = units[:, 1] / units[:, 0]
        variance = float(means.var(ddof=1)) if len(means) > 1 else 0.0
        return cls(
            int(n.sum()), float(units[:, 1].sum()), len(means), float(means.mean()) if len(means) else np.nan, variance, units
        )

    @classmethod
    def of_rows(cls, n: int, centre: float, total: float, squares: float, rows: NDArray[np.float64] | None) -> _Side:
        """From sums of n values less `centre` and of their squares."""
        variance = max(0.0, squares - total**2 / n) / (n - 1) if n > 1 else 0.0
        mean = centre + total / n if n else np.nan
        units = None if rows is None else np.column_stack([np.ones(n), rows])
        return cls(n, total + n * centre, n, mean, variance, units)


class _Sides:
    """The strata of one column against the other rows: sums are taken once for all rows, and those of a stratum taken away from them."""

    def __init__(
        self, codes: NDArray[np.int64], n_strata: int, squares: NDArray[np.float64], units: NDArray[np.int64] | None
    ) -> None:
        narrow = codes.astype(np.int16 if n_strata < 2**15 else np.int32)  # sorted by their bytes
        self._order = np.argsort(narrow, kind="stable")
        counts = np.bincount(codes + 1, minlength=n_strata + 1)
        self._edges = np.cumsum(counts)
        self._squares, self._units = squares, units
        self._n_units = 0 if units is None or not len(units) else int(units.max()) + 1
        self._centre = float(squares.mean()) if len(squares) else 0.0
        labelled = slice(None) if counts[0] == 0 else codes >= 0
        self._all = self._sums(squares[labelled], None if units is None else units[labelled])

    def rows(self, k: int) -> NDArray[np.int64]:
        """The rows of a stratum."""
        return self._order[self._edges[k] : self._edges[k + 1]]

    def of(self, k: int) -> tuple[_Side, _Side]:
        """A stratum and all other labelled rows."""
        rows = self.rows(k)
        values = self._squares[rows]
        own = self._sums(values, None if self._units is None else self._units[rows])
        rest = self._all - own
        if self._units is not None:
            return _Side.of_blocks(*own), _Side.of_blocks(rest[0], np.maximum(rest[1], 0.0))
        return (
            _Side.of_rows(int(own[0, 0]), self._centre, own[1, 0], own[2, 0], values),
            _Side.of_rows(int(rest[0, 0]), self._centre, rest[1, 0], rest[2, 0], None),
        )

    def _sums(self, values: NDArray[np.float64], units: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Rows and sum of each block (2, n_units); without blocks rows, sum and sum of squares of the centred values, (3, 1)."""
        if units is None:
            centred = values - self._centre
            return np.array([[len(values)], [centred.sum()], [centred @ centred]], dtype=np.float64)
        n = np.bincount(units, minlength=self._n_units).astype(np.float64)
        return np.stack([n, np.bincount(units, weights=values, minlength=self._n_units)])


class _Draws:
    """Resampled means of many strata: those with as many units are drawn with the same weights, which are made once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[int, NDArray[np.float64]] = {}

    def means(self, side: _Side) -> NDArray[np.float64]:
        """Resampled means, 300 of them; empty with too few rows or blocks."""
        parts = side.units
        again = resampling(0 if parts is None else len(parts), None, 300, self._seed)
        if parts is None or not again.n_boot:
            return np.empty(0)
        if again.n_units not in self._known:
            while len(self._known) >= MOST_WEIGHTS:
                self._known.pop(next(iter(self._known)))
            self._known[again.n_units] = again.weights()
        sums = again.sums(parts, self._known[again.n_units])
        return np.asarray(sums[:, 1] / sums[:, 0])


def _stratum(
    column: str, name: str, own: _Side, other: _Side, bias: float | None, draws: _Draws, *, are_rows: bool
) -> ErrorStratum:
    """Shares of wrong rows where there is no bias, else root mean squares."""
    p = _p(own, other, are_counts=bias is None and are_rows)
    if bias is None:
        bounds = wilson_bounds(own.total, own.n) if are_rows else percentile_bounds(draws.means(own))
        return ErrorStratum(column, name, own.n, own.error, bounds, other.error, None, p)
    bounds = percentile_bounds(np.sqrt(draws.means(own)))
    return ErrorStratum(column, name, own.n, own.error**0.5, bounds, other.error**0.5, bias, p)


def _p(own: _Side, other: _Side, *, are_counts: bool) -> float | None:
    from scipy.stats import fisher_exact, ttest_ind_from_stats

    if min(own.size, other.size) < FEWEST_ROWS:
        return None
    if are_counts:
        wrong = [round(own.total), round(other.total)]
        return float(fisher_exact([[wrong[0], own.n - wrong[0]], [wrong[1], other.n - wrong[1]]])[1])
    spread = [side.variance**0.5 for side in (own, other)]
    least = CONSTANT * max(abs(own.mean), abs(other.mean))
    if max(spread) <= least:
        return 1.0 if abs(own.mean - other.mean) <= least else 0.0
    return float(ttest_ind_from_stats(own.mean, spread[0], own.size, other.mean, spread[1], other.size, equal_var=False).pvalue)


def _with_p(stratum: ErrorStratum, p: float | None) -> ErrorStratum:
    return replace(stratum, p=p)
