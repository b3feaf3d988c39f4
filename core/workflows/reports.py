"""A run as a report that can be handed over: facts gathered here, laid out in `core.report`, kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from core.data.dataset import Dataset
from core.errors import DataProblem, SettingProblem, unknown_choice
from core.languages import LANGUAGES, text_in
from core.messages import msg
from core.serving import load_bundle
from core.store import ReportRow, new_id
from core.workflows.results import open_results
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


def make_report(
    ws: Workspace, run: str, *, language: str = "en", out: Path | None = None, in_service: Dataset | None = None
) -> ReportFile:
    """Write the report of a run, by its id or by a bundle that it wrote, into the store and, where asked, to `out`.

    With a fleet `in_service` the file in the store is named after it, so that deleting the fleet with all that was made from
    it finds the report.

    Raises:
        SettingProblem: an unknown language, a file ending other than .html, or a fleet for a run that predicts no remaining life.
        DataProblem: the run of the bundle is not in this workspace, or the fleet lacks columns of the model.
        NotEnoughData: the run has no results yet.
    """
    from core.report import render_html
    from core.workflows.report_facts import report_facts

    if language not in LANGUAGES:
        raise unknown_choice("language", language, LANGUAGES)
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise SettingProblem(
            msg("The report was asked for as '{name}'.", name=out.name),
            msg("This version writes HTML."),
            msg("Give a name that ends in .html."),
        )
    results = open_results(ws, run_id_of(ws, run))
    text = text_in(language)
    html = render_html(report_facts(ws, results, text, in_service), text, {"zh": "zh_CN"}.get(language, language)).encode()
    report_id = new_id()
    name = "report.html" if in_service is None else f"fleet-{in_service.id}.html"
    path = ws.store.write_bytes(ws.store.path(report_id, "report", name), html)
    named = {"file": path.name, "title": results.run.name, "language": language}
    row = ws.store.add_report(report_id, results.run.id, **named, sha256=sha256(html).hexdigest())
    if out is not None:
        _copy(html, out)
    return _record(row)


def list_reports(ws: Workspace) -> tuple[ReportFile, ...]:
    """All reports, newest first."""
    return tuple(_record(row) for row in ws.store.list_reports())


def delete_report(ws: Workspace, report_id: str) -> None:
    """Delete a report."""
    ws.store.delete_report(report_id)


def run_id_of(ws: Workspace, run: str) -> str:
    """A run's id from an id or from the path of a bundle."""
    known = {row.id for row in ws.store.list_runs()}
    if run in known:
        return run
    if not Path(run).exists():
        raise DataProblem(
            msg("There is no run and no bundle '{run}'.", run=run),
            msg("Expected the id of a run, or the path of a bundle."),
            msg("See the Runs screen, or the output of 'train'."),
        )
    found = load_bundle(Path(run)).manifest.run
    if found not in known:
        raise DataProblem(
            msg("The run of the bundle '{run}' is not in this workspace.", run=Path(run).name),
            msg("Its scores are needed, which stay where it was trained."),
            msg("Set ANDON_HOME to that workspace."),
        )
    return found


def _copy(html: bytes, out: Path) -> None:
    from core.store.files import disk_errors

    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with disk_errors():
            out.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(html)
            temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def _record(row: ReportRow) -> ReportFile:
    return ReportFile(row.id, row.path, row.run_id, row.created, row.title, row.language)
