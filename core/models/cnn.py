"""1-D convolutional network: short patterns along the rows of a window, wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, conv_weights, dense_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class CnnSettings(Settings):
    """Filters, kernel and depth of the convolutional network."""

    layers: int = setting(3, title="Layers", help="Convolution layers, one after another.", ge=1, le=8)
    filters: int = setting(48, title="Filters", help="Patterns that each layer looks for.", ge=1, le=1024)
    kernel: int = setting(5, title="Kernel", help="Rows that one pattern spans.", unit="rows", ge=1, le=101)
    places: int = setting(
        8,
        title="Places",
        help="Stretches of the window that are told apart, at least; 1: a pattern counts the same wherever it stands.",
        ge=1,
        le=2000,
    )
    units: int = setting(64, title="Units", help="Neurons between the last convolution and the output.", ge=1, le=2048)
    dropout: float = setting(0.2, title="Dropout", help="Share of neurons left out at random in training.", ge=0, lt=1)


@dataclass(frozen=True, slots=True)
class Cnn:
    """Convolutions with ReLU; their mean over each of some eight stretches of the window → dense layer → output.

    One mean over the whole window forgets when something happened: remaining life on C-MAPSS FD001 is then off by 18.7 to 20.2
    cycles on validation engines and not by 13.1 to 16.2 (docs/decisions.md).
    """

    key: str = "cnn"
    title: Message = msg("1-D convolutional network")
    summary: Message = msg("For signals with short patterns: vibration, pressure curves, cycles. Trains faster than LSTM.")
    source: str = "LeCun et al. (1998), Proc. IEEE 86; Wang, Yan, Oates (2017), IJCNN"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = CnnSettings
    shares_weights: bool = True
    smallest_rows: int = 1

    def count_parameters(self, settings: CnnSettings, shape: Shape) -> int:
        first = conv_weights(shape.n_features, settings.filters, settings.kernel)
        later = (settings.layers - 1) * conv_weights(settings.filters, settings.filters, settings.kernel)
        n_places = shape.window_rows // stretch_rows(settings, shape)
        head = dense_weights(n_places * settings.filters, settings.units) + dense_weights(settings.units, shape.n_outputs)
        return first + later + head

    def build(self, settings: CnnSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        hidden = inputs
        for _ in range(settings.layers):
            hidden = keras.layers.Conv1D(settings.filters, settings.kernel, padding="same", activation="relu")(hidden)
        rows = stretch_rows(settings, shape)
        if shape.window_rows % rows:  # the latest rows count most: what does not fit is left out at the beginning
            hidden = keras.layers.Cropping1D((shape.window_rows % rows, 0))(hidden)
        hidden = keras.layers.Flatten()(keras.layers.AveragePooling1D(rows)(hidden))
        hidden = keras.layers.Dense(settings.units, activation="relu")(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


def stretch_rows(settings: CnnSettings, shape: Shape) -> int:
    """Rows of one stretch: as many as leave at least `places` of them, and at least one row."""
    return max(1, shape.window_rows // settings.places)


SPEC = Cnn()
