"""Waiting for a job from the command line: a running server's supervisor does the work, else one of our own."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.jobs.supervisor import Supervisor, Timing, live_supervisor
from core.store import EventRow, JobRow, Store

POLL_SECONDS = 0.2


def wait_for_job(
    store: Store,
    job_id: str,
    *,
    on_event: Callable[[EventRow], None] | None = None,
    timing: Timing | None = None,
    timeout: float | None = None,
) -> JobRow:
    """Wait until a job has ended, or `timeout` seconds are over, and return its row.

    Where no server supervises the store (or it goes away meanwhile), the job is started and watched from here.

    Args:
        on_event: Called with each event once, in order.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    supervisor: Supervisor | None = None
    seen = 0
    try:
        while True:
            job = store.get_job(job_id)
            for event in store.events_after(job_id, seen) if on_event is not None else ():
                seen = event.seq
                if on_event is not None:
                    on_event(event)
            if not job.is_live or (deadline is not None and time.monotonic() > deadline):
                return job
            if supervisor is None and not live_supervisor(store):
                supervisor = Supervisor(store, timing=timing, spare="", only={job_id})
                supervisor.start()
            time.sleep(POLL_SECONDS)
    finally:
        if supervisor is not None:
            supervisor.stop()
