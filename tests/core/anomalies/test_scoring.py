"""Scores of reconstructions: by hand, causal, stateless, and fair to slow sensors."""

import numpy as np
import pytest

from core.anomalies.scoring import (
    ScoreCalibration,
    calibration_of_levels,
    fit_calibration,
    level_residuals,
    score_reconstruction,
)
from core.errors import NotEnoughData


def windows_of(values, width):
    padded = np.vstack([np.repeat(values[:1], width - 1, 0), values])
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).transpose(0, 2, 1)


@pytest.fixture
def normal():
    rng = np.random.default_rng(1)
    return np.column_stack([rng.normal(size=600), np.cumsum(rng.normal(size=600)) * 0.2, 3 * rng.normal(size=600)])


def test_level_residual_by_hand():
    # Weights 0.25, 0.5, 1 of fade 0.5, sum 1.75; residuals 4, 0, 7 → (1 + 0 + 7) ÷ 1.75
    windows = np.array([[[5.0], [1.0], [9.0]]])
    rebuilt = np.array([[[1.0], [1.0], [2.0]]])
    assert level_residuals(windows, rebuilt, 0.5)[0, 0] == pytest.approx(8 / 1.75)


def test_reach_by_hand():
    # Two levels, 0 and 2, eight equal parts: mean square 2, one step of 2 in seven: 8 · 4/7
    levels = np.repeat([0.0, 2.0], 8)[:, None]
    assert calibration_of_levels(levels).reach[0] == pytest.approx(np.sqrt(2 + 8 * 4 / 7))


def test_score_is_the_largest_distance_and_parts_are_squares():
    calibration = ScoreCalibration(np.array([1.0, 2.0]), 0.5, 10)
    windows = np.array([[[3.0, 8.0]], [[-1.0, 0.0]]])
    scores, parts = score_reconstruction(windows, np.zeros_like(windows), calibration)
    assert scores.tolist() == [4.0, 1.0]
    assert parts.tolist() == [[9.0, 16.0], [1.0, 0.0]]


def test_a_wandering_sensor_has_a_wider_reach_than_the_same_values_in_random_order(normal):
    walk = normal[:, 1] - normal[:, 1].mean()
    levels = np.column_stack([walk, np.random.default_rng(0).permutation(walk)])
    reach = calibration_of_levels(levels).reach
    spread = np.sqrt((levels**2).mean(0))
    assert reach[0] > 1.3 * reach[1]
    assert (reach >= spread).all()


def test_a_small_lasting_shift_is_found_and_names_its_sensor(normal):
    windows = windows_of(normal, 32)
    calibration = fit_calibration(windows[31:], np.zeros_like(windows[31:]))
    base, _ = score_reconstruction(windows[31:], np.zeros_like(windows[31:]), calibration)
    shifted = normal.copy()
    shifted[400:, 2] += 6.0
    after = windows_of(shifted, 32)
    scores, parts = score_reconstruction(after, np.zeros_like(after), calibration)
    assert (scores[430:] > base.max()).mean() > 0.9
    assert (parts[430:].argmax(1) == 2).mean() > 0.9
    np.testing.assert_array_equal(scores[31:400], base[: 400 - 31])


def test_scores_do_not_depend_on_how_rows_are_batched(normal):
    windows = windows_of(normal, 8)
    calibration = fit_calibration(windows, 0.9 * windows)
    whole, parts = score_reconstruction(windows, 0.9 * windows, calibration)
    cut = [score_reconstruction(windows[i : i + 37], 0.9 * windows[i : i + 37], calibration) for i in range(0, 600, 37)]
    np.testing.assert_allclose(np.concatenate([s for s, _ in cut]), whole, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([p for _, p in cut]), parts, rtol=1e-12)


def test_scores_do_not_depend_on_the_unit_of_a_sensor(normal):
    scale = np.array([1000.0, 0.01, 25.4])
    windows = windows_of(normal, 8)
    zero = np.zeros_like(windows)
    one, _ = score_reconstruction(windows, zero, fit_calibration(windows, zero))
    other, _ = score_reconstruction(windows * scale, zero, fit_calibration(windows * scale, zero))
    np.testing.assert_allclose(other, one, rtol=1e-9)


def test_arrays_give_the_same_calibration_back(normal):
    windows = windows_of(normal, 8)
    calibration = fit_calibration(windows, np.zeros_like(windows))
    again = ScoreCalibration.from_arrays(calibration.to_arrays())
    np.testing.assert_array_equal(again.reach, calibration.reach)
    assert (again.fade, again.n_rows) == (calibration.fade, calibration.n_rows)


def test_a_perfect_reconstruction_scores_zero():
    windows = np.ones((20, 4, 2))
    calibration = fit_calibration(windows, windows)
    assert score_reconstruction(windows, windows, calibration)[0].tolist() == [0.0] * 20


def test_a_sensor_that_is_always_rebuilt_exactly_does_not_divide_by_zero(normal):
    windows = windows_of(normal, 4)
    rebuilt = np.zeros_like(windows)
    rebuilt[:, :, 0] = windows[:, :, 0]
    calibration = fit_calibration(windows, rebuilt)
    scores, _ = score_reconstruction(windows, rebuilt, calibration)
    assert np.isfinite(scores).all()
    broken = rebuilt.copy()
    broken[5, :, 0] += 0.1
    assert score_reconstruction(windows, broken, calibration)[1][5].argmax() == 0


def test_a_window_that_is_not_finite_scores_nan(normal):
    windows = windows_of(normal, 4).copy()
    calibration = fit_calibration(windows, np.zeros_like(windows))
    windows[3, 1, 1] = np.nan
    scores, _ = score_reconstruction(windows, np.zeros_like(windows), calibration)
    assert np.isnan(scores[3])
    assert np.isfinite(scores[4])


def test_one_row_is_too_few_to_know_what_is_normal():
    with pytest.raises(NotEnoughData, match="Only 1 normal rows could be scored"):
        fit_calibration(np.ones((1, 3, 2)), np.zeros((1, 3, 2)))
