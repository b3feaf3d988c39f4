"""Ridge regression on many features at once; the shrinkage is the one that predicts held-back stretches of rows best.

Leaving out single rows would not do here: neighbouring windows share most of their rows, and each would be predicted by
its neighbours. So stretches are held back: 25 in the order of the rows, every fifth in one part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import msg

STRENGTHS = np.logspace(-2, 5, 8)
PARTS, STRETCHES = 5, 25


@dataclass(frozen=True, slots=True)
class HeldOutRidge:
    """weights (d, k), bias (k,), the shrinkage taken, and `held_out` (n, k): each row predicted without its part."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    alpha: float
    held_out: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sums:
    """What least squares needs of some rows: their number, Σx, Σy, Σxxᵀ and Σxyᵀ."""

    n: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]

    def plus(self, other: _Sums, sign: int = 1) -> _Sums:
        return _Sums(
            self.n + sign * other.n,
            self.x + sign * other.x,
            self.y + sign * other.y,
            self.xx + sign * other.xx,
            self.xy + sign * other.xy,
        )


def fit_held_out_ridge(features: NDArray[np.floating], targets: NDArray[np.float64], alpha: float | None) -> HeldOutRidge:
    """Weights that make Σ (y − x·w − b)² + alpha Σ w² smallest, for features (n, d) of one scale and targets (n, k), n ≥ 2.

    Args:
        alpha: the shrinkage; None: of eight from 0.01 to 100,000 the one with the smallest held-out squared error.

    Raises:
        NotEnoughData: fewer than 2 rows.
    """
    n = len(features)
    if n < 2:
        raise NotEnoughData(
            msg("The training part has {n} usable rows.", n=n),
            msg("The baseline needs at least {smallest}.", smallest=2),
            msg("Give more rows, or a smaller test and validation part."),
        )
    centre = features.mean(axis=0, dtype=np.float64)
    # With few rows, all that is seen of the features lies in as many directions as there are rows: the same fit, smaller.
    turn = _directions(features - centre) if 2 * n < len(centre) else None
    strengths = STRENGTHS if alpha is None else np.array([alpha])
    part_of = np.arange(n) * min(STRETCHES, n) // n % PARTS
    rows = [np.flatnonzero(part_of == part) for part in range(PARTS)]
    rows = [index for index in rows if len(index)]
    sums = [_sums(_turned(features[index], centre, turn), targets[index]) for index in rows]
    total = sums[0]
    for part in sums[1:]:
        total = total.plus(part)
    held_out = np.empty((len(strengths), n, targets.shape[1]))
    for index, part in zip(rows, sums, strict=True):
        values = _turned(features[index], centre, turn)
        for place, (weights, bias) in enumerate(_solutions(total.plus(part, -1), strengths)):
            held_out[place, index] = values @ weights + bias
    best = int(np.argmin(np.mean((held_out - targets) ** 2, axis=(1, 2))))
    ((weights, bias),) = _solutions(total, strengths[best : best + 1])
    weights = weights if turn is None else turn @ weights
    return HeldOutRidge(weights, bias - centre @ weights, float(strengths[best]), held_out[best])


def _directions(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal directions (d, r) that hold all of n rows, r < n."""
    sizes, along = np.linalg.eigh(centred @ centred.T)
    kept = sizes > 1e-12 * max(float(sizes[-1]), np.finfo(np.float64).tiny)
    return centred.T @ (along[:, kept] / np.sqrt(sizes[kept]))


def _turned(
    features: NDArray[np.floating], centre: NDArray[np.float64], turn: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    centred = features - centre
    return centred if turn is None else centred @ turn


def _sums(values: NDArray[np.float64], targets: NDArray[np.float64]) -> _Sums:
    return _Sums(len(values), values.sum(axis=0), targets.sum(axis=0), values.T @ values, values.T @ targets)


def _solutions(sums: _Sums, strengths: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Weights and bias for each shrinkage; the bias itself is not shrunk."""
    from scipy.linalg import cho_factor, cho_solve

    mean, wanted = sums.x / sums.n, sums.y / sums.n
    squares = sums.xx - np.outer(mean, sums.x)
    along = sums.xy - np.outer(mean, sums.y)
    # Rounding: with no shrinkage asked for, features that say the same would leave nothing to divide by.
    least = 1e-9 * (float(np.trace(squares)) / max(1, len(mean)) + 1e-12)
    found = []
    for alpha in strengths:
        shrunk = squares.copy()
        shrunk[np.diag_indices_from(shrunk)] += max(float(alpha), least)
        weights = cho_solve(cho_factor(shrunk, overwrite_a=True), along)
        found.append((weights, wanted - mean @ weights))
    return found
