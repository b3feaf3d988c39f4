"""What follows a row lies in its series and its part, and what a row sees lies before it."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.room import Room
from core.features.forecast_target import ForecastTarget
from core.features.own_past import OwnPast, fill_forward, following, usual_step
from core.features.windows import make_windows


def past(horizon: int, season: int, *, step: float | None = 60.0, is_regular: bool = True) -> OwnPast:
    return OwnPast("y", horizon, season, step, is_regular)


def test_what_follows_ends_at_the_part_the_series_and_an_unknown_value() -> None:
    own = np.array([0.0, 1.0, 2.0, 3.0, np.nan, 5.0, 6.0, 7.0])
    first, parts = np.array([0, 0, 0, 0, 0, 0, 6, 6]), np.array([0, 0, 0, 1, 1, 1, 1, 1])
    ahead = following(own, first, parts, 2)
    nan = np.nan
    np.testing.assert_array_equal(
        ahead.batch(np.arange(8)),
        [[1, 2], [2, nan], [nan, nan], [nan, 5], [5, nan], [nan, nan], [7, nan], [nan, nan]],
    )
    assert ahead.is_whole.tolist() == [True, False, False, False, False, False, False, False]


def test_a_row_without_its_own_value_is_not_whole() -> None:
    assert following(np.array([np.nan, 1.0, 2.0]), np.zeros(3, int), None, 2).is_whole.tolist() == [False, False, False]


def test_a_series_breaks_at_a_group_and_at_a_long_gap_of_a_regular_clock() -> None:
    times = np.array([0.0, 60, 120, 300, 360, 720, 0, 60])
    groups = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    assert past(2, 1).series(groups, times).tolist() == [0, 0, 0, 0, 0, 1, 2, 2]  # 180 s are three steps, 360 s are more
    assert past(2, 1, is_regular=False).series(groups, times).tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


def test_the_usual_step_is_the_median_and_regular_where_most_are_alike() -> None:
    assert usual_step(np.array([0.0, 60, 120, 181, 240, 900]), None) == (60.0, True)
    assert usual_step(np.array([0.0, 60, 300, 310, 900]), None)[1] is False
    assert usual_step(np.array([5.0, 5.0, 5.0]), None) == (None, False)
    assert usual_step(np.array([0.0, 10, 0, 10]), np.array([0, 0, 1, 1])) == (10.0, True)


def test_the_last_known_row_is_of_the_same_series() -> None:
    own = np.array([1.0, np.nan, 3.0, np.nan, np.nan])
    assert fill_forward(own, np.array([0, 0, 0, 3, 3])).tolist() == [0, 0, 2, -1, -1]


def test_every_row_carries_the_value_one_season_before_the_furthest_row_ahead() -> None:
    values = np.arange(10.0, dtype=np.float32)[:, None]
    found = past(2, 5).extended(values, np.zeros(10, dtype=int), Room())
    assert found[:, 1].tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]  # row i: that of row i + 2 − 5
    assert past(2, 5).reach == 3


def test_a_season_within_the_rows_ahead_lies_in_the_window() -> None:
    assert not past(12, 5).has_season_feature and past(12, 5).smallest_window == 5
    assert past(12, 12).has_season_feature and past(12, 40).smallest_window == 12
    assert past(12, 1).smallest_window == 1


def target(horizon: int, season: int, anchor: str, scale: float = 2.0) -> ForecastTarget:
    has = past(horizon, season).has_season_feature
    return ForecastTarget(horizon, anchor, season, has, own_mean=100.0, own_scale=10.0, mean=100.0, scale=scale)


@pytest.mark.parametrize(("horizon", "season"), [(2, 5), (5, 5), (4, 3), (3, 1)])
@pytest.mark.parametrize("anchor", ["last", "season", "level"])
def test_anchors_are_the_values_they_are_named_after(horizon: int, season: int, anchor: str) -> None:
    n, width = 30, 12
    raw = np.random.default_rng(3).normal(100, 10, n)
    scaled = ((raw - 100) / 10).astype(np.float32)[:, None]
    values = past(horizon, season).extended(scaled, np.zeros(n, dtype=int), Room())
    windows = make_windows(values, None, width)
    at, asked = np.array([20, 25]), target(horizon, season, anchor)
    found = asked.values(windows.batch(at), anchor)
    for row, place in zip(found, at, strict=True):
        for step in range(1, horizon + 1):
            back = season * -(-step // season) if season > 1 else step
            wanted = {"last": raw[place], "season": raw[place + step - back], "level": 100.0}[anchor]
            assert row[step - 1] == pytest.approx(wanted, abs=1e-4)
    np.testing.assert_allclose(asked.values_at(windows, at, anchor), found)


def test_encoding_and_decoding_are_each_others_inverse() -> None:
    asked = target(2, 1, "last")
    windows = np.array([[[0.5], [1.0]]], dtype=np.float32)  # the last value is 110
    wanted = np.array([[114.0, 106.0]])
    outputs = asked.encode(wanted, asked.values(windows, "last"))
    assert outputs.tolist() == [[2.0, -2.0]]
    np.testing.assert_allclose(asked.decode(outputs, windows), wanted)
    assert ForecastTarget.from_json({k: v for k, v in asked.to_json().items() if k != "key"}) == asked
