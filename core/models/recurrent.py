"""What LSTM and GRU share: settings, and the stack of recurrent layers that ends in the state after the last row."""

from __future__ import annotations

from typing import Any

from core.models.heads import add_head, new_input
from core.models.spec import Shape, Task
from core.settings import Settings, setting


class RecurrentSettings(Settings):
    """Width and depth of a recurrent network. Each further layer has half the units of the one before, at least one."""

    layers: int = setting(2, title="Layers", help="Recurrent layers, each half as wide as the one before.", ge=1, le=4)
    units: int = setting(64, title="Units", help="Memory cells in the first recurrent layer.", ge=1, le=1024)
    dropout: float = setting(
        0.2, title="Dropout", help="Share of outputs of each layer left out at random in training.", ge=0, lt=1
    )


def layer_units(settings: RecurrentSettings) -> tuple[int, ...]:
    """Units of each layer: 64 and 2 layers give (64, 32)."""
    return tuple(max(1, settings.units // 2**i) for i in range(settings.layers))


def build_recurrent(layer: Any, name: str, settings: RecurrentSettings, shape: Shape, task: Task) -> Any:
    """The network, not compiled. `layer` is the Keras layer class, LSTM or GRU.

    `use_cudnn=False` keeps the graph the same on CPU and GPU, so that it can always be exported to ONNX.
    """
    import keras

    inputs = new_input(shape)
    hidden, sizes = inputs, layer_units(settings)
    for i, units in enumerate(sizes):
        hidden = layer(units, return_sequences=i + 1 < len(sizes), use_cudnn=False)(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
    return keras.Model(inputs, add_head(hidden, shape, task), name=name)
