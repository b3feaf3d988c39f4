"""Accept, reject or measure again: what a predicted value may decide about a part, and the capability that predictions foretell.

A part is accepted where its prediction lies far enough inside the specification limits, rejected where it lies far enough outside, and
measured otherwise. How far is a one-sided split conformal quantile of held-out errors (Vovk, Gammerman, Shafer 2005): of all parts, at most
the risk are accepted though their true value lies beyond one limit, and at most the risk rejected though it lies within it. That holds on
average over calibration parts, for parts like the held-out ones, whatever the shape of the errors; among the accepted ones alone the share
may be higher where few are accepted, and is measured. Guard bands: ISO 14253-1; JCGM 106:2012, sec. 8.

Held-out errors hold the error of the gage too. Where its standard deviation is known, errors are drawn towards their median by
√(1 - s_g² / s²), which gives back the spread of the model's own error where the two are independent (JCGM 106, 6.2: the variance of what
was measured is that of the true value and that of the gage).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Bounds, percentile_bounds, resampling, wilson_bounds
from core.messages import Message, msg

ACCEPT, MEASURE, REJECT = 0, 1, 2
_ROUNDING = 1e-9
_Pairs = tuple[NDArray[np.float64], NDArray[np.float64]]
_Moments = tuple[_Pairs, _Pairs]
MOST_OF_SPREAD = 0.9  # beyond, what is left for the model hangs on the last digits of two estimates


@dataclass(frozen=True, slots=True)
class Limits:
    """Specification limits in the unit of the target; None on a side without one."""

    lower: float | None
    upper: float | None

    def inside(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values lie within, ends included."""
        kept = np.ones(len(values), dtype=bool)
        if self.lower is not None:
            kept &= values >= self.lower
        if self.upper is not None:
            kept &= values <= self.upper
        return kept


@dataclass(frozen=True, slots=True)
class Zones:
    """Where predictions are accepted and where rejected, in the unit of the target; None on a side without a limit.

    Accepted: `accept.lower` ≤ prediction ≤ `accept.upper`. Rejected: prediction < `reject.lower` or > `reject.upper`. In between: measured.
    `below` and `above` are how far the truth may lie below and above a prediction with the given risk. From `n` held-out errors;
    `shrunk` is the factor by which they were drawn together for the gage, 1 without one.
    """

    limits: Limits
    accept: Limits
    reject: Limits
    below: float
    above: float
    risk: float
    n: int
    shrunk: float

    @property
    def accepts_none(self) -> bool:
        """Whether no prediction can be accepted: the error is too large for these limits."""
        low, high = self.accept.lower, self.accept.upper
        return low is not None and high is not None and low > high


@dataclass(frozen=True, slots=True)
class NoZones:
    """Why there are none."""

    reason: Message


def make_zones(errors: NDArray[np.float64], limits: Limits, risk: float, gage_sigma: float | None = None) -> Zones | NoZones:
    """Zones from held-out errors.

    Args:
        errors: (n,) measured less predicted, on rows that the model was not fitted on; NaN is left out.
        limits: At least one of them; in the unit of the errors.
        risk: The share of all parts that may be accepted though outside, and rejected though inside, a side.
        gage_sigma: Standard deviation of the gage (repeatability and reproducibility), in the same unit.

    Degenerate cases: no limit, fewer than 1 / risk - 1 errors, or a gage that varies nearly as much as the errors (nine tenths): none, with
    the reason.
    """
    known = np.sort(errors[np.isfinite(errors)])
    n = len(known)
    if limits.lower is None and limits.upper is None:
        return NoZones(msg("There is no specification limit."))
    k = (n + 1) - math.floor((n + 1) * risk + _ROUNDING)
    if k > n:
        needed = math.ceil(1 / risk - 1 - _ROUNDING)
        return NoZones(
            msg("A risk of {risk} % needs {needed} held-out rows; there are {n}.", risk=100 * risk, needed=needed, n=n)
        )
    factor = 1.0
    if gage_sigma:
        spread = float(known.std(ddof=1)) if n > 1 else 0.0
        if gage_sigma > MOST_OF_SPREAD * spread:
            return NoZones(
                msg(
                    "The spread of the gage, {gage}, is nearly all of the spread of the errors, {spread}: how exact predictions are cannot be told with it.",
                    gage=gage_sigma,
                    spread=float(f"{spread:.4g}"),
                )
            )
        factor = math.sqrt(1 - (gage_sigma / spread) ** 2)
        middle = float(np.median(known))
        known = middle + factor * (known - middle)
    above, below = float(known[k - 1]), float(-known[n - k])
    lower, upper = limits.lower, limits.upper
    accept = Limits(None if lower is None else lower + below, None if upper is None else upper - above)
    # A part predicted far below the lower limit is inside only if its truth lies far above the prediction, hence the other quantile.
    reject = Limits(None if lower is None else lower - above, None if upper is None else upper + below)
    return Zones(limits, accept, _ordered(reject, accept), below, above, risk, n, factor)


def zone_of(zones: Zones, predictions: NDArray[np.float64]) -> NDArray[np.int8]:
    """ACCEPT, MEASURE or REJECT of each prediction, (n,); a NaN is measured."""
    found = np.full(len(predictions), MEASURE, dtype=np.int8)
    known = np.isfinite(predictions)
    found[known & zones.accept.inside(predictions)] = ACCEPT
    found[known & ~zones.reject.inside(predictions)] = REJECT
    return found


@dataclass(frozen=True, slots=True)
class ZoneCounts:
    """Rows with a measured value by zone (accept, measure, reject), and how many of each lie outside the limits: (3,) each."""

    n: NDArray[np.int64]
    outside: NDArray[np.int64]

    def wrong(self, zone: int) -> int:
        """Accepted rows that lie outside, or rejected ones that lie inside."""
        return int(self.outside[zone] if zone == ACCEPT else self.n[zone] - self.outside[zone])

    def wrong_bounds(self, zone: int) -> Bounds:
        """95 % Wilson interval of the share of wrong rows in a zone."""
        return wilson_bounds(self.wrong(zone), int(self.n[zone]))


def count_zones(zones: Zones, truth: NDArray[np.float64], predictions: NDArray[np.float64]) -> ZoneCounts:
    """Rows by zone and by what was measured; rows without a measured value are left out."""
    known = np.isfinite(truth)
    place = zone_of(zones, predictions[known])
    outside = ~zones.limits.inside(truth[known])
    return ZoneCounts(np.bincount(place, minlength=3), np.bincount(place[outside], minlength=3))


@dataclass(frozen=True, slots=True)
class PredictedPpk:
    """Ppk of the rows three ways: as `measured`, from predictions alone, and from predictions with the error that they have.

    Predictions vary less than what they predict, so that they alone promise too much: the law of total variance adds the variance and
    mean of held-out errors. Bounds are 95 % bootstrap intervals. None where it is not defined.
    """

    measured: float | None
    measured_bounds: Bounds
    predictions_alone: float | None
    predicted: float | None
    predicted_bounds: Bounds


def predicted_ppk(
    truth: NDArray[np.float64],
    predictions: NDArray[np.float64],
    errors: NDArray[np.float64],
    limits: Limits,
    *,
    blocks: NDArray[np.generic] | None = None,
    error_blocks: NDArray[np.generic] | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> PredictedPpk:
    """The capability that predictions foretell, beside that of the measured values (AIAG SPC manual: Ppk by the overall deviation).

    Rows and errors are resampled independently of each other: how far predictions are off is an estimate too.

    Args:
        truth, predictions: (n,) of the rows judged; rows without a prediction are left out, those without a truth for `measured` only.
        errors: (m,) held-out measured less predicted, from other rows.
        limits: At least one.
        blocks, error_blocks: (n,), (m,) what is drawn together of rows and of errors.

    Degenerate cases: fewer than 2 rows, or no spread: None. Fewer than 5 errors or blocks of them: no interval.
    """
    is_known = np.isfinite(errors)
    off = _moments(errors[is_known], None if error_blocks is None else np.asarray(error_blocks)[is_known], n_boot, seed + 1)

    def told(values: NDArray[np.float64], *more: _Moments) -> tuple[float | None, Bounds]:
        kept = np.isfinite(values)
        if kept.sum() < 2:
            return None, (None, None)
        parts = (_moments(values[kept], None if blocks is None else np.asarray(blocks)[kept], n_boot, seed), *more)
        found = np.concatenate([_ppk([whole for whole, _ in parts], limits), _ppk([drawn for _, drawn in parts], limits)])
        return (float(found[0]) if np.isfinite(found[0]) else None), percentile_bounds(found[1:])

    measured, measured_bounds = told(truth)
    alone, _ = told(predictions)
    predicted, bounds = told(predictions, off) if is_known.any() else told(predictions)
    return PredictedPpk(measured, measured_bounds, alone, predicted, bounds)


def _moments(values: NDArray[np.float64], blocks: NDArray[np.generic] | None, n_boot: int, seed: int) -> _Moments:
    """Mean and variance of values, ((1,), (1,)), and of their resamples, ((n_boot,), (n_boot,)) or nothing where there are none."""
    n = len(values)
    centre = float(values.mean()) if n else 0.0
    sums = np.column_stack([np.ones(n), values - centre, (values - centre) ** 2])
    again = resampling(n, blocks, n_boot, seed)

    def told(rows: NDArray[np.float64]) -> _Pairs:
        count, first, second = rows.T
        mean = first / np.maximum(count, 1)
        return centre + mean, np.maximum(0.0, second - first * mean) / np.maximum(count - 1, 1)

    return told(sums.sum(axis=0, keepdims=True)), told(again.sums(sums) if again.n_boot else np.empty((0, 3)))


def _ppk(parts: Sequence[_Pairs], limits: Limits) -> NDArray[np.float64]:
    """Ppk of a sum of independent parts, each a mean and a variance (k,); as many as all of them have."""
    k = min(len(mean) for mean, _ in parts)
    mean, variance = (np.sum([part[i][:k] for part in parts], axis=0) for i in (0, 1))
    away = np.full(k, np.inf)
    if limits.upper is not None:
        away = np.minimum(away, limits.upper - mean)
    if limits.lower is not None:
        away = np.minimum(away, mean - limits.lower)
    return np.divide(away, 3 * np.sqrt(variance), out=np.full(k, np.nan), where=variance > 0)


def _ordered(reject: Limits, accept: Limits) -> Limits:
    """Rejection never begins before acceptance ends, which a strong bias of the errors could ask for."""
    lower, upper = reject.lower, reject.upper
    if lower is not None and accept.lower is not None:
        lower = min(lower, accept.lower)
    if upper is not None and accept.upper is not None:
        upper = max(upper, accept.upper)
    return Limits(lower, upper)
