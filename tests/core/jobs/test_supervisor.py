from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from core.jobs import live_supervisor, wait_for_job
from core.jobs.processes import host_name
from core.jobs.supervisor import default_limits
from core.store import JobRow, Store
from tests.core.jobs.helpers import FAST, is_alive, wait_until

Submit = Callable[..., JobRow]
State = Callable[[JobRow], str]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals are tested where there are signals")]


def epochs(store: Store, job: JobRow) -> list[tuple[int, int]]:
    return [(e.attempt, e.values["epoch"]) for e in store.events_after(job.id) if e.kind == "epoch"]


def running(store: Store, job: JobRow, steps: int = 1) -> JobRow:
    wait_until(lambda: len(epochs(store, job)) >= steps)
    return store.get_job(job.id)


def test_a_job_runs_to_its_end_and_tells_of_it(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    job = submit(steps=3, seconds=0.01)
    supervise()
    wait_until(lambda: state_of(job) == "succeeded")
    assert epochs(store, job) == [(1, 1), (1, 2), (1, 3)]
    done = store.get_job(job.id)
    assert done.pid != os.getpid() and done.started is not None and done.finished is not None
    assert done.created <= done.started <= done.finished
    # Reaped: a zombie would keep its number. Only this job's, as other tests of this process have children of their own.
    wait_until(lambda: not psutil.pid_exists(done.pid))


@pytest.mark.parametrize(
    ("ending", "state", "sentence"),
    [
        ("problem", "failed", "The test asked for a problem."),
        ("error", "failed", "The job ended by an error in Andon itself."),
        ("memory", "interrupted", "The job was killed, probably because memory ran out."),
        ("disk_full", "interrupted", "The disk is full; nothing was saved."),
    ],
)
def test_a_bad_end_is_told_in_a_sentence(store: Store, submit: Submit, ending: str, state: str, sentence: str) -> None:
    done = wait_for_job(store, submit(steps=1, seconds=0, ending=ending).id, timing=FAST, timeout=30)
    assert done.problem is not None
    assert (done.state, done.problem["what"]["id"]) == (state, sentence)
    assert [e.kind for e in store.events_after(done.id)] == ["epoch", "problem"]
    log = store.path(done.id, "log").read_text()
    assert ("ZeroDivisionError" in log and str(done.error_id) in log) == (ending == "error")


def test_a_stop_is_heard_within_two_seconds(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    job = submit(steps=1000, seconds=0.05)
    supervise()
    running(store, job)
    asked = time.monotonic()
    assert store.request_stop(job.id).stop_requested
    wait_until(lambda: state_of(job) == "cancelled")
    assert time.monotonic() - asked < 2.0


def test_a_job_that_does_not_listen_is_ended(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    job = submit(steps=1000, seconds=0.05, deaf=True)
    supervise()
    pid = running(store, job).pid
    assert pid is not None
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")
    wait_until(lambda: not is_alive(pid))


def test_a_job_that_listens_gets_the_time_to_keep_its_results(
    store: Store, submit: Submit, supervise: Any, state_of: State
) -> None:
    job = submit(steps=1000, seconds=0.05, finishing=2 * FAST.kill_after)
    supervise()
    running(store, job)
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")
    assert store.events_after(job.id)[-1].kind == "result"


def test_a_killed_job_is_interrupted_and_goes_on_where_it_was(
    store: Store, submit: Submit, supervise: Any, state_of: State
) -> None:
    job = submit(steps=40, seconds=0.05)
    supervise()
    os.kill(running(store, job, 2).pid or 0, signal.SIGKILL)
    wait_until(lambda: state_of(job) == "interrupted")
    problem = store.get_job(job.id).problem
    # Which of the two is found first depends on the clock: the exit code of the child, or that the process is gone.
    assert problem is not None and any(
        w in problem["what"]["id"] for w in ("memory ran out", "process that ran this job is gone")
    )
    store.resume_job(job.id)
    wait_until(lambda: any(attempt == 2 for attempt, _ in epochs(store, job)))
    first = max(step for attempt, step in epochs(store, job) if attempt == 1)
    second = min(step for attempt, step in epochs(store, job) if attempt == 2)
    # what the killed attempt had counted in its last half second was kept on disk but not yet told
    assert first < second <= first + 12
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")


def test_two_supervisors_start_every_job_once(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    supervise(), supervise()
    jobs = [submit("short", steps=2, seconds=0.01) for _ in range(4)]
    wait_until(lambda: all(state_of(job) == "succeeded" for job in jobs), 40)
    assert [epochs(store, job) for job in jobs] == [[(1, 1), (1, 2)]] * 4


def test_short_jobs_do_not_wait_behind_a_training(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    long, waiting = submit(steps=1000, seconds=0.05), submit(steps=1)
    supervise()
    running(store, long)
    jobs = [submit("short", steps=1, seconds=0.01) for _ in range(20)]
    most = 0
    while not all(state_of(job) == "succeeded" for job in jobs[:4]):
        most = max(most, len(store.list_jobs(("running",), "short")))
        time.sleep(0.02)
    assert most == 2
    assert (state_of(long), state_of(waiting), store.queue_position(waiting.id)) == ("running", "queued", 1)
    for job in (*jobs, waiting, long):
        store.request_stop(job.id)
    wait_until(lambda: state_of(long) == "cancelled")


def test_demo_work_makes_room_for_the_user(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    demo = submit(priority=-1, steps=1000, seconds=0.05)
    supervise()
    pid = running(store, demo).pid
    own = submit(steps=1000, seconds=0.05)
    running(store, own)
    assert pid is not None and not is_alive(pid)
    assert (state_of(demo), store.get_job(demo.id).attempt) == ("queued", 2)
    store.request_stop(own.id)
    wait_until(lambda: state_of(own) == "cancelled")
    wait_until(lambda: any(attempt == 2 for attempt, _ in epochs(store, demo)))
    store.request_stop(demo.id)
    wait_until(lambda: state_of(demo) == "cancelled")


def test_a_job_outlives_its_server_and_the_next_one_takes_it_over(
    store: Store, submit: Submit, server: Any, supervise: Any, state_of: State
) -> None:
    job, lost = submit(steps=1000, seconds=0.05), submit("short", steps=1000, seconds=0.05)
    process = server()
    running(store, job)
    os.kill(running(store, lost).pid or 0, signal.SIGKILL)
    process.kill()
    process.wait()
    wait_until(lambda: not live_supervisor(store))
    before = len(epochs(store, job))
    running(store, job, before + 3)
    supervise()
    wait_until(lambda: state_of(lost) == "interrupted")
    store.request_stop(job.id)
    wait_until(lambda: state_of(job) == "cancelled")
    assert [step for _, step in epochs(store, job)] == list(range(1, len(epochs(store, job)) + 1))


def test_the_command_line_leaves_its_job_to_a_living_server(store: Store, submit: Submit, server: Any) -> None:
    server()
    wait_until(lambda: live_supervisor(store))
    job, heard = submit(steps=2, seconds=0.01), []
    done = wait_for_job(store, job.id, on_event=heard.append, timing=FAST, timeout=30)
    assert done.state == "succeeded"
    assert [e.kind for e in heard] == ["epoch", "epoch", "result"]
    assert not [c for c in psutil.Process().children() if "core.jobs.worker" in c.cmdline()]


def test_the_command_line_starts_only_its_own_job(store: Store, submit: Submit, state_of: State) -> None:
    other, mine = submit(steps=1), submit(steps=1, seconds=0.01)
    assert wait_for_job(store, mine.id, timing=FAST, timeout=30).state == "succeeded"
    assert state_of(other) == "queued"


def test_a_job_claimed_by_a_server_that_died_at_once_is_found(
    store: Store, submit: Submit, supervise: Any, state_of: State
) -> None:
    job = submit()
    store.claim_next("long", host=host_name(), limit=1)
    supervise()
    wait_until(lambda: state_of(job) == "interrupted", 10)


def test_a_job_of_a_silent_machine_is_given_up(store: Store, submit: Submit, supervise: Any, state_of: State) -> None:
    job = submit()
    store.claim_next("long", host="another", limit=1)
    supervise()
    assert state_of(job) == "running"
    wait_until(lambda: state_of(job) == "interrupted", 10)


@pytest.mark.parametrize(("cores", "gigabytes", "trainings"), [(1, 8, 1), (2, 8, 1), (8, 64, 7), (16, 8, 4), (4, 1, 1)])
def test_trainings_at_once_follow_cores_and_memory(cores: int, gigabytes: int, trainings: int) -> None:
    assert default_limits(cores, gigabytes * 2**30) == {"short": 2, "long": trainings}
