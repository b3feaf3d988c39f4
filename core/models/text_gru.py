"""Text GRU: reads a remark word by word in its order, beside the other columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import gru_weights, new_input
from core.models.recurrent_kernels import with_kernel
from core.models.remarks import TextSettings, embedded, shared_weights, token_numbers, with_columns
from core.models.spec import Engine, Role, Shape, Task
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class TextGru:
    """Words → embedding → one GRU over them; its state after the last word, beside a dense branch of the other columns → output."""

    key: str = "text_gru"
    title: Message = msg("Text GRU")
    summary: Message = msg("Reads remarks word by word, so that 'not hot' and 'hot' differ; other columns count beside them.")
    source: str = "Cho et al. (2014), EMNLP, arXiv:1406.1078"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification")
    windowed: bool = False
    settings: type[Settings] = TextSettings
    shares_weights: bool = False
    smallest_rows: int = 1
    reads_text: bool = True

    def count_parameters(self, settings: TextSettings, shape: Shape) -> int:
        return gru_weights(settings.word_units, settings.units) + shared_weights(settings, shape, settings.units)

    def uses(self, settings: TextSettings, shape: Shape) -> int:
        """Multiply-adds of one window forwards: the GRU's weights once a token, the others once; word numbers are looked up."""
        others = shared_weights(settings, shape, settings.units) - shape.n_words * settings.word_units
        return shape.n_tokens * gru_weights(settings.word_units, settings.units) + others

    def build(self, settings: TextSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        words, _ = embedded(token_numbers(inputs, shape), settings, shape)
        remark = with_kernel(keras.layers.GRU(settings.units, use_cudnn=False, name="remark"))(words)
        return keras.Model(inputs, with_columns(remark, inputs, settings, shape, task), name=self.key)


SPEC = TextGru()
