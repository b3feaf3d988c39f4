"""Datasets, their versions and their working recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.store.audit import AuditStore
from core.store.engine import now, rows_changed, to_json_text
from core.store.files import PLACES, new_id
from core.store.models import DatasetTable, DatasetVersionTable, JobTable, RecipeTable, RunTable, SettingTable
from core.store.problems import in_use, not_found
from core.store.records import LIVE_STATES, DatasetRow

if TYPE_CHECKING:
    from core.data.dataset import Column

LEFT, DRAFT = "left:", "recipe_draft."


def forget_settings(session: Session, dataset_id: str) -> None:
    """Drafts and decisions of a dataset go: they name its columns."""
    session.execute(delete(SettingTable).where(SettingTable.key.contains(dataset_id, autoescape=True)))


class DatasetStore(AuditStore):
    """Reads and writes datasets. The Parquet file must be in its place before the row is added."""

    def add_dataset(
        self,
        dataset_id: str,
        name: str,
        *,
        n_rows: int,
        columns: Sequence[Column],
        sha256: str,
        options: Mapping[str, Any] | None = None,
        findings: Sequence[Any] = (),
        lines: Mapping[str, Any] | None = None,
        source_name: str = "",
        source_sha256: str = "",
        privacy: Mapping[str, Any] | None = None,
    ) -> DatasetRow:
        """Register version 1 of a dataset whose file is at `path(dataset_id, "parquet")`; `privacy` goes into the audit trail.

        Raises:
            StoreProblem: the file is not there; a row never points at nothing.
        """
        if not self.files.path(dataset_id, "parquet").is_file():
            raise not_found("dataset", dataset_id)
        version = DatasetVersionTable(
            **self.owned(),
            dataset_id=dataset_id,
            version=1,
            file=PLACES["parquet"][1],
            n_rows=n_rows,
            columns=[asdict(column) for column in columns],
            sha256=sha256,
            options=dict(options or {}),
            findings=list(findings),
            lines=dict(lines or {}),
            source_name=source_name,
            source_sha256=source_sha256,
        )
        with self.writing() as session:
            session.add(DatasetTable(**self.owned(), id=dataset_id, name=name))
            session.flush()
            session.add(version)
            self.add_audit(session, "imported", "dataset", dataset_id, name=name, sha256=sha256, rows=n_rows, **(privacy or {}))
        return self.get_dataset(dataset_id)

    def add_version(self, dataset_id: str, columns: Sequence[Column]) -> DatasetRow:
        """A new version of the same file whose columns mean something else (roles, units, limits)."""
        with self.writing() as session:
            dataset, last = self._find_dataset(session, dataset_id, None)
            kept = {c.key: getattr(last, c.key) for c in DatasetVersionTable.__mapper__.column_attrs}
            changed = {"version": last.version + 1, "columns": [asdict(column) for column in columns]}
            session.add(DatasetVersionTable(**(kept | self.owned() | changed)))
            new = last.version + 1
            self.add_audit(session, "changed", "dataset", dataset_id, name=dataset.name, sha256=last.sha256, version=new)
        return self.get_dataset(dataset_id)

    def get_dataset(self, dataset_id: str, version: int | None = None, *, deleted: bool = False) -> DatasetRow:
        """One version, the newest by default; with `deleted` also that of a deleted dataset, for the runs that stay.

        Raises:
            StoreProblem: there is none, or it was deleted.
        """
        with self.reading() as session:
            return self._dataset_row(*self._find_dataset(session, dataset_id, version, deleted))

    def list_datasets(self) -> tuple[DatasetRow, ...]:
        """The newest version of every dataset of the workspace, newest dataset first."""
        newest = (
            select(DatasetVersionTable.dataset_id, func.max(DatasetVersionTable.version).label("version"))
            .group_by(DatasetVersionTable.dataset_id)
            .subquery()
        )
        query = (
            select(DatasetTable, DatasetVersionTable)
            .join(newest, newest.c.dataset_id == DatasetTable.id)
            .join(
                DatasetVersionTable,
                (DatasetVersionTable.dataset_id == newest.c.dataset_id) & (DatasetVersionTable.version == newest.c.version),
            )
            .where(DatasetTable.deleted.is_(None), DatasetTable.workspace == self.workspace)
            .order_by(DatasetTable.number.desc())
        )
        with self.reading() as session:
            return tuple(self._dataset_row(dataset, version) for dataset, version in session.execute(query))

    def find_source(self, sha256: str) -> DatasetRow | None:
        """The newest dataset that was read from a file with this hash, at its newest version."""
        query = (
            select(DatasetTable.id)
            .join(DatasetVersionTable, DatasetVersionTable.dataset_id == DatasetTable.id)
            .where(
                DatasetTable.deleted.is_(None),
                DatasetTable.workspace == self.workspace,
                DatasetVersionTable.source_sha256 == sha256,
            )
            .order_by(DatasetTable.number.desc())
            .limit(1)
        )
        with self.reading() as session:
            found = session.scalar(query)
        return None if found is None or not sha256 else self.get_dataset(found)

    def rename_dataset(self, dataset_id: str, name: str) -> None:
        """Give a dataset another name; versions and runs keep pointing at it."""
        with self.writing() as session:
            dataset, last = self._find_dataset(session, dataset_id, None)
            before = dataset.name
            self._mark_dataset(session, dataset_id, name=name)
            if name != before:
                self.add_audit(session, "renamed", "dataset", dataset_id, name=name, sha256=last.sha256, before=before)

    def delete_dataset(self, dataset_id: str) -> None:
        """Mark a dataset deleted, then move its files to the trash; where finished runs show its rows, with the last of them.

        Raises:
            StoreProblem: a queued or running job uses it, or there is none.
        """
        found = self.get_dataset(dataset_id)
        live = (
            select(func.count())
            .select_from(RunTable)
            .join(JobTable, JobTable.id == RunTable.job_id)
            .where(RunTable.dataset_id == dataset_id, RunTable.deleted.is_(None), JobTable.state.in_(LIVE_STATES))
        )
        with self.writing() as session:
            if session.scalar(live):
                raise in_use(found.name)
            self._mark_dataset(session, dataset_id, deleted=now())
            forget_settings(session, dataset_id)
            self.add_audit(session, "deleted", "dataset", dataset_id, name=found.name, sha256=found.sha256)
        self.trash_unused(dataset_id)

    def trash_unused(self, dataset_id: str) -> None:
        """Move the files of a deleted dataset to the trash, unless a run with results still shows its rows."""
        gone = select(func.count()).where(DatasetTable.id == dataset_id, DatasetTable.deleted.is_not(None))
        shown = select(func.count()).where(
            RunTable.dataset_id == dataset_id, RunTable.deleted.is_(None), RunTable.metrics.is_not(None)
        )
        with self.reading() as session:
            is_unused = bool(session.scalar(gone)) and not session.scalar(shown)
        if is_unused:
            self.files.to_trash(self.files.path(dataset_id, "dataset"))

    def save_recipe(self, dataset_id: str, recipe: Mapping[str, Any]) -> None:
        """Keep the working recipe of a dataset; earlier ones stay, the newest counts. One that is the same leaves no trace."""
        kept = dict(recipe)
        newest = select(RecipeTable.recipe).where(RecipeTable.dataset_id == dataset_id).order_by(RecipeTable.number.desc())
        with self.writing() as session:
            dataset, _ = self._find_dataset(session, dataset_id, None)
            before = session.scalar(newest.limit(1))
            session.add(RecipeTable(**self.owned(), id=new_id(), dataset_id=dataset_id, recipe=kept))
            if before != kept:
                sha256 = hashlib.sha256(to_json_text(kept).encode()).hexdigest()
                n_steps = len(kept.get("steps") or ())
                self.add_audit(session, "recipe_saved", "dataset", dataset_id, name=dataset.name, sha256=sha256, steps=n_steps)

    def get_recipe(self, dataset_id: str) -> dict[str, Any] | None:
        """The newest recipe of a dataset, or None."""
        query = select(RecipeTable.recipe).where(RecipeTable.dataset_id == dataset_id).order_by(RecipeTable.number.desc())
        with self.reading() as session:
            return session.scalar(query.limit(1))

    def set_draft(self, dataset_id: str, draft: Mapping[str, Any]) -> None:
        """Keep what is being worked on beside a dataset; it goes with the dataset.

        Raises:
            StoreProblem: there is none, or it was deleted.
        """
        with self.writing() as session:
            self._find_dataset(session, dataset_id, None)
            session.merge(SettingTable(**self.owned(), key=f"{DRAFT}{dataset_id}", value=dict(draft)))

    def get_draft(self, dataset_id: str) -> dict[str, Any] | None:
        """What `set_draft` kept, or None."""
        with self.reading() as session:
            return session.scalar(select(SettingTable.value).where(SettingTable.key == f"{DRAFT}{dataset_id}"))

    def set_left(self, dataset_id: str, column: str, code: str, left: bool) -> None:
        """Remember that a finding of the screening is left as it is, or take that back. One row a decision, the last counts."""
        decision = hashlib.blake2b("\n".join((column, code)).encode(), digest_size=16).hexdigest()
        value = {"column": column, "code": code, "left": left}
        with self.writing() as session:
            self._find_dataset(session, dataset_id, None)
            session.merge(SettingTable(**self.owned(), key=f"{LEFT}{dataset_id}:{decision}", value=value))

    def list_left(self, dataset_id: str) -> frozenset[tuple[str, str]]:
        """(column, code) of the findings that are left as they are."""
        query = select(SettingTable.value).where(SettingTable.key.startswith(f"{LEFT}{dataset_id}:", autoescape=True))
        with self.reading() as session:
            return frozenset((v["column"], v["code"]) for v in session.scalars(query) if v["left"])

    def _find_dataset(
        self, session: Session, dataset_id: str, version: int | None, deleted: bool = False
    ) -> tuple[DatasetTable, DatasetVersionTable]:
        query = (
            select(DatasetTable, DatasetVersionTable)
            .join(DatasetVersionTable, DatasetVersionTable.dataset_id == DatasetTable.id)
            .where(DatasetTable.id == dataset_id, DatasetTable.workspace == self.workspace)
            .order_by(DatasetVersionTable.version.desc())
            .limit(1)
        )
        if not deleted:
            query = query.where(DatasetTable.deleted.is_(None))
        if version is not None:
            query = query.where(DatasetVersionTable.version == version)
        found = session.execute(query).first()
        if found is None:
            raise not_found("dataset", dataset_id)
        return found[0], found[1]

    def _mark_dataset(self, session: Session, dataset_id: str, **values: Any) -> None:
        where = (DatasetTable.id == dataset_id, DatasetTable.deleted.is_(None), DatasetTable.workspace == self.workspace)
        if rows_changed(session, update(DatasetTable).where(*where).values(**values)) == 0:
            raise not_found("dataset", dataset_id)

    def _dataset_row(self, dataset: DatasetTable, version: DatasetVersionTable) -> DatasetRow:
        from core.data.dataset import Column

        return DatasetRow(
            id=dataset.id,
            version=version.version,
            name=dataset.name,
            path=self.files.path(dataset.id, "dataset", version.file),
            n_rows=version.n_rows,
            columns=tuple(Column(**column) for column in version.columns),
            sha256=version.sha256,
            options=version.options,
            findings=tuple(version.findings),
            lines=version.lines,
            source_name=version.source_name,
            source_sha256=version.source_sha256,
            owner=dataset.owner,
            workspace=dataset.workspace,
            created=dataset.created,
            changed=version.created,
        )
