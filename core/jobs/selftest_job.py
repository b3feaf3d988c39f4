"""A job that counts: shows that jobs work on this machine, and lets stops, faults and resuming be practised.

Params: `steps` (how many), `seconds` (each), `ending` ("ok", "problem", "error", "memory", "disk_full"), `deaf` (it
does not listen to the wish to stop), `finishing` (seconds that it still needs once it has heard that wish). It goes on
after its last finished step when it is resumed.
"""

from __future__ import annotations

import errno
import json
import time

from core.errors import DataProblem
from core.jobs.context import JobContext
from core.messages import msg
from core.training.events import Event


def run(context: JobContext) -> None:
    """Count to `steps`, then end as asked."""
    params = context.job.params
    steps, seconds = int(params.get("steps", 3)), float(params.get("seconds", 0.05))
    checkpoint = context.store.path(context.job.id, "checkpoints", "count.json")
    done = json.loads(checkpoint.read_text()) if checkpoint.is_file() else 0
    for step in range(done + 1, steps + 1):
        time.sleep(seconds)
        context.store.write_bytes(checkpoint, json.dumps(step).encode())
        context.emit(Event("epoch", {"epoch": step, "epochs": steps, "loss": 1 / step}))
        if not params.get("deaf") and context.stop_requested():
            time.sleep(float(params.get("finishing", 0)))
            context.emit(Event("result", {"steps": step}))
            context.cancelled()
            return
    _end(str(params.get("ending", "ok")))
    context.emit(Event("result", {"steps": steps}))


def _end(ending: str) -> None:
    if ending == "problem":
        raise DataProblem(msg("The test asked for a problem."), msg("Expected none."), msg("Ask for another ending."))
    if ending == "error":
        raise ZeroDivisionError("the test asked for an error")
    if ending == "memory":
        raise MemoryError
    if ending == "disk_full":
        raise OSError(errno.ENOSPC, "No space left on device")
