"""The screening of a large table as a short job: the web process stays free, leaving the screen loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.data.dataset import Dataset
from core.screening.records import FORMAT
from core.training.events import Event
from core.watching import Stopped
from core.workflows.screening import is_screened, screen_dataset
from core.workflows.short_jobs import ShortRequest, ShortWork, find_short, start_short, stop_short
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext

SMALL_CELLS = 2_000_000
"""Up to so many cells a table is screened at once, in a second or two; larger ones in a job."""
STAGE = "screening"


def is_large(dataset: Dataset) -> bool:
    """Whether a table has so many cells that its screening belongs into a job."""
    return dataset.n_rows * len(dataset.columns) > SMALL_CELLS


def start_screening(ws: Workspace, dataset: Dataset) -> ShortWork:
    """Queue the screening of a version; one that is queued or running already is not asked for twice.

    One that was stopped or failed begins again.
    """
    return start_short(ws, _request(ws, dataset))


def find_screening(ws: Workspace, dataset: Dataset) -> ShortWork | None:
    """The newest screening job of a version, with the columns that are done; None when nobody asked for one, or its result is gone."""
    return find_short(ws, _request(ws, dataset))


def stop_screening(ws: Workspace, job_id: str) -> None:
    """Ask a screening to stop: it ends after the column that it looks at, and keeps nothing."""
    stop_short(ws, job_id)


def run(ctx: JobContext) -> None:
    """The screening job: columns told one by one, the result kept beside the table."""
    dataset_id, version = str(ctx.job.params["dataset_id"]), int(ctx.job.params["version"])

    def told(done: int, total: int) -> None:
        if ctx.stop_requested():
            raise Stopped
        ctx.emit(Event("progress", {"stage": STAGE, "fraction": done / max(1, total), "done": done, "of": total}))

    try:
        screen_dataset(Workspace(ctx.store), dataset_id, version, progress=told)
    except Stopped:
        ctx.cancelled()


def _request(ws: Workspace, dataset: Dataset) -> ShortRequest:
    return ShortRequest(
        "screening",
        f"screening-{FORMAT}-{dataset.id}-{dataset.version}",
        {"dataset_id": dataset.id, "version": dataset.version},
        STAGE,
        lambda job: is_screened(ws, dataset.id, dataset.version),
    )
