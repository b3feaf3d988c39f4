"""The server's side of the spare worker: keep one, hand it a job, let it go."""

from __future__ import annotations

import json
import subprocess
import time

import psutil

from core.jobs.processes import start_python
from core.store import JobRow, Store

NEEDED_BYTES = 2 * 2**30
END_SECONDS = 3.0
AGAIN_SECONDS = 60.0


class SpareKeeper:
    """Keeps at most one spare worker of a kind."""

    def __init__(self, store: Store, kind: str = "train") -> None:
        self._store, self._kind = store, kind
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def pid(self) -> int | None:
        """The number of the waiting process, or None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def keep(self) -> None:
        """Start a spare worker unless one waits or memory is short; one that ended by itself is replaced after a while."""
        if self._process is not None and self.pid is None and time.monotonic() - self._started < AGAIN_SECONDS:
            return
        if self.pid is None and psutil.virtual_memory().available >= NEEDED_BYTES:
            log = self._store.home / "spare.log"
            log.unlink(missing_ok=True)
            self._started = time.monotonic()
            self._process = start_python(self._store, "core.jobs.spare", "--kind", self._kind, log=log, stdin=subprocess.PIPE)

    def hand_over(self, job: JobRow) -> subprocess.Popen[bytes] | None:
        """Give the job to the waiting worker; None when there is none of that kind."""
        process = self._process
        if process is None or self.pid is None or job.kind != self._kind or process.stdin is None:
            return None
        self._process = None
        try:
            process.stdin.write(json.dumps({"job": job.id, "attempt": job.attempt}).encode() + b"\n")
            process.stdin.close()
        except OSError:
            return None
        return process

    def let_go(self) -> None:
        """End the waiting worker."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
