"""Where a model is worst: its error by machine, lot, shift or time, worst first, and whether a stratum differs by more than chance.

A stratum is held against all other rows. Values: Welch's test of the mean squared (or absolute) error. Classes: Fisher's exact test of wrong
against right. Many strata are looked at, so that p values are adjusted by Holm (Scandinavian J. Statistics 6, 1979): the chance that any
stratum is called different where none is stays below 5 %. With blocks, rows that hang together count as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
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
    units = None if blocks is None else np.asarray(blocks)[known]
    squares = e if are_classes else e**2
    found: list[ErrorStratum] = []
    for column, labels in strata:
        names = labels[known]
        has_label = np.array([label is not None for label in names], dtype=bool)
        for name in sorted({str(label) for label in names[has_label]}):
            inside = has_label & (names.astype(str) == name)
            found.append(_stratum(column, name, e, squares, inside, has_label & ~inside, are_classes, units, seed))
    adjusted = holm([s.p for s in found])
    ranked = [_with_p(s, p) for s, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(ranked, key=lambda s: (not s.is_worse, -s.error if np.isfinite(s.error) else np.inf)))


def _stratum(
    column: str,
    name: str,
    errors: NDArray[np.float64],
    squares: NDArray[np.float64],
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    are_classes: bool,
    units: NDArray[np.generic] | None,
    seed: int,
) -> ErrorStratum:
    own, other = squares[inside], squares[outside]
    others = float(other.mean()) if len(other) else float("nan")
    mean = float(own.mean())
    if are_classes:
        bounds = wilson_bounds(float(own.sum()), len(own)) if units is None else _drawn(own, units[inside], seed, root=False)
        return ErrorStratum(column, name, len(own), mean, bounds, others, None, _p(own, other, inside, outside, True, units))
    bounds = _drawn(own, None if units is None else units[inside], seed, root=True)
    p = _p(own, other, inside, outside, False, units)
    return ErrorStratum(column, name, len(own), mean**0.5, bounds, others**0.5, float(errors[inside].mean()), p)


def _drawn(values: NDArray[np.float64], units: NDArray[np.generic] | None, seed: int, *, root: bool) -> Bounds:
    again = resampling(len(values), units, 300, seed)
    if not again.n_boot:
        return (None, None)
    sums = again.sums(np.column_stack([np.ones(len(values)), values]))
    means = sums[:, 1] / sums[:, 0]
    return percentile_bounds(np.sqrt(means) if root else means)


def _p(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    are_classes: bool,
    units: NDArray[np.generic] | None,
) -> float | None:
    from scipy.stats import fisher_exact, ttest_ind

    if units is not None:
        own, other = (_block_means(v, units[w]) for v, w in ((own, inside), (other, outside)))
    if min(len(own), len(other)) < FEWEST_ROWS:
        return None
    if are_classes and units is None:
        wrong = [int(own.sum()), int(other.sum())]
        table = [[wrong[0], len(own) - wrong[0]], [wrong[1], len(other) - wrong[1]]]
        return float(fisher_exact(table)[1])
    if float(own.std()) == 0 and float(other.std()) == 0:
        return 1.0 if own[0] == other[0] else 0.0
    return float(ttest_ind(own, other, equal_var=False).pvalue)


def _block_means(values: NDArray[np.float64], units: NDArray[np.generic]) -> NDArray[np.float64]:
    _, codes = np.unique(units, return_inverse=True)
    return np.asarray(np.bincount(codes, weights=values) / np.bincount(codes))


def _with_p(stratum: ErrorStratum, p: float | None) -> ErrorStratum:

    return replace(stratum, p=p)
