"""The demo projects: made by real jobs at first start, behind the user's own, and shown as cards on Home."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.data.demos import DEMOS, Demo, demo_by_key
from core.evaluation import metric_info
from core.messages import Message, msg
from core.models import model_by_key
from core.training.events import Event
from core.training.request import TrainRequest
from core.workflows.csv_out import write_csv
from core.workflows.importing import import_file
from core.workflows.records import Run
from core.workflows.training import get_run, start_training
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.context import JobContext

DEMO_SEED = 7
HEADLINE = {"regression": "rmse", "rul": "rmse", "classification": "roc_auc", "anomaly": "f1", "forecast": "mae"}
STATES = {
    "queued": "waiting",
    "running": "building",
    "succeeded": "ready",
    "failed": "failed",
    "cancelled": "failed",
    "interrupted": "failed",
}


@dataclass(frozen=True, slots=True)
class DemoCard:
    """One demo project on Home.

    `state` is waiting, building, ready, failed, unbuilt (nobody asked for it) or absent (deleted by the user).
    """

    key: str
    title: Message
    summary: Message
    task: str
    state: str
    progress: float | None
    dataset_id: str | None
    run_id: str | None
    headline: Message | None


def demo_cards(ws: Workspace) -> tuple[DemoCard, ...]:
    """The four cards, in order."""
    return tuple(_card(ws, demo) for demo in DEMOS)


def demos_wanted() -> bool:
    """Whether a server makes the demo projects when it starts: not with ANDON_DEMOS=0."""
    return os.environ.get("ANDON_DEMOS") != "0"


def ensure_demos(ws: Workspace) -> None:
    """Queue the demo projects that were never made; a deleted one stays deleted."""
    for demo in DEMOS:
        job, _ = ws.store.submit_job("demo", lane="short", params={"demo": demo.key}, token=f"demo-{demo.key}", priority=-1)
        if job.state in ("interrupted", "failed") and ws.store.find_demo_run(demo.key) is None:
            ws.store.resume_job(job.id)


def build_demo(ctx: JobContext) -> None:
    """The demo job: make the table, import it as a file would be, and queue its run."""
    demo = demo_by_key(str(ctx.job.params["demo"]))
    ws = Workspace(ctx.store)
    if ctx.store.find_demo_run(demo.key) is not None:
        return
    ctx.emit(Event("stage", {"name": "preparing", "done": 0, "of": 2}))
    path = ctx.folder / f"{demo.key}.csv"
    write_csv(demo.make(DEMO_SEED), path)
    imported = import_file(ws, path, name=str(demo.title), columns=demo.columns)
    path.unlink()
    if imported.dataset is None:
        raise RuntimeError(f"The demo table {demo.key} was not read in one way only.")
    request = TrainRequest.read(
        {**demo.request, "task": demo.task, "dataset_id": imported.dataset.id, "dataset_version": 1, "name": str(demo.title)}
    )
    start_training(ws, request, token=f"demo-run-{demo.key}", demo=demo.key)


def _card(ws: Workspace, demo: Demo) -> DemoCard:
    row = ws.store.find_demo_run(demo.key)
    card = DemoCard(demo.key, demo.title, demo.summary, demo.task, "waiting", None, None, None, None)
    if row is None:
        return replace(card, state=_build_state(ws, demo))
    run = get_run(ws, row.id)
    return replace(
        card,
        state=STATES[run.state],
        progress=run.progress,
        dataset_id=run.dataset_id,
        run_id=run.id,
        headline=_headline(ws, run) if run.has_results else None,
    )


def _build_state(ws: Workspace, demo: Demo) -> str:
    """How far the job that makes the table is, when there is no run yet."""
    job = ws.store.find_job(f"demo-{demo.key}")
    if job is None:
        return "waiting" if demos_wanted() else "unbuilt"
    return "absent" if job.state == "succeeded" else STATES[job.state]


def _headline(ws: Workspace, run: Run) -> Message | None:
    """The main figure beside the baseline's."""
    key = HEADLINE[run.task]
    model, base = run.metrics.get(key), run.baseline_metrics.get(key)
    if model is None or model.value is None:
        return None
    unit = _unit(ws, run) if metric_info(key).in_target_unit else ""
    if base is None or base.value is None:
        return msg("{metric} {value} {unit}", metric=metric_info(key).title, value=model.value, unit=unit)
    return msg(
        "{metric} {value} {unit} · {baseline} {base}",
        metric=metric_info(key).title,
        value=model.value,
        unit=unit,
        baseline=model_by_key(run.baseline).title,
        base=base.value,
    )


def _unit(ws: Workspace, run: Run) -> str:
    dataset = ws.store.get_dataset(run.dataset_id, run.dataset_version, deleted=True).to_dataset()
    column = run.request.target or next((c.name for c in dataset.with_role("target")), None)
    return dataset.column(column).unit if column is not None else ""
