"""The command line: the same workflows as the pages, human text or one JSON object, exit 0 done, 2 fixable, 1 a bug."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.data.dataset import Dataset
from core.data.options import ReadOptions
from core.errors import DataProblem, Problem, SettingProblem
from core.evaluation.result import Metric
from core.messages import Message, msg
from core.settings import Settings

Options = argparse.Namespace
Answer = tuple[dict[str, object], list[str], int]


class _Parser(argparse.ArgumentParser):
    """Argument errors as problems, so that they read like all others."""

    def error(self, message: str) -> NoReturn:
        raise SettingProblem(
            msg("The command line could not be read: {why}.", why=message.rstrip(".")),
            msg("Expected: {usage}", usage=" ".join(self.format_usage().split())),
            msg("See 'python -m core {verb} --help'.", verb=self.prog.split()[-1] if " " in self.prog else ""),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        options = _parser().parse_args(given)
        answer, lines, code = options.verb(options)
    except Problem as problem:
        return _refuse(problem, as_json)
    except KeyboardInterrupt:
        return 130
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(lines))
    return code


def _refuse(problem: Problem, as_json: bool) -> int:
    body = {"what": str(problem.what), "expected": str(problem.expected), "fix": str(problem.fix)}
    print(" ".join(body.values()), file=sys.stderr)
    if as_json:
        extra = {"outcome": "reject"} if isinstance(problem, DataProblem) else {}
        print(json.dumps({**extra, **body}, ensure_ascii=False))
    return 2


def _parser() -> _Parser:
    parser = _Parser(prog="python -m core", description="Andon: quality data to models you can defend.")
    parser.add_argument("--version", action="version", version=f"Andon {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, parser_class=_Parser)

    def verb(name: str, call: Callable[[Options], Answer], help: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        sub.set_defaults(verb=call)
        sub.add_argument("--json", action="store_true", help="one JSON object on standard output")
        return sub

    serve = verb("serve", _serve, "start the web app")
    serve.add_argument("--port", type=int, help="default 8501, or PORT")
    verb("demo", _demo, "make the demo projects")
    importing = verb("import", _import, "read a file into a dataset")
    importing.add_argument("files", nargs="+", metavar="FILE")
    importing.add_argument("--name")
    _add_set(importing)
    verb("profile", _profile, "the screening table").add_argument("source", metavar="FILE|DATASET")
    _add_train(verb("train", _train, "train a model and compare it with the baseline"))
    score = verb("score", _score, "score a file with a bundle")
    score.add_argument("--bundle", required=True)
    score.add_argument("--data", required=True, type=Path)
    score.add_argument("--out", required=True, type=Path)
    _add_set(score)
    evaluate = verb("evaluate", _evaluate, "figures of scores against the truth")
    evaluate.add_argument("--scores", required=True, type=Path)
    evaluate.add_argument("--truth", required=True, metavar="FILE:COLUMN")
    report = verb("report", _report, "write the report of a run")
    report.add_argument("--run", required=True, metavar="ID|BUNDLE")
    report.add_argument("--out", required=True, type=Path)
    report.add_argument("--language", default="en", choices=("en", "zh"))
    return parser


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting; may be repeated")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, metavar="FILE|DATASET")
    parser.add_argument("--task", required=True)
    for role in ("target", "time", "group"):
        parser.add_argument(f"--{role}", metavar="COLUMN")
    parser.add_argument("--ignore", default="", metavar="COLUMN,COLUMN")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--recipe", type=Path, metavar="FILE")
    parser.add_argument("--split", metavar="time|group|random|first:N|column:NAME")
    parser.add_argument("--preset", default="normal", choices=("quick", "normal", "thorough"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--budget-minutes", type=float, default=10.0)
    parser.add_argument("--name", default="")
    parser.add_argument("--out", type=Path, metavar="BUNDLE")
    _add_set(parser)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """--set key=value as a mapping.

    Raises:
        SettingProblem: an entry without an equals sign.
    """
    pairs = {}
    for text in texts:
        key, mark, value = text.partition("=")
        if not mark or not key:
            raise SettingProblem(
                msg("--set was given '{text}'.", text=text),
                msg("Expected key=value."),
                msg("Write for example --set epochs=20."),
            )
        pairs[key.strip()] = value
    return pairs


def _read_options(options: Options) -> ReadOptions | None:
    pairs = _pairs(options.set)
    return ReadOptions.read(pairs) if pairs else None


def _serve(options: Options) -> Answer:
    from core.serve import serve

    return {}, [], serve(options.port)


def _demo(options: Options) -> Answer:
    from core import workflows as wf
    from core.jobs import wait_for_job
    from core.workflows.demos import DEMOS

    ws = wf.open_workspace()
    wf.ensure_demos(ws)
    for demo in DEMOS:
        job, _ = ws.store.submit_job("demo", lane="short", params={"demo": demo.key}, token=f"demo-{demo.key}", priority=-1)
        wait_for_job(ws.store, job.id)
        row = ws.store.find_demo_run(demo.key)
        if row is not None:
            _note(options, f"{demo.key}: training …")
            wait_for_job(ws.store, row.job.id)
    cards = wf.demo_cards(ws)
    rows = [{"key": c.key, "state": c.state, "run": c.run_id, "dataset": c.dataset_id} for c in cards]
    return {"demos": rows}, [f"{c.key}: {c.state}" + (f" – {c.headline}" if c.headline else "") for c in cards], 0


def _import(options: Options) -> Answer:
    from core import workflows as wf

    if len(options.files) > 1:
        raise SettingProblem(
            msg("{n} files were given.", n=len(options.files)),
            msg("This version imports one file at a time."),
            msg("Import them one after another."),
        )
    imported = wf.import_file(wf.open_workspace(), Path(options.files[0]), name=options.name, options=_read_options(options))
    dataset = imported.dataset
    answer: dict[str, object] = {
        "outcome": imported.outcome,
        "dataset": None if dataset is None else dataset.id,
        "rows": 0 if dataset is None else dataset.n_rows,
        "columns": []
        if dataset is None
        else [{"name": c.name, "kind": c.kind, "role": c.role, "unit": c.unit} for c in dataset.columns],
        "findings": [
            {"code": f.code, "column": f.column, "severity": f.severity, "message": str(f.message)} for f in imported.findings
        ],
        "rejected": [{"line": r.line, "column": r.column, "reason": str(r.reason), "text": r.text} for r in imported.rejected],
        "lines": imported.lines.to_json(),
    }
    if imported.outcome == "ask":
        answer["questions"] = [_question(q) for q in imported.questions]
        asked = [f"? {q.message}" for q in imported.questions]
        return answer, [*asked, "Say how to read it with --set key=value."], 2
    lines = [f"{dataset.id}  {dataset.n_rows} rows, {len(dataset.columns)} columns, {imported.lines.rejected} lines rejected"]  # type: ignore[union-attr]
    return answer, [*lines, *(f"- {f.message}" for f in imported.findings)], 0


def _question(question: Any) -> dict[str, object]:
    options = [{"label": str(label), "set": o.model_dump(mode="json", exclude_none=True)} for o, label in question.options]
    return {"code": question.code, "message": str(question.message), "options": options}


def _profile(options: Options) -> Answer:
    raise SettingProblem(
        msg("'profile' was asked for."),
        msg("This version has no screening table yet."),
        msg("Use 'import', which lists what it found, or the Data screen."),
    )


def _train(options: Options) -> Answer:
    from core import workflows as wf
    from core.data.split import parse_split
    from core.jobs import wait_for_job
    from core.training.request import TrainRequest

    ws = wf.open_workspace()
    dataset = _dataset(ws, options.data)
    request = TrainRequest.read(
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
            "options": _pairs(options.set),
            "seed": options.seed,
            "budget_minutes": options.budget_minutes,
            "name": options.name,
        }
    )
    began = time.monotonic()
    run = wf.start_training(ws, request)
    _note(options, f"run {run.id}: {run.model}")
    wait_for_job(ws.store, run.job_id, on_event=lambda event: _follow(options, event))
    run = wf.get_run(ws, run.id)
    if not run.has_results:
        if run.problem is None or run.error_id:
            raise RuntimeError(f"{run.problem or run.state} (log: {ws.store.path(run.job_id, 'log')})")
        raise run.problem
    if options.out is not None:
        _copy_bundle(ws.store.path(run.id, "bundle"), options.out)
    answer: dict[str, object] = {
        "run": run.id,
        "bundle": None if options.out is None else str(options.out),
        "dataset": dataset.id,
        "model": run.model,
        "metrics": _figures(run.metrics.values()),
        "intervals": _intervals(run.metrics.values()),
        "not_defined": {m.key: str(m.why_not) for m in run.metrics.values() if m.value is None},
        "baseline": {"model": run.baseline, "metrics": _figures(run.baseline_metrics.values())},
        "split": wf.open_results(ws, run.id).manifest.split | {"reason": _split_reason(ws, run.id)},
        "seconds": round(time.monotonic() - began, 2),
        "notes": [str(Message.from_json(n)) for n in run.summary.get("notes", ())],
    }
    lines = [f"run {run.id}: {run.model}, baseline {run.baseline or '–'}", *_figure_lines(run.metrics, run.baseline_metrics)]
    return answer, lines + ([] if options.out is None else [f"bundle: {options.out}"]), 0


def _split_reason(ws: Any, run_id: str) -> str:
    from core import workflows as wf

    return str(Message.from_json(wf.open_results(ws, run_id).manifest.split["reason"]))


def _dataset(ws: Any, source: str) -> Dataset:
    """A file, which is imported, or a dataset by id or exact name."""
    from core import workflows as wf

    path = Path(source)
    if not path.exists():
        for dataset in wf.list_datasets(ws):
            if source in (dataset.id, dataset.name):
                return dataset
    imported = wf.import_file(ws, path)
    if imported.dataset is None:
        raise DataProblem(
            imported.questions[0].message,
            msg("Expected a file that can be read in one way only."),
            msg("Import it first with 'import --set key=value', then train on the dataset id."),
        )
    return imported.dataset


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
            msg("Save one from the Clean screen and give its path."),
        ) from error
    if not isinstance(found, dict):
        raise SettingProblem(
            msg("The recipe '{path}' is not an object.", path=path.name),
            msg('Expected a JSON file with "version" and "steps".'),
            msg("Save one from the Clean screen and give its path."),
        )
    from core.clean import Recipe

    return Recipe.read(found).model_dump(mode="json")


def _copy_bundle(folder: Path, out: Path) -> None:
    """The bundle as a folder, or as a zip where the name ends so."""
    import shutil

    from core.serving.bundle import pack_bundle
    from core.store.files import disk_errors

    with disk_errors():
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".zip":
            pack_bundle(folder, out)
            return
        temporary = out.with_name(f".{out.name}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(folder, temporary)
        if out.is_dir() and (out / "manifest.json").is_file():
            shutil.rmtree(out)
        temporary.rename(out)


def _score(options: Options) -> Answer:
    from core import workflows as wf

    bundle = wf.resolve_bundle(None, options.bundle)
    found = wf.score_file(bundle, options.data, options.out, _read_options(options))
    warnings = [str(w) for w in found.warnings]
    return {"rows": found.rows, "out": str(found.out), "warnings": warnings}, [f"{found.rows} rows → {found.out}", *warnings], 0


def _evaluate(options: Options) -> Answer:
    from core import workflows as wf

    path, mark, column = options.truth.rpartition(":")
    if not mark or not path or not column:
        raise SettingProblem(
            msg("--truth was given '{text}'.", text=options.truth),
            msg("Expected FILE:COLUMN."),
            msg("Write for example --truth truth.csv:rul."),
        )
    metrics = {m.key: m for m in wf.evaluate_file(options.scores, Path(path), column)}
    answer: dict[str, object] = {
        "metrics": _figures(metrics.values()),
        "intervals": _intervals(metrics.values()),
        "rows": max((m.n for m in metrics.values()), default=0),
        "not_defined": {m.key: str(m.why_not) for m in metrics.values() if m.value is None},
    }
    return answer, _figure_lines(metrics, {}), 0


def _report(options: Options) -> Answer:
    from core import workflows as wf

    made = wf.make_report(wf.open_workspace(), options.run, language=options.language, out=options.out)
    return {"out": str(options.out), "run": made.run_id}, [f"report: {options.out}"], 0


def _figures(metrics: Any) -> dict[str, float | None]:
    return {m.key: m.value for m in metrics}


def _intervals(metrics: Any) -> dict[str, list[float | None]]:
    return {m.key: [m.low, m.high] for m in metrics if m.low is not None}


def _figure_lines(metrics: Mapping[str, Metric], baseline: Mapping[str, Metric]) -> list[str]:
    lines = []
    for key, metric in metrics.items():
        value = f"{metric.value:.4g}" if metric.value is not None else f"not defined: {metric.why_not}"
        span = f" [{metric.low:.4g}, {metric.high:.4g}]" if metric.low is not None and metric.high is not None else ""
        base = baseline.get(key)
        beside = f"   baseline {base.value:.4g}" if base is not None and base.value is not None else ""
        lines.append(f"{key:18} {value}{span}{beside}")
    return lines


def _note(options: Options, text: str) -> None:
    """Progress on standard error, so that standard output stays one JSON object."""
    if not options.json:
        print(text, file=sys.stderr)


def _follow(options: Options, event: Any) -> None:
    values = event.values
    if event.kind == "stage":
        _note(options, f"{values['name']} …")
    elif event.kind == "epoch" and int(values["epoch"]) % 5 == 0:
        val = values.get("val_loss")
        _note(
            options,
            f"epoch {values['epoch']}/{values['epochs']}  loss {values['loss']:.5g}"
            + (f"  validation {val:.5g}" if val is not None else ""),
        )
    elif event.kind == "note":
        _note(options, str(Message.from_json(values["message"])))


def settings_help(settings: type[Settings]) -> list[str]:
    """One line a setting, for help texts."""
    return [f"{name}: {field.description}" for name, field in settings.model_fields.items()]
