"""Jobs and their events. Every change of state is a compare-and-set, so that two processes never both win."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Update, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.store.engine import Database, now, rows_changed
from core.store.files import new_id
from core.store.models import JobEventTable, JobTable, SettingTable
from core.store.problems import not_found
from core.store.records import EventRow, JobRow, JobState, Lane
from core.training.events import Event

_ORDER = (JobTable.priority.desc(), JobTable.number)
# Columns and not objects: a long training has a hundred thousand events.
_EVENT = (
    JobEventTable.seq,
    JobEventTable.job_id,
    JobEventTable.attempt,
    JobEventTable.created,
    JobEventTable.kind,
    JobEventTable.values_,
)
RESUMABLE: tuple[JobState, ...] = ("interrupted", "cancelled", "failed")


class JobStore(Database):
    """Submits, claims, ends and reads jobs."""

    def submit_job(
        self, kind: str, *, lane: Lane, params: Mapping[str, Any], token: str | None = None, priority: int = 0
    ) -> tuple[JobRow, bool]:
        """Queue a job. The same token twice gives the first job again (a double click).

        Args:
            priority: Higher goes first; below 0 is work that the user did not ask for (demo projects).

        Returns:
            The job, and whether it is new.
        """
        token = token or new_id()
        try:
            with self.writing() as session:
                existing = session.scalar(select(JobTable).where(JobTable.token == token))
                if existing is not None:
                    return job_row(existing), False
                job = self._new_job(kind, lane, params, token, priority)
                session.add(job)
                session.flush()
                return job_row(job), True
        except IntegrityError:
            with self.reading() as session:
                return job_row(session.scalars(select(JobTable).where(JobTable.token == token)).one()), False

    def get_job(self, job_id: str) -> JobRow:
        """One job.

        Raises:
            StoreProblem: there is none.
        """
        with self.reading() as session:
            job = session.scalar(select(JobTable).where(JobTable.id == job_id))
            if job is None:
                raise not_found("job", job_id)
            return job_row(job)

    def find_job(self, token: str) -> JobRow | None:
        """The job that was submitted with this token, or None."""
        with self.reading() as session:
            job = session.scalar(select(JobTable).where(JobTable.token == token))
            return None if job is None else job_row(job)

    def list_jobs(self, states: Collection[str], lane: Lane | None = None) -> tuple[JobRow, ...]:
        """Jobs in these states, of all workspaces, in the order in which they start."""
        query = select(JobTable).where(JobTable.state.in_(states)).order_by(*_ORDER)
        with self.reading() as session:
            return tuple(job_row(job) for job in session.scalars(query if lane is None else query.where(JobTable.lane == lane)))

    def claim_next(
        self, lane: Lane, *, host: str, limit: int, only: Collection[str] | None = None, lowest: int | None = None
    ) -> JobRow | None:
        """Take the next queued job of a lane, unless `limit` jobs of that lane already run.

        The job is "running" from here on; its worker writes pid and heartbeat when it is up.

        Args:
            only: Ids that may be taken; None for all.
            lowest: The lowest priority that may be taken; None for all.
        """
        queued = select(JobTable).where(JobTable.lane == lane, JobTable.state == "queued").order_by(*_ORDER).limit(1)
        if only is not None:
            queued = queued.where(JobTable.id.in_(only))
        if lowest is not None:
            queued = queued.where(JobTable.priority >= lowest)
        with self.writing() as session:
            # One row that every claim writes first: the lock that makes counting and taking one step on any database.
            session.execute(update(SettingTable).where(SettingTable.key == "claims").values(created=now()))
            if session.scalar(_running(lane)) >= limit or (job := session.scalar(queued)) is None:  # type: ignore[operator]
                return None
            time = now()
            job.state, job.host, job.heartbeat, job.started, job.finished = "running", host, time, job.started or time, None
            job.pid = job.pid_started = None
            session.flush()
            return job_row(job)

    def expect_worker(self, job_id: str, attempt: int, *, pid: int, pid_started: float) -> None:
        """The starter says which process will take the job up; what the worker itself says later, or has said, counts."""
        waiting = _where(job_id, "running").where(JobTable.attempt == attempt, JobTable.pid.is_(None))
        with self.writing() as session:
            rows_changed(session, waiting.values(pid=pid, pid_started=pid_started))

    def attach_worker(self, job_id: str, attempt: int, *, host: str, pid: int, pid_started: float) -> bool:
        """The worker says who it is. False when the job is no longer this attempt's: the worker must end at once."""
        return self._change_attempt(job_id, attempt, host=host, pid=pid, pid_started=pid_started, heartbeat=now())

    def heartbeat(self, job_id: str, attempt: int) -> bool:
        """The worker is alive. False when the job was taken away from this attempt."""
        return self._change_attempt(job_id, attempt, heartbeat=now())

    def request_stop(self, job_id: str) -> JobRow:
        """Ask a job to stop: a queued one is cancelled, a running one sees the flag within a second."""
        with self.writing() as session:
            ended = rows_changed(
                session, _where(job_id, "queued").values(state="cancelled", stop_requested=True, finished=now())
            )
            if not ended:
                asked = _where(job_id, "running").where(JobTable.stop_requested.is_(False))
                rows_changed(session, asked.values(stop_requested=True, stop_asked=now()))
        job = self.get_job(job_id)
        if job.state == "running":
            # On a full disk there is no flag; the worker then learns of it from the row, with its next heartbeat.
            with suppress(OSError):
                flag = self.files.path(job_id, "stop")
                flag.parent.mkdir(parents=True, exist_ok=True)
                flag.touch()
        return job

    def finish_job(
        self, job_id: str, attempt: int, state: JobState, problem: Mapping[str, Any] | None = None, error_id: str | None = None
    ) -> bool:
        """End a running attempt. False when it was already ended by somebody else."""
        values: dict[str, Any] = {"state": state, "problem": problem, "error_id": error_id, "finished": now()}
        return self._change_attempt(job_id, attempt, **values)

    def resume_job(self, job_id: str) -> JobRow:
        """Queue an interrupted, cancelled or failed job again as its next attempt; others stay as they are."""
        self._queue_again(job_id, *RESUMABLE)
        return self.get_job(job_id)

    def put_back(self, job_id: str, attempt: int) -> bool:
        """Return a running job to the queue (its process was ended to make room). False when it had ended."""
        return self._queue_again(job_id, "running", attempt=attempt)

    def queue_position(self, job_id: str) -> int | None:
        """1 for the job that starts next in its lane, None when it is not queued."""
        with self.reading() as session:
            job = session.scalar(select(JobTable).where(JobTable.id == job_id, JobTable.state == "queued"))
            if job is None:
                return None
            ids = session.scalars(
                select(JobTable.id).where(JobTable.lane == job.lane, JobTable.state == "queued").order_by(*_ORDER)
            )
            return list(ids).index(job_id) + 1

    def append_events(self, job_id: str, events: Sequence[Event], attempt: int = 1) -> None:
        """Store events in their order, in one transaction."""
        if not events:
            return
        owned = self.owned()
        rows = [{**owned, "job_id": job_id, "attempt": attempt, "kind": e.kind, "values_": dict(e.values)} for e in events]
        with self.writing() as session:
            session.execute(insert(JobEventTable), rows)

    def events_after(self, job_id: str, seq: int = 0, limit: int = 10_000) -> tuple[EventRow, ...]:
        """Events of a job with a number above `seq`, in order, at most `limit`."""
        query = (
            select(*_EVENT)
            .where(JobEventTable.job_id == job_id, JobEventTable.seq > seq)
            .order_by(JobEventTable.seq)
            .limit(limit)
        )
        with self.reading() as session:
            return tuple(EventRow(*row) for row in session.execute(query))

    def last_event(self, job_id: str, kind: str) -> EventRow | None:
        """The newest event of a kind of the latest attempt that told one, or None."""
        query = (
            select(*_EVENT)
            .where(JobEventTable.job_id == job_id, JobEventTable.kind == kind)
            .order_by(JobEventTable.attempt.desc(), JobEventTable.seq.desc())
            .limit(1)
        )
        with self.reading() as session:
            row = session.execute(query).first()
            return None if row is None else EventRow(*row)

    def last_seq(self, job_id: str) -> int:
        """The number of the newest event of a job, 0 without any."""
        with self.reading() as session:
            return session.scalar(select(func.max(JobEventTable.seq)).where(JobEventTable.job_id == job_id)) or 0

    def get_setting(self, key: str) -> dict[str, Any] | None:
        """A small fact by key, or None."""
        with self.reading() as session:
            return session.scalar(select(SettingTable.value).where(SettingTable.key == key))

    def set_setting(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a small fact by key; `created` is when it was last set."""
        with self.writing() as session:
            session.merge(SettingTable(**self.owned(), key=key, value=dict(value)))

    def _new_job(self, kind: str, lane: Lane, params: Mapping[str, Any], token: str, priority: int) -> JobTable:
        return JobTable(
            **self.owned(),
            id=new_id(),
            kind=kind,
            lane=lane,
            state="queued",
            params=dict(params),
            priority=priority,
            token=token,
            attempt=1,
            stop_requested=False,
        )

    def _change_attempt(self, job_id: str, attempt: int, **values: Any) -> bool:
        with self.writing() as session:
            return rows_changed(session, _where(job_id, "running").where(JobTable.attempt == attempt).values(**values)) == 1

    def _queue_again(self, job_id: str, *states: JobState, attempt: int | None = None) -> bool:
        change = update(JobTable).where(JobTable.id == job_id, JobTable.state.in_(states))
        if attempt is not None:
            change = change.where(JobTable.attempt == attempt)
        values: dict[str, Any] = {"state": "queued", "stop_requested": False, "stop_asked": None, "finished": None}
        values |= {"problem": None, "error_id": None, "pid": None, "pid_started": None, "attempt": JobTable.attempt + 1}
        with self.writing() as session:
            is_queued = rows_changed(session, change.values(**values)) == 1
            # Before the commit: from then on the next attempt may start, and it must not find the flag of this one.
            for flag in ("stop", "stop_heard") if is_queued else ():
                self.files.path(job_id, flag).unlink(missing_ok=True)
            return is_queued


def _where(job_id: str, state: JobState) -> Update:
    return update(JobTable).where(JobTable.id == job_id, JobTable.state == state)


def _running(lane: Lane) -> Select[int]:
    return select(func.count()).select_from(JobTable).where(JobTable.lane == lane, JobTable.state == "running")


def job_row(job: JobTable) -> JobRow:
    """The record of a job."""
    return JobRow(**{name: getattr(job, name) for name in JobRow.__dataclass_fields__})


def seconds_since(time: datetime | None) -> float:
    """Seconds from a stored time to now; infinite when there is none."""
    return float("inf") if time is None else (now() - time).total_seconds()
