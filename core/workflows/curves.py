"""Events of a job as curves, progress and time left. Pure but for the one read of the last events in `progress_of`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from core.evaluation.result import Metric
from core.messages import Message
from core.store import EventRow, JobRow, Store
from core.workflows.choices import CandidateLine, candidate_line
from core.workflows.records import Curves, metrics_from_json

MAX_BATCH_POINTS = 20_000


class CurveReader:
    """Curves that grow with their events, each of which is read once.

    A later attempt replaces what the earlier one did from its first epoch on. Epochs are all kept; of the losses within
    epochs every second one goes whenever there are more than `MAX_BATCH_POINTS`, so that a long training stays light.
    """

    def __init__(self) -> None:
        self.last_seq = 0
        self._attempt, self._stage = 0, ""
        self._n_train: int | None = None
        self._epochs: dict[int, _Epoch] = {}
        self._batches: list[tuple[float, float, float, float]] = []
        self._notes: list[Message] = []
        self._baseline: dict[str, Metric] = {}
        self._baseline_model = ""
        self._network: Mapping[str, Any] | None = None
        self._candidates: dict[int, CandidateLine] = {}
        self._candidate: int | None = None
        self._trial_curves: dict[int, dict[int, float]] = {}
        self._used: tuple[float, float] | None = None

    def add(self, events: Sequence[EventRow]) -> None:
        """Take the events that follow the last one seen, in order."""
        for event in events:
            self.last_seq = event.seq
            if event.attempt >= self._attempt:
                self._take(event)
        while len(self._batches) > MAX_BATCH_POINTS:
            self._batches = self._batches[::-2][::-1]  # the newest stays

    def curves(self, state: str) -> Curves:
        """The curves so far of a job in this state."""
        ordered = [self._epochs[k] for k in sorted(self._epochs)]
        last = ordered[-1] if ordered else None
        return Curves(
            epochs=np.array(sorted(self._epochs), dtype=np.float64),
            loss=np.array([e.loss for e in ordered], dtype=np.float64),
            val_loss=np.array([e.val_loss for e in ordered], dtype=np.float64),
            metric=np.array([e.metric for e in ordered], dtype=np.float64),
            val_metric=np.array([e.val_metric for e in ordered], dtype=np.float64),
            metric_key="" if last is None else last.metric_key,
            batch_x=np.array([b[0] for b in self._batches]),
            batch_loss=np.array([b[1] for b in self._batches]),
            best_epoch=None if last is None else last.best_epoch,
            planned_epochs=None if last is None else last.planned,
            stage=self._stage,
            n_train=self._n_train,
            last_seq=self.last_seq,
            seconds_left=_seconds_left(ordered) if state == "running" else None,
            state=state,
            baseline=dict(self._baseline),
            baseline_model=self._baseline_model,
            notes=tuple(self._notes),
            network=self._network,
            candidates=tuple(self._candidates[k] for k in sorted(self._candidates)),
            candidate=self._candidate,
            trial_curves={
                k: (np.array(sorted(c), dtype=np.float64), np.array([c[e] for e in sorted(c)]))
                for k, c in self._trial_curves.items()
            },
            used=self._used,
            learning_rate=np.array([e.learning_rate for e in ordered], dtype=np.float64),
            gradient_norm=np.array([e.gradient_norm for e in ordered], dtype=np.float64),
            batch_learning_rate=np.array([b[2] for b in self._batches]),
            batch_gradient_norm=np.array([b[3] for b in self._batches]),
        )

    def _take(self, event: EventRow) -> None:
        values = event.values
        if event.kind in ("epoch", "batch") and values.get("candidate") != self._candidate:
            self._candidate, self._epochs, self._batches = values.get("candidate"), {}, []  # another network's curve
        if event.kind in ("epoch", "batch") and event.attempt > self._attempt:
            self._begin_again(event.attempt, int(values["epoch"]))
        if event.kind == "stage":
            self._stage, self._n_train = str(values["name"]), values.get("n_train", self._n_train)
        elif event.kind == "epoch":
            told = self._epochs[int(values["epoch"])] = _epoch(values)
            if self._candidate is not None:
                self._trial_curves.setdefault(self._candidate, {})[told.number] = told.val_loss
        elif event.kind == "candidate":
            self._candidates[int(values["number"])] = candidate_line(int(values["number"]), values)
            self._used = float(values["used"]), float(values["budget"])
        elif event.kind == "batch" and values.get("loss") is not None:
            place = int(values["epoch"]) - 1 + float(values["fraction"])
            rate, norm = (_number(values, name) for name in ("learning_rate", "gradient_norm"))
            self._batches.append((place, float(values["loss"]), rate, norm))
        elif event.kind == "network":
            self._network = values
        elif event.kind == "note":
            self._notes.append(Message.from_json(values["message"]))
        elif event.kind == "result" and values.get("baseline") and not self._baseline:
            self._baseline, self._baseline_model = metrics_from_json(values["metrics"]), str(values["model"])

    def _begin_again(self, attempt: int, first: int) -> None:
        self._attempt = attempt
        self._epochs = {epoch: told for epoch, told in self._epochs.items() if epoch < first}
        self._batches = [point for point in self._batches if point[0] < first - 1]


class _Epoch(NamedTuple):
    """What one epoch has told; NaN where it told nothing."""

    number: int
    loss: float
    val_loss: float
    metric: float
    val_metric: float
    seconds: float
    metric_key: str
    best_epoch: int | None
    planned: int | None
    learning_rate: float
    gradient_norm: float


def _number(values: Mapping[str, Any], key: str) -> float:
    return np.nan if values.get(key) is None else float(values[key])


def _epoch(values: Mapping[str, Any]) -> _Epoch:
    def number(key: str) -> float:
        return _number(values, key)

    return _Epoch(
        number=int(values["epoch"]),
        loss=number("loss"),
        val_loss=number("val_loss"),
        metric=number("metric"),
        val_metric=number("val_metric"),
        seconds=number("seconds"),
        metric_key=str(values.get("metric_key", "")),
        best_epoch=int(values["best_epoch"]) if values.get("best_epoch") else None,
        planned=int(values["epochs"]) if values.get("epochs") else None,
        learning_rate=number("learning_rate"),
        gradient_norm=number("gradient_norm"),
    )


def curves_of(events: Sequence[EventRow], state: str) -> Curves:
    """Curves from all events of a job, in order."""
    reader = CurveReader()
    reader.add(events)
    return reader.curves(state)


def progress_of(store: Store, job: JobRow) -> tuple[float | None, float | None]:
    """Share done (0 to 1) and seconds left of a running job, from its last few events, or its last epoch before them."""
    last = store.last_seq(job.id)
    recent = store.events_after(job.id, max(0, last - 60), 60)
    if not any(event.kind == "epoch" for event in recent):
        epoch = store.last_event(job.id, "epoch")
        recent = recent if epoch is None else (epoch, *recent)
    tried = store.last_event(job.id, "candidate")
    if tried is not None:
        used = float(tried.values["used"]) + (datetime.now(UTC) - tried.created).total_seconds()
        return min(0.99, used / max(1.0, float(tried.values["budget"]))), max(0.0, float(tried.values["budget"]) - used)
    curves = curves_of(recent, job.state)
    if curves.planned_epochs and len(curves.epochs):
        return float(min(1.0, curves.epochs[-1] / curves.planned_epochs)), curves.seconds_left
    return _stage_progress(store, job), None


def _stage_progress(store: Store, job: JobRow) -> float | None:
    """Share done of a job that has no epoch yet: its stages count alike, and a long stage tells how far it is."""
    stage, told = store.last_event(job.id, "stage"), store.last_event(job.id, "progress")
    if stage is None or told is None or told.seq < stage.seq:
        return None
    return (float(stage.values["done"]) + float(told.values["fraction"])) / float(stage.values["of"])


def _seconds_left(told: Sequence[_Epoch]) -> float | None:
    """Epochs still planned times the median of the last five."""
    if not told or told[-1].planned is None:
        return None
    recent = [e.seconds for e in told[-5:] if not np.isnan(e.seconds)]
    return float((told[-1].planned - told[-1].number) * np.median(recent)) if recent else None
