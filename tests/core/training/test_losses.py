"""Each loss against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.training.losses import resolved_loss, window_loss
from core.training.settings import FitSettings

WANTED = np.array([[1.0, 2.0], [0.0, 0.0]], np.float32)
GIVEN = np.array([[0.0, 4.0], [0.5, 0.0]], np.float32)  # target − output: 1, −2 and −0.5, 0
RIGHT = np.array([0, 1], np.int32)
PROBABILITIES = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)


def _loss(name: str, wanted: np.ndarray, given: np.ndarray, **values: float) -> np.ndarray:
    import tensorflow as tf

    settings = FitSettings(loss=name, **values)  # type: ignore[arg-type]
    return window_loss(settings.loss, settings)(tf.constant(wanted), tf.constant(given)).numpy()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("mse", {}, [(1 + 4) / 2, 0.25 / 2]),
        ("mae", {}, [(1 + 2) / 2, 0.5 / 2]),
        ("huber", {}, [(0.5 + 1.5) / 2, 0.125 / 2]),
        ("quantile", {"quantile": 0.9}, [(0.9 + 0.1 * 2) / 2, 0.1 * 0.5 / 2]),
        ("quantile", {"quantile": 0.1}, [(0.1 + 0.9 * 2) / 2, 0.9 * 0.5 / 2]),
        ("quantile", {}, [(1 + 2) / 4, 0.5 / 4]),
    ],
)
def test_losses_of_values(name: str, values: dict[str, float], expected: list[float]) -> None:
    assert _loss(name, WANTED, GIVEN, **values) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("cross_entropy", {}, [-math.log(0.8), -math.log(0.6)]),
        (
            "cross_entropy",
            {"label_smoothing": 0.1},
            [-(0.95 * math.log(0.8) + 0.05 * math.log(0.2)), -(0.95 * math.log(0.6) + 0.05 * math.log(0.4))],
        ),
        ("focal", {}, [-(0.2**2) * math.log(0.8), -(0.4**2) * math.log(0.6)]),
        ("focal", {"focal_gamma": 0.0}, [-math.log(0.8), -math.log(0.6)]),
    ],
)
def test_losses_of_classes(name: str, values: dict[str, float], expected: list[float]) -> None:
    assert _loss(name, RIGHT, PROBABILITIES, **values) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_has_a_slope_where_the_answer_is_certain(gamma: float) -> None:
    import tensorflow as tf

    settings = FitSettings(loss="focal", focal_gamma=gamma)
    certain = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(certain)
        total = tf.reduce_sum(window_loss("focal", settings)(tf.constant(RIGHT), certain))
    assert math.isfinite(float(total))
    assert np.isfinite(tape.gradient(total, certain).numpy()).all()


@pytest.mark.parametrize(
    ("asked", "of_values", "of_classes"),
    [
        ("auto", "mse", "cross_entropy"),
        ("mae", "mae", "cross_entropy"),
        ("quantile", "quantile", "cross_entropy"),
        ("focal", "mse", "focal"),
        ("cross_entropy", "mse", "cross_entropy"),
    ],
)
def test_a_loss_that_does_not_fit_the_task_gives_way_to_the_usual_one(asked, of_values: str, of_classes: str) -> None:
    assert resolved_loss(asked, "regression") == resolved_loss(asked, "anomaly") == of_values
    assert resolved_loss(asked, "classification") == of_classes
