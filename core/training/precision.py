"""16-bit computing where a graphics card makes it faster; what is judged, saved and exported is in 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.messages import Message, msg
from core.training.settings import FitSettings

POLICY = "mixed_bfloat16"


def has_graphics_card() -> bool:
    """Whether TensorFlow sees a graphics card."""
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def build_for_training(build: Callable[[], Any], settings: FitSettings) -> tuple[Any, list[Message]]:
    """The network, computing in 16 bits where that was asked for and a card is there, and what to tell about it.

    bfloat16 and not float16: it has the range of 32 bits, so that no loss has to be scaled. Weights stay in 32 bits.
    """
    import keras

    if not settings.mixed_precision:
        return build(), []
    if not has_graphics_card():
        return build(), [msg("16-bit computing needs a graphics card; there is none, and the run computes in 32 bits.")]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICY)
    try:
        return build(), []
    finally:
        keras.config.set_dtype_policy(before)


def in_full_precision(model: Any, build: Callable[[], Any]) -> Any:
    """The model itself, or for one that computes in 16 bits its weights in a new one of 32 bits."""
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model
    full = build()
    full.set_weights(model.get_weights())
    return full
