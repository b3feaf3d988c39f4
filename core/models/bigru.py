"""Bidirectional GRU: reads each window forwards and backwards. Both ways stay within the window: no later row is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import gru_weights
from core.models.recurrent import BidirectionalSettings, both_ways_weights, build_recurrent
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class BiGru:
    """GRU layers forwards and backwards; the two states at the ends of the window → output."""

    key: str = "bigru"
    title: Message = msg("Bidirectional GRU")
    summary: Message = msg("Like the bidirectional LSTM with a quarter fewer weights.")
    source: str = "Schuster, Paliwal (1997), IEEE Trans. Signal Processing 45(11); Cho et al. (2014), arXiv:1406.1078"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = BidirectionalSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: BidirectionalSettings, shape: Shape) -> int:
        return both_ways_weights(gru_weights, settings, shape)

    def build(self, settings: BidirectionalSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        return build_recurrent(keras.layers.GRU, self.key, settings, shape, task, both_ways=True)


SPEC = BiGru()
