"""k of n and quiet rows by hand and by brute force; limits for the whole logic keep their promises; what they buy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from core.anomalies.alarm_logic import (
    AlarmLogic,
    alarm_limit,
    block_largest,
    bought_on_events,
    bought_on_steps,
    measured_rate,
    memory_of,
    rows_needed,
)
from core.errors import SettingProblem
from core.spc.chart import Phases, phases


def two(n: int) -> Phases:
    return Phases(np.ones(2 * n, bool), np.zeros(2 * n, np.int64), ("",), np.array([0, n, 2 * n]))


def test_the_statistic_is_above_a_limit_exactly_when_k_of_the_last_n_are():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    x[rng.integers(0, 400, 30)] = np.nan
    for k, n in ((1, 1), (2, 3), (3, 5), (5, 5)):
        found = AlarmLogic(k, n).statistic(x, two(200))
        for limit in (-0.5, 0.3, 1.2):
            counted = [
                t % 200 >= n - 1 and np.sum(np.nan_to_num(x[t - n + 1 : t + 1], nan=-np.inf) > limit) >= k for t in range(400)
            ]
            assert (np.nan_to_num(found, nan=-np.inf) > limit).tolist() == counted


def test_after_an_alarm_the_quiet_rows_give_none():
    statistic = np.array([0.0, 5, 5, 5, 0, 5, 0, 0, 5, 5])
    assert AlarmLogic().alarms(statistic, 1).tolist() == [1, 2, 3, 5, 8, 9]
    assert AlarmLogic(hold_off=3).alarms(statistic, 1).tolist() == [1, 5, 9]
    assert AlarmLogic(hold_off=4).alarms(statistic, 1, two(5)).tolist() == [1, 5], "a new machine begins anew"
    assert AlarmLogic(hold_off=3).alarms(statistic, 5).tolist() == [], "on the limit is not above it"


def test_blocks_are_whole_and_within_a_stretch():
    x = np.array([1.0, 9, 2, 3, 8, 4, 5, 6])
    assert block_largest(x, 3, phases(8)).tolist() == [9, 8]  # the last two rows belong to the second block
    assert block_largest(x, 3, two(4)).tolist() == [9, 8]
    assert block_largest(x, 5, two(4)).tolist() == []


def test_a_limit_without_logic_is_the_rank_of_the_scores():
    x = np.random.default_rng(2).permutation(np.arange(1.0, 1000.0))
    found = alarm_limit(x, AlarmLogic(), 0.01, "on_average", memory=1)
    assert (found.value, found.block, found.missing_rows) == (990, 1, 0) and found.counts_alarms


def test_the_rate_of_a_block_is_that_of_its_rows():
    x = np.random.default_rng(3).permutation(np.arange(1.0, 1001.0))
    found = alarm_limit(x, AlarmLogic(hold_off=9), 0.001, "on_average", memory=1)
    assert (found.block, found.ranks.n, found.ranks.rate) == (10, 100, pytest.approx(0.01))
    assert found.value == 1000 and found.counts_alarms  # k = ⌈101 · 0.99⌉ = 100
    assert not alarm_limit(x, AlarmLogic(), 0.001, "on_average", memory=10).counts_alarms


def test_the_rows_that_are_missing_are_counted_in_rows():
    logic = AlarmLogic(2, 3, 9)
    x = np.random.default_rng(4).normal(size=1000)
    found = alarm_limit(x, logic, 0.0005, "confident", memory=1)
    # ln 0.05 / ln 0.995 = 597.6 blocks; 998 statistics make 99
    assert found.value is None and found.missing_rows == (598 - 99) * 10
    assert rows_needed(logic, 0.0005, "confident", 1) == 5980 + 2
    enough = alarm_limit(np.random.default_rng(4).normal(size=5982), logic, 0.0005, "confident", memory=1)
    assert enough.value is not None


@pytest.mark.parametrize("logic", [AlarmLogic(), AlarmLogic(2, 3, 9), AlarmLogic(3, 5, 19)])
def test_the_promises_hold_for_the_whole_logic_on_independent_rows(logic):
    rng = np.random.default_rng(5)
    n, rate = 4000, 0.002
    fresh = rng.normal(size=400_000)
    statistic = logic.statistic(fresh)
    realised = {"on_average": [], "confident": []}
    for _ in range(60):
        scores = rng.normal(size=n)
        for promise, found in realised.items():
            limit = alarm_limit(scores, logic, rate, promise, memory=1)
            found.append(len(logic.alarms(statistic, limit.value)) / len(fresh))
    assert np.mean(realised["on_average"]) <= rate * 1.1
    assert np.mean(np.array(realised["confident"]) <= rate) >= 0.9


def test_blocks_keep_the_promise_where_rows_hang_together():
    rng = np.random.default_rng(6)
    logic, rate, n = AlarmLogic(2, 3, 29), 0.001, 6000

    def ar(n: int) -> np.ndarray:
        return lfilter([1], [1, -0.8], rng.normal(size=n + 100))[100:]

    statistic = logic.statistic(ar(300_000))
    found = {"on_average": [], "confident": []}
    for _ in range(40):
        scores = ar(n)
        for promise, rates in found.items():
            limit = alarm_limit(scores, logic, rate, promise)
            rates.append(len(logic.alarms(statistic, limit.value)) / len(statistic))
    assert np.mean(found["on_average"]) <= 1.15 * rate
    assert np.mean(np.array(found["confident"]) <= rate) >= 0.85
    assert memory_of(ar(4000), phases(4000)) > 5 > memory_of(rng.normal(size=4000), phases(4000))


def test_the_measured_rate_has_an_interval_of_blocks():
    x = np.zeros(1000)
    x[[100, 300, 301, 700]] = 5
    rate, low, high = measured_rate(x, AlarmLogic(hold_off=9), 1)
    assert rate == 3 / 1000 and low <= rate <= high and high > low
    assert all(np.isnan(measured_rate(np.full(20, np.nan), AlarmLogic(), 1)))


def test_events_are_caught_within_themselves_and_delays_counted_from_their_start():
    scores, labels = np.zeros(60), np.zeros(60)
    labels[10:20] = labels[30:35] = labels[50:60] = 1
    scores[[13, 14, 36, 37, 50, 51]] = 5
    single = bought_on_events(scores, labels, AlarmLogic(), 1)
    assert (single.n, single.caught, single.delay) == (3, pytest.approx(2 / 3), 1.5)  # delays 3 and 0
    double = bought_on_events(scores, labels, AlarmLogic(2, 3), 1)
    assert (double.caught, double.delay) == (pytest.approx(2 / 3), 2.5)  # 4 and 1
    assert bought_on_events(scores, np.zeros(60), AlarmLogic(), 1) is None
    nothing = bought_on_events(scores, labels, AlarmLogic(), 9)
    assert nothing.caught == 0 and np.isnan(nothing.delay)


def test_several_scores_buy_small_lasting_steps_at_the_same_rate():
    x = np.random.default_rng(7).normal(size=8000)
    found = {}
    for logic in (AlarmLogic(1, 1, 9), AlarmLogic(4, 8, 9)):
        limit = alarm_limit(x, logic, 0.0005, "on_average", memory=1)
        found[logic.k] = bought_on_steps(x, 1.5, logic, limit.value, within=20)
    assert found[4].caught > found[1].caught + 0.2
    assert bought_on_steps(x, 20, AlarmLogic(), 8, within=20).delay == 0
    assert bought_on_steps(x, 1.5, AlarmLogic(), 8, within=20) == bought_on_steps(x, 1.5, AlarmLogic(), 8, within=20)
    spoiled = np.where(np.arange(8000) < 7900, np.nan, x)
    assert bought_on_steps(spoiled, 20, AlarmLogic(), 8, within=20).caught == 1, "no step is added where nothing is known"
    # of a signed residual the step meets its own sign: +1.5 on normal values is above 2 in size with P(z > 0.5) + P(z < -3.5)
    once = bought_on_steps(x, 1.5, AlarmLogic(), 2.0, within=1, folded=True, n_steps=4000)
    assert once.caught == pytest.approx(0.3088, abs=0.05)
    assert bought_on_steps(x[:10], 1, AlarmLogic(), 8, within=20) is None


def test_a_logic_that_cannot_be_is_refused():
    for k, n, h in ((0, 1, 0), (3, 2, 0), (1, 1, -1)):
        with pytest.raises(SettingProblem, match="Expected k from 1 to n"):
            AlarmLogic(k, n, h)


def test_no_alarm_in_the_normal_rows_has_an_upper_bound_above_zero():
    """None in 1,000 independent rows: 1 − 0.025^(1/1000), about 3.7 in 1,000; in blocks of ten rows, of 100 blocks."""
    calm = np.linspace(0.0, 1.0, 1_000)
    rate, low, high = measured_rate(calm, AlarmLogic(1, 1, 0), 2.0)
    assert (rate, low) == (0.0, 0.0) and high == pytest.approx(0.003682, abs=1e-6)
    assert measured_rate(calm, AlarmLogic(1, 1, 9), 2.0)[2] == pytest.approx((1 - 0.025**0.01) / 10)


def test_alarms_within_a_block_are_one_in_the_measured_rate_as_in_the_budget() -> None:
    """Two runs of three scores above the limit in 100 rows that are alike for 10: two false alarms, not six; with quiet rows each counts."""
    x = np.zeros(100)
    x[[20, 21, 22, 60, 61, 62]] = 2
    assert measured_rate(x, AlarmLogic(), 1, memory=10)[0] == pytest.approx(0.02)
    assert measured_rate(x, AlarmLogic(), 1, memory=1)[0] == pytest.approx(0.06)
    assert measured_rate(x, AlarmLogic(hold_off=1), 1, memory=2)[0] == pytest.approx(0.04)
