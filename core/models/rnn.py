"""Simple recurrent network: one state that each row renews. The plainest model that reads rows in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, simple_weights
from core.models.recurrent import RecurrentSettings, build_recurrent, layer_units
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Rnn:
    """Layers of tanh cells, each half as wide as the one before; the state after the last row → output."""

    key: str = "rnn"
    title: Message = msg("Simple RNN")
    summary: Message = msg("The plainest network with a memory: quick to try; forgets what lies more than some ten rows back.")
    source: str = "Elman (1990), Cognitive Science 14(2)"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = True
    settings: type[Settings] = RecurrentSettings
    shares_weights: bool = True
    smallest_rows: int = 2

    def count_parameters(self, settings: RecurrentSettings, shape: Shape) -> int:
        sizes = (shape.n_features, *layer_units(settings))
        return sum(simple_weights(a, b) for a, b in pairwise(sizes)) + dense_weights(sizes[-1], shape.n_outputs)

    def build(self, settings: RecurrentSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        return build_recurrent(keras.layers.SimpleRNN, self.key, settings, shape, task)


SPEC = Rnn()
