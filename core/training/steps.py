"""Training and validation steps as compiled graphs: several batches a call, so that Python is rarely in the way.

A loop of our own and not `keras.fit`: it can stop, report and store between any two batches, it needs no callback a
batch, and its whole state is a list of variables. Measured against `keras.fit`: docs/decisions.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.spec import Task
from core.training.data import WindowSource
from core.training.settings import FitSettings, Loss

MOMENTUM = 0.9
HUBER_BORDER = 1.0


def resolved_loss(loss: Loss, task: Task) -> Loss:
    """The loss itself where it was left automatic: cross-entropy for classes, squared error for everything else."""
    if task == "classification":
        return "cross_entropy"
    return "mse" if loss in ("auto", "cross_entropy") else loss


def metric_key(task: Task) -> str:
    """What is shown beside the loss: accuracy, or the mean absolute error in scaled units."""
    return "accuracy" if task == "classification" else "mae"


def make_optimizer(settings: FitSettings) -> Any:
    """The Keras optimiser that the settings name."""
    import keras

    limit = settings.clip_norm if settings.clip_norm > 0 else None
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(settings.learning_rate, momentum=MOMENTUM, global_clipnorm=limit)
    return keras.optimizers.Adam(settings.learning_rate, global_clipnorm=limit)


@dataclass(frozen=True, slots=True)
class Steps:
    """Compiled functions.

    train(windows (k, b, rows, features), targets (k, b, …), weights (k, b)) does k steps and gives (k, 3): loss ·
    weight, weight, metric · weight. evaluate(windows (b, …), targets, weights) gives (3,). `averages` are the variables
    of the running average of the weights, in the order of the trainable ones; empty where none is kept.
    """

    train: Any
    evaluate: Any
    averages: list[Any]


def compile_steps(model: Any, optimizer: Any, loss: Loss, task: Task, averaging: float) -> Steps:
    """Graphs for any number of batches of any size. The variables of optimiser and average are made here.

    Step t keeps the share min(averaging, (1 + t) / (10 + t)) of the average, so that a short fit is not held at its
    start. Source: Polyak, Juditsky (1992), SIAM J. Control Optim. 30(4); the warm-up is that of TensorFlow.
    """
    import tensorflow as tf

    optimizer.build(model.trainable_variables)
    averages = [tf.Variable(v.value, trainable=False) for v in model.trainable_variables] if averaging > 0 else []
    own_target = task == "anomaly"
    per_window = _losses(loss)

    def sums(windows: Any, targets: Any, weights: Any, training: bool) -> tuple[Any, Any]:
        wanted = windows if own_target else targets
        given = model(windows, training=training)
        weight = tf.reduce_sum(weights)
        total = tf.reduce_sum(per_window(wanted, given) * weights)
        if model.losses:  # what a layer adds of its own, as a mean over the batch
            total += tf.add_n(model.losses) * weight
        measured = tf.reduce_sum(_metric(wanted, given, task) * weights)
        return total / tf.maximum(weight, 1e-12), tf.stack([total, weight, measured])

    def one_step(windows: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            mean, row = sums(windows, targets, weights, True)
        gradients = tape.gradient(mean, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        done = tf.cast(optimizer.iterations, tf.float32)
        kept = tf.minimum(averaging, (1 + done) / (10 + done))
        for average, variable in zip(averages, model.trainable_variables if averages else [], strict=True):
            average.assign(kept * average + (1 - kept) * variable.value)
        return row

    kind = tf.int32 if task == "classification" else tf.float32
    shape = model.input_shape[1:]
    target_shape = [] if task == "classification" else [None]
    signature = [tf.TensorSpec([None, *shape]), tf.TensorSpec([None, *target_shape], kind), tf.TensorSpec([None])]
    stacked = [tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in signature]

    @tf.function(input_signature=stacked)
    def train(windows: Any, targets: Any, weights: Any) -> Any:
        n = tf.shape(weights)[0]
        rows = tf.TensorArray(tf.float32, size=n, element_shape=[3])
        _, rows = tf.while_loop(
            lambda i, _: i < n,
            lambda i, made: (i + 1, made.write(i, one_step(windows[i], targets[i], weights[i]))),
            (tf.constant(0), rows),
            parallel_iterations=1,
        )
        return rows.stack()

    @tf.function(input_signature=signature)
    def evaluate(windows: Any, targets: Any, weights: Any) -> Any:
        return sums(windows, targets, weights, False)[1]

    return Steps(train, evaluate, averages)


def _losses(loss: Loss) -> Any:
    """targets, outputs (b, …) → loss of each window (b,), the mean over everything but the windows."""
    import keras
    import tensorflow as tf

    def mean(values: Any) -> Any:
        return tf.reduce_mean(tf.reshape(values, [tf.shape(values)[0], -1]), axis=1)

    def huber(wanted: Any, given: Any) -> Any:
        size = tf.abs(wanted - given)
        return mean(tf.where(size <= HUBER_BORDER, 0.5 * size**2, HUBER_BORDER * (size - 0.5 * HUBER_BORDER)))

    return {
        "mse": lambda wanted, given: mean(tf.square(wanted - given)),
        "mae": lambda wanted, given: mean(tf.abs(wanted - given)),
        "huber": huber,
        "cross_entropy": keras.losses.sparse_categorical_crossentropy,
    }[loss]


def _metric(wanted: Any, given: Any, task: Task) -> Any:
    """Right or wrong of each window as 1 or 0, or its mean absolute error."""
    import tensorflow as tf

    if task == "classification":
        return tf.cast(tf.equal(tf.cast(wanted, tf.int64), tf.argmax(given, axis=-1)), tf.float32)
    return tf.reduce_mean(tf.reshape(tf.abs(wanted - given), [tf.shape(given)[0], -1]), axis=1)


def stacked_batches(
    source: WindowSource, index: NDArray[np.int64], batch_size: int, others: NDArray[np.int64]
) -> tuple[NDArray, NDArray, NDArray]:
    """The windows of `index` as (k, b, …) arrays for `Steps.train`. A last short batch is filled with weight 0.

    It is filled with the first of `others`, the windows of the epoch in their order, and not with one window again and
    again: weights do not reach a batch normalisation, which would take that one's mean and variance for the data's.
    """
    n_batches = -(-len(index) // batch_size)
    missing = n_batches * batch_size - len(index)
    padded = np.concatenate([index, np.resize(others, missing)])
    windows, targets, weights = _complete(source, padded)
    if missing:
        weights = weights.copy()
        weights[-missing:] = 0
    return tuple(a.reshape(n_batches, batch_size, *a.shape[1:]) for a in (windows, targets, weights))  # type: ignore[return-value]


def _complete(source: WindowSource, index: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """A batch with something in place of missing targets and weights; targets are (b,) codes or (b, n_outputs)."""
    windows, targets, weights = source.batch(index)
    if targets is None:
        targets = np.zeros((len(index), 0), dtype=np.float32)
    elif targets.dtype.kind == "f":
        targets = targets.reshape(len(index), -1).astype(np.float32, copy=False)
    else:
        targets = targets.reshape(len(index)).astype(np.int32, copy=False)
    return windows, targets, np.ones(len(index), dtype=np.float32) if weights is None else weights


def evaluation_batch(source: WindowSource, index: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """The windows of `index` as arrays for `Steps.evaluate`."""
    return _complete(source, index)
