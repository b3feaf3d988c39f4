from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.training.data import (
    ArraySource,
    BalancedClasses,
    Batch,
    all_targets,
    balanced_class_weights,
    in_memory,
    oversampled,
)
from core.training.steps import stacked_batches


class Streamed:
    """A source that makes its windows when asked."""

    def __init__(self, n: int) -> None:
        self.n = n

    def batch(self, index: NDArray[np.int64]) -> Batch:
        windows = np.repeat(index.astype(np.float32)[:, None, None], 3, axis=1)
        return windows, (index % 2).astype(np.int32), None


def test_a_source_that_fits_in_memory_becomes_arrays_with_the_same_batches() -> None:
    source = Streamed(5000)
    held = in_memory(source)
    assert isinstance(held, ArraySource)
    index = np.array([4999, 0, 17, 17])
    for a, b in zip(held.batch(index), source.batch(index), strict=True):
        np.testing.assert_array_equal(a, b)  # None for the weights, which this source has none of


def test_a_source_that_does_not_fit_streams() -> None:
    source = Streamed(5000)
    assert in_memory(source, limit_bytes=5000 * 12 - 1) is source
    assert isinstance(in_memory(source, limit_bytes=5000 * 12), ArraySource)


def test_targets_come_in_order_from_both_kinds() -> None:
    assert np.array_equal(all_targets(Streamed(5000)), np.arange(5000) % 2)
    assert all_targets(ArraySource(np.zeros((2, 1, 1), np.float32))) is None


def test_balanced_weights_by_hand() -> None:
    assert balanced_class_weights(np.array([0, 0, 0, 2]), 3).tolist() == [np.float32(4 / 6), 0.0, 2.0]


def test_balanced_batches_multiply_weights_of_their_own() -> None:
    source = ArraySource(np.zeros((2, 1, 1), np.float32), np.array([0, 1], np.int32), np.array([1.0, 3.0], np.float32))
    weights = BalancedClasses(source, np.array([0.5, 2.0], np.float32)).batch(np.array([1, 0]))[2]
    assert weights is not None
    assert weights.tolist() == [6.0, 0.5]


def test_rare_classes_are_repeated_evenly_and_the_rest_is_drawn_with_the_seed() -> None:
    places, codes = np.array([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]), np.array([0, 0, 0, 0, 0, 2, 2, 2, 0, 0])
    made = oversampled(places, codes, seed=1)
    assert made[:10].tolist() == places.tolist()
    counts = {p: int((made == p).sum()) for p in places}
    assert all(counts[p] == 1 for p in (10, 11, 12, 13, 14, 18, 19))
    assert sorted(counts[p] for p in (15, 16, 17)) == [2, 2, 3]  # 7 of each class
    assert oversampled(places, codes, seed=1).tolist() == made.tolist()
    drawn = {tuple(oversampled(places, codes, seed=s)) for s in range(20)}
    assert len(drawn) == 3
    assert oversampled(places, np.zeros(10, dtype=int), seed=1).tolist() == places.tolist()


def test_a_short_batch_is_filled_with_the_first_windows_of_the_epoch_at_weight_zero() -> None:
    windows = np.arange(6, dtype=np.float32).reshape(6, 1, 1)
    source = ArraySource(windows, windows[:, 0])
    order = np.array([3, 1, 2, 5, 0, 4])
    given, targets, weights = stacked_batches(source, order[4:], 4, order)
    assert given.reshape(1, 4).tolist() == targets.reshape(1, 4).tolist() == [[0, 4, 3, 1]]
    assert weights.tolist() == [[1, 1, 0, 0]]
    full = stacked_batches(source, order[:4], 2, order)
    assert full[0].reshape(2, 2).tolist() == [[3, 1], [2, 5]] and full[2].all()
