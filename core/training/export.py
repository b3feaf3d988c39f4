"""A fitted network as ONNX, which is what scores everywhere else. Parity is checked by the caller on its own windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

OPSET = 17
INPUT_NAME = "windows"


def export_onnx(model: Any, path: Path) -> None:
    """Write `model` to `path`: input "windows" (batch, window_rows, n_features) float32, batch free, one output."""
    import tensorflow as tf
    import tf2onnx

    rows, features = model.input_shape[1:]
    signature = (tf.TensorSpec((None, rows, features), tf.float32, name=INPUT_NAME),)
    call = tf.function(lambda windows: model(windows, training=False), input_signature=signature)
    tf2onnx.convert.from_function(call, input_signature=signature, opset=OPSET, output_path=str(path))
