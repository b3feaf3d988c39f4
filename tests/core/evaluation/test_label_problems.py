"""Confident learning: by hand, by a slow independent count, and on labels that were flipped on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.label_problems import label_problems


def slow(labels: np.ndarray, chances: np.ndarray) -> tuple[list[list[int]], set[int]]:
    """Equations 1 and 2 of the paper, one row and one class at a time."""
    k = chances.shape[1]
    limits = [
        np.mean([p[j] for y, p in zip(labels, chances, strict=True) if y == j]) if j in labels else None for j in range(k)
    ]
    joint, wrong = [[0] * k for _ in range(k)], set()
    for place, (y, p) in enumerate(zip(labels, chances, strict=True)):
        able = [j for j in range(k) if limits[j] is not None and p[j] >= limits[j]]
        if able:
            best = max(able, key=lambda j: p[j])
            joint[y][best] += 1
            if best != y:
                wrong.add(place)
    return joint, wrong


def test_the_confident_joint_is_that_of_a_slow_count() -> None:
    rng = np.random.default_rng(4)
    for k in (2, 3, 5):
        labels, chances = rng.integers(0, k, 300), rng.dirichlet(np.ones(k), 300)
        found = label_problems(labels, chances)
        joint, wrong = slow(labels, chances)
        assert found.joint.tolist() == joint and set(found.order.tolist()) == wrong
        assert found.estimated.sum(axis=1) == pytest.approx(np.bincount(labels, minlength=k))
        assert (np.diff(found.margin[found.order]) >= 0).all()


def test_the_estimate_by_hand() -> None:
    """Label 0: 3 rows, counted 2 as 0 and 1 as 1; label 1: 1 row, counted as 1. Of 3 rows 1 is wrong, of 4 in all a quarter."""
    found = label_problems([0, 0, 0, 1], [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.2, 0.8]])
    assert found.joint.tolist() == [[2, 1], [0, 1]] and found.order.tolist() == [2]
    assert found.estimated == pytest.approx(np.array([[2, 1], [0, 1]])) and found.share == 0.25
    assert found.self_confidence[2] == 0.1 and found.margin[2] == pytest.approx(-0.8)


def test_a_class_without_rows_and_no_rows_at_all() -> None:
    found = label_problems([0, 0], [[0.2, 0.8], [0.3, 0.7]])
    assert np.isnan(found.thresholds[1]) and found.joint[:, 1].tolist() == [0, 0] and found.order.tolist() == []
    empty = label_problems(np.zeros(0, int), np.zeros((0, 2)))
    assert empty.order.tolist() == [] and np.isnan(empty.share)


def test_flipped_labels_are_found() -> None:
    """Two classes that overlap little, calibrated chances, every tenth label flipped: nine in ten of these are found, few others are."""
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 2, 2_000)
    x = rng.normal(np.where(truth == 1, 2.0, -2.0), 1.0)
    p = 1 / (1 + np.exp(-4 * x))  # of two normal classes of equal size, 4 apart
    flipped = rng.random(2_000) < 0.1
    found = label_problems(np.where(flipped, 1 - truth, truth), np.column_stack([1 - p, p]))
    hit = np.zeros(2_000, bool)
    hit[found.order] = True
    assert hit[flipped].mean() > 0.9 and flipped[hit].mean() > 0.8
    assert found.share == pytest.approx(0.1, abs=0.03)
