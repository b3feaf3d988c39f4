"""A recipe after its fit: it goes into a bundle and is replayed on new data as JSON and NumPy.

Rows are never removed here, only marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.catalogue import step_by_key
from core.clean.recipe import VERSION, Recipe
from core.clean.step import Applied, Change, CrossFitted, FittedStep, RowKeys
from core.clean.step_columns import columns_after, columns_for
from core.data.dataset import Column
from core.data.split import TrainPart


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A table after a recipe: same rows, same order, same index.

    `left_out` (n_rows,) bool: rows out of training and scoring. `left_out_by` (n_rows,) object: key of the step that
    left the row out first, "" otherwise. `flagged` (n_rows,) bool: rows with an outlier that was only marked,
    and `flagged_cells` which cells of which columns, (n_rows,) bool a column that has any.
    `changes` has one entry a step; its `left_out_rows` counts rows that no earlier step had left out. `real_event` (n_rows,)
    bool: rows that a step labelled as a real event; None where no step of the recipe labels.
    """

    table: pd.DataFrame
    left_out: NDArray[np.bool_]
    left_out_by: NDArray[np.object_]
    flagged: NDArray[np.bool_]
    changes: tuple[Change, ...]
    flagged_cells: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    real_event: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """One step of a recipe on its way: the table before it, what it made of it, and the rows that it left out first."""

    step: FittedStep
    before: pd.DataFrame
    applied: Applied
    newly_left_out: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FittedRecipe:
    """Fitted steps in order. `columns` are the columns after the recipe; `group` is the group column, if any.

    `ids` are the ids of the recipe's steps, one for each fitted step; empty for a bundle of recipe version 1.
    """

    steps: tuple[FittedStep, ...]
    columns: tuple[Column, ...]
    group: str | None = None
    ids: tuple[str, ...] = ()

    def apply(self, table: pd.DataFrame, *, in_training: bool = False) -> Cleaned:
        """Clean a table with at least the columns that the steps use; the table that comes in is not changed.

        Every step works on all rows, but fills from neighbours neither take from nor fill rows already left out.

        Args:
            in_training: The table is the one whose training part the recipe was fitted on, with row numbers as index:
                a step that learned from the target then gives those rows what it learned from the others.

        Raises:
            DataProblem: a column that a step needs is not there, or holds text where numbers are expected.
        """
        n = len(table)
        left_out, flagged, events = (np.zeros(n, dtype=np.bool_) for _ in range(3))
        left_out_by = np.full(n, "", dtype=object)
        changes: list[Change] = []
        cells: dict[str, NDArray[np.bool_]] = {}
        for done in self.walk(table, in_training=in_training):
            new, outcome = done.newly_left_out, done.applied
            left_out_by[new] = done.step.key
            changes.append(replace(outcome.change, left_out_rows=int(new.sum())))
            table, left_out, flagged = outcome.table, left_out | new, flagged | outcome.flagged
            cells |= {name: cells[name] | mask if name in cells else mask for name, mask in outcome.flagged_cells.items()}
            for mask in outcome.event_cells.values():
                events = events | mask
        return Cleaned(table, left_out, left_out_by, flagged, tuple(changes), cells, events if self.labels_events else None)

    @property
    def labels_events(self) -> bool:
        """Whether a step labels rows as real events."""
        return any(getattr(step, "action", None) == "real_event" for step in self.steps)

    def walk(self, table: pd.DataFrame, *, in_training: bool = False) -> Iterator[Done]:
        """Apply the steps one after another, each told before the next begins; for `in_training` see `apply`."""
        left_out = np.zeros(len(table), dtype=np.bool_)
        for step in self.steps:
            hidden = step.uses_neighbours and left_out.any()
            done = _apply_to_kept(step, table, ~left_out) if hidden else apply_step(step, table, in_training)
            new = done.left_out & ~left_out
            yield Done(step, table, done, new)
            table, left_out = done.table, left_out | new

    def to_json(self) -> dict[str, object]:
        """The form that goes into a bundle: keys, numbers and texts only."""
        return {
            "version": VERSION,
            "group": self.group,
            "columns": [asdict(c) for c in self.columns],
            "steps": [{"id": i, "key": s.key, "state": s.state()} for i, s in zip(self._ids(), self.steps, strict=True)],
        }

    def _ids(self) -> tuple[str, ...]:
        return self.ids or ("",) * len(self.steps)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FittedRecipe:
        """The fitted recipe that `to_json` wrote, of this version or an earlier one.

        Raises:
            SettingProblem: a step that this version does not know, or another version of the form.
        """
        Recipe.read({"version": stored.get("version", VERSION)})
        steps = tuple(step_by_key(s["key"]).restore(s["state"]) for s in stored["steps"])
        ids = tuple(str(s.get("id", "")) for s in stored["steps"])
        columns = tuple(Column(**c) for c in stored["columns"])
        return cls(steps, columns, stored.get("group"), ids if any(ids) else ())


def fit_recipe(recipe: Recipe, train: TrainPart, columns: Sequence[Column], *, knows_target: bool = True) -> FittedRecipe:
    """Fit every enabled step on the training part as the steps before it leave it.

    A step without named columns takes the dataset's sensors that it applies to, not 0/1 columns made by an earlier step.
    Rows left out by a step take no part in later fits.

    Args:
        columns: All columns of the dataset with their roles; the first with the role "group" parts the fills from
            neighbours, the first with the role "time" orders them.
        knows_target: Steps may learn from the first column with the role "target"; not where labels only judge.

    Raises:
        SettingProblem: steps with columns that they cannot take, all of them named together.
        DataProblem: a named column does not exist.
    """
    current = tuple(columns)
    original = {c.name for c in columns}
    keys = RowKeys(*(next((c.name for c in columns if c.role == role), None) for role in ("group", "time", "target")))
    keys = keys if knows_target else replace(keys, target=None)
    fitted: list[FittedStep] = []
    for chosen in recipe.active:
        step = step_by_key(chosen.key)
        taken = columns_for(step, chosen, current, original)
        fitted.append(step.fit(train, taken, step.settings.read(chosen.settings), keys))
        done = apply_step(fitted[-1], train.table, in_training=True)
        train = replace(train, table=done.table[~done.left_out])
        current = columns_after(step, taken, current, done.change)
        original |= set(done.change.renamed.values())
    return FittedRecipe(tuple(fitted), current, keys.group, tuple(step.id for step in recipe.active))


def apply_step(step: FittedStep, table: pd.DataFrame, in_training: bool) -> Applied:
    """A step on a table; `in_training`: the index says which rows of the dataset these are."""
    if in_training and isinstance(step, CrossFitted):
        return step.apply_in_training(table, table.index.to_numpy(dtype=np.int64))
    return step.apply(table)


def _apply_to_kept(step: FittedStep, table: pd.DataFrame, kept: NDArray[np.bool_]) -> Applied:
    """Apply a step to some rows and put them back between the others, which stay as they are; new columns are empty there."""
    done = step.apply(table[kept])
    result = table.drop(columns=list(done.change.removed_columns)).copy(deep=False)
    places = np.flatnonzero(kept)
    back = np.full(len(table), -1)
    back[places] = np.arange(len(places))
    for name in done.change.changed_cells:
        cells = table[name].copy()
        cells.iloc[places] = done.table[name].to_numpy()
        result[name] = cells
    for name in done.change.added_columns:
        # -1 takes an empty cell; a reindex would need an index without repeats.
        result[name] = pd.Series(pd.api.extensions.take(done.table[name].array, back, allow_fill=True), index=table.index)
    return Applied(
        result,
        _put_back(done.left_out, kept),
        _put_back(done.flagged, kept),
        done.change,
        {name: _put_back(mask, kept) for name, mask in done.flagged_cells.items()},
        {name: _put_back(mask, kept) for name, mask in done.event_cells.items()},
    )


def _put_back(marks: NDArray[np.bool_], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Marks of the kept rows as marks of all rows, False for the others."""
    whole = np.zeros(len(kept), dtype=np.bool_)
    whole[kept] = marks
    return whole
