"""Windows as the fit asks for them: by number, as float32 batches, from memory where they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.models.estimate import STREAMED_ABOVE_BYTES

CHUNK = 4096

Batch = tuple[NDArray[np.float32], "NDArray[np.float32] | NDArray[np.int32] | None", "NDArray[np.float32] | None"]


class WindowSource(Protocol):
    """`n` windows. `batch(index)` gives those with these numbers (any order, repeats allowed).

    windows (b, window_rows, n_features) float32; targets (b, n_outputs) float32 or class codes (b,) int32, None where
    the windows are their own target; weights (b,) float32, None for all one.
    """

    @property
    def n(self) -> int: ...

    def batch(self, index: NDArray[np.int64]) -> Batch: ...


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The windows to fit on and those that early stopping watches; without the latter it watches the training loss."""

    train: WindowSource
    validation: WindowSource | None


@dataclass(frozen=True, slots=True)
class ArraySource:
    """Windows that are in memory: the arrays of `WindowSource.batch` for all of them."""

    windows: NDArray[np.float32]
    targets: NDArray[np.float32] | NDArray[np.int32] | None = None
    weights: NDArray[np.float32] | None = None

    @property
    def n(self) -> int:
        return len(self.windows)

    def batch(self, index: NDArray[np.int64]) -> Batch:
        targets = None if self.targets is None else self.targets[index]
        weights = None if self.weights is None else self.weights[index]
        return self.windows[index], targets, weights


def in_memory(source: WindowSource, limit_bytes: int = STREAMED_ABOVE_BYTES) -> WindowSource:
    """The source as arrays when its windows need at most `limit_bytes`, else the source itself, which then streams."""
    if isinstance(source, ArraySource) or source.n == 0:
        return source
    first = source.batch(np.zeros(1, dtype=np.int64))[0]
    if first.nbytes * source.n > limit_bytes:
        return source
    windows = np.empty((source.n, *first.shape[1:]), dtype=np.float32)
    targets, weights = [], []
    for start in range(0, source.n, CHUNK):
        index = np.arange(start, min(start + CHUNK, source.n), dtype=np.int64)
        windows[start : start + len(index)], target, weight = source.batch(index)
        targets.append(target)
        weights.append(weight)
    return ArraySource(windows, _joined(targets), _joined(weights))


def _joined(parts: list[NDArray | None]) -> NDArray | None:
    present = [part for part in parts if part is not None]
    return np.concatenate(present) if present else None


def all_targets(source: WindowSource) -> NDArray | None:
    """Every target of a source in order, or None where windows are their own target."""
    if isinstance(source, ArraySource):
        return source.targets
    return _joined([source.batch(np.arange(s, min(s + CHUNK, source.n)))[1] for s in range(0, source.n, CHUNK)])


@dataclass(frozen=True, slots=True)
class BalancedClasses:
    """A source whose windows weigh n / (k · n of their class), times their own weight."""

    source: WindowSource
    class_weights: NDArray[np.float32]

    @property
    def n(self) -> int:
        return self.source.n

    def batch(self, index: NDArray[np.int64]) -> Batch:
        windows, targets, weights = self.source.batch(index)
        balanced = self.class_weights[np.asarray(targets).ravel()]
        return windows, targets, balanced if weights is None else balanced * weights


def balanced_class_weights(codes: NDArray[np.int32], n_classes: int) -> NDArray[np.float32]:
    """n / (k · n_c) for each class c, k counting the classes that occur; 0 for a class that does not.

    Source: King, Zeng (2001), Political Analysis 9(2); scikit-learn's "balanced".
    """
    counts = np.bincount(np.asarray(codes).ravel(), minlength=n_classes).astype(np.float64)
    present = counts > 0
    weights = np.divide(counts.sum(), present.sum() * counts, out=np.zeros_like(counts), where=present)
    return weights.astype(np.float32)


def oversampled(places: NDArray[np.int64], codes: NDArray[np.int32], seed: int) -> NDArray[np.int64]:
    """Places (n,) with those of rarer classes repeated until each class is as frequent as the most common one.

    All places once, in their order, then the repeats: as many whole repeats of a class as fit, and a seeded
    draw without replacement for the rest, so that no two places of a class differ by more than one repeat. A class without
    a place stays without; one class alone changes nothing.

    Args:
        codes: (n,) class codes of the places.
    """
    found = np.asarray(codes).ravel()
    classes, counts = np.unique(found, return_counts=True)
    rng = np.random.default_rng(seed)
    repeats = [places]
    for code, n in zip(classes, counts, strict=True):
        whole, rest = divmod(int(counts.max() - n), int(n))
        mine = places[found == code]
        repeats += [np.tile(mine, whole), np.sort(rng.choice(mine, rest, replace=False))]
    return np.concatenate(repeats)
