"""Text attention: every word of a remark looks at every other, and the ones that matter are weighed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models.heads import dense_weights, new_input
from core.models.remarks import TextSettings, embedded, left_out, shared_weights, token_numbers, with_columns
from core.models.spec import Engine, Role, Shape, Task
from core.models.transformer import positions
from core.settings import Settings, setting

FAR = 1e9  # taken from the score of padding, whose share of the attention is then 0


class TextAttentionSettings(TextSettings):
    """The same, with the ways of comparing words."""

    layers: int = setting(1, title="Layers", help="Layers of attention, one after another.", ge=1, le=6)
    heads: int = setting(4, title="Heads", help="Ways in which each layer compares the words of a remark.", ge=1, le=16)

    @property
    def head_units(self) -> int:
        """Numbers that one head compares: its share of those of a word, at least one."""
        return max(1, self.word_units // self.heads)

    @property
    def widest(self) -> int:
        """Numbers a word that the widest layer gives."""
        return max(3 * self.heads * self.head_units, self.units)


@dataclass(frozen=True, slots=True)
class TextAttention:
    """Words and their places → attention and neurons, normalised in front → weighted mean of the words → output.

    The weights of the mean come from a learned score of each word (Bahdanau et al.), with which a single telling word is
    not thinned out by the others. Other columns go through a dense branch beside it.
    """

    key: str = "text_attention"
    title: Message = msg("Text attention")
    summary: Message = msg(
        "Compares the words of a remark with each other and finds the telling ones; needs more rows than a GRU."
    )
    source: str = "Vaswani et al. (2017), NeurIPS, arXiv:1706.03762; Bahdanau et al. (2015), ICLR, arXiv:1409.0473"
    role: Role = "network"
    engine: Engine = "keras"
    tasks: tuple[Task, ...] = ("regression", "classification")
    windowed: bool = False
    settings: type[Settings] = TextAttentionSettings
    shares_weights: bool = False
    smallest_rows: int = 1
    reads_text: bool = True

    def count_parameters(self, settings: TextAttentionSettings, shape: Shape) -> int:
        return self._token_weights(settings) + shared_weights(settings, shape, settings.word_units)

    def _token_weights(self, settings: TextAttentionSettings) -> int:
        """Weights that work on every token."""
        width, inner = settings.word_units, settings.heads * settings.head_units
        attention = 3 * dense_weights(width, inner) + dense_weights(inner, width)
        neurons = dense_weights(width, settings.units) + dense_weights(settings.units, width)
        return settings.layers * (attention + neurons + 4 * width) + 2 * width + dense_weights(width, 1)

    def uses(self, settings: TextAttentionSettings, shape: Shape) -> int:
        """Multiply-adds of one window forwards: each token's own, the pairs of tokens, and the rest once."""
        others = shared_weights(settings, shape, settings.word_units) - shape.n_words * settings.word_units
        pairs = 2 * settings.layers * settings.heads * settings.head_units * shape.n_tokens**2
        return shape.n_tokens * self._token_weights(settings) + pairs + others

    def build(self, settings: TextAttentionSettings, shape: Shape, task: Task) -> Any:
        """The network, not compiled: (batch, window_rows, n_features) → (batch, n_outputs)."""
        import keras

        inputs = new_input(shape)
        # As large as the sines and cosines of the places, which would drown words that begin at ±0.05.
        words, mask = embedded(token_numbers(inputs, shape), settings, shape, spread=1.0)
        hidden = words + mask * positions(shape.n_tokens, settings.word_units)[None]
        pairs = keras.ops.cast(keras.ops.transpose(mask, (0, 2, 1)), "bool")  # which words may be looked at
        for _ in range(settings.layers):
            hidden = _layer(hidden, pairs, settings)
        hidden = keras.layers.LayerNormalization(epsilon=1e-6)(hidden)
        scores = keras.layers.Dense(1, name="weight_of_word")(hidden) - FAR * (1 - mask)
        remark = keras.ops.sum(hidden * keras.ops.softmax(scores, axis=1), axis=1)
        return keras.Model(inputs, with_columns(remark, inputs, settings, shape, task), name=self.key)


def _layer(inputs: Any, pairs: Any, settings: TextAttentionSettings) -> Any:
    import keras

    normal = keras.layers.LayerNormalization(epsilon=1e-6)(inputs)
    attention = keras.layers.MultiHeadAttention(settings.heads, settings.head_units)
    middle = keras.layers.Add()([inputs, left_out(attention(normal, normal, attention_mask=pairs), settings.dropout)])
    normal = keras.layers.LayerNormalization(epsilon=1e-6)(middle)
    hidden = keras.layers.Dense(settings.units, activation="relu")(normal)
    return keras.layers.Add()([middle, left_out(keras.layers.Dense(settings.word_units)(hidden), settings.dropout)])


SPEC = TextAttention()
