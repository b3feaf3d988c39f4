"""How large a fault must be to be found: the chance of detection against size, the size that is found so often, and the delay.

A fault is found when the run's own decision raises an alarm within its stretch, and raised none there without the fault. Stretches that
alarm without a fault tell nothing about detection; their share is the false alarm rate that stands beside.

The chance at each size has Wilson's interval. Since a larger fault is not harder to find, the curve through them is the closest one that
never falls (isotonic regression, from chance 0 at size 0), read off by straight lines between sizes. Its interval begins and ends at sizes
that were tried, for between them nothing is known: from the largest below which the chance is too low to the smallest from which it is high
enough, both by drawing the stretches again (each with its answers at all sizes) and by Wilson's intervals, the wider of the two; drawing
again alone knows no doubt where all or none was found. A size that is not reached within what was tried is told as such: the curve is
never drawn on beyond it.

Sources: hit/miss data and the size found in 90 % of cases: MIL-HDBK-1823A, Nondestructive Evaluation System Reliability Assessment (2009), chapter
4.5.3; isotonic regression by its max-min formula: Robertson, Wright and Dykstra, Order Restricted Statistical Inference (1988), theorem
1.4.4; percentile interval: Efron and Tibshirani (1993), chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anomalies.alarm_logic import AlarmLogic
from core.evaluation.bootstrap import wilson_bounds
from core.spc.chart import phases

Floats = NDArray[np.float64]
SHARES = (0.5, 0.8, 0.9)
DRAWS, SEED = 500, 7


@dataclass(frozen=True, slots=True)
class AtSize:
    """What was found at one size: `detected` of `n` faults, the share with its 95 % interval, and the rows to the alarm.

    `size` is None for kinds without one. `delay` is the median and `late` the 90 % quantile of the rows from the fault's first row (0) to the
    alarm, over those that were found; None where none was. `fitted` is the curve that never falls, at this size.
    """

    size: float | None
    n: int
    detected: int
    share: float | None
    low: float | None
    high: float | None
    delay: float | None
    late: float | None
    fitted: float | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """The size that is found in a `share` of cases, with a 95 % interval; `size` None: not within the range tried.

    `low` is a size that was tried, or 0; `high` is None where it lies above the largest size that was tried.
    """

    share: float
    size: float | None
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class Detectability:
    """The answers at each size, ascending, and the sizes that are reached; of `n_stretches`, `n_alarmed` alarmed without a fault."""

    points: tuple[AtSize, ...]
    reaches: tuple[Reach, ...]
    n_stretches: int
    n_alarmed: int

    @property
    def false_alarms(self) -> tuple[float, float | None, float | None]:
        """Share of stretches that alarm without a fault, with Wilson's interval."""
        return self.n_alarmed / max(1, self.n_stretches), *wilson_bounds(self.n_alarmed, self.n_stretches)

    def reach(self, share: float) -> Reach | None:
        """The size that is found in that share of cases; None for kinds without a size."""
        return next((found for found in self.reaches if found.share == share), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Detectability:
        return cls(
            tuple(AtSize(**point) for point in stored["points"]),
            tuple(Reach(**reach) for reach in stored["reaches"]),
            int(stored["n_stretches"]),
            int(stored["n_alarmed"]),
        )


def first_alarms(scores: Floats, logic: AlarmLogic, limit: float) -> Floats:
    """Rows from the first judged row to the first alarm of each stretch, (s,); infinite where there is none.

    Quiet rows that reach into a stretch from an earlier alarm do not count: the logic begins anew, as a person who acted on it does.

    Args:
        scores: (s, logic.n − 1 + length): of each stretch, with the scores before it that the logic looks back at; NaN where there is none.
    """
    s, width = scores.shape
    statistic = logic.statistic(scores.reshape(-1), phases(s * width, stages=np.repeat(np.arange(s), width)))
    with np.errstate(invalid="ignore"):
        above = statistic.reshape(s, width)[:, logic.n - 1 :] > limit
    return np.where(above.any(axis=1), above.argmax(axis=1), np.inf).astype(np.float64)


def detectability(
    sizes: Floats | None, alarms: Floats, clean: Floats, *, shares: tuple[float, ...] = SHARES, draws: int = DRAWS
) -> Detectability:
    """The chance of detection of one kind of fault in one sensor.

    Args:
        sizes: (m,) ascending and above 0; None for a kind without a size, with m = 1.
        alarms: (m, s) rows to the first alarm of each stretch at each size, infinite where there was none.
        clean: (s,) the same without a fault.

    Degenerate cases: every stretch alarms without a fault: no share is defined, and no size is reached.
    """
    quiet = ~np.isfinite(clean)
    own = alarms[:, quiet]
    hits = np.isfinite(own)
    fitted = never_falling(hits.mean(axis=1)[None, :])[0] if quiet.any() and sizes is not None else np.full(len(own), np.nan)
    points = tuple(
        _at(None if sizes is None else float(sizes[i]), own[i], None if sizes is None else float(fitted[i]))
        for i in range(len(own))
    )
    reaches = () if sizes is None else _reaches(sizes, hits, shares, draws)
    return Detectability(points, reaches, len(clean), int((~quiet).sum()))


def never_falling(shares: Floats) -> Floats:
    """The closest curves (least squares, equal weights) that never fall, (b, m) → (b, m).

    Row by row g_j = max over i ≤ j of min over k ≥ j of the mean of shares i to k.

    Example:
        >>> never_falling(np.array([[0.0, 0.6, 0.4, 1.0]])).tolist()
        [[0.0, 0.5, 0.5, 1.0]]
    """
    b, m = shares.shape
    sums = np.concatenate([np.zeros((b, 1)), np.cumsum(shares, axis=1)], axis=1)
    first, last = np.meshgrid(np.arange(m), np.arange(m), indexing="ij")
    means = (sums[:, last + 1] - sums[:, first]) / np.maximum(last - first + 1, 1)
    means = np.where(last >= first, means, np.inf)
    least = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]  # over k ≥ j, for each i
    least = np.where(last >= first, least, -np.inf)
    return np.asarray(least.max(axis=1))


def size_at(sizes: Floats, curves: Floats, share: float) -> Floats:
    """Where curves that never fall (b, m) reach a share, (b,), by straight lines between sizes; infinite where they do not.

    Nothing is read off below the smallest size that was tried: what is reached there is reached at it.
    """
    x = np.concatenate([[0.0], sizes])
    y = np.concatenate([np.zeros((len(curves), 1)), curves], axis=1)
    reached = y >= share - 1e-12
    at = reached.argmax(axis=1)
    rows = np.arange(len(y))
    low, high = y[rows, np.maximum(at - 1, 0)], y[rows, at]
    part = np.divide(share - low, high - low, out=np.ones_like(low), where=high > low)
    found = x[np.maximum(at - 1, 0)] + part * (x[at] - x[np.maximum(at - 1, 0)])
    return np.where(reached.any(axis=1), np.maximum(found, sizes[0]), np.inf)


def _reaches(sizes: Floats, hits: NDArray[np.bool_], shares: tuple[float, ...], draws: int) -> tuple[Reach, ...]:
    n = hits.shape[1]
    if not n:
        return tuple(Reach(share, None, 0.0, None) for share in shares)
    drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=draws) / n
    curves = never_falling(drawn @ hits.T.astype(np.float64))
    own = never_falling(hits.mean(axis=1)[None, :])
    bounds = np.array([wilson_bounds(int(found), n) for found in hits.sum(axis=1)], dtype=np.float64)
    found = []
    for share in shares:
        low, high = np.quantile(size_at(sizes, curves, share), [0.025, 0.975], method="nearest")
        is_below = np.logical_and.accumulate((bounds[:, 1] < share) & (sizes <= low))
        is_above = np.logical_and.accumulate(((bounds[:, 0] >= share) & (sizes >= high))[::-1])[::-1]
        size = float(size_at(sizes, own, share)[0])
        found.append(
            Reach(
                share,
                size if math.isfinite(size) else None,
                float(sizes[is_below][-1]) if is_below.any() else 0.0,
                float(sizes[is_above][0]) if is_above.any() else None,
            )
        )
    return tuple(found)


def _at(size: float | None, alarms: Floats, fitted: float | None) -> AtSize:
    delays = alarms[np.isfinite(alarms)]
    n, detected = len(alarms), len(delays)
    low, high = wilson_bounds(detected, n)
    delay, late = (float(np.quantile(delays, q)) if detected else None for q in (0.5, 0.9))
    known = None if fitted is None or math.isnan(fitted) else fitted
    return AtSize(size, n, detected, detected / n if n else None, low, high, delay, late, known)
