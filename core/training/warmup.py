"""What a spare worker does while it waits: one tiny fit, so that the first real one finds TensorFlow awake."""

from __future__ import annotations

import numpy as np

from core.models import model_by_key
from core.models.spec import Shape
from core.training.data import ArraySource, TrainingData
from core.training.fit import fit_network
from core.training.settings import FitSettings


def warm_up() -> None:
    """Import TensorFlow, compile and run a one-unit LSTM for one step. Later fits set their seed anew and are not changed."""
    spec = model_by_key("lstm")
    source = ArraySource(np.zeros((2, 2, 1), dtype=np.float32), np.zeros((2, 1), dtype=np.float32))
    fit_network(
        spec,  # type: ignore[arg-type]
        spec.settings.read({"units": 1, "layers": 1}),
        Shape(2, 1, 1),
        "regression",
        TrainingData(source, source),
        FitSettings(epochs=1, batch_size=2),
        emit=lambda _: None,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=0,
    )
