"""From a question to a run: recommend, plan, start, follow, stop, resume, compare, rename, delete."""

from __future__ import annotations

from itertools import count

import numpy as np

from core.data.dataset import Dataset
from core.data.split import TRAIN
from core.errors import StoreProblem
from core.features.pipeline import row_order
from core.messages import Message, msg
from core.models import AUTO_KEY, model_by_key
from core.training.prepare import check_target, split_of
from core.training.recommend import Recommendation
from core.training.request import TrainRequest
from core.training.resolve import resolve
from core.workflows.costs import LARGEST_TRAINING_SHARE, check_resources, features_of, plan_costs
from core.workflows.curves import CurveReader, progress_of
from core.workflows.datasets import checked_name, open_dataset
from core.workflows.leak_notes import find_leaks
from core.workflows.plan_notes import plan_notes, text_sentence
from core.workflows.records import (
    Curves,
    Diagnosis,
    Run,
    StoredEvent,
    TaskChoice,
    TrainingPlan,
    run_record,
    split_preview,
)
from core.workflows.workspace import Workspace

TASK_CHOICES: tuple[TaskChoice, ...] = (
    TaskChoice(
        "regression",
        msg("Predict a value"),
        msg("Predict a quality value before it is measured"),
        msg("A prediction with an interval, and what the error is on later parts."),
    ),
    TaskChoice(
        "classification",
        msg("Predict a class"),
        msg("Predict a class: pass or fail, or which fault"),
        msg("A class with a probability, defects caught and good parts rejected."),
    ),
    TaskChoice(
        "anomaly",
        msg("Warn when something is off"),
        msg("Warn me when something is off"),
        msg("Scores, events and their sensors, at a false-alarm rate you choose."),
    ),
    TaskChoice(
        "forecast",
        msg("Forecast"),
        msg("What comes next?"),
        msg("The next values with bands, and what each step ahead is worth beside earlier values."),
    ),
    TaskChoice(
        "rul",
        msg("Remaining life"),
        msg("How long will the machine last?"),
        msg("Remaining life with an interval, from machines that ran to failure."),
    ),
)


def recommend(ws: Workspace, dataset: Dataset, request: TrainRequest) -> Recommendation:
    """The family to start with, the reason, and the alternatives. Nothing is read but the columns."""
    del ws
    return resolve(dataset, request).recommendation


def plan_training(ws: Workspace, request: TrainRequest) -> TrainingPlan:
    """What `start_training` would do: family, window, the split on its axis, weights, memory and time.

    Raises:
        SettingProblem, DataProblem, NotEnoughData: as `start_training` would, and as its job would for a target that is
            constant, empty, of one class or known for too few rows; also for one that would not fit into the memory left.
    """
    resolved = resolve(open_dataset(ws, request.dataset_id, request.dataset_version), request)
    names = [n for n in (resolved.time, resolved.group, resolved.target, resolved.split.column) if n is not None]
    table = resolved.dataset.table(list(dict.fromkeys(names)) or [resolved.dataset.columns[0].name])
    split = split_of(resolved, table)
    check_target(table, split, resolved)
    check_resources(ws, resolved, split.rows(TRAIN))
    order, _ = row_order(table, resolved.group if resolved.split.method == "group" else None, resolved.time)
    by_time = resolved.time is not None and resolved.split.method in ("time", "first")
    positions = table[resolved.time].to_numpy()[order] if by_time else np.arange(len(table))  # type: ignore[index]
    ordered = split if not by_time else type(split)(split.settings, split.parts[order], split.seed, split.reason)
    n_features = features_of(resolved, split.rows(TRAIN))
    found, seconds, planned = plan_costs(resolved, n_features, split.counts()["train"])
    return TrainingPlan(
        request=request,
        model=AUTO_KEY if resolved.portfolio is not None else resolved.spec.key,
        width=resolved.width,
        split=split_preview(ordered, positions, resolved.split_reason),
        recommendation=resolved.recommendation,
        estimate=found,
        seconds_total=seconds,
        model_settings=resolved.model_settings.model_dump(mode="json"),
        fit_settings=resolved.fit.model_dump(mode="json"),
        notes=plan_notes(table, split, resolved),
        leaks=find_leaks(split, resolved),
        n_features=n_features,
        planned=planned,
        text=text_sentence(resolved),
    )


def start_training(ws: Workspace, request: TrainRequest, *, token: str | None = None, demo: str | None = None) -> Run:
    """Queue a run. The same token gives the same run, so a double click starts one job; one that failed or was deleted starts anew.

    Raises:
        SettingProblem: an unknown choice, a value outside its range, or more memory needed than is left.
        DataProblem: a column that is not there, or a missing target.
    """
    dataset = open_dataset(ws, request.dataset_id, request.dataset_version)
    resolved = resolve(dataset, request)
    check_resources(ws, resolved, np.arange(round(LARGEST_TRAINING_SHARE * dataset.n_rows)))
    model = AUTO_KEY if resolved.portfolio is not None else resolved.spec.key
    row, _ = ws.store.add_run(
        dataset_id=dataset.id,
        dataset_version=dataset.version,
        name=request.name,
        task=request.task,
        model=model,
        request=request.model_dump(mode="json"),
        token=None if token is None else _run_of_token(ws, token)[0],
        demo=demo,
        lane="long" if request.search or model_by_key(model).role == "network" else "short",
        priority=-1 if demo else 0,
    )
    return get_run(ws, row.id)


def find_started(ws: Workspace, token: str) -> Run | None:
    """The run that was started with a token and is queued, running or has results; None where pressing again has to train again."""
    return _run_of_token(ws, token)[1]


def _run_of_token(ws: Workspace, token: str) -> tuple[str, Run | None]:
    """What a token stands for in the store, and its run: the token, then with the numbers of further attempts."""
    for number in count():
        numbered = token if number == 0 else f"{token}.{number}"
        job = ws.store.find_job(numbered)
        if job is None:
            return numbered, None
        try:
            run = get_run(ws, str(job.params.get("run_id", "")))
        except StoreProblem:  # it was deleted
            continue
        if run.is_live or run.has_results:
            return numbered, run
    raise AssertionError("count() has no end")


def stop_run(ws: Workspace, run_id: str) -> Run:
    """Ask a run to stop; it keeps the best weights so far."""
    ws.store.request_stop(ws.store.get_run(run_id).job.id)
    return get_run(ws, run_id)


def resume_run(ws: Workspace, run_id: str) -> Run:
    """Queue an interrupted run again; it goes on after its last checkpoint."""
    ws.store.resume_job(ws.store.get_run(run_id).job.id)
    return get_run(ws, run_id)


def list_runs(ws: Workspace, dataset_id: str | None = None) -> tuple[Run, ...]:
    """All runs, newest first."""
    return tuple(_record(ws, row) for row in ws.store.list_runs(dataset_id))


def get_run(ws: Workspace, run_id: str) -> Run:
    """One run.

    Raises:
        StoreProblem: there is none.
    """
    return _record(ws, ws.store.get_run(run_id))


def jobs_overview(ws: Workspace) -> tuple[Run, ...]:
    """Queued and running runs, running first."""
    live = [run for run in list_runs(ws) if run.is_live]
    return tuple(sorted(live, key=lambda run: (run.state != "running", run.number)))


def rename_run(ws: Workspace, run_id: str, name: str) -> None:
    """Give a run another name."""
    ws.store.rename_run(run_id, checked_name(name))


def delete_run(ws: Workspace, run_id: str) -> None:
    """Delete a run with its bundle and results.

    Raises:
        StoreProblem: it is still running.
    """
    dataset_id = ws.store.get_run(run_id).dataset_id
    ws.store.delete_run(run_id)
    ws.store.trash_unused(dataset_id)


def read_events(ws: Workspace, run_id: str, after: int = 0, limit: int = 10_000) -> tuple[StoredEvent, ...]:
    """Events of a run with a number above `after`, in order."""
    rows = ws.store.events_after(ws.store.get_run(run_id).job.id, after, limit)
    return tuple(StoredEvent(row.seq, row.created, row.kind, row.values) for row in rows)


def read_curves(ws: Workspace, run_id: str, reader: CurveReader | None = None) -> Curves:
    """The curves of a run so far. After a resume the later attempt's epochs replace the earlier ones.

    Args:
        reader: What was read of this run before; only later events are read, and it goes on from them.
    """
    row, reader = ws.store.get_run(run_id), reader or CurveReader()
    while events := ws.store.events_after(row.job.id, reader.last_seq):
        reader.add(events)
    return reader.curves(row.job.state)


def diagnose(curves: Curves, run: Run) -> Diagnosis | None:
    """What the curves say in words; None before the third epoch."""
    from core.training.diagnosis import diagnose as judge

    if len(curves.epochs) < 3:
        return None
    n_train = curves.n_train or int(run.summary.get("n_train", 0)) or 10_000
    found = judge(list(curves.loss), [None if np.isnan(v) else float(v) for v in curves.val_loss] or None, n_train)
    return Diagnosis(found.code, found.message, found.remedy)


def _record(ws: Workspace, row) -> Run:  # type: ignore[no-untyped-def]
    """A run with its place in the queue, or its progress while it runs."""
    position = ws.store.queue_position(row.job.id) if row.job.state == "queued" else None
    progress = left = None
    if row.job.state == "running":
        progress, left = progress_of(ws.store, row.job)
    return run_record(row, queue_position=position, progress=progress, seconds_left=left)


def stage_title(stage: str) -> Message:
    """What a running job is doing, in words."""
    titles = {
        "preparing": msg("Preparing rows and windows"),
        "baseline": msg("Fitting the baseline"),
        "training": msg("Training"),
        "building": msg("Building the network"),
        "fitting": msg("Training"),
        "last_fit": msg("Fitting once more with the rows that were held back for choosing"),
        "writing": msg("Judging and writing results"),
    }
    return titles.get(stage, msg("Waiting"))
