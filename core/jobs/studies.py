"""Studies: a training repeated on folds, seeds, sizes, families or splits, each time judged like a run.

One cell is one training. A finished cell lies in the job's folder as JSON and arrays, so that a study that was stopped or
killed goes on behind it. The result is one event: figures a cell, their spread, and what they say in sentences.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.data.folding import fold_splits, thinned_split
from core.data.room import Room
from core.data.split import TEST, Split, SplitSettings
from core.errors import Problem, SettingProblem
from core.features.targets import ClassTarget
from core.jobs import forecast_judging
from core.jobs.fitting import fit_baseline, fit_deep
from core.jobs.judged import judge
from core.jobs.judging import capped_truth, metrics_json, row_blocks
from core.jobs.study_request import StudyRequest
from core.jobs.study_words import Cell, Study, conclude
from core.messages import Message, msg
from core.models import baseline_for, model_by_key, reads_text
from core.training.events import Event
from core.training.prepare import Prepared, normal_joined, prepare, split_of
from core.training.resolve import Resolved, resolve
from core.training.task_settings import TaskSettings
from core.watching import Stopped

if TYPE_CHECKING:
    from core.jobs.context import JobContext

SHARES = (0.125, 0.25, 0.5, 1.0)
SHALLOW, DEEP, DEEP_TEXT = "gradient_boosting", "tabular", "text_gru"


@dataclass(frozen=True, slots=True)
class Planned:
    """One training of a study: its name among the others, the family with its seed, and its split."""

    label: Message
    resolved: Resolved
    split: Split


def run(ctx: JobContext) -> None:
    """Do one study from its job row to its result, which is the job's last event."""
    study = StudyRequest.read(ctx.job.params["study"])
    request = study.request
    dataset = ctx.store.get_dataset(request.dataset_id, request.dataset_version).to_dataset()
    planned, reason = plan_study(study, dataset)
    cells: list[Cell] = []
    try:
        for number, one in enumerate(planned):
            cells.append(_cell(ctx, number, len(planned), one))
    except Stopped:
        ctx.cancelled()
    if not any(cell.is_measured for cell in cells):
        problem = next((c.problem for c in cells if c.problem is not None), None)
        if problem is not None:
            raise problem
        return
    found = conclude(Study(study.method, request.task, reason, tuple(cells)))
    ctx.emit(Event("result", {"study": study.method, **found}))
    if not ctx.was_cancelled:
        shutil.rmtree(ctx.folder / "cells", ignore_errors=True)


def plan_study(study: StudyRequest, dataset: Dataset) -> tuple[list[Planned], Message]:
    """The trainings of a study on a dataset; see `plan_cells`."""
    request = study.request
    if request.task == "anomaly":
        raise SettingProblem(
            msg("A study was asked for a question about anomalies."),
            msg("Repeated measurement needs a known result in most rows."),
            msg("Predict a value, a class or the remaining life."),
        )
    resolved = resolve(dataset, request)
    names = [n for n in (resolved.time, resolved.group, resolved.target, resolved.split.column) if n is not None]
    return plan_cells(study, resolved, resolved.dataset.table(list(dict.fromkeys(names))))


def plan_cells(study: StudyRequest, resolved: Resolved, keys: pd.DataFrame) -> tuple[list[Planned], Message]:
    """The trainings of a study, and how their splits were made.

    Raises:
        NotEnoughData, SettingProblem: the split that is asked for is not possible.
    """
    plain = replace(resolved, portfolio=None, gap_rows=_gap(resolved, resolved.width))
    if study.method == "cross_validate":
        folds, reason = fold_splits(
            keys,
            resolved.split,
            study.folds,
            time=resolved.time,
            group=resolved.group,
            target=resolved.target,
            is_classes=resolved.request.task == "classification",
            gap_rows=plain.gap_rows,
            seed=resolved.request.seed,
        )
        splits = [normal_joined(fold, plain, keys) for fold in folds]
        return [Planned(msg("fold {n}", n=i + 1), plain, s) for i, s in enumerate(splits)], reason
    if study.method == "optimism":
        return _by_each_method(plain, keys), msg("The same family, judged by each split that the columns allow.")
    split = split_of(plain, keys, resolved.split)
    if study.method == "seeds":
        seeds = range(resolved.request.seed, resolved.request.seed + study.repeats)
        return [Planned(msg("seed {n}", n=s), _with_seed(plain, s), split) for s in seeds], split.reason
    if study.method == "learning_curve":
        shares = [(s, thinned_split(split, s, keys, time=resolved.time, group=resolved.group)) for s in SHARES]
        return [
            Planned(msg("{share} % of the training part", share=round(100 * s, 1)), plain, p) for s, p in shares
        ], split.reason
    families = _families(resolved)
    # One gap for all, so that all are judged on the same rows.
    widest = max(f.width for f in families)
    split = split_of(replace(plain, gap_rows=_gap(resolved, widest)), keys, resolved.split)
    return [Planned(f.spec.title, f, split) for f in families], split.reason


def _gap(resolved: Resolved, width: int) -> int:
    """Rows between parts that follow each other in time: none for a forecast, whose windows may reach back over the border."""
    return width - 1 if resolved.past is None else 0


def _families(resolved: Resolved) -> list[Resolved]:
    """Baseline, gradient boosting, and the network that was asked for, or the recommended one."""
    request = resolved.request
    network = resolved.spec.key if resolved.spec.role == "network" else DEEP
    if resolved.portfolio is not None and resolved.reads_text:
        network = DEEP_TEXT
    baseline = baseline_for(request.task, has_text=reads_text(model_by_key(network)))[0]
    keys = dict.fromkeys([baseline, SHALLOW, network])
    found = []
    for key in keys:
        spec = model_by_key(key)
        options = {k: v for k, v in request.options.items() if k in TaskSettings.model_fields}
        own = request.options if spec.key == resolved.spec.key else options
        found.append(resolve(resolved.dataset, request.with_values(model=key, options=own)))
    return found


def _by_each_method(resolved: Resolved, keys: pd.DataFrame) -> list[Planned]:
    if resolved.past is not None:
        raise SettingProblem(
            msg("A forecast was to be judged by several splits."),
            msg("Only a split that keeps the order of time says what a forecast is worth."),
            msg("Measure it on folds instead: those are stretches of time."),
        )
    shares = {"validation_fraction": resolved.split.validation_fraction, "test_fraction": resolved.split.test_fraction or 0.2}
    methods = {"random": msg("at random"), "time": msg("by time"), "group": msg("by group")}
    found = []
    for method, label in methods.items():
        if (method == "group" and resolved.group is None) or (method == "time" and resolved.time is None):
            continue
        settings = SplitSettings.read({"method": method, **shares})
        found.append(Planned(label, replace(resolved, split=settings), split_of(resolved, keys, settings)))
    if len(found) < 2:
        raise SettingProblem(
            msg("The table has neither a time nor a group column."),
            msg("Expected one of them, to compare with a split at random."),
            msg("Give a column the role 'time' or 'group'."),
        )
    return found


def _with_seed(resolved: Resolved, seed: int) -> Resolved:
    return replace(resolved, request=resolved.request.with_values(seed=seed))


def _cell(ctx: JobContext, number: int, of: int, planned: Planned) -> Cell:
    """One cell, measured now or by an earlier attempt."""
    folder = ctx.folder / "cells" / f"{number:02d}"
    path = folder / "cell.json"
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        with np.load(folder / "rows.npz", allow_pickle=False) as arrays:
            rows = {name: arrays[name] for name in arrays.files}
        return Cell(planned.label, planned.resolved.spec.key, rows=rows, **stored)
    if ctx.stop_requested():
        raise Stopped
    _tell(ctx, number, of, planned, "running")
    began = time.monotonic()
    try:
        facts, rows = _measure(ctx, planned, folder)
    except Problem as problem:
        _tell(ctx, number, of, planned, "failed", why=msg("{what} {expected}", what=problem.what, expected=problem.expected))
        return Cell(planned.label, planned.resolved.spec.key, problem=problem)
    facts["seconds"] = round(time.monotonic() - began, 2)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "rows.npz", allow_pickle=False, **rows)
    waiting = folder / "cell.json.tmp"
    waiting.write_text(json.dumps(facts), encoding="utf-8")
    waiting.replace(path)
    cell = Cell(planned.label, planned.resolved.spec.key, rows=rows, **facts)
    _tell(ctx, number, of, planned, "done", seconds=cell.seconds, figure=cell.main_figure(planned.resolved.request.task))
    return cell


def _tell(
    ctx: JobContext,
    number: int,
    of: int,
    planned: Planned,
    state: str,
    *,
    seconds: float = 0.0,
    figure: float | None = None,
    why: Message | None = None,
) -> None:
    values = {"number": number, "of": of, "model": planned.resolved.spec.key, "label": planned.label.to_json(), "state": state}
    values |= {"figure": figure, "seconds": seconds, "why": None if why is None else why.to_json()}
    ctx.emit(Event("candidate", {**values, "used": float(number), "budget": float(of)}))


def _measure(ctx: JobContext, planned: Planned, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics of the test part as a run would have them, and what was said of each of its rows."""
    resolved, room = planned.resolved, Room(ctx.folder / "room.tmp")
    try:
        prepared = prepare(resolved, room, split=planned.split)
        work = folder / "bundle"
        shutil.rmtree(work, ignore_errors=True)
        if resolved.spec.role == "network":
            bundle, fit = fit_deep(
                resolved,
                prepared,
                work,
                emit=lambda event: ctx.emit(event) if event.kind in ("epoch", "batch") else None,
                stop_requested=ctx.stop_requested,
                checkpoints=folder / "checkpoints",
            )
            if fit.stopped_by == "user":
                raise Stopped
        else:
            bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, work)
        judged = judge(bundle, prepared, resolved)
        rows = planned.split.rows(TEST)
        facts = {"metrics": metrics_json(judged.metrics), "n_train": len(prepared.train)}
        return facts, _rows_of(judged.scored(rows), rows, prepared, resolved)
    finally:
        shutil.rmtree(ctx.folder / "room.tmp", ignore_errors=True)
        shutil.rmtree(folder / "bundle", ignore_errors=True)


def _rows_of(scored: pd.DataFrame, rows: np.ndarray, prepared: Prepared, resolved: Resolved) -> dict[str, Any]:
    """Truth and prediction of the test rows as numbers: values, or class codes with the chance of the second class."""
    blocks = row_blocks(rows, prepared, resolved)
    found: dict[str, Any] = {"row": rows, "block": np.arange(len(rows)) if blocks is None else blocks}
    target = prepared.target
    if isinstance(target, ClassTarget):
        codes = target.encode(prepared.truth[rows]).astype(np.float64)  # type: ignore[index, arg-type]
        found["truth"] = np.where(codes < 0, np.nan, codes)
        called = target.encode(scored["prediction"].to_numpy(dtype=object)).astype(np.float64)
        found["prediction"] = np.where(called < 0, np.nan, called)
        return found
    if prepared.following is not None:
        return forecast_judging.values_of(scored, rows, prepared, found["block"])
    found["truth"] = capped_truth(prepared)[rows]
    found["prediction"] = scored["prediction"].to_numpy(dtype=np.float64)
    return found
