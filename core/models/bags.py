"""A remark as a bag: which words and pairs of neighbouring words it has, weighed by how rare they are, in no order.

tf-idf as scikit-learn has it: (1 + ln n) · (ln((1 + N) / (1 + N_with)) + 1), each remark scaled to length 1. Pairs of words
that stand beside each other in at least two remarks count as terms too, so that "not hot" is not only "not" and "hot".
Source: Salton, Buckley (1988), Information Processing & Management 24(5).

Arrays of a fit: `pairs` (p,) the pairs that are terms as first · n_words + second, in order; `rarity` (n_words + p,);
`weights` (n_words + p + d, k) for the terms and then the d other values of a window's last row; `bias` (k,); `n_tokens`,
`n_words`, `is_classes` as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_PAIRS = 20_000
FEWEST_REMARKS = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a term, and how much."""

    n_tokens: int
    n_words: int
    pairs: NDArray[np.float64]
    rarity: NDArray[np.float64]

    def matrix(self, windows: NDArray[np.floating]) -> csr_matrix:
        """Terms and other values of the last rows of windows (n, rows, n_features): (n, n_words + p + d), sparse."""
        from scipy.sparse import csr_matrix, hstack

        last = np.asarray(windows)[:, -1]
        counts = self._counts(last[:, : self.n_tokens].astype(np.int64))
        counts.data = (1 + np.log(counts.data)) * self.rarity[counts.indices]
        length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
        counts.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(counts.indptr))
        others = last[:, self.n_tokens :].astype(np.float64)
        return hstack([counts, csr_matrix(others)], format="csr") if others.shape[1] else counts

    def _counts(self, numbers: NDArray[np.int64]) -> csr_matrix:
        """How often each term stands in each remark; padding is none."""
        from scipy.sparse import coo_matrix

        rows = np.broadcast_to(np.arange(len(numbers))[:, None], numbers.shape)
        is_word = numbers > 0
        at, terms = [rows[is_word]], [numbers[is_word]]
        codes, row = pair_codes(numbers, self.n_words)
        place = np.searchsorted(self.pairs, codes)
        is_term = place < len(self.pairs)
        is_term[is_term] = self.pairs[place[is_term]] == codes[is_term]
        at.append(row[is_term])
        terms.append(self.n_words + place[is_term])
        where = (np.concatenate(at), np.concatenate(terms))
        size = (len(numbers), self.n_words + len(self.pairs))
        return coo_matrix((np.ones(len(where[0])), where), shape=size).tocsr()  # what stands twice is added up

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        numbers = {"n_tokens": np.array(float(self.n_tokens)), "n_words": np.array(float(self.n_words))}
        return {**numbers, "pairs": self.pairs, "rarity": self.rarity}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Terms:
        return cls(int(arrays["n_tokens"]), int(arrays["n_words"]), arrays["pairs"], arrays["rarity"])


def pair_codes(numbers: NDArray[np.int64], n_words: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Neighbouring words of remarks (n, n_tokens) as first · n_words + second, and the remark that each stands in."""
    first, second = numbers[:, :-1], numbers[:, 1:]
    is_pair = (first > 0) & (second > 0)
    rows = np.broadcast_to(np.arange(len(numbers))[:, None], first.shape)
    return (first * n_words + second)[is_pair], rows[is_pair]


def fit_terms(windows: NDArray[np.floating], n_tokens: int, n_words: int) -> Terms:
    """The terms of the training remarks: all words, and the most frequent pairs, at most 20,000."""
    numbers = np.asarray(windows)[:, -1, :n_tokens].astype(np.int64)
    codes, row = pair_codes(numbers, n_words)
    in_remark = np.unique(np.stack([row, codes]), axis=1)[1]
    found, times = np.unique(in_remark, return_counts=True)
    kept = np.flatnonzero(times >= FEWEST_REMARKS)
    kept = kept[np.argsort(-times[kept], kind="stable")[:MOST_PAIRS]]
    terms = Terms(n_tokens, n_words, np.sort(found[kept]).astype(np.float64), np.ones(n_words + len(kept)))
    counts = terms._counts(numbers)
    with_term = np.bincount(counts.indices, minlength=n_words + len(kept))
    rarity = np.log((1 + len(numbers)) / (1 + with_term)) + 1
    return Terms(n_tokens, n_words, terms.pairs, rarity)
