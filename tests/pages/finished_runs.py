"""Small real runs for the tests of screens: shallow models, trained in this process by the code that workers run."""

from __future__ import annotations

from pathlib import Path

from core import workflows as wf
from core.data.demos import demo_by_key
from core.data.demos.demo import Demo
from core.jobs.processes import host_name
from core.jobs.worker import run_job
from core.store import Store, open_store
from core.training.events import Event
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace

MODELS = {
    "injection_moulding": "linear",
    "hydraulic_pump": "isolation_forest",
    "inspection": "logistic",
    "engine_life": "ridge",
}
ROWS = {"injection_moulding": 1_200, "hydraulic_pump": 2_000, "inspection": 2_000, "engine_life": 3_000}


def build(home: Path) -> None:
    """A store with one finished run of each task."""
    store = open_store(home)
    ws = Workspace(store)
    for key in MODELS:
        demo = demo_by_key(key)
        train(ws, import_demo(ws, demo, home), demo)


def import_demo(ws: Workspace, demo: Demo, folder: Path) -> str:
    """The dataset of a part of a demo table."""
    table = _part(demo.make(7), demo)
    path = folder / f"{demo.key}.csv"
    table.to_csv(path, index=False)
    imported = wf.import_file(ws, path, name=demo.key, columns=demo.columns)
    path.unlink()
    assert imported.dataset is not None
    return imported.dataset.id


def _part(table, demo: Demo):  # type: ignore[no-untyped-def]
    """Enough rows to have every part of the split; for anomalies every k-th row of all."""
    n = ROWS[demo.key]
    if demo.task == "anomaly":
        return table.iloc[:: len(table) // n]
    return table.iloc[:n]


def train(ws: Workspace, dataset_id: str, demo: Demo) -> str:
    """A finished run of the demo's question with a shallow model; its id."""
    split = {"split": {"method": "first", "first": ROWS[demo.key] * 6 // 10}} if demo.task == "anomaly" else {}
    request = TrainRequest.read(
        {
            **demo.request,
            **split,
            "task": demo.task,
            "dataset_id": dataset_id,
            "dataset_version": 1,
            "model": MODELS[demo.key],
            "options": {},
            "name": demo.key,
        }
    )
    run = wf.start_training(ws, request, token=demo.key)
    work_off(ws.store)
    ended = wf.get_run(ws, run.id)
    assert ended.state == "succeeded", ended.problem
    return run.id


def work_off(store: Store) -> None:
    """Do what is queued, here and now."""
    for lane in ("short", "long"):
        while (job := store.claim_next(lane, host=host_name(), limit=9)) is not None:  # type: ignore[arg-type]
            run_job(store, job.id, job.attempt)


def run_of(ws: Workspace, task: str) -> wf.Run:
    """The finished run of a task."""
    return next(run for run in wf.list_runs(ws) if run.task == task and run.has_results)


def start_live(ws: Workspace, epochs: int, *, planned: int = 40) -> wf.Run:
    """A running training whose worker has said `epochs` epochs so far; no process stands behind it."""
    done = run_of(ws, "regression")
    request = done.request.with_values(model="dense", name="live")
    run = wf.start_training(ws, request, token="live")
    job = ws.store.claim_next("long", host=host_name(), limit=9)
    assert job is not None and job.id == run.job_id
    say_epochs(ws, run, 1, epochs, planned=planned)
    return wf.get_run(ws, run.id)


def say_epochs(ws: Workspace, run: wf.Run, first: int, last: int, *, planned: int = 40) -> None:
    """What the worker says of some epochs: loss 1/epoch, validation a little above."""
    values = [
        {
            "epoch": n,
            "loss": 1 / n,
            "val_loss": 1.1 / n,
            "metric": 0.5 / n,
            "val_metric": 0.6 / n,
            "learning_rate": 0.001,
            "seconds": 2.0,
            "best_epoch": n,
            "epochs": planned,
        }
        for n in range(first, last + 1)
    ]
    ws.store.append_events(run.job_id, [Event("epoch", v) for v in values])
