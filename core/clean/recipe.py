"""A recipe: ordered cleaning steps as the user wrote them, and the same steps after their fit.

The recipe is what is saved, undone and reordered; the fitted recipe goes into a bundle and is replayed on new data
as JSON and NumPy. Rows are never removed here, only marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from core.clean.catalogue import step_by_key
from core.clean.step import Applied, Change, CleaningStep, CrossFitted, FittedStep, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import ColumnRefused, SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings

VERSION: Literal[1] = 1


class RecipeStep(Settings):
    """One step as chosen. No columns: all sensors that it applies to when the recipe is fitted."""

    key: str
    columns: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)


class Recipe(Settings):
    """Ordered steps. Its JSON is `{"version": 1, "steps": [{"key", "columns", "settings"}]}`."""

    version: Literal[1] = VERSION
    steps: tuple[RecipeStep, ...] = ()

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The recipe of that JSON; an empty mapping is the empty recipe.

        Raises:
            SettingProblem: an unknown step, an unknown setting, or a value outside its range.
        """
        recipe = super().read(values)
        for step in recipe.steps:
            step_by_key(step.key).settings.read(step.settings)
        return recipe

    def to_json(self) -> dict[str, object]:
        """The form that is saved."""
        return self.model_dump(mode="json")

    def with_step(self, step: RecipeStep) -> Recipe:
        """A copy with one more step at the end."""
        return self._with((*self.steps, step))

    def without(self, index: int) -> Recipe:
        """A copy without the step at that place (0 = first)."""
        return self._with(self.steps[:index] + self.steps[index + 1 :])

    def moved(self, start: int, end: int) -> Recipe:
        """A copy with the step at `start` standing at `end`; an `end` outside the recipe means its first or last place."""
        rest = list(self.steps)
        step = rest.pop(start)
        rest.insert(min(max(end, 0), len(rest)), step)
        return self._with(tuple(rest))

    def _with(self, steps: tuple[RecipeStep, ...]) -> Recipe:
        return Recipe(version=self.version, steps=steps)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A table after a recipe: same rows, same order, same index.

    `left_out` (n_rows,) bool: rows out of training and scoring. `left_out_by` (n_rows,) object: key of the step that
    left the row out first, "" otherwise. `flagged` (n_rows,) bool: rows with an outlier that was only marked,
    and `flagged_cells` which cells of which columns, (n_rows,) bool a column that has any.
    `changes` has one entry a step; its `left_out_rows` counts rows that no earlier step had left out.
    """

    table: pd.DataFrame
    left_out: NDArray[np.bool_]
    left_out_by: NDArray[np.object_]
    flagged: NDArray[np.bool_]
    changes: tuple[Change, ...]
    flagged_cells: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FittedRecipe:
    """Fitted steps in order. `columns` are the columns after the recipe; `group` is the group column, if any."""

    steps: tuple[FittedStep, ...]
    columns: tuple[Column, ...]
    group: str | None = None

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
        left_out, flagged = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        left_out_by = np.full(n, "", dtype=object)
        changes: list[Change] = []
        cells: dict[str, NDArray[np.bool_]] = {}
        for step in self.steps:
            hidden = step.uses_neighbours and left_out.any()
            done = _apply_to_kept(step, table, ~left_out) if hidden else _apply(step, table, in_training)
            new = done.left_out & ~left_out
            left_out_by[new] = step.key
            changes.append(replace(done.change, left_out_rows=int(new.sum())))
            table, left_out, flagged = done.table, left_out | new, flagged | done.flagged
            cells |= {name: cells[name] | mask if name in cells else mask for name, mask in done.flagged_cells.items()}
        return Cleaned(table, left_out, left_out_by, flagged, tuple(changes), cells)

    def to_json(self) -> dict[str, object]:
        """The form that goes into a bundle: keys, numbers and texts only."""
        return {
            "version": VERSION,
            "group": self.group,
            "columns": [asdict(c) for c in self.columns],
            "steps": [{"key": s.key, "state": s.state()} for s in self.steps],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FittedRecipe:
        """The fitted recipe that `to_json` wrote.

        Raises:
            SettingProblem: a step that this version does not know, or another version of the form.
        """
        Recipe.read({"version": stored.get("version", VERSION)})
        steps = tuple(step_by_key(s["key"]).restore(s["state"]) for s in stored["steps"])
        return cls(steps, tuple(Column(**c) for c in stored["columns"]), stored.get("group"))


def fit_recipe(recipe: Recipe, train: TrainPart, columns: Sequence[Column], *, knows_target: bool = True) -> FittedRecipe:
    """Fit every step on the training part as the steps before it leave it.

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
    for chosen in recipe.steps:
        step = step_by_key(chosen.key)
        taken = _columns_for(step, chosen, current, original)
        fitted.append(step.fit(train, taken, step.settings.read(chosen.settings), keys))
        done = _apply(fitted[-1], train.table, in_training=True)
        train = replace(train, table=done.table[~done.left_out])
        current = _columns_after(step, taken, current, done.change)
        original |= set(done.change.renamed.values())
    return FittedRecipe(tuple(fitted), current, keys.group)


def _apply(step: FittedStep, table: pd.DataFrame, in_training: bool) -> Applied:
    """A step on a table; `in_training`: the index says which rows of the dataset these are."""
    if in_training and isinstance(step, CrossFitted):
        return step.apply_in_training(table, table.index.to_numpy(dtype=np.int64))
    return step.apply(table)


def _apply_to_kept(step: FittedStep, table: pd.DataFrame, kept: NDArray[np.bool_]) -> Applied:
    """Apply a step to some rows and put them back between the others, which stay as they are.

    The others have empty cells in columns that the step adds.
    """
    done = step.apply(table[kept])
    places = np.flatnonzero(kept)
    back = np.full(len(table), -1)
    back[places] = np.arange(len(places))
    result = table.copy(deep=False)
    for name in done.change.changed_cells:
        cells = table[name].copy()
        cells.iloc[places] = done.table[name].to_numpy()
        result[name] = cells
    for name in done.change.added_columns:
        # -1 takes an empty cell; a reindex would need an index without repeats.
        result[name] = pd.Series(pd.api.extensions.take(done.table[name].array, back, allow_fill=True), index=table.index)
    left_out, flagged = np.zeros(len(table), dtype=np.bool_), np.zeros(len(table), dtype=np.bool_)
    left_out[kept], flagged[kept] = done.left_out, done.flagged
    cells_back = {name: np.zeros(len(table), dtype=np.bool_) for name in done.flagged_cells}
    for name, mask in done.flagged_cells.items():
        cells_back[name][kept] = mask
    return Applied(result, left_out, flagged, done.change, cells_back)


def _columns_for(step: CleaningStep, chosen: RecipeStep, current: tuple[Column, ...], original: set[str]) -> tuple[Column, ...]:
    """The columns a step works on, in table order for automatic and in the given order for named ones."""
    if not chosen.columns:
        if getattr(step, "needs_columns", False):
            return ()
        made = getattr(step, "takes_made", False)
        return tuple(c for c in current if (made or c.name in original) and step.applies_to(c))
    by_name = {c.name: c for c in current}
    taken, refused = [], []
    for name in dict.fromkeys(chosen.columns):
        if name not in by_name:
            raise unknown_column(name, by_name)
        try:
            taken.append(_accepted(step, by_name[name]))
        except ColumnRefused as refusal:
            refused.append(refusal)
    if refused:
        raise _refusals(step, refused)
    return tuple(taken)


def _accepted(step: CleaningStep, column: Column) -> Column:
    """The column, if the step may work on it when it is named."""
    if column.role == "target":
        raise ColumnRefused(column.name, msg("it is the target, which cleaning never changes"))
    if column.role in ("time", "group") and not step.fits_keys:
        raise ColumnRefused(column.name, msg("it is a time or group column"))
    if not step.applies_to(replace(column, role="sensor")):
        raise ColumnRefused(column.name, msg("this step does not work on columns of this kind"))
    return column


def _refusals(step: CleaningStep, refused: Sequence[ColumnRefused]) -> SettingProblem:
    listed: Message = msg("'{column}' ({reason})", column=refused[0].column, reason=refused[0].reason)
    for refusal in refused[1:]:
        listed = msg("{listed}, '{column}' ({reason})", listed=listed, column=refusal.column, reason=refusal.reason)
    return SettingProblem(
        msg("'{step}' cannot take {columns}.", step=step.title, columns=listed),
        msg("Expected sensor columns that the step works on."),
        msg("Take these columns out of the step."),
        columns=tuple(r.column for r in refused),
    )


def _columns_after(
    step: CleaningStep, taken: tuple[Column, ...], current: tuple[Column, ...], change: Change
) -> tuple[Column, ...]:
    """The columns once a step has worked: removed ones gone, added ones at the end, renamed ones in their place,
    scaled ones without unit and limits, and whatever else the step says of them."""
    if step.key in ("standard_scale", "minmax_scale", "robust_scale"):
        names = {c.name for c in taken}
        return tuple(Column(c.name, c.kind, c.role) if c.name in names else c for c in current)
    said = {c.name: c for c in change.columns}
    renamed = change.renamed
    removed = set(change.removed_columns) - set(renamed)
    kept = tuple(said.get(renamed.get(c.name, c.name), c) for c in current if c.name not in removed)
    new = [name for name in change.added_columns if name not in set(renamed.values())]
    return kept + tuple(said.get(name, Column(name, "number")) for name in new)
