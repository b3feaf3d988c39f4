"""How rare a score was in training: its rank as −ln of the share of training scores at least as high.

Ranks make detectors comparable, but all scores above the largest training score would tie. Above the 95 % quantile u
the share therefore follows a Pareto tail, (s ÷ u)^(−1 ÷ γ), with Hill's γ, the mean of ln(s ÷ u) over the scores above u.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KEPT = 2_000
TAIL_SHARE = 0.05
SMALLEST_SHAPE = 1e-3
SMALLEST_SCORE = 1e-12


def rarity_arrays(scores: Floats) -> dict[str, Floats]:
    """From training scores (n,), never negative: at most 2,000 quantiles in rising order, and γ of the tail."""
    known = np.sort(scores[np.isfinite(scores)])
    quantiles = known if len(known) <= KEPT else np.quantile(known, np.linspace(0, 1, KEPT))
    start = max(float(np.quantile(known, 1 - TAIL_SHARE)), SMALLEST_SCORE)
    above = known[known > start]
    shape = float(np.log(above / start).mean()) if len(above) else SMALLEST_SHAPE
    return {"ranks": quantiles, "tail": np.array([start, max(shape, SMALLEST_SHAPE)])}


def rarity(arrays: Mapping[str, Floats], scores: Floats) -> Floats:
    """−ln of the share of training scores at least as high, (n,), 0 and above; NaN stays NaN.

    Below the start of the tail the share is (k + 1) ÷ (n + 1) with k of the n kept quantiles at least as high.
    """
    ranks, (start, shape) = arrays["ranks"], arrays["tail"]
    n = len(ranks)
    share = (n - np.searchsorted(ranks, scores, side="left") + 1) / (n + 1)
    beyond = -np.log(TAIL_SHARE) + np.log(np.maximum(scores, start) / start) / shape
    found = np.where(scores > start, beyond, np.minimum(-np.log(share), -np.log(TAIL_SHARE)))
    return np.where(np.isnan(scores), np.nan, found)


def combined_scores(scores: Floats, is_maximum: bool) -> Floats:
    """The members' rarities (n, m) as one score (n,)."""
    return scores.max(axis=1) if is_maximum else scores.mean(axis=1)
