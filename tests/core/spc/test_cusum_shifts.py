"""The start and the size of a shift that a cumulative sum signals, against the published example and a slow reading."""

from __future__ import annotations

import numpy as np
import pytest

from core.spc.chart import phases, without
from core.spc.cusum_shifts import CusumShift, cusum_shifts
from core.spc.rules import rule_book, signals
from core.spc.validation import data
from core.spc.variables import Process, given_process
from core.spc.weighted import cusum_charts


def shifts(process: Process, *, interval: float = 5.0, allowance: float = 0.5) -> tuple[CusumShift, ...]:
    charts = cusum_charts(process, interval=interval, allowance=allowance)
    return cusum_shifts(process, charts, [signals(chart, rule_book("nelson")) for chart in charts], allowance)


def test_montgomerys_example_is_dated_and_sized_as_printed() -> None:
    """Example 9.1: the sum signals at period 29 with N+ = 7, so that the mean moved between periods 22 and 23, to 10 + 0.5 + 5.28 / 7 = 11.25.
    Quoted in github.com/kgdunn/process-improve, tests of the CUSUM chart."""
    (shift,) = shifts(given_process(data.MONTGOMERY_9_1, 10, 1))
    assert (shift.signal + 1, shift.start + 1, shift.count) == (29, 23, 7)
    assert shift.mean == pytest.approx(11.25, abs=0.005) and shift.centre == 10 and shift.is_up


def test_a_shift_down_by_hand_with_an_empty_point_and_one_left_out() -> None:
    # Lower sum: 0, 2.5, (empty), (left out), 5, 7.5; N- = 3; mean 0 - (0.5 + 7.5 / 3) = -3.
    process = given_process(
        [1.0, -3.0, np.nan, 50.0, -3.0, -3.0, -3.0],
        0,
        1,
        without(phases(7), np.array([False, False, False, True, False, False, False])),
    )
    charts = cusum_charts(process)
    np.testing.assert_allclose(charts[1].points, [0, -2.5, np.nan, -2.5, -5, -7.5, -10])
    assert shifts(process) == (CusumShift(5, 1, 3, -3.0, 0.0, end=6, length=4, goes_on=True),)


def test_an_excursion_ends_before_the_sum_is_zero_again_or_with_its_stage() -> None:
    # Upper sum: 0, 2.5, 5, 7.5, 6, 0, 2.5 | 2.5, 5, 7.5: two stages, of which the first gets back to 0.
    x = [0.0, 3.0, 3.0, 3.0, -1.0, -20.0, 3.0, 3.0, 3.0, 3.0]
    process = given_process(x, 0, 1, phases(10, None, ["a"] * 7 + ["b"] * 3))
    found = [s for s in shifts(process) if s.is_up]
    assert [(s.start, s.signal, s.end, s.length, s.goes_on) for s in found] == [(1, 3, 4, 4, False), (7, 9, 9, 3, True)]
    assert all(s.is_rough for s in found), "three points each"


def test_means_of_subgroups_move_by_their_standard_error() -> None:
    """sigma 2, four values a mean: the standard error is 1, so that the figures are those of single values with sigma 1."""
    x = np.array(data.MONTGOMERY_9_1)
    (single,) = shifts(given_process(x, 10, 1))
    (means,) = shifts(given_process(x, 10, 2, sizes=np.full(30, 4)))
    assert means == single


def test_each_stage_has_shifts_and_centres_of_its_own() -> None:
    of = phases(12, None, ["a"] * 6 + ["b"] * 6)
    x = np.array([3.0] * 6 + [13.0] * 6)
    process = Process(x, np.ones(12), np.array([0.0, 10.0]), np.array([1.0, 1.0]), "given", of)
    found = shifts(process)
    assert [(s.signal, s.start, s.count, s.mean) for s in found] == [(2, 0, 3, 3.0), (8, 6, 3, 13.0)]


def test_the_start_of_a_shift_is_near_the_truth_on_average() -> None:
    """A shift of two sigma at point 100, over 300 seeds: dated within a point or two as a rule, and sized a little too large."""
    starts, means = [], []
    for seed in range(300):
        x = np.random.default_rng(seed).normal(0, 1, 130)
        x[100:] += 2
        later = [s for s in shifts(given_process(x, 0, 1)) if s.is_up and s.signal >= 100]
        if later:  # a few signalled by chance before, in a sum that has not been 0 since
            starts.append(later[0].start)
            means.append(later[0].mean)
    assert len(starts) > 280
    assert abs(float(np.median(starts)) - 100) <= 1
    assert 1.9 < float(np.mean(means)) < 2.6
