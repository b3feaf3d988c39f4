"""A recipe proposed for a dataset: what the screening mends by itself, then the rules of `core/clean/proposal.py` on what is left.

What a person has to decide is named and not done. Here and not in `core.clean`, because the screening comes after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clean import Recipe, RecipeStep, fit_recipe, propose
from core.clean.cells import numbers
from core.clean.repeated import REPEATED_TO_MISSING
from core.data.dataset import Dataset
from core.data.split import SplitSettings
from core.messages import Message, msg, msg_n
from core.screening import Reason
from core.screening.values import FEWEST_STUCK, run_lengths
from core.workflows.cleaning import training_split
from core.workflows.screening import ASKED_EACH, Screened, key_of, screen_dataset, with_decisions, with_steps
from core.workflows.workspace import Workspace

TRY_OUT_ROWS = 100_000
MOSTLY = 0.5
MOST_NAMED = 3
# Gaps are filled by the proposal's own rules, which look at all columns together and never ahead; any filling mends them.
_BY_ITS_OWN_RULES = frozenset(["missing"])
# What spoils a column so much that it is named even where the screening knows no fix for it.
_NEVER_SILENT = frozenset(["stuck", "unit_change"])


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recipe with a reason a step, and the findings that it leaves to a person, the serious ones of a column first."""

    recipe: Recipe
    to_decide: tuple[Reason, ...]


def propose_recipe(
    ws: Workspace,
    dataset: Dataset,
    split: SplitSettings | None = None,
    max_rows: int = TRY_OUT_ROWS,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Proposal:
    """A recipe from the screening of the table and from what the training part of its first rows shows.

    Fixes of the screening that need no decision come first, as they are on its screen; the rules of `propose` see the
    table after them. Findings that the user has left as they are take no part. Columns that the screening would take
    out, and those that are stuck most of the time, are not used to fill others.

    Args:
        progress: Called with columns screened and columns in all, where the screening is not kept yet.

    Raises:
        StoreProblem: the dataset is deleted.
    """
    found = with_decisions(ws, dataset, screen_dataset(ws, dataset.id, dataset.version, progress=progress))
    mended = _mended_unasked(found)
    first = with_steps(Recipe(), [s for r in mended if r.fix is not None for s in r.fix.steps])
    first = Recipe(steps=tuple(s.model_copy(update={"reason": _why(s, mended).to_json()}) for s in first.steps))
    table, columns, made = training_split(dataset, split, max_rows)
    train = made.train_part(table)
    if first.steps:
        train = made.train_part(fit_recipe(first, train, columns).apply(table, in_training=True).table)
    rest = propose(
        train,
        columns,
        no_help=_no_help(found, train.table),
        left_empty={r.column for r in mended if r.code == "stuck"},
    )
    # Ids are given anew: both recipes count from 1.
    steps = tuple(s.model_copy(update={"id": ""}) for s in (*first.steps, *rest.steps))
    recipe = Recipe(steps=steps)
    dropped = {c for s in rest.steps if s.key in ("drop_sparse", "drop_constant") for c in s.columns}
    return Proposal(recipe, tuple(r for r in to_decide(found) if r.column not in dropped))


def to_decide(found: Screened) -> tuple[Reason, ...]:
    """Open findings of grade B or C that no proposal mends by itself: where only a person can tell a fault from the truth,
    or where a column would have to be taken out."""
    unasked = {key_of(r) for r in _mended_unasked(found)}
    return tuple(
        r
        for r in _open(found)
        if key_of(r) not in unasked | found.fixed
        and r.severity != "info"
        and (
            r.code in ASKED_EACH | _NEVER_SILENT
            or (r.fix is not None and (r.fix.caution is not None or r.fix.role is not None))
        )
    )


def _open(found: Screened) -> tuple[Reason, ...]:
    """Findings in columns that take part and that were not left as they are. What the applied recipe mends counts: a
    proposal stands in its place."""
    columns = [c for c in found.screening.columns if c.role != "ignore"]
    return tuple(r for c in columns for r in c.reasons if key_of(r) not in found.left)


def _mended_unasked(found: Screened) -> tuple[Reason, ...]:
    """Findings whose steps go into a proposal."""
    return tuple(
        r
        for r in _open(found)
        if r.fix is not None
        and r.fix.steps
        and r.fix.caution is None
        and r.severity != "info"
        and r.code not in ASKED_EACH | _BY_ITS_OWN_RULES
    )


def _no_help(found: Screened, table: pd.DataFrame) -> set[str]:
    """Columns that tell nothing of others, or only what must not be used: those that the screening would take out, those
    that may give the answer away, and those that are stuck in most rows."""
    out = {r.column for r in _open(found) if r.code in ASKED_EACH or (r.fix is not None and r.fix.role == "ignore")}
    stuck = {r.column for r in _open(found) if r.code == "stuck"}
    return out | {name for name in stuck if name in table and _mostly_stuck(table, name)}


def _mostly_stuck(table: pd.DataFrame, name: str) -> bool:
    """Whether more than half of the rows stand in runs of ten equal values or more; emptied ones stand in none."""
    values = numbers(table, name)
    _, lengths = run_lengths(values, np.zeros(1, dtype=np.int64))
    return bool(lengths[lengths >= FEWEST_STUCK].sum() > MOSTLY * len(values))


def _why(step: RecipeStep, reasons: Sequence[Reason]) -> Message:
    """What the screening found in the columns of a step, and what the step leaves alone."""
    behind = [r for r in reasons if r.fix is not None and r.column in step.columns and any(_same(step, s) for s in r.fix.steps)]
    lines = [
        msg("The screening found in '{column}': {finding}.", column=r.column, finding=r.message) for r in behind[:MOST_NAMED]
    ]
    if len(behind) > MOST_NAMED:
        lines.append(msg_n("And {n} finding more.", "And {n} findings more.", len(behind) - MOST_NAMED))
    if "max_gap" in step.settings:
        lines.append(msg("This step leaves gaps longer than {n} rows empty.", n=step.settings["max_gap"]))
    if step.key == REPEATED_TO_MISSING.key:
        lines.append(msg("They stay empty, as nobody knows the true values."))
    whole = lines[0]
    for line in lines[1:]:
        whole = msg("{first} {more}", first=whole, more=line)
    return whole


def _same(one: RecipeStep, other: RecipeStep) -> bool:
    return one.key == other.key and json.dumps(one.settings, sort_keys=True) == json.dumps(other.settings, sort_keys=True)
