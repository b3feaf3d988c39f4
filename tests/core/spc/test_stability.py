"""The gate: stable processes pass, shifts, trends and wild values do not, and the rates of chance are those of simulation."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from core.spc.chart import Chart
from core.spc.individuals import NotDefined
from core.spc.rules import Rule, rule_book, signals
from core.spc.stability import Stability, _alternating_share, _rate, judge_stability
from core.spc.subgroups import subgroups_of_size
from core.spc.variables import individuals_charts, mean_and_deviation_charts, mean_and_range_charts

NELSON = rule_book("nelson")


def charts(values: np.ndarray, size: int = 1, kind: str = "R") -> tuple[Chart, Chart]:
    if size == 1:
        found = individuals_charts(values)
    else:
        groups = subgroups_of_size(values, size)
        found = mean_and_range_charts(groups) if kind == "R" else mean_and_deviation_charts(groups)
    assert not isinstance(found, NotDefined)
    return found


def judged(values: np.ndarray, size: int = 1, *, strict: bool = False) -> Stability:
    return judge_stability(charts(values, size), NELSON, strict=strict)


@pytest.mark.parametrize(("n", "size"), [(25, 1), (200, 1), (25, 5), (200, 4)])
def test_stable_processes_are_seldom_refused(n: int, size: int) -> None:
    rng = np.random.default_rng(n)
    refused = [not judged(rng.normal(0, 1, n * size), size).is_stable for _ in range(300)]
    assert np.mean(refused) <= 0.1


def test_a_strict_judge_refuses_most_long_stable_processes() -> None:
    rng = np.random.default_rng(1)
    assert np.mean([not judged(rng.normal(0, 1, 200), strict=True).is_stable for _ in range(60)]) > 0.7


def test_shifts_trends_and_wild_values_are_seen() -> None:
    rng = np.random.default_rng(7)
    shifted = [not judged(np.r_[rng.normal(0, 1, 100), rng.normal(1.5, 1, 100)]).is_stable for _ in range(60)]
    drifting = [not judged(rng.normal(0, 1, 200) + np.linspace(0, 3, 200)).is_stable for _ in range(60)]
    assert np.mean(shifted) > 0.95 and np.mean(drifting) > 0.95
    wild = rng.normal(0, 1, 1_000)
    wild[400] = 7.0
    found = judged(wild)
    far = next(b for b in found.breaches if b.is_far)
    assert (far.rule.kind, far.first) == ("limit", int(np.flatnonzero(charts(wild)[0].outside)[0]))


def test_what_is_broken_is_counted_and_placed() -> None:
    values = np.tile([9.9, 10.1], 50).astype(float)
    values[[30, 60, 61]] = 13.0
    found = judged(values)
    level = next(b for b in found.breaches if b.rule.kind == "limit" and str(b.chart) == "individual value")
    assert (level.count, level.points, level.first) == (3, 100, 30)
    assert level.expected == pytest.approx(0.27, abs=0.001)


@pytest.mark.parametrize(
    ("rule", "tolerance"),
    [
        (Rule("side", k=9), 0.1),
        (Rule("trend", k=6), 0.1),
        (Rule("beyond", k=2, n=3, m=2.0), 0.35),
        (Rule("limit"), 0.1),
        (Rule("alternating", k=14), 0.1),
        (Rule("within", k=15, m=1.0), 0.15),
        (Rule("outside", k=8, m=1.0, both=True), 0.5),
    ],
)
def test_the_share_of_chance_is_that_of_simulation(rule: Rule, tolerance: float) -> None:
    values = np.random.default_rng(5).normal(0, 1, 400_000)
    chart = charts(values)[0]
    found = next(s.found for s in signals(chart, NELSON) if s.rule == rule)
    begun = found.sum() if rule.kind == "limit" else (found & ~np.r_[False, found[:-1]]).sum()
    rate = _rate(chart, rule)
    assert begun / 400_000 <= rate * 1.1, "chance is not allowed less than it gives"
    assert begun / 400_000 == pytest.approx(rate, rel=tolerance)


@pytest.mark.parametrize(("k", "zigzag"), [(3, 2), (4, 5), (6, 61), (14, 199_360_981)])
def test_the_chance_of_points_in_turn_is_by_eulers_zigzag_numbers(k: int, zigzag: int) -> None:
    assert _alternating_share(k) == pytest.approx(2 * zigzag / factorial(k), rel=1e-6)


def test_a_pattern_over_most_of_a_chart_is_no_chance_where_the_whole_chart_is_judged() -> None:
    """Two levels in turn break two rules only once each, and for nearly all of the chart."""
    mixed = np.tile([1.0, -1.0], 50) + np.random.default_rng(0).normal(0, 0.05, 100)
    assert judged(mixed).is_stable, "it has a capability: nothing changes"
    found = judge_stability(charts(mixed), NELSON, every_rule=True)
    assert {b.rule.kind for b in found.breaches} >= {"alternating", "within"}
    rng = np.random.default_rng(3)
    refused = [not judge_stability(charts(rng.normal(0, 1, 200)), NELSON, every_rule=True).is_stable for _ in range(300)]
    assert np.mean(refused) <= 0.15


@pytest.mark.parametrize(("size", "kind"), [(1, "MR"), (2, "R"), (5, "R"), (5, "S"), (12, "S")])
def test_spread_charts_have_their_own_share_of_chance(size: int, kind: str) -> None:
    chart = charts(np.random.default_rng(6).normal(0, 1, 60_000 * size), size, kind)[1]
    assert _rate(chart, Rule("limit")) == pytest.approx(chart.outside.sum() / np.isfinite(chart.points).sum(), rel=0.12)
