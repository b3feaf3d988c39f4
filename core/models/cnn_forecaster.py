"""CNN forecaster: predicts each row from short patterns in the rows before it; what comes otherwise is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.forecasting import AHEAD, earlier_rows, forecast
from core.models.heads import conv_weights, dense_weights
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings, setting


class CnnForecasterSettings(Settings):
    """Depth, filters and kernel; layers × kernel say how far back is seen: 1 + (kernel − 1)(2^layers − 1) rows."""

    layers: int = setting(
        3, title="Layers", help="Causal convolutions, each seeing twice as far back. 3 see 15 rows.", ge=1, le=8
    )
    filters: int = setting(32, title="Filters", help="Patterns that each layer looks for.", ge=1, le=512)
    kernel: int = setting(3, title="Kernel", help="Rows that one pattern spans in the first layer.", unit="rows", ge=2, le=31)
    ahead: int = AHEAD


@dataclass(frozen=True, slots=True)
class CnnForecaster:
    """Causal convolutions, ever wider apart → features of the row, a linear way past them from the last row seen."""

    key: str = "cnn_forecaster"
    title: Message = msg("CNN forecaster")
    summary: Message = msg("Like the LSTM forecaster and trained faster: looks back a fixed number of rows.")
    source: str = "Munir, Siddiqui, Dengel, Ahmed (2019), IEEE Access 7 (DeepAnT)"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("anomaly",)
    windowed: bool = True
    settings: type[Settings] = CnnForecasterSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: CnnForecasterSettings, shape: Shape) -> int:
        first = conv_weights(shape.n_features, settings.filters, settings.kernel)
        later = (settings.layers - 1) * conv_weights(settings.filters, settings.filters, settings.kernel)
        return first + later + dense_weights(settings.filters + shape.n_features, shape.n_features)

    def build(self, settings: CnnForecasterSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: windows → forecasts of their rows, the same shape."""
        import keras

        inputs, earlier = earlier_rows(shape, settings.ahead)
        hidden = earlier
        for layer in range(settings.layers):
            hidden = keras.layers.Conv1D(
                settings.filters, settings.kernel, padding="causal", dilation_rate=2**layer, activation="relu"
            )(hidden)
        return keras.Model(inputs, forecast(hidden, earlier, shape), name=self.key)


SPEC = CnnForecaster()
