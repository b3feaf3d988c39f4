"""What calls cost when every cell of the confusion matrix has its own price, and the calls that cost least.

A row that is truly of class i and called j costs C[i, j]. With probabilities p of the classes, calling j is expected to cost Σ p_i C[i, j], and
the class with the smallest expectation is called: Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI (2001) 973-978, equation 1. That
is right as far as the probabilities are (`core.evaluation.calibration` says how far).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Bounds, percentile_bounds, resampling

PER = 1000
"""Costs are told of so many rows, because parts of different length shall be comparable."""


@dataclass(frozen=True, slots=True)
class CostOfCalls:
    """What calls cost: `cells` (k, k) together, true class down and called class across; `mean` of 1,000 rows with a 95 % bootstrap interval."""

    cells: NDArray[np.float64]
    mean: float
    bounds: Bounds
    n: int

    @property
    def total(self) -> float:
        """Of all rows together."""
        return float(self.cells.sum())


def least_cost_classes(probabilities: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class of each row (n,) that is expected to cost least; of equal ones the more probable.

    Args:
        probabilities: (n, k), none NaN.
        costs: (k, k) of a row of class i (down) that is called j (across).
    """
    expected = probabilities @ costs
    lowest = expected.min(axis=1, keepdims=True)
    is_lowest = expected <= lowest + 1e-12 * np.maximum(1.0, np.abs(lowest))
    return np.asarray(np.where(is_lowest, probabilities, -1.0).argmax(axis=1), dtype=np.int64)


def cost_of_calls(
    truth: NDArray[np.int64],
    called: NDArray[np.int64],
    costs: NDArray[np.float64],
    *,
    blocks: NDArray[np.generic] | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> CostOfCalls:
    """What the calls of some rows cost.

    Args:
        truth, called: (n,) class numbers.
        blocks: (n,) what is drawn together.

    Degenerate cases: no row: `mean` is NaN, without bounds.
    """
    k, n = len(costs), len(truth)
    counts = np.bincount(truth * k + called, minlength=k * k).reshape(k, k)
    drawn = _resampled(costs[truth, called], blocks, n_boot, seed)
    return CostOfCalls(
        counts * costs, PER * float((counts * costs).sum()) / n if n else float("nan"), percentile_bounds(drawn), n
    )


def saving(
    truth: NDArray[np.int64],
    called: NDArray[np.int64],
    instead_of: NDArray[np.int64],
    costs: NDArray[np.float64],
    *,
    blocks: NDArray[np.generic] | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> tuple[float, Bounds]:
    """By how much 1,000 rows cost less with `called` than with `instead_of`, and its 95 % interval on the same resamples; NaN without rows."""
    less = costs[truth, instead_of] - costs[truth, called]
    mean = PER * float(less.mean()) if len(less) else float("nan")
    return mean, percentile_bounds(_resampled(less, blocks, n_boot, seed))


def cheapest_class(truth: NDArray[np.int64], costs: NDArray[np.float64]) -> int:
    """The one class that all rows had best been called, where nothing is known of any; the first of equal ones."""
    return int(np.argmin(np.bincount(truth, minlength=len(costs)) @ costs))


def _resampled(values: NDArray[np.float64], blocks: NDArray[np.generic] | None, n_boot: int, seed: int) -> NDArray[np.float64]:
    """Means of 1,000 rows of each resample, (n_boot,), or none."""
    drawn = resampling(len(values), blocks, n_boot, seed)
    if not drawn.n_boot:
        return np.empty(0)
    sums = drawn.sums(np.column_stack([values, np.ones(len(values))]))
    return np.asarray(PER * sums[:, 0] / sums[:, 1])
