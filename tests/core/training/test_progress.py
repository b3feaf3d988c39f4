"""Early stopping and learning-rate plans, fed with losses instead of trained."""

from __future__ import annotations

import json

import pytest

from core.training.progress import Progress
from core.training.settings import FitSettings


def _after(losses: list[float], settings: FitSettings) -> Progress:
    progress = Progress()
    for loss in losses:
        progress.end_epoch({"epoch": progress.epoch + 1.0, "loss": loss}, loss, settings)
        if progress.is_out_of_patience(settings):
            break
    return progress


def test_patience_counts_epochs_since_the_best_one() -> None:
    progress = _after([3.0, 2.0, 2.5, 2.0, 2.1, 1.0], FitSettings(patience=3))
    assert (progress.epoch, progress.best_epoch, progress.best) == (5, 2, 2.0)


def test_an_equal_loss_is_no_improvement() -> None:
    assert _after([1.0, 1.0], FitSettings()).best_epoch == 1


def test_nan_is_never_an_improvement() -> None:
    assert not Progress().is_improved(float("nan"))


def test_a_stall_of_a_third_of_the_patience_halves_the_rate() -> None:
    settings = FitSettings(patience=9, learning_rate=0.01, schedule="plateau")
    assert _after([1.0, 2.0, 2.0], settings).learning_rate(settings) == 0.01
    assert _after([1.0, 2.0, 2.0, 2.0], settings).learning_rate(settings) == 0.005
    assert _after([1.0] + [2.0] * 6, settings).learning_rate(settings) == 0.0025
    assert _after([1.0] + [2.0] * 3 + [0.5], settings).learning_rate(settings) == 0.005


def test_the_rate_never_falls_below_a_hundredth() -> None:
    settings = FitSettings(learning_rate=0.01, schedule="plateau")
    assert Progress(halvings=50).learning_rate(settings) == pytest.approx(0.0001)


def test_the_cosine_goes_from_the_first_rate_to_a_hundredth_of_it() -> None:
    settings = FitSettings(learning_rate=0.01, schedule="cosine", epochs=11)
    rates = [Progress(epoch=e).learning_rate(settings) for e in (0, 5, 10)]
    assert rates == pytest.approx([0.01, 0.00505, 0.0001])


def test_the_cosine_of_a_single_epoch_is_the_first_rate() -> None:
    assert Progress().learning_rate(FitSettings(learning_rate=0.01, schedule="cosine", epochs=1)) == 0.01


def test_constant_stays() -> None:
    assert Progress(epoch=40, halvings=3).learning_rate(FitSettings(learning_rate=0.2, schedule="constant")) == 0.2


def test_progress_survives_json_before_and_after_the_first_epoch() -> None:
    for progress in (Progress(), _after([1.0, 0.5], FitSettings())):
        assert Progress.from_json(json.loads(json.dumps(progress.to_json()))) == progress


def test_a_warm_up_grows_evenly_step_by_step_to_the_rate() -> None:
    settings = FitSettings(learning_rate=0.8, schedule="constant", warmup_epochs=2)
    assert Progress().learning_rates(settings, 4, n_batches=4) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert Progress(epoch=1, next_batch=2).learning_rates(settings, 2, n_batches=4) == pytest.approx([0.7, 0.8])
    assert Progress(epoch=2).learning_rates(settings, 2, n_batches=4) == pytest.approx([0.8, 0.8])
    without = FitSettings(learning_rate=0.8, schedule="constant")
    assert Progress().learning_rates(without, 2, n_batches=4) == pytest.approx([0.8, 0.8])


def test_the_cosine_begins_after_the_warm_up() -> None:
    settings = FitSettings(learning_rate=0.01, schedule="cosine", epochs=13, warmup_epochs=2)
    rates = [Progress(epoch=e).learning_rate(settings) for e in (0, 2, 7, 12)]
    assert rates == pytest.approx([0.01, 0.01, 0.00505, 0.0001])
