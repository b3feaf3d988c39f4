"""A recipe in words: one sentence a step with its settings and, once fitted, what it learned and what it changed."""

from __future__ import annotations

from collections.abc import Sequence

from core.clean import Change, FittedRecipe, Recipe, RecipeStep, step_by_key
from core.clean.step import FittedStep, Tells
from core.messages import Message, msg, msg_n
from core.workflows.setting_words import setting_title, value_words

MOST_TOLD = 6


def recipe_text(recipe: Recipe, fitted: FittedRecipe | None = None, changes: Sequence[Change] = ()) -> tuple[Message, ...]:
    """A sentence a step, in order; one that is switched off says so.

    Args:
        fitted: The recipe after its fit, for what was learned; None: not yet fitted.
        changes: What each step did, one an enabled step; empty: not yet applied.
    """
    lines, place = [], 0
    for number, step in enumerate(recipe.steps, start=1):
        if not step.enabled:
            lines.append(msg("{number}. {step} (switched off).", number=number, step=step_words(step)))
            continue
        learned = learned_notes(fitted.steps[place]) if fitted is not None else ()
        change = changes[place] if place < len(changes) else None
        parts = (step_words(step), *learned, *((change_words(change),) if change is not None else ()))
        lines.append(_line(number, joined(parts), step))
        place += 1
    return tuple(lines)


def step_title(step: RecipeStep) -> Message:
    """The user's own name for a step, else the method's."""
    return msg("{text}", text=step.title) if step.title else step_by_key(step.key).title


def step_words(step: RecipeStep) -> Message:
    """What a step does, to which columns, with which settings."""
    where = ", ".join(f"'{name}'" for name in step.columns) if step.columns else msg("all sensors it fits")
    told = [msg("{name} = {value}", name=name, value=value) for name, value in step_settings(step)]
    head = msg("{step}: {columns}", step=step_title(step), columns=where)
    return msg("{head} ({settings})", head=head, settings=joined(told, comma=True)) if told else head


def step_settings(step: RecipeStep) -> tuple[tuple[Message, Message | str | int | float], ...]:
    """The settings of a step that are set, by their declared titles, with those that were left at their defaults."""
    kind = step_by_key(step.key)
    chosen = kind.settings.read(step.settings).model_dump()
    fields = kind.settings.model_fields.items()
    return tuple((setting_title(f), value_words(f, chosen[name])) for name, f in fields if chosen[name] is not None)


def learned_notes(step: FittedStep) -> tuple[Message, ...]:
    """What a fitted step says it learned: the first few entries, and how many more there are."""
    if not isinstance(step, Tells):
        return ()
    found = step.learned()
    if len(found) <= MOST_TOLD:
        return found
    return (*found[:MOST_TOLD], msg_n("and {n} more", "and {n} more", len(found) - MOST_TOLD))


def change_words(change: Change) -> Message:
    """What a step changed, in counts."""
    parts = []
    if n := sum(change.flagged_cells.values()):
        parts.append(msg_n("{n} cell flagged", "{n} cells flagged", n))
    if n := sum(change.event_cells.values()):
        parts.append(msg_n("{n} cell labelled as a real event", "{n} cells labelled as a real event", n))
    if change.left_out_rows:
        parts.append(msg_n("{n} row left out", "{n} rows left out", change.left_out_rows))
    if change.added_columns:
        parts.append(msg_n("{n} column added", "{n} columns added", len(change.added_columns)))
    if change.removed_columns:
        parts.append(msg_n("{n} column left out", "{n} columns left out", len(change.removed_columns)))
    if change.n_changed or not parts:
        parts.insert(0, msg_n("{n} cell changed", "{n} cells changed", change.n_changed))
    return joined(parts, comma=True)


def joined(parts: Sequence[Message], *, comma: bool = False) -> Message:
    """Messages one after another, with semicolons or commas between them; at least one."""
    whole = parts[0]
    for part in parts[1:]:
        whole = msg("{listed}, {more}", listed=whole, more=part) if comma else msg("{listed}; {more}", listed=whole, more=part)
    return whole


def step_reason(step: RecipeStep) -> Message | None:
    """Why a proposal has the step; None for a step that a person added."""
    return None if step.reason is None else Message.from_json(step.reason)


def _line(number: int, sentence: Message, step: RecipeStep) -> Message:
    reason = step_reason(step)
    if reason is None:
        return msg("{number}. {sentence}.", number=number, sentence=sentence)
    return msg("{number}. {sentence}. Why: {reason}", number=number, sentence=sentence, reason=reason)
