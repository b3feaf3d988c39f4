"""Plain frozen records of what the store holds; no session, no lazy loading, safe to keep and to pass on.

Importing the store does not import pandas, which costs a starting worker half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from core.data.dataset import Column, Dataset

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
JOB_STATES: tuple[JobState, ...] = get_args(JobState)
LIVE_STATES: tuple[JobState, ...] = ("queued", "running")
Lane = Literal["short", "long"]
LANES: tuple[Lane, ...] = get_args(Lane)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One version of a dataset. `created` is when the dataset came, `changed` when this version was made."""

    id: str
    version: int
    name: str
    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    sha256: str
    options: Json
    findings: tuple[Any, ...]
    lines: Json
    source_name: str
    source_sha256: str
    owner: str
    workspace: str
    created: datetime
    changed: datetime

    @property
    def is_damaged(self) -> bool:
        """Whether the Parquet file is missing."""
        return not self.path.is_file()

    def to_dataset(self) -> Dataset:
        """The handle that the rest of `core` works on."""
        from core.data.dataset import Dataset

        return Dataset(self.id, self.version, self.name, self.path, self.n_rows, self.columns, self.sha256)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job. `number` rises with every job submitted; `stop_requested` on a running job reads as "stopping"."""

    id: str
    number: int
    kind: str
    lane: Lane
    state: JobState
    params: Json
    priority: int
    token: str
    attempt: int
    stop_requested: bool
    stop_asked: datetime | None
    host: str | None
    pid: int | None
    pid_started: float | None
    heartbeat: datetime | None
    problem: Json | None
    error_id: str | None
    owner: str
    workspace: str
    created: datetime
    started: datetime | None
    finished: datetime | None

    @property
    def is_live(self) -> bool:
        """Queued or running."""
        return self.state in LIVE_STATES


@dataclass(frozen=True, slots=True)
class EventRow:
    """One stored event; `seq` rises within and across jobs. `attempt` counts the starts of the job, from 1."""

    seq: int
    job_id: str
    attempt: int
    created: datetime
    kind: str
    values: Json


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with the job that executes it. `metrics`, `baseline` and `summary` are None until it has results."""

    id: str
    number: int
    job: JobRow
    dataset_id: str
    dataset_version: int
    dataset_name: str
    name: str
    task: str
    model: str
    request: Json
    metrics: Json | None
    baseline: Json | None
    summary: Json | None
    demo: str | None
    owner: str
    workspace: str
    created: datetime


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What a person said of rows `first_row` to `last_row` (both included) of a run; the newest counts.

    `owner` said it, `assigned_to` works on it; `cause` and `fix` are what was found and what was done about it.
    """

    number: int
    run_id: str
    first_row: int
    last_row: int
    verdict: str
    comment: str
    cause: str
    fix: str
    assigned_to: str
    owner: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One written report."""

    id: str
    run_id: str
    path: Path
    title: str
    language: str
    owner: str
    created: datetime
