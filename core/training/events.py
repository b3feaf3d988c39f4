"""What a job says while it runs. Events are plain data; the store numbers them, pages read them by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

EventKind = Literal["stage", "batch", "epoch", "note", "result", "problem", "progress", "network", "candidate"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `values` is JSON-able.

    stage: {"name", "done", "of"}; batch: {"epoch" (1-based), "fraction" (0–1 of the epoch), "loss",
    "learning_rate", "gradient_norm"} of its last step; epoch: {"epoch", "loss", "val_loss", "metric", "val_metric",
    "learning_rate" (of its last step), "gradient_norm" (mean over its steps, before it is cut), "seconds", "best_epoch",
    "epochs"};
    note: {"message": Message JSON}; result: the metrics; problem: Problem JSON;
    progress: {"stage", "fraction" (0–1 of that stage)}; network: {"layers": [{"name", "kind", "shape", "weights", "inputs"}],
    "weights"}, see `core.training.layers`;
    candidate: one model of several that are tried, or one trial of a search: {"number" (from 0), "of", "model", "state"
    (waiting, running, done, stopped, skipped, failed, pruned), "figure", "seconds", "why" (Message JSON or None), "used",
    "budget" (seconds)}. Epochs and batches of such a model carry its number as "candidate".
    """

    kind: EventKind
    values: Mapping[str, object]


Emit = Callable[[Event], None]
StopRequested = Callable[[], bool]
