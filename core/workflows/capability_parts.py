"""The parts of a capability view: subgroups and their charts, indices behind the gate of stability, histogram, strata, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.messages import Message, msg
from core.spc.capability import FEWEST_VALUES, Capability, capability
from core.spc.capability_indices import Indices, Outside, Specification, normal_indices, normal_outside
from core.spc.capability_sigma import Spread, within_spread
from core.spc.chart import Chart, Floats, numbered
from core.spc.distribution_fits import TRANSFORMATIONS
from core.spc.distributions import Fit
from core.spc.index_intervals import with_intervals
from core.spc.individuals import NotDefined
from core.spc.percentiles import IndexMethod, fitted_indices, fitted_outside, straightened, transformed_indices
from core.spc.proposal import ChartPair, propose_chart
from core.spc.stability import Breach, Stability
from core.spc.subgroups import Subgroups, subgroups, subgroups_of_size
from core.spc.variables import SubgroupMethod, individuals_charts, mean_and_deviation_charts, mean_and_range_charts

LAST_SUBGROUPS = 25
MOST_BARS, CURVE_POINTS = 60, 201


@dataclass(frozen=True, slots=True)
class Density:
    """A density (k,) over values (k,), 1 / column unit; `key` is within, overall or fitted."""

    key: str
    values: Floats
    density: Floats


@dataclass(frozen=True, slots=True)
class Stratum:
    """One machine, lot or shift; `ppk` with its interval is that of its own values, as of normal ones; `why_not` says why there is none."""

    name: str
    n: int
    mean: float | None
    sd: float | None
    ppk: float | None
    low: float | None
    high: float | None
    why_not: Message | None


@dataclass(frozen=True, slots=True)
class BreachLine:
    """A rule that is broken: on which chart, how often among how many points and how often by chance, first at which row (from 1), and why it counts."""

    chart: Message
    pattern: Message
    count: int
    points: int
    expected: float
    row: int
    why: Message


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows, in order, belong to one point: single rows without `labels`. `codes` (n,) count subgroups, `ends` (m,) are their last rows."""

    codes: NDArray[np.int64]
    ends: NDArray[np.int64]
    size: int
    labels: NDArray[np.generic] | None

    @classmethod
    def of(cls, n: int, size: int | None, labels: NDArray[np.generic] | None) -> Grouping:
        """By labels (n,), by so many rows in order, or each row by itself."""
        if labels is not None:
            codes, names = numbered(labels)
            ends = np.zeros(len(names), np.int64)
            ends[codes] = np.arange(n)  # the last of each label stays
            return cls(codes, ends, 0, labels)
        size = size or 1
        return cls(np.arange(n) // size, np.minimum(np.arange(size - 1, n + size - 1, size), n - 1), size, None)

    def groups(self, values: Floats) -> Subgroups | None:
        """The subgroups of values (n,); None for single values."""
        if self.labels is not None:
            return subgroups(values, self.labels)
        return None if self.size == 1 else subgroups_of_size(values, self.size)

    def recent(self, values: Floats) -> Floats:
        """Place of the subgroup, from 1, and value of each row of the last 25 subgroups, (r, 2), in the order of the subgroups."""
        last = np.flatnonzero((self.codes >= len(self.ends) - LAST_SUBGROUPS) & np.isfinite(values))
        last = last[np.argsort(self.codes[last], kind="stable")]
        return np.column_stack([self.codes[last] + 1.0, values[last]])


def charts_of(values: Floats, groups: Subgroups | None, method: SubgroupMethod) -> tuple[Chart, Chart] | NotDefined:
    """Charts of level and spread with the sigma of the method."""
    if groups is None:
        return individuals_charts(values)
    return mean_and_range_charts(groups) if method == "R-bar/d2" else mean_and_deviation_charts(groups, method=method)


def chart_and_method(groups: Subgroups | None, sigma: str) -> tuple[ChartPair, SubgroupMethod]:
    """The pair of charts and the sigma within; single values have moving ranges whatever is asked for."""
    methods: dict[str, SubgroupMethod] = {"R-bar/d2": "R-bar/d2", "S-bar/c4": "S-bar/c4", "pooled": "pooled"}
    if groups is None:
        return "I-MR", "R-bar/d2"
    if sigma in methods:
        return ("Xbar-R" if sigma == "R-bar/d2" else "Xbar-S"), methods[sigma]
    proposal = propose_chart("measurement", groups.sizes)
    if not isinstance(proposal, NotDefined) and proposal.chart == "Xbar-R":
        return "Xbar-R", "R-bar/d2"
    return "Xbar-S", "S-bar/c4"


@dataclass(frozen=True, slots=True)
class Judged:
    """Indices and expected parts per million, behind the gate."""

    within: Indices | NotDefined
    overall: Indices | NotDefined
    expected_within: Outside | NotDefined
    expected_overall: Outside | NotDefined
    is_past_only: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What indices are made from: `values` (n,) without empty cells, `cells` in order with them, and the choices."""

    values: Floats
    cells: Floats
    grouping: Grouping
    sigma: SubgroupMethod
    spec: Specification
    fit: Fit | NotDefined
    overall: Spread | NotDefined
    within: Spread | NotDefined
    method: IndexMethod
    confidence: float


def judged(asked: Asked, unstable: Message | None, *, anyway: bool) -> Judged:
    """The indices where the process is stable; performance alone where it is not and was asked for anyway.

    Args:
        unstable: Why the process is not stable; None where it is.
        anyway: Whether performance is wanted all the same.
    """
    n = len(asked.values)
    if n < FEWEST_VALUES:
        few = NotDefined(msg("capability needs at least {n} values, and there are {m}", n=FEWEST_VALUES, m=n))
        return Judged(few, few, few, few, is_past_only=False)
    if unstable is not None and not anyway:
        refused = NotDefined(unstable)
        return Judged(refused, refused, refused, refused, is_past_only=False)
    overall, ppm = _overall(asked)
    if unstable is not None:
        refused = NotDefined(unstable)
        return Judged(refused, overall, refused, ppm, is_past_only=True)
    within, ppm_within = _within(asked)
    return Judged(within, overall, ppm_within, ppm, is_past_only=False)


def _overall(asked: Asked) -> tuple[Indices | NotDefined, Outside | NotDefined]:
    fit, spec = asked.fit, asked.spec
    if isinstance(fit, NotDefined):
        return fit, fit
    if fit.key in TRANSFORMATIONS:
        found = transformed_indices(fit, asked.values, spec, confidence=asked.confidence)
        return found, fitted_outside(fit, spec)
    if fit.key != "normal":
        found = fitted_indices(fit, spec, asked.method)
        # Of very many values a part gave the fit, and the index is no surer than that part.
        with_ends = with_intervals(found, fit, spec, fit.n, asked.method, confidence=asked.confidence)
        return with_ends, fitted_outside(fit, spec)
    if isinstance(asked.overall, NotDefined):
        return asked.overall, asked.overall
    mean, n = float(asked.values.mean()), len(asked.values)
    indices = normal_indices(mean, asked.overall, n, spec, confidence=asked.confidence, with_target=True)
    return indices, normal_outside(mean, asked.overall.sigma, spec)


def _within(asked: Asked) -> tuple[Indices | NotDefined, Outside | NotDefined]:
    fit, spec = asked.fit, asked.spec
    if isinstance(fit, NotDefined):
        return fit, fit
    if fit.key in TRANSFORMATIONS:
        return _within_transformed(asked, fit)
    if fit.key != "normal":
        none = NotDefined(
            msg("a fitted distribution describes all values together; spread within subgroups has none of its own")
        )
        return none, none
    if isinstance(asked.within, NotDefined):
        return asked.within, asked.within
    mean = float(asked.values.mean())
    return normal_indices(mean, asked.within, len(asked.values), spec, confidence=asked.confidence), normal_outside(
        mean, asked.within.sigma, spec
    )


def _within_transformed(asked: Asked, fit: Fit) -> tuple[Indices | NotDefined, Outside | NotDefined]:
    """Spread within subgroups of the straightened values."""
    limits, known = straightened(fit, asked.spec), np.isfinite(asked.cells)
    y = np.full(len(asked.cells), np.nan)
    inside = known & (asked.cells > fit.curve.support[0]) & (asked.cells < fit.curve.support[1])
    y[inside] = fit.curve(asked.cells[inside])
    spread = within_spread(y, asked.grouping.groups(y), asked.sigma)
    if isinstance(spread, NotDefined):
        return spread, spread
    found = transformed_indices(fit, asked.values, asked.spec, within=spread, confidence=asked.confidence)
    if isinstance(found, NotDefined):
        return found, found
    if isinstance(limits, NotDefined):
        return limits, limits
    return found, normal_outside(float(y[inside].mean()), spread.sigma, limits)


def histogram(
    values: Floats, spec: Specification, overall: Spread | NotDefined, within: Spread | NotDefined, fit: Fit | NotDefined
) -> tuple[Floats, NDArray[np.int64], tuple[Density, ...]]:
    """Edges (k + 1,) and counts (k,) of at most 60 bars by Freedman and Diaconis, and the densities over values and limits."""
    edges = np.histogram_bin_edges(values, _bars(values))
    counts, _ = np.histogram(values, edges)
    ends = [*edges[[0, -1]], *(v for v in (spec.lower, spec.upper) if v is not None)]
    margin = 0.05 * (max(ends) - min(ends))
    at, mean = np.linspace(min(ends) - margin, max(ends) + margin, CURVE_POINTS), float(values.mean())
    found = [
        Density(key, at, np.exp(-0.5 * ((at - mean) / s.sigma) ** 2) / (s.sigma * np.sqrt(2 * np.pi)))
        for key, s in (("within", within), ("overall", overall))
        if isinstance(s, Spread)
    ]
    if isinstance(fit, Fit) and fit.key != "normal":
        found.append(Density("fitted", at, fit.density(at)))
    return edges, counts.astype(np.int64), tuple(found)


def _bars(values: Floats) -> int:
    """How many bars 2 IQR / n^⅓ wide the range has, at most 60: one wild value would ask for millions."""
    low, high = np.percentile(values, [25, 75])
    width = 2 * float(high - low) / len(values) ** (1 / 3)
    wanted = float(np.ptp(values)) / width if width > 0 else np.log2(len(values)) + 1
    return int(np.ceil(np.clip(wanted, 1, MOST_BARS)))


def strata_of(values: Floats, labels: pd.Series, spec: Specification) -> tuple[Stratum, ...]:
    """Mean, standard deviation and Ppk of each label, in the order in which they first come; an empty label is one too."""
    codes, names = numbered(labels.astype("str").to_numpy())
    found = []
    for i, name in enumerate(names):
        own = values[(codes == i) & np.isfinite(values)]
        ppk = capability(own, spec.lower, spec.upper)
        good = ppk if isinstance(ppk, Capability) else None
        found.append(
            Stratum(
                str(name),
                len(own),
                float(own.mean()) if len(own) else None,
                float(own.std(ddof=1)) if len(own) > 1 else None,
                good.ppk if good else None,
                good.ppk_low if good else None,
                good.ppk_high if good else None,
                ppk.reason if isinstance(ppk, NotDefined) else None,
            )
        )
    return tuple(found)


def why_unstable(stability: Stability, rows: Sequence[int] | NDArray[np.int64]) -> Message:
    """That the process is not stable and what is broken first, in a few words; `rows` (n_points,) is the row of the table of each point."""
    first, more = lines_of(stability, rows)[0], len(stability.breaches) - 1
    facts: dict[str, int | Message] = {"chart": first.chart, "pattern": first.pattern, "n": first.count, "row": first.row}
    if not more:
        return msg("the process is not stable ({chart}: {pattern}, {n} times, first at row {row})", **facts)
    return msg(
        "the process is not stable ({chart}: {pattern}, {n} times, first at row {row}; and {more} more)", more=more, **facts
    )


def lines_of(stability: Stability, rows: Sequence[int] | NDArray[np.int64]) -> tuple[BreachLine, ...]:
    """The rules that are broken, with rows of the table in place of points."""
    return tuple(
        BreachLine(b.chart, b.rule.sentence, b.count, b.points, b.expected, int(rows[b.first]) + 1, _why(b))
        for b in stability.breaches
    )


def _why(breach: Breach) -> Message:
    # One signal of a point far out says no more than that; many tell of a shift.
    if breach.is_far and (breach.count == 1 or not breach.is_often):
        return msg("too far out for chance")
    if breach.is_often:
        return msg("more often than by chance")
    if breach.longest:
        return msg("too long for chance: {n} points in a row complete it", n=breach.longest)
    return msg("every signal counts")
