"""How many rows a season of a series has, read from its autocorrelation on the training part.

Rule. The autocorrelation of the series, less a straight line, is taken at lags from 2 to a third of the longest series,
at most 10,080 (a week of minutes). A season is a local peak of it that is at least 0.2 high and stands at least 0.1 above the lowest value before it, so
that the slow fall of a drifting series is none. Of several the highest counts, which is the week and not the day where weekends
differ; of those within 2/√n of it, n rows in all, the shortest, because twice a season is one too and only chance makes it look
better; then the highest peak at most 5 % longer, as a long smooth season has many small ones. No such peak: 1, no season.

Source of the estimate: Box, Jenkins, Reinsel (2008), Time Series Analysis, section 2.1.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST_SEASON = 10_080  # a week of minutes
LEAST_HEIGHT, LEAST_RISE = 0.2, 0.1
NEAR = 1.05  # times the first peak
CYCLES = 3  # seasons that the longest series has to show
MOST_ROWS = 100_000  # of each series, the latest


def autocorrelation(series: Sequence[NDArray[np.float64]], most_lags: int) -> NDArray[np.float64]:
    """The autocorrelation at lags 0 to `most_lags`, (most_lags + 1,), of several series together.

    r_k = mean (x_t − x̄_t)(x_{t+k} − x̄_{t+k}) / mean (x_t − x̄_t)², means over the rows of all series that have a partner and x̄
    the straight line through each series. Means and not sums, else a longer season would look weaker for its length alone.
    All series constant, or no series that long: NaN but r_0 = 1.

    Example:
        >>> autocorrelation([np.array([1.0, -1.0] * 50)], 2).round(2).tolist()
        [1.0, -1.0, 1.0]
    """
    total, counts = np.zeros(most_lags + 1), np.zeros(most_lags + 1)
    for values in series:
        n = len(values)
        if n < 3:
            continue
        steps = np.arange(n) - (n - 1) / 2
        rest = values - values.mean()
        rest = rest - steps * (steps @ rest) / (steps @ steps)
        size = 1 << int(np.ceil(np.log2(2 * n)))
        waves = np.fft.rfft(rest, size)
        found = np.fft.irfft(waves * np.conj(waves), size)[: min(n, most_lags + 1)]
        total[: len(found)] += found
        counts += np.maximum(n - np.arange(most_lags + 1), 0)
    if total[0] <= 0:
        return np.concatenate([[1.0], np.full(most_lags, np.nan)])
    means = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
    return means / means[0]


def find_season(series: Sequence[NDArray[np.float64]]) -> int:
    """Rows of a season by the rule above, 1 where there is none; empty cells are carried forward.

    Args:
        series: The target of each unbroken series of the training part, in order of time, each (n,).
    """
    known = [carried_forward(values[-MOST_ROWS:]) for values in series]
    known = [values for values in known if len(values) >= 2 * CYCLES]
    if not known:
        return 1
    most = min(LONGEST_SEASON, max(len(values) for values in known) // CYCLES)
    found = autocorrelation(known, most + 1)
    if not np.isfinite(found).all():
        return 1
    lags = np.arange(2, most + 1)
    is_peak = (found[lags] > found[lags - 1]) & (found[lags] >= found[lags + 1])
    lowest = np.minimum.accumulate(found)[lags - 1]
    lags = lags[is_peak & (found[lags] >= LEAST_HEIGHT) & (found[lags] - lowest >= LEAST_RISE)]
    if not len(lags):
        return 1
    chance = 2 / np.sqrt(sum(len(values) for values in known))
    first = int(lags[found[lags] >= found[lags].max() - chance][0])
    near = lags[(lags >= first) & (lags <= NEAR * first)]  # a long, smooth season has many small peaks around its own
    return int(near[np.argmax(found[near])])


def carried_forward(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with each empty one replaced by the last known before it; those before the first known are left out."""
    known = np.isfinite(values)
    if known.all():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.asarray(values[last[last >= 0]])
