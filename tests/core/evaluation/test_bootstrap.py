"""Resampling and the intervals made from it."""

import numpy as np
import pytest

from core.evaluation.bootstrap import MAX_UNITS, percentile_bounds, resampling, time_blocks, wilson_bounds


def test_resampled_sums_equal_sums_over_the_drawn_rows() -> None:
    values = np.random.default_rng(0).normal(size=(30, 2))
    drawn = resampling(30, None, 7, seed=4)
    rng = np.random.default_rng(4)
    slow = [values[rng.integers(0, 30, 30)].sum(axis=0) for _ in range(7)]
    np.testing.assert_allclose(drawn.sums(values), slow)


def test_rows_of_a_block_are_drawn_together() -> None:
    blocks = np.array(["b", "a", "b", "c", "d", "e", "a"])
    drawn = resampling(7, blocks, 50, seed=0)
    sums = drawn.sums((blocks == "b").astype(float)[:, None])
    assert set(sums[:, 0]) <= {0.0, 2.0, 4.0, 6.0, 8.0}


def test_very_many_rows_are_joined_and_none_is_lost() -> None:
    drawn = resampling(3 * MAX_UNITS + 17, None, 3, seed=0)
    counts = np.bincount(drawn.units)
    assert drawn.n_units == MAX_UNITS == len(counts)
    assert counts.sum() == 3 * MAX_UNITS + 17
    assert set(counts) <= {3, 4}


def test_fewer_than_five_units_give_no_interval() -> None:
    drawn = resampling(100, np.arange(100) % 4, 50, seed=0)
    assert drawn.sums(np.ones((100, 1))).shape == (0, 1)
    assert percentile_bounds(np.empty(0)) == (None, None)


def test_bounds_are_the_outer_quantiles_and_missing_where_they_say_nothing() -> None:
    assert percentile_bounds(np.arange(1001.0)) == pytest.approx((25.0, 975.0))
    assert percentile_bounds(np.ones(100)) == (None, None)
    assert percentile_bounds(np.r_[np.arange(80.0), np.full(20, np.nan)]) == (None, None)


def test_the_wilson_interval_equals_the_published_example() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    assert wilson_bounds(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_bounds(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_bounds(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_bounds(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson_bounds(0, 0) == (None, None)


def test_time_blocks_are_equal_stretches_in_order() -> None:
    assert time_blocks(6, 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert time_blocks(3, 50).tolist() == [0, 1, 2]
    assert time_blocks(0).tolist() == []
