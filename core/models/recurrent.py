"""Recurrent families: a stack of layers that ends in the state after the last row, or in those at both ends of the window.

What a family of its own says, its words and its kind of cell, stands in its file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from core.messages import Message
from core.models.heads import add_head, dense_weights, new_input
from core.models.recurrent_kernels import with_kernel
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class RecurrentSettings(Settings):
    """Width and depth of a recurrent network. Each further layer has half the units of the one before, at least one."""

    layers: int = setting(2, title="Layers", help="Recurrent layers, each half as wide as the one before.", ge=1, le=4)
    units: int = setting(64, title="Units", help="Memory cells in the first recurrent layer.", ge=1, le=1024)
    dropout: float = setting(
        0.2, title="Dropout", help="Share of outputs of each layer left out at random in training.", ge=0, lt=1
    )


class BidirectionalSettings(RecurrentSettings):
    """The same for a network that reads the window twice, with half the units each way: as many outputs as one way."""

    units: int = setting(
        32, title="Units a direction", help="Memory cells of the first layer in each reading direction.", ge=1, le=1024
    )

    @property
    def widest(self) -> int:
        """Values a row that the widest layer gives."""
        return 2 * self.units


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Layers of one kind of cell, each half as wide as the one before, and an output.

    `layer` is the Keras layer, `cell_weights` gives the weights of a layer by its inputs and units. With
    `BidirectionalSettings` the window is read forwards and backwards.
    """

    key: str
    title: Message
    summary: Message
    source: str
    layer: Literal["LSTM", "GRU", "SimpleRNN"]
    cell_weights: Callable[[int, int], int]
    settings: type[RecurrentSettings] = RecurrentSettings
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    shares_weights: bool = True
    smallest_rows: int = 2

    @property
    def both_ways(self) -> bool:
        """Whether the window is read backwards too."""
        return issubclass(self.settings, BidirectionalSettings)

    def count_parameters(self, settings: RecurrentSettings, shape: Shape) -> int:
        count = both_ways_weights if self.both_ways else one_way_weights
        return count(self.cell_weights, settings, shape)

    def build(self, settings: RecurrentSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        layer = getattr(keras.layers, self.layer)
        return build_recurrent(layer, self.key, settings, shape, task, both_ways=self.both_ways)


def layer_units(settings: RecurrentSettings) -> tuple[int, ...]:
    """Units of each layer: 64 and 2 layers give (64, 32)."""
    return tuple(max(1, settings.units // 2**i) for i in range(settings.layers))


def one_way_weights(cell_weights: Callable[[int, int], int], settings: RecurrentSettings, shape: Shape) -> int:
    """Weights of a network that reads forwards: of each layer, and of the output behind the last."""
    sizes = (shape.n_features, *layer_units(settings))
    return sum(cell_weights(n_in, units) for n_in, units in pairwise(sizes)) + dense_weights(sizes[-1], shape.n_outputs)


def both_ways_weights(cell_weights: Callable[[int, int], int], settings: RecurrentSettings, shape: Shape) -> int:
    """Weights of a bidirectional network: each layer holds its cells twice, and gives 2 · units values on."""
    sizes, n_in, total = layer_units(settings), shape.n_features, 0
    for units in sizes:
        total, n_in = total + 2 * cell_weights(n_in, units), 2 * units
    return total + dense_weights(n_in, shape.n_outputs)


def build_recurrent(
    layer: Any, name: str, settings: RecurrentSettings, shape: Shape, task: Task, *, both_ways: bool = False
) -> Any:
    """The network, not compiled. `layer` is the Keras layer class, LSTM, GRU or SimpleRNN.

    `use_cudnn=False` keeps the graph the same on CPU and GPU, so that it can always be exported to ONNX; the simple
    layer has one way to compute only. `both_ways` reads the window forwards and backwards and joins the two.
    """
    import keras

    options = {} if layer is keras.layers.SimpleRNN else {"use_cudnn": False}
    inputs = new_input(shape)
    hidden, sizes = inputs, layer_units(settings)
    for i, units in enumerate(sizes):
        cells = layer(units, return_sequences=i + 1 < len(sizes), **options)
        hidden = with_kernel(keras.layers.Bidirectional(cells) if both_ways else cells)(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
    return keras.Model(inputs, add_head(hidden, shape, task), name=name)
