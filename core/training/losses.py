"""What a fit makes small, and what is shown beside it. Each loss gives one number a window; TensorFlow only inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.models.spec import Task
from core.training.settings import FitSettings, Loss

HUBER_BORDER = 1.0
SMALLEST_PROBABILITY = 1e-7
CLASS_LOSSES: tuple[Loss, ...] = ("cross_entropy", "focal")


def resolved_loss(loss: Loss, task: Task) -> Loss:
    """The loss itself where it fits the task, else the usual one: cross-entropy for classes, squared error for values."""
    if task == "classification":
        return loss if loss in CLASS_LOSSES else "cross_entropy"
    return "mse" if loss == "auto" or loss in CLASS_LOSSES else loss


def metric_key(task: Task) -> str:
    """What is shown beside the loss: accuracy, or the mean absolute error in scaled units."""
    return "accuracy" if task == "classification" else "mae"


def window_loss(loss: Loss, settings: FitSettings) -> Callable[[Any, Any], Any]:
    """The function targets, outputs (b, …) → loss of each window (b,), the mean over everything but the windows.

    With e = target − output: mse e²; mae |e|; huber e²/2 up to 1, then |e| − 1/2; quantile max(q e, (q − 1) e). With the
    probability p of the right class: cross_entropy −log p, or with label smoothing s over k classes
    −Σ ((1 − s) [right] + s/k) log p of each class; focal −(1 − p)^γ log p.

    Source: Huber (1964), Ann. Math. Statist. 35(1); Koenker, Bassett (1978), Econometrica 46(1); Szegedy et al. (2016),
    CVPR, section 7; Lin et al. (2017), ICCV, equation 4.
    """
    return {
        "mse": _squared,
        "mae": _absolute,
        "huber": _huber,
        "quantile": lambda wanted, given: _pinball(wanted, given, settings.quantile),
        "cross_entropy": lambda wanted, given: _cross_entropy(wanted, given, settings.label_smoothing),
        "focal": lambda wanted, given: _focal(wanted, given, settings.focal_gamma),
    }[loss]


def window_metric(wanted: Any, given: Any, task: Task) -> Any:
    """Right or wrong of each window as 1 or 0, or its mean absolute error."""
    import tensorflow as tf

    if task == "classification":
        return tf.cast(tf.equal(tf.cast(wanted, tf.int64), tf.argmax(given, axis=-1)), tf.float32)
    return _absolute(wanted, given)


def _mean(values: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.reshape(values, [tf.shape(values)[0], -1]), axis=1)


def _squared(wanted: Any, given: Any) -> Any:
    import tensorflow as tf

    return _mean(tf.square(wanted - given))


def _absolute(wanted: Any, given: Any) -> Any:
    import tensorflow as tf

    return _mean(tf.abs(wanted - given))


def _huber(wanted: Any, given: Any) -> Any:
    import tensorflow as tf

    size = tf.abs(wanted - given)
    return _mean(tf.where(size <= HUBER_BORDER, 0.5 * size**2, HUBER_BORDER * (size - 0.5 * HUBER_BORDER)))


def _pinball(wanted: Any, given: Any, quantile: float) -> Any:
    import tensorflow as tf

    missing = wanted - given
    return _mean(tf.maximum(quantile * missing, (quantile - 1) * missing))


def _cross_entropy(wanted: Any, given: Any, smoothing: float) -> Any:
    import keras
    import tensorflow as tf

    if smoothing == 0:
        return keras.losses.sparse_categorical_crossentropy(wanted, given)
    logs = tf.math.log(tf.clip_by_value(given, SMALLEST_PROBABILITY, 1.0))
    right = tf.gather(logs, wanted, axis=1, batch_dims=1)
    return -((1 - smoothing) * right + smoothing * tf.reduce_mean(logs, axis=1))


def _focal(wanted: Any, given: Any, gamma: float) -> Any:
    import tensorflow as tf

    right = tf.clip_by_value(tf.gather(given, wanted, axis=1, batch_dims=1), SMALLEST_PROBABILITY, 1.0)
    # 1 − p is kept off 0, where the slope of a power below 1 is not a number.
    return -(tf.maximum(1 - right, SMALLEST_PROBABILITY) ** gamma) * tf.math.log(right)
