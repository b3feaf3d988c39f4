from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from core.store import JobRow, Store
from tests.core.jobs.helpers import is_alive, wait_until

Submit = Callable[..., JobRow]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="processes are looked at by POSIX means")]


def next_spare(process: Any) -> int:
    return int(wait_until(lambda: int(process.stdout.readline())))


def test_the_spare_worker_takes_the_next_job_and_is_replaced(
    store: Store, submit: Submit, supervise: Any, state_of: Callable[[JobRow], str]
) -> None:
    supervisor = supervise(spare="selftest")
    first = wait_until(lambda: supervisor.spare_pid)
    job = submit(steps=1000, seconds=0.02)
    wait_until(lambda: store.events_after(job.id))
    assert store.get_job(job.id).pid == first
    assert supervisor.spare_pid is None
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")
    second = wait_until(lambda: supervisor.spare_pid)
    assert second != first
    supervisor.stop()
    assert not is_alive(second)
    assert "Traceback" not in store.path(job.id, "log").read_text()


def test_the_spare_worker_ends_with_its_server_but_a_job_does_not(
    store: Store, submit: Submit, server: Any, state_of: Callable[[JobRow], str]
) -> None:
    process = server("selftest")
    taken = next_spare(process)
    job = submit(steps=1000, seconds=0.02)
    wait_until(lambda: store.events_after(job.id))
    assert store.get_job(job.id).pid == taken
    process.kill()
    seen = store.last_seq(job.id)
    wait_until(lambda: store.last_seq(job.id) > seen + 5)
    assert is_alive(taken)
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")

    process = server("selftest")
    idle = next_spare(process)
    process.kill()
    wait_until(lambda: not is_alive(idle), 5)


def test_demo_work_leaves_the_spare_worker_to_the_user(store: Store, submit: Submit, supervise: Any) -> None:
    supervisor = supervise(spare="selftest")
    spare = wait_until(lambda: supervisor.spare_pid)
    demo = submit(priority=-1, steps=1000, seconds=0.05)
    pid = wait_until(lambda: store.get_job(demo.id).pid)
    assert pid != spare and supervisor.spare_pid == spare
    store.request_stop(demo.id)
    wait_until(lambda: not store.get_job(demo.id).is_live)


def test_a_spare_worker_that_was_killed_is_not_waited_for(
    store: Store, submit: Submit, supervise: Any, state_of: Callable[[JobRow], str]
) -> None:
    supervisor = supervise(spare="selftest")
    psutil.Process(wait_until(lambda: supervisor.spare_pid)).kill()
    job = submit(steps=1, seconds=0.01)
    wait_until(lambda: state_of(job) == "succeeded")
