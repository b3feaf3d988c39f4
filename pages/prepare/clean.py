"""Clean: an ordered recipe, seen on the data before it is applied. Fitted on the training part only."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import workflows as wf
from core.charts import Theme, before_after, caption_before_after, histogram_pair
from core.clean import Change, Recipe
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from pages.components import changed_cells, chart_range, charts, excluded, notices, numbers, recipe_rail, recipes, state
from pages.components.layout import Figure, caption, empty, figures, headline, next_step
from pages.components.text import md, say, t, tn

MAX_ROWS = 100_000


def show() -> None:
    """The screen."""
    dataset = state.dataset()
    if dataset is None:
        empty(
            t("There is nothing to clean yet"),
            t("The values of a column before and after each step, with the number of changed cells, will be here."),
            action=t("Use my file"),
            page="prepare/data.py",
            icon=":material/cleaning_services:",
        )
        return
    draft = recipes.Draft(dataset.id)
    column = _column_choice(dataset, draft.recipe)
    preview, problem = _try_out(dataset, draft.recipe, column)
    changes = preview.changes if preview is not None else ()
    headline(_finding(draft.recipe, changes), _why())
    _figures(draft.recipe, preview)
    main, rail = st.columns([3, 1], gap="medium")
    with main:
        _main(dataset, draft.recipe, preview, problem)
    with rail:
        recipe_rail.draw(dataset, draft, changes, preview.words if preview is not None else ())
    next_step(
        "learn/train.py",
        t("Train a model"),
        t("The recipe is fitted on the training part of each run and travels with the model."),
    )


def _why() -> str:
    return t(
        "A recipe is a list of steps. Each step learns its numbers, a median or a limit, from the training part alone, "
        "so that the test part stays unseen. The uploaded table itself never changes."
    )


def _column_choice(dataset: Dataset, recipe: Recipe) -> str:
    """The chosen column; when the screen is opened that which the recipe changed last, so that its work is seen."""
    names = _shown_columns(dataset)
    key = f"clean_column.{dataset.id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = _changed_last(dataset, recipe, names) or names[0]
    return str(st.session_state[key])


def _changed_last(dataset: Dataset, recipe: Recipe, names: list[str]) -> str | None:
    """Of the columns that the last step with an effect changes or marks the one with most cells; None without."""
    preview, _ = _try_out(dataset, recipe, names[0]) if recipe.active else (None, None)
    for change in reversed(preview.changes if preview is not None else ()):
        counts = {
            name: change.changed_cells.get(name, 0) + change.flagged_cells.get(name, 0) + change.event_cells.get(name, 0)
            for name in names
        }
        most = max(counts, key=counts.__getitem__)
        if counts[most]:
            return most
    return None


@st.cache_data(max_entries=4, show_spinner=False)
def _preview(home: str, dataset_id: str, version: int, recipe: str, column: str) -> wf.RecipePreview:
    ws = state.workspace()
    dataset = wf.open_dataset(ws, dataset_id, version)
    return wf.preview_recipe(ws, dataset, wf.read_recipe(recipe.encode()), None, column, max_rows=MAX_ROWS)


def _try_out(dataset: Dataset, recipe: Recipe, column: str) -> tuple[wf.RecipePreview | None, Problem | None]:
    home = str(state.workspace().home)
    try:
        with st.spinner(t("Trying out the recipe …")):
            return _preview(home, dataset.id, dataset.version, wf.recipe_json(recipe), column), None
    except Problem as problem:
        return None, problem


def _finding(recipe: Recipe, changes: tuple[Change, ...]) -> str:
    if not recipe.active:
        return t("No step yet: the data goes into training as it is")
    n = len(recipe.active)
    cells = sum(change.n_changed for change in changes)
    flagged = sum(sum(change.flagged_cells.values()) for change in changes)
    if flagged and not cells:
        return tn(
            "{n} step flags {cells} cells and changes none", "{n} steps flag {cells} cells and change none", n, cells=flagged
        )
    added = sum(len(change.added_columns) for change in changes)
    if added and not cells:
        return tn("{n} step adds {columns} columns", "{n} steps add {columns} columns", n, columns=added)
    return tn("{n} step changes {cells} cells", "{n} steps change {cells} cells", n, cells=cells)


def _figures(recipe: Recipe, preview: wf.RecipePreview | None) -> None:
    if preview is None:
        return
    n = len(preview.rows)
    touched = {name for change in preview.changes for name, k in change.changed_cells.items() if k}
    marked = {name for change in preview.changes for name, k in change.flagged_cells.items() if k}
    added = sum(len(change.added_columns) for change in preview.changes)
    removed = sum(len(change.removed_columns) for change in preview.changes)
    out = int(preview.left_out.sum())
    flagged = sum(sum(change.flagged_cells.values()) for change in preview.changes)
    cells = sum(change.n_changed for change in preview.changes)
    figures(
        [
            Figure(t("Cells changed"), numbers.number(cells), tn("in {n} column", "in {n} columns", len(touched))),
            Figure(t("Cells flagged"), numbers.number(flagged), _beside_flags(len(marked), int(preview.real_event.sum()))),
            Figure(t("Rows left out"), numbers.number(out), t("{share} of rows", share=numbers.percent(out / max(n, 1)))),
            Figure(t("Columns added"), numbers.number(added), tn("{n} column left out", "{n} columns left out", removed)),
        ]
    )


def _beside_flags(n_columns: int, n_events: int) -> str:
    """Where flags are, and how many rows are labelled instead."""
    where = tn("in {n} column", "in {n} columns", n_columns)
    return f"{where}, {tn('{n} real event', '{n} real events', n_events)}" if n_events else where


def _shown_columns(dataset: Dataset) -> list[str]:
    """Columns to look at, numbers first: a text has no before and after worth a chart."""
    wanted = [c for c in dataset.columns if c.role in ("sensor", "target")] or list(dataset.columns)
    return [c.name for c in sorted(wanted, key=lambda c: c.kind != "number")]


def _main(dataset: Dataset, recipe: Recipe, preview: wf.RecipePreview | None, problem: Problem | None) -> None:
    """One of three views of what the recipe does; only the chosen one is computed."""
    if problem is not None:
        notices.problem(problem)
    words = {"column": t("Before and after"), "cells": t("Changed cells"), "words": t("Recipe in words")}
    view = st.segmented_control(
        t("View"),
        list(words),
        default="column",
        required=True,
        format_func=words.__getitem__,
        key="clean_view",
        label_visibility="collapsed",
    )
    if view == "column" or preview is None:
        _before_after(dataset, preview)
    elif view == "cells":
        with notices.guard():
            changed_cells.table(dataset, recipe, MAX_ROWS)
    else:
        _in_words(preview)


def _in_words(preview: wf.RecipePreview) -> None:
    """The recipe as text: what each step does, learned and changed."""
    if not preview.words:
        caption(t("The recipe has no step yet."))
    for line in preview.words:
        st.markdown(md(say(line)))
    if preview.words:
        caption(t("A report of a training with this recipe says the same."))


def _before_after(dataset: Dataset, preview: wf.RecipePreview | None) -> None:
    key = f"clean_column.{dataset.id}"
    names = _shown_columns(dataset)
    st.selectbox(t("Column"), names, key=key, width=320)
    if preview is None:
        return
    _charts(dataset, preview, excluded.of_recipe(recipes.Draft(dataset.id).recipe), charts.theme())
    if len(preview.rows) < dataset.n_rows:
        caption(
            t(
                "Tried out on the first {n} of {total} rows; a training cleans them all.",
                n=len(preview.rows),
                total=dataset.n_rows,
            )
        )


def _charts(dataset: Dataset, preview: wf.RecipePreview, stretches: list[excluded.Stretch], theme: Theme) -> None:
    """In the order of the Screening screen: over time, or group after group where the time starts again with each."""
    along, time = preview.along, dataset.with_role("time")
    name = msg("{name}", name=time[0].name) if time and along.dtype.kind == "f" else None
    n_changed = int(preview.changed.sum())
    rising = bool(np.issubdtype(along.dtype, np.datetime64)) and bool(np.all(along[1:] >= along[:-1]))
    axis, key = chart_range.ArrayAxis(len(along), along if rising else None), f"{st.session_state.get('dataset')}.before_after"
    part = chart_range.chosen(key, len(along)).slice
    figure = before_after(
        before=preview.before[part],
        after=preview.after[part],
        column=preview.column,
        unit=preview.unit,
        x=along[part],
        rows=preview.rows[part],
        changed=preview.changed[part],
        flagged=preview.flagged[part],
        left_out=preview.left_out[part],
        events=preview.real_event[part],
        parts=preview.parts[part],
        excluded=stretches if rising else (),
        along=name,
        theme=theme,
        text=say,
    )
    alt = tn(
        "{column}: {n} cell changed by the recipe",
        "{column}: {n} cells changed by the recipe",
        n_changed,
        column=preview.column,
    )
    chart_range.show(figure, axis, alt=alt, key=key, height=300)
    words = caption_before_after(len(preview.rows), along, n_changed, int(preview.left_out.sum()))
    caption(say(words), t("fitted on the training part"))
    if preview.histogram_before is not None and preview.histogram_after is not None:
        figure = histogram_pair(
            before=preview.histogram_before,
            after=preview.histogram_after,
            column=preview.column,
            unit=preview.unit,
            theme=theme,
            text=say,
        )
        alt = t("Distribution of {column} before and after the recipe", column=preview.column)
        charts.show(figure, alt=alt, key="histogram_pair", height=220)


show()
