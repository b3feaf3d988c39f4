"""Is a process stable enough to speak of its capability? The charts are asked, and chance is allowed its share.

Any rule is broken by chance now and then: of a thousand points of a stable process about three lie outside the limits. So what is broken is
counted and held against the number that chance gives. `strict` takes every broken rule for a cause, as a textbook does with 25 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import factorial, pi

import numpy as np

from core.messages import Message
from core.spc.chart import Chart
from core.spc.constants import SIGMAS, c4, d2, d3
from core.spc.rules import Rule, RuleBook, Signal, signals

LEVEL = 0.02
"""The chance that a stable process is taken for unstable by one rule on one chart; of all together it is 3 to 8 % (test)."""
LEVEL_OF_LENGTH = 0.001  # stands beside the counts of the same patterns, and adds little to their chance


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken more often than by chance, or a point farther out than chance takes any.

    `count` are points outside for the rule of limits and beginnings of patterns for others, of `points`; `expected` is what chance gives. `first` is the place
    of the first such point on the chart.
    """

    chart: Message
    rule: Rule
    count: int
    points: int
    expected: float
    first: int
    is_far: bool = False


@dataclass(frozen=True, slots=True)
class Stability:
    """What the charts say; `by_chance` counts broken rules that chance explains."""

    breaches: tuple[Breach, ...]
    by_chance: int
    points: int

    @property
    def is_stable(self) -> bool:
        return not self.breaches


def judge_stability(charts: Sequence[Chart], book: RuleBook, *, strict: bool = False, every_rule: bool = False) -> Stability:
    """Whether a process is stable.

    Looked at are the rule of limits, points beyond two thirds or one third of them, runs on one side of the centre line and trends, which show what
    changes; alternating, crowded and missing middles tell of mixed subgroups and are only drawn. A rule counts as broken where so many points or
    patterns have a chance of less than 2 % (Poisson) in a stable process, or where one point of n is so far out that the farthest of n
    normal points is so in less than 2 %.

    Args:
        charts: Charts of the same subgroups: of the level and of the spread.
        book: The rules.
        strict: Every signal of every rule of the book counts, whatever its chance.
        every_rule: Alternating, crowded and missing middles are judged by their chance too, and any pattern by its length, as where a whole chart
            is judged: a pattern that goes on over most of a chart begins only once.

    Source: the numbers by chance: three sigma of the normal distribution; (1/2)^k and 2k / (k + 1)! beginnings a point of k on one side and of k in a trend;
    alternating permutations (`_alternating_share`); the distributions of range and standard deviation (Montgomery, 2013, chapter 6).
    """
    breaches, chance = [], 0
    for chart in charts:
        points = int(chart.judged.sum())
        for signal in signals(chart, book):
            rule = signal.rule
            marks = signal.found if rule.kind in ("limit", "far") else _beginnings(signal.found)
            count = int(marks.sum())
            if not count or not (strict or every_rule or rule.kind in ("limit", "far", "beyond", "side", "trend")):
                continue
            expected = points * _rate(chart, rule)
            far = _is_far(chart, points) if rule.kind in ("limit", "far") else every_rule and _is_long(chart, signal, points)
            if strict or far or _poisson_tail(count, expected) < LEVEL:
                breaches.append(Breach(chart.statistic, rule, count, points, expected, int(np.flatnonzero(marks)[0]), far))
            else:
                chance += count
    return Stability(tuple(breaches), chance, max((int(chart.judged.sum()) for chart in charts), default=0))


def is_no_more_than_chance(count: int, expected: float) -> bool:
    """Whether so many signals, or more, come in 2 % of cases or more where `expected` come on average (Poisson)."""
    return count == 0 or _poisson_tail(count, expected) >= LEVEL


def _beginnings(found: np.ndarray) -> np.ndarray:
    return found & ~np.concatenate([[False], found[:-1]])


def _is_far(chart: Chart, points: int) -> bool:
    """Whether a point lies farther out than the farthest of so many normal points does in 2 %; only where points are normal."""
    if not chart.zoned:
        return False
    from scipy.special import ndtri

    sigmas = np.abs(SIGMAS * (chart.points - chart.centre) / chart.reach)[chart.judged]
    return bool(np.nanmax(sigmas) > -ndtri(LEVEL / (2 * points)))


def _is_long(chart: Chart, signal: Signal, points: int) -> bool:
    """Whether the longest pattern goes on for so long as in less than 0.1 % of cases it does among so many points."""
    if signal.rule.kind == "beyond":  # its points need not follow each other
        return False
    marks = np.concatenate([[0], signal.found[chart.judged], [0]])
    edges = np.flatnonzero(np.diff(marks))
    longest = int((edges[1::2] - edges[::2]).max())
    return _poisson_tail(1, points * _rate(chart, replace(signal.rule, k=signal.rule.k + longest - 1))) < LEVEL_OF_LENGTH


def _rate(chart: Chart, rule: Rule) -> float:
    """Broken rules a point of a stable process."""
    if rule.kind == "side":
        return float(0.5**rule.k)
    if rule.kind == "trend":
        return 2 * rule.k / factorial(rule.k + 1)
    if rule.kind == "beyond":
        return _beyond_rate(rule)
    if rule.kind == "limit":
        return _outside_rate(chart)
    if rule.kind == "alternating":
        return _alternating_share(rule.k) - _alternating_share(rule.k + 1)
    from scipy.special import ndtr

    far = 2 * float(ndtr(-rule.m))
    if rule.kind == "far":
        return far
    if rule.kind == "within":
        return (1 - far) ** rule.k * far
    # outside: beginnings of all k far, less those that are all on one side.
    return far**rule.k * (1 - far) - (2 * (far / 2) ** rule.k * (1 - far / 2) if rule.both else 0.0)


def _alternating_share(k: int) -> float:
    """The chance that k independent points go up and down in turn: 2 Eₖ / k!, with Euler's zigzag numbers Eₖ.

    Source: André, "Développements de sec x et de tang x", Comptes rendus 88 (1879) 965-967; here by the series of Eₖ / k!, of which a hundred
    terms are exact to seven digits from k = 3 on.
    """
    terms = ((-1) ** (j * (k + 1)) / (2 * j + 1) ** (k + 1) for j in range(100))
    return 4 * (2 / pi) ** (k + 1) * sum(terms)


def _beyond_rate(rule: Rule) -> float:
    """The chance that a point lies beyond m σ with k − 1 or more of the n − 1 before it, on one of the two sides.

    Beginnings are a little rarer than that, so that chance is allowed a little more.
    """
    from scipy.special import bdtrc, ndtr

    share = float(ndtr(-rule.m))
    return 2 * share * float(bdtrc(rule.k - 2, rule.n - 1, share))


def _outside_rate(chart: Chart) -> float:
    """The chance that a point of a stable process lies outside, averaged over the sizes."""
    from scipy.special import chdtr, chdtrc, ndtr

    if chart.zoned:
        return 2 * float(ndtr(-SIGMAS))
    sizes, counts = np.unique(chart.sizes[chart.judged].astype(np.int64), return_counts=True)
    rates = []
    for n in map(int, sizes):
        if chart.kind == "S":
            reach = SIGMAS * float(np.sqrt(1 - c4(n) ** 2))
            low, high = max(0.0, c4(n) - reach), c4(n) + reach
            rates.append(float(chdtrc(n - 1, (n - 1) * high**2) + chdtr(n - 1, (n - 1) * low**2)))
        else:
            rates.append(_range_above(n, d2(n) + SIGMAS * d3(n)) + 1 - _range_above(n, max(0.0, d2(n) - SIGMAS * d3(n))))
    return float(np.array(rates) @ counts / counts.sum()) if len(rates) else 0.0


@lru_cache(maxsize=256)
def _range_above(n: int, width: float) -> float:
    """The chance that the range of n standard normal values is larger than a width: 1 − n ∫ φ(x)(Φ(x + w) − Φ(x))ⁿ⁻¹ dx."""
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = 8.0 * nodes
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return float(1 - 8.0 * n * (weights * density * (ndtr(x + width) - ndtr(x)) ** (n - 1)).sum())


def _poisson_tail(count: int, expected: float) -> float:
    """The chance of so many or more."""
    from scipy.special import gammainc

    return float(gammainc(count, expected)) if expected > 0 else 0.0
