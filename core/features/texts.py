"""A free-text column as numbers: the vocabulary of the training part, and each remark as the numbers of its tokens.

A token that is rare or unknown reads as `UNKNOWN`; a number or code that is, as its shape ("E204" as "e000"), where
that is known. An empty remark is a remark too, with one token of its own: saying nothing may mean something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import TrainPart
from core.data.tokens import shape, tokens_of
from core.messages import Message, msg_n

PAD, UNKNOWN, EMPTY = 0, 1, 2
N_SPECIAL = 3
MOST_WORDS = 5_000
FEWEST_ROWS = 2
MOST_ROWS = 200_000
LENGTH_QUANTILE = 0.99


@dataclass(frozen=True)
class TextPlan:
    """The text column, its vocabulary (word → its place + 3) and how many tokens of a remark are read."""

    column: str
    words: tuple[str, ...]
    length: int

    @property
    def n_words(self) -> int:
        """Numbers that a token may have: the vocabulary, and those for padding, unknown and empty."""
        return len(self.words) + N_SPECIAL

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: place + N_SPECIAL for place, word in enumerate(self.words)}

    def ids(self, cells: pd.Series) -> NDArray[np.float32]:
        """Token numbers (n, length) of texts (n,), padded in front, so that the last token stands last; later ones are cut."""
        codes, texts = pd.factorize(cells, use_na_sentinel=True)
        rows = np.zeros((len(texts) + 1, self.length), dtype=np.float32)
        rows[-1, -1] = EMPTY  # what code −1, an empty cell, meets
        for place, text in enumerate(texts):
            numbers = self.numbers(str(text)) or [EMPTY]
            rows[place, -len(numbers) :] = numbers
        return rows[codes]

    def numbers(self, text: str) -> list[int]:
        """The numbers of the tokens that are read; none for a text without tokens."""
        return [self._of(token) for token in tokens_of(text, self.length)]

    def _of(self, token: str) -> int:
        return self._number.get(token) or self._number.get(shape(token), UNKNOWN)

    def to_json(self) -> dict[str, object]:
        return {"column": self.column, "words": list(self.words), "length": self.length}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> TextPlan:
        words = tuple(str(word) for word in stored["words"])  # type: ignore[attr-defined]
        return cls(str(stored["column"]), words, int(stored["length"]))  # type: ignore[call-overload]


def fit_text(train: TrainPart, column: str, most_tokens: int) -> tuple[TextPlan, tuple[Message, ...]]:
    """The plan of a text column, learned from the training part, and what has to be said of it.

    Words that stand in at least two remarks are kept, the most frequent 5,000; a tie goes by the alphabet. The length is
    that which 99 % of the remarks do not exceed, at most `most_tokens`. Of more than 200,000 rows evenly spread ones count.
    """
    cells = train.table[column]
    if len(cells) > MOST_ROWS:
        cells = cells.iloc[np.linspace(0, len(cells) - 1, MOST_ROWS).astype(np.int64)]
    counts = cells.dropna().astype("str").value_counts(sort=False)
    in_rows: Counter[str] = Counter()
    lengths, times = [1], [len(cells) - int(counts.sum())]
    for text, n in counts.items():
        tokens = tokens_of(str(text))
        lengths.append(max(1, len(tokens)))
        times.append(int(n))
        for token in set(tokens):
            in_rows[token] += int(n)
    kept = {token: n for token, n in in_rows.items() if n >= FEWEST_ROWS}
    shapes: Counter[str] = Counter()
    for token, n in in_rows.items():
        if token not in kept and shape(token) != token:
            shapes[shape(token)] += n
    for token, n in shapes.items():
        if n >= FEWEST_ROWS:
            kept.setdefault(token, n)
    words = sorted(kept, key=lambda token: (-kept[token], token))[:MOST_WORDS]
    longest = _quantile(np.array(lengths), np.array(times))
    length = max(1, min(longest, most_tokens))
    too_long = int(np.array(times)[np.array(lengths) > length].sum())
    return TextPlan(column, tuple(words), length), _notes(column, length, too_long)


def _quantile(lengths: NDArray[np.int64], times: NDArray[np.int64]) -> int:
    """The smallest length that `LENGTH_QUANTILE` of the remarks do not exceed; 1 without remarks."""
    if not times.sum():
        return 1
    order = np.argsort(lengths)
    reached = np.cumsum(times[order]) >= math.ceil(LENGTH_QUANTILE * times.sum())
    return int(lengths[order][np.argmax(reached)])


def _notes(column: str, length: int, too_long: int) -> tuple[Message, ...]:
    if not too_long:
        return ()
    return (
        msg_n(
            "{n} remark in '{column}' of the training part is longer than {length} words; only its beginning is read.",
            "{n} remarks in '{column}' of the training part are longer than {length} words; only their beginning is read.",
            too_long,
            column=column,
            length=length,
        ),
    )
