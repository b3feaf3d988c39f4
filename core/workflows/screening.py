"""The screening of a dataset, the fixes that it proposes, and what a person decides to leave as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.clean import Recipe, RecipeStep
from core.clean.periods import KEY as PERIODS
from core.clean.periods import Period, read_period
from core.data.dataset import Dataset
from core.errors import unknown_choice
from core.screening import ColumnScreen, Place, Reason, Screening, grade_of, screen, without_columns
from core.screening.records import FORMAT, Grade
from core.store.files import disk_errors
from core.workflows.datasets import change_columns, dataset_findings, open_dataset
from core.workflows.recipes import get_draft, get_recipe, save_draft, save_recipe
from core.workflows.series import periods_of, with_periods
from core.workflows.workspace import Workspace

# Only the user knows whether such a column is a good sensor or was written down with the result: never proposed in bulk.
ASKED_EACH = frozenset(["leak", "group_leak"])
_FILLS = frozenset(["median_fill", "mean_fill", "previous_fill", "next_fill", "linear_fill", "constant_fill", "drop_missing"])
_LAST_STEPS = frozenset(["standard_scale", "minmax_scale", "robust_scale", "one_hot"])
_RANKS = {
    **dict.fromkeys(("iqr_outliers", "hampel_outliers", "fixed_limits", "repeated_to_missing"), 0),
    "correct_stretch": 1,
    **dict.fromkeys(_FILLS, 2),
    "subtract_level": 3,
    **dict.fromkeys(_LAST_STEPS, 4),
}
"""In which order steps of fixes stand: limits were read off raw values, and a cell is emptied before it is filled."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Screened:
    """A screening with what was decided about it. Keys are (column, code of the reason), column "" for the rows of the table."""

    dataset: Dataset
    screening: Screening
    left: frozenset[Key]
    fixed: frozenset[Key]
    recipe: Recipe

    def open_reasons(self, column: ColumnScreen) -> tuple[Reason, ...]:
        """The reasons that are neither left nor mended by the working recipe."""
        return tuple(r for r in column.reasons if key_of(r) not in self.left | self.fixed)

    def grade(self, column: ColumnScreen) -> Grade:
        """The grade that the open reasons give."""
        return grade_of(column, self.open_reasons(column))

    @property
    def grades(self) -> Mapping[Grade, int]:
        """Columns of each grade."""
        found = [self.grade(c) for c in self.screening.columns]
        return {grade: found.count(grade) for grade in ("A", "B", "C", "")}  # type: ignore[misc]

    @property
    def proposed(self) -> tuple[Reason, ...]:
        """Open reasons of grade B or C with a fix that does not need to be asked one by one: where the data tell enough."""
        return tuple(
            reason
            for column in self.screening.columns
            if column.role != "ignore"
            for reason in self.open_reasons(column)
            if reason.fix is not None
            and reason.fix.caution is None
            and reason.severity != "info"
            and reason.code not in ASKED_EACH
        )

    @property
    def leaks(self) -> tuple[Reason, ...]:
        """Open reasons that say that a column may give the answer away."""
        columns = [c for c in self.screening.columns if c.role != "ignore"]
        return tuple(r for c in columns for r in self.open_reasons(c) if r.code in ASKED_EACH)


@dataclass(frozen=True, slots=True)
class ColumnTrace:
    """A column to be drawn, at most 5,000 rows and all marked ones among them. Arrays are (n,), n = rows drawn.

    `rows` are dataset rows, `x` times, numbers or rows in the order of the screening; `marked` says which lie in a place.
    """

    rows: NDArray[np.int64]
    x: NDArray
    values: NDArray[np.float64]
    marked: NDArray[np.bool_]
    spans: tuple[tuple[object, object], ...]
    n_rows: int


def key_of(reason: Reason) -> Key:
    """What a decision about a reason is remembered by."""
    return reason.column, reason.code


def is_screened(ws: Workspace, dataset_id: str, version: int | None = None) -> bool:
    """Whether the screening is kept already, so that it comes at once."""
    return bool(_place(ws, open_dataset(ws, dataset_id, version)).is_file())


def screen_dataset(
    ws: Workspace, dataset_id: str, version: int | None = None, *, progress: Callable[[int, int], None] | None = None
) -> Screening:
    """What is wrong with each column and with the rows; computed once a version and kept beside the table.

    Args:
        progress: Called with columns done and columns in all; what it raises stops the work and keeps nothing.

    Raises:
        StoreProblem: there is no such dataset, or the disk is full.
    """
    dataset = open_dataset(ws, dataset_id, version)
    kept = _read(ws, dataset)
    if kept is not None:
        return kept
    with disk_errors():
        found = screen(dataset, dataset_findings(ws, dataset_id), progress)
        open_dataset(ws, dataset_id, version)  # deleted meanwhile: nothing may be left where it was
    _keep(ws, dataset, found)
    return found


def screened(ws: Workspace, dataset_id: str, version: int | None = None) -> Screened:
    """The screening of a dataset with the decisions of its user."""
    return with_decisions(ws, open_dataset(ws, dataset_id, version), screen_dataset(ws, dataset_id, version))


def with_decisions(ws: Workspace, dataset: Dataset, screening: Screening) -> Screened:
    """A screening beside what is left as it is and what the working recipe mends."""
    recipe = get_recipe(ws, dataset.id)
    fixed = frozenset(key_of(r) for r in screening.all_reasons() if _is_mended(r, recipe))
    return Screened(dataset, screening, ws.store.list_left(dataset.id), fixed, recipe)


def leave_reasons(ws: Workspace, dataset_id: str, keys: Iterable[Key], *, left: bool = True) -> None:
    """Leave findings as they are, or take that back (`left` False). Nothing in the data changes.

    Raises:
        StoreProblem: there is no such dataset.
    """
    for column, code in keys:
        ws.store.set_left(dataset_id, column, code, left)


def apply_fixes(ws: Workspace, dataset_id: str, keys: Collection[Key]) -> tuple[Dataset, Recipe]:
    """Do what some findings propose: their steps join the working recipe, their roles make a new version of the dataset.

    Steps with the same settings become one step over their columns, before scaling and encoding. Steps that are there
    already are not added again.

    Raises:
        SettingProblem: a key that is no finding of this dataset, or one that has no fix.
        StoreProblem: there is no such dataset.
    """
    screening = screen_dataset(ws, dataset_id)
    by_key = {key_of(r): r for r in screening.all_reasons() if r.fix is not None}
    for key in keys:
        if key not in by_key:
            raise unknown_choice("finding", ":".join(key), [":".join(k) for k in by_key])
    fixes = [r.fix for k, r in by_key.items() if k in set(keys) and r.fix is not None]
    ignored = [r.column for k, r in by_key.items() if k in set(keys) and r.fix is not None and r.fix.role == "ignore"]
    recipe, draft = get_recipe(ws, dataset_id), get_draft(ws, dataset_id)
    steps = [s for fix in fixes for s in fix.steps if not s.columns or not set(s.columns) <= set(ignored)]
    wanted = with_steps(recipe, steps)
    if wanted != recipe:
        # The applied recipe and the one that is being worked on get the same steps; undo takes them back from the latter.
        save_draft(ws, dataset_id, draft.put(with_steps(draft.recipe, steps)))
        save_recipe(ws, dataset_id, wanted)
    return (ignore_columns(ws, dataset_id, ignored) if ignored else open_dataset(ws, dataset_id)), wanted


def ignore_columns(ws: Workspace, dataset_id: str, names: Collection[str]) -> Dataset:
    """A new version whose named columns take no part in training; a kept screening is carried over.

    Raises:
        DataProblem: a column that is not there.
    """
    current = open_dataset(ws, dataset_id)
    changed = [replace(current.column(name), role="ignore") for name in names]
    kept = _read(ws, current)
    made = change_columns(ws, dataset_id, changed)
    if kept is not None and not any(current.column(name).role in ("time", "group", "target") for name in names):
        _keep(ws, made, without_columns(kept, set(names)))
    return made


def with_steps(recipe: Recipe, steps: Iterable[RecipeStep]) -> Recipe:
    """The recipe with more steps before its scaling and encoding; equal steps share one entry, known ones are not doubled."""
    steps = list(steps)
    periods = [read_period(text) for s in steps if s.key == PERIODS for text in s.settings["periods"]]
    if periods:
        recipe = with_periods(recipe, (*periods_of(recipe), *periods))
    known = {(s.key, json.dumps(s.settings, sort_keys=True), c) for s in recipe.steps for c in s.columns}
    joined: dict[tuple[str, str], RecipeStep] = {}
    for step in steps:
        settings = json.dumps(step.settings, sort_keys=True)
        new = tuple(c for c in step.columns if (step.key, settings, c) not in known)
        before = joined.get((step.key, settings))
        columns = tuple(dict.fromkeys((*(before.columns if before else ()), *new)))
        if columns:
            joined[step.key, settings] = RecipeStep(key=step.key, columns=columns, settings=step.settings)
    found = list(recipe.steps)
    for step in joined.values():
        rank = _RANKS.get(step.key, 2)
        at = next((i for i, s in enumerate(found) if _RANKS.get(s.key, -1) > rank), len(found))
        found.insert(at, step)
    return Recipe(version=recipe.version, steps=tuple(found))


def column_trace(ws: Workspace, dataset: Dataset, column: str, places: Collection[Place] = ()) -> ColumnTrace:
    """A number column in the order of the screening, thinned for a chart, with some places marked.

    Raises:
        DataProblem: there is no such column.
    """
    import pyarrow.parquet as pq

    from core.charts import downsample
    from core.screening.order import numbers_of, row_order

    dataset.column(column)
    file = pq.ParquetFile(dataset.path)
    order = row_order(dataset, file)
    values = order.arranged(numbers_of(file, column))
    rows, x = order.rows, order.along
    position = rows if order.order is None else np.argsort(order.order)
    spans = [(int(position[p.first]), int(position[p.last])) for p in places if p.first < order.n and p.last < order.n]
    mask = np.zeros(order.n, dtype=np.bool_)
    for a, b in spans:
        mask[min(a, b) : max(a, b) + 1] = True
    ends = [p for a, b in spans for p in (a, b)]
    drawn = np.union1d(downsample(values, MOST_DRAWN), np.asarray(ends, dtype=np.int64)).astype(np.int64)
    return ColumnTrace(rows[drawn], x[drawn], values[drawn], mask[drawn], tuple((x[min(s)], x[max(s)]) for s in spans), order.n)


MOST_DRAWN = 4_900


def _is_mended(reason: Reason, recipe: Recipe) -> bool:
    """Whether the working recipe holds the fix; for gaps any step that fills or leaves out will do."""
    if reason.fix is None or not reason.fix.steps:
        return False
    if reason.code == "missing":
        return any(s.key in _FILLS and (not s.columns or reason.column in s.columns) for s in recipe.active)
    periods = periods_of(recipe)
    return all(
        _are_left_out(step, periods)
        if step.key == PERIODS
        else any(s.key == step.key and s.settings == step.settings and reason.column in s.columns for s in recipe.active)
        for step in reason.fix.steps
    )


def _are_left_out(step: RecipeStep, periods: tuple[Period, ...]) -> bool:
    """Whether the recipe leaves out all periods of a fix, be it within longer ones."""
    wanted = [read_period(text) for text in step.settings["periods"]]
    return all(
        any(p.is_time == w.is_time and p.start <= w.start and w.stop <= p.stop for p in periods)  # type: ignore[operator]
        for w in wanted
    )


def _place(ws: Workspace, dataset: Dataset):  # type: ignore[no-untyped-def]
    return ws.store.path(dataset.id, "dataset", f"screening-{FORMAT}-{dataset.version}.json")


def _read(ws: Workspace, dataset: Dataset) -> Screening | None:
    kept = _place(ws, dataset)
    return Screening.from_json(json.loads(kept.read_text(encoding="utf-8"))) if kept.is_file() else None


def _keep(ws: Workspace, dataset: Dataset, found: Screening) -> None:
    ws.store.write_bytes(_place(ws, dataset), json.dumps(found.to_json()).encode())
