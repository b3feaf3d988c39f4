"""A dataset and everything that was made from it, gone for good: files at once and not by the trash, rows emptied of content.

Rows stay, marked as deleted and without names, columns, values or settings, so that nothing points at nothing; the audit trail
tells what went. The copies of the database that Andon itself made before a change of its tables are emptied alike; copies that
somebody took away, and backups that others keep, are out of reach, which the screen and the command line say.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.store.audit import AuditStore
from core.store.backups import change_backups
from core.store.challenges import forget_challenges
from core.store.datasets import forget_settings
from core.store.engine import now
from core.store.files import TRASH
from core.store.models import (
    DatasetTable,
    DatasetVersionTable,
    JobEventTable,
    JobTable,
    RecipeTable,
    ReportTable,
    RunTable,
    VerdictTable,
)
from core.store.problems import in_use, not_found
from core.store.records import LIVE_STATES
from core.store.relabels import forget_relabels


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What was made from a dataset: (id, name) of runs and of reports, ids of jobs, and the bytes on the disk.

    After a purge `backups` is the number of our own backups that were emptied of it, and `backups_left` names those that
    could not be: they still hold it.
    """

    runs: tuple[tuple[str, str], ...]
    reports: tuple[tuple[str, str], ...]
    jobs: tuple[str, ...]
    n_bytes: int
    is_busy: bool
    backups: int = 0
    backups_left: tuple[str, ...] = ()


class PurgeStore(AuditStore):
    """Finds and removes what hangs on a dataset, deleted runs and reports included."""

    def made_from(self, dataset_id: str) -> MadeFrom:
        """Everything that was made from a dataset, what was deleted before but still lies in the trash included."""
        with self.reading() as session:
            return self._made_from(session, dataset_id)

    def purge_dataset(self, dataset_id: str) -> MadeFrom:
        """Remove it with everything; what went.

        Raises:
            StoreProblem: a queued or running job uses it, or there is no such dataset.
        """
        with self.writing() as session:
            dataset = session.scalar(
                select(DatasetTable).where(DatasetTable.id == dataset_id, DatasetTable.workspace == self.workspace)
            )
            if dataset is None:
                raise not_found("dataset", dataset_id)
            made = self._made_from(session, dataset_id)
            if made.is_busy:
                raise in_use(dataset.name)
            newest = session.scalar(
                select(DatasetVersionTable)
                .where(DatasetVersionTable.dataset_id == dataset_id)
                .order_by(DatasetVersionTable.version.desc())
                .limit(1)
            )
            self.add_audit(
                session,
                "deleted_with_all",
                "dataset",
                dataset_id,
                name=dataset.name,
                sha256="" if newest is None else newest.sha256,
                runs=len(made.runs),
                reports=len(made.reports),
                jobs=len(made.jobs),
            )
            self._empty_rows(session, dataset_id, made)
        for path in self._places(dataset_id, made):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        emptied, left = change_backups(
            self.home,
            lambda session: session.scalar(select(DatasetTable.number).where(DatasetTable.id == dataset_id)) is not None,
            lambda session: self._empty_rows(session, dataset_id, made),
        )
        return replace(made, backups=emptied, backups_left=left)

    def _made_from(self, session: Session, dataset_id: str) -> MadeFrom:
        runs = session.execute(
            select(RunTable.id, RunTable.name, RunTable.job_id).where(RunTable.dataset_id == dataset_id)
        ).all()
        run_ids = [r.id for r in runs]
        # A report of another dataset's run may speak of this one as a fleet: its file is then named after it.
        is_of_it = or_(ReportTable.run_id.in_(run_ids), ReportTable.file.contains(dataset_id, autoescape=True))
        reports = session.execute(select(ReportTable.id, ReportTable.title).where(is_of_it)).all()
        of_runs = {r.job_id for r in runs}
        jobs = [
            job
            for job in session.execute(select(JobTable.id, JobTable.state, JobTable.params))
            if job.id in of_runs or dataset_id in str(job.params)
        ]
        made = MadeFrom(
            tuple((r.id, r.name) for r in runs),
            tuple((r.id, r.title) for r in reports),
            tuple(job.id for job in jobs),
            0,
            any(job.state in LIVE_STATES for job in jobs),
        )
        n_bytes = sum(_size(path) for path in self._places(dataset_id, made))
        return MadeFrom(made.runs, made.reports, made.jobs, n_bytes, made.is_busy)

    def _places(self, dataset_id: str, made: MadeFrom) -> list[Path]:
        """Folders and files of all of them, in their place or in the trash."""
        kinds = [("dataset", dataset_id), *(("run", r) for r, _ in made.runs), *(("report", r) for r, _ in made.reports)]
        kinds += [("job", job) for job in made.jobs]
        places = [self.files.path(id, kind) for kind, id in kinds]
        ids = {id for _, id in kinds}
        trash = self.files.home / TRASH
        # In the trash a thing is called by its folder and its own name, one of which is its id.
        places += [p for p in (trash.iterdir() if trash.is_dir() else ()) if any(id in p.name for id in ids)]
        return [path for path in places if path.exists()]

    def _empty_rows(self, session: Session, dataset_id: str, made: MadeFrom) -> None:
        run_ids, report_ids = [r for r, _ in made.runs], [r for r, _ in made.reports]
        gone = {"deleted": now()}
        session.execute(update(DatasetTable).where(DatasetTable.id == dataset_id).values(name="", **gone))
        session.execute(
            update(DatasetVersionTable)
            .where(DatasetVersionTable.dataset_id == dataset_id)
            .values(columns=[], options={}, findings=[], lines={}, source_name="", source_sha256="")
        )
        session.execute(update(RecipeTable).where(RecipeTable.dataset_id == dataset_id).values(recipe={}))
        session.execute(
            update(RunTable)
            .where(RunTable.id.in_(run_ids))
            .values(name="", request={}, metrics=None, baseline=None, summary=None, **gone)
        )
        session.execute(
            update(VerdictTable).where(VerdictTable.run_id.in_(run_ids)).values(comment="", cause="", fix="", assigned_to="")
        )
        session.execute(update(ReportTable).where(ReportTable.id.in_(report_ids)).values(title="", **gone))
        session.execute(delete(JobEventTable).where(JobEventTable.job_id.in_(made.jobs)))
        session.execute(update(JobTable).where(JobTable.id.in_(made.jobs)).values(params={}, problem=None))
        forget_settings(session, dataset_id)
        forget_challenges(session, dataset_id, run_ids)
        forget_relabels(session, run_ids)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
