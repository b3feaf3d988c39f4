from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from core.errors import StoreProblem
from core.store import JobRow, Store, new_id, open_store
from core.training.events import Event


def submit(store: Store, **changes: Any) -> JobRow:
    job, _ = store.submit_job("selftest", **({"lane": "long", "params": {}} | changes))
    return job


def claim(store: Store, limit: int = 1, **changes: Any) -> JobRow | None:
    return store.claim_next("long", host="here", limit=limit, **changes)


def test_the_same_token_gives_the_first_job(store: Store) -> None:
    first, created = store.submit_job("selftest", lane="short", params={"a": 1}, token="t")
    again, created_again = store.submit_job("selftest", lane="short", params={"a": 2}, token="t")
    assert (created, created_again, again) == (True, False, first)
    assert (store.find_job("t"), store.find_job("u")) == (first, None)


def test_jobs_start_by_priority_then_in_the_order_of_their_coming(store: Store) -> None:
    demo, first, second = submit(store, priority=-1), submit(store), submit(store)
    assert [store.queue_position(j.id) for j in (demo, first, second)] == [3, 1, 2]
    assert [j.id for _ in range(3) if (j := claim(store, limit=9))] == [first.id, second.id, demo.id]
    assert store.queue_position(first.id) is None


def test_a_full_lane_takes_no_more(store: Store) -> None:
    submit(store), submit(store), submit(store, lane="short")
    assert claim(store) is not None
    assert claim(store) is None
    assert store.claim_next("short", host="here", limit=1) is not None


def test_only_what_may_be_taken_is_taken(store: Store) -> None:
    submit(store, priority=-1)
    mine = submit(store, priority=-1)
    assert claim(store, lowest=0) is None
    claimed = claim(store, only={mine.id})
    assert claimed is not None and claimed.id == mine.id


def test_many_claimers_never_take_a_job_twice_nor_too_many(store: Store) -> None:
    jobs = {submit(store).id for _ in range(12)}
    taken: list[str] = []

    def work() -> None:
        own = open_store(store.home)
        while job := claim(own, limit=10):
            taken.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10 and len(set(taken)) == 10 and set(taken) <= jobs


def test_only_the_running_attempt_may_end_a_job(store: Store) -> None:
    job = submit(store)
    assert not store.finish_job(job.id, 1, "succeeded")
    claim(store)
    assert store.put_back(job.id, 1)
    claim(store)
    assert not store.heartbeat(job.id, 1)
    assert not store.finish_job(job.id, 1, "succeeded")
    assert store.finish_job(job.id, 2, "failed", {"kind": "data"}, "e1")
    assert not store.finish_job(job.id, 2, "succeeded")
    ended = store.get_job(job.id)
    assert (ended.state, ended.attempt, ended.problem, ended.error_id) == ("failed", 2, {"kind": "data"}, "e1")


def test_stopping_a_queued_job_cancels_it(store: Store) -> None:
    assert store.request_stop(submit(store).id).state == "cancelled"
    assert claim(store) is None


def test_stopping_a_running_job_asks_by_row_and_by_file(store: Store) -> None:
    job = submit(store)
    claim(store)
    stopping = store.request_stop(job.id)
    assert (stopping.state, stopping.stop_requested) == ("running", True)
    assert store.path(job.id, "stop").exists()
    assert store.request_stop(job.id).stop_asked == stopping.stop_asked


@pytest.mark.parametrize("state", ["interrupted", "cancelled", "failed"])
def test_an_ended_job_is_resumed_as_the_next_attempt(store: Store, state: Any) -> None:
    job = submit(store)
    claim(store)
    store.request_stop(job.id)
    store.finish_job(job.id, 1, state, {"kind": "training"})
    resumed = store.resume_job(job.id)
    assert (resumed.state, resumed.attempt, resumed.stop_requested, resumed.problem) == ("queued", 2, False, None)
    assert not store.path(job.id, "stop").exists()


def test_a_job_that_succeeded_or_runs_is_not_resumed(store: Store) -> None:
    job = submit(store)
    claim(store)
    store.request_stop(job.id)
    assert store.resume_job(job.id).attempt == 1
    assert store.path(job.id, "stop").exists(), "a wish to stop is not lost by a click on Resume that comes too early"
    store.finish_job(job.id, 1, "succeeded")
    assert store.resume_job(job.id).state == "succeeded"


def test_events_are_numbered_and_read_from_the_last_one_seen(store: Store) -> None:
    one, two = submit(store), submit(store)
    store.append_events(one.id, [Event("epoch", {"loss": np.float32(0.5)}), Event("batch", {"loss": float("nan")})])
    store.append_events(two.id, [Event("epoch", {"loss": 9.0})])
    store.append_events(one.id, [Event("epoch", {"loss": 0.25})], attempt=2)
    events = store.events_after(one.id)
    assert [e.values["loss"] for e in events] == [0.5, None, 0.25]
    assert [e.seq for e in events] == sorted({e.seq for e in events})
    assert [e.attempt for e in events] == [1, 1, 2]
    assert store.events_after(one.id, events[1].seq) == events[2:]
    assert store.events_after(one.id, 0, limit=1) == events[:1]
    assert (store.last_seq(one.id), store.last_seq(submit(store).id)) == (events[-1].seq, 0)


def test_events_of_an_unknown_job_are_refused_whole(store: Store) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.append_events(new_id(), [Event("note", {})])


def test_an_unknown_job_is_named(store: Store) -> None:
    with pytest.raises(StoreProblem, match="There is no job"):
        store.get_job(new_id())


def test_small_facts_are_kept_by_key(store: Store) -> None:
    assert store.get_setting("language") is None
    for value in ("en", "zh"):
        store.set_setting("language", {"is": value})
    assert store.get_setting("language") == {"is": "zh"}


def test_writers_wait_for_each_other_and_lose_nothing(store: Store) -> None:
    jobs = [submit(store) for _ in range(4)]

    def write(job: JobRow) -> None:
        own = open_store(store.home)
        for number in range(25):
            own.append_events(job.id, [Event("batch", {"n": number})])

    threads = [threading.Thread(target=write, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        assert [e.values["n"] for e in store.events_after(job.id)] == list(range(25))
    store.check()
