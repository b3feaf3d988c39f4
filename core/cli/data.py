"""The verbs about datasets that are there: compare, audit, delete."""

from __future__ import annotations

from dataclasses import asdict

from core.cli.common import Answer, Options, aligned
from core.errors import SettingProblem
from core.messages import msg


def list_(options: Options) -> Answer:
    from core import workflows as wf

    found = wf.list_datasets(wf.open_workspace())
    answer = [{"dataset": d.id, "name": d.name, "rows": d.n_rows, "columns": len(d.columns)} for d in found]
    lines = [f"{d.id}  {d.name}  {d.n_rows} rows, {len(d.columns)} columns" for d in found]
    return {"datasets": answer}, lines or ["There are no datasets yet: bring one with 'python -m core import FILE'."], 0


def runs(options: Options) -> Answer:
    """The runs, newest first, with the figure that their task is judged by first."""
    from core import workflows as wf
    from core.evaluation import main_first

    ws = wf.open_workspace()
    answer, rows = [], []
    for run in wf.list_runs(ws, options.dataset):
        key = next(iter(main_first(run.task, run.metrics)), None)
        values = [
            None if key is None or key not in found else found[key].value for found in (run.metrics, run.baseline_metrics)
        ]
        answer.append(
            {
                "run": run.id,
                "name": run.name,
                "dataset": run.dataset_id,
                "task": run.task,
                "model": run.model,
                "state": run.state,
                "metric": key,
                "value": values[0],
                "baseline": run.baseline or None,
                "baseline_value": values[1],
                "created": run.created.isoformat(timespec="seconds"),
            }
        )
        figures = ["–" if value is None else f"{value:.4g}" for value in values]
        rows.append([run.id, run.name[:40], run.task, run.model, run.state, key or "–", *figures])
    head = ["run", "name", "task", "model", "state", "judged by", "value", "baseline"]
    lines = aligned([head, *rows]) if rows else ["There are no runs yet: make one with 'python -m core train'."]
    return {"runs": answer}, lines, 0


def compare(options: Options) -> Answer:
    from core import workflows as wf

    found = wf.compare_datasets(wf.open_workspace(), options.first, options.second)
    lines = [f"{wf.in_a_sentence(found)}."]
    lines += [f"+ {name}" for name in found.added] + [f"- {name}" for name in found.removed]
    rows = [
        [
            c.name,
            c.verdict.replace("_", " "),
            *("" if figure is None else f"{figure:.3g}" for figure in (c.distance, c.psi, c.p)),
            "; ".join(f"{name}: {a or '-'} -> {b or '-'}" for name, a, b in c.facts),
        ]
        for c in found.columns
    ]
    if rows:
        lines += aligned([["column", "verdict", "distance", "PSI", "p", "said otherwise"], *rows])
    answer = {
        "rows": list(found.n_rows),
        "same_table": found.is_same_table,
        "added": list(found.added),
        "removed": list(found.removed),
        "columns": [asdict(c) for c in found.columns],
    }
    return answer, lines, 0


def audit(options: Options) -> Answer:
    from core import workflows as wf

    ws = wf.open_workspace()
    wanted = wf.named_dataset(ws, options.dataset).id if options.dataset and "-" not in options.dataset else options.dataset
    entries = wf.list_audit(ws, wanted)
    rows = [{**asdict(e), "created": e.created.isoformat(timespec="seconds")} for e in entries]
    lines = [
        f"{e.created:%Y-%m-%d %H:%M:%S}Z  {e.owner}  {e.action} {e.kind} {e.object_id}  '{e.name}'  {e.sha256[:12]}  {e.details or ''}".rstrip()
        for e in entries
    ]
    return {"entries": rows}, lines or ["nothing yet"], 0


def delete(options: Options) -> Answer:
    from core import workflows as wf

    ws = wf.open_workspace()
    dataset = wf.named_dataset(ws, options.dataset)
    made = wf.made_from_dataset(ws, dataset.id)
    facts = {"runs": len(made.runs), "reports": len(made.reports), "jobs": len(made.jobs), "bytes": made.n_bytes}
    if not options.yes:
        raise SettingProblem(
            msg(
                "'{name}' would go for good, with {runs} runs, {reports} reports and {jobs} jobs.",
                name=dataset.name,
                runs=len(made.runs),
                reports=len(made.reports),
                jobs=len(made.jobs),
            ),
            msg("Expected --yes."),
            msg("Add --yes to delete it."),
            **facts,
        )
    done = wf.delete_with_everything(ws, dataset.id)
    lines = [f"deleted: '{dataset.name}' with {facts['runs']} runs and {facts['reports']} reports"]
    if done.backups:
        lines.append(f"emptied of it: {done.backups} backup(s) in {ws.home / 'backups'}")
    lines += [f"still holds it: {ws.home / 'backups' / name}; delete that file" for name in done.backups_left]
    lines.append("Copies made outside of Andon (server backups, snapshots, exported files) are out of its reach.")
    return {"deleted": dataset.id, **facts, "backups": done.backups, "backups_left": list(done.backups_left)}, lines, 0
