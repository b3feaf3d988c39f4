"""Which column of free text the text families read: the one that is named, else by a documented rule.

Rule. Of the columns of kind text with the role 'sensor', those are free text whose cells are remarks (`is_free_text`: more than
50 different texts or more than half of them different, and more than 2 words in the mean); of these the one with the most words
a cell is taken. The first 2,000 rows are looked at; nothing of the target is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.data.dataset import Dataset
from core.data.free_text import LOOKED_AT
from core.data.tokens import is_free_text, mean_words, tokens_of
from core.errors import DataProblem, SettingProblem
from core.features.texts import LENGTH_QUANTILE, MOST_WORDS
from core.messages import Message, msg


@dataclass(frozen=True, slots=True)
class TextChoice:
    """The column of free text. `words` is the mean of a cell, `distinct` the different texts, both of the first rows.

    `n_tokens` and `n_words` are what its tokens will about need: the length that 99 % do not exceed, and the vocabulary.
    """

    column: str
    words: float
    distinct: int
    n_tokens: int
    n_words: int
    is_named: bool = False

    @property
    def sentence(self) -> Message:
        """What a plan says of it."""
        words = round(self.words, 1)
        if self.is_named:
            return msg(
                "Text families read '{column}', as asked for: {words} words a cell in the mean.",
                column=self.column,
                words=words,
            )
        return msg(
            "Text families read '{column}': it is free text, with {words} words a cell in the mean and {distinct} different "
            "texts in the first rows.",
            column=self.column,
            words=words,
            distinct=self.distinct,
        )


def choose_text(dataset: Dataset, named: str | None) -> TextChoice | None:
    """The column of free text of a dataset with the roles of a run, or None.

    Raises:
        DataProblem: the named column is not there.
        SettingProblem: it holds no texts, or has another part to play.
    """
    if named is not None:
        column = dataset.column(named)
        if column.kind != "text":
            raise DataProblem(
                msg("Column '{column}' holds no texts.", column=named),
                msg("Expected a column of kind text, such as remarks."),
                msg("Name another column with the setting 'text_column'."),
            )
        if column.role in ("target", "time", "group"):
            raise SettingProblem(
                msg("'{column}' is to be read as free text and is the target, time or group of this run.", column=named),
                msg("A column can only be one of them."),
                msg("Name another column with the setting 'text_column'."),
            )
        return _choice(named, _head(dataset, named), is_named=True)
    found = []
    for column in dataset.with_role("sensor"):
        if column.kind == "text":
            texts = _head(dataset, column.name)
            if is_free_text(texts):
                found.append(_choice(column.name, texts))
    return max(found, key=lambda choice: choice.words, default=None)


def _head(dataset: Dataset, name: str) -> list[str]:
    return [str(text) for text in dataset.table([name], 0, LOOKED_AT)[name].dropna()]


def _choice(name: str, texts: list[str], *, is_named: bool = False) -> TextChoice:
    tokens = [tokens_of(text) for text in texts]
    lengths = [max(1, len(some)) for some in tokens] or [1]
    different = len({token for some in tokens for token in some})
    length = int(np.quantile(lengths, LENGTH_QUANTILE, method="higher"))
    return TextChoice(name, mean_words(texts), len(set(texts)), length, min(MOST_WORDS, different) + 3, is_named)


def no_text(model: Message) -> SettingProblem:
    """A text family was asked for, and there is no free text."""
    return SettingProblem(
        msg("{model} reads free text, and no column of the table is free text.", model=model),
        msg("Expected a text column with the role 'sensor' whose cells have more than two words and differ."),
        msg("Name the column with the setting 'text_column', or choose another model."),
    )
