"""Lives of units from rows, worked by hand."""

import numpy as np

from core.evaluation.survival import lives_of_units

NAN = np.nan


def _lives(codes: list[int], clock: list[float], failure: list[int] | None = None, **more: bool):  # type: ignore[no-untyped-def]
    flags = None if failure is None else np.array(failure, dtype=bool)
    return lives_of_units(np.array(codes, dtype=np.int64), np.array(clock, dtype=float), flags, **more)


def test_every_end_is_a_failure_where_nothing_says_otherwise() -> None:
    lives = _lives([0, 0, 1, 0, 1], [1, 2, 1, 30, 40])
    assert lives.ages.tolist() == [30, 40] and lives.failed.all() and lives.from_counter
    assert lives.last_row.tolist() == [3, 4] and (lives.n_failed, lives.n_running) == (2, 0)


def test_a_life_ends_at_the_first_failure_and_the_others_still_run() -> None:
    lives = _lives([0, 0, 0, 1, 1], [1, 20, 30, 1, 25], [0, 1, 1, 0, 0])
    assert lives.ages.tolist() == [20, 25] and lives.failed.tolist() == [True, False]
    assert lives.last_row.tolist() == [1, 4] and lives.n_after == 1


def test_rows_may_come_in_any_order_and_without_a_time() -> None:
    lives = _lives([1, 0, 1, 0, 1], [9, 5, 3, NAN, NAN], [0, 0, 0, 1, 0], from_counter=True)
    assert lives.ages.tolist() == [5, 9] and lives.last_row.tolist() == [1, 0]
    assert not lives.failed.any(), "a failure without a time has no age"
    nameless = _lives([0, 1], [NAN, 4])
    assert np.isnan(nameless.ages[0]) and nameless.last_row.tolist() == [-1, 1] and nameless.failed.tolist() == [False, True]


def test_ages_count_from_the_first_row_where_the_counter_is_a_clock() -> None:
    clock = [1000, 1010, 1000, 1030]
    assert _lives([0, 0, 1, 1], clock).ages.tolist() == [10, 30]
    assert _lives([0, 0, 1, 1], clock, from_counter=True).ages.tolist() == [1010, 1030]
    assert _lives([0, 0], [-5, 5]).ages.tolist() == [10], "a counter below zero is no age"
    assert _lives([0], [7], from_counter=False).ages.tolist() == [0]


def test_a_counter_that_starts_at_one_is_the_age_of_short_lives_too() -> None:
    lives = _lives([0, 0, 1, 1], [1, 4, 1, 3])
    assert lives.from_counter and lives.ages.tolist() == [4, 3] and lives.n_late == 0


def test_units_that_are_first_seen_late_are_counted() -> None:
    lives = _lives([0, 0, 1, 1, 2, 2], [1, 100, 1, 100, 60, 100])
    assert lives.from_counter and lives.n_late == 1
    assert lives.ages.tolist() == [100, 100, 100]


def test_no_row_gives_no_unit() -> None:
    assert len(_lives([], []).ages) == 0
