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
from core.training.losses import resolved_loss, window_loss, window_metric
from core.training.settings import FitSettings

SMALLEST_WEIGHT = 1e-12
N_SUMS = 4


@dataclass(frozen=True, slots=True)
class Steps:
    """Compiled functions and the variables that they keep beside those of model and optimiser.

    train(windows (k, b, rows, features), targets (k, b, …), weights (k, b), rates (k,), first) does k steps with these
    learning rates, the first of which is the fit's step number `first`, and gives (k, 4): loss · weight, weight, metric ·
    weight, length of the gradient before it is cut. evaluate(windows (b, …), targets, weights) gives (3,): the first
    three. `end_epoch` is None but for full-batch gradient descent: there train only adds up, and this makes the one step
    and gives the gradient's length. `averages` are the variables of the running average of the weights, in the order
    of the trainable ones; empty where none is kept. `sums` are those that full-batch gradient descent adds up in.
    """

    train: Any
    evaluate: Any
    end_epoch: Any
    averages: list[Any]
    sums: list[Any]


def compile_steps(model: Any, optimizer: Any, settings: FitSettings, task: Task, seed: int, n_tokens: int = 0) -> Steps:
    """Graphs for any number of batches of any size. The variables of optimiser, average and sums are made here.

    Step t keeps the share min(averaging, (1 + t) / (10 + t)) of the average, so that a short fit is not held at its
    start. Source: Polyak, Juditsky (1992), SIAM J. Control Optim. 30(4); the warm-up is that of TensorFlow. Noise is
    drawn from seed and step number alone, so that a resumed fit sees the same; the first `n_tokens` values of a row are
    numbers of words, and get none.
    """
    import tensorflow as tf

    variables = model.trainable_variables
    optimizer.build(variables)
    averages = [tf.Variable(v.value, trainable=False) for v in variables] if settings.averaging > 0 else []
    is_full_batch = settings.optimizer == "gradient_descent"
    added = [tf.Variable(tf.zeros_like(v.value), trainable=False) for v in variables] if is_full_batch else []
    added_weight = [tf.Variable(0.0, trainable=False)] if is_full_batch else []
    own_target = task == "anomaly"
    per_window = window_loss(resolved_loss(settings.loss, task), settings)

    def sums(seen: Any, windows: Any, targets: Any, weights: Any, training: bool) -> tuple[Any, Any]:
        wanted = windows if own_target else targets
        given = tf.cast(model(seen, training=training), tf.float32)
        weight = tf.reduce_sum(weights)
        total = tf.reduce_sum(per_window(wanted, given) * weights)
        if model.losses:  # what a layer adds of its own, as a mean over the batch
            total += tf.add_n(model.losses) * weight
        measured = tf.reduce_sum(window_metric(wanted, given, task) * weights)
        return total / tf.maximum(weight, SMALLEST_WEIGHT), tf.stack([total, weight, measured])

    def noisy(windows: Any, step: Any) -> Any:
        if settings.input_noise == 0:
            return windows
        noise = tf.random.stateless_normal(tf.shape(windows), [seed % 2**31, step])
        if n_tokens:
            is_value = tf.range(tf.shape(windows)[-1]) >= n_tokens
            noise *= tf.cast(is_value, tf.float32)
        return windows + settings.input_noise * noise

    def apply(gradients: list[Any], norm: Any) -> None:
        if settings.clip_norm > 0:
            share = settings.clip_norm / tf.maximum(norm, settings.clip_norm)
            gradients = [g * share for g in gradients]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        done = tf.cast(optimizer.iterations, tf.float32)
        kept = tf.minimum(float(settings.averaging), (1 + done) / (10 + done))
        for average, variable in zip(averages, variables if averages else [], strict=True):
            average.assign(kept * average + (1 - kept) * variable.value)

    def one_step(windows: Any, targets: Any, weights: Any, rate: Any, step: Any) -> Any:
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            mean, row = sums(noisy(windows, step), windows, targets, weights, True)
        gradients = tape.gradient(mean, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        norm = tf.linalg.global_norm(gradients)
        if is_full_batch:
            for sum_, gradient in zip(added, gradients, strict=True):
                sum_.assign_add(gradient * row[1])
            added_weight[0].assign_add(row[1])
        else:
            apply(gradients, norm)
        return tf.concat([row, [norm]], axis=0)

    kind = tf.int32 if task == "classification" else tf.float32
    shape = model.input_shape[1:]
    target_shape = [] if task == "classification" else [None]
    signature = [tf.TensorSpec([None, *shape]), tf.TensorSpec([None, *target_shape], kind), tf.TensorSpec([None])]
    stacked = [tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in signature]

    @tf.function(input_signature=[*stacked, tf.TensorSpec([None]), tf.TensorSpec([], tf.int32)])
    def train(windows: Any, targets: Any, weights: Any, rates: Any, first: Any) -> Any:
        n = tf.shape(weights)[0]
        rows = tf.TensorArray(tf.float32, size=n, element_shape=[N_SUMS])
        _, rows = tf.while_loop(
            lambda i, _: i < n,
            lambda i, made: (
                i + 1,
                made.write(i, one_step(windows[i], targets[i], weights[i], rates[i], first + i)),
            ),
            (tf.constant(0), rows),
            parallel_iterations=1,
        )
        return rows.stack()

    @tf.function(input_signature=signature)
    def evaluate(windows: Any, targets: Any, weights: Any) -> Any:
        return sums(windows, windows, targets, weights, False)[1]

    @tf.function(input_signature=[])
    def end_epoch() -> Any:
        weight = tf.maximum(added_weight[0], SMALLEST_WEIGHT)
        gradients = [sum_ / weight for sum_ in added]
        norm = tf.linalg.global_norm(gradients)
        apply(gradients, norm)
        for sum_ in [*added, *added_weight]:
            sum_.assign(tf.zeros_like(sum_))
        return norm

    return Steps(train, evaluate, end_epoch if is_full_batch else None, averages, [*added, *added_weight])


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
