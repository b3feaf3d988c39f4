"""Windows end at their row, never cross groups, and repeat the first row before the first full window."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingProblem
from core.features.pipeline import row_order
from core.features.windows import make_windows


def naive(values: np.ndarray, groups: list[int], width: int) -> np.ndarray:
    """The slow, obvious way: walk back row by row, stop at the group's first row."""
    out = np.empty((len(values), width, values.shape[1]))
    for row in range(len(values)):
        place = row
        for back in range(width - 1, -1, -1):
            out[row, back] = values[place]
            if place > 0 and groups[place - 1] == groups[row]:
                place -= 1
    return out


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.integers(1, 6))
def test_windows_equal_the_obvious_ones(groups: list[int], width: int) -> None:
    groups = sorted(groups)
    values = np.arange(2.0 * len(groups)).reshape(-1, 2)
    windows = make_windows(values, np.array(groups), width)
    np.testing.assert_array_equal(windows.batch(np.arange(len(groups))), naive(values, groups, width))


def test_padded_rows_are_those_before_the_first_full_window() -> None:
    windows = make_windows(np.zeros((7, 1)), np.array([0, 0, 0, 0, 1, 1, 1]), 3)
    assert windows.is_padded.tolist() == [True, True, False, False, True, True, False]


def test_batches_are_float32_and_in_the_order_asked_for() -> None:
    windows = make_windows(np.arange(5.0)[:, None], None, 2)
    batch = windows.batch(np.array([4, 1]))
    assert batch.dtype == np.float32
    assert batch[:, :, 0].tolist() == [[3, 4], [0, 1]]


def test_a_window_without_rows_is_refused() -> None:
    with pytest.raises(SettingProblem, match="window is '0'"):
        make_windows(np.zeros((2, 1)), None, 0)


def test_rows_are_ordered_by_group_then_time_and_keep_the_file_order_in_ties() -> None:
    table = pd.DataFrame({"lot": ["b", "a", "b", "a"], "t": [2.0, 1.0, 1.0, 1.0]})
    order, codes = row_order(table, "lot", "t")
    assert order.tolist() == [2, 0, 1, 3]
    assert codes is not None and codes.tolist() == [0, 1, 0, 1]
