"""Scoring by ONNX Runtime against `keras.predict`: one row at a time, and in batches. `make bench-scoring`.

Same weights, same windows, one thread each, in one process and in turn.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np

from benchmarks.common import median, publish, table
from core.models import model_by_key
from core.models.spec import Shape
from core.serving.predictors import OnnxNetwork
from core.training.export import export_onnx

SHAPE = Shape(window_rows=30, n_features=20, n_outputs=1)
FAMILIES = (
    ("cnn", "regression"),
    ("lstm", "regression"),
    ("gru", "regression"),
    ("dense", "regression"),
    ("conv_autoencoder", "anomaly"),
)
BATCH = 20_000
ROUNDS = 5


def main() -> int:
    """Time every family and publish the table."""
    rows = [_family(key, task) for key, task in FAMILIES]
    head = ["family", "one row, ONNX", "one row, keras.predict", "ratio", "batch, ONNX", "batch, keras.predict", "ratio"]
    publish("scoring", "make bench-scoring", table(head, rows))
    return 0


def _family(key: str, task: str) -> list[str]:
    spec = model_by_key(key)
    model = spec.build(spec.settings(), SHAPE, task)  # type: ignore[union-attr, arg-type]
    windows = np.random.default_rng(0).normal(size=(BATCH, SHAPE.window_rows, SHAPE.n_features)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model(windows[:1])
        export_onnx(model, path)
        network = OnnxNetwork(path)
    one_onnx = [median(_times(lambda: network.predict(windows[:1]), 200)) for _ in range(ROUNDS)]
    one_keras = [median(_times(lambda: model.predict(windows[:1], verbose=0), 20)) for _ in range(ROUNDS)]
    many_onnx, many_keras = [], []
    for _ in range(ROUNDS):
        many_onnx.append(BATCH / _times(lambda: network.predict(windows), 1)[0])
        many_keras.append(BATCH / _times(lambda: model.predict(windows, verbose=0, batch_size=256), 1)[0])
    single, batch = median(one_onnx) / median(one_keras), median(many_onnx) / median(many_keras)
    return [
        key,
        f"{1e3 * median(one_onnx):.3f} ms",
        f"{1e3 * median(one_keras):.1f} ms",
        f"1/{1 / single:.0f}",
        f"{median(many_onnx):,.0f} rows/s",
        f"{median(many_keras):,.0f} rows/s",
        f"{batch:.2f}",
    ]


def _times(call: Callable[[], object], n: int) -> list[float]:
    """Seconds of each of n calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(n):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
