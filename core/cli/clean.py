"""The verbs `clean` and `propose`: a recipe applied to a file or dataset, and one proposed for it."""

from __future__ import annotations

from collections.abc import Sequence

from core.clean import Recipe
from core.cli.common import Answer, Options, check_out, note, open_or_import
from core.screening import Reason


def clean(options: Options) -> Answer:
    from core import workflows as wf
    from core.data.split import parse_split

    for place in (options.out, options.changes):
        if place is not None:
            check_out(place)
    ws = wf.open_workspace()
    recipe = wf.recipe_from(options.recipe, ws)
    dataset = open_or_import(ws, options.data)
    split = None if options.split is None else parse_split(options.split)
    made = wf.clean_dataset(dataset, recipe, options.out, split=split, changes_out=options.changes)
    words = wf.recipe_text(recipe, made.fitted, made.changes) if isinstance(recipe, Recipe) else ()
    answer: dict[str, object] = {
        "dataset": dataset.id,
        "rows": made.rows,
        "out": str(made.out),
        "changes": None if options.changes is None else str(options.changes),
        "changed_cells": made.changed_cells,
        "left_out_rows": made.left_out_rows,
        "steps": [
            {
                "key": step.key,
                "changed_cells": dict(change.changed_cells),
                "flagged_cells": dict(change.flagged_cells),
                "real_event_cells": dict(change.event_cells),
                "left_out_rows": change.left_out_rows,
                "added_columns": list(change.added_columns),
                "removed_columns": list(change.removed_columns),
                "notes": [str(note) for note in change.notes],
            }
            for step, change in zip(made.fitted.steps, made.changes, strict=True)
        ],
    }
    head = f"{made.rows} rows → {made.out}: {made.changed_cells} cells changed, {made.left_out_rows} rows left out"
    return answer, [head, *map(str, words)], 0


def propose(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    ws = wf.open_workspace()
    dataset = open_or_import(ws, options.data)
    proposal = wf.propose_recipe(ws, dataset)
    recipe = proposal.recipe
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(wf.recipe_json(recipe), encoding="utf-8")
        note(options, f"recipe: {options.out}")
    reasons = [str(wf.step_reason(step) or "") for step in recipe.steps]
    answer: dict[str, object] = {
        "dataset": dataset.id,
        "recipe": recipe.to_json(),
        "reasons": reasons,
        "to_decide": [
            {
                "column": r.column,
                "code": r.code,
                "message": str(r.message),
                "fix": None if r.fix is None else str(r.fix.title),
                "caution": None if r.fix is None or r.fix.caution is None else str(r.fix.caution),
            }
            for r in proposal.to_decide
        ],
        "out": None if options.out is None else str(options.out),
    }
    nothing = "Nothing is cleaned without your decision." if proposal.to_decide else "Nothing needs cleaning."
    lines = [str(line) for line in wf.recipe_text(recipe)] or [nothing]
    return answer, [*lines, *_decisions(proposal.to_decide)], 0


def _decisions(reasons: Sequence[Reason]) -> list[str]:
    """A line a finding that the proposal leaves to a person, with what could be done and when not to."""
    lines = []
    for reason in reasons:
        fix = "" if reason.fix is None else f" Possible: {reason.fix.title}."
        caution = "" if reason.fix is None or reason.fix.caution is None else f" {reason.fix.caution}"
        lines.append(f"Needs your decision: '{reason.column}': {reason.message}.{fix}{caution}")
    return lines
