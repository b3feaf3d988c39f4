"""How sure a figure is: resampling of rows or blocks, and the intervals made from it.

Every metric here is a function of sums over rows. Sums are taken once per unit (a row, or a block of rows that
belong together), and a resample only weighs the units, so that no row is ever left out or copied. Two models
resampled with the same units and seed are paired.
Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13 (percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_UNITS = 2_000  # beyond this, neighbouring units are joined: the interval hardly changes, the time does
LEAST_UNITS = 5  # fewer units say nothing about the spread
CONFIDENCE = 0.95
_Z = 1.959963984540054  # normal quantile for 95 %, two-sided

Bounds = tuple[float | None, float | None]
NO_BOUNDS: Bounds = (None, None)


@dataclass(frozen=True, slots=True)
class Resampling:
    """What is resampled: `units` is the unit of each row, int64 (n_rows,), 0 … n_units-1."""

    units: NDArray[np.int64]
    n_units: int
    n_boot: int
    seed: int
    is_blocked: bool = False

    def weights(self) -> NDArray[np.float64]:
        """For each resample how often each unit was drawn, (n_boot, n_units), with replacement."""
        rng = np.random.default_rng(self.seed)
        drawn = np.empty((self.n_boot, self.n_units))
        for row in drawn:
            row[:] = np.bincount(rng.integers(0, self.n_units, self.n_units), minlength=self.n_units)
        return drawn

    def sums(self, values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Resampled column sums (n_boot, n_columns) of (n_rows, n_columns).

        Args:
            weights: As `weights` gave them for as many units and the same seed, where they are at hand.
        """
        per_unit = np.stack([np.bincount(self.units, weights=v, minlength=self.n_units) for v in values.T], axis=1)
        return np.asarray((self.weights() if weights is None else weights) @ per_unit)


def resampling(n_rows: int, blocks: NDArray[np.generic] | None, n_boot: int, seed: int) -> Resampling:
    """Units for so many rows.

    Args:
        blocks: (n_rows,) group or time block of each row, any values; rows of one block are drawn together, which is
            right when neighbours resemble each other. None: every row is a unit.

    More than 2,000 units are joined with their neighbours in order. Fewer than 5 units give no resamples.
    """
    if blocks is None:
        codes, n_units = np.arange(n_rows), n_rows
    else:
        _, codes = np.unique(blocks, return_inverse=True)
        n_units = int(codes.max()) + 1 if n_rows else 0
    if n_units > MAX_UNITS:
        codes, n_units = codes * MAX_UNITS // n_units, MAX_UNITS
    return Resampling(codes.astype(np.int64), n_units, n_boot if n_units >= LEAST_UNITS else 0, seed, blocks is not None)


def time_blocks(n_rows: int, n_blocks: int = 50) -> NDArray[np.int64]:
    """Block numbers for rows in time order: `n_blocks` stretches of equal length, or one a row when there are fewer."""
    return np.arange(n_rows) * min(n_blocks, max(n_rows, 1)) // max(n_rows, 1)


def percentile_bounds(resampled: NDArray[np.float64]) -> Bounds:
    """The 2.5 % and 97.5 % quantiles (linear method) of resampled values.

    None when there are no resamples, when more than a tenth is not defined, or when all are equal: a resample that
    cannot vary says nothing about how sure the figure is.
    """
    good = resampled[np.isfinite(resampled)]
    if not len(good) or len(good) < 0.9 * len(resampled):
        return NO_BOUNDS
    low, high = (float(q) for q in np.quantile(good, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)))
    return (low, high) if high > low else NO_BOUNDS


def wilson_bounds(successes: float, n: float) -> Bounds:
    """Interval of a share (Wilson 1927), also right at 0 and 1 where resampling cannot vary; none for n = 0."""
    if n <= 0:
        return NO_BOUNDS
    share = successes / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    # At the ends the bound is 0 or 1; computed it is off by rounding, and "2e-17" is no share to show.
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    return low, 1.0 if successes == n else min(1.0, float(centre + half))
