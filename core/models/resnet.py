"""ResNet-1D: residual blocks of convolutions; deep, and still easy to fit because each block only adds a correction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, conv_weights, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting

KERNELS = (8, 5, 3)
# The moving mean and variance follow the last ten or so steps: Keras' 0.99 needs hundreds of steps to forget where it
# began, which a fit on a few thousand windows has not made when it is first judged.
MOMENTUM = 0.9


class ResNetSettings(Settings):
    """Width and depth. The kernels of each block are those of the paper: 8, 5 and 3 rows."""

    blocks: int = setting(3, title="Blocks", help="Residual blocks of three convolutions each.", ge=1, le=6)
    filters: int = setting(
        32, title="Filters", help="Patterns that the first block looks for; later blocks look for twice as many.", ge=1, le=512
    )
    dropout: float = setting(0.2, title="Dropout", help="Share of values left out at random in training.", ge=0, lt=1)

    @property
    def widest(self) -> int:
        """Values a row that the widest layer gives."""
        return 2 * self.filters


@dataclass(frozen=True, slots=True)
class ResNet:
    """Blocks of three convolutions with batch normalisation, each added to its input; mean over the window → output.

    The paper has 64 filters; half as many, and dropout before the output, are the default for a few thousand windows on
    a CPU. A block whose input has another number of filters adds it through a convolution of one row, as in the paper.
    """

    key: str = "resnet"
    title: Message = msg("ResNet")
    summary: Message = msg(
        "Deep convolutions for whole signals: cycles, curves, vibration. Strong where classes differ in shape."
    )
    source: str = "Wang, Yan, Oates (2017), IJCNN, arXiv:1611.06455; He et al. (2016), CVPR"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = ResNetSettings
    shares_weights: bool = True
    smallest_rows: int = 1

    def count_parameters(self, settings: ResNetSettings, shape: Shape) -> int:
        sizes, total = block_filters(settings), 0
        for n_in, filters in pairwise((shape.n_features, *sizes)):
            channels = (n_in, filters, filters)
            total += sum(conv_weights(n, filters, k) + 4 * filters for n, k in zip(channels, KERNELS, strict=True))
            total += conv_weights(n_in, filters, 1) + 4 * filters if n_in != filters else 0
        return total + dense_weights(sizes[-1], shape.n_outputs)

    def build(self, settings: ResNetSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        hidden = inputs
        for filters in block_filters(settings):
            hidden = _block(hidden, filters)
        hidden = keras.layers.GlobalAveragePooling1D()(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


def block_filters(settings: ResNetSettings) -> tuple[int, ...]:
    """Filters of each block: 32 and 3 blocks give (32, 64, 64)."""
    return (settings.filters,) + (2 * settings.filters,) * (settings.blocks - 1)


def _block(inputs: Any, filters: int) -> Any:
    import keras

    hidden = inputs
    for place, kernel in enumerate(KERNELS):
        hidden = keras.layers.Conv1D(filters, kernel, padding="same")(hidden)
        hidden = keras.layers.BatchNormalization(momentum=MOMENTUM)(hidden)
        if place + 1 < len(KERNELS):
            hidden = keras.layers.Activation("relu")(hidden)
    if inputs.shape[-1] != filters:
        inputs = keras.layers.Conv1D(filters, 1, padding="same")(inputs)
        inputs = keras.layers.BatchNormalization(momentum=MOMENTUM)(inputs)
    return keras.layers.Activation("relu")(keras.layers.Add()([inputs, hidden]))


SPEC = ResNet()
