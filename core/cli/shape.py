"""`shape`: a dataset with other rows, made from one or two others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.cli.common import Answer, Options, open_or_import, pairs
from core.data.dataset import Dataset
from core.errors import SettingProblem
from core.messages import msg
from core.settings import Settings


def shape(options: Options) -> Answer:
    from core import workflows as wf

    wanted = 2 if options.operation == "align" else 1
    if len(options.sources) != wanted:
        raise SettingProblem(
            msg("{n} tables were given to '{verb}'.", n=len(options.sources), verb=options.operation),
            msg("Expected {n}.", n=wanted),
            msg("Name the table, and for align the one whose columns are taken over behind it."),
        )
    ws = wf.open_workspace()
    settings = _settings(wf.shape_settings(options.operation), options)
    sources = [_with_roles(open_or_import(ws, source), options) for source in options.sources]
    dataset, other = sources[0], sources[1] if len(sources) > 1 else None
    if options.rows is not None:
        seen = wf.preview_shape(ws, options.operation, dataset, settings, other)
        head = seen.head.head(max(0, options.rows))
        answer = {**_facts(None, seen.shaped, seen.shaped.n_rows), "whole": seen.is_whole}
        answer["head"] = head.astype(object).where(head.notna(), None).astype(str).to_dict("records")
        return answer, [head.to_string(index=False), *(str(n) for n in seen.shaped.notes)], 0
    made = wf.shape_dataset(ws, options.operation, dataset, settings, other, name=options.name)
    origin = wf.dataset_origin(ws, made.id)
    lines = [f"{made.id}  {made.n_rows} rows, {len(made.columns)} columns"]
    if origin is None:
        raise AssertionError("a dataset that was made has an origin")
    answer = _facts(made.id, made, made.n_rows) | {
        "rows_before": origin.n_before,
        "notes": [str(n) for n in origin.notes],
        "parents": [{"dataset": p.id, "version": p.version, "name": p.name} for p in origin.parents],
    }
    return answer, [*lines, str(origin.sentence), *(f"- {n}" for n in origin.notes)], 0


def _facts(dataset: str | None, made: Any, n_rows: int) -> dict[str, object]:
    columns = [{"name": c.name, "kind": c.kind, "role": c.role, "unit": c.unit} for c in made.columns]
    return {"dataset": dataset, "rows": n_rows, "columns": columns, "notes": [str(n) for n in getattr(made, "notes", ())]}


def _settings(kind: type[Settings], options: Options) -> Settings:
    """The operation's settings from its own options and `--set`; lists are written with commas, `columns=p:median,q:max`."""
    given: dict[str, Any] = dict(pairs(options.set))
    own = {"step": options.step, "by": options.by, "direction": options.direction, "tolerance": options.tolerance}
    given |= {name: value for name, value in own.items() if value is not None}
    for name, value in given.items():
        field = kind.model_fields.get(name)
        if field is None or not str(field.annotation).startswith("tuple") or not isinstance(value, str):
            continue
        parts = [part.strip() for part in value.split(",") if part.strip()]
        given[name] = [_choice(part) for part in parts] if "ColumnChoice" in str(field.annotation) else parts
    return kind.read(given)


def _choice(text: str) -> dict[str, str]:
    column, mark, how = text.rpartition(":")
    if not mark or not column:
        raise SettingProblem(
            msg("--set columns was given '{text}'.", text=text),
            msg("Expected COLUMN:AGGREGATE."),
            msg("Write for example --set columns=pressure:median,label:maximum."),
        )
    return {"column": column, "how": how}


def _with_roles(dataset: Dataset, options: Options) -> Dataset:
    """The table with the time and group columns of this call; what is stored stays as it is."""
    columns = list(dataset.columns)
    for role in ("time", "group"):
        name = getattr(options, role)
        if name is None:
            continue
        dataset.column(name)
        columns = [replace(c, role="ignore") if c.role == role and c.name != name else c for c in columns]
        columns = [replace(c, role=role) if c.name == name else c for c in columns]
    return dataset.with_columns(columns)
