"""GRU: recurrent network with fewer gates than LSTM; often as good and a quarter cheaper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, gru_weights
from core.models.recurrent import RecurrentSettings, build_recurrent, layer_units
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Gru:
    """GRU layers, each half as wide as the one before; the state after the last row → output."""

    key: str = "gru"
    title: Message = msg("GRU")
    summary: Message = msg("Like LSTM with a quarter fewer weights; good when there is less data.")
    source: str = "Cho et al. (2014), EMNLP, arXiv:1406.1078"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = RecurrentSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: RecurrentSettings, shape: Shape) -> int:
        sizes = (shape.n_features, *layer_units(settings))
        return sum(gru_weights(a, b) for a, b in pairwise(sizes)) + dense_weights(sizes[-1], shape.n_outputs)

    def build(self, settings: RecurrentSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        return build_recurrent(keras.layers.GRU, self.key, settings, shape, task)


SPEC = Gru()
