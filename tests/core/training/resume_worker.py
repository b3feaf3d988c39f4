"""A fit in a process of its own, for the test that kills it: `resume_worker.py checkpoints events result`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

from core.models import Shape, model_by_key
from core.training.data import ArraySource, TrainingData
from core.training.events import Event
from core.training.fit import fit_network
from core.training.settings import FitSettings

EPOCHS = 6


def main(checkpoints: Path, events: Path, result: Path, pause: float) -> None:
    """Fit a small LSTM with dropout; `pause` seconds after each epoch event leave time for the kill."""
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(300, 8, 3)).astype(np.float32)
    targets = windows[:, -1, :1] + windows[:, :, 1].mean(axis=1, keepdims=True)

    def emit(event: Event) -> None:
        with events.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": event.kind, **event.values}) + "\n")
        if event.kind == "epoch":
            time.sleep(pause)

    spec = model_by_key("lstm")
    trained = fit_network(
        spec,
        spec.settings(units=8, dropout=0.3),
        Shape(8, 3, 1),
        "regression",
        TrainingData(ArraySource(windows[:240], targets[:240]), ArraySource(windows[240:], targets[240:])),
        FitSettings(epochs=EPOCHS, batch_size=32, patience=2, learning_rate=0.01),
        emit=emit,
        stop_requested=lambda: False,
        checkpoints=checkpoints,
        seed=11,
        checkpoint_seconds=0.0,
    )
    np.savez(result, *[np.array(v.numpy()) for v in trained.model.variables])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
