"""The score or residual of any model as a control chart: limits of Phase I that keep a promised rate, whatever the series is like.

The rule, each step with its sentence in `why`:

1. Season: the period given, or found from the autocorrelation (`core.features.season`); its harmonics by Schwarz's criterion.
2. Independence: Ljung-Box on what is left, 10 lags, at 5 %. Independent: the level itself is judged.
3. Dependent: one-step residuals of an autoregression (order by Akaike's criterion); or of a moving centre line, if its residuals are
   independent (at 1 %), and it has the smaller Akaike's criterion, or the autoregression's coefficients sum to 0.97, or its residuals hang together. For a score of which only high values
   count the level stays judged where clustered limits can promise the rate: residuals show a lasting rise only at its beginning.
4. What is judged: tested again at 1 %, in level and in spread. Dependent still: clustered limits. Else, near normal: normal limits;
   else conformal ones.

Limits are learned on Phase I and frozen. They promise a share of false alarms a point, on average over Phases I of this length and for a
process that stays as it was; run rules would add false alarms of their own and are not applied. An EWMA of what is judged stands beside,
for small lasting shifts, with limits that aim at the same share of points (measured: docs/benchmarks.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.anomalies.score_limits import Limits, Side, conformal_limits, ewma_cuts, ewma_reach, near_normal, normal_limits
from core.anomalies.score_words import chart_words
from core.features.season import find_season
from core.messages import Message, msg
from core.spc.autocorrelated import (
    Predictor,
    choose_waves,
    fit_moving_centre,
    fit_predictor,
    highest_order,
    nearest_period,
    order_by_aic,
)
from core.spc.chart import Chart, Floats, Phases, finite, fitting, spreads
from core.spc.individuals import NotDefined
from core.spc.serial import PLAIN_LAGS, Portmanteau, block_length, laid_out, ljung_box, spread_test
from core.spc.smoothing import smoothed

RATE = 0.0027
"""Share of false alarms a point of Shewhart's 3 σ limits on independent normal values."""
FEWEST = 50
WEIGHT = 0.1
FIRST_LEVEL, SECOND_LEVEL = 0.05, 0.01
NEAR_ONE = 0.97
"""From this sum of the coefficients on a level is said to wander: an error of 1 in the mean then lasts 30 rows and more."""

Prefer = Literal["residual", "level"]
MethodKey = Literal["individuals", "quantiles", "residuals", "moving_centre", "clusters"]


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """A control chart of n scores or residuals with frozen limits.

    `chart` shows what is judged: the values less their season, or one-step residuals; `twin` its EWMA. `expected` (n,) is what was
    expected of each value, so that `expected` + a limit less the chart's centre is the limit on the value itself. `method` names the way, `limits`
    how they were made; `why` says it in sentences, `notes` what the promise does not cover. `asked` and `limits.rate` are the share of
    points asked for and promised. `first` is the test for independence of Phase I, `after` and `spread` those of what is judged.
    """

    chart: Chart
    twin: Chart
    values: Floats
    expected: Floats
    predictor: Predictor
    method: MethodKey
    limits: Limits
    asked: float
    side: Side
    first: Portmanteau
    after: Portmanteau
    spread: Portmanteau
    why: tuple[Message, ...]
    notes: tuple[Message, ...]

    @property
    def is_kept(self) -> bool:
        """Whether the rate that was asked for is promised."""
        return self.limits.missing == 0

    @property
    def twin_is_estimate(self) -> bool:
        """Whether the limits of the EWMA are an estimate and no promise: what is judged still hangs together."""
        return self.limits.shape == "clusters"


def score_chart(
    values: ArrayLike,
    of: Phases | None = None,
    *,
    rate: float = RATE,
    side: Side = "both",
    prefer: Prefer = "residual",
    period: int | None = None,
    phase: NDArray[np.int64] | None = None,
    weight: float = WEIGHT,
) -> ScoreChart | NotDefined:
    """Control chart of scores or residuals.

    Args:
        values: (n,) in order, NaN where there is none; nothing reaches over the border of a stretch of `of`.
        of: Phase I is its baseline; one stage.
        rate: Share of false alarms a point, 0 to 1.
        side: "upper" where only high values are odd, as of an anomaly score.
        prefer: What is judged where values hang together: one-step residuals, or the level as long as the rate can be promised.
        period: Rows of a season; 1 for none, None to look for one.
        phase: (n,) place of each row in time, in rows; the place in its stretch where none is given.
        weight: λ of the EWMA, above 0 and at most 1.

    Raises:
        ValueError: A rate, weight or period out of range.

    Degenerate cases: fewer than 50 values in Phase I, values that do not vary there, or nothing left once season and past are taken
    away: `NotDefined`.
    """
    if not 0 < rate < 1 or not 0 < weight <= 1 or (period is not None and period < 1):
        raise ValueError(
            f"the rate is {rate}, the weight {weight} and the period {period}; expected shares and a period of 1 or more"
        )
    x = finite(values)
    of = fitting(of, len(x))
    at = _places(of) if phase is None else np.asarray(phase, np.int64)
    base = of.baseline & np.isfinite(x)
    n = int(base.sum())
    if n < FEWEST:
        return NotDefined(msg("the chart needs at least {n} values in Phase I, and there are {m}", n=FEWEST, m=n))
    if not spreads(float(x[base].std()), float(x[base].mean())):
        return NotDefined(msg("the values of Phase I do not vary"))
    rows = np.where(of.baseline, x, np.nan)
    season = find_season([rows[part] for part in of.stretches]) if period is None else period
    if period is None and season > 1:
        season = nearest_period(x, of, at, season)
    waves = choose_waves(x, of, at, season) if season > 1 else 0
    level, rest = fit_predictor(x, of, at, period=season if waves else 1, waves=waves)
    first = _portmanteau(rest, of)
    fitted, residuals = level, rest
    if first.p_value <= FIRST_LEVEL:
        fitted, residuals = _dependent(x, of, at, level, rest, rate, side, prefer)
    judged = residuals[np.isfinite(residuals)]
    if len(judged) < FEWEST or not spreads(float(judged.std()), float(np.abs(x[base]).max())):
        return NotDefined(
            msg("nothing is left of the values of Phase I once their season and the values before them are taken away")
        )
    after, spread = _portmanteau(residuals, of, fitted.order), _of_spread(residuals, of)
    limits = _limits(judged, rate, side, fitted, min(after.p_value, spread.p_value) <= SECOND_LEVEL)
    return _made(x, of, at, fitted, residuals, limits, rate, side, weight, (first, after, spread))


def _dependent(
    x: Floats, of: Phases, at: NDArray[np.int64], level: Predictor, rest: Floats, rate: float, side: Side, prefer: Prefer
) -> tuple[Predictor, Floats]:
    """What is judged of values that hang together, with its residuals on Phase I."""
    order = order_by_aic(rest, of, highest_order(int(np.isfinite(rest).sum())))
    moving = fit_moving_centre(x, of, at, level)
    can_move = _portmanteau(moving[1], of).p_value > SECOND_LEVEL
    found = fit_predictor(x, of, at, period=level.period, waves=len(level.waves) // 2, order=order) if order else (level, rest)
    if can_move:
        wanders = found[0].keeps <= 1 - NEAR_ONE
        is_left = _portmanteau(found[1], of, order).p_value <= SECOND_LEVEL
        if wanders or is_left or _criterion(*moving) <= _criterion(*found):
            return moving
    if prefer == "level" and not conformal_limits(rest[np.isfinite(rest)], rate, side, clustered=True).missing:
        return level, rest
    return found


def _criterion(fitted: Predictor, residuals: Floats) -> float:
    """Akaike's criterion a row, so that the rows without a past, which an autoregression lacks, do not count."""
    known = residuals[np.isfinite(residuals)]
    return float(np.log(np.mean(known**2)) + 2 * fitted.fitted / len(known))


def _limits(judged: Floats, rate: float, side: Side, fitted: Predictor, is_dependent: bool) -> Limits:
    if is_dependent:
        return conformal_limits(judged, rate, side, clustered=True)
    if near_normal(judged):
        return normal_limits(judged, rate, side, fitted.fitted)
    return conformal_limits(judged, rate, side)


def _made(
    x: Floats,
    of: Phases,
    at: NDArray[np.int64],
    fitted: Predictor,
    residuals: Floats,
    limits: Limits,
    rate: float,
    side: Side,
    weight: float,
    tests: tuple[Portmanteau, Portmanteau, Portmanteau],
) -> ScoreChart:
    expected = fitted.expected(x, of, at)
    is_level = fitted.kind == "level"
    middle = fitted.constant if is_level else 0.0
    points = x - expected + middle
    judged = residuals[np.isfinite(residuals)]
    method = _method(fitted, limits)
    chart = _chart(
        "score", _statistic(fitted), points, middle + limits.centre, middle + limits.lower, middle + limits.upper, of, judged
    )
    block = max(block_length(residuals), block_length(np.abs(residuals))) if limits.shape == "clusters" else 1
    low, high = ewma_reach(judged, limits, weight, side, block=block, gain_error=fitted.gain_error)
    cuts = ewma_cuts(judged, limits.shape)
    smooth = _ewma(np.clip(points, middle + cuts[0], middle + cuts[1]), of, middle, weight)
    twin = _chart("EWMA", msg("exponentially weighted moving average"), smooth, middle, middle + low, middle + high, of, judged)
    why, notes = chart_words(
        fitted, limits, tests, asked=rate, side=side, unjudged=int((np.isfinite(x) & ~np.isfinite(points)).sum())
    )
    if not np.isfinite(high):
        notes = (*notes, msg("The EWMA has no limits: Phase I says too little of how the model's errors add up."))
    return ScoreChart(
        replace(chart, notes=notes), twin, x, expected, fitted, method, limits, rate, side, *tests, why=why, notes=notes
    )


def _chart(
    kind: Literal["score", "EWMA"],
    statistic: Message,
    points: Floats,
    centre: float,
    lower: float,
    upper: float,
    of: Phases,
    judged: Floats,
) -> Chart:
    """A chart without zones: lines that are the same for all points, NaN where there is no limit."""
    n = len(points)
    return Chart(
        kind=kind,
        statistic=statistic,
        points=points,
        centre=np.full(n, centre),
        lower=np.full(n, lower if np.isfinite(lower) else np.nan),
        upper=np.full(n, upper if np.isfinite(upper) else np.nan),
        reach=np.full(n, np.nan),
        sigma=np.full(n, float(np.sqrt(np.mean(judged**2)))),
        method="Phase I",
        sizes=np.ones(n),
        phases=of,
    )


def _ewma(points: Floats, of: Phases, centre: float, weight: float) -> Floats:
    """The EWMA of the points from the centre on, (n,), NaN where there is no point; it starts anew with each stretch."""
    found = np.full(len(points), np.nan)
    for part in of.stretches:
        known = np.flatnonzero(np.isfinite(points[part])) + part.start
        found[known] = centre + smoothed(points[known] - centre, weight)
    return found


def _method(fitted: Predictor, limits: Limits) -> MethodKey:
    if fitted.kind == "moving centre":
        return "moving_centre"
    if fitted.kind == "AR":
        return "residuals"
    return {"normal": "individuals", "conformal": "quantiles", "clusters": "clusters"}[limits.shape]  # type: ignore[return-value]


def _statistic(fitted: Predictor) -> Message:
    if fitted.kind != "level":
        return msg("one-step residual")
    return msg("value less its season") if len(fitted.waves) else msg("individual value")


def _portmanteau(residuals: Floats, of: Phases, fitted: int = 0) -> Portmanteau:
    lags = PLAIN_LAGS + fitted
    return ljung_box(laid_out(residuals, of, lags), lags, fitted)


def _of_spread(residuals: Floats, of: Phases) -> Portmanteau:
    return spread_test(laid_out(residuals, of, PLAIN_LAGS))


def _places(of: Phases) -> NDArray[np.int64]:
    """The place of each row in its stretch, (n,)."""
    found = np.arange(len(of.stage), dtype=np.int64)
    for part in of.stretches:
        found[part] -= part.start
    return found
