"""Free text as numbers: its length, words and digits, and how much each word of a fitted vocabulary weighs in it.

With n training texts of which d hold the word, idf = ln((1 + n) ÷ (1 + d)) + 1; a text's weights are count × idf, brought to
length 1 (as scikit-learn's TfidfVectorizer; Salton, Buckley 1988). Words are runs of at least two letters or digits in
lower case; a Chinese character is a word of its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, with_cells
from core.clean.columns.categories import texts_of
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg
from core.settings import Settings, setting

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]{2,}")
_FORMS = ("length", "words", "digits")


class TextSettings(Settings):
    """What is made of a text."""

    n_words: int = setting(
        20, title="Words", help="The most frequent words of the training part get a column each.", ge=0, le=500, expert=False
    )
    weights: Literal["tfidf", "count"] = setting(
        "tfidf",
        title="Weights",
        help="tf-idf: words that most texts hold weigh little. Count: how often a word stands there.",
        expert=False,
    )
    form: bool = setting(
        True, title="Length, words, digits", help="Three more columns: characters, words and digits of the text."
    )
    keep: bool = setting(False, title="Keep the text", help="The text column stays beside the new ones.")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one column in order, their idf (1 for counts), and the names of all its new columns."""

    words: tuple[str, ...]
    idf: tuple[float, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FittedText:
    """A vocabulary a column."""

    vocabularies: Mapping[str, Vocabulary]
    weights: Literal["tfidf", "count"]
    form: bool
    keep: bool
    key: str = "text_features"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        for name, vocabulary in self.vocabularies.items():
            texts, empty = texts_of(table, name)
            texts[empty] = ""
            values = self._values(texts, vocabulary)
            cells |= {column: values[:, i] for i, column in enumerate(vocabulary.names)}
        removed = () if self.keep else tuple(self.vocabularies)
        result = with_cells(table, cells).drop(columns=list(removed))
        return applied(result, Change(added_columns=tuple(cells), removed_columns=removed))

    def _values(self, texts: NDArray[np.object_], vocabulary: Vocabulary) -> NDArray[np.float64]:
        """(n, n_names): the form's three columns if asked for, then one a word."""
        place = {word: i for i, word in enumerate(vocabulary.words)}
        codes, different = pd.factorize(texts)  # a text that comes again is read once
        rows = np.zeros((len(different), len(vocabulary.names)))
        shift = len(_FORMS) if self.form else 0
        for row, text in zip(rows, different, strict=True):
            found = words_of(str(text))
            if self.form:
                row[:shift] = len(text), len(found), sum(c.isdigit() for c in text)
            for word, n in Counter(found).items():
                if word in place:
                    row[shift + place[word]] = n * vocabulary.idf[place[word]]
        if self.weights == "tfidf":
            length = np.sqrt((rows[:, shift:] ** 2).sum(axis=1, keepdims=True))
            rows[:, shift:] /= np.where(length > 0, length, 1.0)
        return rows[codes]

    def state(self) -> dict[str, object]:
        stored = {k: [list(v.words), list(v.idf), list(v.names)] for k, v in self.vocabularies.items()}
        return {"vocabularies": stored, "weights": self.weights, "form": self.form, "keep": self.keep}


def words_of(text: str) -> list[str]:
    """The words of a text in order.

    Example:
        >>> words_of("Ventil E-12 undicht, 泵漏油")
        ['ventil', '12', 'undicht', '泵', '漏', '油']
    """
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Numbers from free text. An empty cell is a text without words. All missing in training: no words, only the form.

    The text column goes away unless it is kept, and then twice is as once; else it cannot be applied twice.
    """

    title: Message
    summary: Message
    key: str = "text_features"
    settings: type[Settings] = TextSettings
    fits_keys: bool = False
    needs_columns: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedText:
        chosen = TextSettings.model_validate(settings.model_dump())
        taken = {str(c) for c in train.table.columns}
        found = {}
        for c in columns:
            texts, empty = texts_of(train.table, c.name)
            words, idf = fit_vocabulary([str(t) for t in texts[~empty]], chosen.n_words)
            idf = idf if chosen.weights == "tfidf" else tuple(1.0 for _ in words)
            forms = [f"{c.name}_{form}" for form in _FORMS] if chosen.form else []
            names = tuple(free_name(n, taken) for n in [*forms, *(f"{c.name}:{w}" for w in words)])
            found[c.name] = Vocabulary(words, idf, names)
        return FittedText(found, chosen.weights, chosen.form, chosen.keep)

    def restore(self, state: Mapping[str, object]) -> FittedText:
        stored: Any = state
        found = {k: Vocabulary(tuple(w), tuple(i), tuple(n)) for k, (w, i, n) in stored["vocabularies"].items()}
        return FittedText(found, stored["weights"], stored["form"], stored["keep"])


def fit_vocabulary(texts: list[str], n_words: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The words that most texts hold, in order of their name, and their idf; of equally frequent ones the earlier name wins."""
    held = Counter(word for text in texts for word in set(words_of(text)))
    words = tuple(sorted(sorted(held, key=lambda w: (-held[w], w))[:n_words]))
    return words, tuple(math.log((1 + len(texts)) / (1 + held[w])) + 1 for w in words)


TEXT_FEATURES = TextFeatures(
    msg("Turn free text into numbers"),
    msg("Remarks and fault texts become their length, words and digits, and the weight of the most frequent words."),
)
