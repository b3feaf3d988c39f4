"""Which columns a step of a recipe works on, and which there are once it has worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.clean.recipe import RecipeStep
from core.clean.step import Change, CleaningStep
from core.data.dataset import Column
from core.errors import ColumnRefused, SettingProblem, unknown_column
from core.messages import Message, msg

RESCALING = ("standard_scale", "minmax_scale", "robust_scale", "box_cox", "yeo_johnson")
"""Steps after which a column has neither its unit nor its limits."""


def columns_for(step: CleaningStep, chosen: RecipeStep, current: tuple[Column, ...], original: set[str]) -> tuple[Column, ...]:
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


def columns_after(
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
