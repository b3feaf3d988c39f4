"""Fewer points, same picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.charts.binning import bin_values
from core.charts.downsample import MAX_POINTS, Overview, downsample, downsample_marks


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


def in_pixel(kept: np.ndarray, drawn: np.ndarray, spike: int, height: float, width: float) -> bool:
    """Whether a point at least as far out is drawn within `width` rows of a spike."""
    near = np.abs(kept - spike) <= width
    return bool((drawn[near] >= height).any() if height > 0 else (drawn[near] <= height).any())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(5_001, 120_000), st.integers(0, 2**32 - 1), st.sampled_from(["noise", "wave", "flat", "gaps"]), st.booleans()
)
def test_no_spike_is_lost_however_many_there_are_and_wherever_they_stand(
    n: int, seed: int, ground: str, streamed: bool
) -> None:
    """A spike is drawn itself, or a higher one within two of the 1,250 stretches of the axis, which is about a pixel."""
    rng = np.random.default_rng(seed)
    values = {"noise": rng.standard_normal, "gaps": rng.standard_normal, "wave": lambda n: np.sin(np.arange(n) / 300)}.get(
        ground, np.zeros
    )(n)
    if ground == "gaps":
        values[rng.random(n) < 0.3] = np.nan
    at = rng.choice(n, 200, replace=False)
    values[at] = rng.choice([-30.0, 30.0], 200) * rng.uniform(1, 1.5, 200)
    if streamed:
        thinned = Overview(n)
        for start in range(0, n, 7_000):
            thinned.add(values[start : start + 7_000])
        kept, drawn, _ = thinned.result()
    else:
        kept = downsample(values)
        drawn = values[kept]
    assert len(kept) <= MAX_POINTS
    known = np.isfinite(drawn)
    np.testing.assert_array_equal(drawn[known], values[kept[known]])
    lost = [spike for spike in at if not in_pixel(kept, drawn, spike, values[spike], 2 * n / 1_000)]
    assert not lost


def test_flagged_rows_are_all_drawn_on_top_up_to_the_limit() -> None:
    scores = np.random.default_rng(0).random(200_000)
    flagged = np.sort(np.random.default_rng(1).choice(200_000, 4_999, replace=False))
    np.testing.assert_array_equal(downsample_marks(flagged, scores), flagged)


def test_blocks_give_the_positions_that_belong_to_them_and_a_long_gap_stays_a_gap() -> None:
    values = np.sin(np.arange(100_000) / 500.0)
    values[40_000:55_000] = np.nan
    values[77_777] = 9.0
    thinned, times = Overview(100_000, limit=500), []
    for start in range(0, 100_000, 30_000):
        block = values[start : start + 30_000]
        times.append(start + thinned.add(block))
    positions, drawn, which = thinned.result()
    assert len(positions) <= 500
    assert (np.diff(positions) > 0).all()
    (gap,) = np.flatnonzero(which < 0)
    assert 39_990 < positions[gap] <= 40_001
    assert np.isnan(drawn[gap])
    np.testing.assert_array_equal(np.concatenate(times)[which[which >= 0]], positions[which >= 0])
    assert {0, 77_777, 99_999} <= set(positions.tolist())


def test_nothing_filled_in_any_block_draws_nothing() -> None:
    thinned = Overview(20_000)
    thinned.add(np.full(20_000, np.nan))
    assert [len(part) for part in thinned.result()] == [0, 0, 0]
    assert [len(part) for part in Overview(0).result()] == [0, 0, 0]
