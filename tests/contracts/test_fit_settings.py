"""Every optimiser with every loss trains, lowers its loss, and gives the same weights again; every declared choice is there."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from core.models import Shape, model_by_key
from core.settings import field_bounds
from core.training.data import ArraySource, TrainingData
from core.training.fit import Trained, fit_network
from core.training.losses import CLASS_LOSSES
from core.training.settings import FitSettings, Loss, Optimizer, Schedule

SPEC = model_by_key("dense")


def _fit(task: str, **values: object) -> Trained:
    windows = np.random.default_rng(0).normal(size=(96, 1, 3)).astype(np.float32)
    target = windows[:, 0, :1] - windows[:, 0, 1:2]
    source = ArraySource(windows, (target[:, 0] > 0).astype(np.int32) if task == "classification" else target)
    settings = FitSettings.read({"epochs": 6, "batch_size": 24, "averaging": 0.0, "learning_rate": 0.01, **values})
    return fit_network(
        SPEC,  # type: ignore[arg-type]
        SPEC.settings.read({"units": 4, "layers": 1, "dropout": 0}),
        Shape(1, 3, 2 if task == "classification" else 1),
        task,  # type: ignore[arg-type]
        TrainingData(source, None),
        settings,
        emit=lambda _: None,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", get_args(Optimizer))
@pytest.mark.parametrize("loss", get_args(Loss))
def test_every_optimiser_lowers_every_loss_and_does_it_again_the_same(optimizer: str, loss: str) -> None:
    task = "classification" if loss in CLASS_LOSSES else "regression"
    first, second = (_fit(task, optimizer=optimizer, loss=loss, input_noise=0.01) for _ in range(2))
    losses = [record["loss"] for record in first.history]
    assert min(losses[1:]) < losses[0]
    assert losses == [record["loss"] for record in second.history]
    for a, b in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert not first.notes


@pytest.mark.slow
@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_every_schedule_warms_up_step_by_step_and_stores_its_rates(schedule: str) -> None:
    rates = [record["learning_rate"] for record in _fit("regression", schedule=schedule, warmup_epochs=2.0).history]
    assert rates[:2] == pytest.approx([0.005, 0.01], rel=1e-6)
    assert rates[-1] == pytest.approx(0.0001 if schedule == "cosine" else 0.01, rel=1e-6)


def test_every_setting_has_words_and_a_default_within_its_bounds() -> None:
    for name, field in FitSettings.model_fields.items():
        assert field.title and field.description, name
        low, high = field_bounds(field)
        value = getattr(FitSettings(), name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert (low is None or value >= low) and (high is None or value <= high), name
            assert low is not None and high is not None, f"{name} has no range"
