"""Events of a job as curves, progress and time left. Pure but for the one read of the last events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.evaluation.result import Metric
from core.messages import Message
from core.store import EventRow, JobRow, Store
from core.workflows.records import Curves, metrics_from_json


def curves_of(events: Sequence[EventRow], state: str) -> Curves:
    """Curves from all events of a job, in order. A later attempt replaces what the earlier one did from its first epoch on."""
    epochs: dict[int, dict[str, float]] = {}
    batches: list[tuple[float, float]] = []
    stage, n_train, attempt = "", None, 0
    notes: list[Message] = []
    baseline: dict[str, Metric] = {}
    baseline_model = ""
    for event in events:
        values = event.values
        if event.attempt < attempt:
            continue
        if event.kind in ("epoch", "batch") and event.attempt > attempt:
            attempt, first = event.attempt, int(values["epoch"])
            epochs = {epoch: row for epoch, row in epochs.items() if epoch < first}
            batches = [point for point in batches if point[0] < first - 1]
        if event.kind == "stage":
            stage, n_train = str(values["name"]), values.get("n_train", n_train)
        elif event.kind == "epoch":
            epochs[int(values["epoch"])] = dict(values)
        elif event.kind == "batch" and values.get("loss") is not None:
            batches.append((int(values["epoch"]) - 1 + float(values["fraction"]), float(values["loss"])))
        elif event.kind == "note":
            notes.append(Message.from_json(values["message"]))
        elif event.kind == "result" and values.get("baseline") and not baseline:
            baseline, baseline_model = metrics_from_json(values["metrics"]), str(values["model"])
    ordered = [epochs[k] for k in sorted(epochs)]
    last = ordered[-1] if ordered else {}
    return Curves(
        epochs=np.array(sorted(epochs), dtype=np.float64),
        loss=_series(ordered, "loss"),
        val_loss=_series(ordered, "val_loss"),
        metric=_series(ordered, "metric"),
        val_metric=_series(ordered, "val_metric"),
        metric_key=str(last.get("metric_key", "")),
        batch_x=np.array([b[0] for b in batches]),
        batch_loss=np.array([b[1] for b in batches]),
        best_epoch=int(last["best_epoch"]) if last.get("best_epoch") else None,
        planned_epochs=int(last["epochs"]) if last.get("epochs") else None,
        stage=stage,
        n_train=n_train,
        last_seq=events[-1].seq if events else 0,
        seconds_left=_seconds_left(ordered) if state == "running" else None,
        state=state,
        baseline=baseline,
        baseline_model=baseline_model,
        notes=tuple(notes),
    )


def progress_of(store: Store, job: JobRow) -> tuple[float | None, float | None]:
    """Share done (0 to 1) and seconds left of a running job, from its last few events."""
    last = store.last_seq(job.id)
    recent = store.events_after(job.id, max(0, last - 60), 60)
    curves = curves_of(recent, job.state)
    if curves.planned_epochs and len(curves.epochs):
        return float(min(1.0, curves.epochs[-1] / curves.planned_epochs)), curves.seconds_left
    return None, None


def _series(rows: list[dict[str, float]], key: str) -> NDArray[np.float64]:
    return np.array([np.nan if row.get(key) is None else float(row[key]) for row in rows], dtype=np.float64)


def _seconds_left(rows: list[dict[str, float]]) -> float | None:
    """Epochs still planned times the median of the last five."""
    if not rows or rows[-1].get("epochs") is None:
        return None
    recent = [float(row["seconds"]) for row in rows[-5:] if row.get("seconds") is not None]
    if not recent:
        return None
    return float((int(rows[-1]["epochs"]) - int(rows[-1]["epoch"])) * np.median(recent))
