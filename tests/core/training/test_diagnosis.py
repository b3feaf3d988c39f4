"""Curves that a person would call by these names."""

from __future__ import annotations

import numpy as np
import pytest

from core.training.diagnosis import diagnose

EPOCHS = np.arange(30)
SETTLED = 0.1 + 0.9 * np.exp(-EPOCHS / 3)


def test_a_settled_pair_is_fine() -> None:
    found = diagnose(SETTLED, 1.1 * SETTLED, 5000)
    assert found.code == "fine"
    assert found.remedy is None
    assert "30" in str(found.message)


def test_validation_that_rises_while_training_falls_is_overfitting() -> None:
    val = np.concatenate([SETTLED[:10], SETTLED[9] + 0.02 * np.arange(20)])
    found = diagnose(0.8 * np.exp(-EPOCHS / 10), val, 5000)
    assert found.code == "overfitting"
    assert "epoch 10" in str(found.message)


def test_a_rise_that_is_nothing_beside_what_was_learned_is_not_overfitting() -> None:
    """Validation falls from 1 to 0.0006 and ends at 0.0008: a third above its best, 0.02 % of the fall."""
    val = np.concatenate([np.geomspace(1, 0.0006, 20), np.full(10, 0.0008)])
    assert diagnose(np.geomspace(1, 0.004, 30), val, 5000).code == "fine"


def test_overfitting_on_few_windows_is_too_little_data() -> None:
    found = diagnose(0.8 * np.exp(-EPOCHS / 5), np.full(30, 0.9), 80)
    assert found.code == "too_little_data"
    assert "80 training windows" in str(found.message)


def test_a_loss_that_grows_is_diverging() -> None:
    assert diagnose([1.0, 0.9, 1.2, 2.0, 5.0, 9.0], [1.0, 1.0, 1.2, 2.0, 5.0, 9.0], 5000).code == "diverging"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_diverging(bad: float) -> None:
    assert diagnose([1.0, bad], [1.0, 1.0], 5000).code == "diverging"


def test_a_loss_that_stays_is_a_plateau() -> None:
    noise = 0.002 * np.sin(EPOCHS * 7.0)
    assert diagnose(1.0 + noise, 1.0 - noise, 5000).code == "plateau"


def test_a_loss_that_still_falls_is_improving() -> None:
    assert diagnose(np.exp(-EPOCHS / 20), 1.05 * np.exp(-EPOCHS / 20), 5000).code == "improving"


def test_few_epochs_are_too_early() -> None:
    assert diagnose([1.0, 0.5], [1.0, 0.5], 5000).code == "too_early"
    assert diagnose([], None, 5000).code == "too_early"


def test_without_validation_the_training_loss_is_judged() -> None:
    assert diagnose(SETTLED, None, 5000).code == "fine"
    assert diagnose(SETTLED, [None] * 30, 5000).code == "fine"
