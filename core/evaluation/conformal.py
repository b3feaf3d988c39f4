"""Prediction intervals with a coverage that can be promised: split conformal prediction.

The promise holds on average over calibration parts, for rows exchangeable with the calibration rows; drift breaks it.
Source: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005; Lei et al., JASA 2018, algorithm 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.bootstrap import wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg

_ROUNDING = 1e-9  # (n + 1) · alpha that is a whole number must stay one in floating point


@dataclass(frozen=True, slots=True)
class Interval:
    """prediction ± half_width holds the truth with probability ≥ 1 - alpha. `half_width` is in the target's unit.

    Made from `n` held-out rows; it is the k-th smallest of their absolute residuals. `half_width` is None exactly when
    `why_not` says why.
    """

    half_width: float | None
    alpha: float
    n: int
    k: int
    why_not: Message | None = None

    @property
    def is_defined(self) -> bool:
        return self.half_width is not None

    @property
    def promised(self) -> float:
        """The coverage that is promised, k / (n + 1); 0 when there is no interval."""
        return self.k / (self.n + 1) if self.is_defined else 0.0


def smallest_n(alpha: float) -> int:
    """The fewest held-out rows that can promise coverage 1 - alpha: 1/alpha - 1, rounded up (9 for 10 %)."""
    return math.ceil(1 / alpha - 1 - _ROUNDING)


def split_conformal(abs_residuals: ArrayLike, alpha: float = 0.1) -> Interval:
    """The half width from absolute residuals of held-out rows, with k = ⌈(n+1)(1-alpha)⌉.

    Args:
        abs_residuals: (n,) |truth - prediction| on rows the model was not fitted on; NaN is left out.
        alpha: Share of rows that may fall outside, between 0 and 1.

    Degenerate cases: n < 1/alpha - 1, also n = 0: no interval, with the reason and the rows needed. A k-th residual
    that is infinite: no interval. All residuals equal: that width.

    Example:
        >>> split_conformal([0.1 * i for i in range(1, 20)], alpha=0.1).k
        18
    """
    residuals = np.asarray(abs_residuals, dtype=np.float64)
    residuals = np.sort(np.abs(residuals[~np.isnan(residuals)]))
    n = len(residuals)
    k = (n + 1) - math.floor((n + 1) * alpha + _ROUNDING)
    if k > n:
        reason = msg(
            "An interval at {level} % needs {needed} held-out rows; there are {n}.",
            level=round(100 * (1 - alpha), 6),
            needed=smallest_n(alpha),
            n=n,
        )
        return Interval(None, alpha, n, k, reason)
    width = float(residuals[k - 1])
    if not math.isfinite(width):
        return Interval(None, alpha, n, k, msg("Too many predictions on held-out rows are infinite."))
    return Interval(width, alpha, n, k)


def measured_coverage(truth: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Metric:
    """Share of rows whose truth lies in [lower, upper], ends included, with a 95 % Wilson interval.

    Rows with a NaN in any of the three (n_rows,) arrays are left out; no row left: not defined.
    """
    y, low, high = (np.asarray(a, dtype=np.float64) for a in (truth, lower, upper))
    known = ~(np.isnan(y) | np.isnan(low) | np.isnan(high))
    n = int(known.sum())
    if n == 0:
        return not_defined("coverage", 0, msg("There is no row with a true value and an interval."))
    inside = int(np.count_nonzero((y >= low)[known] & (y <= high)[known]))
    return Metric("coverage", inside / n, n, *wilson_bounds(inside, n))
