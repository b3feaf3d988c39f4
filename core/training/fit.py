"""Fit a network: events while it runs, a stop within two seconds, checkpoints, and the best weights at the end.

What it leaves out: windows (features), the baseline (models), scores and thresholds (serving, anomalies).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import NotEnoughData, TrainingProblem
from core.messages import Message, msg
from core.models.spec import NetworkSpec, Shape, Task
from core.settings import Settings
from core.training.checkpoint import Snapshot, read_checkpoint
from core.training.data import BalancedClasses, TrainingData, WindowSource, all_targets, balanced_class_weights, in_memory
from core.training.events import Emit, Event, StopRequested
from core.training.keeper import CHECKPOINT_SECONDS, Keeper, config_hash
from core.training.layers import network_layers
from core.training.losses import resolved_loss
from core.training.optimizers import make_optimizer
from core.training.precision import build_for_training, in_full_precision
from core.training.progress import Progress
from core.training.settings import FitSettings
from core.training.steps import N_SUMS, Steps, compile_steps, evaluation_batch, stacked_batches

StoppedBy = Literal["epochs", "patience", "user", "budget", "diverged"]
BLOCK_SECONDS = 0.25
BLOCK_BYTES = 32 * 2**20
EVALUATION_BATCH = 512
BATCH_EVENT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted Keras model with the weights of its best epoch.

    `history` has one record an epoch: epoch (1-based), loss, val_loss, metric, val_metric, learning_rate, gradient_norm
    (mean over the steps, before it is cut), seconds, best_epoch; without validation windows the two val values are None. `best_epoch` is 0 when the fit was stopped
    within the first epoch; the model then has the weights of that moment. `seconds` counts earlier sessions of a
    resumed fit too.
    """

    model: Any
    history: tuple[dict[str, Any], ...]
    best_epoch: int
    stopped_by: StoppedBy
    seconds: float
    n_epochs: int
    notes: tuple[Message, ...] = ()


def fit_network(
    spec: NetworkSpec,
    settings: Settings,
    shape: Shape,
    task: Task,
    data: TrainingData,
    fit_settings: FitSettings,
    *,
    emit: Emit,
    stop_requested: StopRequested,
    checkpoints: Path | None,
    seed: int,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    told_epochs: int | None = None,
    replay: Sequence[float] = (),
) -> Trained:
    """Build the network and fit it until epochs, patience, budget, the user or a divergence ends it.

    The order of windows follows from `seed` and the epoch alone, TensorFlow's random numbers from `seed`, and its
    operations are set to be deterministic, so that on a CPU a resumed fit ends with the very weights of an
    uninterrupted one. With `checkpoints` a fit that finds a sound checkpoint of the same configuration goes on there.

    Args:
        settings: of the family, `spec.settings`.
        emit: gets every event of `core.training.events`; must return quickly.
        stop_requested: asked several times a second.
        checkpoint_seconds: at most one checkpoint in this time, and one at the end.
        told_epochs: the last epoch whose event an earlier session got out; later ones of a checkpoint are told again.
            None: all were told.
        replay: learning rates of the epochs of an earlier fit: just these epochs are made, whatever the losses, and the
            weights of the last one kept.

    Raises:
        NotEnoughData: no training window.
        TrainingProblem: the loss is not a number before the first epoch is complete.
        StoreProblem: a checkpoint cannot be written.
    """
    if data.train.n == 0:
        raise NotEnoughData(
            msg("There is no window to train on."),
            msg("At least one complete training window is needed."),
            msg("Choose a shorter window, or give more training rows."),
        )
    if replay:
        fit_settings = fit_settings.with_values(epochs=len(replay), patience=len(replay) + 1)
    emit(_stage("building", 0))
    _make_deterministic(seed)
    model, notes = build_for_training(lambda: spec.build(settings, shape, task), fit_settings)
    emit(Event("network", network_layers(model)))
    optimizer = make_optimizer(fit_settings)
    steps = compile_steps(model, optimizer, fit_settings, task, seed, shape.n_tokens)
    train, validation = _sources(data, fit_settings, shape, task)
    fit = _Fit(model, optimizer, steps, train, validation, fit_settings, seed, emit, stop_requested, replay)
    keeper = Keeper(checkpoints, config_hash(spec, settings, shape, task, data, fit_settings, seed), checkpoint_seconds)
    for note in [*notes, *_loss_notes(fit_settings, task)]:
        fit.tell(note)
    fit.resume(keeper, told_epochs)
    emit(_stage("fitting", 1))
    trained = fit.run(keeper)
    return replace(trained, model=in_full_precision(trained.model, lambda: spec.build(settings, shape, task)))


def _stage(name: str, done: int) -> Event:
    return Event("stage", {"name": name, "done": done, "of": 2})


def _note(message: Message) -> Event:
    return Event("note", {"message": message.to_json()})


def _loss_notes(settings: FitSettings, task: Task) -> list[Message]:
    """That another loss is used than was asked for: not every loss is one of values, or of classes."""
    used = resolved_loss(settings.loss, task)
    if settings.loss in ("auto", used):
        return []
    # The names of the choices are in the catalogue by their declaration, as the forms show them.
    asked, taken = (Message(name.replace("_", " ")) for name in (settings.loss, used))
    return [msg("The loss '{asked}' does not fit this task; '{taken}' is used.", asked=asked, taken=taken)]


def _make_deterministic(seed: int) -> None:
    """Same seed, same weights on the same machine. Must come before the first variable."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _sources(
    data: TrainingData, fit_settings: FitSettings, shape: Shape, task: Task
) -> tuple[WindowSource, WindowSource | None]:
    """In memory where they fit; weighted by class where that was asked for."""
    train = in_memory(data.train)
    validation = in_memory(data.validation) if data.validation is not None and data.validation.n > 0 else None
    if task != "classification" or not fit_settings.class_weights:
        return train, validation
    weights = balanced_class_weights(np.asarray(all_targets(train)), shape.n_outputs)
    return BalancedClasses(train, weights), None if validation is None else BalancedClasses(validation, weights)


class _Fit:
    """One fit from its first batch to its result."""

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        steps: Steps,
        train: WindowSource,
        validation: WindowSource | None,
        settings: FitSettings,
        seed: int,
        emit: Emit,
        stop_requested: StopRequested,
        replay: Sequence[float] = (),
    ) -> None:
        self.replay = replay
        self.model, self.optimizer, self.steps = model, optimizer, steps
        self.train, self.validation, self.settings, self.seed = train, validation, settings, seed
        self.emit, self.stop_requested = emit, stop_requested
        self.progress = Progress()
        self.best: list[NDArray[Any]] = []
        self.batch_size = min(settings.batch_size, train.n)
        self.n_batches = -(-train.n // self.batch_size)
        self.block, self.step_seconds = 1, 0.0
        self.last_rate = 0.0
        self.began = self.last_event = time.monotonic()
        self.earlier_seconds = 0.0
        self.notes: list[Message] = []

    def resume(self, keeper: Keeper, told_epochs: int | None) -> None:
        """Go on at the newest sound checkpoint, if there is one, and tell what the session before could no longer tell."""
        if keeper.folder is None:
            return
        restored = read_checkpoint(keeper.folder, keeper.config_hash)
        for message in restored.notes:
            self.tell(message)
        if restored.snapshot is None:
            return
        self.progress, self.best = restored.snapshot.progress, restored.snapshot.best
        self.earlier_seconds = self.progress.seconds
        _assign(self.model.variables, restored.snapshot.model)
        _assign(self._optimizer_state(), restored.snapshot.optimizer)
        self.tell(msg("The run goes on after epoch {epoch}.", epoch=self.progress.epoch))
        for record in [] if told_epochs is None else self.progress.history[told_epochs:]:
            self._emit_epoch(record)

    def snapshot(self) -> Snapshot:
        self.progress.seconds = self.seconds()
        return Snapshot(self.progress, _values(self.model.variables), _values(self._optimizer_state()), self.best)

    def _optimizer_state(self) -> list[Any]:
        return [*self.optimizer.variables, *self.steps.averages, *self.steps.sums]

    def seconds(self) -> float:
        return self.earlier_seconds + time.monotonic() - self.began

    def tell(self, message: Message) -> None:
        self.notes.append(message)
        self.emit(_note(message))

    def run(self, keeper: Keeper) -> Trained:
        """Epochs until something ends them; then the weights of the best one."""
        stopped_by: StoppedBy | None = None
        while stopped_by is None:
            if self.progress.is_out_of_patience(self.settings):
                stopped_by = "patience"
            elif self.progress.epoch >= self.settings.epochs:
                stopped_by = "epochs"
            else:
                stopped_by = self._epoch(keeper)
        if stopped_by != "diverged":
            keeper.write(self.snapshot())
        if self.best:
            _assign(self.model.weights, self.best)
        p = self.progress
        return Trained(self.model, tuple(p.history), p.best_epoch, stopped_by, self.seconds(), p.epoch, tuple(self.notes))

    def _epoch(self, keeper: Keeper) -> StoppedBy | None:
        """One epoch, or what is left of it; None when it is complete and the fit may go on."""
        p, began = self.progress, time.monotonic()
        order = np.random.default_rng([self.seed, p.epoch]).permutation(self.train.n)
        while p.next_batch < self.n_batches:
            ended = self._interruption()
            if ended is not None:
                return ended
            if not self._train_block(order):
                return self._diverged()
            if p.next_batch < self.n_batches:
                self._report_batch()
                if keeper.is_due():
                    keeper.write(self.snapshot())
        # A fit that was stopped while it validated has made its step: then the sums are empty.
        if self.steps.end_epoch is not None and float(self.steps.sums[-1].numpy()) > 0:
            p.sums[3] = float(self.steps.end_epoch()) * self.n_batches
        running = self._take_average()
        validated = self._validate()
        ended = self._interruption() or "budget" if validated is None else self._end_epoch(validated, time.monotonic() - began)
        if running:
            _assign(self.model.trainable_variables, running)
        if ended is None and keeper.is_due():
            keeper.write(self.snapshot())
        return ended

    def _take_average(self) -> list[NDArray[Any]]:
        """Put the running average of the weights into the model, for judging; gives the weights that training goes on with."""
        if not self.steps.averages:
            return []
        running = _values(self.model.trainable_variables)
        _assign(self.model.trainable_variables, _values(self.steps.averages))
        return running

    def _interruption(self) -> StoppedBy | None:
        if self.stop_requested():
            return "user"
        budget = self.settings.budget_minutes
        return "budget" if budget is not None and self.seconds() > 60 * budget else None

    def _train_block(self, order: NDArray[np.int64]) -> bool:
        """Do the next few batches in one call; False when the loss is no longer a number."""
        p = self.progress
        last = min(p.next_batch + self.block, self.n_batches)
        index = order[p.next_batch * self.batch_size : last * self.batch_size]
        windows, targets, weights = stacked_batches(self.train, index, self.batch_size, order)
        began = time.monotonic()
        first = p.epoch * self.n_batches + p.next_batch
        rates = p.learning_rates(self.settings, len(windows), self.n_batches)
        if self.replay:
            rates = np.full(len(windows), self.replay[p.epoch], np.float32)
        sums = np.asarray(self.steps.train(windows, targets, weights, rates, np.int32(first)), dtype=np.float64)
        self._adapt_block(time.monotonic() - began, windows)
        p.sums = [a + float(b) for a, b in zip(p.sums, sums.sum(axis=0), strict=True)]
        p.next_batch = last
        self.last_loss, self.last_norm = float(sums[-1, 0] / max(sums[-1, 1], 1e-12)), float(sums[-1, 3])
        self.last_rate = float(rates[-1])
        return bool(np.isfinite(sums).all())

    def _adapt_block(self, seconds: float, windows: NDArray[np.float32]) -> None:
        """Batches in the next call, so that it takes about a quarter of a second. The first call traces and does not count."""
        if self.step_seconds > 0 or self.block > 1:
            self.step_seconds = seconds / len(windows)
            fitting = max(1, BLOCK_BYTES // max(windows[0].nbytes, 1))
            self.block = int(np.clip(BLOCK_SECONDS / max(self.step_seconds, 1e-6), 1, fitting))
        else:
            self.block = 2

    def _report_batch(self) -> None:
        p, now = self.progress, time.monotonic()
        is_first = p.epoch == 0 and p.next_batch == 1
        if is_first or now - self.last_event >= BATCH_EVENT_SECONDS:
            self.last_event = now
            values = {
                "epoch": p.epoch + 1,
                "fraction": p.next_batch / self.n_batches,
                "loss": self.last_loss,
                "learning_rate": self.last_rate,
                "gradient_norm": self.last_norm,
            }
            self.emit(Event("batch", values))

    def _validate(self) -> tuple[float, float] | None:
        """Loss and metric on the validation windows; NaN for both without any; None when interrupted."""
        if self.validation is None:
            return math.nan, math.nan
        sums = np.zeros(N_SUMS - 1)
        for index in _chunks(self.validation.n):
            if self._interruption() is not None:
                return None
            sums += np.asarray(self.steps.evaluate(*evaluation_batch(self.validation, index)), dtype=np.float64)
        return float(sums[0] / max(sums[1], 1e-12)), float(sums[2] / max(sums[1], 1e-12))

    def _end_epoch(self, validated: tuple[float, float], seconds: float) -> StoppedBy | None:
        p = self.progress
        weight = max(p.sums[1], 1e-12)
        loss, has_validation = p.sums[0] / weight, self.validation is not None
        watched = validated[0] if has_validation else loss
        if not math.isfinite(watched):
            return self._diverged()
        if p.is_improved(watched) or self.replay:
            self.best = _values(self.model.weights)
        record = {
            "epoch": p.epoch + 1,
            "loss": loss,
            "val_loss": validated[0] if has_validation else None,
            "metric": p.sums[2] / weight,
            "val_metric": validated[1] if has_validation else None,
            "learning_rate": self.last_rate,
            "gradient_norm": p.sums[3] / self.n_batches,
            "seconds": seconds,
        }
        p.end_epoch(record, watched, self.settings)
        self.last_event = time.monotonic()
        self._emit_epoch(p.history[-1])
        return None

    def _emit_epoch(self, record: Mapping[str, float | None]) -> None:
        self.emit(Event("epoch", {**record, "epochs": self.settings.epochs}))

    def _diverged(self) -> StoppedBy:
        """Say so, with a way out; an error when there is no good epoch to fall back on."""
        p, smaller = self.progress, self.settings.learning_rate / 10
        advice = msg("Train again with learning rate {rate}, and look for extreme values in the data.", rate=smaller)
        what = msg("The loss is not a number in epoch {epoch}.", epoch=p.epoch + 1)
        if not self.best:
            expected = msg("It should become smaller from epoch to epoch.")
            raise TrainingProblem(what, expected, advice, epoch=p.epoch + 1, learning_rate=self.settings.learning_rate)
        self.tell(msg("{what} The weights of epoch {best} are kept. {advice}", what=what, best=p.best_epoch, advice=advice))
        return "diverged"


def _chunks(n: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, n, EVALUATION_BATCH):
        yield np.arange(start, min(start + EVALUATION_BATCH, n), dtype=np.int64)


def _values(variables: list[Any]) -> list[NDArray[Any]]:
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
