"""Rule books against a slow reading of their sentences, and to which charts and points they apply."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import SettingProblem
from core.spc.attributes import defectives_chart
from core.spc.chart import Chart, Phases, phases, without
from core.spc.individuals import Limits, nelson_rules
from core.spc.rules import BOOKS, Rule, RuleBook, chosen_rules, rule_book, signals
from core.spc.subgroups import subgroups_of_size
from core.spc.variables import (
    given_process,
    individuals_charts,
    mean_and_deviation_charts,
    mean_and_range_charts,
    shewhart_means,
)
from core.spc.vectors import mewma_chart, t2_individuals
from core.spc.weighted import cusum_charts, ewma_chart


def standard(values: object, of: Phases | None = None, sizes: object = None) -> Chart:
    """Values around 0 with sigma 1."""
    return shewhart_means(given_process(values, 0.0, 1.0, of, sizes))  # type: ignore[arg-type]


def broken(chart: Chart, rule: Rule) -> list[int]:
    found = signals(chart, RuleBook("one", rule.sentence, (rule,), ""))
    return np.flatnonzero(found[0].found).tolist()


def reads(rule: Rule, z: np.ndarray, v: np.ndarray) -> bool:
    """Whether the pattern is complete at the last of the points: z in standard errors from the centre, v as plotted."""
    if rule.kind == "limit":
        return abs(z[-1]) > 3
    if rule.kind == "beyond":
        last = z[-rule.n :]
        return any(sign * z[-1] > rule.m and sum(sign * a > rule.m for a in last) >= rule.k for sign in (1, -1))
    if len(z) < rule.k:
        return False
    last, steps = z[-rule.k :], np.diff(v[-rule.k :])
    if rule.kind == "side":
        return all(last > 0) or all(last < 0)
    if rule.kind == "trend":
        return all(steps > 0) or all(steps < 0)
    if rule.kind == "alternating":
        return all(a * b < 0 for a, b in zip(steps[1:], steps[:-1], strict=True))
    if rule.kind == "within":
        return all(abs(last) <= rule.m)
    return all(abs(last) > rule.m) and (not rule.both or (any(last > 0) and any(last < 0)))


def slow(rule: Rule, chart: Chart) -> np.ndarray:
    """The rule read out at each point over the points of its stretch up to it."""
    found = np.zeros(len(chart.points), bool)
    for stretch in chart.phases.stretches:
        known = [i for i in range(stretch.start, stretch.stop) if not np.isnan(chart.points[i])]
        for place, i in enumerate(known):
            at = known[: place + 1]
            z = (chart.points[at] - chart.centre[at]) / (chart.reach[at] / 3)
            found[i] = reads(rule, z, chart.points[at])
    return found


def patterned(seed: int) -> np.ndarray:
    """Values that hold every pattern, with empty cells, ties and values on the centre line."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1.2, 600) + np.repeat(rng.normal(0, 0.8, 30), 20)
    x[100:140] = np.where(np.arange(40) % 2, 1.0, -1.0) + rng.normal(0, 0.1, 40)
    x[200:212] = np.linspace(-2, 2, 12)
    x[300:330] = rng.uniform(-0.9, 0.9, 30)
    x[400:415] = rng.choice([-1.0, 1.0], 15) * rng.uniform(1.1, 2.5, 15)
    x[rng.random(600) < 0.03] = np.nan
    x[rng.random(600) < 0.03] = 0.0
    return x


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.key)
@pytest.mark.parametrize("seed", range(3))
def test_books_agree_with_a_slow_reading_of_their_rules(book: RuleBook, seed: int) -> None:
    of = phases(600, None, np.repeat(["a", "b", "a"], [150, 300, 150]))
    chart = standard(patterned(seed), of, sizes=np.random.default_rng(seed).integers(1, 4, 600))
    found = signals(chart, book)
    assert [s.number for s in found] == list(range(1, len(book.rules) + 1))
    for signal in found:
        np.testing.assert_array_equal(signal.found, slow(signal.rule, chart), err_msg=str(signal.rule.sentence))


def test_every_rule_of_every_book_occurs_in_the_patterned_values() -> None:
    for book in BOOKS:
        assert all(signal.count for signal in signals(standard(patterned(0)), book))


def test_nelsons_first_four_are_those_of_the_screening() -> None:
    x = patterned(5)
    expected = nelson_rules(x, Limits(0.0, 1.0, -3.0, 3.0, 100))
    for signal, row in zip(signals(standard(x), rule_book("nelson")), expected, strict=False):
        np.testing.assert_array_equal(signal.found, row)


@pytest.mark.parametrize(
    ("rule", "values", "at"),
    [
        (Rule("limit"), [3.0, -3.0, 3.01, -3.01], [2, 3]),
        (Rule("beyond", k=2, n=3, m=2.0), [2.1, 0, 2.1, 0, 0, 2.1, -2.1, 2.0], [2]),
        (Rule("beyond", k=2, n=3, m=2.0), [2.1, 2.1, 0], [1]),  # two of the first two are two of any three
        (Rule("beyond", k=4, n=5, m=1.0), [1.1, 1.1, -1.1, 1.1, 1.1, 1.1], [4, 5]),
        (Rule("side", k=7), [1] * 6 + [0.0] + [1] * 7, [13]),
        (Rule("trend", k=6), [0, 1, 2, 3, 4, 5, 5], [5]),
        (Rule("alternating", k=4), [0, 1, 0, 1, 1, 0], [3]),
        (Rule("within", k=3, m=1.0), [1.0, -1.0, 0.5, 1.01], [2]),
        (Rule("outside", k=3, m=1.0, both=True), [2, 2, 2, -2, -2], [3, 4]),
        (Rule("outside", k=3, m=1.0), [2, 2, 2, -2, 1.0], [2, 3]),
    ],
)
def test_patterns_by_hand(rule: Rule, values: list[float], at: list[int]) -> None:
    assert broken(standard(values), rule) == at


def test_the_books_have_the_numbers_of_their_sources() -> None:
    """Side, trend, alternating, zones as listed for Nelson, AIAG and Montgomery in github.com/msberends/nelson, man/rules.Rd, for Western
    Electric in Montgomery and Runger, section 16-5 (issuhub.com/view/index?id=5218&pageIndex=722)."""
    sides = {book.key: next(r.k for r in book.rules if r.kind == "side") for book in BOOKS}
    assert sides == {"nelson": 9, "western_electric": 8, "aiag": 7, "montgomery": 8}
    for key in ("nelson", "aiag", "montgomery"):
        numbers = {(r.kind, r.k, r.n, r.m) for r in rule_book(key).rules if r.kind != "side"}
        zones = {("beyond", 2, 3, 2.0), ("beyond", 4, 5, 1.0), ("within", 15, 1, 1.0), ("outside", 8, 1, 1.0)}
        assert numbers == {("limit", 1, 1, 0.0), ("trend", 6, 1, 0.0), ("alternating", 14, 1, 0.0), *zones}
    assert {r.kind for r in rule_book("western_electric").rules} == {"limit", "beyond", "side"}


def test_zones_are_shares_of_each_points_own_limit() -> None:
    """Around a share of 0.1 the standard error is 0.067 with 20 units and 0.021 with 200."""
    sizes = np.array([20.0] * 10 + [200.0] * 10)
    counts = np.concatenate([np.full(10, 2.0), np.full(10, 20.0)])
    counts[[3, 4]] = 6  # 0.3: 2.98 standard errors, inside the limit of a small sample
    chart = defectives_chart(counts, sizes, phases(20, ~np.isin(np.arange(20), [3, 4])))
    assert isinstance(chart, Chart)
    assert not chart.outside.any()
    assert broken(chart, Rule("beyond", k=2, n=3, m=2.0)) == [4]
    larger = counts.copy()
    larger[[3, 4]], larger[[13, 14]] = 2, 27  # 0.135: 1.65 standard errors of a large sample, 0.5 of a small one
    again = defectives_chart(larger, sizes, phases(20, ~np.isin(np.arange(20), [13, 14])))
    assert isinstance(again, Chart)
    assert broken(again, Rule("beyond", k=2, n=3, m=1.0)) == [14]


def test_a_lower_limit_cut_at_nothing_leaves_the_zones_as_they_are() -> None:
    chart = defectives_chart([1] * 8 + [0] * 2, 20, phases(10, np.arange(10) < 8))  # 0.05 ± 0.146
    assert isinstance(chart, Chart) and chart.lower[0] == 0
    assert broken(chart, Rule("beyond", k=2, n=3, m=1.0)) == [9]  # 0 lies 1.03 standard errors below


def test_only_the_limit_counts_where_points_are_no_values_around_a_centre() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    groups = subgroups_of_size(x, 5)
    process = given_process(x, 0.0, 1.0)
    table = rng.normal(size=(60, 2))
    limited = [
        individuals_charts(x)[1],  # type: ignore[index]
        mean_and_range_charts(groups)[1],  # type: ignore[index]
        mean_and_deviation_charts(groups)[1],  # type: ignore[index]
        ewma_chart(process),
        *cusum_charts(process),
        t2_individuals(table),
        mewma_chart(table),
    ]
    for chart in limited:
        assert isinstance(chart, Chart)
        found = signals(chart, rule_book("nelson"))
        assert [(s.number, s.rule.kind) for s in found] == [(1, "limit")], chart.kind
        if not chart.is_sum:
            np.testing.assert_array_equal(found[0].found, chart.outside)


@pytest.mark.parametrize("seed", range(4))
def test_a_cumulative_sum_signals_once_each_time_it_leaves_zero(seed: int) -> None:
    """Held against a loop that remembers whether this excursion has signalled; stages end one, and what was left out stands still."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, 400) + np.repeat([0.0, 1.5, 0.0, -1.5, 0.0, 1.0, -2.0, 0.0], 50)
    x[rng.random(400) < 0.05] = np.nan
    of = without(phases(400, None, np.repeat(["a", "b"], [260, 140])), rng.random(400) < 0.03)
    for chart in cusum_charts(given_process(x, 0.0, 1.0, of)):
        expected = np.zeros(400, bool)
        has_signalled = False
        for i in range(400):
            has_signalled = has_signalled and i != 260
            if np.isnan(x[i]) or not of.counted[i]:
                continue
            if abs(chart.points[i]) < 1e-9:
                has_signalled = False
            elif abs(chart.points[i]) > 5 and not has_signalled:
                expected[i] = has_signalled = True
        (found,) = signals(chart, rule_book("nelson"))
        np.testing.assert_array_equal(found.found, expected)
        assert 0 < found.count < int(chart.outside.sum())


def test_single_rules_keep_their_numbers_and_take_their_own_k() -> None:
    book = chosen_rules(rule_book("nelson"), ("5:3", "2:8", "1"))
    assert book.numbered == (
        (1, Rule("limit")),
        (2, Rule("side", k=8)),
        (5, Rule("beyond", k=3, n=4, m=2.0)),
    )
    assert str(book.title) == "Nelson (rules 1, 2 (k = 8), 5 (k = 3))" and book.source == rule_book("nelson").source
    assert chosen_rules(rule_book("nelson"), ()) is rule_book("nelson")
    values = [1.0] * 8 + [0.0, 2.5, 2.5, 0.0, 2.5, -0.5, 3.5]
    # Rule 2 at the eighth on one side; rule 5 where 3 of 4 lie beyond 2 sigma: 2.5, 2.5, 0, 2.5.
    found = {s.number: np.flatnonzero(s.found).tolist() for s in signals(standard(values), book)}
    assert found == {1: [14], 2: [7], 5: [12]}


def test_the_limit_with_an_own_k_is_a_distance_and_leaves_charts_without_zones_their_limits() -> None:
    book = chosen_rules(rule_book("western_electric"), ("1:2.5",))
    (signal,) = signals(standard([2.4, 2.6, -2.6, 3.5]), book)
    assert np.flatnonzero(signal.found).tolist() == [1, 2, 3] and "more than 2.5 σ" in str(signal.rule.sentence)
    ranges = individuals_charts([0.0, 1.0] * 10 + [9.0])[1]  # type: ignore[index]
    (signal,) = signals(ranges, book)
    np.testing.assert_array_equal(signal.found, ranges.outside)
    assert signal.rule == Rule("limit") and ranges.outside[-1]
    assert chosen_rules(rule_book("nelson"), ("1:3",)).rules == (Rule("limit"),)


@pytest.mark.parametrize("seed", range(2))
def test_single_rules_with_their_own_k_agree_with_a_slow_reading(seed: int) -> None:
    only = ("1:2.2", "2:6", "3:4", "4:8", "5:3", "6:2", "7:6", "8:4")
    chart = standard(patterned(seed))
    for signal in signals(chart, chosen_rules(rule_book("nelson"), only)):
        expected = np.abs(chart.points) > 2.2 if signal.rule.kind == "far" else slow(signal.rule, chart)
        np.testing.assert_array_equal(signal.found, expected, err_msg=str(signal.rule.sentence))


@pytest.mark.parametrize(
    ("only", "says"),
    [
        (("9",), "There is no rule '9' of Nelson"),
        (("2", "2:8"), "comes twice"),
        (("two",), "There is no rule 'two'"),
        (("2:1",), "from 2 to 100"),
        (("3:2",), "from 3 to 100"),
        (("2:8.5",), "from 2 to 100"),
        (("1:0",), "above 0 and at most 10"),
        (("1:inf",), "above 0 and at most 10"),
        (("5:x",), "has no such k"),
    ],
)
def test_rules_that_do_not_exist_are_refused(only: tuple[str, ...], says: str) -> None:
    with pytest.raises(SettingProblem, match=says):
        chosen_rules(rule_book("nelson"), only)


def test_points_left_out_are_passed_over_by_every_pattern() -> None:
    left = np.array([False] * 5 + [True] + [False] * 5)
    chart = standard([1.0] * 5 + [9.0] + [1.0] * 5, without(phases(11), left))
    assert broken(chart, Rule("limit")) == []
    assert broken(chart, Rule("side", k=9)) == [9, 10], "the tenth place is the ninth point on this side"


def test_patterns_end_where_a_stage_ends() -> None:
    one = standard([1.0] * 18)
    two = standard([1.0] * 18, phases(18, None, ["a"] * 8 + ["b"] * 10))
    nine = Rule("side", k=9)
    assert broken(one, nine) == list(range(8, 18))
    assert broken(two, nine) == [16, 17]


@pytest.mark.parametrize("values", [[], [np.nan] * 20, [5.0], [5.0, 5.0]])
def test_short_and_empty_charts_break_no_pattern(values: list[float]) -> None:
    found = signals(standard(values), rule_book("nelson"))
    assert len(found) == 8
    assert not any(signal.found.any() for signal in found[1:3])


def test_false_alarms_of_the_western_electric_rules_are_as_published() -> None:
    """All four rules together signal once in 91.75 points on average (Champ and Woodall 1987), by simulated run lengths."""
    rng, lengths = np.random.default_rng(1), []
    book = rule_book("western_electric")
    for _ in range(1500):
        start, length = 0, 0
        while not length:
            chart = standard(rng.normal(size=1200))
            marks = np.flatnonzero(np.logical_or.reduce([s.found for s in signals(chart, book)]))
            length, start = (start + int(marks[0]) + 1, start) if len(marks) else (0, start + 1200)
        lengths.append(length)
    assert np.mean(lengths) == pytest.approx(91.75, abs=7)  # standard error about 2.4


def test_sentences_name_the_numbers_of_the_rule() -> None:
    assert (
        str(Rule("beyond", k=2, n=3, m=2.0).sentence)
        == "2 of 3 points in a row more than 2 σ from the centre line, on one side"
    )
    assert str(Rule("side", k=7).sentence) == "7 points in a row on one side of the centre line"


def test_an_unknown_book_names_the_books() -> None:
    with pytest.raises(SettingProblem, match="western_electric"):
        rule_book("juran")
