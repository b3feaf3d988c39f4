"""Another set of rows from a dataset: seen before it is made, and made as a dataset of its own that says where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from core.data.dataset import Dataset
from core.data.findings import Finding
from core.data.shaping import (
    AggregateSettings,
    AlignSettings,
    ResampleSettings,
    Shaped,
    aggregate_table,
    align_tables,
    resample_table,
)
from core.data.shaping.table import Source
from core.durable import sha256_of
from core.errors import DataProblem, SettingProblem, unknown_choice
from core.messages import Message, msg
from core.settings import Settings
from core.store import new_id
from core.workflows.datasets import checked_name
from core.workflows.importing import kept_whole
from core.workflows.workspace import Workspace

Operation = Literal["resample", "aggregate", "align"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
PREVIEW_ROWS = 100_000
HEAD_ROWS = 20


class CauseSettings(Settings):
    """How a dataset of events with their causes was made: the causes, and the run whose events they are."""

    causes: tuple[str, ...] = ()
    run: str = ""


_SETTINGS: Mapping[str, type[Settings]] = {
    "resample": ResampleSettings,
    "aggregate": AggregateSettings,
    "align": AlignSettings,
}
_ORIGINS: Mapping[str, type[Settings]] = {**_SETTINGS, "causes": CauseSettings}
_SPACE_FACTOR = 2  # the new table beside what DuckDB puts aside while it sorts


@dataclass(frozen=True, slots=True)
class ShapePreview:
    """What would come out: the first rows, and the counts for the rows looked at. `is_whole`: that was all of them."""

    head: pd.DataFrame
    shaped: Shaped
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Parent:
    """A dataset that another was made from."""

    id: str
    version: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How a dataset was made from others: the operation, its settings, the rows that went in and what had to be known.

    `unit` is that of the time, "s" where it holds dates.
    """

    operation: str
    settings: Settings
    parents: tuple[Parent, ...]
    n_before: int
    notes: tuple[Message, ...]
    unit: str = ""

    @property
    def sentence(self) -> Message:
        """Where it came from, in one sentence."""
        names = [parent.name for parent in self.parents]
        settings = self.settings
        if isinstance(settings, ResampleSettings):
            return msg(
                "Made from '{name}' with a time step of {step}.", name=names[0], step=f"{settings.step:g} {self.unit}".strip()
            )
        if isinstance(settings, AlignSettings):
            return msg(
                "Made from '{name}' with the columns of '{other}' that belong to its times.", name=names[0], other=names[-1]
            )
        if isinstance(settings, CauseSettings):
            return msg(
                "Made from '{name}' with the rows of events of {n} causes and of normal stretches.",
                name=names[0],
                n=len(settings.causes),
            )
        by = ", ".join(settings.by) if isinstance(settings, AggregateSettings) else ""
        return msg("Made from '{name}' with one row for each {by}.", name=names[0], by=by or msg("group"))


def shape_settings(operation: str) -> type[Settings]:
    """The settings of an operation.

    Raises:
        SettingProblem: there is no such operation.
    """
    if operation not in _SETTINGS:
        raise unknown_choice("operation", operation, OPERATIONS)
    return _SETTINGS[operation]


def preview_shape(
    ws: Workspace,
    operation: str,
    dataset: Dataset,
    settings: Settings,
    other: Dataset | None = None,
    *,
    rows: int = PREVIEW_ROWS,
) -> ShapePreview:
    """The first rows as they would be, made from the first `rows` rows of the dataset. Nothing is kept.

    Raises:
        SettingProblem, DataProblem: as the operation itself.
    """
    with ws.store.scratch() as folder:
        target = folder / "preview.parquet"
        shaped = _run(operation, Source(dataset, rows), settings, None if other is None else Source(other), target)
        made = Dataset("", 1, dataset.name, target, shaped.n_rows, shaped.columns, "")
        return ShapePreview(made.table(stop=HEAD_ROWS), shaped, dataset.n_rows <= rows)


def shape_dataset(
    ws: Workspace,
    operation: str,
    dataset: Dataset,
    settings: Settings,
    other: Dataset | None = None,
    *,
    name: str | None = None,
) -> Dataset:
    """Make the new dataset: Parquet first, row second, its origin beside it. The datasets it is made from stay as they are.

    Raises:
        SettingProblem, DataProblem: as the operation itself, or no row comes out.
        StoreProblem: the disk is full.
    """
    shape_settings(operation)
    title = checked_name(name or f"{dataset.name} {_ENDINGS[operation]}")
    parents = [dataset, *([other] if other is not None else [])]
    ws.store.need_space(_SPACE_FACTOR * sum(parent.path.stat().st_size for parent in parents))
    dataset_id = new_id()
    with ws.store.scratch() as folder:
        target = folder / "table.parquet"
        shaped = _run(operation, Source(dataset), settings, None if other is None else Source(other), target)
        if not shaped.n_rows:
            raise _no_rows(dataset)
        origin = {
            "operation": operation,
            "settings": settings.model_dump(mode="json"),
            "parents": [{"id": p.id, "version": p.version, "name": p.name, "sha256": p.sha256} for p in parents],
            "n_before": shaped.n_before,
            "unit": next(("s" if c.kind == "time" else c.unit for c in dataset.with_role("time")), ""),
            "notes": [note.to_json() for note in shaped.notes],
        }
        facts: dict[str, Any] = {
            "n_rows": shaped.n_rows,
            "columns": shaped.columns,
            "sha256": sha256_of(target),
            "options": {"origin": origin},
            "findings": [Finding("shaped", note, severity="info").to_json() for note in shaped.notes],
        }
        with kept_whole(ws, dataset_id):
            ws.store.adopt_file(target, ws.store.path(dataset_id, "parquet"))
            return ws.store.add_dataset(dataset_id, title, **facts).to_dataset()


def dataset_origin(ws: Workspace, dataset_id: str) -> Origin | None:
    """How a dataset was made from others; None for one that was read from a file."""
    stored: Any = ws.store.get_dataset(dataset_id).options.get("origin")
    if not stored:
        return None
    settings = _ORIGINS[stored["operation"]].read(stored["settings"])
    parents = tuple(Parent(**parent) for parent in stored["parents"])
    notes = tuple(Message.from_json(note) for note in stored["notes"])
    return Origin(stored["operation"], settings, parents, stored["n_before"], notes, stored["unit"])


_ENDINGS: Mapping[str, str] = {"resample": "resampled", "aggregate": "aggregated", "align": "aligned"}


def _run(operation: str, source: Source, settings: Settings, other: Source | None, target: Path) -> Shaped:
    kind = shape_settings(operation)
    values = json.loads(settings.model_dump_json())
    if operation == "align":
        if other is None:
            raise SettingProblem(
                msg("Only one dataset was given."),
                msg("Expected a second one whose columns are taken over."),
                msg("Choose the second dataset."),
            )
        return align_tables(source, other, AlignSettings.read(values), target)
    ways: Mapping[str, Callable[[Source, Any, Path], Shaped]] = {"resample": resample_table, "aggregate": aggregate_table}
    return ways[operation](source, kind.read(values), target)


def _no_rows(dataset: Dataset) -> DataProblem:
    return DataProblem(
        msg("No row of '{dataset}' has a time.", dataset=dataset.name),
        msg("Expected at least one row that can be placed in time."),
        msg("Check the time column on the Data screen."),
    )
