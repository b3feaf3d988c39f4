"""Forecasters see earlier rows only, and a variational autoencoder draws in training and not when it scores."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import Shape, model_by_key
from core.training.data import ArraySource, TrainingData
from core.training.events import Event
from core.training.fit import fit_network
from core.training.settings import FitSettings

pytestmark = pytest.mark.slow
SHAPE = Shape(window_rows=10, n_features=2, n_outputs=1)


def waves(n: int, seed: int) -> np.ndarray:
    """Windows of a wave of 8 rows with any phase, and its mirror image."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * np.arange(SHAPE.window_rows) / 8 + phase)
    return np.stack([wave, -wave], axis=2).astype(np.float32)


@pytest.mark.parametrize("key", ["lstm_forecaster", "cnn_forecaster"])
@pytest.mark.parametrize("ahead", [1, 3])
def test_a_forecast_does_not_see_the_row_that_it_predicts(key: str, ahead: int) -> None:
    spec = model_by_key(key)
    model = spec.build(spec.settings(ahead=ahead), SHAPE, "anomaly")
    windows = waves(4, 0)
    changed = windows.copy()
    changed[:, 5] += 10.0
    before, after = model.predict_on_batch(windows), model.predict_on_batch(changed)
    assert np.array_equal(before[:, : 5 + ahead], after[:, : 5 + ahead])
    assert not np.allclose(before[:, 5 + ahead], after[:, 5 + ahead])


@pytest.mark.parametrize("key", ["lstm_forecaster", "cnn_forecaster"])
def test_a_repeating_course_is_foreseen(key: str) -> None:
    spec = model_by_key(key)
    fitted = fit_network(
        spec,
        spec.settings(),
        SHAPE,
        "anomaly",
        TrainingData(ArraySource(waves(512, 1)), ArraySource(waves(64, 2))),
        FitSettings(epochs=40, batch_size=32, learning_rate=0.005),
        emit=lambda event: None,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=3,
    )
    new = waves(50, 4)
    error = fitted.model.predict_on_batch(new)[:, -1] - new[:, -1]
    # To repeat the row before would be off by 0.54 on average: 2 sin(π / 8) / √2.
    assert np.sqrt((error**2).mean()) < 0.1


def test_a_variational_autoencoder_adds_the_divergence_and_scores_without_chance() -> None:
    spec = model_by_key("vae")
    settings = spec.settings(units=8, code=3, noise=0.5)
    model = spec.build(settings, SHAPE, "anomaly")
    windows = waves(16, 0)
    assert np.array_equal(model(windows, training=False), model(windows, training=False))
    assert not np.array_equal(model(windows, training=True), model(windows, training=True))
    import keras

    cloud = keras.Model(model.input, model.get_layer("cloud").output).predict_on_batch(windows).astype(np.float64)
    mean, log_variance = cloud[:, :3], cloud[:, 3:]
    # KL divergence of normal distributions: the mean over windows, the sum over the code.
    divergence = (0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance)).sum(axis=1).mean()
    model(windows, training=False)
    assert float(model.losses[0]) == pytest.approx(2 * 0.5**2 / 20 * divergence, rel=1e-5)


def test_the_loss_of_a_fit_holds_the_divergence() -> None:
    spec, losses = model_by_key("vae"), {}
    for noise in (0.01, 10.0):
        events: list[Event] = []
        fit_network(
            spec,
            spec.settings(units=8, code=3, noise=noise),
            SHAPE,
            "anomaly",
            TrainingData(ArraySource(waves(64, 1)), ArraySource(waves(32, 2))),
            FitSettings(epochs=1, batch_size=32),
            emit=events.append,
            stop_requested=lambda: False,
            checkpoints=None,
            seed=3,
        )
        losses[noise] = next(e.values["val_loss"] for e in events if e.kind == "epoch")
    assert losses[10.0] > 1.5 * losses[0.01]
