"""Performance indices Pp and Ppk against the customer's specification limits, with their interval.

Long-term: the standard deviation is that of all values (n − 1), so that shifts and drift count. It does not look
whether the process is stable or normal; who shows the figure says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.messages import msg
from core.spc.individuals import NotDefined

FEWEST_VALUES = 30
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Capability:
    """Pp and Ppk of `n` values; intervals are two-sided 95 %.

    `pp` and its interval are None with one limit. `outside` is the share of the values beyond the limits, 0 to 1.
    """

    n: int
    mean: float
    sd: float
    ppk: float
    ppk_low: float
    ppk_high: float
    pp: float | None
    pp_low: float | None
    pp_high: float | None
    outside: float


def capability(values: ArrayLike, lower: float | None, upper: float | None) -> Capability | NotDefined:
    """Pp = (USL − LSL) / 6s and Ppk = min(USL − x̄, x̄ − LSL) / 3s; with one limit only its own side counts.

    Intervals: Pp by the chi-square distribution of (n − 1)s²/σ²; Ppk by the normal approximation
    Ppk ± z · sqrt(1 / (9n) + Ppk² / (2(n − 1))).

    Args:
        values: (n,) column unit, NaN where empty.
        lower, upper: Specification limits, column unit; None where there is none.

    Degenerate cases: no limit, fewer than 30 values, or values without spread: `NotDefined`. A mean outside the limits
    gives a negative Ppk.

    Source: Montgomery (2013), eq. 8.9 and 8.20; Bissell, "How Reliable is Your Capability Index?", Applied Statistics
    39 (1990) 331-340; ISO 22514-2:2017 for the names.
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    if lower is None and upper is None:
        return NotDefined(msg("there is no specification limit"))
    if len(x) < FEWEST_VALUES:
        return NotDefined(msg("capability needs at least {n} values, and there are {m}", n=FEWEST_VALUES, m=len(x)))
    n, mean, sd = len(x), float(x.mean()), float(x.std(ddof=1))
    if sd <= 8 * np.finfo(np.float64).eps * abs(mean):
        return NotDefined(msg("the values do not spread"))
    sides = ([] if upper is None else [upper - mean]) + ([] if lower is None else [mean - lower])
    ppk = min(sides) / (3 * sd)
    from scipy.stats import norm

    reach = float(norm.ppf(0.5 + CONFIDENCE / 2)) * float(np.sqrt(1 / (9 * n) + ppk**2 / (2 * (n - 1))))
    beyond = (np.zeros(n, bool) if lower is None else x < lower) | (np.zeros(n, bool) if upper is None else x > upper)
    pp, pp_low, pp_high = _pp(n, sd, lower, upper)
    return Capability(n, mean, sd, ppk, ppk - reach, ppk + reach, pp, pp_low, pp_high, float(beyond.mean()))


def _pp(n: int, sd: float, lower: float | None, upper: float | None) -> tuple[float, float, float] | tuple[None, None, None]:
    """Pp with its interval; three times None with one limit."""
    if lower is None or upper is None:
        return None, None, None
    from scipy.stats import chi2

    pp, tail = (upper - lower) / (6 * sd), (1 - CONFIDENCE) / 2
    low, high = (float(np.sqrt(chi2.ppf(q, n - 1) / (n - 1))) for q in (tail, 1 - tail))
    return pp, pp * low, pp * high
