"""A run as a report that can be handed over: facts gathered here, laid out in `core.report`, kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.store import ReportRow, new_id
from core.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A written report. `path` lies in the store."""

    id: str
    path: Path
    run_id: str
    created: datetime
    title: str
    language: str


def list_reports(ws: Workspace) -> tuple[ReportFile, ...]:
    """All reports, newest first."""
    return tuple(_record(row) for row in ws.store.list_reports())


def delete_report(ws: Workspace, report_id: str) -> None:
    """Delete a report."""
    ws.store.delete_report(report_id)


def _record(row: ReportRow) -> ReportFile:
    return ReportFile(row.id, row.path, row.run_id, row.created, row.title, row.language)


def make_report(ws: Workspace, run_id: str, *, language: str = "en", out: Path | None = None) -> ReportFile:
    """Write the report of a run or of a bundle."""
    from core.workflows.report_facts import render

    report_id = new_id()
    html, title = render(ws, run_id, language)
    path = ws.store.write_bytes(ws.store.path(report_id, "report", "report.html"), html.encode())
    row = ws.store.add_report(report_id, run_id, file=path.name, title=title, language=language)
    return _record(row)
