"""The arithmetic of histograms, next to the drawing code."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def bin_values(
    values: ArrayLike, n_bins: int = 40, span: tuple[float, float] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges (n_bins + 1,) and counts (n_bins,) of the finite values; without any, edges 0 to 1 and counts 0.

    `span` fixes the range; values outside it are counted in the first or last bin, so that none is lost.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if span is None:
        span = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    low, high = span
    if not high > low:
        width = max(abs(low), 1.0) * 1e-3
        low, high = low - width, low + width
    edges = np.linspace(low, high, n_bins + 1)
    counts, _ = np.histogram(np.clip(finite, low, high), bins=edges)
    return edges, counts.astype(np.int64)
