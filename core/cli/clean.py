"""The verbs `clean` and `propose`: a recipe applied to a file or dataset, and one proposed for it."""

from __future__ import annotations

from core.clean import Recipe
from core.cli.common import Answer, Options, check_out, note, open_or_import


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
    dataset = open_or_import(wf.open_workspace(), options.data)
    recipe = wf.propose_recipe(dataset)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(wf.recipe_json(recipe), encoding="utf-8")
        note(options, f"recipe: {options.out}")
    reasons = [str(wf.step_reason(step) or "") for step in recipe.steps]
    answer: dict[str, object] = {
        "dataset": dataset.id,
        "recipe": recipe.to_json(),
        "reasons": reasons,
        "out": None if options.out is None else str(options.out),
    }
    return answer, [str(line) for line in wf.recipe_text(recipe)] or ["Nothing needs cleaning."], 0
