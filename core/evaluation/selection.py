"""Choosing among fitted models on held-out rows: losses a row, the better of two with its uncertainty, and ensembles.

Sources: Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble selection from libraries of models, ICML 2004 (greedy forward
selection with replacement); Breiman, Friedman, Olshen & Stone, CART, 1984, section 3.4.3 (the rule of one standard error).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_CHANCE = 1e-3  # a probability below this costs no more than this: one sure mistake may not outweigh a thousand rows
MOST_STEPS = 25
MOST_MEMBERS = 5
LEAST_SHARE = 0.05
PARTS = 5

RowLoss = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Outputs (n, k) → loss of each row (n,)."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How much smaller the mean loss is, and the standard error of that over units that belong together."""

    mean: float
    error: float
    n_units: int

    @property
    def is_clear(self) -> bool:
        """More than one standard error, over at least two units."""
        return self.n_units >= 2 and self.mean > self.error

    @property
    def is_any(self) -> bool:
        """Above 0, where it could be compared at all."""
        return np.isfinite(self.error) and self.mean > 0


def class_losses(codes: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> RowLoss:
    """Cross-entropy −log p of the true class, with p at least 0.001; `weights` (n,) let rare classes count more.

    Example:
        >>> class_losses(np.array([1, 0]))(np.array([[0.5, 0.5], [1.0, 0.0]])).round(4).tolist()
        [0.6931, 0.0]
    """

    def losses(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        chance = np.clip(outputs[np.arange(len(codes)), codes], LEAST_CHANCE, 1.0)
        found = -np.log(chance) + 0.0  # no -0.0
        return found if weights is None else found * weights

    return losses


def paired_gain(before: NDArray[np.float64], after: NDArray[np.float64], units: NDArray[np.int64] | None = None) -> Gain:
    """The mean of before − after (n,) with its standard error over units: rows, or those of one `units` (n,) number.

    With units of n_i rows and sums s_i the mean is m = Σ s_i / n, its standard error that of a ratio,
    sqrt(u / (u − 1) · Σ (s_i − m n_i)²) / n (Cochran, Sampling Techniques, 1977, section 6.3). One unit: infinite.

    Example:
        >>> paired_gain(np.array([2.0, 4.0]), np.array([1.0, 1.0]))
        Gain(mean=2.0, error=1.0, n_units=2)
    """
    difference = before - after
    n = len(difference)
    codes = np.arange(n) if units is None else np.unique(units, return_inverse=True)[1]
    sums, counts = np.bincount(codes, weights=difference), np.bincount(codes)
    u, mean = len(counts), float(difference.mean())
    if u < 2:
        return Gain(mean, float("inf"), u)
    error = np.sqrt(u / (u - 1) * ((sums - mean * counts) ** 2).sum()) / n
    return Gain(mean, float(error), u)


def ensemble_weights(outputs: Sequence[NDArray[np.float64]], loss: RowLoss) -> NDArray[np.float64]:
    """Weights (m,) that sum to 1 of the models whose average has the smallest loss: greedy, with replacement.

    Begins with the best single model and adds, 25 times at most, whichever of the m makes the mean loss of the average
    smallest; the best average on the way counts. At most 5 different models; one with less than 5 % is dropped.
    """
    n_models = len(outputs)
    singles = [loss(o).mean() for o in outputs]
    counts = np.zeros(n_models)
    counts[int(np.argmin(singles))] = 1
    total = outputs[int(np.argmin(singles))].copy()
    best, kept = float(min(singles)), counts.copy()
    for step in range(2, MOST_STEPS + 1):
        is_full = np.count_nonzero(counts) >= MOST_MEMBERS
        open_ = [i for i in range(n_models) if counts[i] or not is_full]
        means = [loss((total + outputs[i]) / step).mean() for i in open_]
        chosen = open_[int(np.argmin(means))]
        counts[chosen] += 1
        total = total + outputs[chosen]
        if min(means) < best:
            best, kept = float(min(means)), counts.copy()
    weights = kept / kept.sum()
    weights[weights < LEAST_SHARE] = 0.0
    return np.asarray(weights / weights.sum())


def ensemble_gain(
    outputs: Sequence[NDArray[np.float64]],
    loss_of: Callable[[NDArray[np.bool_]], RowLoss],
    units: NDArray[np.int64] | None,
    seed: int,
) -> Gain:
    """What an ensemble gains over the best single model on rows that neither was chosen on.

    Units are drawn into five parts; both are chosen on four of them and compared on the fifth, so that an ensemble that
    only learned the noise of a small held-out part shows no gain.

    Args:
        loss_of: The loss of the rows of a mask (n,).
    """
    n = len(outputs[0])
    codes = np.arange(n) if units is None else np.unique(units, return_inverse=True)[1]
    n_units = int(codes.max()) + 1
    if n_units < 2 * PARTS:
        return Gain(0.0, float("inf"), n_units)
    part_of_unit = np.empty(n_units, dtype=np.int64)
    part_of_unit[np.random.default_rng(seed).permutation(n_units)] = np.arange(n_units) % PARTS
    part = part_of_unit[codes]
    single, average = np.empty(n), np.empty(n)
    for p in range(PARTS):
        held, rest = part == p, part != p
        on_rest, on_held = loss_of(rest), loss_of(held)
        weights = ensemble_weights([o[rest] for o in outputs], on_rest)
        best = int(np.argmin([on_rest(o[rest]).mean() for o in outputs]))
        single[held] = on_held(outputs[best][held])
        average[held] = on_held(weighted([o[held] for o in outputs], weights))
    return paired_gain(single, average, codes)


def weighted(outputs: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted average of outputs (n, k)."""
    return np.sum([w * o for w, o in zip(weights, outputs, strict=True) if w], axis=0)
