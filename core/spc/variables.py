"""Shewhart charts of measurements: individuals and moving range, mean and range, mean and standard deviation.

`Process` is what is known of a process from its baseline (centre and sigma a stage); EWMA and CUSUM start from it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.messages import Message, msg
from core.spc.chart import (
    Chart,
    Floats,
    Known,
    Method,
    Phases,
    by_stage,
    few_points,
    finite,
    fitting,
    flat,
    spreads,
    without,
)
from core.spc.constants import SIGMAS, c4, d2, d3
from core.spc.individuals import FEWEST_VALUES, NotDefined
from core.spc.subgroups import Subgroups

FEWEST_SUBGROUPS = 5
SubgroupMethod = Literal["R-bar/d2", "S-bar/c4", "pooled"]


@dataclass(frozen=True, slots=True)
class Process:
    """Points (n,) with the centre and the sigma of each stage, (stages,), in column unit.

    `sizes` (n,) is how many values each point is the mean of; the standard error of a point is sigma / √size.
    """

    points: Floats
    sizes: Floats
    centre: Floats
    sigma: Floats
    method: Method
    phases: Phases
    known: Known = "none"

    @property
    def error(self) -> Floats:
        """Standard error of each point, (n,); NaN where there is none."""
        with np.errstate(divide="ignore"):
            return np.where(self.sizes > 0, flat(self.sigma, self.phases) / np.sqrt(self.sizes), np.nan)


def individuals(values: ArrayLike, of: Phases | None = None) -> Process | NotDefined:
    """Centre and sigma of single values: the mean, and the mean moving range of two neighbours divided by d₂.

    A moving range joins two neighbouring rows of one stage that are both in the baseline and both there; a gap makes none.

    Args:
        values: (n,) in order, column unit, NaN where empty; an infinite value counts as empty.
        of: Baseline and stages; without it all rows are the baseline of one stage.

    Degenerate cases: fewer than 10 values in the baseline of a stage, or values that never change from row to row:
    `NotDefined`.

    Source: Montgomery (2013), eq. 6.33; NIST/SEMATECH e-Handbook, section 6.3.2.2.
    """
    x = finite(values)
    of = fitting(of, len(x))
    known, ranges = np.isfinite(x), _moving_ranges(x, of)
    counted = np.isfinite(ranges)
    counted[1:] &= of.baseline[1:] & of.baseline[:-1]

    def learn(rows: NDArray[np.bool_]) -> tuple[float, float] | NotDefined:
        used = rows & known
        n = int(used.sum())
        if n < FEWEST_VALUES:
            return NotDefined(msg("control limits need at least {n} values, and there are {m}", n=FEWEST_VALUES, m=n))
        own = ranges[rows & counted]
        if not len(own):
            return NotDefined(msg("no two neighbouring points are both in it, so that there is no moving range"))
        centre = float(x[used].mean())
        sigma = float(own.mean()) / d2(2) if len(own) else 0.0
        if not spreads(sigma, centre):
            return NotDefined(msg("the values of the baseline period never change from one row to the next"))
        return centre, sigma

    found = by_stage(of, learn)
    if isinstance(found, NotDefined):
        return found
    return Process(x, np.ones(len(x)), found[0], found[1], "MR-bar/d2", of)


def subgroup_means(groups: Subgroups, of: Phases | None = None, method: SubgroupMethod = "S-bar/c4") -> Process | NotDefined:
    """Centre and sigma of subgroups: the mean of all values, and the spread within subgroups.

    R̄/d₂: Σ fᵢ Rᵢ / d₂(nᵢ) / Σ fᵢ with fᵢ = d₂² / d₃². S̄/c₄: Σ hᵢ sᵢ / c₄(nᵢ) / Σ hᵢ with hᵢ = c₄² / (1 − c₄²). With one size both are
    the textbook's mean range or mean standard deviation over its constant; with several, the weights are the ones of least
    variance. Pooled: √(Σ (nᵢ − 1) sᵢ² / ν) / c₄(ν + 1), where ν = Σ (nᵢ − 1).

    Args:
        groups: m subgroups.
        of: Baseline and stages of the subgroups (m,).
        method: How sigma is made.

    Degenerate cases: fewer than 5 subgroups of two or more values in the baseline of a stage, or no spread within any:
    `NotDefined`.

    Source: Montgomery (2013), eq. 6.6 and sections 6.2.1, 6.3.1, 6.3.2; the weights: Burr, "Control Charts for Measurements with Varying Sample
    Sizes", Journal of Quality Technology 1 (1969) 163-167.
    """
    of = fitting(of, len(groups))

    def learn(rows: NDArray[np.bool_]) -> tuple[float, float] | NotDefined:
        full = rows & (groups.sizes > 1)
        m = int(full.sum())
        if m < FEWEST_SUBGROUPS:
            return NotDefined(
                msg(
                    "control limits need at least {n} subgroups of two or more values, and there are {m}",
                    n=FEWEST_SUBGROUPS,
                    m=m,
                )
            )
        used = rows & (groups.sizes > 0)
        centre = float(np.average(groups.means[used], weights=groups.sizes[used]))
        sigma = _sigma_within(groups, full, method)
        if not spreads(sigma, centre):
            return NotDefined(msg("the values within the subgroups of the baseline period do not spread"))
        return centre, sigma

    found = by_stage(of, learn)
    if isinstance(found, NotDefined):
        return found
    return Process(groups.means.copy(), groups.sizes.astype(np.float64), found[0], found[1], method, of)


def known_process(process: Process, *, target: float | None = None, sigma: float | None = None) -> Process:
    """The process with a target or a sigma that is known instead of learned, in column unit, the same for all stages.

    Raises:
        ValueError: A sigma that is not above 0.
    """
    centre = process.centre if target is None else np.full_like(process.centre, target)
    if sigma is None:
        return replace(process, centre=centre, known=process.known if target is None else "centre")
    _check_sigma(sigma)
    known: Known = "sigma" if target is None else "both"
    return replace(process, centre=centre, sigma=np.full_like(process.sigma, sigma), method="given", known=known)


def given_process(
    values: ArrayLike, target: float, sigma: float, of: Phases | None = None, sizes: ArrayLike | None = None
) -> Process:
    """A process of which target and sigma are known beforehand, so that nothing is learned from the points.

    Args:
        values: (n,) single values or means, column unit, NaN where empty.
        sizes: (n,) how many values each point is the mean of; 1 if not given.

    Raises:
        ValueError: A sigma that is not above 0.
    """
    _check_sigma(sigma)
    x = finite(values)
    of = fitting(of, len(x))
    stages = len(of.labels)
    behind = np.ones(len(x)) if sizes is None else np.array(sizes, dtype=np.float64)
    return Process(x, behind, np.full(stages, float(target)), np.full(stages, float(sigma)), "given", of, "both")


def _check_sigma(sigma: float) -> None:
    if not (sigma > 0 and np.isfinite(sigma)):
        raise ValueError(f"sigma is {sigma}; expected a number above 0")


def notes_of(process: Process) -> tuple[Message, ...]:
    """What is to be said of limits that were learned; nothing where they were given."""
    return () if process.known == "both" else few_points(process.phases, np.isfinite(process.points))


def shewhart_means(process: Process) -> Chart:
    """Chart of the points of a process: centre ± 3σ / √nᵢ. Individuals are means of one value.

    Source: Montgomery (2013), eq. 6.4, 6.28 and 6.33.
    """
    of, reach = process.phases, SIGMAS * process.error
    centre, single = flat(process.centre, of), bool((process.sizes <= 1).all())
    return Chart(
        kind="I" if single else "Xbar",
        statistic=msg("individual value") if single else msg("subgroup mean"),
        points=process.points.copy(),
        centre=centre,
        lower=centre - reach,
        upper=centre + reach,
        reach=reach,
        sigma=flat(process.sigma, of),
        method=process.method,
        sizes=process.sizes.copy(),
        phases=of,
        notes=notes_of(process),
        known=process.known,
    )


def individuals_charts(values: ArrayLike, of: Phases | None = None) -> tuple[Chart, Chart] | NotDefined:
    """Chart of individuals and chart of moving ranges; cases and source as in `individuals`.

    Moving ranges: centre d₂σ (the mean moving range), upper limit (d₂ + 3d₃)σ, lower limit 0. A point is NaN where a value or the one
    before is empty, or where a stage begins.
    """
    process = individuals(values, of)
    if isinstance(process, NotDefined):
        return process
    return individuals_pair(process)


def individuals_pair(process: Process) -> tuple[Chart, Chart]:
    """The charts of individuals and of moving ranges of a process of single values; a range with a point left out is left out too."""
    of = process.phases
    ranges = _moving_ranges(process.points, of)
    if of.left_out is not None:
        after = np.concatenate([[False], of.left_out[:-1]])
        of = without(of, of.left_out | after)
    own = replace(process, phases=of)
    return shewhart_means(process), _spread_chart(own, "MR", ranges, np.full(len(ranges), 2, np.int64))


def mean_and_range_charts(
    groups: Subgroups, of: Phases | None = None, method: SubgroupMethod = "R-bar/d2"
) -> tuple[Chart, Chart] | NotDefined:
    """X̄ and R: ranges between (d₂ ∓ 3d₃)σ, not below 0; sigma by R̄/d₂ unless said otherwise. Cases as in `subgroup_means`.

    Source: Montgomery (2013), eq. 6.4 and 6.5.
    """
    process = subgroup_means(groups, of, method)
    return process if isinstance(process, NotDefined) else subgroup_pair(process, groups, "R")


def subgroup_pair(process: Process, groups: Subgroups, kind: Literal["R", "S"]) -> tuple[Chart, Chart]:
    """The charts of means and of ranges or standard deviations of a process, whose sigma may be known instead of learned.

    Source: Montgomery (2013), sections 6.2.3 and 6.3.1 (standards given): limits of both from the known sigma.
    """
    statistic = groups.ranges if kind == "R" else groups.deviations
    return shewhart_means(process), _spread_chart(process, kind, statistic, groups.sizes)


def mean_and_deviation_charts(
    groups: Subgroups, of: Phases | None = None, method: SubgroupMethod = "S-bar/c4"
) -> tuple[Chart, Chart] | NotDefined:
    """X̄ and S: standard deviations between c₄σ ∓ 3σ√(1 − c₄²), not below 0. Cases as in `subgroup_means`.

    Source: Montgomery (2013), eq. 6.27, 6.28, 6.30 and 6.31.
    """
    process = subgroup_means(groups, of, method)
    return process if isinstance(process, NotDefined) else subgroup_pair(process, groups, "S")


def _spread_chart(process: Process, kind: Literal["MR", "R", "S"], points: Floats, sizes: NDArray[np.int64]) -> Chart:
    """Chart of ranges or standard deviations (n,) around what sigma lets expect for each size."""
    of, sigma = process.phases, flat(process.sigma, process.phases)
    middle, spread = _expected(sizes, kind)
    names = {"MR": msg("moving range"), "R": msg("subgroup range"), "S": msg("subgroup standard deviation")}
    return Chart(
        kind=kind,
        statistic=names[kind],
        points=points.copy(),
        centre=middle * sigma,
        lower=np.maximum(0.0, middle - SIGMAS * spread) * sigma,
        upper=(middle + SIGMAS * spread) * sigma,
        reach=np.full(len(points), np.nan),
        sigma=sigma,
        method=process.method,
        sizes=sizes.astype(np.float64),
        phases=of,
        notes=() if process.method == "given" else few_points(of, np.isfinite(points)),
        known="both" if process.method == "given" else "none",  # of a chart of spread the centre follows from sigma
    )


def _expected(sizes: NDArray[np.int64], kind: Literal["MR", "R", "S"]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the range or standard deviation of a standard normal subgroup of each size; NaN below 2."""
    if len(sizes) and sizes.min() == sizes.max():  # one size is the common case and needs no sorting
        found, place = sizes[:1], np.zeros(len(sizes), np.int64)
    else:
        found, place = np.unique(sizes, return_inverse=True)
    table = np.full((2, len(found)), np.nan)
    for i, n in enumerate(found):
        if n > 1:
            table[:, i] = (c4(n), np.sqrt(1 - c4(n) ** 2)) if kind == "S" else (d2(n), d3(n))
    return table[0, place.reshape(-1)], table[1, place.reshape(-1)]


def _sigma_within(groups: Subgroups, rows: NDArray[np.bool_], method: SubgroupMethod) -> float:
    """Sigma from the spread within the subgroups `rows` (m,), all of two or more values."""
    sizes = groups.sizes[rows]
    if method == "pooled":
        freedom = int((sizes - 1).sum())
        return float(np.sqrt(((sizes - 1) * groups.deviations[rows] ** 2).sum() / freedom)) / c4(freedom + 1)
    statistic = groups.ranges[rows] if method == "R-bar/d2" else groups.deviations[rows]
    middle, spread = _expected(sizes, "R" if method == "R-bar/d2" else "S")
    weights = (middle / spread) ** 2
    return float((weights * statistic / middle).sum() / weights.sum())


def _moving_ranges(x: Floats, of: Phases) -> Floats:
    """|xᵢ − xᵢ₋₁| (n,), NaN for the first of a stretch and where either is empty."""
    ranges = np.full(len(x), np.nan)
    ranges[1:] = np.abs(np.diff(x))
    ranges[of.bounds[:-1][of.bounds[:-1] < len(x)]] = np.nan
    return ranges
