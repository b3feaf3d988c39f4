"""Temporal convolutional network: causal convolutions whose rows stand ever farther apart, so that few layers see far back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, conv_weights, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class TcnSettings(Settings):
    """Depth, width and kernel. Blocks × kernel say how far back the network sees: 1 + 2 (kernel − 1)(2^blocks − 1) rows."""

    blocks: int = setting(
        4, title="Blocks", help="Residual blocks; each sees twice as far back as the one before. 4 see 61 rows.", ge=1, le=10
    )
    filters: int = setting(32, title="Filters", help="Patterns that each layer looks for.", ge=1, le=512)
    kernel: int = setting(3, title="Kernel", help="Rows that one pattern spans in the first block.", unit="rows", ge=2, le=31)
    dropout: float = setting(
        0.1, title="Dropout", help="Share of filters left out at random in training, each for the whole window.", ge=0, lt=1
    )


@dataclass(frozen=True, slots=True)
class Tcn:
    """Residual blocks of two dilated causal convolutions with ReLU and dropout of whole filters; the last row → output.

    The weight normalisation of the paper is left out: Keras has none, and at this depth the fit does not need it.
    """

    key: str = "tcn"
    title: Message = msg("Temporal convolutional network (TCN)")
    summary: Message = msg("Memory like an LSTM, trained as fast as convolutions: wear, drift, long windows.")
    source: str = "Bai, Kolter, Koltun (2018), arXiv:1803.01271"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = TcnSettings
    shares_weights: bool = True
    smallest_rows: int = 1

    def count_parameters(self, settings: TcnSettings, shape: Shape) -> int:
        filters, total, n_in = settings.filters, 0, shape.n_features
        for _ in range(settings.blocks):
            total += conv_weights(n_in, filters, settings.kernel) + conv_weights(filters, filters, settings.kernel)
            total += conv_weights(n_in, filters, 1) if n_in != filters else 0
            n_in = filters
        return total + dense_weights(filters, shape.n_outputs)

    def build(self, settings: TcnSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        hidden = inputs
        for place in range(settings.blocks):
            hidden = _block(hidden, settings, 2**place)
        hidden = keras.layers.Flatten()(keras.layers.Cropping1D((shape.window_rows - 1, 0))(hidden))
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


def _block(inputs: Any, settings: TcnSettings, dilation: int) -> Any:
    """Its second convolution starts with the small weights of the authors, so that a block first hands its input on.

    With usual weights each block doubles what it gets, and a fit spends its first epochs on shrinking the output.
    """
    import keras

    hidden = inputs
    for weights in ("glorot_uniform", keras.initializers.RandomNormal(stddev=0.01)):
        convolution = keras.layers.Conv1D(
            settings.filters,
            settings.kernel,
            padding="causal",
            dilation_rate=dilation,
            activation="relu",
            kernel_initializer=weights,
        )
        hidden = convolution(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.SpatialDropout1D(settings.dropout)(hidden)
    if inputs.shape[-1] != settings.filters:
        inputs = keras.layers.Conv1D(settings.filters, 1)(inputs)
    return keras.layers.Activation("relu")(keras.layers.Add()([inputs, hidden]))


SPEC = Tcn()
