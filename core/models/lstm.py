"""LSTM: recurrent network with a memory that can keep what happened many rows ago."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, lstm_weights
from core.models.recurrent import RecurrentSettings, build_recurrent, layer_units
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Lstm:
    """LSTM layers, each half as wide as the one before; the state after the last row → output."""

    key: str = "lstm"
    title: Message = msg("LSTM")
    summary: Message = msg("For slow wear and long memory: remaining life, drifting processes.")
    source: str = "Hochreiter, Schmidhuber (1997), Neural Computation 9(8)"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = RecurrentSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: RecurrentSettings, shape: Shape) -> int:
        sizes = (shape.n_features, *layer_units(settings))
        return sum(lstm_weights(a, b) for a, b in pairwise(sizes)) + dense_weights(sizes[-1], shape.n_outputs)

    def build(self, settings: RecurrentSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        return build_recurrent(keras.layers.LSTM, self.key, settings, shape, task)


SPEC = Lstm()
