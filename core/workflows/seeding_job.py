"""Seeding many faults as a short job: the web process stays free, it tells how far it is, and can be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from core.errors import Problem, problem_from_json
from core.store import JobRow
from core.store.records import LIVE_STATES
from core.watching import Stopped
from core.workflows.results import Results, open_results
from core.workflows.seeding import kept_seeding, request_key, seed_faults
from core.workflows.seeding_records import SeedSettings
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class SeedingWork:
    """Seeding that somebody asked for, and the share of it that is done. `state` is that of the job."""

    job_id: str
    state: str
    fraction: float = 0.0
    queue_position: int | None = None
    is_stopping: bool = False
    problem: Problem | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


def start_seeding(ws: Workspace, results: Results, settings: SeedSettings) -> SeedingWork:
    """Queue a request; one that is queued or running already is not asked for twice. One that was stopped or failed begins again."""
    for number in count():
        params = {"run_id": results.run.id, "settings": settings.model_dump(mode="json")}
        job, _ = ws.store.submit_job("seeding", lane="short", params=params, token=_token(results, settings, number))
        if job.is_live:
            return _work(ws, job)
        if job.state != "succeeded":
            return _work(ws, ws.store.resume_job(job.id))
        if kept_seeding(ws, results, settings) is not None:
            return _work(ws, job)
    raise AssertionError("count() has no end")


def find_seeding(ws: Workspace, results: Results, settings: SeedSettings) -> SeedingWork | None:
    """The newest job of a request; None when nobody asked for one, or its answer is gone."""
    found = None
    for number in count():
        job = ws.store.find_job(_token(results, settings, number))
        if job is None:
            break
        found = job
    if found is None or (found.state == "succeeded" and kept_seeding(ws, results, settings) is None):
        return None
    return _work(ws, found)


def stop_seeding(ws: Workspace, job_id: str) -> None:
    """Ask it to stop: it ends after the faults of one size, and keeps nothing."""
    ws.store.request_stop(job_id)


def run(ctx: JobContext) -> None:
    """The job."""
    ws = Workspace(ctx.store)
    results = open_results(ws, str(ctx.job.params["run_id"]))
    try:
        seed_faults(ws, results, SeedSettings.read(ctx.job.params["settings"]), ctx.watch("seeding"))
    except Stopped:
        ctx.cancelled()


def _token(results: Results, settings: SeedSettings, number: int) -> str:
    return f"{request_key(settings)}-{results.run.id}-{number}"


def _work(ws: Workspace, job: JobRow) -> SeedingWork:
    event = ws.store.last_event(job.id, "progress") if job.state == "running" else None
    told = event is not None and event.attempt == job.attempt
    return SeedingWork(
        job.id,
        job.state,
        float(event.values["fraction"]) if event is not None and told else 0.0,
        ws.store.queue_position(job.id) if job.state == "queued" else None,
        job.is_live and job.stop_requested,
        problem_from_json(job.problem) if job.problem else None,
    )
