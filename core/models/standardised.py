"""Inputs of a linear baseline at mean 0 and scale 1, and the way back of its weights to the inputs as they came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData
from core.messages import msg

BLOCKS = 8
"""Parts of the rows whose levels are compared; also how many steps a level may wander."""


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


def standardise_in_time(inputs: NDArray[np.float64], smallest: int) -> Standardised:
    """The same for rows in order of time, with room for levels that wander: columns are divided by their reach.

    reach² = variance · (1 + 8 × mean squared step between neighbouring eighths of the standardised rows): how far a column
    gets in another period as long as this one, as in `core.anomalies.scoring`. A slow temperature counts less than its
    variance says, so that its next value is not the first alarm. Rows without an order have steps of the sampling noise.

    Raises:
        NotEnoughData: fewer than `smallest` rows.
    """
    found = standardise(inputs, smallest)
    means = np.stack([part.mean(axis=0) for part in np.array_split(found.values, min(BLOCKS, len(inputs)))])
    room = np.sqrt(1 + BLOCKS * np.mean(np.diff(means, axis=0) ** 2, axis=0))
    return Standardised(found.values / room, found.mean, found.scale * room)
