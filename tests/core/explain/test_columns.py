"""A column inside a window: its values, covered, moved as a whole or in the last row, with everything that follows it."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.columns import Difference, InputColumn, Move, Straightened
from tests.core.explain.linear import COLUMNS


def test_values_are_in_column_units_and_a_move_shifts_the_window_or_its_last_row() -> None:
    a = COLUMNS[0]  # feature = (value − 10) ÷ 2
    window = np.array([[[0.5, 7, 8], [1.0, 7, 8]]], dtype=np.float32)
    assert a.values(window).tolist() == [[11.0, 12.0]]
    shifted = a.moved(window, 14.0)
    assert a.values(shifted).tolist() == [[13.0, 14.0]] and shifted[0, :, 0].tolist() == [1.5, 2.0]
    last = a.moved(window, 14.0, "last")
    assert a.values(last).tolist() == [[11.0, 14.0]]
    assert (shifted[:, :, 1:] == window[:, :, 1:]).all() and window[0, 1, 0] == 1.0, "others and the original stay"
    assert a.covered(window)[0].tolist() == [[0, 7, 8], [0, 7, 8]]


def test_a_straightened_copy_and_the_distance_from_the_own_start_follow() -> None:
    column = InputColumn(
        "a",
        (0, 1, 2),
        (0.0, 0.0, 0.0),
        "",
        Move(0.0, 2.0, (Straightened(1, np.square, 1.0, 4.0),), (Difference(2, 0, 0.5),)),
    )
    window = np.array([[[2.0, 3.75, 1.0]]], dtype=np.float32)  # value 4; (16 − 1) ÷ 4; started at feature 1.5
    moved = column.moved(window, 6.0)
    np.testing.assert_allclose(moved[0, 0], [3.0, (36 - 1) / 4, 1.0 + (3 - 2) / 0.5])


def test_a_column_without_numbers_has_no_value_and_is_not_moved() -> None:
    text = InputColumn("tool", (0, 1), (0.0, 2.0))
    window = np.array([[[5.0, 1.0]]], dtype=np.float32)
    assert np.isnan(text.values(window)).all() and text.covered(window)[0, 0].tolist() == [0.0, 2.0]
    with pytest.raises(ValueError, match="tool holds no numbers"):
        text.moved(window, 1.0)


def test_outside_moves_the_last_stretch_outside_the_band_and_all_where_the_last_row_is_inside() -> None:
    column = InputColumn("a", (0,), (0.0,), "", Move(0.0, 1.0), band=(-1.0, 1.0))
    window = np.array([[[5.0], [0.0], [4.0], [3.0]], [[5.0], [0.0], [4.0], [0.5]]], dtype=np.float32)
    moved = column.moved(window, np.array([1.0, 1.5]), "outside")
    assert moved[:, :, 0].tolist() == [[5, 0, 2, 1], [6, 1, 5, 1.5]]
