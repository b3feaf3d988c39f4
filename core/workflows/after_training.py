"""The training job as it is queued: the training itself, then the challenge sets of the dataset against the new run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.training.events import Event
from core.workflows.challenge import notes_after_training
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext


def run(ctx: JobContext) -> None:
    """Train; a run that has results is checked, and says in its notes what came of it."""
    from core.jobs import train_job

    train_job.run(ctx)
    run_id = str(ctx.job.params["run_id"])
    if ctx.store.get_run(run_id).metrics is None:
        return
    for note in notes_after_training(Workspace(ctx.store), run_id):
        ctx.emit(Event("note", {"message": note.to_json()}))
        ctx.store.add_run_note(run_id, note.to_json())
