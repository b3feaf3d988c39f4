"""The score of the PHM 2008 challenge for remaining life: late predictions cost more than early ones.

Source: Saxena, Goebel, Simon, Eklund, "Damage propagation modeling for aircraft engine run-to-failure simulation",
PHM 2008, equation for the asymmetric score (a1 = 10 for late, a2 = 13 for early).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.result import Metric, not_defined
from core.messages import msg

EARLY, LATE = 13.0, 10.0


def phm08_score(truth: ArrayLike, prediction: ArrayLike) -> Metric:
    """Σ s with s = exp(-d/13) - 1 for d < 0 and exp(d/10) - 1 for d ≥ 0, where d = prediction - truth in cycles.

    Lower is better, 0 is perfect. It is a sum, so only scores on the same rows can be compared; no interval is given.

    Args:
        truth, prediction: (n,) remaining life, usually one row a unit; rows where either is NaN are left out.

    Degenerate cases: no row: not defined. An error so large that the sum overflows: not defined.

    Example:
        >>> round(phm08_score([100, 100], [110, 87]).value, 4)
        3.4366
    """
    error = np.asarray(prediction, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    error = error[~np.isnan(error)]
    if not len(error):
        return not_defined("phm08", 0, msg("There is no row with both a true value and a prediction."))
    with np.errstate(over="ignore"):
        total = float(np.expm1(np.where(error < 0, -error / EARLY, error / LATE)).sum())
    if not np.isfinite(total):
        return not_defined("phm08", len(error), msg("A prediction is so far off that the score has no finite value."))
    return Metric("phm08", total, len(error))
