"""LSTM autoencoder: reads the window into one state and writes it out again, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, lstm_weights, new_input
from core.models.recurrent_kernels import with_kernel
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class LstmAutoencoderSettings(Settings):
    """Memory cells of reader and writer."""

    units: int = setting(48, title="Units", help="Memory cells of the reading and of the writing layer.", ge=1, le=1024)
    code: int = setting(16, title="Code", help="Numbers that a window is squeezed into.", ge=1, le=512)


@dataclass(frozen=True, slots=True)
class LstmAutoencoder:
    """LSTM → code → the code repeated for each row → LSTM → features of each row."""

    key: str = "lstm_autoencoder"
    title: Message = msg("LSTM autoencoder")
    summary: Message = msg("For odd courses in time: rebuilds slow movements of many rows; the slowest to train.")
    source: str = "Malhotra et al. (2016), ICML workshop, arXiv:1607.00148"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = LstmAutoencoderSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: LstmAutoencoderSettings, shape: Shape) -> int:
        reader = lstm_weights(shape.n_features, settings.units) + dense_weights(settings.units, settings.code)
        return reader + lstm_weights(settings.code, settings.units) + dense_weights(settings.units, shape.n_features)

    def build(self, settings: LstmAutoencoderSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → windows of the same shape."""
        import keras

        inputs = new_input(shape)
        hidden = with_kernel(keras.layers.LSTM(settings.units, use_cudnn=False))(inputs)
        hidden = keras.layers.Dense(settings.code, name="code")(hidden)
        hidden = keras.layers.RepeatVector(shape.window_rows)(hidden)
        hidden = with_kernel(keras.layers.LSTM(settings.units, return_sequences=True, use_cudnn=False))(hidden)
        outputs = keras.layers.Dense(shape.n_features, name="rebuilt")(hidden)
        return keras.Model(inputs, outputs, name=self.key)


SPEC = LstmAutoencoder()
