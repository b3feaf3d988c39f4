"""What the verbs share: settings from the command line, figures as texts, progress on standard error."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.data.dataset import Dataset
from core.data.formats.records import SourceOptions
from core.data.options import ReadOptions, unanswered
from core.errors import DataProblem, SettingProblem, unknown_dataset
from core.evaluation.result import Metric
from core.messages import Message, msg

T = TypeVar("T")
Options = argparse.Namespace
Answer = tuple[dict[str, object], list[str], int]
_SAID_EVERY = 2.0


def pairs(texts: Sequence[str]) -> dict[str, str]:
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


def file_and_column(text: str) -> tuple[Path, str]:
    """--truth FILE:COLUMN.

    Raises:
        SettingProblem: one of them is missing.
    """
    path, mark, column = text.rpartition(":")
    if not mark or not path or not column:
        raise SettingProblem(
            msg("--truth was given '{text}'.", text=text),
            msg("Expected FILE:COLUMN."),
            msg("Write for example --truth truth.csv:rul."),
        )
    return Path(path), column


def names_of(text: str, value: T) -> dict[str, T]:
    """ "a,b" as names with one value each."""
    return {name.strip(): value for name in text.split(",") if name.strip()}


def read_options(options: Options) -> ReadOptions | None:
    given = {key: _unescaped(value) for key, value in pairs(options.set).items()}
    return ReadOptions.read(given) if given else None


def _unescaped(value: str) -> str:
    """A value with \\t or \\u0001 in it, which is how a question names such a delimiter."""
    return json.loads(f'"{value}"') if re.fullmatch(r"\\(t|u[0-9a-f]{4})", value) else value


def source_options(options: Options) -> tuple[ReadOptions | None, SourceOptions]:
    """--set for reading a file, parted by whom it concerns: how text is read, or which table is meant and how files go
    together; with what --stack, --join and --wide say.

    Raises:
        SettingProblem: an unknown key, or two ways of putting files together.
    """
    given = {key: _unescaped(value) for key, value in pairs(options.set).items()}
    source = {k: v for k, v in given.items() if k in SourceOptions.model_fields}
    text = {k: v for k, v in given.items() if k not in source}
    ways = [way for way in ("stack", "join", "wide") if getattr(options, way, None)]
    if len(ways) > 1:
        raise SettingProblem(
            msg("{ways} were given together.", ways=", ".join(f"--{way}" for way in ways)),
            msg("Expected one way of putting files together."),
            msg("Choose one of them."),
        )
    if ways:
        source["combine"] = ways[0]
    if ways == ["join"]:
        source["key"] = options.join
    if getattr(options, "within", None):
        source["within"] = options.within
    return (ReadOptions.read(text) if text else None), SourceOptions.read(source)


def slow_progress(options: Options) -> Callable[[str, float], None] | None:
    """Says on standard error how far long work is, every two seconds; None where JSON was asked for."""
    if options.json:
        return None
    last = [time.monotonic()]

    def say(stage: str, part: float) -> None:
        if time.monotonic() - last[0] > _SAID_EVERY:
            last[0] = time.monotonic()
            print(f"{stage} {part:.0%}", file=sys.stderr)

    return say


def check_out(out: Path, *, may_be_bundle: bool = False) -> None:
    """Refuse a place that nothing can be written to, before the work and not after it.

    Raises:
        SettingProblem: a folder stands there (other than an empty one or a bundle, where a bundle is written), or its
            folder cannot be written.
    """
    is_free = may_be_bundle and out.is_dir() and ((out / "manifest.json").is_file() or not any(out.iterdir()))
    home = next(folder for folder in (out.parent, *out.parent.parents) if folder.exists())
    if (out.is_dir() and not is_free) or (may_be_bundle and out.is_file()) or not (home.is_dir() and os.access(home, os.W_OK)):
        raise SettingProblem(
            msg("'{path}' cannot be written.", path=str(out)),
            msg("Expected a new name in a folder that may be written."),
            msg("Choose another place with --out."),
        )


def figures(metrics: Iterable[Metric]) -> dict[str, float | None]:
    return {m.key: m.value for m in metrics}


def intervals(metrics: Iterable[Metric]) -> dict[str, list[float | None]]:
    return {m.key: [m.low, m.high] for m in metrics if m.low is not None}


def figure_lines(
    metrics: Mapping[str, Metric], baseline: Mapping[str, Metric], others: Mapping[str, Mapping[str, Metric]] | None = None
) -> list[str]:
    """A line a metric: value, interval, the baseline's and, by their key, those of further baselines."""
    lines = []
    for key, metric in metrics.items():
        value = f"{metric.value:.4g}" if metric.value is not None else f"not defined: {metric.why_not}"
        span = f" [{metric.low:.4g}, {metric.high:.4g}]" if metric.low is not None and metric.high is not None else ""
        beside = ""
        for name, found in {"baseline": baseline, **(others or {})}.items():
            base = found.get(key)
            beside += f"   {name} {base.value:.4g}" if base is not None and base.value is not None else ""
        lines.append(f"{key:18} {value}{span}{beside}")
    return lines


def open_or_import(ws: Any, source: str) -> Dataset:
    """A file, which is imported unless it was before and has not changed, or a dataset by id or exact name.

    Raises:
        DataProblem: there is neither; or the file cannot be read, or can be read in more than one way.
    """
    from core import workflows as wf

    path = Path(source)
    if not path.exists():
        datasets = wf.list_datasets(ws)
        for dataset in datasets:
            if source in (dataset.id, dataset.name):
                return dataset
        raise unknown_dataset(source, [d.name for d in datasets], may_be_file=True)
    known = wf.known_import(ws, path)
    if known is not None:
        return known
    seen = wf.facts_of(path)
    imported = wf.import_file(ws, path)
    if imported.dataset is None:
        asked = unanswered(imported.questions)
        raise DataProblem(
            asked.what,
            asked.expected,
            msg("Import it first with 'import --set key=value', then use the dataset id."),
        )
    wf.remember_import(ws, path, imported.dataset, seen)
    return imported.dataset


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells below one another, two spaces between columns, as wide as terminals draw them; the last column ends where it ends."""
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell + " " * (w - _width(cell)) for cell, w in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Places that a terminal takes for a text: Chinese and other wide characters take two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def note(options: Options, text: str) -> None:
    """Progress on standard error, so that standard output stays one JSON object."""
    if not options.json:
        print(text, file=sys.stderr)


def follow(options: Options, event: Any) -> None:
    values = event.values
    if event.kind == "stage":
        note(options, f"{values['name']} …")
    elif event.kind == "epoch" and int(values["epoch"]) % 5 == 0:
        val = values.get("val_loss")
        note(
            options,
            f"epoch {values['epoch']}/{values['epochs']}  loss {values['loss']:.5g}"
            + (f"  validation {val:.5g}" if val is not None else ""),
        )
    elif event.kind == "candidate" and values["state"] != "waiting":
        figure = "" if values["figure"] is None else f"  {values['figure']:.5g}"
        note(options, f"{values['number'] + 1}/{values['of']} {values['model']}: {values['state']}{figure}")
    elif event.kind == "note":
        note(options, str(Message.from_json(values["message"])))
