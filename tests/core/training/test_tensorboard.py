"""What TensorBoard's files hold, read back record by record."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training.events import Event
from core.training.tensorboard import with_logs

pytestmark = pytest.mark.slow


def _read(folder: Path) -> list[tuple[str, int, float]]:
    import tensorflow as tf

    found = []
    for path in folder.glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found += [(v.tag, event.step, float(tf.make_ndarray(v.tensor))) for v in event.summary.value]
    return found


def test_epochs_and_batches_are_written_and_told_on(tmp_path: Path) -> None:
    told: list[Event] = []
    emit = with_logs(told.append, tmp_path)
    events = [
        Event("stage", {"name": "fitting", "done": 1, "of": 2}),
        Event("batch", {"epoch": 2, "fraction": 0.25, "loss": 0.5, "learning_rate": 0.25, "gradient_norm": 3.0}),
        Event(
            "epoch", {"epoch": 2, "loss": 0.375, "val_loss": None, "metric": 0.5, "learning_rate": 0.25, "gradient_norm": 2.0}
        ),
    ]
    for event in events:
        emit(event)
    assert told == events
    assert _read(tmp_path) == [
        ("batch/loss", 1250, 0.5),
        ("batch/learning_rate", 1250, 0.25),
        ("batch/gradient_norm", 1250, 3.0),
        ("epoch/loss", 2, 0.375),
        ("epoch/metric", 2, 0.5),
        ("epoch/learning_rate", 2, 0.25),
        ("epoch/gradient_norm", 2, 2.0),
    ]
