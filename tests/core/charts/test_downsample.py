"""Fewer points, same picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.charts.binning import bin_values
from core.charts.downsample import MAX_POINTS, downsample, downsample_marks


def test_up_to_the_limit_every_position_comes_back() -> None:
    np.testing.assert_array_equal(downsample([1.0, np.nan, 3.0], limit=3), [0, 1, 2])
    assert len(downsample([])) == 0


def test_extremes_and_ends_are_kept() -> None:
    values = np.random.default_rng(0).standard_normal(200_000)
    values[77_777], values[123_456] = 50.0, -50.0
    kept = downsample(values)
    assert len(kept) <= MAX_POINTS
    assert {0, 77_777, 123_456, 199_999} <= set(kept.tolist())


def test_a_long_gap_stays_a_gap_and_scattered_empty_cells_do_not_hide_the_line() -> None:
    values = np.sin(np.arange(100_000) / 500.0)
    values[::3] = np.nan
    values[40_000:45_000] = np.nan
    kept = downsample(values)
    empty = kept[np.isnan(values[kept])]
    assert len(empty) == 1 and 39_998 <= empty[0] <= 40_001
    assert len(kept) > 4_000


def test_all_empty_above_the_limit_draws_nothing() -> None:
    assert len(downsample(np.full(10_000, np.nan))) == 0


def test_marks_keep_all_or_the_extremes() -> None:
    values = np.arange(50_000.0)
    np.testing.assert_array_equal(downsample_marks([3, 9], values), [3, 9])
    kept = downsample_marks(np.arange(0, 50_000, 2), values, limit=100)
    assert len(kept) <= 100 and kept[-1] == 49_998 and (kept % 2 == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(0, 600), elements=st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(np.inf)),
    st.integers(20, 200),
)
def test_positions_ascend_within_the_limit_and_name_the_largest(values: np.ndarray, limit: int) -> None:
    kept = downsample(values, limit)
    assert len(kept) <= max(limit, 8) and (np.diff(kept) > 0).all()
    finite = np.isfinite(values)
    if finite.any() and len(values) > limit:
        assert values[kept][np.isfinite(values[kept])].max() == values[finite].max()


def test_bins_lose_no_finite_value() -> None:
    edges, counts = bin_values([0.0, 0.5, 1.0, 2.0, -1.0, np.nan], 2, (0.0, 1.0))
    np.testing.assert_allclose(edges, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(counts, [2, 3])


@pytest.mark.parametrize("values", [[], [np.nan], [4.0, 4.0]])
def test_bins_of_nothing_or_one_value(values: list[float]) -> None:
    edges, counts = bin_values(values, 5)
    assert counts.sum() == np.isfinite(values).sum() and (np.diff(edges) > 0).all()
