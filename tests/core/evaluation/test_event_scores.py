"""Events caught, delay and false events a shift, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.event_scores import event_scores, poisson_bounds

#        0  1  2  3  4  5  6  7  8  9  10 11 12 13 14 15 16 17 18 19
TRUTH = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1]
FLAGS = [0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0]
MINUTE = 60.0


def test_by_hand() -> None:
    """Events 3–6, 12–13, 17–19. The first is flagged 2 rows late, the last at once, the second never. False: 1; 10; 14."""
    found = event_scores(TRUTH, FLAGS, seconds=np.arange(20) * MINUTE)
    assert found is not None
    assert (found.n_events, found.n_caught, found.delay_rows, found.delay_seconds) == (3, 2, 1.0, 60.0)
    assert (found.n_false, found.normal_rows, found.normal_seconds) == (3, 11, 660.0)
    assert found.a_shift == pytest.approx(3 * 8 * 60 / 11) and found.a_day == pytest.approx(3 * found.a_shift)


def test_flags_are_joined_as_on_the_screen() -> None:
    """With a gap of 3 the flags 10 and 14 are one event, which reaches over bad rows and is not false; so does 14 to 17."""
    found = event_scores(TRUTH, FLAGS, join_gap_rows=3)
    assert found is not None and found.n_false == 0  # 1 to 17 are one run
    apart = event_scores([0] * 12, [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], join_gap_rows=2)
    assert apart is not None and (apart.n_false, apart.n_events) == (2, 0)


def test_a_flag_of_one_machine_is_none_of_another() -> None:
    groups = [0] * 5 + [1] * 5
    found = event_scores([0, 0, 0, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0, 0, 0], groups=groups)
    assert found is not None and (found.n_caught, found.n_false, found.delay_rows) == (1, 1, 1.0)


def test_a_flag_beside_an_event_does_not_catch_it() -> None:
    found = event_scores([0, 0, 1, 1, 0, 0], [0, 1, 0, 0, 1, 0])
    assert found is not None and (found.n_caught, found.n_false) == (0, 2)
    assert math.isnan(found.delay_rows) and math.isnan(found.a_shift)
    assert "no time column" in str(found.why_no_rate)


def test_rows_without_label_or_score_are_left_out() -> None:
    assert event_scores([np.nan, np.nan], [1, 0]) is None
    found = event_scores([0, np.nan, 1, 1], [1, 1, np.nan, 0])
    assert found is not None and (found.n_events, found.n_caught, found.n_false, found.normal_rows) == (1, 0, 1, 1)


def test_the_interval_of_a_count_as_published() -> None:
    """Garwood's table: 0 → 0 to 3.69, 10 → 4.80 to 18.39 (95 %)."""
    assert poisson_bounds(0) == pytest.approx((0, 3.69), abs=0.005)
    assert poisson_bounds(10) == pytest.approx((4.80, 18.39), abs=0.005)
