"""The training job as it is queued: the training itself, then the challenge sets of the dataset against the new run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.messages import msg
from core.training.events import Event
from core.workflows.challenge import notes_after_training
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext

_LOG = logging.getLogger("andon.training")


def run(ctx: JobContext) -> None:
    """Train; a run that has results is checked, and says in its notes what came of it."""
    from core.jobs import train_job

    train_job.run(ctx)
    run_id = str(ctx.job.params["run_id"])
    if ctx.store.get_run(run_id).metrics is None:
        return
    try:
        notes = notes_after_training(Workspace(ctx.store), run_id)
    except Exception:  # noqa: BLE001  the run is whole and stored; the gate asks again before each use, so that nothing passes unchecked
        _LOG.exception("the challenge sets of run %s could not be scored", run_id)
        notes = (msg("The challenge sets could not be scored after the training; they are before each use."),)
    for note in notes:
        ctx.emit(Event("note", {"message": note.to_json()}))
        ctx.store.add_run_note(run_id, note.to_json())
