"""The screening of a large table as a short job: the web process stays free, leaving the screen loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from core.data.dataset import Dataset
from core.errors import Problem, problem_from_json
from core.screening.records import FORMAT
from core.store import JobRow
from core.store.records import LIVE_STATES
from core.training.events import Event
from core.watching import Stopped
from core.workflows.screening import is_screened, screen_dataset
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext

SMALL_CELLS = 2_000_000
"""Up to so many cells a table is screened at once, in a second or two; larger ones in a job."""


@dataclass(frozen=True, slots=True)
class ScreeningWork:
    """A screening that somebody asked for. `done` of `total` columns are looked at, both 0 until its worker is up.

    `state` is that of the job: "succeeded" where the screening is kept. `queue_position` counts from 1 while it waits.
    """

    job_id: str
    state: str
    done: int = 0
    total: int = 0
    queue_position: int | None = None
    is_stopping: bool = False
    problem: Problem | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


def is_large(dataset: Dataset) -> bool:
    """Whether a table has so many cells that its screening belongs into a job."""
    return dataset.n_rows * len(dataset.columns) > SMALL_CELLS


def start_screening(ws: Workspace, dataset: Dataset) -> ScreeningWork:
    """Queue the screening of a version; one that is queued or running already is not asked for twice.

    One that was stopped or failed begins again.
    """
    for number in count():
        params = {"dataset_id": dataset.id, "version": dataset.version}
        job, _ = ws.store.submit_job("screening", lane="short", params=params, token=_token(dataset, number))
        if job.is_live:
            return _work(ws, job)
        if job.state != "succeeded":
            return _work(ws, ws.store.resume_job(job.id))
        if is_screened(ws, dataset.id, dataset.version):
            return _work(ws, job)
    raise AssertionError("count() has no end")


def find_screening(ws: Workspace, dataset: Dataset) -> ScreeningWork | None:
    """The newest screening job of a version; None when nobody asked for one, or its result is gone."""
    found = None
    for number in count():
        job = ws.store.find_job(_token(dataset, number))
        if job is None:
            break
        found = job
    if found is None or (found.state == "succeeded" and not is_screened(ws, dataset.id, dataset.version)):
        return None
    return _work(ws, found)


def stop_screening(ws: Workspace, job_id: str) -> None:
    """Ask a screening to stop: it ends after the column that it looks at, and keeps nothing."""
    ws.store.request_stop(job_id)


def run(ctx: JobContext) -> None:
    """The screening job: columns told one by one, the result kept beside the table."""
    dataset_id, version = str(ctx.job.params["dataset_id"]), int(ctx.job.params["version"])

    def told(done: int, total: int) -> None:
        if ctx.stop_requested():
            raise Stopped
        ctx.emit(Event("progress", {"stage": "screening", "fraction": done / max(1, total), "done": done, "of": total}))

    try:
        screen_dataset(Workspace(ctx.store), dataset_id, version, progress=told)
    except Stopped:
        ctx.cancelled()


def _token(dataset: Dataset, number: int) -> str:
    return f"screening-{FORMAT}-{dataset.id}-{dataset.version}-{number}"


def _work(ws: Workspace, job: JobRow) -> ScreeningWork:
    event = ws.store.last_event(job.id, "progress") if job.state == "running" else None
    told = event is not None and event.attempt == job.attempt
    return ScreeningWork(
        job.id,
        job.state,
        int(event.values["done"]) if event is not None and told else 0,
        int(event.values["of"]) if event is not None and told else 0,
        ws.store.queue_position(job.id) if job.state == "queued" else None,
        job.is_live and job.stop_requested,
        problem_from_json(job.problem) if job.problem else None,
    )
