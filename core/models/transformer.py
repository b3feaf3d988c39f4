"""Transformer encoder: every row of the window looks at every other and takes what it needs from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.heads import add_head, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class TransformerSettings(Settings):
    """Depth and widths, small for a few thousand windows."""

    layers: int = setting(2, title="Layers", help="Encoder layers, one after another.", ge=1, le=8)
    units: int = setting(32, title="Model width", help="Values that describe each row inside the network.", ge=2, le=512)
    heads: int = setting(4, title="Heads", help="Ways in which each layer compares the rows of the window.", ge=1, le=16)
    feed_forward: int = setting(64, title="Hidden units", help="Neurons between two layers of attention.", ge=1, le=2048)
    dropout: float = setting(0.1, title="Dropout", help="Share of values left out at random in training.", ge=0, lt=1)

    @property
    def widest(self) -> int:
        """Values a row that the widest layer gives."""
        return max(3 * self.units, self.feed_forward)

    @property
    def head_units(self) -> int:
        """Values that one head compares: its share of the width, at least one."""
        return max(1, self.units // self.heads)


@dataclass(frozen=True, slots=True)
class Transformer:
    """Row → width, position added, encoder layers with the normalisation in front; mean over the window → output.

    The normalisation stands before attention and neurons, which needs no warm-up of the learning rate (Xiong et al.).
    """

    key: str = "transformer"
    title: Message = msg("Transformer encoder")
    summary: Message = msg("Compares every row of the window with every other: needs more data than LSTM or CNN to be better.")
    source: str = "Vaswani et al. (2017), NeurIPS, arXiv:1706.03762; Xiong et al. (2020), ICML, arXiv:2002.04745"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = TransformerSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: TransformerSettings, shape: Shape) -> int:
        width, inner = settings.units, settings.heads * settings.head_units
        attention = 3 * dense_weights(width, inner) + dense_weights(inner, width)
        neurons = dense_weights(width, settings.feed_forward) + dense_weights(settings.feed_forward, width)
        layers = settings.layers * (attention + neurons + 4 * width)
        return dense_weights(shape.n_features, width) + layers + 2 * width + dense_weights(width, shape.n_outputs)

    def build(self, settings: TransformerSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        hidden = keras.layers.Dense(settings.units)(inputs)
        hidden = keras.ops.add(hidden, positions(shape.window_rows, settings.units)[None])
        for _ in range(settings.layers):
            hidden = _encoder_layer(hidden, settings)
        hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization(epsilon=1e-6)(hidden))
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


def positions(rows: int, width: int) -> NDArray[np.float32]:
    """Sines and cosines that tell rows apart, (rows, width): PE(t, 2i) = sin(t / 10000^(2i/width)), PE(t, 2i+1) its cosine.

    Source: Vaswani et al. (2017), section 3.5.
    """
    pair = np.arange(width) // 2
    angle = np.arange(rows)[:, None] / 10_000.0 ** (2 * pair / width)
    return np.where(np.arange(width) % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)


def _encoder_layer(inputs: Any, settings: TransformerSettings) -> Any:
    import keras

    normal = keras.layers.LayerNormalization(epsilon=1e-6)(inputs)
    attention = keras.layers.MultiHeadAttention(settings.heads, settings.head_units, dropout=settings.dropout)
    middle = keras.layers.Add()([inputs, _dropped(attention(normal, normal), settings)])
    normal = keras.layers.LayerNormalization(epsilon=1e-6)(middle)
    hidden = keras.layers.Dense(settings.feed_forward, activation="relu")(normal)
    hidden = keras.layers.Dense(settings.units)(hidden)
    return keras.layers.Add()([middle, _dropped(hidden, settings)])


def _dropped(hidden: Any, settings: TransformerSettings) -> Any:
    import keras

    return keras.layers.Dropout(settings.dropout)(hidden) if settings.dropout > 0 else hidden


SPEC = Transformer()
