"""Is a process stable enough to speak of its capability? The charts are asked, and chance is allowed its share.

Any rule is broken by chance now and then: of a thousand points of a stable process about three lie outside the limits. So what is broken is
counted and held against the number that chance gives, for all rules together: of stable processes about one in twenty is taken for unstable, however
many rules the book has, and up to one in thirteen where the limits come from a few subgroups of two. `strict` takes every broken rule for a cause, as a textbook does with 25 points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import factorial, pi

import numpy as np
from numpy.typing import NDArray

from core.messages import Message
from core.spc.chart import Chart
from core.spc.constants import SIGMAS, c4, d2, d3
from core.spc.rules import Rule, RuleBook, Signal, signals

LEVEL = 0.02
"""The chance that one point of a stable process lies so far out that this alone counts; also of a count that is judged by itself."""
LEVEL_OF_PATTERNS = 0.028
"""The chance that any of the counts and lengths of a book's patterns, on all charts of a process together, is taken for more than chance. With
the level of a far point it is a little below 5 %, because limits that come from the same points add some: most where few subgroups of two give a
sigma that is little known, so that a far point comes in 4.7 % at 25 of them in place of 2 %, and a false verdict in 6 to 7 %."""
TELL_OF_CHANGES = ("limit", "far", "beyond", "side", "trend")
WEIGHTS = {"side": 4.0, "beyond": 2.0}
"""How much sooner a rule that tells of a shift of the level gets its share of the chance; others have 1."""
LEAST_LEVEL = 1e-5
"""Smaller chances are left to those that reach them: a sum of levels is no finer."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken more often or for longer than by chance, or a point farther out than chance takes any.

    `count` are points outside for the rule of limits and beginnings of patterns for others, of `points`; `expected` is what chance gives. `first` is the place
    of the first such point on the chart. `is_far`: one point alone is too far out. `longest` points complete the longest pattern where its length is
    no chance, 0 where it is. `is_often`: so many come by chance in fewer cases than this count may have; a strict judge has breaches that are none of the three.
    """

    chart: Message
    rule: Rule
    count: int
    points: int
    expected: float
    first: int
    is_far: bool = False
    longest: int = 0
    is_often: bool = False


@dataclass(frozen=True, slots=True)
class Stability:
    """What the charts say; `by_chance` counts broken rules that chance explains."""

    breaches: tuple[Breach, ...]
    by_chance: int
    points: int

    @property
    def is_stable(self) -> bool:
        return not self.breaches


@dataclass(frozen=True, slots=True)
class _Seen:
    """A rule on a chart: how often it is broken with the chance of that or more, and how long its longest pattern is with the chance of that."""

    chart: Message
    rule: Rule
    count: int
    points: int
    expected: float
    first: int
    p_count: float
    p_length: float
    longest: int
    reachable: Reachable
    is_far: bool


def judge_stability(charts: Sequence[Chart], book: RuleBook, *, strict: bool = False, every_rule: bool = False) -> Stability:
    """Whether a process is stable.

    Looked at are the rule of limits, points beyond two thirds or one third of them, runs on one side of the centre line and trends, which show what
    changes; alternating, crowded and missing middles tell of mixed subgroups and are only drawn. Of stable processes of independent normal values about 5 % are
    taken for unstable (6 to 7 % of 25 to 50 subgroups of two, 7.5 % of ten of them, because their sigma is little known): 2 % by one point so far out that the farthest of n normal points seldom is, and 2.8 % by any count or length of a pattern.

    Each rule has its count of patterns with the Poisson chance of so many or more, and the length of its longest with the chance of one so long.
    All of them share the 2.8 %: the chances at which they count add up to that at most (`_levels`).

    Args:
        charts: Charts of the same subgroups: of the level and of the spread.
        book: The rules.
        strict: Every signal of every rule of the book counts, whatever its chance.
        every_rule: Alternating, crowded and missing middles are judged too, as where a whole chart is judged.

    Source: the numbers by chance: three sigma of the normal distribution; (1/2)^k and 2k / (k + 1)! beginnings a point of k on one side and of k in a trend;
    alternating permutations (`_alternating_share`); the distributions of range and standard deviation (Montgomery, 2013, chapter 6). The shared
    level: Bonferroni's inequality over the chances that whole numbers can reach, an idea of Tarone ("A modified Bonferroni method for discrete data",
    Biometrics 46 (1990) 515-522).
    """
    seen = [
        _seen(chart, signal)
        for chart in charts
        for signal in signals(chart, book)
        if strict or every_rule or signal.rule.kind in TELL_OF_CHANGES
    ]
    levels = _levels(tuple(s.reachable for s in seen), tuple(WEIGHTS.get(s.rule.kind, 1.0) for s in seen))
    breaches, chance = [], 0
    for s, (of_count, of_length) in zip(seen, levels, strict=True):
        is_long, is_often = s.count > 0 and s.p_length <= of_length, s.p_count <= of_count
        if s.count and (strict or s.is_far or is_long or is_often):
            longest = s.longest if is_long else 0
            breaches.append(Breach(s.chart, s.rule, s.count, s.points, s.expected, s.first, s.is_far, longest, is_often))
        else:
            chance += s.count
    return Stability(tuple(breaches), chance, max((int(chart.judged.sum()) for chart in charts), default=0))


def _seen(chart: Chart, signal: Signal) -> _Seen:
    rule, points = signal.rule, int(chart.judged.sum())
    by_limits = rule.kind in ("limit", "far")
    marks = signal.found if by_limits else _beginnings(signal.found)
    count, expected = int(marks.sum()), points * _rate(chart, rule)
    longest = 0 if by_limits or not count else _longest(chart, signal)

    def of_length(m: int) -> float:
        return _poisson_tail(1, expected * _going_on(chart, rule, m))

    return _Seen(
        chart=chart.statistic,
        rule=rule,
        count=count,
        points=points,
        expected=expected,
        first=int(np.flatnonzero(marks)[0]) if count else -1,
        p_count=_poisson_tail(count, expected) if count else 1.0,
        p_length=of_length(longest) if longest else 1.0,
        longest=longest,
        reachable=(_counts(expected), () if by_limits else _reachable(of_length)),
        is_far=bool(count) and by_limits and _is_far(chart, points),
    )


Reachable = tuple[tuple[float, ...], tuple[float, ...]]
"""Of a rule: the chances of a count of 1, 2, … or more patterns, and of a longest one of 1, 2, … points or more, as far as they are small."""


@lru_cache(maxsize=256)
def _levels(rules: tuple[Reachable, ...], weights: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    """The level of the count and of the length of each rule, so that they add up to 2.8 % at most.

    Whole numbers reach only some chances. These are taken from the smallest on, a rule's divided by its weight, wherever one more still fits: it
    takes the place of the smaller one of its kind.
    """
    kinds = [chances for rule in rules for chances in rule]
    levels, spent = [0.0] * len(kinds), 0.0
    closed = set[int]()
    offered = [(chance / weights[kind // 2], chance, kind) for kind, chances in enumerate(kinds) for chance in chances]
    for _, chance, kind in sorted(offered):
        if kind in closed:
            continue
        if spent - levels[kind] + chance > LEVEL_OF_PATTERNS:
            closed.add(kind)
        else:
            spent += chance - levels[kind]
            levels[kind] = chance
    return tuple(zip(levels[::2], levels[1::2], strict=True))


def _reachable(chances: Callable[[int], float], first: int = 1) -> tuple[float, ...]:
    """The chances of `first`, `first` + 1, … or more that are small enough to count and large enough to matter."""
    found, n = [], first
    while (chance := chances(n)) > LEAST_LEVEL:
        found.append(chance)
        n += 1
    return tuple(chance for chance in found if chance <= LEVEL_OF_PATTERNS)


@lru_cache(maxsize=1024)
def _counts(expected: float) -> tuple[float, ...]:
    """What counts of an expectation can reach (Poisson)."""
    if expected <= 0:
        return ()
    # A count of no more than is expected has a chance of about a half.
    return _reachable(lambda n: _poisson_tail(n, expected), max(1, int(expected)))


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


def _longest(chart: Chart, signal: Signal) -> int:
    """How many points in a row complete the longest pattern; those of k of n need not follow each other at once, and are on one side."""
    judged = chart.judged
    found = signal.found[judged]
    if signal.rule.kind != "beyond":
        return max(_runs(np.flatnonzero(found), 1))
    is_high = (chart.points > chart.centre)[judged]
    within = _misses(signal.rule) + 1
    return max(size for side in (found & is_high, found & ~is_high) for size in _runs(np.flatnonzero(side), within))


def _runs(places: NDArray[np.int64], within: int) -> list[int]:
    """Sizes of the groups of places of which each follows the one before within so many; [0] of none."""
    if not len(places):
        return [0]
    breaks = np.flatnonzero(np.diff(places) > within) + 1
    return [len(group) for group in np.split(places, breaks)]


def _misses(rule: Rule) -> int:
    return rule.n - rule.k


def _going_on(chart: Chart, rule: Rule, longest: int) -> float:
    """The share of the rule's patterns that so many points or more complete, or a little more than that share.

    Of points far out each next one is far with the same chance; with both sides wanted it may end the pattern all the same. Of k of n the next point on that side within the points that may be missed makes one more; it comes by a chance that hangs on
    nothing before it, 1 − (1 − p)^(n − k + 1), where p is that of one point beyond on that side.
    """
    if rule.kind not in ("beyond", "outside"):
        return _rate(chart, replace(rule, k=rule.k + longest - 1)) / _rate(chart, rule)
    from scipy.special import ndtr

    if rule.kind == "outside":
        return float((2 * ndtr(-rule.m)) ** (longest - 1))
    more = 1 - (1 - float(ndtr(-rule.m))) ** (_misses(rule) + 1)
    return float(more ** (longest - 1))


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
    # outside: k far after one that is not.
    begun = far**rule.k * (1 - far)
    if not rule.both:
        return begun
    # Not all k on one side; or k far on one side, which is no pattern yet, and then one on the other.
    return begun * (1 - 2.0 ** (1 - rule.k)) + 2 * (far / 2) ** (rule.k + 1)


@lru_cache(maxsize=512)
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
