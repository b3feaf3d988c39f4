"""A recipe: ordered cleaning steps as the user wrote them, and the same steps after their fit.

The recipe is what is saved, undone and reordered; the fitted recipe goes into a bundle and is replayed on new data
as JSON and NumPy. Rows are never removed here, only marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from string import Formatter
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator

from core.clean.catalogue import step_by_key
from core.clean.step import Applied, Change, CleaningStep, CrossFitted, FittedStep, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import ColumnRefused, SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings

VERSION: Literal[2] = 2
_READ_VERSIONS = (1, 2)
RESCALING = ("standard_scale", "minmax_scale", "robust_scale", "box_cox", "yeo_johnson")
"""Steps after which a column has neither its unit nor its limits."""


class RecipeStep(Settings):
    """One step as chosen. No columns: all sensors that it applies to when the recipe is fitted.

    `id` names the step within its recipe whatever its place; a recipe gives one to a step without. `title` is the user's own
    name for it, `reason` why a proposal has it (a `Message` as JSON). A step that is not `enabled` is kept and not done.
    """

    key: str
    columns: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    id: Annotated[str, Field(max_length=40)] = ""
    title: Annotated[str, Field(max_length=120)] = ""
    enabled: bool = True
    reason: dict[str, Any] | None = None

    @field_validator("reason")
    @classmethod
    def _plain_reason(cls, reason: dict[str, Any] | None) -> dict[str, Any] | None:
        """A recipe may come from anybody's file: its reason must be a sentence with named places and plain values."""
        if reason is not None and not _is_plain(reason):
            raise ValueError("no sentence with plain values")
        return reason


class Recipe(Settings):
    """Ordered steps. Its JSON is `{"version": 2, "steps": [{"key", "columns", "settings", "id", "title", "enabled", "reason"}]}`.

    Version 1 had steps of key, columns and settings only; it is read as well.
    """

    version: Literal[2] = VERSION
    steps: tuple[RecipeStep, ...] = ()

    @field_validator("steps")
    @classmethod
    def _named(cls, steps: tuple[RecipeStep, ...]) -> tuple[RecipeStep, ...]:
        """Every step with an id of its own; the first keeps one that occurs twice."""
        taken: set[str] = {step.id for step in steps}
        named, seen = [], set[str]()
        for step in steps:
            if not step.id or step.id in seen:
                step = step.model_copy(update={"id": _free_id(taken)})
            taken.add(step.id)
            seen.add(step.id)
            named.append(step)
        return tuple(named)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The recipe of that JSON, of this version or an earlier one; an empty mapping is the empty recipe.

        Raises:
            SettingProblem: another version, an unknown step, an unknown setting, or a value outside its range.
        """
        known = values.get("version", VERSION) in _READ_VERSIONS
        recipe = super().read({**values, "version": VERSION} if known else values)
        for step in recipe.steps:
            step_by_key(step.key).settings.read(step.settings)
        return recipe

    @property
    def active(self) -> tuple[RecipeStep, ...]:
        """The steps that are done, in order: one for each step of the fitted recipe."""
        return tuple(step for step in self.steps if step.enabled)

    @property
    def active_numbers(self) -> tuple[int, ...]:
        """The places of the active steps among all steps, counted from 1."""
        return tuple(number for number, step in enumerate(self.steps, start=1) if step.enabled)

    def to_json(self) -> dict[str, object]:
        """The form that is saved."""
        return self.model_dump(mode="json")

    def with_step(self, step: RecipeStep) -> Recipe:
        """A copy with one more step at the end."""
        return self._with((*self.steps, step))

    def without(self, index: int) -> Recipe:
        """A copy without the step at that place (0 = first)."""
        return self._with(self.steps[:index] + self.steps[index + 1 :])

    def replaced(self, index: int, step: RecipeStep) -> Recipe:
        """A copy with another step in that place, under the id of the one that stood there."""
        kept = step.model_copy(update={"id": self.steps[index].id})
        return self._with((*self.steps[:index], kept, *self.steps[index + 1 :]))

    def duplicated(self, index: int) -> Recipe:
        """A copy in which the step at that place stands twice, the second under an id of its own."""
        twin = self.steps[index].model_copy(update={"id": ""})
        return self._with((*self.steps[: index + 1], twin, *self.steps[index + 1 :]))

    def switched(self, index: int) -> Recipe:
        """A copy in which the step at that place is left out, or done again."""
        step = self.steps[index]
        return self.replaced(index, step.model_copy(update={"enabled": not step.enabled}))

    def moved(self, start: int, end: int) -> Recipe:
        """A copy with the step at `start` standing at `end`; an `end` outside the recipe means its first or last place."""
        rest = list(self.steps)
        step = rest.pop(start)
        rest.insert(min(max(end, 0), len(rest)), step)
        return self._with(tuple(rest))

    def _with(self, steps: tuple[RecipeStep, ...]) -> Recipe:
        return Recipe(version=self.version, steps=steps)


def _is_plain(reason: Mapping[str, Any], deepest: int = 12) -> bool:
    """Whether a message as JSON fills places like {name} alone, and with texts, numbers and such messages alone."""
    values, templates = reason.get("values", {}), (reason.get("id"), reason.get("plural", ""))
    if (
        not isinstance(values, dict)
        or not isinstance(reason.get("n", 1), int)
        or not all(isinstance(t, str) for t in templates)
    ):
        return False
    for value in values.values():
        is_message = isinstance(value, dict) and "id" in value and deepest > 0 and _is_plain(value, deepest - 1)
        if not (is_message or value is None or isinstance(value, str | int | float)):
            return False
    try:
        places = [place for template in templates for place in Formatter().parse(str(template))]
    except ValueError:
        return False
    return all(name is None or (name in values and name.isidentifier() and not spec) for _, name, spec, _ in places)


def _free_id(taken: set[str]) -> str:
    """s1, s2, … : the first that no step has."""
    return next(name for number in count(1) if (name := f"s{number}") not in taken)


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
        taken = _columns_for(step, chosen, current, original)
        fitted.append(step.fit(train, taken, step.settings.read(chosen.settings), keys))
        done = apply_step(fitted[-1], train.table, in_training=True)
        train = replace(train, table=done.table[~done.left_out])
        current = _columns_after(step, taken, current, done.change)
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
    if step.key in RESCALING:
        names = {c.name for c in taken}
        return tuple(Column(c.name, c.kind, c.role) if c.name in names else c for c in current)
    said = {c.name: c for c in change.columns}
    renamed = change.renamed
    removed = set(change.removed_columns) - set(renamed)
    kept = tuple(said.get(renamed.get(c.name, c.name), c) for c in current if c.name not in removed)
    new = [name for name in change.added_columns if name not in set(renamed.values())]
    return kept + tuple(said.get(name, Column(name, "number")) for name in new)
