from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from core.errors import StoreProblem
from core.jobs import JobContext
from core.jobs.processes import host_name, own_identity
from core.jobs.worker import run_job
from core.store import JobRow, Store
from core.store.problems import disk_full
from core.training.events import Event
from core.watching import Stopped
from tests.core.jobs.helpers import wait_until


@pytest.fixture
def context(store: Store, submit: Callable[..., JobRow]) -> JobContext:
    job = submit()
    store.claim_next("long", host=host_name(), limit=1)
    pid, started = own_identity()
    store.attach_worker(job.id, 1, host="elsewhere", pid=pid, pid_started=started)
    return JobContext(store, store.get_job(job.id))


def test_events_reach_the_store_in_order_with_at_most_two_commits_a_second(
    store: Store, context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    append = store.append_events

    def counted(job_id: str, events: Sequence[Event], attempt: int = 1) -> None:
        if events:
            commits.append(len(events))
        append(job_id, events, attempt)

    monkeypatch.setattr(store, "append_events", counted)
    context.start()
    began = time.monotonic()
    for number in range(120):
        context.emit(Event("epoch", {"epoch": number}))
        time.sleep(0.01)
    seconds = time.monotonic() - began
    context.close()
    assert [e.values["epoch"] for e in store.events_after(context.job.id)] == list(range(120))
    assert len(commits) <= 2 * seconds + 2


def test_the_first_event_is_stored_at_once(store: Store, context: JobContext) -> None:
    context.start()
    context.emit(Event("epoch", {"epoch": 1}))
    began = time.monotonic()
    wait_until(lambda: store.events_after(context.job.id), 5)
    assert time.monotonic() - began < 0.4
    context.close()


def test_events_wait_while_the_disk_is_full(store: Store, context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    append, refused = store.append_events, []

    def refuse(job_id: str, events: Sequence[Event], attempt: int = 1) -> None:
        if events and len(refused) < 2:
            refused.append(len(events))
            raise disk_full()
        append(job_id, events, attempt)

    monkeypatch.setattr(store, "append_events", refuse)
    context.start()
    for number in range(3):
        context.emit(Event("epoch", {"epoch": number}))
    wait_until(lambda: len(store.events_after(context.job.id)) == 3, 10)
    context.close()
    assert [e.values["epoch"] for e in store.events_after(context.job.id)] == [0, 1, 2]


def test_events_that_cannot_be_kept_at_the_end_are_an_error(context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(job_id: str, events: Sequence[Event], attempt: int = 1) -> None:
        raise disk_full()

    monkeypatch.setattr(context.store, "append_events", refuse)
    context.emit(Event("result", {}))
    with pytest.raises(StoreProblem, match="disk is full"):
        context.close()


def test_the_wish_to_stop_is_heard_by_the_file(store: Store, context: JobContext) -> None:
    assert not context.stop_requested()
    store.request_stop(context.job.id)
    wait_until(context.stop_requested, 1)


def test_asking_for_a_stop_costs_nothing_in_a_training_loop(context: JobContext) -> None:
    began = time.perf_counter()
    for _ in range(10_000):
        context.stop_requested()
    assert time.perf_counter() - began < 0.5


def test_an_attempt_that_lost_its_job_does_nothing(store: Store, context: JobContext) -> None:
    store.put_back(context.job.id, 1)
    assert run_job(store, context.job.id, 1) == 0
    assert store.get_job(context.job.id).state == "queued"
    assert store.events_after(context.job.id) == ()


def test_a_long_stage_tells_its_share_once_a_second(store: Store, context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr("core.jobs.context.time.monotonic", lambda: next(clock) * 0.3)
    watch = context.watch("preparing", stops=False)
    for share in range(10):
        watch(share / 10)
    monkeypatch.undo()
    context.close()
    told = [e.values["fraction"] for e in store.events_after(context.job.id) if e.kind == "progress"]
    assert 0 < len(told) < 10 and told == sorted(told)


def test_a_long_stage_ends_when_a_stop_is_asked_for_unless_it_keeps_what_is_there(context: JobContext) -> None:
    ends, goes_on = context.watch("baseline"), context.watch("judging", stops=False)
    ends(0.1)
    context.ask_to_stop()
    goes_on(0.5)
    assert context._heard  # whoever asked knows that it is being ended, and waits
    with pytest.raises(Stopped):
        ends(0.2)
