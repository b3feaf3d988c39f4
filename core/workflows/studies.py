"""Repeated measurement: start, follow, stop and read studies. A study is a job; its result is kept among the job's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import Problem, problem_from_json
from core.evaluation.result import Metric
from core.jobs.study_request import StudyRequest
from core.messages import Message, msg
from core.models import model_by_key
from core.store import JobRow
from core.store.records import LIVE_STATES
from core.training.request import TrainRequest
from core.training.settings import FitSettings
from core.training.task_settings import TaskSettings
from core.workflows.datasets import open_dataset
from core.workflows.records import Run, metrics_from_json
from core.workflows.workspace import Workspace

STATES = ("queued", "running", "succeeded", "failed", "cancelled", "interrupted")
STUDY_TITLES: Mapping[str, Message] = {
    "cross_validate": msg("Cross-validation"),
    "seeds": msg("Other seeds"),
    "learning_curve": msg("Would more data help?"),
    "worth": msg("Is deep learning worth it here?"),
    "optimism": msg("Does the split flatter?"),
}


@dataclass(frozen=True, slots=True)
class StudyCell:
    """One training of a study and its figures on the test part; `why_not` where it could not be trained."""

    label: Message
    model: str
    metrics: Mapping[str, Metric]
    n_train: int
    seconds: float
    why_not: Message | None


@dataclass(frozen=True, slots=True)
class StudyWork:
    """A study that somebody asked for. `done` of `of` trainings are measured, both 0 until it has begun.

    `cells`, `spread` (metric → mean, sd, min, max, n) and `sentences` are there once it has ended with a result.
    """

    job_id: str
    method: str
    request: StudyRequest
    state: str
    created: datetime
    done: int = 0
    of: int = 0
    cells: tuple[StudyCell, ...] = ()
    metric: str = ""
    spread: Mapping[str, Mapping[str, float | None]] | None = None
    reason: Message | None = None
    sentences: tuple[Message, ...] = ()
    is_stopping: bool = False
    problem: Problem | None = None
    error_id: str = ""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def has_result(self) -> bool:
        return bool(self.cells)


def kept_request(run: Run) -> TrainRequest:
    """The training that gives what a run has kept: its family by name, and the settings that a search found for it.

    Of an ensemble the member with the largest share. Options of other families are left out.
    """
    if run.choice is None:
        return run.request.with_values(search=False)
    kept = max(run.choice.candidates, key=lambda c: c.share)
    spec = model_by_key(kept.model)
    fits = FitSettings.model_fields if spec.role == "network" else {}
    known = {*TaskSettings.model_fields, *spec.settings.model_fields, *fits}
    options = {name: value for name, value in run.request.options.items() if name in known}
    return run.request.with_values(model=kept.model, search=False, options={**options, **kept.settings})


def start_study(ws: Workspace, study: StudyRequest, *, token: str | None = None) -> StudyWork:
    """Queue a study; the same token gives the same one.

    Raises:
        SettingProblem, DataProblem, NotEnoughData: it cannot be done on this dataset.
    """
    from core.jobs.studies import plan_study

    plan_study(study, open_dataset(ws, study.request.dataset_id, study.request.dataset_version))
    job, _ = ws.store.submit_job("study", lane="long", params={"study": study.model_dump(mode="json")}, token=token)
    return _work(ws, job)


def get_study(ws: Workspace, job_id: str) -> StudyWork:
    """One study.

    Raises:
        StoreProblem: there is none.
    """
    return _work(ws, ws.store.get_job(job_id))


def list_studies(ws: Workspace, dataset_id: str | None = None) -> tuple[StudyWork, ...]:
    """All studies, newest first; of one dataset when it is given."""
    jobs = [job for job in ws.store.list_jobs(STATES) if job.kind == "study" and job.params]
    found = [_work(ws, job) for job in jobs]
    kept = [work for work in found if dataset_id in (None, work.request.request.dataset_id)]
    return tuple(sorted(kept, key=lambda work: work.created, reverse=True))


def stop_study(ws: Workspace, job_id: str) -> None:
    """Ask a study to stop; what is measured is kept and told."""
    ws.store.request_stop(job_id)


def resume_study(ws: Workspace, job_id: str) -> StudyWork:
    """Queue it again: it goes on behind the trainings that are measured."""
    ws.store.resume_job(job_id)
    return get_study(ws, job_id)


def _work(ws: Workspace, job: JobRow) -> StudyWork:
    request = StudyRequest.read(job.params["study"])
    result, told = ws.store.last_event(job.id, "result"), ws.store.last_event(job.id, "candidate")
    facts: dict[str, Any] = {}
    if told is not None:
        ended = told.values["state"] in ("done", "failed")
        facts = {"done": int(told.values["number"]) + ended, "of": int(told.values["of"])}
    if result is not None and (job.state not in LIVE_STATES):
        facts |= _result(result.values)
    return StudyWork(
        job_id=job.id,
        method=request.method,
        request=request,
        state=job.state,
        created=job.created,
        is_stopping=job.is_live and job.stop_requested,
        problem=problem_from_json(job.problem) if job.problem else None,
        error_id=job.error_id or "",
        **facts,
    )


def _result(stored: Mapping[str, Any]) -> dict[str, Any]:
    cells = tuple(
        StudyCell(
            Message.from_json(c["label"]),
            str(c["model"]),
            metrics_from_json(c["metrics"]),
            int(c["n_train"]),
            float(c["seconds"]),
            Message.from_json(c["why_not"]) if c.get("why_not") else None,
        )
        for c in stored["cells"]
    )
    return {
        "cells": cells,
        "metric": str(stored["metric"]),
        "spread": stored["spread"],
        "reason": Message.from_json(stored["reason"]),
        "sentences": tuple(Message.from_json(s) for s in stored["sentences"]),
    }
