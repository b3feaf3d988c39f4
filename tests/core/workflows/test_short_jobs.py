"""A short job is asked for once, found with what it told, begun anew where it failed or its result is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobs.processes import host_name
from core.store import JobRow, open_store
from core.training.events import Event
from core.workflows.short_jobs import ShortRequest, find_short, start_short, stop_short
from core.workflows.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(open_store(tmp_path))


def asked(kept: set[str], token: str = "a") -> ShortRequest:
    return ShortRequest("selftest", token, {"x": 1}, "counting", lambda job: job.id in kept, lambda job: Path(job.id))


def claimed(ws: Workspace) -> JobRow:
    job = ws.store.claim_next("short", host=host_name(), limit=9)
    assert job is not None
    return job


def test_one_request_is_one_job_while_it_lives(ws: Workspace) -> None:
    assert find_short(ws, asked(set())) is None
    work = start_short(ws, asked(set()))
    assert (work.state, work.queue_position, work.is_live, work.path) == ("queued", 1, True, Path(work.job_id))
    assert start_short(ws, asked(set())).job_id == work.job_id and start_short(ws, asked(set(), "b")).job_id != work.job_id


def test_only_what_its_own_stage_tells_counts(ws: Workspace) -> None:
    work = start_short(ws, asked(set()))
    job = claimed(ws)
    ws.store.append_events(job.id, [Event("progress", {"stage": "counting", "fraction": 0.4, "done": 2, "of": 5})])
    found = find_short(ws, asked(set()))
    assert found is not None and (found.fraction, found.done, found.total) == (0.4, 2, 5)
    ws.store.append_events(job.id, [Event("progress", {"stage": "loading", "fraction": 0.9})])
    found = find_short(ws, asked(set()))
    assert found is not None and (found.fraction, found.done) == (0.0, 0)
    stop_short(ws, work.job_id)
    found = find_short(ws, asked(set()))
    assert found is not None and found.is_stopping


def test_what_was_stopped_begins_again_as_the_same_job(ws: Workspace) -> None:
    work = start_short(ws, asked(set()))
    stop_short(ws, work.job_id)
    stopped = find_short(ws, asked(set()))
    assert stopped is not None and stopped.state == "cancelled"
    again = start_short(ws, asked(set()))
    assert (again.job_id, again.state) == (work.job_id, "queued")


def test_a_result_that_is_gone_is_made_by_another_job(ws: Workspace) -> None:
    work = start_short(ws, asked(set()))
    job = claimed(ws)
    ws.store.finish_job(job.id, job.attempt, "succeeded")
    kept = find_short(ws, asked({work.job_id}))
    assert kept is not None and kept.state == "succeeded" and start_short(ws, asked({work.job_id})).job_id == work.job_id
    assert find_short(ws, asked(set())) is None
    other = start_short(ws, asked(set()))
    assert other.job_id != work.job_id and other.state == "queued"
    found = find_short(ws, asked(set()))
    assert found is not None and found.job_id == other.job_id
