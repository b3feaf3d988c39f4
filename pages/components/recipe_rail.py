"""The recipe beside its data: steps as cards, added, changed, moved, switched off, undone, proposed and applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.clean import STEPS, Change, RecipeStep, step_by_key
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import Message, msg, msg_n
from core.screening import Reason
from pages.components import forms, notices, recipes, state
from pages.components.choices import fixed
from pages.components.text import md, say, t, tn
from pages.components.words import project_name

MOST_DECISIONS = 4


def draw(dataset: Dataset, draft: recipes.Draft, changes: Sequence[Change], words: Sequence[Message]) -> None:
    """The rail. `changes` has one entry an enabled step, or none where the recipe could not be tried out."""
    st.markdown(f"**{md(t('Recipe'))}**")
    _apply(dataset, draft)
    if not draft.recipe.steps:
        st.caption(md(t("Steps run from top to bottom. Add the first one, or let the data propose some.")))
    done = {step.id: change for step, change in zip(draft.recipe.active, changes, strict=False)}
    for index, step in enumerate(draft.recipe.steps):
        _card(dataset, draft, index, step, done.get(step.id))
    with st.popover(t("Add step"), icon=":material/add:", width="stretch", key=f"add_step_{draft.version}"):
        made = _step_form(dataset, None, key="new_step")
        if st.button(t("Add step"), key="add_step_button", type="primary") and made is not None:
            draft.add(made)
            st.rerun()
    _propose(dataset, draft)
    with st.expander(t("More"), key="recipe_more"):
        _elsewhere(dataset, draft)
        _files(draft, words)


def _apply(dataset: Dataset, draft: recipes.Draft) -> None:
    """What is done with the recipe as a whole, above its steps, so that it stays in its place however many there are."""
    applied = draft.recipe == draft.saved()
    if st.button(t("Apply recipe"), type="primary", key="apply_recipe", width="stretch", disabled=applied):
        with notices.guard():
            wf.save_recipe(state.workspace(), dataset.id, draft.recipe)
            notices.done(msg("The recipe is applied: the next training of '{name}' uses it.", name=dataset.name))
            st.rerun()
    st.caption(md(_applied_word(draft, applied)))
    with st.container(horizontal=True, gap="small"):
        if st.button(t("Undo"), icon=":material/undo:", key="undo", disabled=not draft.can_undo, width="stretch"):
            draft.undo()
            st.rerun()
        if st.button(t("Redo"), icon=":material/redo:", key="redo", disabled=not draft.can_redo, width="stretch"):
            draft.redo()
            st.rerun()


def _applied_word(draft: recipes.Draft, applied: bool) -> str:
    if not applied:
        return t("Not applied yet: try it out, then apply it.")
    return t("Applied: the next training uses it.") if draft.recipe.active else t("The next training uses the table as it is.")


def _propose(dataset: Dataset, draft: recipes.Draft) -> None:
    """One click: the steps that the data asks for, each with its reason; undo brings the recipe before back."""
    ws = state.workspace()
    is_screened = wf.is_screened(ws, dataset.id, dataset.version)
    label = t("Propose recipe") if not draft.recipe.steps else t("Propose another recipe")
    if st.button(label, icon=":material/auto_fix_high:", key="propose_recipe", width="stretch"):
        if not is_screened and wf.is_large(dataset):
            notices.note(msg("A table of this size is screened first: open Screening, then propose a recipe here."))
            return
        with notices.guard():
            with st.spinner(t("Looking at {n} columns of '{name}' …", n=len(dataset.columns), name=project_name(dataset.name))):
                found = wf.propose_recipe(ws, dataset)
            n = len(found.recipe.steps)
            if n == 0 and found.to_decide:
                notices.done(msg("Nothing is cleaned without your decision."))
            elif n == 0:
                notices.done(msg("The training part shows nothing that needs cleaning."))
            else:
                draft.put(found.recipe)
                notices.done(
                    msg_n("{n} step is proposed; edit it as you like.", "{n} steps are proposed; edit them as you like.", n)
                )
            st.rerun()
    if is_screened:
        _to_decide(wf.to_decide(wf.screened(ws, dataset.id, dataset.version)))


def _to_decide(reasons: Sequence[Reason]) -> None:
    """The findings that no proposal does by itself, and where they are decided."""
    if not reasons:
        return
    with st.container(border=True, gap="xxsmall", key="to_decide"):
        st.markdown(f"**{md(t('Needs your decision'))}**")
        for reason in reasons[:MOST_DECISIONS]:
            st.caption(f"**{md(reason.column)}**: {md(say(reason.message))}")
        if len(reasons) > MOST_DECISIONS:
            n = len(reasons) - MOST_DECISIONS
            st.caption(md(tn("and {n} more", "and {n} more", n)))
        st.page_link("prepare/screening.py", label=md(t("Decide on the Screening screen")), icon=":material/fact_check:")


def _card(dataset: Dataset, draft: recipes.Draft, index: int, step: RecipeStep, change: Change | None) -> None:
    version = draft.version
    with st.container(border=True, gap="xxsmall", key=f"step_{index}"):
        st.markdown(f"**{index + 1} {md(say(wf.step_title(step)))}**")
        st.caption(md(_step_line(step, change)))
        reason = wf.step_reason(step)
        if reason is not None:
            st.caption(f":material/lightbulb: {md(say(reason))}")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            with st.popover(t("Edit"), type="tertiary", icon=":material/tune:", key=f"edit_{version}_{index}"):
                made = _step_form(dataset, step, key=f"edit_step_{version}_{index}")
                if st.button(t("Change step"), key=f"change_{index}", type="primary") and made is not None:
                    draft.replace(index, made)
                    st.rerun()
            moves = _moves(step, index, len(draft.recipe.steps))
            chosen = st.menu_button(
                t("Actions"),
                list(moves),
                format_func=fixed(moves, moves.__getitem__),
                type="tertiary",
                icon=":material/more_horiz:",
                key=f"move_{version}_{index}",
            )
            if chosen is not None:
                draft.change(index, chosen)
                st.rerun()


def _moves(step: RecipeStep, index: int, n_steps: int) -> dict[str, str]:
    """What can be done with a step in its place, with its word."""
    moves = {
        "up": t("Up"),
        "down": t("Down"),
        "duplicate": t("Duplicate"),
        "switch": t("Switch off") if step.enabled else t("Switch on"),
        "remove": t("Remove"),
    }
    possible = {"up": index > 0, "down": index < n_steps - 1}
    return {move: word for move, word in moves.items() if possible.get(move, True)}


def _step_line(step: RecipeStep, change: Change | None) -> str:
    where = ", ".join(step.columns) or t("all sensors it fits")
    if not step.enabled:
        return f"{t('switched off')} · {where}"
    if change is None:
        return where
    return " · ".join([where, say(wf.change_words(change)), *(say(note) for note in change.notes)])


def _step_form(dataset: Dataset, step: RecipeStep | None, *, key: str) -> RecipeStep | None:
    """The choices of a step; None with a notice when they do not fit."""
    if step is None:
        chosen = st.selectbox(
            t("Step"), [s.key for s in STEPS], format_func=lambda k: say(step_by_key(k).title), key=f"{key}.kind"
        )
    else:
        chosen = step.key
    kind = step_by_key(str(chosen))
    st.caption(md(say(kind.summary)))
    fitting = [c.name for c in dataset.columns if c.role == "sensor" and kind.applies_to(c)]
    named = [c for c in step.columns if c not in fitting] if step else []  # made by an earlier step, or of another dataset
    columns: list[str] = []
    if fitting or named:
        columns = st.multiselect(
            t("Columns"),
            [*fitting, *named],
            default=list(step.columns) if step else None,
            key=f"{key}.{chosen}.columns",
            placeholder=t("name them") if getattr(kind, "needs_columns", False) else t("all sensors it fits"),
        )
    elif not kind.fits_keys:
        st.caption(md(t("No column of this dataset fits this step.")))
    values: dict[str, Any] = forms.form_from_settings(
        kind.settings,
        step.settings if step else None,
        key=f"{key}.{chosen}",
        choices={"column": [c.name for c in dataset.columns if c.role not in ("target", "ignore")]},
    )
    title = st.text_input(
        t("Name"), step.title if step else "", key=f"{key}.{chosen}.title", max_chars=120, placeholder=say(kind.title)
    )
    try:
        kind.settings.read(values)
    except Problem as problem:
        notices.problem(problem)
        return None
    made = RecipeStep(key=kind.key, columns=tuple(columns), settings=values, title=title.strip())
    return made if step is None else made.model_copy(update={"enabled": step.enabled, "reason": step.reason})


def _elsewhere(dataset: Dataset, draft: recipes.Draft) -> None:
    """Use this recipe on another dataset: tried out there first, and applied only when it fits."""
    others = {d.id: d for d in wf.list_datasets(state.workspace()) if d.id != dataset.id}
    if not others or not draft.recipe.steps:
        return
    chosen = st.selectbox(
        t("Use it on another dataset"),
        list(others),
        format_func=fixed(others, lambda i: project_name(others[i].name)),
        key="recipe_target",
    )
    if st.button(t("Apply there"), key="apply_there", width="stretch"):
        with notices.guard():
            changes = wf.use_recipe(state.workspace(), draft.recipe, others[chosen])
            n = sum(change.n_changed for change in changes)
            name = others[chosen].name
            notices.done(
                msg_n(
                    "'{name}' has the recipe now; it changes {n} cell.",
                    "'{name}' has the recipe now; it changes {n} cells.",
                    n,
                    name=name,
                )
            )
            st.rerun()


def _files(draft: recipes.Draft, words: Sequence[Message]) -> None:
    st.download_button(
        t("Save recipe as file"),
        wf.recipe_json(draft.recipe),
        "recipe.json",
        "application/json",
        key="save_recipe_file",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        t("Save recipe as text"),
        "\n".join(say(line) for line in (words or wf.recipe_text(draft.recipe))) + "\n",
        "recipe.txt",
        "text/plain",
        key="save_recipe_text",
        on_click="ignore",
        width="stretch",
    )
    turn = st.session_state.setdefault("_recipe_turn", 0)
    given = st.file_uploader(t("Load recipe from file"), type=["json"], key=f"recipe_{turn}", max_upload_size=1)
    if given is not None:
        with notices.guard():
            draft.put(wf.read_recipe(given.getvalue()))
            st.session_state["_recipe_turn"] = turn + 1
            st.rerun()
