"""Dense autoencoder: squeezes the flattened window through a few numbers and rebuilds it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class DenseAutoencoderSettings(Settings):
    """Width of the hidden layers and of the code."""

    units: int = setting(64, title="Units", help="Neurons in the layer before and after the code.", ge=1, le=2048)
    code: int = setting(
        8,
        title="Code",
        help="Numbers that a window is squeezed into; fewer catch more, and miss less normal variety.",
        ge=1,
        le=512,
    )


@dataclass(frozen=True, slots=True)
class DenseAutoencoder:
    """Flattened window → units → code → units → window."""

    key: str = "dense_autoencoder"
    title: Message = msg("Dense autoencoder")
    summary: Message = msg("Learns how the sensors of a healthy machine go together; what it cannot rebuild is odd.")
    source: str = "Hinton, Salakhutdinov (2006), Science 313"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = DenseAutoencoderSettings
    shares_weights: bool = False
    smallest_rows: int = 1

    def count_parameters(self, settings: DenseAutoencoderSettings, shape: Shape) -> int:
        cells = shape.window_rows * shape.n_features
        sizes = (cells, settings.units, settings.code, settings.units, cells)
        return sum(dense_weights(a, b) for a, b in pairwise(sizes))

    def build(self, settings: DenseAutoencoderSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → windows of the same shape."""
        import keras

        inputs = new_input(shape)
        hidden = keras.layers.Flatten()(inputs)
        hidden = keras.layers.Dense(settings.units, activation="elu")(hidden)
        hidden = keras.layers.Dense(settings.code, name="code")(hidden)
        hidden = keras.layers.Dense(settings.units, activation="elu")(hidden)
        hidden = keras.layers.Dense(shape.window_rows * shape.n_features)(hidden)
        outputs = keras.layers.Reshape((shape.window_rows, shape.n_features), name="rebuilt")(hidden)
        return keras.Model(inputs, outputs, name=self.key)


SPEC = DenseAutoencoder()
