"""Seeding many faults as a short job: the web process stays free, it tells how far it is, and can be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.watching import Stopped
from core.workflows.results import Results, open_results
from core.workflows.seeding import kept_seeding, request_key, seed_faults
from core.workflows.seeding_records import SeedSettings
from core.workflows.short_jobs import ShortRequest, ShortWork, find_short, start_short, stop_short
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext

STAGE = "seeding"


def start_seeding(ws: Workspace, results: Results, settings: SeedSettings) -> ShortWork:
    """Queue a request; one that is queued or running already is not asked for twice. One that was stopped or failed begins again."""
    return start_short(ws, _request(ws, results, settings))


def find_seeding(ws: Workspace, results: Results, settings: SeedSettings) -> ShortWork | None:
    """The newest job of a request; None when nobody asked for one, or its answer is gone."""
    return find_short(ws, _request(ws, results, settings))


def stop_seeding(ws: Workspace, job_id: str) -> None:
    """Ask it to stop: it ends after the faults of one size, and keeps nothing."""
    stop_short(ws, job_id)


def run(ctx: JobContext) -> None:
    """The job."""
    ws = Workspace(ctx.store)
    results = open_results(ws, str(ctx.job.params["run_id"]))
    try:
        seed_faults(ws, results, SeedSettings.read(ctx.job.params["settings"]), ctx.watch(STAGE))
    except Stopped:
        ctx.cancelled()


def _request(ws: Workspace, results: Results, settings: SeedSettings) -> ShortRequest:
    return ShortRequest(
        "seeding",
        f"{request_key(settings)}-{results.run.id}",
        {"run_id": results.run.id, "settings": settings.model_dump(mode="json")},
        STAGE,
        lambda job: kept_seeding(ws, results, settings) is not None,
    )
