"""The process of one job: `python -m core.jobs.worker --home FOLDER --job ID --attempt N`.

The only place of `core` that catches what nobody expected: the traceback goes to the job's log, the user gets a
sentence and a number.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.errors import Problem, StoreProblem
from core.jobs.context import JobContext
from core.jobs.endings import EXIT_DISK_FULL, EXIT_DONE, EXIT_FAILED, out_of_memory, own_error
from core.jobs.kinds import kind_by_key, load
from core.jobs.processes import host_name, own_identity
from core.store import JobState, Store, new_id, open_store
from core.store.problems import DISK_FULL, disk_full, is_disk_full
from core.training.events import Event

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended."""

    state: JobState
    problem: Problem | None = None
    error_id: str | None = None

    @property
    def is_disk_full(self) -> bool:
        return isinstance(self.problem, StoreProblem) and self.problem.values.get("reason") == DISK_FULL


def run_job(store: Store, job_id: str, attempt: int) -> int:
    """Run one attempt of a job to its end and return the exit code of the process."""
    pid, started = own_identity()
    if not store.attach_worker(job_id, attempt, host=host_name(), pid=pid, pid_started=started):
        log.warning("Job %s is no longer waiting for attempt %d.", job_id, attempt)
        return EXIT_DONE
    context = JobContext(store, store.get_job(job_id))
    if context.job.priority < 0:
        _be_modest()
    signal.signal(signal.SIGTERM, lambda _number, _frame: context.ask_to_stop())
    context.start()
    ending = _close(context, _run(context))
    return _record(context, ending)


def _run(context: JobContext) -> Ending:
    """The job's function, and what its way of ending means."""
    try:
        load(kind_by_key(context.job.kind).target)(context)
    except Problem as problem:
        return _of_problem(problem)
    except MemoryError:
        log.exception("Out of memory")
        return Ending("interrupted", out_of_memory())
    except Exception as error:  # where a job's faults end: the log has the traceback, the job's row the number of it
        if is_disk_full(error):
            log.exception("Disk full")
            return Ending("interrupted", disk_full())
        error_id = new_id()
        log.exception("Unexpected error %s", error_id)
        return Ending("failed", own_error(error_id), error_id)
    return Ending("cancelled" if context.was_cancelled else "succeeded")


def _of_problem(problem: Problem) -> Ending:
    log.error("%s", problem)
    if problem.__cause__ is not None and is_disk_full(problem.__cause__):
        problem = disk_full()  # A checkpoint that found no room has a sentence of its own, and is the same to its user.
    ending = Ending("failed", problem)
    return Ending("interrupted", problem) if ending.is_disk_full else ending


def _close(context: JobContext, ending: Ending) -> Ending:
    """Store the last events; a job whose results cannot be told has not succeeded."""
    if ending.problem is not None:
        context.emit(Event("problem", ending.problem.to_json()))
    try:
        context.close()
    except StoreProblem as problem:
        log.exception("The last events could not be stored")
        return Ending("interrupted", problem)
    return ending


def _record(context: JobContext, ending: Ending) -> int:
    stored: dict[str, Any] | None = None if ending.problem is None else ending.problem.to_json()
    code = EXIT_DISK_FULL if ending.is_disk_full else EXIT_FAILED if ending.problem else EXIT_DONE
    try:
        context.store.finish_job(context.job.id, context.job.attempt, ending.state, stored, ending.error_id)
    except StoreProblem:
        # The supervisor sees the end of this process and records it when the store can be written again.
        log.exception("The end of the job could not be stored")
        return code or EXIT_FAILED
    return code


def _be_modest() -> None:
    """Work that nobody waits for gives way to everything else."""
    process = psutil.Process()
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)


def offer_to_be_killed_first() -> None:
    """When memory runs out, Linux shall end the job and not the server."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists() and os.access(score, os.W_OK):
        score.write_text("500")


def start_logging() -> None:
    """Log lines to the job's log file, which is this process's error output."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of the process."""
    parser = argparse.ArgumentParser(prog="core.jobs.worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--attempt", type=int, default=1)
    given = parser.parse_args(arguments)
    start_logging()
    offer_to_be_killed_first()
    return run_job(open_store(given.home), given.job, given.attempt)


if __name__ == "__main__":
    sys.exit(main())
