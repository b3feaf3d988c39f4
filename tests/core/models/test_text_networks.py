"""Numbers of words stay whole: where a network computes in 16 bits, and where noise is added to its windows."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import model_by_key
from core.models.spec import Shape


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("key", ["text_gru", "text_attention"])
def test_neighbouring_words_of_a_large_vocabulary_are_told_apart_in_16_bits(key: str, rows: int) -> None:
    import keras

    spec, shape = model_by_key(key), Shape(rows, 3, 2, 2, 5_000)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")  # 8 bits of a number: 4,001 and 4,002 would be one
    try:
        model = spec.build(spec.settings(), shape, "classification")  # type: ignore[union-attr]
    finally:
        keras.config.set_dtype_policy(before)
    windows = np.zeros((2, rows, 3), dtype=np.float32)
    windows[:, -1, :2] = [[4_001, 4_003], [4_002, 4_003]]
    seen = keras.Model(model.input, model.get_layer("words").output).predict_on_batch(windows)
    table = np.asarray(model.get_layer("words").embeddings.value, dtype=np.float32)
    np.testing.assert_allclose(np.asarray(seen, dtype=np.float32)[:, 0], table[[4_001, 4_002]], rtol=0.01, atol=1e-4)


@pytest.mark.slow
def test_noise_in_training_leaves_the_numbers_of_words_alone() -> None:
    import keras

    from core.training.optimizers import make_optimizer
    from core.training.settings import FitSettings
    from core.training.steps import compile_steps

    seen: list[np.ndarray] = []

    @keras.saving.register_keras_serializable("test")
    class Watching(keras.layers.Layer):
        def call(self, inputs):  # type: ignore[no-untyped-def]
            import tensorflow as tf

            tf.numpy_function(lambda values: seen.append(values.copy()) or np.float32(0), [inputs], tf.float32)
            return inputs

    inputs = keras.Input((1, 4))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(Watching()(inputs))))
    settings = FitSettings(input_noise=0.5)
    steps = compile_steps(model, make_optimizer(settings), settings, "regression", 3, 2)
    windows = np.full((1, 8, 1, 4), 7.0, dtype=np.float32)
    ones = np.ones((1, 8), dtype=np.float32)
    steps.train(windows, np.zeros((1, 8, 1), dtype=np.float32), ones, np.array([0.01], dtype=np.float32), 0)
    given = np.concatenate([s for s in seen if len(s)])
    assert (given[..., :2] == 7).all()
    assert given[..., 2:].std() == pytest.approx(0.5, rel=0.5)
