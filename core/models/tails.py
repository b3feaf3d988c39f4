"""How far out in the tails of the training rows a value lies: what ECOD and COPOD add up over the columns.

PyOD scores new rows together with all others of the call, so that a row's score there depends on its company. Here
each row is added to the training rows alone: the score of a row is the same in any batch, and equals PyOD's for
that row in a call of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SMALLEST_SPREAD = 2.220446049250313e-16


def tail_arrays(inputs: Floats, is_copula: bool) -> dict[str, Floats]:
    """What `tail_parts` needs of training rows (n, d): columns in rising order, and mean, Σ(x − mean)², Σ(x − mean)³."""
    mean = inputs.mean(axis=0)
    centred = inputs - mean
    moments = np.stack([mean, (centred**2).sum(axis=0), (centred**3).sum(axis=0)])
    return {"sorted": np.sort(inputs, axis=0), "moments": moments, "is_copula": np.array(float(is_copula))}


def tail_parts(ordered: Floats, moments: Floats, rows: Floats, *, is_copula: bool) -> Floats:
    """The part (m, d) of each column of rows (m, d); a row's score is their sum.

    With the row added to n training rows: left = −ln(share of values ≤ x), right = −ln(share ≥ x), both = left where
    the column is skewed to the left, right where to the right, their sum where neither. ECOD: max(left, right, both).
    COPOD: max(both, (left + right) / 2).

    Sources: Li, Zhao, Hu, Botta, Ionescu, Chen (2022), TKDE, algorithm 1; Li, Zhao, Botta, Ionescu, Hu (2020), ICDM;
    "both" where the skewness is 0 as in PyOD.
    """
    n = len(ordered)
    at_most, below = np.empty_like(rows), np.empty_like(rows)
    for j in range(rows.shape[1]):
        at_most[:, j] = np.searchsorted(ordered[:, j], rows[:, j], side="right")
        below[:, j] = np.searchsorted(ordered[:, j], rows[:, j], side="left")
    left = -np.log((at_most + 1) / (n + 1))
    right = -np.log((n - below + 1) / (n + 1))
    skewed = _skew_sign(moments, n, rows)
    both = np.where(skewed > 0, right, np.where(skewed < 0, left, left + right))
    return np.maximum(both, (left + right) / 2 if is_copula else np.maximum(left, right))


def _skew_sign(moments: Floats, n: int, rows: Floats) -> Floats:
    """Sign (m, d) of each column's skewness with the row added; 0 for a column that does not vary.

    Source: one-pass update of central moments, Pébay (2008), SAND2008-6212, equations 2.1 to 2.3.
    """
    mean, second, third = moments
    step = rows - mean
    total = n + 1
    new_second = second + step**2 * n / total
    new_third = third + step**3 * n * (n - 1) / total**2 - 3 * step * second / total
    new_mean = mean + step / total
    varies = new_second / total > (SMALLEST_SPREAD * new_mean) ** 2
    return np.where(varies, np.sign(new_third), 0.0)
