"""LSTM forecaster: predicts each row from the rows before it; what comes otherwise is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.forecasting import AHEAD, earlier_rows, forecast
from core.models.heads import dense_weights, lstm_weights
from core.models.recurrent_kernels import with_kernel
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class LstmForecasterSettings(Settings):
    """Memory cells, and how far ahead is looked."""

    units: int = setting(48, title="Units", help="Memory cells of the recurrent layer.", ge=1, le=1024)
    ahead: int = AHEAD


@dataclass(frozen=True, slots=True)
class LstmForecaster:
    """LSTM over the rows before → features of the row, a linear way past it from the last row seen."""

    key: str = "lstm_forecaster"
    title: Message = msg("LSTM forecaster")
    summary: Message = msg("Predicts the next row from those before: for courses that repeat, and for sudden breaks in them.")
    source: str = "Malhotra, Vig, Shroff, Agarwal (2015), ESANN; Hundman et al. (2018), KDD, arXiv:1802.04431"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = LstmForecasterSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: LstmForecasterSettings, shape: Shape) -> int:
        head = dense_weights(settings.units + shape.n_features, shape.n_features)
        return lstm_weights(shape.n_features, settings.units) + head

    def build(self, settings: LstmForecasterSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → forecasts of their rows, the same shape."""
        import keras

        inputs, earlier = earlier_rows(shape, settings.ahead)
        hidden = with_kernel(keras.layers.LSTM(settings.units, return_sequences=True, use_cudnn=False))(earlier)
        return keras.Model(inputs, forecast(hidden, earlier, shape), name=self.key)


SPEC = LstmForecaster()
