from __future__ import annotations

import numpy as np
import pytest

from core.models.window_statistics import statistic_names, window_statistics


def test_a_window_computed_by_hand() -> None:
    given = window_statistics(np.array([[[0.0, 3.0], [1.0, 3.0], [5.0, 3.0]]]))
    mean, sd, low, high, last, slope = given.reshape(6, 2)
    assert mean == pytest.approx([2.0, 3.0])
    assert sd == pytest.approx([np.sqrt(14 / 3), 0.0])
    assert low.tolist() == [0.0, 3.0]
    assert high.tolist() == [5.0, 3.0]
    assert last.tolist() == [5.0, 3.0]
    assert slope == pytest.approx([2.5, 0.0])


def test_the_slope_is_that_of_numpys_least_squares_line() -> None:
    windows = np.random.default_rng(1).normal(size=(5, 9, 2))
    slope = window_statistics(windows)[:, -2:]
    for i in range(5):
        for f in range(2):
            assert slope[i, f] == pytest.approx(np.polyfit(np.arange(9), windows[i, :, f], 1)[0])


def test_one_row_a_window_gives_that_row() -> None:
    rows = np.random.default_rng(2).normal(size=(4, 1, 3)).astype(np.float32)
    given = window_statistics(rows)
    assert given.dtype == np.float64
    assert np.array_equal(given, rows[:, 0, :])


def test_names_have_the_order_of_the_columns() -> None:
    names = statistic_names(("p1", "t1"), 30)
    assert len(names) == window_statistics(np.zeros((1, 30, 2))).shape[1] == 12
    assert names[:2] == ("mean of p1", "mean of t1")
    assert names[-1] == "slope of t1"
    assert statistic_names(("p1", "t1"), 1) == ("p1", "t1")
