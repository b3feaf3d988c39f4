"""The recursion behind EWMA and MEWMA, without scipy.signal, whose import takes longer than a million steps of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.spc.chart import Floats


def smoothed(values: Floats, weight: float) -> Floats:
    """zᵢ = λ xᵢ + (1 − λ) zᵢ₋₁ from z₀ = 0, of values (n,) or of each column of (n, p), none empty.

    Args:
        weight: λ, above 0 and at most 1.

    Degenerate cases: no values: none.

    Example:
        >>> smoothed(np.array([1.0, 0.0, 4.0]), 0.5).tolist()
        [0.5, 0.25, 2.125]
    """
    before = np.concatenate([np.zeros_like(values[:1]), values])  # pandas begins with the first value, which shall be 0
    found = pd.DataFrame(before).ewm(alpha=weight, adjust=False).mean().to_numpy()[1:]
    return np.asarray(found[:, 0] if values.ndim == 1 else found, dtype=np.float64)
