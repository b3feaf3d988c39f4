"""Which words of a remark mattered: each is covered in turn, and the output that changes says how much it counted.

Occlusion, as Zeiler and Fergus (2014, ECCV) do it with parts of an image. A covered word reads as an unknown one, so that the
length of the remark stays. Words that only count together hide each other a little: the effects need not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Predict = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A word, what it adds to the output in the mean, in the output's unit, and in how many remarks it was covered."""

    word: str
    effect: float
    n: int


def token_effects(
    predict: Predict, windows: NDArray[np.float32], n_tokens: int, unknown: int, *, chunk: int = 2048
) -> NDArray[np.float64]:
    """What each token of the last rows adds: output as it is less output with the token covered, (n, n_tokens); 0 for padding.

    Args:
        predict: Windows (m, rows, n_features) → one output each, (m,).
        windows: (n, rows, n_features) with token numbers in front of each row.
        unknown: The number that covers a token.
    """
    effects = np.zeros((len(windows), n_tokens))
    rows, places = np.nonzero(windows[:, -1, :n_tokens] > 0)
    whole = predict(windows) if len(windows) else np.empty(0)
    for start in range(0, len(rows), chunk):
        row, place = rows[start : start + chunk], places[start : start + chunk]
        covered = windows[row].copy()
        covered[np.arange(len(row)), -1, place] = unknown
        effects[row, place] = whole[row] - predict(covered)
    return effects


def mean_effects(
    words: Sequence[Sequence[str]], effects: Sequence[Sequence[float] | NDArray[np.float64]], fewest: int = 1
) -> tuple[WordEffect, ...]:
    """Each word's effect over remarks, largest first; a word that stands twice in a remark counts with the sum of both.

    Args:
        words: The words of each remark, and `effects` theirs in the same order.
        fewest: Words of fewer remarks are left out: one remark says little of a word.
    """
    sums: dict[str, list[float]] = {}
    for some, given in zip(words, effects, strict=True):
        mine: dict[str, float] = {}
        for word, effect in zip(some, given, strict=True):
            mine[word] = mine.get(word, 0.0) + float(effect)
        for word, effect in mine.items():
            sums.setdefault(word, []).append(effect)
    found = [WordEffect(word, float(np.mean(all_)), len(all_)) for word, all_ in sums.items() if len(all_) >= fewest]
    return tuple(sorted(found, key=lambda one: (-one.effect, one.word)))
