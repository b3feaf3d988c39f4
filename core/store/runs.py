"""Runs and the verdicts on their events."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError

from core.store.audit import AuditStore
from core.store.engine import now, rows_changed
from core.store.files import new_id
from core.store.jobs import JobStore, job_row
from core.store.models import DatasetTable, JobTable, RunTable, VerdictTable
from core.store.problems import in_use, not_found
from core.store.records import Lane, RunRow, VerdictRow


class RunStore(JobStore, AuditStore):
    """Reads and writes runs; a run and its job come into being in one transaction."""

    def add_run(
        self,
        *,
        dataset_id: str,
        dataset_version: int,
        name: str,
        task: str,
        model: str,
        request: Mapping[str, Any],
        token: str | None = None,
        demo: str | None = None,
        kind: str = "train",
        lane: Lane = "long",
        priority: int = 0,
    ) -> tuple[RunRow, bool]:
        """A run and its queued job, whose params are {"run_id": id}. The same token gives the first run again.

        Returns:
            The run, and whether it is new.
        """
        token, run_id = token or new_id(), new_id()
        try:
            with self.writing() as session:
                existing = session.scalar(_by_token(token))
                if existing is None:
                    job = self._new_job(kind, lane, {"run_id": run_id}, token, priority)
                    session.add(job)
                    session.flush()
                    run = RunTable(**self.owned(), id=run_id, job_id=job.id, name=name, task=task, model=model, demo=demo)
                    run.dataset_id, run.dataset_version, run.request = dataset_id, dataset_version, dict(request)
                    session.add(run)
                    self.add_audit(
                        session, "started", "run", run_id, name=name, task=task, model=model, version=dataset_version
                    )
        except IntegrityError:
            with self.reading() as session:
                existing = session.scalars(_by_token(token)).one()
        return self.get_run(existing or run_id), existing is None

    def get_run(self, run_id: str) -> RunRow:
        """One run with its job.

        Raises:
            StoreProblem: there is none, or it was deleted.
        """
        with self.reading() as session:
            found = session.execute(self._visible_runs().where(RunTable.id == run_id)).first()
        if found is None:
            raise not_found("run", run_id)
        return _row(*found)

    def list_runs(self, dataset_id: str | None = None) -> tuple[RunRow, ...]:
        """Runs of the workspace, newest first; of one dataset when it is given."""
        query = self._visible_runs().order_by(RunTable.number.desc())
        if dataset_id is not None:
            query = query.where(RunTable.dataset_id == dataset_id)
        with self.reading() as session:
            return tuple(_row(*found) for found in session.execute(query))

    def find_demo_run(self, demo: str) -> RunRow | None:
        """The newest run of a demo project, or None."""
        with self.reading() as session:
            found = session.execute(self._visible_runs().where(RunTable.demo == demo).order_by(RunTable.number.desc())).first()
        return None if found is None else _row(*found)

    def finish_run(
        self,
        run_id: str,
        *,
        metrics: Mapping[str, Any],
        baseline: Mapping[str, Any],
        summary: Mapping[str, Any],
        model: str | None = None,
    ) -> None:
        """Keep the results of a run; its bundle and results must be in their place before (file first, row second).

        Args:
            model: The family that was chosen, where the run was asked to choose.
        """
        more = {} if model is None else {"model": model}
        self._change_run(run_id, metrics=dict(metrics), baseline=dict(baseline), summary=dict(summary), **more)

    def rename_run(self, run_id: str, name: str) -> None:
        """Give a run another name."""
        with self.writing() as session:
            run = session.scalar(select(RunTable).where(*self._is_visible(run_id)))
            if run is None:
                raise not_found("run", run_id)
            before, run.name = run.name, name
            if name != before:
                self.add_audit(session, "renamed", "run", run_id, name=name, before=before)

    def delete_run(self, run_id: str) -> None:
        """Mark a run deleted, then move its files and its job's files to the trash. Its reports stay.

        Raises:
            StoreProblem: its job has not ended, or there is no such run.
        """
        run = self.get_run(run_id)
        if run.job.is_live:
            raise in_use(run.name)
        self._change_run(run_id, deleted=now())
        with self.writing() as session:
            self.add_audit(session, "deleted", "run", run_id, name=run.name)
        self.files.to_trash(self.files.path(run_id, "run"))
        self.files.to_trash(self.files.path(run.job.id, "job"))

    def add_verdict(
        self,
        run_id: str,
        *,
        first_row: int,
        last_row: int,
        verdict: str,
        comment: str = "",
        cause: str = "",
        fix: str = "",
        assigned_to: str = "",
        by: str = "",
    ) -> VerdictRow:
        """Append a verdict on the rows `first_row` to `last_row`, both included; nothing is ever overwritten.

        Who says it owns the row: `by`, or without a name the owner of the store.
        """
        self.get_run(run_id)
        owned = {**self.owned(), **({"owner": by} if by else {})}
        row = VerdictTable(**owned, id=new_id(), run_id=run_id, first_row=first_row, last_row=last_row)
        row.verdict, row.comment, row.cause, row.fix, row.assigned_to = verdict, comment, cause, fix, assigned_to
        with self.writing() as session:
            session.add(row)
            session.flush()
            return _verdict(row)

    def list_verdicts(self, run_id: str) -> tuple[VerdictRow, ...]:
        """All verdicts on a run, oldest first; where two speak of the same rows the later counts."""
        query = select(VerdictTable).where(VerdictTable.run_id == run_id).order_by(VerdictTable.number)
        with self.reading() as session:
            return tuple(_verdict(row) for row in session.scalars(query))

    def list_task_verdicts(self, task: str) -> tuple[VerdictRow, ...]:
        """All verdicts on runs of a task that are not deleted, oldest first."""
        query = select(VerdictTable).join(RunTable, RunTable.id == VerdictTable.run_id)
        query = query.where(RunTable.deleted.is_(None), RunTable.workspace == self.workspace, RunTable.task == task)
        with self.reading() as session:
            return tuple(_verdict(row) for row in session.scalars(query.order_by(VerdictTable.number)))

    def verdict_state(self) -> str:
        """A word that changes with every verdict on any run, and when a run that has one is deleted, restored or renamed.

        What was read of verdicts is of today while it is the same.
        """
        newest = select(func.max(VerdictTable.number)).where(VerdictTable.workspace == self.workspace)
        runs = select(RunTable.id, RunTable.name).where(
            RunTable.deleted.is_(None), RunTable.workspace == self.workspace, RunTable.id.in_(select(VerdictTable.run_id))
        )
        with self.reading() as session:
            told = sorted((row.id, row.name) for row in session.execute(runs))
            return f"{session.scalar(newest) or 0}-{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}"

    def _visible_runs(self) -> Select[RunTable, JobTable, str]:
        return (
            select(RunTable, JobTable, DatasetTable.name)
            .join(JobTable, JobTable.id == RunTable.job_id)
            .join(DatasetTable, DatasetTable.id == RunTable.dataset_id)
            .where(RunTable.deleted.is_(None), RunTable.workspace == self.workspace)
        )

    def _change_run(self, run_id: str, **values: Any) -> None:
        with self.writing() as session:
            if rows_changed(session, update(RunTable).where(*self._is_visible(run_id)).values(**values)) == 0:
                raise not_found("run", run_id)

    def _is_visible(self, run_id: str) -> tuple[Any, ...]:
        return RunTable.id == run_id, RunTable.deleted.is_(None), RunTable.workspace == self.workspace


def _by_token(token: str) -> Select[str]:
    return select(RunTable.id).join(JobTable, JobTable.id == RunTable.job_id).where(JobTable.token == token)


def _row(run: RunTable, job: JobTable, dataset_name: str) -> RunRow:
    plain = {name: getattr(run, name) for name in RunRow.__dataclass_fields__ if name not in ("job", "dataset_name")}
    return RunRow(job=job_row(job), dataset_name=dataset_name, **plain)


def _verdict(row: VerdictTable) -> VerdictRow:
    return VerdictRow(**{name: getattr(row, name) for name in VerdictRow.__dataclass_fields__})
