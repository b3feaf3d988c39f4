"""A job of the short lane whose result is kept: asked for once, found again, begun anew where it failed or its result is gone.

A request has a token; each further attempt after a success whose result is gone has the next number behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from core.errors import Problem, problem_from_json
from core.store import JobRow
from core.store.records import LIVE_STATES
from core.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ShortWork:
    """Work that somebody asked for. `state` is that of its job: "succeeded" where the result is kept, in `path` if it is a file of its own.

    `fraction` of it is done, `done` of `total` where its steps are counted, all 0 until its worker is up. `queue_position` counts from 1 while it waits.
    """

    job_id: str
    state: str
    fraction: float = 0.0
    done: int = 0
    total: int = 0
    queue_position: int | None = None
    is_stopping: bool = False
    problem: Problem | None = None
    path: Path | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


@dataclass(frozen=True, slots=True)
class ShortRequest:
    """What is asked of a job.

    Args:
        kind: Of the job, as `core.jobs.kinds` has it.
        token: Equal for equal requests.
        stage: What its progress is called in its events.
        is_kept: Whether the result of a job that succeeded is there.
        path: Where the result of a job lies, if it is a file of its own.
    """

    kind: str
    token: str
    params: Mapping[str, Any]
    stage: str
    is_kept: Callable[[JobRow], bool]
    path: Callable[[JobRow], Path] | None = None

    def tokens(self) -> Iterator[str]:
        """Those of the first and of all further attempts."""
        return (f"{self.token}-{number}" for number in count())


def start_short(ws: Workspace, asked: ShortRequest) -> ShortWork:
    """Queue a request; one that is queued, running or kept already is not asked for twice. One that was stopped or failed begins again."""
    for token in asked.tokens():
        job, _ = ws.store.submit_job(asked.kind, lane="short", params=asked.params, token=token)
        if job.is_live or (job.state == "succeeded" and asked.is_kept(job)):
            return _work(ws, asked, job)
        if job.state != "succeeded":
            return _work(ws, asked, ws.store.resume_job(job.id))
    raise AssertionError("count() has no end")


def find_short(ws: Workspace, asked: ShortRequest) -> ShortWork | None:
    """The newest job of a request; None when nobody asked for it, or its result is gone."""
    found = None
    for token in asked.tokens():
        job = ws.store.find_job(token)
        if job is None:
            break
        found = job
    if found is None or (found.state == "succeeded" and not asked.is_kept(found)):
        return None
    return _work(ws, asked, found)


def stop_short(ws: Workspace, job_id: str) -> None:
    """Ask it to stop at its next step; nothing of it is kept."""
    ws.store.request_stop(job_id)


def _work(ws: Workspace, asked: ShortRequest, job: JobRow) -> ShortWork:
    event = ws.store.last_event(job.id, "progress") if job.state == "running" else None
    is_told = event is not None and event.attempt == job.attempt and event.values.get("stage") == asked.stage
    told = event.values if event is not None and is_told else {}
    return ShortWork(
        job.id,
        job.state,
        fraction=float(told.get("fraction", 0.0)),
        done=int(told.get("done", 0)),
        total=int(told.get("of", 0)),
        queue_position=ws.store.queue_position(job.id) if job.state == "queued" else None,
        is_stopping=job.is_live and job.stop_requested,
        problem=problem_from_json(job.problem) if job.problem else None,
        path=None if asked.path is None else asked.path(job),
    )
