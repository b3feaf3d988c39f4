"""One cell of the measurement: a data set, a case of its protocol, a model and a seed; kept in a file once it is measured.

Nothing is chosen by looking at a test part: a cell is a training with default settings, or with a family by name, and its
figures on the part that the protocol names.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.common import table
from core import workflows as wf
from core.jobs import wait_for_job
from core.training.request import TrainRequest

Figures = dict[str, float]
Measure = Callable[[wf.Workspace, Path, str, str, int], Figures]
Summary = Callable[[Sequence[Figures]], Figures]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A public data set with its protocol.

    Args:
        key: Its name on the command line.
        folder: Where it lies in the shared data.
        protocol: In a sentence.
        figures: The figures that are shown, in order.
        models: Families by name, `auto` first.
        published: (who, figures, where from), as printed there.
        measure: Trains and judges one cell: (workspace, folder, case, model, seed) → figures.
        cases: Splits or files that each model is measured on.
        seeds: Each case is trained with each of them.
        summary: Cells of one model → figures; the mean by default.
    """

    key: str
    folder: str
    title: str
    protocol: str
    figures: tuple[str, ...]
    models: tuple[str, ...]
    published: tuple[tuple[str, Figures, str], ...]
    measure: Measure
    cases: tuple[str, ...] = ("all",)
    seeds: tuple[int, ...] = (7, 8, 9)
    summary: Summary | None = None
    digits: Mapping[str, int] = field(default_factory=dict)


def trained(ws: wf.Workspace, path: Path, **request: object) -> wf.Run:
    """Import a file once, train on it and wait.

    Raises:
        RuntimeError: it was not read in one way only, or the training has no results.
    """
    dataset = wf.same_original(ws, wf.hash_of_all([path])) or wf.import_file(ws, path).dataset
    if dataset is None:
        raise RuntimeError(f"{path} was not read in one way only")
    asked = {"dataset_id": dataset.id, "dataset_version": dataset.version, "budget_minutes": minutes(10.0)}
    made = TrainRequest.read({**asked, **request})
    run = wf.start_training(ws, made)
    wait_for_job(ws.store, run.job_id)
    run = wf.get_run(ws, run.id)
    if not run.has_results:
        raise RuntimeError(f"{path.name}: {run.state}: {run.problem}")
    return run


def minutes(usual: float) -> float:
    """The longest that a training of a set takes, unless ANDON_ACCURACY_MINUTES says otherwise."""
    return float(os.environ.get("ANDON_ACCURACY_MINUTES", usual))


def measure_cells(ws: wf.Workspace, data: DataSet, root: Path, kept: Path, models: Sequence[str] = ()) -> None:
    """Measure what is not kept yet, cell by cell; a cell that fails is told and left out."""
    for case in data.cases:
        for model in data.models:
            for seed in data.seeds:
                file = kept / data.key / f"{case.replace('/', '_')}-{model}-{seed}.json"
                if file.exists() or (models and model not in models):
                    continue
                began = time.monotonic()
                try:
                    figures = data.measure(ws, root / data.folder, case, model, seed)
                except Exception:  # noqa: BLE001 - one cell must not end an hour of others
                    traceback.print_exc()
                    continue
                seconds = time.monotonic() - began
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps({"figures": figures, "seconds": seconds}))
                shown = ", ".join(f"{k} {v:.4g}" for k, v in figures.items())
                print(f"{data.key} {case} {model} {seed}: {shown} ({seconds:.0f} s)", flush=True)


def page(data: DataSet, kept: Path) -> str:
    """Ours beside the published figures, the cells counted, with the spread over them."""
    rows = []
    for model in data.models:
        found = [json.loads(f.read_text()) for f in sorted((kept / data.key).glob(f"*-{model}-*.json"))]
        if not found:
            continue
        cells = [c["figures"] for c in found]
        whole = data.summary(cells) if data.summary else {}
        shown = [_figure(name, cells, whole, data) for name in data.figures]
        rows.append([f"**{model}**", *shown, f"{sum(c['seconds'] for c in found) / len(found):.0f}", str(len(found))])
    for who, figures, where in data.published:
        shown = [f"{figures[name]:g}" if name in figures else "" for name in data.figures]
        rows.append([f"{who} ({where})", *shown, "", ""])
    head = [data.title, *data.figures, "s a training", "cells"]
    return f"{data.protocol}\n\n{table(head, rows)}"


def _figure(name: str, cells: Sequence[Figures], whole: Figures, data: DataSet) -> str:
    digits = data.digits.get(name, 3)
    if name in whole:
        return f"{whole[name]:.{digits}f}"
    values = np.array([c[name] for c in cells if name in c])
    if not len(values):
        return ""
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
