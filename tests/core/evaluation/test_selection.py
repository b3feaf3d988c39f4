"""Choosing on held-out rows, against hand computation and against plain enumeration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.evaluation.selection import (
    MOST_MEMBERS,
    class_losses,
    ensemble_gain,
    ensemble_weights,
    paired_gain,
    weighted,
)


def squared(truth: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda outputs: (outputs[:, 0] - truth) ** 2


def test_a_chance_of_nothing_costs_as_much_as_one_in_a_thousand() -> None:
    losses = class_losses(np.array([0, 1]), np.array([1.0, 3.0]))(np.array([[0.0, 1.0], [0.75, 0.25]]))
    assert losses == pytest.approx([np.log(1000), 3 * np.log(4)])


def test_the_gain_of_single_rows_has_the_textbook_standard_error() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=40), rng.normal(size=40)
    gain = paired_gain(before, after)
    difference = before - after
    assert gain.mean == pytest.approx(difference.mean())
    assert gain.error == pytest.approx(difference.std(ddof=1) / np.sqrt(40))


def test_rows_of_one_group_count_as_one() -> None:
    """Ten equal rows of each of four groups say no more than four rows."""
    four = np.array([1.0, 2.0, 4.0, 9.0])
    one_each = paired_gain(four, np.zeros(4))
    repeated = paired_gain(np.repeat(four, 10), np.zeros(40), np.repeat([7, 3, 5, 1], 10))
    assert repeated.mean == pytest.approx(one_each.mean) and repeated.error == pytest.approx(one_each.error)
    assert repeated.n_units == 4
    assert not paired_gain(four, np.zeros(4), np.zeros(4, dtype=np.int64)).is_clear


def test_two_models_that_err_in_opposite_ways_share_the_average_equally() -> None:
    truth = np.linspace(0, 1, 50)
    high, low, far = (truth + 0.3)[:, None], (truth - 0.3)[:, None], (truth + 5)[:, None]
    weights = ensemble_weights([far, high, low], squared(truth))
    assert weights == pytest.approx([0, 0.5, 0.5])
    assert weighted([far, high, low], weights)[:, 0] == pytest.approx(truth)


def test_the_greedy_average_is_never_worse_than_the_best_single_one() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=200)
    outputs = [(truth + rng.normal(scale=s, size=200))[:, None] for s in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)]
    loss = squared(truth)
    weights = ensemble_weights(outputs, loss)
    assert weights.sum() == pytest.approx(1) and 2 <= np.count_nonzero(weights) <= MOST_MEMBERS
    assert loss(weighted(outputs, weights)).mean() < min(loss(o).mean() for o in outputs)


def test_an_average_of_independent_errors_gains_clearly_and_copies_of_one_model_do_not() -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=400)
    several = [(truth + rng.normal(size=400))[:, None] for _ in range(4)]
    gain = ensemble_gain(several, lambda mask: squared(truth[mask]), None, seed=1)
    assert gain.is_clear and gain.mean > 0.3  # four errors of variance 1 average to 1/4
    same = ensemble_gain([several[0]] * 3, lambda mask: squared(truth[mask]), None, seed=1)
    assert same.mean == pytest.approx(0) and not same.is_clear


def test_noise_that_only_looks_like_a_gain_is_not_taken_for_one() -> None:
    """One good model and twenty that know nothing, on few rows: the greedy average always finds something to add."""
    clear = any_ = 0
    gains = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=40)
        good = (truth + rng.normal(scale=0.3, size=40))[:, None]
        useless = [rng.normal(size=(40, 1)) for _ in range(20)]
        gain = ensemble_gain([good, *useless], lambda mask, t=truth: squared(t[mask]), None, seed)
        clear, any_ = clear + gain.is_clear, any_ + gain.is_any
        gains.append(gain.mean)
    assert clear <= 12  # one standard error is passed by chance in 16 % of the cases
    assert any_ < 30 and np.mean(gains) < 0, "what is added for nothing costs more, and more often, than it gains"


def test_a_few_groups_are_too_few_to_choose_an_average_on() -> None:
    truth = np.arange(90, dtype=np.float64)
    outputs = [(truth + d)[:, None] for d in (1, -1)]
    gain = ensemble_gain(outputs, lambda mask: squared(truth[mask]), np.repeat(np.arange(9), 10), seed=0)
    assert gain.n_units == 9 and not gain.is_clear and not gain.is_any
