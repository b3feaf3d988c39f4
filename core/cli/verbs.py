"""The verbs but `train`; each calls one workflow and words its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.common import (
    Answer,
    Options,
    check_out,
    figure_lines,
    figures,
    file_and_column,
    intervals,
    names_of,
    note,
    open_or_import,
    read_options,
    slow_progress,
    source_options,
)
from core.cli.faults import body
from core.data.dataset import Dataset
from core.data.findings import Finding
from core.data.options import OddRow, unanswered
from core.errors import DataProblem, SettingProblem
from core.messages import msg

if TYPE_CHECKING:
    from core.workflows.privacy import Treatment


def serve(options: Options) -> Answer:
    from core.serve import serve as start

    return {}, [], start(options.port)


def demo(options: Options) -> Answer:
    from core import workflows as wf
    from core.jobs import wait_for_job
    from core.workflows.demos import DEMOS

    ws = wf.open_workspace()
    wf.ensure_demos(ws)
    for demo in DEMOS:
        job, _ = ws.store.submit_job("demo", lane="short", params={"demo": demo.key}, token=f"demo-{demo.key}", priority=-1)
        wait_for_job(ws.store, job.id)
        row = ws.store.find_demo_run(demo.key)
        if row is not None:
            note(options, f"{demo.key}: training …")
            wait_for_job(ws.store, row.job.id)
    cards = wf.demo_cards(ws)
    rows = [{"key": c.key, "state": c.state, "run": c.run_id, "dataset": c.dataset_id} for c in cards]
    return {"demos": rows}, [f"{c.key}: {c.state}" + (f" – {c.headline}" if c.headline else "") for c in cards], 0


def import_(options: Options) -> Answer:
    from core import workflows as wf

    read, source = source_options(options)
    paths, ws = [Path(file) for file in options.files], wf.open_workspace()
    private: dict[str, Treatment] = {**names_of(options.hash, "hash"), **names_of(options.drop, "drop")}
    told = slow_progress(options)
    if bool(options.again) == bool(paths):
        raise SettingProblem(
            msg("Both files and --again were given.") if paths else msg("No file was given."),
            msg("Expected files to read, or --again with a dataset."),
            msg("Name one of them."),
        )
    try:
        if options.again:
            changed = {} if read is None else read.model_dump(exclude_unset=True)
            imported = wf.import_again(ws, options.again, name=options.name, changed=changed, progress=told)
        elif len(paths) > 1 or source.combine is not None:
            imported = wf.import_files(
                ws, paths, name=options.name, options=read, source=source, privacy=private or None, progress=told
            )
        else:
            imported = wf.import_file(
                ws, paths[0], name=options.name, options=read, source=source, privacy=private or None, progress=told
            )
    except DataProblem as problem:
        rejected: Any = problem.values.get("rejected", ())
        return {**_imported("reject", None, (), rejected), **body(problem)}, [str(problem)], 2
    answer = _imported(imported.outcome, imported.dataset, imported.findings, imported.rejected)
    answer["repaired"] = _odd_rows(imported.repaired)
    answer["lines"] = imported.lines.to_json()
    answer["same_as"] = imported.same_as
    answer["source"] = imported.source.model_dump(mode="json", exclude_none=True)
    answer["unmatched"] = [{"file": u.file, "first": u.first, "other": u.other} for u in imported.unmatched]
    if imported.dataset is None:
        asked = unanswered(imported.questions)
        answer |= {"questions": [_question(q) for q in imported.questions], **body(asked)}
        return answer, [str(asked)], 2
    dataset, n_rejected = imported.dataset, imported.lines.rejected
    lines = [
        f"{dataset.id}  {dataset.n_rows} rows, {len(dataset.columns)} columns, {n_rejected} line{'' if n_rejected == 1 else 's'} rejected"
    ]
    lines += [f"- {f.message}" for f in imported.findings]
    steps = wf.looks_wide([c.name for c in dataset.columns]) if source.combine is None else ()
    answer["looks_wide"] = bool(steps)
    if steps:
        lines.append(
            f"- Columns '{steps[0]}' to '{steps[-1]}' are numbered: if they are time steps of one measurement, import it with --wide."
        )
    return answer, lines, 0


def _imported(
    outcome: str, dataset: Dataset | None, findings: Sequence[Finding], rejected: Sequence[OddRow]
) -> dict[str, object]:
    """The keys that every outcome has, also where there is no dataset."""
    columns = () if dataset is None else dataset.columns
    return {
        "outcome": outcome,
        "dataset": None if dataset is None else dataset.id,
        "rows": 0 if dataset is None else dataset.n_rows,
        "columns": [{"name": c.name, "kind": c.kind, "role": c.role, "unit": c.unit} for c in columns],
        "findings": [{"code": f.code, "column": f.column, "severity": f.severity, "message": str(f.message)} for f in findings],
        "rejected": _odd_rows(rejected),
    }


def _odd_rows(rows: Sequence[OddRow]) -> list[dict[str, object]]:
    return [{"line": r.line, "byte": r.byte, "column": r.column, "reason": str(r.reason), "text": r.text} for r in rows]


def _question(question: Any) -> dict[str, object]:
    options = [{"label": str(label), "set": o.model_dump(mode="json", exclude_none=True)} for o, label in question.options]
    return {"code": question.code, "message": str(question.message), "options": options}


def score(options: Options) -> Answer:
    from core import workflows as wf

    check_out(options.out)
    read, source = source_options(options)
    ws = wf.existing_workspace()
    found = wf.score_file(wf.resolve_bundle(ws, options.bundle), options.data, options.out, read, source, ws=ws)
    warnings = [str(w) for w in found.warnings]
    return {"rows": found.rows, "out": str(found.out), "warnings": warnings}, [f"{found.rows} rows → {found.out}", *warnings], 0


def evaluate(options: Options) -> Answer:
    from core import workflows as wf

    path, column = file_and_column(options.truth)
    metrics = {m.key: m for m in wf.evaluate_file(options.scores, path, column, read_options(options))}
    answer: dict[str, object] = {
        "metrics": figures(metrics.values()),
        "intervals": intervals(metrics.values()),
        "rows": max((m.n for m in metrics.values()), default=0),
        "not_defined": {m.key: str(m.why_not) for m in metrics.values() if m.value is None},
    }
    return answer, figure_lines(metrics, {}), 0


def report(options: Options) -> Answer:
    from core import workflows as wf

    check_out(options.out)
    ws = wf.open_workspace()
    in_service = None if options.fleet is None else open_or_import(ws, options.fleet)
    made = wf.make_report(ws, options.run, language=options.language, out=options.out, in_service=in_service)
    return {"out": str(options.out), "run": made.run_id}, [f"report: {options.out}"], 0
