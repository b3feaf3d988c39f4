"""Gradients of a bundle's networks: the output in its own unit as a function of the window, in TensorFlow.

Only a worker calls this: the web process never loads TensorFlow. The `.keras` files are those of the run itself, whose hashes
were checked, and are opened in Keras' safe mode, which refuses code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anomalies.scoring import ScoreCalibration
from core.explain.gradients import Floats, Gradient
from core.features import ForecastTarget
from core.features.targets import ClassTarget, LifeTarget, RegressionTarget
from core.serving.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a bundle: its share of the output, the last rows of the window that it reads, and the values it skips."""

    model: Any
    weight: float
    width: int
    skipped: int


def load_networks(bundle: Bundle) -> tuple[Network, ...]:
    """The networks of a bundle, one for a single model."""
    import keras

    from core.models import vae

    vae._draw_layer()  # a layer of our own, which Keras has to know before it opens a file that names it
    members = bundle.manifest.members
    if not members:
        model = keras.saving.load_model(bundle.folder / "model.keras", compile=False)
        return (Network(model, 1.0, bundle.pipeline.width, 0),)
    return tuple(
        Network(keras.saving.load_model(bundle.folder / f"member{i}.keras", compile=False), m.weight, m.width, m.skipped)
        for i, m in enumerate(members)
    )


def output_function(bundle: Bundle, networks: tuple[Network, ...], place: int) -> Callable[[Any], Any]:
    """Windows (m, rows, f) → the output (m,) that `core.serving.explained.Output` gives, as a TensorFlow function."""
    decode = decoder(bundle, place)

    def output(windows: Any) -> Any:
        parts = [n.weight * n.model(windows[:, -n.width :, n.skipped :], training=False) for n in networks]
        return decode(windows, sum(parts[1:], parts[0]))

    return output


def gradient_of(output: Callable[[Any], Any]) -> Gradient:
    """The output and its gradient with respect to each window."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def both(windows: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(windows)
            found = output(windows)
            total = tf.reduce_sum(found)
        return found, tape.gradient(total, windows)

    def gradient(windows: NDArray[np.float32]) -> tuple[Floats, Floats]:
        found, slopes = both(tf.convert_to_tensor(np.asarray(windows, np.float32)))
        return found.numpy().astype(np.float64), slopes.numpy().astype(np.float64)

    return gradient


def decoder(bundle: Bundle, place: int) -> Callable[[Any, Any], Any]:
    """What turns a network's output, beside its window, into the number that is explained."""
    import tensorflow as tf

    target = bundle.target
    if isinstance(target, RegressionTarget):
        return lambda windows, out: out[:, 0] * target.scale + target.mean
    if isinstance(target, LifeTarget):
        return lambda windows, out: tf.clip_by_value(out[:, 0], 0.0, 1.0) * target.cap
    if isinstance(target, ClassTarget):
        return lambda windows, out: out[:, place]
    if isinstance(target, ForecastTarget):
        return _forecast_decoder(target, place)
    calibration = ScoreCalibration.from_arrays(bundle.calibration)
    width = bundle.pipeline.width
    weights = (1 - calibration.fade) ** np.arange(width - 1, -1, -1, dtype=np.float64)
    weights, reach = (weights / weights.sum()).astype(np.float32), calibration.reach.astype(np.float32)

    def score(windows: Any, out: Any) -> Any:
        return tf.reduce_max(tf.abs(tf.einsum("nwf,w->nf", windows - out, weights)) / reach, axis=1)

    return score


def _forecast_decoder(target: ForecastTarget, step: int) -> Callable[[Any, Any], Any]:
    def value(windows: Any, out: Any) -> Any:
        if target.anchor == "level":
            return out[:, step] * target.scale + target.mean
        row = max(0, windows.shape[1] - 1 - int(target.lags(target.anchor)[step]))
        return out[:, step] * target.scale + windows[:, row, target.feature(target.anchor)] * target.own_scale + target.own_mean

    return value


def class_activation(network: Network, output: Callable[[Any, Any], Any], windows: NDArray[np.float32]) -> Floats | None:
    """Grad-CAM along time: where in the window the last convolution saw what drives the output, (n, width), never negative.

    The weight of filter k is the mean over time of the output's gradient with respect to its activation A_k; the map is
    max(0, Σ weight_k A_k(t)), brought to the rows of the window along straight lines. None for a network without a convolution.
    Source: Selvaraju et al. (2017), ICCV, equations 1 and 2.

    Args:
        output: (windows, raw output) → (n,), as `decoder` gives it.
    """
    import keras
    import tensorflow as tf

    layers = [layer for layer in network.model.layers if type(layer).__name__ in ("Conv1D", "SeparableConv1D")]
    if not layers:
        return None
    both = keras.Model(network.model.inputs, [layers[-1].output, network.model.output])
    given = tf.convert_to_tensor(windows[:, -network.width :, network.skipped :])
    with tf.GradientTape() as tape:
        activation, out = both(given, training=False)
        total = tf.reduce_sum(output(given, out))
    slopes = tape.gradient(total, activation)
    if slopes is None:
        return None
    found = tf.nn.relu(tf.reduce_sum(tf.reduce_mean(slopes, axis=1, keepdims=True) * activation, axis=2)).numpy()
    return _along(found.astype(np.float64), windows.shape[1])


def attention(network: Network, windows: NDArray[np.float32]) -> Floats | None:
    """How much each row of the window is looked at, (n, width), summing to 1: the mean over layers, heads and looking rows.

    Attention tells where a network looks, not what it concludes (Jain & Wallace 2019, NAACL). None for a network without it.
    """
    import keras
    import tensorflow as tf

    layers = [layer for layer in network.model.layers if type(layer).__name__ == "MultiHeadAttention"]
    if not layers:
        return None
    given, found = tf.convert_to_tensor(windows[:, -network.width :, network.skipped :]), []
    for layer in layers:
        before = layer._inbound_nodes[0].input_tensors[0]  # Keras 3 has no public way to the graph of a functional model
        rows = keras.Model(network.model.inputs, before)(given, training=False)
        _, weights = layer(rows, rows, return_attention_scores=True, training=False)
        found.append(np.asarray(weights, np.float64).mean(axis=(1, 2)))
    mean = np.mean(found, axis=0)
    return mean if mean.shape[1] == windows.shape[1] else None


def _along(values: Floats, width: int) -> Floats:
    """Maps (n, t) at the rows of a window, (n, width)."""
    at = np.linspace(0, values.shape[1] - 1, width)
    return np.stack([np.interp(at, np.arange(values.shape[1]), row) for row in values])
