"""The curves of a fit in TensorBoard's format, for those who have its viewer: `tensorboard --logdir FOLDER`.

Written with TensorFlow alone, which needs TensorBoard's own package only to show them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.training.events import Emit, Event

OF_EPOCHS = ("loss", "val_loss", "metric", "val_metric", "learning_rate", "gradient_norm")
OF_BATCHES = ("loss", "learning_rate", "gradient_norm")
STEPS_AN_EPOCH = 1000


def with_logs(emit: Emit, folder: Path) -> Emit:
    """The same events, of which epochs and batches are also written to `folder`.

    The step of "epoch/…" is the epoch, that of "batch/…" its thousandth part. A resumed fit adds a file to the folder.
    """
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))
    about = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
        data_class="DATA_CLASS_SCALAR",
    )

    def write(event: Event, names: tuple[str, ...], step: int) -> None:
        with writer.as_default(), tf.device("cpu:0"):
            for name in names:
                value: Any = event.values.get(name)
                if value is not None:
                    number = tf.constant(float(value), tf.float32)
                    tf.summary.write(f"{event.kind}/{name}", number, step=step, metadata=about)

    def told(event: Event) -> None:
        emit(event)
        values: Any = event.values
        if event.kind == "batch":
            write(event, OF_BATCHES, round((values["epoch"] - 1 + values["fraction"]) * STEPS_AN_EPOCH))
        elif event.kind == "epoch":
            write(event, OF_EPOCHS, int(values["epoch"]))
            writer.flush()

    return told
