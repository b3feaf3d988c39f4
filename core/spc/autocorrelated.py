"""What a process says of its next value: a seasonal part, an autoregression or a moving centre line, fitted on Phase I.

The chart of an autocorrelated process is one of one-step residuals (Alwan and Roberts 1988): what remains of each value once what the values
before it said is taken away is independent, so that limits for independent points hold. A level that wanders has no autoregression
that stays near its mean; there the centre line moves as an EWMA of the values before (Montgomery and Mastrangelo 1991).

Sources: Alwan and Roberts, "Time-Series Modeling for Statistical Process Control", Journal of Business & Economic Statistics 6 (1988) 87-95;
Montgomery and Mastrangelo, "Some Statistical Process Control Methods for Autocorrelated Data", Journal of Quality Technology 23 (1991) 179-193.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.spc.chart import Floats, Phases
from core.spc.serial import autocovariances, laid_out
from core.spc.smoothing import smoothed

MOST_ORDER = 24
FIT_ROWS = 100_000
"""A model is fitted on the latest so many rows of Phase I; its few coefficients gain nothing from more."""
ROWS_A_COEFFICIENT = 20
WEIGHTS = np.round(np.concatenate([np.arange(0.02, 0.2, 0.02), np.arange(0.2, 1.0001, 0.05)]), 2)
PIECE_ROWS = 4096
"""Rows that are fitted at a time, so that what they are fitted by stays in the processor's cache."""
WAVES = (0, 1, 2, 3, 4, 6, 8, 12)


@dataclass(frozen=True, slots=True)
class Predictor:
    """What is expected of each value before it is there; frozen once it is fitted.

    `constant` in the unit of the values; `ar` (p,) coefficients on the values 1 to p rows before; `waves` (2K,) cosine and sine of the
    first K harmonics of `period` rows, 1 where there is no season; `weight` λ of a moving centre line, NaN for none.
    `fitted` counts the coefficients. `gain_error` is the relative variance of what the residuals keep of a slow change: of 1 − Σφ of an
    autoregression, of λ of a moving centre line.
    """

    kind: Literal["level", "AR", "moving centre"]
    constant: float
    ar: Floats
    period: int
    waves: Floats
    weight: float
    gain_error: float = 0.0

    def __post_init__(self) -> None:
        self.ar.flags.writeable = self.waves.flags.writeable = False

    @property
    def order(self) -> int:
        """p of the autoregression, 0 for the others."""
        return len(self.ar)

    @property
    def fitted(self) -> int:
        return 1 + len(self.ar) + len(self.waves)

    @property
    def keeps(self) -> float:
        """The share of a lasting shift that residuals keep showing once it is in the values before: 1 − Σφ, 0 for a moving centre."""
        return 0.0 if self.kind == "moving centre" else 1.0 - float(self.ar.sum())

    def expected(self, x: Floats, of: Phases, phase: NDArray[np.int64]) -> Floats:
        """What was expected of each value (n,), NaN where a value that it hangs on is empty or lies before the stretch.

        Args:
            x: (n,) values in order, NaN where empty.
            of: Stretches; nothing reaches over their borders.
            phase: (n,) the place of each row in time, in rows, from which the season counts.
        """
        season = seasonal(phase, self.period, len(self.waves) // 2) @ self.waves
        if self.kind == "moving centre":
            return season + _moving_centre(x - season, of, self.weight)
        found = self.constant + season
        for k, weight in enumerate(self.ar, start=1):  # one lag at a time: all of them together would be read from memory
            for part in of.stretches:
                begin = min(part.start + k, part.stop)
                found[part.start : begin] = np.nan
                found[begin : part.stop] += weight * x[begin - k : part.stop - k] if begin < part.stop else 0.0
        return found


def seasonal(phase: NDArray[np.int64], period: int, waves: int) -> Floats:
    """Cosine and sine of the first harmonics of a period at each place, (n, 2 · waves).

    The sine of the harmonic that turns every second row is 0 at every place; its column is then left at 0.
    """
    if not waves:
        return np.zeros((len(phase), 0))
    angle = 2 * np.pi * np.outer(phase % period, np.arange(1, waves + 1)) / period
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def lagged(x: Floats, of: Phases, order: int, start: int = 0, stop: int | None = None) -> Floats:
    """The values 1 to `order` rows before each row from `start` to `stop`, (stop - start, order), NaN where they lie before the stretch."""
    stop = len(x) if stop is None else stop
    found = np.full((stop - start, order), np.nan)
    first = int(np.searchsorted(of.bounds, start, side="right")) - 1
    for begin, end in zip(of.bounds[first:-1].tolist(), of.bounds[first + 1 :].tolist(), strict=True):
        if begin >= stop:
            break
        for k in range(1, order + 1):
            one, last = max(begin + k, start), min(end, stop)
            if one < last:
                found[one - start : last - start, k - 1] = x[one - k : last - k]
    return found


def order_by_aic(x: Floats, of: Phases, most: int) -> int:
    """The order 0 to `most` of an autoregression: the smallest n ln σ²_p + 2p, σ²_p by Durbin and Levinson's recursion.

    Source: Akaike, "A New Look at the Statistical Model Identification", IEEE Transactions on Automatic Control 19 (1974) 716-723; Brockwell and
    Davis, Time Series: Theory and Methods (2nd ed., 1991), proposition 5.2.1.
    """
    return int(np.argmin(_aic(x, of, most)))


def _aic(x: Floats, of: Phases, most: int) -> Floats:
    """Akaike's criterion of each order, (most + 1,); infinite where the recursion ends because nothing is left."""
    sums, pairs = autocovariances(laid_out(x, of, most), most)
    n, found = int(pairs[0]), np.full(most + 1, np.inf)
    if not sums[0] > 0:
        found[0] = 0.0
        return found
    c, left = sums / n, float(sums[0] / n)
    phi = np.zeros(0)
    for p in range(most + 1):
        if p:
            last = (c[p] - phi @ c[1:p][::-1]) / left
            phi = np.append(phi - last * phi[::-1], last)
            left *= 1 - last**2
            if not left > 1e-12 * c[0]:
                break
        found[p] = n * np.log(left) + 2 * p
    return found


def fit_predictor(
    x: Floats, of: Phases, phase: NDArray[np.int64], *, period: int = 1, waves: int = 0, order: int = 0
) -> tuple[Predictor, Floats]:
    """Constant, season and autoregression by least squares, and the residuals (n,) of Phase I, each as if it had been left out.

    Leaving a row out changes its residual to e / (1 − h), h its leverage: the residuals are then as large as those of rows to come.
    Rows that the fit did not see (those before the latest 100,000 of Phase I) keep e.

    Args:
        x: (n,) values, NaN where empty; the fit uses baseline rows with a known past.

    Raises:
        ValueError: Fewer rows than coefficients.

    Source: leverages: Montgomery, Peck and Vining, Introduction to Linear Regression Analysis (5th ed., 2012), section 4.2.
    """
    known = of.baseline & np.isfinite(x)
    if not known.any():
        raise ValueError("no row of Phase I has a value")
    middle, size = float(x[known].mean()), float(x[known].std()) or 1.0
    scaled = (x - middle) / size
    usable = np.flatnonzero(known & _has_past(scaled, of, order))
    rows, width = usable[-FIT_ROWS:], 1 + order + 2 * waves
    if len(rows) <= width:
        raise ValueError(f"{len(rows)} rows cannot give {width} coefficients")
    is_usable, is_fit = np.zeros((2, len(x)), bool)
    is_usable[usable] = is_fit[rows] = True
    squares, products = np.zeros((width, width)), np.zeros(width)
    for part, seen in _designs(scaled, of, phase, period, waves, order, is_fit):
        squares += seen.T @ seen
        products += seen.T @ scaled[part]
    lengths, ways = np.linalg.eigh(squares)
    kept = lengths > 1e-10 * lengths[-1]  # a harmonic that is 0 at every row has no coefficient
    white = ways[:, kept] / np.sqrt(lengths[kept])
    found = white @ (white.T @ products)
    residuals = np.full(len(x), np.nan)
    for part, seen in _designs(scaled, of, phase, period, waves, order, is_usable):
        leverage = np.where(is_fit[part], np.sum((seen @ white) ** 2, axis=1), 0.0)
        residuals[part] = (scaled[part] - seen @ found) / np.maximum(1 - leverage, 0.5)
    ar, season = found[1 : order + 1].copy(), size * found[order + 1 :]
    error = float(np.mean(residuals[rows] ** 2) * np.sum(white[1 : order + 1].sum(axis=0) ** 2))
    keeps = 1 - float(ar.sum())
    constant = size * float(found[0]) + middle * keeps
    kind: Literal["level", "AR"] = "AR" if order else "level"
    return Predictor(kind, constant, ar, period, season, np.nan, error / max(keeps, 1e-3) ** 2), size * residuals


def _has_past(x: Floats, of: Phases, order: int) -> NDArray[np.bool_]:
    """Which rows have `order` known values before them in their stretch, bool (n,)."""
    empty = np.concatenate([[0], np.cumsum(~np.isfinite(x))])
    found = np.zeros(len(x), bool)
    for part in of.stretches:
        at = np.arange(min(part.start + order, part.stop), part.stop)
        found[at] = empty[at] == empty[at - order]
    return found


def _designs(
    x: Floats, of: Phases, phase: NDArray[np.int64], period: int, waves: int, order: int, wanted: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """The wanted rows with what they are fitted by, (m, 1 + order + 2 waves), in pieces that stay in the processor's cache."""
    at = np.flatnonzero(wanted)
    for start in range(int(at[0]), int(at[-1]) + 1, PIECE_ROWS):
        stop = min(start + PIECE_ROWS, int(at[-1]) + 1)
        rows = np.flatnonzero(wanted[start:stop]) + start
        if not len(rows):
            continue
        design = np.ones((stop - start, 1 + order + 2 * waves))
        design[:, 1 : order + 1] = lagged(x, of, order, start, stop)
        design[:, order + 1 :] = seasonal(phase[start:stop], period, waves)
        yield rows, design if len(rows) == stop - start else design[rows - start]


def choose_waves(x: Floats, of: Phases, phase: NDArray[np.int64], period: int) -> int:
    """How many harmonics of a period the season has: the number with the smallest n ln σ² + (2K + p) ln n, 0 for no season.

    σ² is that after an autoregression of the order that Akaike's criterion gives, so that a process that only swings for a while
    is not taken for a season. At most 12 harmonics, half the period, and one coefficient for 20 rows; three numbers in a row that are worse
    end the search.

    Source: Schwarz, "Estimating the Dimension of a Model", Annals of Statistics 6 (1978) 461-464; harmonics: Hyndman and Athanasopoulos,
    Forecasting: Principles and Practice (3rd ed., 2021), section 7.4.
    """
    n = int((of.baseline & np.isfinite(x)).sum())
    most = min(period // 2, n // (2 * ROWS_A_COEFFICIENT))
    tried = sorted({k for k in (*WAVES, most) if k <= min(most, WAVES[-1])})
    best, found, worse = np.inf, 0, 0
    for k in tried:
        rest = fit_predictor(x, of, phase, period=period, waves=k)[1]
        criterion = _aic(rest, of, highest_order(n))
        p = int(np.argmin(criterion))
        value = float(criterion[p]) - 2 * p + (p + 2 * k) * np.log(n)
        if value < best:
            best, found, worse = value, k, 0
        else:
            worse += 1
        if worse == 3:
            break
    return found


def nearest_period(x: Floats, of: Phases, phase: NDArray[np.int64], period: int) -> int:
    """The period within 2 rows of one that was read from the autocorrelation whose first two harmonics leave least on Phase I.

    A peak of the autocorrelation is flat, and noise moves it by a row; an error of one row in 24 is half a season after 12.
    """
    tried = [p for p in range(period - 2, period + 3) if p >= 2]
    left = [float(np.nanmean(fit_predictor(x, of, phase, period=p, waves=min(2, p // 2))[1] ** 2)) for p in tried]
    return tried[int(np.argmin(left))]


def highest_order(n: int) -> int:
    """The longest autoregression that n values can choose among: 10 log₁₀ n, at most 24 and one coefficient for 20 values."""
    return int(max(0, min(MOST_ORDER, 10 * np.log10(max(n, 1)), n // ROWS_A_COEFFICIENT)))


def fit_moving_centre(
    x: Floats, of: Phases, phase: NDArray[np.int64], season: Predictor | None = None
) -> tuple[Predictor, Floats]:
    """The moving centre line whose one-step residuals have the smallest mean square on Phase I, and those residuals (n,).

    The relative variance of λ is (2 − λ) / (λ n), as 1 − λ is the coefficient of a moving average (Box, Jenkins and Reinsel 2008, section 7.2.6).
    The line is zₜ = λxₜ + (1 − λ)zₜ₋₁, and zₜ₋₁ is expected of xₜ; λ of 0.02 to 1. It is exact for a level that makes
    independent steps under independent noise. A season that was fitted before is taken away first.
    """
    period, waves = (1, np.zeros(0)) if season is None else (season.period, season.waves)
    rest = x - seasonal(phase, period, len(waves) // 2) @ waves
    judged = of.baseline & np.isfinite(rest)
    until = int(np.flatnonzero(judged)[-1]) + 1 if judged.any() else len(x)  # rows after Phase I say nothing of its weight
    own, tried = judged[:until], rest[:until]
    errors = [float(np.nanmean((tried - _moving_centre(tried, of, float(w)))[own] ** 2)) for w in WEIGHTS]
    weight = float(WEIGHTS[int(np.argmin(errors))])
    error = (2 - weight) / (weight * max(int(judged.sum()), 1))
    found = Predictor("moving centre", 0.0, np.zeros(0), period, waves.copy(), weight, error)
    return found, np.where(of.baseline, x - found.expected(x, of, phase), np.nan)


def _moving_centre(x: Floats, of: Phases, weight: float) -> Floats:
    """The EWMA of the values before each, (n,), NaN for the first of a stretch; an empty value is passed over."""
    found = np.full(len(x), np.nan)
    for part in of.stretches:
        at = np.flatnonzero(np.isfinite(x[part])) + part.start
        if len(at) < 2:
            continue
        line = x[at[0]] + smoothed(x[at] - x[at[0]], weight)
        found[at[1:]] = line[:-1]
    return found
