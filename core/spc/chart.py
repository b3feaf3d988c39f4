"""The one shape of all control charts, and the points from which their limits come.

`Chart` is what every chart function returns: points, centre line and limits a point, the sigma behind them and the method
that gave it. `Phases` says which points are the baseline (Phase I, where limits are learned) and to which stage each point
belongs; limits learned on the baseline are frozen and applied to all other points of the stage (Phase II). Nothing here
computes a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.individuals import NotDefined

Floats = NDArray[np.float64]
Kind = Literal[
    "run", "I", "MR", "Xbar", "R", "S", "p", "np", "c", "u", "EWMA", "CUSUM+", "CUSUM-", "T2", "MEWMA", "SPE", "score"
]  # fmt: skip
Method = Literal[
    "MR-bar/d2", "R-bar/d2", "S-bar/c4", "pooled", "overall", "binomial", "Poisson", "given", "covariance", "Phase I", "none"
]  # fmt: skip

Known = Literal["none", "centre", "sigma", "both"]
"""What of a standard was given beforehand instead of learned from the points."""

ZONED: frozenset[Kind] = frozenset({"I", "Xbar", "p", "np", "c", "u"})
CUSTOMARY_POINTS = 20


@dataclass(frozen=True, slots=True)
class Phases:
    """Which points limits are learned from, and where stages begin.

    `baseline` bool (n,); `stage` (n,) is the place of the point's label in `labels`; `bounds` (r + 1,) are the places where
    stretches of one stage begin, with n at the end. A label that comes back gives the same stage, and another stretch.
    `left_out` bool (n,), None where there is none, are points that a person left out with a cause: they give no limits, no
    pattern counts them, and they are drawn all the same. `chosen` bool (n,) is the baseline before they were left out.
    """

    baseline: NDArray[np.bool_]
    stage: NDArray[np.int64]
    labels: tuple[str, ...]
    bounds: NDArray[np.int64]
    left_out: NDArray[np.bool_] | None = None
    chosen: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        for array in (self.baseline, self.stage, self.bounds, self.left_out, self.chosen):
            if array is not None:
                array.flags.writeable = False

    @property
    def period(self) -> NDArray[np.bool_]:
        """The baseline as it was chosen, with the points that were left out of it, bool (n,)."""
        return self.baseline if self.chosen is None else self.chosen

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Points that were not left out, bool (n,)."""
        return np.ones(len(self.baseline), np.bool_) if self.left_out is None else ~self.left_out

    @property
    def stretches(self) -> list[slice]:
        """The stretches of neighbouring points of one stage, in order."""
        return [slice(int(a), int(b)) for a, b in zip(self.bounds[:-1], self.bounds[1:], strict=True)]

    def learned_from(self, stage: int) -> NDArray[np.bool_]:
        """The baseline points of a stage, bool (n,)."""
        return self.baseline if len(self.labels) == 1 else self.baseline & (self.stage == stage)


@dataclass(frozen=True, slots=True)
class Chart:
    """A control chart of n points.

    `points`, `centre`, `lower`, `upper` float64 (n,) in the unit of the statistic: NaN where there is no point, and where a chart
    has no centre line or no limit on that side. `reach` (n,) is the distance from the centre to a limit before the limit is
    cut at what is possible (a count below 0), NaN on charts without zones. `sigma` (n,) is the standard deviation of single
    values in the stage, NaN where there is none; `sizes` (n,) the values, units or area behind each point.
    """

    kind: Kind
    statistic: Message
    points: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    reach: Floats
    sigma: Floats
    method: Method
    sizes: Floats
    phases: Phases
    notes: tuple[Message, ...] = ()
    known: Known = "none"

    def __post_init__(self) -> None:
        for array in (self.points, self.centre, self.lower, self.upper, self.reach, self.sigma, self.sizes):
            array.flags.writeable = False

    @property
    def zoned(self) -> bool:
        """Whether the points follow a distribution around the centre, one by one, so that zones and runs mean something."""
        return self.kind in ZONED

    @property
    def is_sum(self) -> bool:
        """Whether the points are cumulative sums, which stay outside once a shift has carried them there."""
        return self.kind in ("CUSUM+", "CUSUM-")

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Points with a value that were not left out, bool (n,)."""
        return np.isfinite(self.points) & self.phases.counted

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Points beyond a limit, bool (n,); a point on a limit is inside, and an empty one is not judged."""
        with np.errstate(invalid="ignore"):
            return (self.points < self.lower) | (self.points > self.upper)


def phases(n: int, baseline: ArrayLike | None = None, stages: Sequence[object] | ArrayLike | None = None) -> Phases:
    """Phases of n points: all are the baseline and one stage, unless said otherwise.

    Args:
        n: Points of the chart.
        baseline: (n,) bool, True where limits are learned.
        stages: (n,) a label a point; limits are learned for each label by itself.

    Raises:
        ValueError: A mask or labels of another length.
    """
    chosen = np.ones(n, np.bool_) if baseline is None else np.array(baseline, dtype=np.bool_)
    _same_length("baseline", chosen, n)
    if stages is None or n == 0:
        return Phases(chosen, np.zeros(n, np.int64), ("",), np.array([0, n] if n else [0], np.int64))
    labels = np.asarray(stages)
    _same_length("stages", labels, n)
    stage, names = numbered(labels)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(stage)) + 1, [n]]).astype(np.int64)
    return Phases(chosen, stage, tuple(str(name) for name in names), bounds)


def without(of: Phases, left_out: ArrayLike) -> Phases:
    """The phases with points left out of the baseline, (n,) bool; those that were left out before stay so.

    Raises:
        ValueError: A mask of another length.
    """
    left = np.array(left_out, dtype=np.bool_)
    _same_length("left_out", left, len(of.stage))
    left = left | ~of.counted
    return replace(of, baseline=of.baseline & ~left, left_out=left, chosen=of.period) if left.any() else of


def fitting(of: Phases | None, n: int) -> Phases:
    """The phases of n points, all of them the baseline of one stage where none were given.

    Raises:
        ValueError: Phases of another number of points.
    """
    if of is None:
        return phases(n)
    if len(of.stage) != n:
        raise ValueError(f"{n} points came with the phases of {len(of.stage)}; make them with phases({n}, …)")
    return of


def numbered(labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.generic]]:
    """Labels (n,) as numbers in the order in which they first come, and the k different labels; an empty one is a label too."""
    codes, names = pd.factorize(np.asarray(labels), use_na_sentinel=False)
    return codes.astype(np.int64), np.asarray(names)


def _same_length(name: str, given: NDArray[np.generic], n: int) -> None:
    """Refuse a mask or labels that do not belong to n points."""
    if given.shape != (n,):
        raise ValueError(f"{name} must be of shape ({n},), and is {given.shape}")


def by_stage(
    of: Phases, learn: Callable[[NDArray[np.bool_]], tuple[float, float] | NotDefined]
) -> tuple[Floats, Floats] | NotDefined:
    """Centre and sigma learned for each stage from its baseline points: two arrays (stages,), or why one has none."""
    centres, sigmas = np.empty(len(of.labels)), np.empty(len(of.labels))
    for k in range(len(of.labels)):
        found = learn(of.learned_from(k))
        if isinstance(found, NotDefined):
            return in_stage(of, k, found)
        centres[k], sigmas[k] = found
    return centres, sigmas


def in_stage(of: Phases, stage: int, found: NotDefined) -> NotDefined:
    """The reason, with the stage named where there are several."""
    if len(of.labels) == 1:
        return found
    return NotDefined(msg("stage {stage}: {reason}", stage=of.labels[stage], reason=found.reason))


def flat(values: Floats | float, of: Phases) -> Floats:
    """A number a stage, or one number, laid out over the points: (n,)."""
    if np.ndim(values) == 0:
        return np.full(len(of.stage), float(values))
    row = np.asarray(values, dtype=np.float64)
    return np.full(len(of.stage), row[0]) if len(row) == 1 else row[of.stage]


def finite(values: ArrayLike) -> Floats:
    """A copy as float64 with NaN for what is empty or infinite: an infinite value is no measurement."""
    x = np.array(values, dtype=np.float64)
    x[~np.isfinite(x)] = np.nan
    return x


def spreads(sigma: float, centre: float) -> bool:
    """Whether sigma is more than the rounding of the values that gave it."""
    return bool(sigma > 8 * np.finfo(np.float64).eps * abs(centre))


def few_points(of: Phases, known: NDArray[np.bool_]) -> tuple[Message, ...]:
    """A note where the limits of a stage come from fewer than 20 points.

    Source: Montgomery (2013), section 6.2: preliminary samples, usually 20 to 25.
    """
    counts = [int((of.learned_from(k) & known).sum()) for k in range(len(of.labels))]
    if not counts or min(counts) >= CUSTOMARY_POINTS:
        return ()
    return (
        msg("limits from {n} points are provisional; {m} or more are customary", n=min(counts), m=CUSTOMARY_POINTS),
    )  # fmt: skip
