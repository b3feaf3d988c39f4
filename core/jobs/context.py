"""What a job's function is handed: the store, its row, its folder, a way to speak and a way to hear "stop".

A thread of its own carries events and heartbeats to the store, so that a training loop never waits for the disk.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.errors import StoreProblem
from core.store import JobRow, Store
from core.training.events import Event
from core.watching import Stopped, Watch

COMMIT_SECONDS = 0.5
HEARTBEAT_SECONDS = 3.0
LOOK_SECONDS = 0.25
WATCH_SECONDS = 1.0

log = logging.getLogger(__name__)


class JobContext:
    """One attempt of one job, seen from inside its worker process."""

    def __init__(self, store: Store, job: JobRow) -> None:
        self.store, self.job = store, job
        self.log = logging.getLogger(f"andon.job.{job.kind}")
        self.was_cancelled, self._heard = False, False
        self._flag = store.path(job.id, "stop")
        self._stop, self._ending = threading.Event(), threading.Event()
        self._wake, self._lock = threading.Event(), threading.Lock()
        self._waiting: list[Event] = []
        self._looked = 0.0
        self._carrier = threading.Thread(target=self._carry, name="andon-events", daemon=True)

    @property
    def folder(self) -> Path:
        """The job's own folder, for checkpoints and work in progress; it is kept between attempts."""
        folder = self.store.path(self.job.id, "job")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def emit(self, event: Event) -> None:
        """Say something. It reaches the store within half a second, at most two commits a second."""
        with self._lock:
            self._waiting.append(event)
        self._wake.set()

    def stop_requested(self) -> bool:
        """Whether the job should end now, keeping what it has. Cheap enough for every batch."""
        time_now = time.monotonic()
        if not self._stop.is_set() and time_now - self._looked >= LOOK_SECONDS:
            self._looked = time_now
            if self._flag.exists():
                self._stop.set()
        if self._stop.is_set() and not self._heard:
            self._acknowledge()
        return self._stop.is_set()

    def watch(self, stage: str, *, stops: bool = True) -> Watch:
        """What a long stage is given: it tells how far it is, at most once a second, and ends when a stop is asked for.

        Args:
            stops: False for a stage that keeps what is there, which a stop must not take away.
        """
        told = [time.monotonic()]

        def watching(share: float) -> None:
            if self.stop_requested() and stops:  # asked either way: who waits for the stop has to see that it was heard
                raise Stopped
            if time.monotonic() - told[0] >= WATCH_SECONDS:
                told[0] = time.monotonic()
                self.emit(Event("progress", {"stage": stage, "fraction": float(share)}))

        return watching

    def cancelled(self) -> None:
        """The job's function says that it ended early because it was asked to; without this it counts as succeeded."""
        self.was_cancelled = True

    def ask_to_stop(self) -> None:
        """Make `stop_requested` answer True (a signal came, or the job was taken away)."""
        self._stop.set()

    def start(self) -> None:
        """Begin to carry events and heartbeats."""
        self._carrier.start()

    def close(self) -> None:
        """Stop carrying, then store what is left.

        Raises:
            StoreProblem: the last events cannot be stored.
        """
        self._ending.set()
        self._wake.set()
        if self._carrier.is_alive():
            self._carrier.join()
        self._store_events()

    def _acknowledge(self) -> None:
        """Tell the supervisor that the job is ending by itself, so that it gets the time to keep its results."""
        self._heard = True
        with suppress(OSError):
            heard = self.store.path(self.job.id, "stop_heard")
            heard.parent.mkdir(parents=True, exist_ok=True)
            heard.touch()

    def _carry(self) -> None:
        committed, beaten = 0.0, time.monotonic()
        while not self._ending.is_set():
            self._wake.wait(COMMIT_SECONDS)
            self._wake.clear()
            if self._ending.wait(max(0.0, committed + COMMIT_SECONDS - time.monotonic()) if self._waiting else 0):
                return
            try:
                if self._store_events():
                    committed = time.monotonic()
                if time.monotonic() - beaten >= HEARTBEAT_SECONDS:
                    beaten = time.monotonic()
                    self._beat()
            except StoreProblem as problem:
                # Events stay in memory and go with the next commit; at the end `close` raises if it still fails.
                log.warning("The store refused for now: %s", problem)
                committed = time.monotonic()

    def _store_events(self) -> bool:
        with self._lock:
            taken = list(self._waiting)
        self.store.append_events(self.job.id, taken, self.job.attempt)
        with self._lock:
            del self._waiting[: len(taken)]
        return bool(taken)

    def _beat(self) -> None:
        if not self.store.heartbeat(self.job.id, self.job.attempt):
            log.warning("This attempt of the job was ended from outside.")
            self.ask_to_stop()
        elif self.store.get_job(self.job.id).stop_requested:
            # The flag file is only on this machine; a stop asked for elsewhere comes by the row.
            self.ask_to_stop()
