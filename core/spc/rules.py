"""Rules for patterns on a control chart, gathered into books by name, and where a chart breaks them.

A rule is data: its kind and its numbers. Zones are shares of each point's own distance between centre and limit, so that limits
may vary from point to point. Where points are ranges or standard deviations (MR, R, S), squared distances (T², MEWMA) or hang
on the points before (EWMA, CUSUM), only the limits are applied: the patterns are rare only among independent points that lie
evenly on both sides of the centre.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.spc.chart import Chart, Floats
from core.spc.constants import SIGMAS

RuleKind = Literal["limit", "far", "beyond", "side", "trend", "alternating", "within", "outside"]
FARTHEST, LONGEST = 10.0, 100
"""The largest own k of a rule: standard errors, and points in a row."""
ZERO = 1e-9
"""Standard errors below which a cumulative sum counts as 0: the running sum leaves a rounding."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: `k` of `n` points in a row, and where it counts `m` standard errors.

    limit: a point outside the limits. far: a point further than m from the centre. beyond: k of n further than m from the centre, on one side. side: k on one side of the
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
    """Rules by a name; a rule's number is its place in `rules`, counted from 1, or what `numbers` says where only some are taken."""

    key: str
    title: Message
    rules: tuple[Rule, ...]
    source: str
    numbers: tuple[int, ...] = ()

    @property
    def numbered(self) -> tuple[tuple[int, Rule], ...]:
        """Each rule with its number."""
        return tuple(zip(self.numbers or range(1, len(self.rules) + 1), self.rules, strict=True))


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
    "far": lambda r: msg("a point more than {m} σ from the centre line", m=r.m),
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


def chosen_rules(book: RuleBook, only: Sequence[str]) -> RuleBook:
    """The rules of a book that are wanted, each with its own k where one is given; the whole book of none.

    Args:
        only: A rule's number, or "number:k". k is how many points in a row the pattern has; of "k of n" n is k + 1; of the limit it is the
            distance from the centre in standard errors (on charts without zones the drawn limit stays).

    Raises:
        SettingProblem: No such rule, one that comes twice, or a k that its pattern cannot have.

    Example:
        >>> [(n, str(r.sentence)) for n, r in chosen_rules(rule_book("nelson"), ("1", "2:8")).numbered]
        [(1, 'a point outside the control limits'), (2, '8 points in a row on one side of the centre line')]
    """
    if not only:
        return book
    found: dict[int, Rule] = {}
    for text in only:
        number, _, own = (part.strip() for part in text.partition(":"))
        is_number = number.isdecimal() and len(number) <= len(str(LONGEST))
        if not is_number or not 1 <= int(number) <= len(book.rules) or int(number) in found:
            raise SettingProblem(
                msg("There is no rule '{rule}' of {book} to take, or it comes twice.", rule=text[:80], book=book.title),
                msg("Expected numbers from 1 to {n}, each once, such as 1,2:8,5.", n=len(book.rules)),
                msg("Correct the list of rules, or leave it out for the whole book."),
            )
        rule = book.rules[int(number) - 1]
        found[int(number)] = _with_own_k(rule, own, text) if own else rule
    numbers = tuple(sorted(found))
    names = ", ".join(f"{i}" if found[i] == book.rules[i - 1] else f"{i} ({_own_k(found[i])})" for i in numbers)
    title = msg_n("{book} (rule {rules})", "{book} (rules {rules})", len(numbers), book=book.title, rules=names)
    return RuleBook(book.key, title, tuple(found[i] for i in numbers), book.source, numbers)


def usual_k(rule: Rule) -> float:
    """The k of a rule as it stands in its book: points in a row, or standard errors of the limit."""
    return SIGMAS if rule.kind == "limit" else rule.m if rule.kind == "far" else float(rule.k)


def _with_own_k(rule: Rule, own: str, text: str) -> Rule:
    """The rule with another k."""
    try:
        k = float(own)
    except ValueError:
        k = float("nan")
    if rule.kind == "limit":
        if 0 < k <= FARTHEST:
            return rule if k == SIGMAS else Rule("far", m=k)
        expected = msg("k of this rule is a distance from the centre line in σ, above 0 and at most {most}.", most=FARTHEST)
    else:
        least = 3 if rule.kind in ("trend", "alternating") else 2
        if k == int(k if np.isfinite(k) else 0) and least <= k <= LONGEST:
            return replace(rule, k=int(k), n=int(k) + 1 if rule.kind == "beyond" else rule.n)
        expected = msg("k of this rule is a number of points, from {least} to {most}.", least=least, most=LONGEST)
    raise SettingProblem(
        msg("The rule '{rule}' has no such k.", rule=text[:80]), expected, msg("Write for example 2:8, or the number alone.")
    )


def _own_k(rule: Rule) -> str:
    return f"k = {usual_k(rule):g}"


def signals(chart: Chart, book: RuleBook) -> tuple[Signal, ...]:
    """Where a chart breaks the rules of a book, one signal a rule that applies to this kind of chart.

    A pattern is marked from the point that completes it, and at each further point as long as it lasts; in "k of n" the marked
    point itself lies beyond. Empty points and points left out are passed over, so that neighbours across a gap count as neighbours.
    A cumulative sum signals where it first crosses its limit; the points after it, until the sum is 0 again, go on with the same
    shift and are no signals of their own. Patterns do not reach over the border of a stage. A point on the centre line is on neither side, one on a zone's border is
    in the inner zone, equal neighbours neither rise nor fall.

    Cost: a few passes over the points a rule, linear in n.
    """
    by_limits = ("limit", "far")  # a chart without zones has its limits alone, whatever m the rule has
    applied = [(i, rule) for i, rule in book.numbered if chart.zoned or rule.kind in by_limits]
    found = {i: np.zeros(len(chart.points), np.bool_) for i, _ in applied}
    outside, judged = chart.outside, chart.judged
    for stretch in chart.phases.stretches:
        at = np.flatnonzero(judged[stretch]) + stretch.start
        view = _View(chart, at) if chart.zoned else None
        crossed = _first_of_each_excursion(chart.points[at], outside[at]) if chart.is_sum else outside[at]
        for i, rule in applied:
            found[i][at] = crossed if view is None or rule.kind == "limit" else _MARK[rule.kind](view, rule)
    shown = {i: rule if chart.zoned or rule.kind == "limit" else Rule("limit") for i, rule in applied}
    return tuple(Signal(i, shown[i], found[i]) for i, _ in applied)


def _first_of_each_excursion(sums: Floats, outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first point outside since a cumulative sum was last 0, bool (k,), for each time that it leaves 0."""
    excursion = np.cumsum(np.abs(sums) <= ZERO)
    at = np.flatnonzero(outside)
    _, first = np.unique(excursion[at], return_index=True)
    found = np.zeros(len(sums), np.bool_)
    found[at[first]] = True
    return found


class _View:
    """The known points of one stretch (k,), with what several rules need made once."""

    __slots__ = ("side", "sigmas", "steps")

    def __init__(self, chart: Chart, at: NDArray[np.int64]) -> None:
        points = chart.points[at]
        away = points - chart.centre[at]
        self.sigmas: Floats = SIGMAS * away / chart.reach[at]
        self.side: NDArray[np.int8] = np.sign(away).astype(np.int8)
        self.steps: NDArray[np.int8] = np.sign(np.diff(points)).astype(np.int8)


def _far(view: _View, rule: Rule) -> NDArray[np.bool_]:
    return np.abs(view.sigmas) > rule.m


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
    "far": _far,
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
