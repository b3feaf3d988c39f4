"""The training kernels give the numbers and the gradients of the Keras layers that they stand in for."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import Shape, model_by_key
from core.models.recurrent_kernels import with_kernel

pytestmark = pytest.mark.slow


def _layer(kind: str):
    import keras

    keras.utils.set_random_seed(3)
    if kind.startswith("bi"):
        return keras.layers.Bidirectional(_layer(kind[2:]))
    cell = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind]
    # A bias of zeros, as a new layer has, would hide a bias that is left out or taken twice.
    return cell(5, return_sequences=True, use_cudnn=False, bias_initializer="random_normal")


def _outputs_and_slopes(layer, windows, seen):
    """Outputs of a training call, and the gradients of a sum over them for the windows and every weight."""
    import tensorflow as tf

    tensor = tf.constant(windows)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        given = layer(tensor, training=True)
        total = tf.reduce_sum(given * seen)
    return given, tape.gradient(total, [tensor, *layer.trainable_variables])


@pytest.mark.parametrize("kind", ["lstm", "gru", "bilstm", "bigru"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_outputs_and_gradients_are_those_of_keras(kind: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    windows = rng.normal(size=(4, rows, 3)).astype(np.float32)
    seen = rng.normal(size=(4, rows, 10 if kind.startswith("bi") else 5)).astype(np.float32)
    wanted = _outputs_and_slopes(_layer(kind), windows, seen)
    given = _outputs_and_slopes(with_kernel(_layer(kind)), windows, seen)
    assert np.allclose(given[0], wanted[0], rtol=0, atol=1e-6)
    for a, b in zip(given[1], wanted[1], strict=True):
        assert np.abs(a - b).max() <= 2e-6 * max(1.0, np.abs(b).max())


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_training_takes_the_kernel_and_judging_does_not(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    name = f"core.models.recurrent_kernels.{kind}_rows"
    monkeypatch.setattr(name, lambda x, *_: (called.append(1), (x, [x]))[1])
    layer = with_kernel(_layer(kind))
    windows = np.zeros((2, 3, 3), np.float32)
    layer(windows, training=False)
    assert not called
    layer(windows, training=True)
    assert called == [1]


def test_a_state_that_is_handed_over_is_gone_on_from() -> None:
    windows = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    state = np.full((2, 5), 0.7, np.float32)
    plain, quick = _layer("gru"), with_kernel(_layer("gru"))
    wanted = plain(windows, initial_state=[state], training=True)
    assert np.allclose(quick(windows, initial_state=[state], training=True), wanted, rtol=0, atol=1e-6)
    assert not np.allclose(wanted, plain(windows, training=True), atol=1e-3)


@pytest.mark.parametrize("key", ["lstm", "gru", "bigru", "lstm_autoencoder", "cnn_lstm"])
def test_what_is_saved_names_no_class_of_ours(key: str) -> None:
    spec = model_by_key(key)
    model = spec.build(spec.settings(), Shape(6, 2, 1), spec.tasks[0])
    assert "core." not in model.to_json()
    assert "inner_loop" not in model.to_json()
