"""How the values of a series hang on the ones before: portmanteau tests, block length and clusters of high values.

A control chart promises its false alarms for independent points. What is here says whether points are independent, in their
level and in their spread, and how much fewer independent values a series is worth in its tail. An empty value joins nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.spc.chart import Floats, Phases

PLAIN_LAGS = 10
"""Lags of a portmanteau test of plain series (Hyndman and Athanasopoulos 2021, section 5.4), beyond those a model was fitted to."""
MOST_LAGS = 60
FEW_LAGS = 64  # so many products one by one are quicker than the transform


@dataclass(frozen=True, slots=True)
class Portmanteau:
    """A test that no autocorrelation up to `lags` differs from 0: its statistic, the chance of as large a one, and `n` values."""

    statistic: float
    p_value: float
    lags: int
    n: int


def laid_out(x: Floats, of: Phases, space: int) -> Floats:
    """The stretches one after the other with `space` empty places between, so that lags up to it reach over no border."""
    gap = np.full(space, np.nan)
    return np.concatenate([piece for part in of.stretches for piece in (x[part], gap)] or [x])


def autocovariances(x: ArrayLike, most: int) -> tuple[Floats, NDArray[np.int64]]:
    """Sums of products of neighbours around the mean at lags 0 to `most`, (most + 1,), and how many pairs each has.

    Args:
        x: (n,) in order, NaN where empty; only pairs of which both are there count (Parzen 1963).
        most: The longest lag.
    """
    from scipy.fft import next_fast_len

    values = np.asarray(x, dtype=np.float64)
    known = np.isfinite(values)
    rest = np.where(known, values - values[known].mean() if known.any() else 0.0, 0.0)
    size = next_fast_len(len(rest) + most + 1)  # room for the longest lag, so that nothing meets the other end

    def products(a: Floats) -> Floats:
        if most <= FEW_LAGS:
            return np.array([a[: max(0, len(a) - k)] @ a[k:] for k in range(most + 1)])
        waves = np.fft.rfft(a, size)
        return np.fft.irfft(waves * np.conj(waves), size)[: most + 1]

    sums, pairs = products(rest), np.rint(products(known.astype(np.float64))).astype(np.int64)
    beyond = np.arange(most + 1) >= len(rest)
    sums[beyond], pairs[beyond] = 0.0, 0
    return sums, pairs


def autocorrelations(x: ArrayLike, most: int) -> Floats:
    """r_k at lags 0 to `most`, (most + 1,): mean product of neighbours over mean square. A constant series: 1, then NaN.

    Source: Box, Jenkins and Reinsel, Time Series Analysis (4th ed., 2008), section 2.1.5.
    """
    sums, pairs = autocovariances(x, most)
    if not sums[0] > 0:
        return np.concatenate([[1.0], np.full(most, np.nan)])
    means = np.divide(sums, pairs, out=np.zeros(most + 1), where=pairs > 0)
    return np.asarray(means / means[0])


def ljung_box(x: ArrayLike, lags: int = PLAIN_LAGS, fitted: int = 0) -> Portmanteau:
    """Ljung-Box test of a series, or of the residuals of a model with `fitted` coefficients on earlier values.

    Q = n(n + 2) Σ r_k² / n_k over lags 1 to `lags`, with n_k = n − k pairs where no value is empty, held against χ² with
    lags − fitted degrees of freedom.

    Args:
        x: (n,) in order, NaN where empty.
        lags: Above `fitted`.

    Degenerate cases: a constant series, or fewer values than lags: statistic 0, p 1.

    Source: Ljung and Box, "On a Measure of Lack of Fit in Time Series Models", Biometrika 65 (1978) 297-303.

    Example:
        >>> ljung_box([1.0, -1.0] * 50).p_value < 1e-6
        True
    """
    if not lags > fitted:
        raise ValueError(f"a test of {lags} lags has no degree of freedom beside {fitted} fitted coefficients")
    sums, pairs = autocovariances(x, lags)
    n = int(pairs[0])
    if not sums[0] > 0 or n <= lags:
        return Portmanteau(0.0, 1.0, lags, n)
    from scipy.special import chdtrc

    r = sums[1:] / sums[0]
    used = pairs[1:] > 0
    statistic = float(n * (n + 2) * np.sum(r[used] ** 2 / pairs[1:][used]))
    return Portmanteau(statistic, float(chdtrc(int(used.sum()) - fitted, statistic)), lags, n)


def spread_test(x: ArrayLike, lags: int = PLAIN_LAGS) -> Portmanteau:
    """Whether calm and restless stretches alternate: Ljung-Box on the ranks of the distances from the median.

    McLeod and Li test squares; ranks keep the test where tails are so heavy that squares have no variance.

    Source: McLeod and Li, "Diagnostic Checking ARMA Time Series Models Using Squared-Residual Autocorrelations", Journal of Time Series
    Analysis 4 (1983) 269-273; ranks: Dufour and Roy, "Generalized Portmanteau Statistics and Tests of Randomness", Communications in
    Statistics 15 (1986) 2953-2972.
    """
    values = np.array(x, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return Portmanteau(0.0, 1.0, lags, 0)
    values[known] = pd.Series(np.abs(values[known] - np.median(values[known]))).rank().to_numpy()
    return ljung_box(values, lags)


def block_length(x: ArrayLike) -> int:
    """Rows of a block after which a series has forgotten, for a block bootstrap: Politis and White's rule, 1 for an independent one.

    m is the smallest lag after which max(5, √log₁₀ n) autocorrelations lie within ±2√(log₁₀ n / n); with the flat-top window λ over 2m lags,
    G = Σ λ |k| R(k), g = Σ λ R(k), b = (2G² / (4/3 · g²))^⅓ n^⅓, at most 3√n and n / 3.

    Args:
        x: (n,) in order, NaN where empty.

    Source: Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews 23 (2004) 53-70, with the
    correction by Patton, Politis and White, Econometric Reviews 28 (2009) 372-375 (circular bootstrap).
    """
    values = np.asarray(x, dtype=np.float64)
    n = int(np.isfinite(values).sum())
    if n < 10:
        return 1
    in_a_row = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    most = min(int(np.ceil(np.sqrt(n))) + in_a_row, len(values) - 1)
    r = autocorrelations(values, most)
    if not np.isfinite(r).all():
        return 1
    small = np.abs(r[1:]) < 2 * np.sqrt(np.log10(n) / n)
    runs = np.convolve(small, np.ones(in_a_row, np.int64), "valid") == in_a_row if len(small) >= in_a_row else np.zeros(0, bool)
    m = int(np.argmax(runs)) if runs.any() else int(np.flatnonzero(~small)[-1]) + 1
    if m == 0:
        return 1
    reach = min(2 * m, most)
    k = np.arange(1, reach + 1)
    window = np.clip(2 * (1 - k / reach), 0, 1)
    total = 2 * float(np.sum(window * k * r[k]))
    level = 1 + 2 * float(np.sum(window * r[k]))
    longest = int(np.ceil(min(3 * np.sqrt(n), n / 3)))
    if abs(level) < 1e-9:
        return longest
    return int(np.clip(np.ceil((2 * total**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3)), 1, longest))


def mean_cluster(x: ArrayLike, share: float = 0.05) -> float:
    """How many of the highest values come together on average, 1 where they come alone: 1 / extremal index.

    The intervals estimator, on the distances T between values above the (1 − share) quantile: θ = 2(Σ(T − 1))² / (N Σ(T − 1)(T − 2)), or
    2(ΣT)² / (N ΣT²) where no T is above 2, at most 1. It needs no length of a run.

    Args:
        x: (n,) in order, NaN where empty.
        share: Of values that count as high; at least 20 of them are taken.

    Degenerate cases: fewer than 11 values above the cut: 1.

    Source: Ferro and Segers, "Inference for Clusters of Extreme Values", Journal of the Royal Statistical Society B 65 (2003) 545-556; what the index
    means: Leadbetter, "Extremes and Local Dependence in Stationary Sequences", Zeitschrift für Wahrscheinlichkeitstheorie 65 (1983) 291-306.
    """
    values = np.asarray(x, dtype=np.float64)
    known = values[np.isfinite(values)]
    n = len(known)
    high = max(20, int(share * n))
    if n <= high:
        return 1.0
    cut = np.partition(known, n - high - 1)[n - high - 1]
    # Only order among known values is known to the promise, so that a gap is not a distance.
    steps = np.diff(np.flatnonzero(known > cut)).astype(np.float64)
    if len(steps) < 10:
        return 1.0
    if steps.max() <= 2:
        theta = 2 * steps.sum() ** 2 / (len(steps) * np.sum(steps**2))
    else:
        theta = 2 * np.sum(steps - 1) ** 2 / (len(steps) * np.sum((steps - 1) * (steps - 2)))
    return float(1 / np.clip(theta, 1 / len(steps), 1))
