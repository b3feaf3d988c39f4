"""The folds of the hydraulic test rig: each cycle is judged once, and blocks of neighbours stay together."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.cycles import BLOCK, FOLDS, _test_cycles

LABELS = np.repeat([3, 20, 100], 735)


def test_each_cycle_is_in_one_fold() -> None:
    for split in ("random", "block"):
        folds = np.array([_test_cycles(LABELS, split, fold) for fold in range(FOLDS)])
        assert folds.shape == (5, 2205) and (folds.sum(axis=0) == 1).all()
        assert (np.abs(folds.sum(axis=1) - 441) <= BLOCK).all()


def test_random_folds_hold_each_class_alike_and_blocks_are_whole() -> None:
    for fold in range(FOLDS):
        random, block = (_test_cycles(LABELS, split, fold) for split in ("random", "block"))
        assert [int(random[label == LABELS].sum()) for label in (3, 20, 100)] == [147, 147, 147]
        assert set(block.reshape(-1, BLOCK).sum(axis=1)) <= {0, BLOCK}
