"""The training job: prepare, baseline, network, judge, write. Runs in a worker process, told what to do by a run row.

Order: the baseline first, within seconds, so that there is something to compare with while the network trains. The
run's folder is written beside and moved into the store as one piece at the end.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.room import Room, blocks, save_array
from core.data.split import TEST, VALIDATION
from core.jobs import forecast_judging, judging
from core.jobs.auto import forget, run_auto
from core.jobs.earlier_values import better_first, swap_folders, why_first
from core.jobs.examples import example
from core.jobs.fitting import fit_baseline, fit_deep, rewrite
from core.jobs.judged import Again, Judged, figures, judge
from core.jobs.last_fit import Part
from core.jobs.search import run_search
from core.jobs.unknowns import with_unknown
from core.messages import Message, msg
from core.models import baseline_for, model_by_key
from core.serving.forecasts import next_values
from core.settings import Settings
from core.training.events import Event
from core.training.prepare import Prepared, can_fit, for_family, prepare, with_width
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from core.watching import Stopped

if TYPE_CHECKING:
    from core.jobs.context import JobContext


def run(ctx: JobContext) -> None:
    """Do one training job from its run row to finished results in the store."""
    record = ctx.store.get_run(str(ctx.job.params["run_id"]))
    request = TrainRequest.read(record.request)
    dataset = ctx.store.get_dataset(request.dataset_id, request.dataset_version).to_dataset()
    _stage(ctx, "preparing", 0)
    resolved = resolve(dataset, request)
    work = ctx.folder / "result.tmp"
    shutil.rmtree(work, ignore_errors=True)
    room = Room(ctx.folder / "room.tmp")
    try:
        _run(ctx, resolved, prepare(resolved, room, ctx.watch("preparing")), work)
    except Stopped:
        ctx.cancelled()
    finally:
        shutil.rmtree(ctx.folder / "room.tmp", ignore_errors=True)


def _run(ctx: JobContext, resolved: Resolved, prepared: Prepared, work: Path) -> None:
    for note in prepared.notes:
        ctx.emit(Event("note", {"message": note.to_json()}))
    _stage(ctx, "baseline", 1)
    baselines = _baselines(ctx, resolved, prepared, work)
    _stage(ctx, "training", 2, n_train=len(prepared.train))
    if resolved.portfolio is not None or resolved.request.search:
        _run_auto(ctx, resolved, prepared, work, baselines)
        return
    main, trained = _main(ctx, resolved, prepared, work, baselines)
    _stage(ctx, "writing", 3)
    _write_results(ctx, resolved, prepared, work, main, baselines, trained)
    if trained.get("stopped_by") == "user":
        ctx.cancelled()


def _run_auto(ctx: JobContext, auto: Resolved, prepared: Prepared, work: Path, baselines: dict[str, Judged]) -> None:
    """The automatic choice, or a search, then its model and the baseline beside it on the same windows."""
    run = run_auto if auto.portfolio is not None else run_search
    chosen = run(ctx, auto, prepared, work / "bundle")
    if chosen is None:
        ctx.cancelled()
        return
    resolved, prepared_then = chosen.resolved, chosen.prepared
    _stage(ctx, "writing", 3)
    if prepared_then.pipeline.width != prepared.pipeline.width:
        prepared = with_width(prepared, prepared_then.pipeline.width, auto.request.task)
        baselines = _baselines(ctx, resolved, prepared, work)
    if chosen.choice["chosen"] in baselines:  # nothing stands beside itself
        shutil.rmtree(work / "bundle" / "baseline", ignore_errors=True)
        baselines = {} if len(baselines) == 1 else _baselines(ctx, resolved, prepared, work)
    bundle = with_unknown(chosen.bundle, prepared_then, resolved)
    tell = partial(_stage, ctx, "last_fit", 3)
    again = None if chosen.was_stopped else Again(chosen.parts, chosen.seconds_left, ctx.stop_requested, tell)
    main = judge(bundle, prepared_then, resolved, ctx.watch("judging", stops=False), again)
    _write_results(ctx, resolved, prepared_then, work, main, baselines, chosen.trained, chosen.choice)
    if chosen.was_stopped:
        ctx.cancelled()
    else:
        forget(ctx)


def _stage(ctx: JobContext, name: str, done: int, **more: int) -> None:
    ctx.emit(Event("stage", {"name": name, "done": done, "of": 4, **more}))


def _baselines(ctx: JobContext, resolved: Resolved, prepared: Prepared, work: Path) -> dict[str, Judged]:
    """Every baseline of the task, but the family itself when a baseline was asked for."""
    found: dict[str, Judged] = {}
    errors: dict[str, float | None] = {}
    told: dict[str, dict[str, Any]] = {}
    for key in baseline_for(resolved.request.task, has_text=bool(prepared.pipeline.plan.n_tokens)):
        spec = model_by_key(key)
        if (key == resolved.spec.key and resolved.portfolio is None) or not can_fit(prepared, spec):
            continue
        has_no_season = resolved.past is not None and resolved.past.season == 1
        if key == "season_ago" and has_no_season and resolved.spec.key != "last_value":  # it would be the last value again
            continue
        folder = work / "bundle" / "baseline" if not found else work / f"baseline_{key}"
        mine, settings = for_family(prepared, spec), _baseline_settings(spec, resolved)
        bundle = fit_baseline(resolved, mine, spec, settings, folder)
        part = Part(replace(resolved, spec=spec, model_settings=settings), mine)
        again = Again((part,), _budget_seconds(resolved), ctx.stop_requested)
        found[key] = judge(bundle, mine, resolved, ctx.watch("baseline"), again)
        # While the network trains, the baseline shows its validation figures: the test part is opened at the end, once.
        shown = figures(found[key].bundle, found[key].raw, VALIDATION, prepared, resolved)
        errors[key] = next((m.value for m in shown if m.key == "mae"), None)
        told[key] = {"model": key, "baseline": True, "part": "validation", "metrics": judging.metrics_json(shown)}
        if resolved.past is None:
            ctx.emit(Event("result", told[key]))
    if resolved.past is None:
        return found
    ordered = found if len(found) < 2 else _better_first(found, errors, resolved)
    for key in ordered:  # the screen shows the first one it hears of
        ctx.emit(Event("result", told[key]))
    return ordered


def _better_first(found: dict[str, Judged], errors: dict[str, float | None], resolved: Resolved) -> dict[str, Judged]:
    """The earlier value that is compared stands first, in the folder of the first baseline."""
    first, before = better_first(errors)[0], next(iter(found))
    if first != before:
        folders = {first: found[before].bundle.folder, before: found[first].bundle.folder}
        swap_folders(folders[first], folders[before])
        moved = {key: replace(found[key].bundle, folder=folder) for key, folder in folders.items()}
        found = {**found, **{key: replace(found[key], bundle=bundle) for key, bundle in moved.items()}}
    unit = "" if resolved.target is None else resolved.dataset.column(resolved.target).unit
    found[first] = replace(found[first], why_first=why_first(errors, unit))
    return {first: found[first], **{key: judged for key, judged in found.items() if key != first}}


def _baseline_settings(spec: Any, resolved: Resolved) -> Settings:
    """A baseline's defaults, with classes weighted where the network weighs them: both are judged on the same footing."""
    settings: Settings = spec.settings()
    if "class_weights" not in type(settings).model_fields:
        return settings
    return settings.with_values(class_weights=resolved.fit.class_weights)


def _main(
    ctx: JobContext, resolved: Resolved, prepared: Prepared, work: Path, baselines: dict[str, Judged]
) -> tuple[Judged, dict[str, Any]]:
    """The model that was asked for, judged."""
    folder = work / "bundle"
    if resolved.spec.role == "baseline":
        bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder)
        trained: dict[str, Any] = {"stopped_by": "fitted", "epochs": 0, "notes": bundle.manifest.training.get("notes", [])}
    else:
        bundle, fit = fit_deep(
            resolved,
            prepared,
            folder,
            emit=ctx.emit,
            stop_requested=ctx.stop_requested,
            checkpoints=ctx.folder / "checkpoints",
            told_epochs=_told_epochs(ctx),
        )
        trained = {"stopped_by": fit.stopped_by, "epochs": fit.n_epochs, "best_epoch": fit.best_epoch, "seconds": fit.seconds}
    bundle = with_unknown(bundle, prepared, resolved)
    left = _budget_seconds(resolved) - float(bundle.manifest.training.get("seconds", 0.0))
    may_go_on = trained["stopped_by"] in ("fitted", "patience", "epochs")
    tell = partial(_stage, ctx, "last_fit", 2)
    again = Again((Part(resolved, prepared),), left, ctx.stop_requested, tell) if may_go_on else None
    return judge(bundle, prepared, resolved, ctx.watch("judging", stops=resolved.spec.role == "baseline"), again), trained


def _budget_seconds(resolved: Resolved) -> float:
    return 60.0 * (resolved.fit.budget_minutes or resolved.request.budget_minutes)


def _told_epochs(ctx: JobContext) -> int:
    """The last epoch that earlier attempts have told of: those of their last half second may have died with them.

    Whoever reads the events forgets, at the first batch of a later attempt, what an earlier one told from there on.
    """
    epoch, batch = (ctx.store.last_event(ctx.job.id, kind) for kind in ("epoch", "batch"))
    told = 0 if epoch is None else int(epoch.values["epoch"])
    is_later = batch is not None and (epoch is None or batch.attempt > epoch.attempt)
    return min(told, int(batch.values["epoch"]) - 1) if is_later and batch is not None else told


def _write_results(
    ctx: JobContext,
    resolved: Resolved,
    prepared: Prepared,
    work: Path,
    main: Judged,
    baselines: dict[str, Judged],
    trained: dict[str, Any],
    choice: dict[str, Any] | None = None,
) -> None:
    run_id, metrics, baseline = str(ctx.job.params["run_id"]), judging.metrics_json(main.metrics), _baseline_json(baselines)
    manifest = main.bundle.manifest.model_copy(update={"metrics": metrics, "baseline": baseline, "run": run_id})
    rewrite(main.bundle, manifest, {"example.json": example(main.bundle, prepared)})
    write_scores(work / "scores.parquet", main, prepared, resolved)
    for place, (key, judged) in enumerate(baselines.items()):
        rewrite(judged.bundle, judged.bundle.manifest.model_copy(update={"metrics": judging.metrics_json(judged.metrics)}))
        name = f"{key}_scores.parquet" if place else "baseline_scores.parquet"
        write_scores(work / name, judged, prepared, resolved)
    if prepared.following is not None:
        next_values(main.bundle, main.raw, prepared.rows).to_parquet(work / "next_values.parquet")
    if main.raw.contributions is not None:
        save_array(work / "contributions.npy", main.raw.contributions)
    why = next((judged.why_first for judged in baselines.values()), None)
    summary = {
        "trained": trained,
        "notes": [n.to_json() for n in (*_notes(prepared, resolved, trained), main.note, why) if n is not None],
        "changes": recipe_changes(prepared),
        "width": resolved.width,
        "n_train": len(prepared.train),
        **({} if choice is None else {"choice": choice}),
        **forecast_summary(main, baselines, prepared),
    }
    store = ctx.store
    store.adopt_folder(work / "bundle", store.path(run_id, "bundle"))
    store.adopt_folder(work, store.path(run_id, "results"))
    store.finish_run(run_id, metrics=metrics, baseline=baseline, summary=summary, model=manifest.model)
    ctx.emit(Event("result", {"model": manifest.model, "baseline": False, "metrics": metrics}))


def forecast_summary(main: Judged, baselines: dict[str, Judged], prepared: Prepared) -> dict[str, Any]:
    """The figures of each step ahead, of the model and of the baselines; nothing for other questions."""
    if prepared.following is None:
        return {}
    rows = prepared.split.rows(TEST)

    def steps(judged: Judged) -> list[dict[str, Any]]:
        return forecast_judging.steps_json(judged.scored(rows), rows, prepared, judged.bundle.manifest)

    return {"steps": steps(main), "baseline_steps": {key: steps(judged) for key, judged in baselines.items()}}


def _baseline_json(baselines: dict[str, Judged]) -> dict[str, Any]:
    """The first baseline's key and figures, and those of the others by key; empty without a baseline."""
    if not baselines:
        return {}
    (first, judged), *others = baselines.items()
    stored: dict[str, Any] = {"model": first, "metrics": judging.metrics_json(judged.metrics)}
    if others:
        stored["others"] = {key: judging.metrics_json(other.metrics) for key, other in others}
    return stored


def _notes(prepared: Prepared, resolved: Resolved, trained: dict[str, Any]) -> tuple[Message, ...]:
    notes = [*prepared.notes, *(Message.from_json(note) for note in trained.pop("notes", []))]
    early = trained.get("stopped_by") in ("user", "budget") and not trained.get("best_epoch")
    if early:
        notes.append(
            msg("The run was stopped within its first epoch: the figures are those of a network that has hardly learned.")
        )
    if trained.get("stopped_by") == "budget" and not early:
        notes.append(
            msg(
                "The time budget of {minutes} min ended the training after epoch {epoch}; with more time it may become better.",
                minutes=resolved.fit.budget_minutes,
                epoch=trained["epochs"],
            )
        )
    no_interval = judging.interval_note(prepared, resolved)
    if no_interval is not None:
        notes.append(no_interval)
    if resolved.split.method == "random":
        notes.append(msg("The split is random: rows of one lot or hour may stand on both sides, and the figures may flatter."))
    return tuple(notes)


def recipe_changes(prepared: Prepared) -> list[dict[str, Any]]:
    """What each step of the recipe did to the whole table."""
    return [
        {
            "changed_cells": dict(c.changed_cells),
            "flagged_cells": dict(c.flagged_cells),
            "real_event_cells": dict(c.event_cells),
            "left_out_rows": c.left_out_rows,
        }
        for c in prepared.inputs.cleaned.changes
    ]


def write_scores(path: Path, judged: Judged, prepared: Prepared, resolved: Resolved) -> None:
    """One Parquet row for each dataset row: row, part, key columns, truth, then the scored columns."""
    truth = prepared.truth
    if truth is not None and resolved.request.task not in ("classification", "anomaly"):
        truth = judging.capped_truth(prepared)
    writer = None
    for start, stop in blocks(len(prepared.keys)):
        some = slice(start, stop)
        head: dict[str, Any] = {"row": np.arange(start, stop), "part": prepared.split.parts[some]}
        for name in (resolved.group, resolved.time):
            if name is not None:
                head[name] = prepared.keys[name].iloc[some].to_numpy()
        if truth is not None:
            head["truth"] = truth[some]
        frame = pd.concat([pd.DataFrame(head), judged.scored(some).reset_index(drop=True)], axis=1)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, _without_nulls(table.schema), compression="zstd")
        writer.write_table(table.cast(writer.schema))
    if writer is not None:
        writer.close()


def _without_nulls(schema: pa.Schema) -> pa.Schema:
    """A column that is empty in the first block is a column of texts."""
    for i, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(i, field.with_type(pa.large_string()))
    return schema
