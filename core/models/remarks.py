"""What networks that read free text share: token numbers parted from the other values, embedded, and the other columns' branch.

A window (batch, window_rows, n_features) has its token numbers in front of each row (`Shape.n_tokens`). The remark of the
last row is read, its padding in front; the other values of all rows of the window go into a dense branch beside it.
"""

from __future__ import annotations

from typing import Any

from core.models.heads import add_head, dense_weights
from core.models.spec import Shape, Task
from core.settings import Settings, setting


class TextSettings(Settings):
    """What both text families have: how a word and the other columns are described, and what is left out in training."""

    word_units: int = setting(32, title="Word units", help="Numbers that describe each word.", ge=2, le=256)
    units: int = setting(64, title="Units", help="Numbers that describe the whole remark.", ge=1, le=512)
    column_units: int = setting(
        32, title="Units for other columns", help="Neurons that read the columns beside the text.", ge=1, le=512
    )
    dropout: float = setting(
        0.3, title="Dropout", help="Share of words' numbers and of neurons left out at random in training.", ge=0, lt=1
    )


def token_numbers(inputs: Any, shape: Shape) -> Any:
    """The token numbers of the last row, (batch, n_tokens) int32, 0 where there is padding.

    They travel as float32 beside the other values, which holds whole numbers up to 2^24 exactly. Only operations touch them
    before they are whole numbers again: a layer would round them where a network computes in 16 bits.
    """
    import keras

    last = inputs[:, shape.window_rows - 1, : shape.n_tokens]
    return keras.ops.cast(keras.ops.round(last), "int32")


def embedded(numbers: Any, settings: TextSettings, shape: Shape, spread: float | None = None) -> tuple[Any, Any]:
    """Each token as `word_units` numbers, (batch, n_tokens, word_units), 0 for padding; and a mask (batch, n_tokens, 1).

    Padding is multiplied away and not masked in Keras' way: the graph is then plain products, on every machine alike.

    Args:
        spread: The standard deviation of the numbers at the start; None: Keras' own, within ±0.05.
    """
    import keras

    start = "uniform" if spread is None else keras.initializers.RandomNormal(stddev=spread)
    words = keras.layers.Embedding(shape.n_words, settings.word_units, embeddings_initializer=start, name="words")(numbers)
    mask = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(numbers, 0), words.dtype), -1)
    return left_out(words * mask, settings.dropout), mask


def left_out(hidden: Any, share: float) -> Any:
    """Values left out at random in training, where a share is given."""
    import keras

    return keras.layers.Dropout(share)(hidden) if share > 0 else hidden


def with_columns(remark: Any, inputs: Any, settings: TextSettings, shape: Shape, task: Task) -> Any:
    """The output from a remark (batch, units) and, where there are any, the other columns of the window."""
    import keras

    hidden = left_out(remark, settings.dropout)
    if shape.n_others:
        others = keras.layers.Flatten()(inputs[:, :, shape.n_tokens :])
        branch = keras.layers.Dense(settings.column_units, activation="relu", name="columns")(others)
        hidden = keras.layers.Concatenate()([hidden, left_out(branch, settings.dropout)])
    return add_head(hidden, shape, task)


def shared_weights(settings: TextSettings, shape: Shape, remark_units: int) -> int:
    """Weights of what both families share: word numbers, the branch of other columns and the head."""
    words = shape.n_words * settings.word_units
    if not shape.n_others:
        return words + dense_weights(remark_units, shape.n_outputs)
    branch = dense_weights(shape.window_rows * shape.n_others, settings.column_units)
    return words + branch + dense_weights(remark_units + settings.column_units, shape.n_outputs)
