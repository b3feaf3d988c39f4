"""Convolutions, then an LSTM: short patterns are found first, and their order is read after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import add_head, conv_weights, dense_weights, lstm_weights, new_input
from core.models.recurrent_kernels import with_kernel
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class CnnLstmSettings(Settings):
    """The convolutions in front and the LSTM behind them."""

    layers: int = setting(2, title="Layers", help="Convolution layers, one after another.", ge=1, le=6)
    filters: int = setting(32, title="Filters", help="Patterns that each convolution looks for.", ge=1, le=512)
    kernel: int = setting(5, title="Kernel", help="Rows that one pattern spans.", unit="rows", ge=1, le=101)
    pool: int = setting(
        2,
        title="Pooling",
        help="Neighbouring rows of which the LSTM gets the largest value; 1 leaves every row.",
        unit="rows",
        ge=1,
        le=64,
    )
    units: int = setting(48, title="Units", help="Memory cells of the LSTM.", ge=1, le=1024)
    dropout: float = setting(
        0.2, title="Dropout", help="Share of outputs of the LSTM left out at random in training.", ge=0, lt=1
    )


@dataclass(frozen=True, slots=True)
class CnnLstm:
    """Convolutions with ReLU, the largest of each few rows, LSTM; its state after the last row → output."""

    key: str = "cnn_lstm"
    title: Message = msg("CNN-LSTM")
    summary: Message = msg("Short patterns first, then their order: fast signals whose course over the window matters.")
    source: str = "Sainath et al. (2015), ICASSP; Ordóñez, Roggen (2016), Sensors 16(1)"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = CnnLstmSettings
    shares_weights: bool = True
    smallest_rows: int = 1

    def count_parameters(self, settings: CnnLstmSettings, shape: Shape) -> int:
        first = conv_weights(shape.n_features, settings.filters, settings.kernel)
        later = (settings.layers - 1) * conv_weights(settings.filters, settings.filters, settings.kernel)
        behind = lstm_weights(settings.filters, settings.units) + dense_weights(settings.units, shape.n_outputs)
        return first + later + behind

    def build(self, settings: CnnLstmSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs).

        Rows that are no full pool are padded in front: the last row, which says most, always ends a full one.
        """
        import keras

        inputs = new_input(shape)
        hidden = inputs
        for _ in range(settings.layers):
            hidden = keras.layers.Conv1D(settings.filters, settings.kernel, padding="same", activation="relu")(hidden)
        if settings.pool > 1:
            missing = math.ceil(shape.window_rows / settings.pool) * settings.pool - shape.window_rows
            # Zeros in front change no maximum: what comes out of the ReLU is never below 0.
            hidden = keras.layers.ZeroPadding1D((missing, 0))(hidden) if missing else hidden
            hidden = keras.layers.MaxPooling1D(settings.pool)(hidden)
        hidden = with_kernel(keras.layers.LSTM(settings.units, use_cudnn=False))(hidden)
        if settings.dropout > 0:
            hidden = keras.layers.Dropout(settings.dropout)(hidden)
        return keras.Model(inputs, add_head(hidden, shape, task), name=self.key)


SPEC = CnnLstm()
