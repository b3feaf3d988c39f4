"""Inputs of a linear baseline at mean 0 and scale 1, and the way back of its weights to the inputs as they came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import msg


@dataclass(frozen=True, slots=True)
class Standardised:
    """values (n, d) with mean 0 and standard deviation 1 (ddof 0) a column; a constant column is 0 throughout."""

    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def reach(self) -> NDArray[np.float64]:
        """The scale with ∞ for constant columns: what divides new rows where distances count, so that they add nothing."""
        return np.where(np.any(self.values != 0, axis=0), self.scale, np.inf)

    def unscaled(
        self, weights: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (d, k) and bias (k,) that give the same result on inputs that were not standardised."""
        raw = weights / self.scale[:, None]
        return raw, bias - self.mean @ raw


def standardise(inputs: NDArray[np.float64], smallest: int) -> Standardised:
    """The inputs (n, d) standardised. A spread below 1e-12 of the column's size is rounding, and counts as constant.

    Raises:
        NotEnoughData: fewer than `smallest` rows.
    """
    if len(inputs) < smallest:
        raise NotEnoughData(
            msg("The training part has {n} usable rows.", n=len(inputs)),
            msg("The baseline needs at least {smallest}.", smallest=smallest),
            msg("Give more rows, or a smaller test and validation part."),
        )
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0)
    size = np.maximum(np.abs(inputs).max(axis=0), np.finfo(np.float64).tiny)
    constant = spread <= 1e-12 * size
    scale = np.where(constant, 1.0, spread)
    values = (inputs - mean) / scale
    values[:, constant] = 0.0
    return Standardised(values, mean, scale)
