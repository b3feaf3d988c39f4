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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Bounds, percentile_bounds, resampling, wilson_bounds
from core.messages import Message, msg

ACCEPT, MEASURE, REJECT = 0, 1, 2
_ROUNDING = 1e-9
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
    n_boot: int = 500,
    seed: int = 0,
) -> PredictedPpk:
    """The capability that predictions foretell, beside that of the measured values (AIAG SPC manual: Ppk by the overall deviation).

    Args:
        truth, predictions: (n,) of the rows judged; rows without a prediction are left out, those without a truth for `measured` only.
        errors: (m,) held-out measured less predicted, from other rows.
        limits: At least one.

    Degenerate cases: fewer than 2 rows, or no spread: None.
    """
    known_errors = errors[np.isfinite(errors)]
    bias = float(known_errors.mean()) if len(known_errors) else 0.0
    variance = float(known_errors.var(ddof=1)) if len(known_errors) > 1 else 0.0
    is_predicted, is_measured = np.isfinite(predictions), np.isfinite(truth)

    def drawn(values: NDArray[np.float64], kept: NDArray[np.bool_], shift: float, more: float) -> tuple[float | None, Bounds]:
        x = values[kept]
        if len(x) < 2:
            return None, (None, None)
        centre = float(x.mean())
        centred = x - centre
        again = resampling(len(x), None if blocks is None else np.asarray(blocks)[kept], n_boot, seed)
        whole = np.array([[len(x), 0.0, float((centred**2).sum())]])
        value = _ppk(whole, centre + shift, more, limits)[0]
        sums = again.sums(np.column_stack([np.ones(len(x)), centred, centred**2])) if again.n_boot else np.empty((0, 3))
        bounds = percentile_bounds(_ppk(sums, centre + shift, more, limits))
        return (float(value) if np.isfinite(value) else None), bounds

    measured, measured_bounds = drawn(truth, is_measured, 0.0, 0.0)
    alone, _ = drawn(predictions, is_predicted, 0.0, 0.0)
    predicted, bounds = drawn(predictions, is_predicted, bias, variance)
    return PredictedPpk(measured, measured_bounds, alone, predicted, bounds)


def _ppk(sums: NDArray[np.float64], centre: float, more: float, limits: Limits) -> NDArray[np.float64]:
    """Ppk of rows of (count, sum, sum of squares around `centre`), with `more` variance."""
    n, first, second = sums.T
    mean = centre + first / np.maximum(n, 1)
    variance = np.maximum(0.0, (second - first**2 / np.maximum(n, 1)) / np.maximum(n - 1, 1)) + more
    away = np.full(len(n), np.inf)
    if limits.upper is not None:
        away = np.minimum(away, limits.upper - mean)
    if limits.lower is not None:
        away = np.minimum(away, mean - limits.lower)
    return np.divide(away, 3 * np.sqrt(variance), out=np.full(len(n), np.nan), where=variance > 0)


def _ordered(reject: Limits, accept: Limits) -> Limits:
    """Rejection never begins before acceptance ends, which a strong bias of the errors could ask for."""
    lower, upper = reject.lower, reject.upper
    if lower is not None and accept.lower is not None:
        lower = min(lower, accept.lower)
    if upper is not None and accept.upper is not None:
        upper = max(upper, accept.upper)
    return Limits(lower, upper)
