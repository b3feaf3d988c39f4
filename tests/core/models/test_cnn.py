"""The convolutional network tells early from late in a window, reads its latest rows, and counts its own weights."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import Shape, model_by_key

CNN = model_by_key("cnn")


def _answers(windows: np.ndarray, **values: int) -> np.ndarray:
    import keras

    keras.utils.set_random_seed(1)
    shape = Shape(windows.shape[1], windows.shape[2], 1)
    return np.asarray(CNN.build(CNN.settings(dropout=0.0, **values), shape, "regression")(windows))[:, 0]


def _bump(rows: int, place: int) -> np.ndarray:
    window = np.zeros((1, rows, 2), np.float32)
    window[0, place - 2 : place + 3, 0] = 1.0
    return window


def test_a_pattern_is_told_by_its_place_unless_it_is_asked_not_to() -> None:
    early, late = _bump(64, 20), _bump(64, 44)
    told = _answers(np.concatenate([early, late]))
    same = _answers(np.concatenate([early, late]), places=1)
    assert abs(told[0] - told[1]) > 0.01
    assert same[0] == pytest.approx(same[1], abs=1e-6)


@pytest.mark.parametrize("rows", [1, 7, 30, 37])
def test_the_latest_row_is_always_read(rows: int) -> None:
    plain, changed = np.zeros((1, rows, 2), np.float32), np.zeros((1, rows, 2), np.float32)
    changed[0, -1] = 5.0
    given = _answers(np.concatenate([plain, changed]))
    assert given[0] != given[1]


@pytest.mark.parametrize("rows", [1, 7, 30, 37, 500])
def test_its_weights_are_counted(rows: int) -> None:
    shape, settings = Shape(rows, 3, 2), CNN.settings()
    assert CNN.build(settings, shape, "classification").count_params() == CNN.count_parameters(settings, shape)
