"""Written reports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from core.store.audit import AuditStore
from core.store.engine import now, rows_changed
from core.store.models import ReportTable
from core.store.problems import not_found
from core.store.records import ReportRow


class ReportStore(AuditStore):
    """Reads and writes reports. The file must be in its place before the row is added."""

    def add_report(self, report_id: str, run_id: str, *, file: str, title: str, language: str, sha256: str = "") -> ReportRow:
        """Register a report whose file is at `path(report_id, "report", file)`; `sha256` of it goes into the audit trail.

        Raises:
            StoreProblem: the file is not there.
        """
        if not self.files.path(report_id, "report", file).is_file():
            raise not_found("report", report_id)
        row = ReportTable(**self.owned(), id=report_id, run_id=run_id, file=file, title=title, language=language)
        with self.writing() as session:
            session.add(row)
            session.flush()
            self.add_audit(session, "made", "report", report_id, name=title, sha256=sha256, language=language)
            return self._report_row(row)

    def get_report(self, report_id: str) -> ReportRow:
        """One report.

        Raises:
            StoreProblem: there is none, or it was deleted.
        """
        with self.reading() as session:
            found = session.scalar(select(ReportTable).where(*self._visible_reports(), ReportTable.id == report_id))
        if found is None:
            raise not_found("report", report_id)
        return self._report_row(found)

    def list_reports(self, run_id: str | None = None) -> tuple[ReportRow, ...]:
        """Reports of the workspace, newest first; of one run when it is given."""
        query = select(ReportTable).where(*self._visible_reports()).order_by(ReportTable.number.desc())
        if run_id is not None:
            query = query.where(ReportTable.run_id == run_id)
        with self.reading() as session:
            return tuple(self._report_row(row) for row in session.scalars(query))

    def delete_report(self, report_id: str) -> None:
        """Mark a report deleted, then move its file to the trash."""
        where = (*self._visible_reports(), ReportTable.id == report_id)
        with self.writing() as session:
            title = session.scalar(select(ReportTable.title).where(*where))
            if rows_changed(session, update(ReportTable).where(*where).values(deleted=now())) == 0:
                raise not_found("report", report_id)
            self.add_audit(session, "deleted", "report", report_id, name=title or "")
        self.files.to_trash(self.files.path(report_id, "report"))

    def _visible_reports(self) -> tuple[Any, ...]:
        return ReportTable.deleted.is_(None), ReportTable.workspace == self.workspace

    def _report_row(self, row: ReportTable) -> ReportRow:
        path = self.files.path(row.id, "report", row.file)
        return ReportRow(row.id, row.run_id, path, row.title, row.language, row.owner, row.created)
