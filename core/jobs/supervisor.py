"""Starts queued jobs, stops those that shall stop, and notices those whose process is gone.

Any number of supervisors may run on one store (two servers, a server and a command line): a job is started by the one
that claims its row. When a supervisor dies its workers go on; the next one finds them by number and start time.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psutil

from core.errors import Problem, StoreProblem
from core.jobs.endings import EXIT_DISK_FULL, not_started, out_of_memory, process_gone
from core.jobs.processes import (
    find_process,
    host_name,
    kill_tree,
    memory_is_short,
    own_identity,
    start_python,
    start_time,
    terminate,
)
from core.jobs.spare_keeper import SpareKeeper
from core.store import JobRow, Lane, Store
from core.store.jobs import seconds_since
from core.store.problems import disk_full
from core.store.records import LANES

SUPERVISOR_KEY = "supervisor"
STALE_SECONDS = 20.0
MEMORY_PER_TRAINING = 2 * 2**30
_KILLED = (-9, 137)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Intervals in seconds.

    Args:
        tick: Between two looks at the queue.
        terminate_after: From the wish to stop to the signal; the flag alone should do before.
        kill_after: From the wish to stop to the end of the whole process tree, where the job has not heard it.
        finish_within: The same where the job has heard it and is writing what it has.
        stale: Silence after which a job without a known process counts as lost.
        lost: Silence after which a job on another machine counts as lost.
        announce: Between two signs of life of this supervisor.
        settle: After the start, before spare worker and demo jobs: the first screen goes first.
    """

    tick: float = 0.25
    terminate_after: float = 6.0
    kill_after: float = 15.0
    finish_within: float = 600.0
    stale: float = STALE_SECONDS
    lost: float = 60.0
    announce: float = 5.0
    settle: float = 3.0


def default_limits(cores: int | None = None, memory_bytes: int | None = None) -> Mapping[Lane, int]:
    """How many jobs run at once in each lane: one training on two cores, two short jobs beside it."""
    cores = cores or os.cpu_count() or 1
    memory_bytes = memory_bytes or psutil.virtual_memory().total
    return {"short": 2, "long": max(1, min(cores - 1, memory_bytes // MEMORY_PER_TRAINING))}


def live_supervisor(store: Store, stale: float = STALE_SECONDS) -> bool:
    """Whether a server supervises this store now."""
    sign = store.get_setting(SUPERVISOR_KEY) or {}
    if not sign or time.time() - float(sign["time"]) > stale:
        return False
    return sign["host"] != host_name() or find_process(int(sign["pid"]), float(sign["pid_started"])) is not None


class Supervisor:
    """Looks after the jobs of a store, in a thread of its own from `start` to `stop`.

    Args:
        store: The store.
        limits: Jobs at once by lane; by default from cores and memory.
        timing: Intervals.
        spare: The kind that a spare worker is kept for, or "" for none.
        only: Start only these jobs (a command line that waits for its own); None for all.
    """

    def __init__(
        self,
        store: Store,
        *,
        limits: Mapping[Lane, int] | None = None,
        timing: Timing | None = None,
        spare: str = "train",
        only: Collection[str] | None = None,
    ) -> None:
        self._store, self._timing, self._only = store, timing or Timing(), only
        self._limits = limits or default_limits()
        self._spare = SpareKeeper(store, spare) if spare else None
        self._children: dict[str, tuple[int, subprocess.Popen[bytes]]] = {}
        self._host = host_name()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="andon-supervisor", daemon=True)
        self._began = time.monotonic()
        self._announced = -float("inf")

    def start(self) -> None:
        """Begin to supervise."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End supervising and let the spare worker go; running jobs go on."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._spare is not None:
            self._spare.let_go()
        if self._only is None:
            try:
                self._store.set_setting(SUPERVISOR_KEY, {})
            except StoreProblem as problem:
                log.warning("%s", problem)

    def tick(self) -> None:
        """One round: announce, notice ends, stop, make room, start, keep a spare."""
        self._announce()
        running = self._store.list_jobs(("running",))
        for job in running:
            self._look_at(job)
        self._reap()
        queued = self._store.list_jobs(("queued",))
        if self._only is not None:
            queued = tuple(job for job in queued if job.id in self._only)
        if not self._is_settled:
            queued = tuple(job for job in queued if job.priority >= 0)
        if queued:
            self._make_room(queued)
            self._start_jobs({job.lane for job in queued})
        self._keep_spare()

    @property
    def spare_pid(self) -> int | None:
        """The number of the waiting spare worker, or None."""
        return None if self._spare is None else self._spare.pid

    @property
    def _is_settled(self) -> bool:
        return time.monotonic() - self._began >= self._timing.settle

    def _loop(self) -> None:
        if self._only is None:
            self._tidy()
        while not self._ending.is_set():
            try:
                self.tick()
            except (StoreProblem, OSError, psutil.Error) as error:
                log.warning("Supervising failed for now: %s", error)
            self._ending.wait(self._timing.tick)

    def _tidy(self) -> None:
        try:
            swept = self._store.sweep()
        except (StoreProblem, OSError) as error:
            log.warning("Tidying up failed: %s", error)
        else:
            log.info("Tidied up: %d orphans to the trash, %d leftovers removed.", len(swept.orphans), len(swept.removed))

    def _announce(self) -> None:
        if self._only is None and time.monotonic() - self._announced >= self._timing.announce:
            pid, started = own_identity()
            sign = {"host": self._host, "pid": pid, "pid_started": started, "time": time.time()}
            self._store.set_setting(SUPERVISOR_KEY, sign)
            self._announced = time.monotonic()

    def _look_at(self, job: JobRow) -> None:
        """End a running job whose process is gone; press one that shall stop."""
        silence = seconds_since(job.heartbeat)
        if job.host != self._host:
            if silence > self._timing.lost:
                self._end(job, process_gone())
            return
        child = self._child(job)
        process = None if job.pid is None else find_process(job.pid, job.pid_started)
        if process is None and job.pid is not None and silence <= self._timing.stale and psutil.pid_exists(job.pid):
            process = find_process(job.pid, None)  # alive and heard of: the clock moved, not the process
        if process is not None:
            self._press(job, process)
        elif child is not None and child.poll() is not None:
            self._end(job, _reason(child.returncode))
        elif job.pid is not None or (child is None and silence > self._timing.stale):
            self._end(job, process_gone())

    def _press(self, job: JobRow, process: psutil.Process) -> None:
        """Flag, then signal, then the end of the tree."""
        waited = seconds_since(job.stop_asked) if job.stop_requested else 0.0
        heard = waited > 0 and self._store.path(job.id, "stop_heard").exists()
        if waited >= (self._timing.finish_within if heard else self._timing.kill_after):
            log.warning("Job %s did not stop; ending its processes.", job.id)
            kill_tree(process)
            self._end(job, None)
        elif waited >= self._timing.terminate_after and not heard:
            terminate(process)

    def _end(self, job: JobRow, problem: Problem | None) -> None:
        """Record the end of a job that could not do so itself; one that was asked to stop counts as stopped."""
        stored = None if problem is None or job.stop_requested else problem.to_json()
        self._store.finish_job(job.id, job.attempt, "cancelled" if job.stop_requested else "interrupted", stored)

    def _reap(self) -> None:
        """Forget own children that have ended, so that none stays a zombie."""
        for job_id, (_, child) in list(self._children.items()):
            if child.poll() is not None:
                del self._children[job_id]

    def _make_room(self, queued: Collection[JobRow]) -> None:
        """Put work that nobody asked for back into the queue when the user's own waits for its place."""
        if not any(job.lane == "long" and job.priority >= 0 for job in queued):
            return
        running = self._store.list_jobs(("running",), "long")
        if len(running) < self._limits["long"]:
            return
        for job in (job for job in running if job.priority < 0 and job.host == self._host and job.pid is not None):
            process = find_process(job.pid, job.pid_started)  # type: ignore[arg-type]
            if self._store.put_back(job.id, job.attempt) and process is not None:
                kill_tree(process)
            return

    def _start_jobs(self, lanes: Collection[Lane]) -> None:
        for lane in LANES:
            if lane not in lanes or len(self._store.list_jobs(("running",), lane)) >= self._limits[lane]:
                continue
            while job := self._claim(lane):
                self._start_one(job)

    def _claim(self, lane: Lane) -> JobRow | None:
        lowest = None if self._is_settled else 0
        return self._store.claim_next(lane, host=self._host, limit=self._limits[lane], only=self._only, lowest=lowest)

    def _start_one(self, job: JobRow) -> None:
        child = self._spare.hand_over(job) if self._spare is not None and job.priority >= 0 else None
        if child is None:
            arguments = ("--job", job.id, "--attempt", str(job.attempt))
            try:
                child = start_python(self._store, "core.jobs.worker", *arguments, log=self._store.path(job.id, "log"))
            except OSError as error:
                self._end(job, not_started(error.strerror or str(error)))
                return
        self._children[job.id] = job.attempt, child
        started = start_time(child.pid)
        if started is not None:
            self._store.expect_worker(job.id, job.attempt, pid=child.pid, pid_started=started)

    def _child(self, job: JobRow) -> subprocess.Popen[bytes] | None:
        attempt, child = self._children.get(job.id, (0, None))
        return child if attempt == job.attempt else None

    def _keep_spare(self) -> None:
        """A spare worker is for the user's next training, so none is kept while one of his runs or waits."""
        if self._spare is None or not self._is_settled or self._spare.pid is not None:
            return
        live = self._store.list_jobs(("queued", "running"), "long")
        if not any(job.priority >= 0 for job in live):
            self._spare.keep()


def _reason(code: int) -> Problem:
    """What an exit code says of a job that did not record its own end."""
    if code == EXIT_DISK_FULL:
        return disk_full()
    if code in _KILLED or memory_is_short():
        return out_of_memory()
    return process_gone()
