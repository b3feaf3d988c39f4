"""Convolutional autoencoder: halves the window twice, then rebuilds it; keeps what comes when within the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import conv_weights, new_input
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting

HALVINGS = 2
MULTIPLE = 2**HALVINGS


class ConvAutoencoderSettings(Settings):
    """Filters and kernel of the convolutions."""

    filters: int = setting(
        32, title="Filters", help="Patterns that the outer layers look for; the inner have half.", ge=2, le=1024
    )
    kernel: int = setting(7, title="Kernel", help="Rows that one pattern spans.", unit="rows", ge=1, le=101)
    dropout: float = setting(0.1, title="Dropout", help="Share of neurons left out at random in training.", ge=0, lt=1)


@dataclass(frozen=True, slots=True)
class ConvAutoencoder:
    """Convolutions with stride 2 down, transposed convolutions up. The window is padded to a multiple of 4 and cropped back."""

    key: str = "conv_autoencoder"
    title: Message = msg("Convolutional autoencoder")
    summary: Message = msg("For odd shapes in signals: rebuilds short patterns; good for several sensors at a steady rate.")
    source: str = "Masci et al. (2011), ICANN; Keras example timeseries_anomaly_detection"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = ConvAutoencoderSettings
    shares_weights: bool = True
    smallest_rows: int = 4

    def count_parameters(self, settings: ConvAutoencoderSettings, shape: Shape) -> int:
        outer, inner, kernel = settings.filters, settings.filters // 2, settings.kernel
        pairs = ((shape.n_features, outer), (outer, inner), (inner, inner), (inner, outer), (outer, shape.n_features))
        return sum(conv_weights(a, b, kernel) for a, b in pairs)

    def build(self, settings: ConvAutoencoderSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → windows of the same shape."""
        import keras

        layers, outer, inner = keras.layers, settings.filters, settings.filters // 2
        common = {"padding": "same", "kernel_size": settings.kernel}
        inputs = new_input(shape)
        missing = -shape.window_rows % MULTIPLE
        hidden = layers.ZeroPadding1D((missing, 0))(inputs) if missing else inputs
        hidden = layers.Conv1D(outer, strides=2, activation="relu", **common)(hidden)
        if settings.dropout > 0:
            hidden = layers.Dropout(settings.dropout)(hidden)
        hidden = layers.Conv1D(inner, strides=2, activation="relu", **common)(hidden)
        hidden = layers.Conv1DTranspose(inner, strides=2, activation="relu", **common)(hidden)
        if settings.dropout > 0:
            hidden = layers.Dropout(settings.dropout)(hidden)
        hidden = layers.Conv1DTranspose(outer, strides=2, activation="relu", **common)(hidden)
        outputs = layers.Conv1D(shape.n_features, name="rebuilt", **common)(hidden)
        if missing:
            outputs = layers.Cropping1D((missing, 0))(outputs)
        return keras.Model(inputs, outputs, name=self.key)


SPEC = ConvAutoencoder()
