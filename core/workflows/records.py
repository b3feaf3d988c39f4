"""What workflows hand to pages and the command line about runs: plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.split import Split
from core.errors import Problem, problem_from_json
from core.evaluation.result import Metric
from core.messages import Message
from core.models import model_by_key
from core.models.spec import Estimate
from core.screening.leaks import Leak
from core.store import RunRow
from core.training.recommend import Recommendation
from core.training.request import TrainRequest
from core.workflows.choices import CandidateLine, ChoiceFacts, choice_of


@dataclass(frozen=True, slots=True)
class Run:
    """One training attempt as a person sees it. Times are aware UTC.

    `progress` is 0 to 1 and `seconds_left` an estimate, both None while unknown. `metrics` are those of the test part.
    `is_stopping` says that a stop was asked for and the job has not ended yet.
    """

    id: str
    number: int
    name: str
    job_id: str
    dataset_id: str
    dataset_version: int
    dataset_name: str
    task: str
    model: str
    state: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    request: TrainRequest
    metrics: Mapping[str, Metric]
    baseline: str
    baseline_metrics: Mapping[str, Metric]
    other_baselines: Mapping[str, Mapping[str, Metric]]
    summary: Mapping[str, Any]
    problem: Problem | None
    error_id: str
    queue_position: int | None
    progress: float | None
    seconds_left: float | None
    is_stopping: bool
    is_demo: bool
    has_results: bool
    can_resume: bool

    @property
    def is_live(self) -> bool:
        """Queued or running."""
        return self.state in ("queued", "running")

    @property
    def choice(self) -> ChoiceFacts | None:
        """How the model was chosen; None where it was asked for by name."""
        return choice_of(self.summary.get("choice"))

    @property
    def notes(self) -> tuple[Message, ...]:
        """What has to be known about the figures: a random split, a missing interval, an early end."""
        return tuple(Message.from_json(note) for note in self.summary.get("notes", ()))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One numbered event of a run's job."""

    seq: int
    created: datetime
    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Curves:
    """The live curves of a run. `epochs`, `loss`, `val_loss`, `metric` and `val_metric` are (n_epochs,).

    `batch_x` holds epochs as fractions (2.5 = half of epoch 3) and `batch_loss` the running loss there;
    `batch_learning_rate` and `batch_gradient_norm` belong to the same places. `learning_rate` (of the last step) and
    `gradient_norm` (mean over the steps, before it is cut) are (n_epochs,). NaN where a run did not tell them.
    Where several models are tried: `candidates` in their order, `candidate` the number of the one whose curve this is,
    `trial_curves` epochs and validation losses by number, `used` seconds of the seconds that are given.
    """

    epochs: NDArray[np.float64]
    loss: NDArray[np.float64]
    val_loss: NDArray[np.float64]
    metric: NDArray[np.float64]
    val_metric: NDArray[np.float64]
    metric_key: str
    batch_x: NDArray[np.float64]
    batch_loss: NDArray[np.float64]
    best_epoch: int | None
    planned_epochs: int | None
    stage: str
    n_train: int | None
    last_seq: int
    seconds_left: float | None
    state: str
    baseline: Mapping[str, Metric]
    baseline_model: str
    notes: tuple[Message, ...]
    network: Mapping[str, Any] | None = None
    candidates: tuple[CandidateLine, ...] = ()
    candidate: int | None = None
    trial_curves: Mapping[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    used: tuple[float, float] | None = None
    learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    gradient_norm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    batch_learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    batch_gradient_norm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the curves say, in words, and what to do about it."""

    code: str
    message: Message
    remedy: Message | None


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """One answer to "What do you want to know?": its short title, the question in full, what it gives."""

    key: str
    title: Message
    question: Message
    answer: Message


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """The split on its axis: `positions` (m,) times or row numbers, `parts` int8 (m,), m ≤ 2000."""

    positions: NDArray
    parts: NDArray[np.int8]
    counts: Mapping[str, int]
    method: str
    reason: Message


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """One family that an automatic choice would try, with its seconds by estimate, or leave out, with the reason."""

    model: str
    seconds: float | None
    left_out: Message | None = None


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What would be trained, before it is: nothing was fitted yet. `leaks` are columns that may give the answer away.

    `planned` are the families of an automatic choice, in the order in which they are tried. `text` says which column is read as
    free text, or that it is read by none of what is trained.
    """

    request: TrainRequest
    model: str
    width: int
    split: SplitPreview
    recommendation: Recommendation
    estimate: Estimate | None
    seconds_total: float | None
    model_settings: Mapping[str, Any]
    fit_settings: Mapping[str, Any]
    notes: tuple[Message, ...]
    leaks: tuple[Leak, ...] = ()
    n_features: int = 1
    planned: tuple[PlannedModel, ...] = ()
    text: Message | None = None


def metrics_from_json(stored: Mapping[str, Any] | None) -> dict[str, Metric]:
    """Metrics as a run row or manifest holds them."""
    found = {}
    for key, m in (stored or {}).items():
        why = Message.from_json(m["why_not"]) if m.get("why_not") else None
        found[key] = Metric(key, m["value"], int(m["n"]), m.get("low"), m.get("high"), why)
    return found


def run_record(row: RunRow, *, queue_position: int | None, progress: float | None, seconds_left: float | None) -> Run:
    """The run of a store row."""
    job, baseline = row.job, dict(row.baseline or {})
    return Run(
        id=row.id,
        number=row.number,
        name=row.name or f"{row.model} {row.number}",
        job_id=job.id,
        dataset_id=row.dataset_id,
        dataset_version=row.dataset_version,
        dataset_name=row.dataset_name,
        task=row.task,
        model=row.model,
        state=job.state,
        created=row.created,
        started=job.started,
        finished=job.finished,
        request=TrainRequest.read(row.request),
        metrics=metrics_from_json(row.metrics),
        baseline=str(baseline.get("model", "")),
        baseline_metrics=metrics_from_json(baseline.get("metrics")),
        other_baselines={k: metrics_from_json(v) for k, v in baseline.get("others", {}).items()},
        summary=dict(row.summary or {}),
        problem=problem_from_json(job.problem) if job.problem else None,
        error_id=job.error_id or "",
        queue_position=queue_position,
        progress=progress,
        seconds_left=seconds_left,
        is_stopping=job.is_live and job.stop_requested,
        is_demo=row.demo is not None,
        has_results=row.metrics is not None,
        can_resume=job.state == "interrupted"
        or (job.state == "cancelled" and model_by_key(row.request["model"]).role == "network"),
    )


def _goes_on(request: Mapping[str, Any]) -> bool:
    """Whether a stopped run has something to go on with: epochs, candidates or trials."""
    return bool(request.get("search")) or model_by_key(str(request.get("model", "auto"))).role == "network"


def split_preview(split: Split, positions: NDArray, reason: Message, most: int = 2000) -> SplitPreview:
    """A split thinned to what an axis can show."""
    step = max(1, -(-len(positions) // most))
    return SplitPreview(positions[::step], split.parts[::step], split.counts(), split.settings.method, reason)
