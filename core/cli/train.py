"""The verb `train`: a file or dataset and its options → a run, followed until it ends, and its bundle."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from core.cli.common import Answer, Options, check_out, figure_lines, figures, follow, intervals, note, open_or_import, pairs
from core.cli.faults import without_results
from core.data.dataset import Dataset
from core.data.split import parse_split
from core.errors import Problem, SettingProblem, TrainingProblem
from core.messages import Message, msg
from core.training.request import TrainRequest

MOST_SERIES = 10


def search(options: Options) -> Answer:
    return train(options, is_search=True)


def followed(options: Options, ws: Any, run: Any) -> Any:
    """A run that was started, once it has ended.

    Raises:
        TrainingProblem: it was stopped before it had results; or what ended it.
    """
    from core import workflows as wf
    from core.jobs import wait_for_job

    note(options, f"run {run.id}: {run.model}")
    wait_for_job(ws.store, run.job_id, on_event=lambda event: follow(options, event))
    run = wf.get_run(ws, run.id)
    if not run.has_results:
        stopped = TrainingProblem(
            msg("The run was stopped before it had results."),
            msg("Expected a training that goes on to its end."),
            msg("Run 'train' again, or resume the run on the Runs screen."),
        )
        raise without_results(run, run.id, ws.store.path(run.job_id, "log"), stopped)
    return run


def train(options: Options, *, is_search: bool = False) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out, may_be_bundle=options.out.suffix != ".zip")
    ws = wf.open_workspace()
    dataset = open_or_import(ws, options.data)
    request = train_request(options, dataset).with_values(search=is_search)
    warnings = _leaks(ws, request)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    began = time.monotonic()
    run = followed(options, ws, wf.start_training(ws, request))
    if options.out is not None:
        _copy_bundle(ws.store.path(run.id, "bundle"), options.out)
    answer: dict[str, object] = {
        "run": run.id,
        "bundle": None if options.out is None else str(options.out),
        "dataset": dataset.id,
        "model": run.model,
        "metrics": figures(run.metrics.values()),
        "intervals": intervals(run.metrics.values()),
        "not_defined": {m.key: str(m.why_not) for m in run.metrics.values() if m.value is None},
        "baseline": {
            "model": run.baseline,
            "metrics": figures(run.baseline_metrics.values()),
            "others": {key: figures(metrics.values()) for key, metrics in run.other_baselines.items()},
        },
        "split": wf.open_results(ws, run.id).manifest.split | {"reason": _split_reason(ws, run.id)},
        "seconds": round(time.monotonic() - began, 2),
        "notes": [str(note) for note in run.notes],
        "warnings": warnings,
    }
    answer |= choice_answer(run)
    next_lines, next_answer = next_values(ws, run)
    answer |= next_answer
    named = ", ".join((run.baseline or "–", *run.other_baselines))
    lines = [
        f"run {run.id}: {run.model}, baseline {named}",
        *figure_lines(run.metrics, run.baseline_metrics, run.other_baselines),
        *next_lines,
        *choice_lines(run),
    ]
    return answer, lines + ([] if options.out is None else [f"bundle: {options.out}"]), 0


def next_values(ws: Any, run: Any) -> tuple[list[str], dict[str, object]]:
    """What a forecast says of the rows after the last one: a line a series, and figures for JSON; nothing for other questions."""
    if run.task != "forecast":
        return [], {}
    from core import workflows as wf

    results = wf.open_results(ws, run.id)
    table, group = wf.latest_values(results), results.group
    named = [("", table)] if group is None else [(f" of {name}", part) for name, part in table.groupby(group, sort=False)]
    lines = []
    for name, part in named[:MOST_SERIES]:
        ends = [part.iloc[0], part.iloc[-1]] if len(part) > 1 else [part.iloc[0]]
        said = [f"{row['prediction']:.4g}{_band(row)} in {row['step']}" for row in ends]
        lines.append(f"next{name}: {', '.join(said)} rows")
    steps = [dict(step) for step in run.summary.get("steps", ())]
    return lines, {"next": json.loads(table.to_json(orient="records", date_format="iso")), "steps": steps}


def _band(row: Any) -> str:
    return f" [{row['lower']:.4g}, {row['upper']:.4g}]" if "lower" in row else ""


def train_request(options: Options, dataset: Dataset) -> TrainRequest:
    """The request that the options of `train` make."""
    return TrainRequest.read(
        {
            "dataset_id": dataset.id,
            "dataset_version": dataset.version,
            "task": options.task,
            "model": options.model,
            "target": options.target,
            "time": options.time,
            "group": options.group,
            "ignore": tuple(name.strip() for name in options.ignore.split(",") if name.strip()),
            "recipe": _recipe_file(options.recipe),
            "split": None if options.split is None else parse_split(options.split).model_dump(),
            "preset": options.preset,
            "options": pairs(options.set),
            "seed": options.seed,
            "budget_minutes": options.budget_minutes,
            "name": options.name,
        }
    )


def choice_answer(run: Any) -> dict[str, object]:
    """How the model was chosen, for JSON; nothing where it was asked for by name."""
    choice = run.choice
    if choice is None:
        return {}
    rows = [
        {
            "model": c.model,
            "state": c.state,
            "figure": c.figure,
            "fold_figure": c.fold_figure,
            "seconds": c.seconds,
            "share": c.share,
            "settings": dict(c.settings),
            "why": None if c.why is None else str(c.why),
        }
        for c in choice.candidates
    ]
    return {"choice": {"measure": choice.measure, "sentences": [str(s) for s in choice.sentences], "candidates": rows}}


def choice_lines(run: Any) -> list[str]:
    """Why this model, in sentences, and a line a candidate."""
    from core.workflows.choices import candidate_words

    choice = run.choice
    if choice is None:
        return []
    candidates = [f"  {c.title}: {candidate_words(c, choice.measure)}" for c in choice.candidates]
    return [*(str(s) for s in choice.sentences), *candidates]


def _leaks(ws: Any, request: Any) -> list[str]:
    """Columns that may give the answer away, as sentences; what stands in the way of the training is said by its job."""
    from core import workflows as wf

    try:
        return [str(wf.leak_note(leak)) for leak in wf.plan_training(ws, request).leaks]
    except Problem:
        return []


def _split_reason(ws: Any, run_id: str) -> str:
    from core import workflows as wf

    return str(Message.from_json(wf.open_results(ws, run_id).manifest.split["reason"]))


def _recipe_file(path: Path | None) -> dict[str, object]:
    """A recipe from a JSON file.

    Raises:
        SettingProblem: it is not there or not JSON.
    """
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingProblem(
            msg("The recipe '{path}' could not be read.", path=path.name),
            msg('Expected a JSON file with "version" and "steps".'),
            msg("Make one with 'propose --data FILE --out RECIPE', or save one on the Clean screen, and give its path."),
        ) from error
    if not isinstance(found, dict):
        raise SettingProblem(
            msg("The recipe '{path}' is not an object.", path=path.name),
            msg('Expected a JSON file with "version" and "steps".'),
            msg("Make one with 'propose --data FILE --out RECIPE', or save one on the Clean screen, and give its path."),
        )
    from core.clean import Recipe

    return Recipe.read(found).model_dump(mode="json")


def _copy_bundle(folder: Path, out: Path) -> None:
    """The bundle as a folder, or as a zip where the name ends so."""
    import shutil

    from core.serving.bundle import pack_bundle
    from core.store.files import disk_errors

    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with disk_errors():
            out.parent.mkdir(parents=True, exist_ok=True)
            if out.suffix == ".zip":
                pack_bundle(folder, temporary)
                temporary.replace(out)
                return
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(folder, temporary)
            if out.is_dir() and (out / "manifest.json").is_file():
                shutil.rmtree(out)
            temporary.rename(out)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        temporary.unlink(missing_ok=True)
