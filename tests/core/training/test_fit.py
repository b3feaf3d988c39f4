"""The fit's promises: events, stop, budget, divergence, class weights, streaming, resume within one process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from core.errors import NotEnoughData, TrainingProblem
from core.models import Shape, model_by_key
from core.training.data import ArraySource, Batch, TrainingData, WindowSource
from core.training.events import Event
from core.training.fit import Trained, fit_network
from core.training.settings import FitSettings

pytestmark = pytest.mark.slow
SPEC = model_by_key("dense")


def _source(n: int, seed: int = 0) -> ArraySource:
    windows = np.random.default_rng(seed).normal(size=(n, 1, 4)).astype(np.float32)
    return ArraySource(windows, windows[:, 0, :1] * windows[:, 0, 1:2])


@dataclass
class Job:
    """One call of `fit_network` with everything small, and the events it gave."""

    train: WindowSource = field(default_factory=lambda: _source(256))
    validation: WindowSource | None = field(default_factory=lambda: _source(64, seed=1))
    checkpoints: Path | None = None
    stop: object = staticmethod(lambda: False)
    events: list[Event] = field(default_factory=list)
    task: str = "regression"

    def run(self, seed: int = 3, told_epochs: int | None = None, **values: object) -> Trained:
        settings = FitSettings.read({"epochs": 3, "batch_size": 32, **values})
        return fit_network(
            SPEC,
            SPEC.settings(units=8, layers=1),
            Shape(1, 4, 2 if self.task == "classification" else 1),
            self.task,  # type: ignore[arg-type]
            TrainingData(self.train, self.validation),
            settings,
            emit=self.events.append,
            stop_requested=self.stop,  # type: ignore[arg-type]
            checkpoints=self.checkpoints,
            seed=seed,
            checkpoint_seconds=0.0,
            told_epochs=told_epochs,
        )

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def test_events_come_in_order_and_the_first_batch_is_reported_at_once() -> None:
    job = Job()
    trained = job.run()
    assert job.kinds() == ["stage", "network", "stage", "batch", "epoch", "epoch", "epoch"]
    assert [job.events[i].values["name"] for i in (0, 2)] == ["building", "fitting"]
    assert job.events[3].values["fraction"] == pytest.approx(1 / 8)
    last = job.events[-1].values
    assert set(last) == {
        "epoch",
        "loss",
        "val_loss",
        "metric",
        "val_metric",
        "learning_rate",
        "gradient_norm",
        "seconds",
        "best_epoch",
        "epochs",
    }
    assert (trained.stopped_by, trained.n_epochs, len(trained.history)) == ("epochs", 3, 3)


def test_the_reported_validation_loss_is_that_of_the_returned_weights() -> None:
    job = Job()
    trained = job.run(epochs=5)
    source = _source(64, seed=1)
    given = trained.model.predict_on_batch(source.windows)
    best = trained.history[trained.best_epoch - 1]
    assert best["val_loss"] == min(r["val_loss"] for r in trained.history)
    assert best["val_loss"] == pytest.approx(float(np.mean((given - source.targets) ** 2)), rel=1e-5)
    assert best["val_metric"] == pytest.approx(float(np.mean(np.abs(given - source.targets))), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [("mae", lambda e: np.abs(e)), ("huber", lambda e: np.where(np.abs(e) <= 1, e**2 / 2, np.abs(e) - 0.5))],
)
def test_other_losses_are_what_their_names_say(loss: str, expected) -> None:
    trained = Job().run(loss=loss)
    source = _source(64, seed=1)
    error = trained.model.predict_on_batch(source.windows) - source.targets
    assert trained.history[trained.best_epoch - 1]["val_loss"] == pytest.approx(float(expected(error).mean()), rel=1e-5)


def test_a_short_last_batch_counts_only_its_windows() -> None:
    """One epoch without learning: the training loss is the plain mean over 50 windows in batches of 32."""
    job = Job(train=_source(50), validation=_source(50))
    record = job.run(epochs=1, learning_rate=1e-12).history[0]
    # Dropout is part of the training loss, so that only the weighting is compared: with 50 windows, not 64.
    assert record["loss"] == pytest.approx(record["val_loss"], rel=0.3)
    assert Job(train=_source(7)).run(epochs=1).n_epochs == 1


def test_stop_comes_within_two_seconds_and_keeps_the_best_weights(tmp_path: Path) -> None:
    asked: list[float] = []
    job = Job(train=_source(100_000), checkpoints=tmp_path)

    def stop() -> bool:
        if sum(e.kind == "epoch" for e in job.events) >= 1 and job.kinds()[-1] == "batch":
            asked.append(time.monotonic())
        return bool(asked)

    job.stop = stop
    trained = job.run(epochs=1000, patience=1000, batch_size=8)
    assert time.monotonic() - asked[0] < 2
    assert trained.stopped_by == "user"
    assert trained.best_epoch >= 1
    assert trained.n_epochs < 1000

    resumed = Job(train=_source(100_000), checkpoints=tmp_path, stop=lambda: False)
    again = resumed.run(epochs=trained.n_epochs + 1, patience=1000, batch_size=8)
    assert [e.values["epoch"] for e in resumed.events if e.kind == "epoch"] == [trained.n_epochs + 1]
    assert again.seconds > trained.seconds


def test_a_stop_before_the_first_epoch_gives_the_weights_of_that_moment() -> None:
    trained = Job(stop=lambda: True).run()
    assert (trained.stopped_by, trained.best_epoch, trained.history) == ("user", 0, ())


def test_the_time_budget_ends_the_fit() -> None:
    trained = Job().run(epochs=100_000, patience=100_000, budget_minutes=0.5 / 60)
    assert trained.stopped_by == "budget"
    assert trained.seconds < 60  # all epochs would take many minutes; a step on a busy machine takes seconds


def test_patience_ends_the_fit_at_the_best_weights() -> None:
    windows = np.random.default_rng(0).normal(size=(64, 1, 4)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=(128, 1)).astype(np.float32)
    job = Job(train=ArraySource(windows, noise[:64]), validation=ArraySource(windows, noise[64:]))
    trained = job.run(epochs=500, patience=4, learning_rate=0.01)
    assert trained.stopped_by == "patience"
    assert trained.n_epochs == trained.best_epoch + 4


def test_a_loss_that_is_no_number_at_once_is_an_error_with_advice() -> None:
    bad = _source(256)
    bad.windows[3] = np.inf
    with pytest.raises(TrainingProblem, match=r"not a number in epoch 1.*learning rate 0\.0001"):
        Job(train=bad).run()


class TurnsBad:
    """A source whose windows become infinite after a number of epochs."""

    def __init__(self, source: ArraySource, batches: int) -> None:
        self.source, self.left, self.n = source, batches, source.n

    def batch(self, index: np.ndarray) -> Batch:
        windows, targets, weights = self.source.batch(index)
        self.left -= len(index)
        return (windows if self.left >= 0 else windows * np.inf), targets, weights


def test_a_later_divergence_keeps_the_last_good_weights_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.fit.in_memory", lambda source: source)
    job = Job(train=TurnsBad(_source(256), 2 * 256 + 40))
    trained = job.run(epochs=10)
    assert trained.stopped_by == "diverged"
    assert trained.n_epochs == 2
    assert np.isfinite(trained.model.predict_on_batch(_source(5).windows)).all()
    assert "learning rate" in str(trained.notes[-1])
    assert job.kinds()[-1] == "note"


def test_streamed_windows_give_the_same_weights_as_windows_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Job().run()
    monkeypatch.setattr("core.training.fit.in_memory", lambda source: source)
    streamed = Job(train=TurnsBad(_source(256), 10**9)).run()
    for a, b in zip(held.model.get_weights(), streamed.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_without_validation_the_training_loss_is_watched() -> None:
    trained = Job(validation=None).run()
    assert trained.history[-1]["val_loss"] is None
    assert trained.best_epoch >= 1


def test_class_weights_make_the_rare_class_more_likely() -> None:
    windows = _source(400).windows
    codes = (windows[:, 0, 0] > 1.6).astype(np.int32)
    job = Job(train=ArraySource(windows, codes), validation=ArraySource(windows, codes), task="classification")
    plain, balanced = (job.run(epochs=10, class_weights=w).model.predict_on_batch(windows)[:, 1].mean() for w in (False, True))
    assert balanced > 1.5 * plain


def test_a_finished_fit_is_not_trained_again(tmp_path: Path) -> None:
    first = Job(checkpoints=tmp_path)
    done = first.run()
    second = Job(checkpoints=tmp_path)
    again = second.run()
    assert "epoch" not in second.kinds()
    assert again.history == done.history
    for a, b in zip(done.model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_epochs_that_a_killed_session_could_not_tell_are_told_from_the_checkpoint(tmp_path: Path) -> None:
    first = Job(checkpoints=tmp_path)
    first.run(epochs=4)
    second = Job(checkpoints=tmp_path)
    second.run(told_epochs=2, epochs=5)
    first_told, told = ([e.values for e in job.events if e.kind == "epoch"] for job in (first, second))
    assert [values["epoch"] for values in told] == [3, 4, 5]
    assert [{**values, "epochs": 4} for values in told[:2]] == first_told[2:]


def test_no_window_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="no window to train on"):
        Job(train=ArraySource(np.zeros((0, 1, 4), np.float32), np.zeros((0, 1), np.float32))).run()


def test_the_events_carry_the_rate_and_the_length_of_the_gradient() -> None:
    job = Job()
    trained = job.run(schedule="constant", learning_rate=0.002)
    batch = next(e.values for e in job.events if e.kind == "batch")
    assert batch["learning_rate"] == pytest.approx(0.002)
    assert batch["gradient_norm"] > 0
    assert all(record["gradient_norm"] > 0 for record in trained.history)


def test_a_loss_that_does_not_fit_the_task_is_named() -> None:
    job = Job()
    trained = job.run(loss="focal", epochs=1)
    assert [str(n) for n in trained.notes] == ["The loss 'focal' does not fit this task; 'mse' is used."]
    assert "note" in job.kinds()


def test_sixteen_bits_without_a_card_change_nothing_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.precision.has_graphics_card", lambda: False)
    asked, plain = Job().run(mixed_precision=True), Job().run()
    assert "graphics card" in str(asked.notes[0])
    assert [r["loss"] for r in asked.history] == [r["loss"] for r in plain.history]


def test_what_was_trained_in_sixteen_bits_is_given_back_in_thirty_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor can compute in 16 bits too, only slowly, so that the way can be tested without a card."""
    monkeypatch.setattr("core.training.precision.has_graphics_card", lambda: True)
    half, plain = Job().run(mixed_precision=True), Job().run()
    assert {layer.compute_dtype for layer in half.model.layers} == {"float32"}
    # Dropout draws other masks in 16 bits, so that the two fits are alike and not the same.
    assert half.history[-1]["loss"] == pytest.approx(plain.history[-1]["loss"], rel=0.2)
    assert half.history[-1]["loss"] != plain.history[-1]["loss"]
    given = half.model.predict_on_batch(_source(64, seed=1).windows)
    best = half.history[half.best_epoch - 1]["val_loss"]
    assert float(np.mean((given - _source(64, seed=1).targets) ** 2)) == pytest.approx(best, rel=0.02)


def test_full_batch_descent_goes_on_bit_equal_from_within_an_epoch(tmp_path: Path) -> None:
    values = {"optimizer": "gradient_descent", "epochs": 3, "averaging": 0.9}
    straight = Job().run(**values)
    first = Job(checkpoints=tmp_path)
    first.stop = lambda: first.kinds().count("epoch") == 1 and first.kinds()[-1] == "epoch" and next(calls) > 0
    calls = iter(range(100))  # the second question of epoch 2 is answered with yes: some of its batches are done
    stopped = first.run(**values)
    assert stopped.stopped_by == "user"
    resumed = Job(checkpoints=tmp_path).run(**values)
    for a, b in zip(straight.model.get_weights(), resumed.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


@dataclass
class TenMillion:
    """Windows of 60 rows × 20 of a table of ten million rows, 48 GB in all, made when they are asked for."""

    n: int = 10_000_000
    largest: int = 0
    asked: int = 0

    def batch(self, index: np.ndarray) -> Batch:
        self.largest, self.asked = max(self.largest, len(index)), self.asked + 1
        windows = np.broadcast_to((index % 7).astype(np.float32)[:, None, None], (len(index), 60, 20)).copy()
        return windows, windows[:, -1, :1], None


def test_ten_million_windows_are_drawn_a_block_at_a_time() -> None:
    source = TenMillion()
    trained = fit_network(
        SPEC,
        SPEC.settings(units=2, layers=1),
        Shape(60, 20, 1),
        "regression",
        TrainingData(source, TenMillion(n=2_000_000)),
        FitSettings(epochs=1, batch_size=128),
        emit=lambda _: None,
        stop_requested=lambda: source.asked > 12,
        checkpoints=None,
        seed=0,
    )
    assert trained.stopped_by == "user"
    assert source.largest > 128, "blocks grow beyond one batch"
    assert source.largest * 60 * 20 * 4 <= 32 * 2**20
