"""The verb `study`: a training repeated on folds, seeds, sizes, families or splits, and what that says."""

from __future__ import annotations

import time

from core.cli.common import Answer, Options, figures, follow, note, open_or_import
from core.cli.faults import without_results
from core.cli.train import train_request
from core.errors import TrainingProblem
from core.messages import msg


def study(options: Options) -> Answer:
    from core import workflows as wf
    from core.jobs import wait_for_job
    from core.jobs.study_request import StudyRequest

    ws = wf.open_workspace()
    dataset = open_or_import(ws, options.data)
    request = train_request(options, dataset)
    asked = {"method": options.method.replace("-", "_"), "folds": options.folds, "repeats": options.repeats}
    began = time.monotonic()
    work = wf.start_study(ws, StudyRequest.read({**asked, "request": request.model_dump(mode="json")}))
    note(options, f"study {work.job_id}")
    wait_for_job(ws.store, work.job_id, on_event=lambda event: follow(options, event))
    work = wf.get_study(ws, work.job_id)
    if not work.has_result:
        stopped = TrainingProblem(
            msg("The study was stopped before it had results."),
            msg("Expected a study that goes on to its end."),
            msg("Start it again."),
        )
        raise without_results(work, work.job_id, ws.store.path(work.job_id, "log"), stopped)
    cells = [
        {
            "label": str(c.label),
            "model": c.model,
            "metrics": figures(c.metrics.values()),
            "n_train": c.n_train,
            "seconds": c.seconds,
            "why_not": None if c.why_not is None else str(c.why_not),
        }
        for c in work.cells
    ]
    answer: dict[str, object] = {
        "study": work.job_id,
        "method": work.method,
        "dataset": dataset.id,
        "metric": work.metric,
        "split": str(work.reason),
        "cells": cells,
        "spread": dict(work.spread or {}),
        "sentences": [str(s) for s in work.sentences],
        "seconds": round(time.monotonic() - began, 2),
    }
    lines = [*(str(s) for s in work.sentences), str(work.reason)]
    for c in work.cells:
        metric = c.metrics.get(work.metric)
        shown = (
            str(c.why_not)
            if c.why_not is not None
            else "–"
            if metric is None or metric.value is None
            else f"{metric.value:.4g}"
        )
        lines.append(f"  {c.label}: {c.model}  {work.metric} {shown}  {c.n_train} training rows  {c.seconds:.1f} s")
    return answer, lines, 0
