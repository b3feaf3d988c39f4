"""Tabular network: a dense network that first bends every column by itself, in the manner of RealMLP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting

WAVES = 16
BENT = 3
CLIP = 3.0
STATISTICS = 6


class TabularSettings(Settings):
    """Width and depth of the tabular network, and how fast a column may bend."""

    layers: int = setting(3, title="Layers", help="Hidden layers, one after another.", ge=1, le=8)
    units: int = setting(256, title="Units", help="Neurons in each hidden layer.", ge=1, le=2048)
    frequency: float = setting(
        0.1,
        title="Frequency",
        help="Typical waves of a column's embedding in one standard deviation at the start; larger bends faster.",
        gt=0,
        le=10,
    )
    dropout: float = setting(0.15, title="Dropout", help="Share of neurons left out at random in training.", ge=0, lt=1)


@dataclass(frozen=True, slots=True)
class Tabular:
    """Columns → smooth clipping → periodic embedding beside each value → a weight a value → dense layers (Mish) → output.

    Of RealMLP it has the clipping x / √(1 + (x/3)²), the embedding of each column (16 waves cos(2π w x + b), linearly
    mixed to 3 numbers, beside x itself), the scaling layer, width, depth, dropout and activation. Its schedules and
    rates for each kind of weight belong to a fit loop of its own and are left out. A window of several rows is seen as
    six statistics a feature, as baselines see it.
    """

    key: str = "tabular"
    title: Message = msg("Tabular network")
    summary: Message = msg("A dense network that first bends every column by itself: for values with thresholds and waves.")
    source: str = "Holzmüller, Grinsztajn, Steinwart (2024), NeurIPS (RealMLP)"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul")
    windowed: bool = False
    settings: type[Settings] = TabularSettings
    shares_weights: bool = False
    smallest_rows: int = 1

    def count_parameters(self, settings: TabularSettings, shape: Shape) -> int:
        columns = shape.n_features * (STATISTICS if shape.window_rows > 1 else 1)
        embedding = columns * (2 * WAVES + WAVES * BENT + BENT)
        seen = columns * (1 + BENT)
        sizes = [seen, *[settings.units] * settings.layers, shape.n_outputs]
        return embedding + seen + sum(dense_weights(a, b) for a, b in pairwise(sizes))

    def build(self, settings: TabularSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        columns = _statistics(inputs, shape) if shape.window_rows > 1 else keras.layers.Flatten()(inputs)
        clipped = columns / keras.ops.sqrt(1 + (columns / CLIP) ** 2)
        seen = keras.layers.Concatenate()([clipped, keras.layers.Flatten()(_bent(clipped, settings.frequency))])
        weigh = keras.layers.EinsumDense("bc,c->bc", output_shape=(seen.shape[-1],), kernel_initializer="ones")
        hidden = weigh(seen)
        for _ in range(settings.layers):
            hidden = keras.layers.Dense(settings.units, activation="mish", kernel_initializer="he_normal")(hidden)
            if settings.dropout > 0:
                hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


def _bent(columns: Any, frequency: float) -> Any:
    """The embedding of each column: (batch, c) → (batch, c, 3), every column with waves and a mixture of its own."""
    import keras

    count = columns.shape[-1]
    waves = keras.layers.EinsumDense(
        "bc,cw->bcw",
        output_shape=(count, WAVES),
        bias_axes="cw",
        kernel_initializer=keras.initializers.RandomNormal(stddev=2 * math.pi * frequency),
        bias_initializer=keras.initializers.RandomUniform(-math.pi, math.pi),
    )(columns)
    reach = 1 / math.sqrt(WAVES)
    return keras.layers.EinsumDense(
        "bcw,cwe->bce",
        output_shape=(count, BENT),
        bias_axes="ce",
        kernel_initializer=keras.initializers.RandomUniform(-reach, reach),
    )(keras.ops.cos(waves))


def _statistics(windows: Any, shape: Shape) -> Any:
    """Mean, standard deviation, smallest, largest, last value and change of each feature: (batch, 6 · n_features).

    The change is the mean of the later half less that of the earlier half; all six are in the feature's own unit.
    """
    import keras

    rows, half = shape.window_rows, shape.window_rows // 2
    average = keras.layers.GlobalAveragePooling1D()
    last = keras.layers.Flatten()(keras.layers.Cropping1D((rows - 1, 0))(windows))
    later = average(keras.layers.Cropping1D((rows - half, 0))(windows))
    earlier = average(keras.layers.Cropping1D((0, rows - half))(windows))
    mean = average(windows)
    spread = keras.ops.sqrt(keras.ops.maximum(keras.ops.var(windows, axis=1), 1e-12))
    smallest, largest = keras.ops.min(windows, axis=1), keras.ops.max(windows, axis=1)
    return keras.layers.Concatenate()([mean, spread, smallest, largest, last, later - earlier])


SPEC = Tabular()
