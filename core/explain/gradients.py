"""Integrated gradients: an output shared out among the values of a window, exactly.

Along the straight line from a baseline x₀ to the window x, with gradient g of the output (Sundararajan, Taly & Yan 2017, ICML,
equation 1):

    attributionᵢ = (xᵢ − x₀ᵢ) ∫₀¹ gᵢ(x₀ + α (x − x₀)) dα

Completeness (their proposition 1): the attributions add up to f(x) − f(x₀). The integral is a midpoint sum, whose steps are doubled
until that holds within `TOLERANCE`, or the limit is reached, which the result then says. The baseline is the training part's centre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.watching import Watch, unwatched

Floats = NDArray[np.float64]
Gradient = Callable[[NDArray[np.float32]], tuple[Floats, Floats]]
"""Windows (m, rows, f) → outputs (m,) and the gradient of each with respect to its own window (m, rows, f)."""
FEWEST_STEPS, MOST_STEPS = 32, 4096
CHUNK = 256
TOLERANCE = 0.01
ROUNDING = 1e-5
"""Of the outputs' size: a difference below it is rounding of float32, which no number of steps takes away."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """One window's output shared out. `values` (rows, f) and `output`, `baseline` are in the output's unit.

    `gap` is |sum of values − (output − baseline)| ÷ |output − baseline|; NaN where the outputs are equal up to rounding, so that
    there is nothing to share out. `steps` is the last number of midpoints. `gradient_times_input` (rows, f) is the plain
    gradient at the window times its distance from the baseline.
    """

    values: Floats
    gradient_times_input: Floats
    output: float
    baseline: float
    gap: float
    steps: int

    @property
    def is_complete(self) -> bool:
        """Whether the parts add up within the tolerance, or there is nothing to share out."""
        return not self.gap > TOLERANCE


def integrated_gradients(
    gradient: Gradient,
    window: NDArray[np.float32],
    baseline: NDArray[np.float32],
    *,
    most_steps: int = MOST_STEPS,
    watch: Watch = unwatched,
) -> Attribution:
    """Share out the output of one window (rows, f) against a baseline (rows, f)."""
    ends, slopes = gradient(np.stack([baseline, window]))
    difference = float(ends[1] - ends[0])
    nothing = abs(difference) <= ROUNDING * max(1e-12, float(np.abs(ends).max()))
    steps, total, gap = FEWEST_STEPS, np.zeros(window.shape), float("inf")
    while True:
        total = _midpoints(gradient, window, baseline, steps)
        gap = float("nan") if nothing else abs(float(total.sum()) - difference) / abs(difference)
        watch(min(1.0, steps / most_steps))
        if nothing or gap <= TOLERANCE or 2 * steps > most_steps:
            break
        steps *= 2
    distance = (window - baseline).astype(np.float64)
    return Attribution(total, slopes[1] * distance, float(ends[1]), float(ends[0]), gap, steps)


def _midpoints(gradient: Gradient, window: NDArray[np.float32], baseline: NDArray[np.float32], steps: int) -> Floats:
    """(x − x₀) times the mean gradient at the midpoints of `steps` equal steps."""
    at = (np.arange(steps) + 0.5) / steps
    summed = np.zeros(window.shape)
    for start in range(0, steps, CHUNK):
        share = at[start : start + CHUNK, None, None].astype(np.float32)
        summed += gradient(baseline + share * (window - baseline))[1].sum(axis=0)
    return (window - baseline).astype(np.float64) * summed / steps
