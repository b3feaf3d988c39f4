"""Dense network: every value of the window is an input of its own; the order of rows is not known to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class DenseSettings(Settings):
    """Width and depth of the dense network."""

    layers: int = setting(2, title="Layers", help="Hidden layers, one after another.", ge=1, le=8)
    units: int = setting(128, title="Units", help="Neurons in each hidden layer.", ge=1, le=2048)
    dropout: float = setting(0.1, title="Dropout", help="Share of neurons left out at random in training.", ge=0, lt=1)


@dataclass(frozen=True, slots=True)
class Dense:
    """Flattened window → hidden layers with ReLU → output."""

    key: str = "dense"
    title: Message = msg("Dense network")
    summary: Message = msg("For tables whose rows stand alone: parts, batches, measurements without a time order.")
    source: str = "Goodfellow, Bengio, Courville (2016), Deep Learning, chapter 6"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = False
    settings: type[Settings] = DenseSettings
    shares_weights: bool = False
    smallest_rows: int = 1

    def count_parameters(self, settings: DenseSettings, shape: Shape) -> int:
        sizes = [shape.window_rows * shape.n_features, *[settings.units] * settings.layers, shape.n_outputs]
        return sum(dense_weights(a, b) for a, b in pairwise(sizes))

    def build(self, settings: DenseSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        hidden = keras.layers.Flatten()(inputs)
        for _ in range(settings.layers):
            hidden = keras.layers.Dense(settings.units, activation="relu")(hidden)
            if settings.dropout > 0:
                hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


SPEC = Dense()
