"""Rules for patterns on a control chart, gathered into books by name, and where a chart breaks them.

A rule is data: its kind and its numbers. Zones are shares of each point's own distance between centre and limit, so that limits
may vary from point to point. Where points are ranges or standard deviations (MR, R, S), squared distances (T², MEWMA) or hang
on the points before (EWMA, CUSUM), only the limits are applied: the patterns are rare only among independent points that lie
evenly on both sides of the centre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.messages import Message, msg
from core.spc.chart import Chart, Floats
from core.spc.constants import SIGMAS

RuleKind = Literal["limit", "beyond", "side", "trend", "alternating", "within", "outside"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: `k` of `n` points in a row, and where it counts `m` standard errors.

    limit: a point outside the limits. beyond: k of n further than m from the centre, on one side. side: k on one side of the
    centre. trend: k rising or falling. alternating: k up and down in turn. within: k nearer than m. outside: k further than m,
    and with `both` some on each side.
    """

    kind: RuleKind
    k: int = 1
    n: int = 1
    m: float = 0.0
    both: bool = False

    @property
    def sentence(self) -> Message:
        """The pattern in words."""
        return _SENTENCES[self.kind](self)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules by a name; a rule's number is its place in `rules`, counted from 1."""

    key: str
    title: Message
    rules: tuple[Rule, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Where a rule of number `number` is broken: bool (n,), True at each point that completes the pattern."""

    number: int
    rule: Rule
    found: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many points complete the pattern."""
        return int(self.found.sum())


_SENTENCES: dict[RuleKind, Callable[[Rule], Message]] = {
    "limit": lambda r: msg("a point outside the control limits"),
    "beyond": lambda r: msg(
        "{k} of {n} points in a row more than {m} σ from the centre line, on one side", k=r.k, n=r.n, m=r.m
    ),
    "side": lambda r: msg("{k} points in a row on one side of the centre line", k=r.k),
    "trend": lambda r: msg("{k} points in a row steadily rising or falling", k=r.k),
    "alternating": lambda r: msg("{k} points in a row up and down in turn", k=r.k),
    "within": lambda r: msg("{k} points in a row within {m} σ of the centre line", k=r.k, m=r.m),
    "outside": lambda r: (
        msg("{k} points in a row more than {m} σ from the centre line, on both sides", k=r.k, m=r.m)
        if r.both
        else msg("{k} points in a row more than {m} σ from the centre line, on either side", k=r.k, m=r.m)
    ),
}

_LIMIT = Rule("limit")
_TWO_OF_THREE, _FOUR_OF_FIVE = Rule("beyond", k=2, n=3, m=2.0), Rule("beyond", k=4, n=5, m=1.0)
_SIX, _FOURTEEN, _FIFTEEN = Rule("trend", k=6), Rule("alternating", k=14), Rule("within", k=15, m=1.0)
_EIGHT_BOTH, _EIGHT_EITHER = Rule("outside", k=8, m=1.0, both=True), Rule("outside", k=8, m=1.0)

BOOKS: tuple[RuleBook, ...] = (
    RuleBook(
        "nelson",
        msg("Nelson"),
        (_LIMIT, Rule("side", k=9), _SIX, _FOURTEEN, _TWO_OF_THREE, _FOUR_OF_FIVE, _FIFTEEN, _EIGHT_BOTH),
        "Nelson, The Shewhart Control Chart: Tests for Special Causes, Journal of Quality Technology 16 (1984) 237-239",
    ),
    RuleBook(
        "western_electric",
        msg("Western Electric"),
        (_LIMIT, _TWO_OF_THREE, _FOUR_OF_FIVE, Rule("side", k=8)),
        "Western Electric, Statistical Quality Control Handbook (1956)",
    ),
    RuleBook(
        "aiag",
        msg("AIAG"),
        (_LIMIT, Rule("side", k=7), _SIX, _FOURTEEN, _TWO_OF_THREE, _FOUR_OF_FIVE, _FIFTEEN, _EIGHT_EITHER),
        "AIAG, Statistical Process Control (2nd ed., 2005), chapter II, table of typical special cause criteria",
    ),
    RuleBook(
        "montgomery",
        msg("Montgomery"),
        (_LIMIT, _TWO_OF_THREE, _FOUR_OF_FIVE, Rule("side", k=8), _SIX, _FIFTEEN, _FOURTEEN, _EIGHT_BOTH),
        "Montgomery, Introduction to Statistical Quality Control (7th ed., 2013), table 6.1",
    ),
)


def rule_book(key: str) -> RuleBook:
    """The book of that key.

    Raises:
        SettingProblem: No book of that key; the keys are named.
    """
    for book in BOOKS:
        if book.key == key:
            return book
    raise SettingProblem(
        msg("There are no control chart rules called '{key}'.", key=key),
        msg("Expected one of: {names}.", names=", ".join(book.key for book in BOOKS)),
        msg("Choose one of these."),
        key=key,
    )


def signals(chart: Chart, book: RuleBook) -> tuple[Signal, ...]:
    """Where a chart breaks the rules of a book, one signal a rule that applies to this kind of chart.

    A pattern is marked from the point that completes it, and at each further point as long as it lasts; in "k of n" the marked
    point itself lies beyond. Empty points are passed over, so that neighbours across a gap count as neighbours. Patterns
    do not reach over the border of a stage. A point on the centre line is on neither side, one on a zone's border is
    in the inner zone, equal neighbours neither rise nor fall.

    Cost: a few passes over the points a rule, linear in n.
    """
    applied = [(i, rule) for i, rule in enumerate(book.rules, 1) if chart.zoned or rule.kind == "limit"]
    found = {i: np.zeros(len(chart.points), np.bool_) for i, _ in applied}
    outside = chart.outside
    for stretch in chart.phases.stretches:
        at = np.flatnonzero(np.isfinite(chart.points[stretch])) + stretch.start
        view = _View(chart, at) if chart.zoned else None
        for i, rule in applied:
            found[i][at] = outside[at] if view is None or rule.kind == "limit" else _MARK[rule.kind](view, rule)
    return tuple(Signal(i, rule, found[i]) for i, rule in applied)


class _View:
    """The known points of one stretch (k,), with what several rules need made once."""

    __slots__ = ("side", "sigmas", "steps")

    def __init__(self, chart: Chart, at: NDArray[np.int64]) -> None:
        points = chart.points[at]
        away = points - chart.centre[at]
        self.sigmas: Floats = SIGMAS * away / chart.reach[at]
        self.side: NDArray[np.int8] = np.sign(away).astype(np.int8)
        self.steps: NDArray[np.int8] = np.sign(np.diff(points)).astype(np.int8)


def _beyond(view: _View, rule: Rule) -> NDArray[np.bool_]:
    found = np.zeros(len(view.sigmas), np.bool_)
    for out in (view.sigmas > rule.m, view.sigmas < -rule.m):
        found |= out & (_in_last(out, rule.n) >= rule.k)
    return found


def _one_side(view: _View, rule: Rule) -> NDArray[np.bool_]:
    return (_in_last(view.side > 0, rule.k) == rule.k) | (_in_last(view.side < 0, rule.k) == rule.k)


def _trend(view: _View, rule: Rule) -> NDArray[np.bool_]:
    # k points are k − 1 steps.
    found = np.zeros(len(view.sigmas), np.bool_)
    for way in (view.steps > 0, view.steps < 0):
        found[1:] |= _in_last(way, rule.k - 1) == rule.k - 1
    return found


def _alternating(view: _View, rule: Rule) -> NDArray[np.bool_]:
    # k points are k − 1 steps, of which k − 2 turn against the one before.
    found = np.zeros(len(view.sigmas), np.bool_)
    turns = view.steps[1:] * view.steps[:-1] < 0
    found[2:] = _in_last(turns, rule.k - 2) == rule.k - 2
    return found


def _within(view: _View, rule: Rule) -> NDArray[np.bool_]:
    return _in_last(np.abs(view.sigmas) <= rule.m, rule.k) == rule.k


def _outside(view: _View, rule: Rule) -> NDArray[np.bool_]:
    above, below = view.sigmas > rule.m, view.sigmas < -rule.m
    highs, lows = _in_last(above, rule.k), _in_last(below, rule.k)
    all_out = highs + lows == rule.k
    return all_out & (highs > 0) & (lows > 0) if rule.both else all_out


_MARK: dict[RuleKind, Callable[[_View, Rule], NDArray[np.bool_]]] = {
    "beyond": _beyond,
    "side": _one_side,
    "trend": _trend,
    "alternating": _alternating,
    "within": _within,
    "outside": _outside,
}


def _in_last(marks: NDArray[np.bool_], k: int) -> NDArray[np.int32]:
    """How many of the last k marks are True at each place, (n,); of fewer where there are fewer before."""
    sums = np.cumsum(marks, dtype=np.int32)
    if len(marks) <= k:
        return sums
    found = sums.copy()
    found[k:] -= sums[:-k]
    return found
