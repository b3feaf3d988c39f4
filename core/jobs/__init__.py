"""Jobs: one operating-system process each, described by a row, heard of by events.

A job is submitted as a row (`Store.submit_job`, `Store.add_run`), started by whichever `Supervisor` claims it first,
and run by `core.jobs.worker`. Nobody holds a connection to anybody: a page, the server or the command line may come
and go while the worker runs on.
"""

from core.jobs.context import JobContext
from core.jobs.supervisor import Supervisor, Timing, live_supervisor
from core.jobs.waiting import wait_for_job

__all__ = ["JobContext", "Supervisor", "Timing", "live_supervisor", "wait_for_job"]
