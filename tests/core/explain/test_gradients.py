"""Integrated gradients with known integrals: a linear model, a square, a kink, and outputs that are equal."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.gradients import integrated_gradients
from tests.core.explain.linear import WEIGHTS, predict


def linear(windows):
    return predict(windows), np.broadcast_to(WEIGHTS, windows.shape).astype(np.float64)


def test_a_linear_model_gives_weight_times_distance() -> None:
    window, baseline = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32), np.ones((2, 3), dtype=np.float32)
    found = integrated_gradients(linear, window, baseline)
    np.testing.assert_allclose(found.values, WEIGHTS * (window - baseline), atol=1e-6)
    np.testing.assert_allclose(found.gradient_times_input, WEIGHTS * (window - baseline), atol=1e-6)
    assert found.values.sum() == pytest.approx(found.output - found.baseline) and found.is_complete and found.gap < 1e-6


def test_a_product_shares_its_output_in_halves() -> None:
    """f = x·y from (0, 0) to (2, 3): ∫ α·3 dα · 2 = 3 and ∫ α·2 dα · 3 = 3, where gradient times input would say 6 and 6."""

    def product(windows):
        x, y = windows[:, 0, 0].astype(float), windows[:, 0, 1].astype(float)
        return x * y, np.stack([y, x], axis=1)[:, None, :]

    found = integrated_gradients(product, np.array([[2, 3]], dtype=np.float32), np.zeros((1, 2), dtype=np.float32))
    np.testing.assert_allclose(found.values, [[3, 3]], rtol=1e-6)
    assert found.gradient_times_input.tolist() == [[6, 6]]


def test_steps_are_doubled_until_the_parts_add_up() -> None:
    """A steep step near one end needs many midpoints: f = 1 / (1 + exp(−200 (x − 0.013)))."""

    def steep(windows):
        z = 1 / (1 + np.exp(-200 * (windows[:, 0, 0].astype(float) - 0.013)))
        return z, (200 * z * (1 - z))[:, None, None]

    one, zero = np.ones((1, 1), dtype=np.float32), np.zeros((1, 1), dtype=np.float32)
    found = integrated_gradients(steep, one, zero)
    assert found.is_complete and found.gap <= 0.01 and found.steps > 32
    short = integrated_gradients(steep, one, zero, most_steps=32)
    assert short.steps == 32 and short.gap > 0.01 and not short.is_complete, "and where they may not, it says so"


def test_where_the_outputs_are_equal_there_is_nothing_to_share_out() -> None:
    window = np.ones((2, 3), dtype=np.float32)
    found = integrated_gradients(linear, window, window)
    assert np.isnan(found.gap) and found.is_complete and (found.values == 0).all()
