from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.jobs import Supervisor
from core.jobs.processes import find_process, kill_tree
from core.store import JobRow, Store, open_store
from tests.core.jobs.helpers import FAST

ROOT = Path(__file__).resolve().parents[3]
SERVER = """
import sys, time
from pathlib import Path
from core.jobs import Supervisor, Timing
from core.store import open_store
timing = Timing(tick=0.05, announce=0.2, settle=0.0)
supervisor = Supervisor(open_store(Path(sys.argv[1])), limits={"short": 2, "long": 1}, timing=timing, spare=sys.argv[2])
supervisor.start()
while True:
    print(supervisor.spare_pid or 0, flush=True)
    time.sleep(0.1)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "home")
    yield store
    for job in store.list_jobs(("running",)):
        if job.pid not in (None, os.getpid()) and (process := find_process(job.pid, job.pid_started)) is not None:
            kill_tree(process)


@pytest.fixture
def submit(store: Store) -> Callable[..., JobRow]:
    def make(lane: Any = "long", priority: int = 0, **params: Any) -> JobRow:
        return store.submit_job("selftest", lane=lane, params=params, priority=priority)[0]

    return make


@pytest.fixture
def supervise(store: Store) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(**changes: Any) -> Supervisor:
        supervisor = Supervisor(store, **({"timing": FAST, "limits": {"short": 2, "long": 1}, "spare": ""} | changes))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


@pytest.fixture
def server(store: Store) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts another process that supervises the store, as the web server does."""
    started: list[subprocess.Popen[bytes]] = []

    def start(spare: str = "") -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-c", SERVER, str(store.home), spare]
        started.append(subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def state_of(store: Store) -> Callable[[JobRow], str]:
    return lambda job: store.get_job(job.id).state
