"""The candidates of an automatic choice: what they are judged on, and one of them fitted, judged and kept in a folder.

Every figure here is of the validation part, or of folds of training and validation part together; no row of the test part is read.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.selection import RowLoss, class_losses
from core.features import ForecastTarget, Inputs
from core.features.targets import ClassTarget
from core.jobs.fitting import fit_baseline, fit_deep, split_folds, thinned
from core.jobs.judging import capped_truth, row_blocks
from core.jobs.refits import fold_outputs, predicted, release_networks
from core.jobs.sources import encoded_targets
from core.models.folds import random_folds
from core.models.tables import balanced_weights
from core.training.events import Emit, Event, StopRequested
from core.training.prepare import Prepared, for_family, with_width
from core.training.resolve import Resolved, resolve_candidate

MOST_JUDGED = 200_000  # evenly spread validation rows: the outputs of every candidate on them are held side by side
SMALL_VALIDATION = 500  # windows; below this the validation part alone is too noisy to choose by
FEWEST_GROUPS = 10
N_FOLDS = 5
FOLD_ROWS = 50


@dataclass(frozen=True, slots=True)
class Ground:
    """What all candidates are judged on.

    `prepared` by window width, on one split. `rows` are the validation rows for which every width has a window;
    `fold_rows` those of training and validation part, each with its `folds` number, where the validation part is small.
    """

    auto: Resolved
    prepared: Mapping[int, Prepared]
    rows: NDArray[np.int64]
    is_small: bool
    fold_rows: NDArray[np.int64] | None = None
    folds: NDArray[np.int64] | None = None

    def of(self, resolved: Resolved) -> Prepared:
        """What one candidate is fitted on: windows of its width, with free text if it reads it.

        Raises:
            NotEnoughData: it does not, and there are no other columns.
        """
        return for_family(self.prepared[resolved.width], resolved.spec)

    def loss(self, rows: NDArray[np.int64]) -> RowLoss:
        """What a row costs: the squared error in the target's unit, of a forecast the mean over its steps, or the cross-entropy of its class."""
        prepared = next(iter(self.prepared.values()))
        target = prepared.target
        if isinstance(target, ClassTarget):
            codes = target.encode(prepared.truth[rows])  # type: ignore[index, arg-type]
            counts_alike = self.auto.fit.class_weights or self.auto.task.oversample
            return class_losses(codes, balanced_weights(codes) if counts_alike else None)
        if isinstance(target, ForecastTarget):
            wanted = np.asarray(encoded_targets(prepared, places_of(prepared.inputs, rows)), dtype=np.float64)
            return lambda outputs: target.scale**2 * np.mean((outputs - wanted) ** 2, axis=1)
        truth = capped_truth(prepared)[rows]
        return lambda outputs: (target.decode(outputs[:, 0]) - truth) ** 2  # type: ignore[union-attr, arg-type]

    def units(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Which rows belong together: those of a group, or of a stretch of time."""
        return row_blocks(rows, next(iter(self.prepared.values())), self.auto)

    @property
    def is_classes(self) -> bool:
        return isinstance(next(iter(self.prepared.values())).target, ClassTarget)

    def figure(self, losses: NDArray[np.float64]) -> float:
        """RMSE, or mean cross-entropy."""
        mean = float(losses.mean())
        return mean if self.is_classes else float(np.sqrt(mean))

    def accuracy(self, outputs: NDArray[np.float64], rows: NDArray[np.int64]) -> float | None:
        """Share of rows whose most probable class is the true one; None where values are predicted."""
        prepared = next(iter(self.prepared.values()))
        if not isinstance(prepared.target, ClassTarget):
            return None
        return float((outputs.argmax(axis=1) == prepared.target.encode(prepared.truth[rows])).mean())  # type: ignore[index, arg-type]


def make_ground(auto: Resolved, prepared: Prepared, widths: list[int]) -> Ground:
    """The common ground of candidates with these window widths; `prepared` has one of them."""
    task = auto.request.task
    by_width = {width: with_width(prepared, width, task) for width in dict.fromkeys([prepared.pipeline.width, *widths])}
    rows = _validation_rows(prepared)
    for other in by_width.values():
        rows = rows[np.isin(rows, _validation_rows(other))]
    rows = thinned(rows, MOST_JUDGED)
    plain = Ground(auto, by_width, rows, is_small=False)
    if task == "anomaly":
        return plain
    units = plain.units(rows)
    is_small = len(rows) < SMALL_VALIDATION or (units is not None and len(np.unique(units)) < FEWEST_GROUPS)
    ground = replace(plain, is_small=is_small)
    return _with_folds(ground, prepared) if is_small and len(by_width) == 1 else ground


def _validation_rows(prepared: Prepared) -> NDArray[np.int64]:
    return np.sort(prepared.inputs.row_of_window[prepared.validation])


def _with_folds(ground: Ground, prepared: Prepared) -> Ground:
    """Folds of training and validation rows, where the split lets any of them stand for new rows.

    After a split by time no earlier stretch may judge a model that has seen a later one: the latest rows alone judge.
    """
    auto = ground.auto
    by_time = auto.split.method in ("time", "first") or (auto.group is None and auto.time is not None) or auto.past is not None
    places = np.sort(np.concatenate([prepared.train, prepared.validation]))
    if by_time or len(places) < FOLD_ROWS:
        return ground
    codes = None
    if isinstance(prepared.target, ClassTarget):
        codes = prepared.target.encode(prepared.truth[prepared.inputs.row_of_window[places]])  # type: ignore[index, arg-type]
    folds = split_folds(auto, prepared, places)
    folds = random_folds(len(places), auto.request.seed, codes, N_FOLDS) if folds is None else folds
    return replace(ground, fold_rows=prepared.inputs.row_of_window[places], folds=folds)


def places_of(inputs: Inputs, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the windows that end in these rows, all of which have one."""
    order = np.argsort(inputs.row_of_window, kind="stable")
    return order[np.searchsorted(inputs.row_of_window, rows, sorter=order)]


@dataclass(slots=True)
class Tried:
    """One candidate and what became of it. `figure` is its RMSE or cross-entropy on the validation rows, `fold_figure` on folds.

    `state`: done, stopped (by the user, with what it had learned), pruned (a search gave it up), skipped, failed. `why` says in
    words why it was left out. `options` are settings that differ from those that were asked for.
    """

    number: int
    model: str
    state: str
    width: int = 1
    is_network: bool = False
    figure: float | None = None
    fold_figure: float | None = None
    accuracy: float | None = None
    seconds: float = 0.0
    fold_seconds: float = 0.0
    estimate: float | None = None
    why: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    trained: dict[str, Any] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        return self.state in ("done", "stopped")


class Kept:
    """The folder of one job in which finished candidates lie, so that a job that was killed goes on behind them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, number: int) -> Path:
        return self.folder / f"{number:02d}"

    def read(self, number: int) -> Tried | None:
        """A candidate that an earlier attempt finished, or None."""
        path = self.of(number) / "tried.json"
        return Tried(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, tried: Tried) -> None:
        """Note that a candidate is finished; its files lie there already."""
        folder = self.of(tried.number)
        folder.mkdir(parents=True, exist_ok=True)
        waiting = folder / "tried.json.tmp"
        waiting.write_text(json.dumps(asdict(tried)), encoding="utf-8")
        waiting.replace(folder / "tried.json")

    @contextmanager
    def safe(self, number: int) -> Iterator[Callable[[], None]]:
        """While a candidate is fitted further: gives what puts its files back as they were."""
        before = self.folder / f"{number:02d}.before"
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(self.of(number), before, ignore=shutil.ignore_patterns("checkpoints"))

        def undo() -> None:
            shutil.copytree(before, self.of(number), dirs_exist_ok=True)

        try:
            yield undo
        finally:
            shutil.rmtree(before, ignore_errors=True)

    def outputs(self, number: int, name: str = "outputs") -> NDArray[np.float64] | None:
        path = self.of(number) / f"{name}.npy"
        return np.load(path, allow_pickle=False) if path.is_file() else None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one candidate is given: how long a network may take at most, who listens, and who ends it.

    `is_due` ends it before that time, because its share of it is used up; that is no stop by a person. `may_go_on`: time that is
    left may go to it then, so that its checkpoints stay.
    """

    seconds: float
    emit: Emit
    stop_requested: StopRequested
    is_due: Callable[[], bool] = lambda: False
    may_go_on: bool = False


def try_candidate(ground: Ground, tried: Tried, kept: Kept, turn: Turn) -> Tried:
    """Fit one candidate and judge it on the validation rows; its files lie in its folder.

    Raises:
        Problem: it cannot be fitted on these data.
    """
    resolved = resolve_candidate(ground.auto, tried.model, **tried.options)
    prepared, folder = ground.of(resolved), kept.of(tried.number)
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    began, state = time.monotonic(), "done"
    trained: dict[str, Any]
    if resolved.spec.role == "network":
        spent = float(tried.trained.get("seconds", 0.0))  # of a fit that goes on: its clock does too
        budget = max(0.02, (spent + turn.seconds) / 60)
        resolved = replace(resolved, fit=resolved.fit.with_values(budget_minutes=budget))
        bundle, fit = fit_deep(
            resolved,
            prepared,
            folder / "bundle",
            emit=_tagged(turn.emit, tried.number),
            stop_requested=lambda: turn.is_due() or turn.stop_requested(),
            checkpoints=folder / "checkpoints",
        )
        ended_by = "budget" if fit.stopped_by == "user" and not turn.stop_requested() else fit.stopped_by
        trained = {"stopped_by": ended_by, "epochs": fit.n_epochs, "best_epoch": fit.best_epoch, "seconds": fit.seconds}
        state = "stopped" if ended_by == "user" else state
        del fit
        release_networks()
    else:
        bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder / "bundle")
        trained = {"stopped_by": "fitted", "epochs": 0, "notes": bundle.manifest.training.get("notes", [])}
    done = replace(tried, state=state, width=resolved.width, trained=trained, is_network=resolved.spec.role == "network")
    if ground.auto.request.task != "anomaly":
        _judge(ground, done, folder, predicted(bundle.predictor, prepared, places_of(prepared.inputs, ground.rows)))
    if state == "done" and not (turn.may_go_on and trained["stopped_by"] == "budget"):
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return replace(done, seconds=tried.seconds + time.monotonic() - began)


def _judge(ground: Ground, tried: Tried, folder: Path, outputs: NDArray[np.float64]) -> None:
    tried.figure = ground.figure(ground.loss(ground.rows)(outputs))
    tried.accuracy = ground.accuracy(outputs, ground.rows)
    np.save(folder / "outputs.npy", outputs)


def judge_by_folds(ground: Ground, tried: Tried, kept: Kept, turn: Turn) -> Tried:
    """A finished candidate, judged once more on every row of training and validation part by fits without its fold.

    Raises:
        Stopped: a stop was asked for.
        Problem: it cannot be fitted without one of the folds.
    """
    rows, folds = ground.fold_rows, ground.folds
    if rows is None or folds is None:
        return tried
    resolved = resolve_candidate(ground.auto, tried.model, **tried.options)
    prepared = ground.of(resolved)
    began = time.monotonic()
    places = places_of(prepared.inputs, rows)
    # A fit that was cut short would be judged for less than it can do: only the end of the whole time ends one.
    outputs = fold_outputs(resolved, prepared, places, folds, seconds=turn.seconds, stop_requested=turn.stop_requested)
    np.save(kept.of(tried.number) / "folds.npy", outputs)
    return replace(
        tried,
        fold_figure=ground.figure(ground.loss(rows)(outputs)),
        accuracy=ground.accuracy(outputs, rows),
        fold_seconds=time.monotonic() - began,
    )


def _tagged(emit: Emit, number: int) -> Emit:
    """The same events with the number of the candidate, so that curves of two networks are not taken for one."""

    def told(event: Event) -> None:
        is_curve = event.kind in ("epoch", "batch")
        emit(Event(event.kind, {**event.values, "candidate": number}) if is_curve else event)

    return told


LossOf = Callable[[NDArray[np.bool_]], RowLoss]


def loss_of_mask(ground: Ground, rows: NDArray[np.int64]) -> LossOf:
    """The loss of the rows that a mask keeps."""
    return partial(_masked_loss, ground, rows)


def _masked_loss(ground: Ground, rows: NDArray[np.int64], mask: NDArray[np.bool_]) -> RowLoss:
    return ground.loss(rows[mask])
