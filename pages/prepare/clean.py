"""Clean: an ordered recipe, seen on the data before it is applied. Fitted on the training part only."""

from __future__ import annotations

from typing import Any

import streamlit as st
from numpy.typing import NDArray

from core import workflows as wf
from core.charts import Theme, before_after, caption_before_after, histogram_pair
from core.clean import STEPS, Change, Recipe, RecipeStep, step_by_key
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from pages.components import charts, forms, notices, numbers, recipes, state
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
    column = _column_choice(dataset)
    preview, problem = _try_out(dataset, draft.recipe, column)
    changes = preview.changes if preview is not None else ()
    headline(_finding(draft.recipe, changes), _why())
    _figures(draft.recipe, preview)
    main, rail = st.columns([3, 1], gap="medium")
    with main:
        _before_after(dataset, preview, problem)
    with rail:
        _rail(dataset, draft, changes)
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


def _column_choice(dataset: Dataset) -> str:
    names = _shown_columns(dataset)
    key = f"clean_column.{dataset.id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]
    return str(st.session_state[key])


@st.cache_data(max_entries=4, show_spinner=False)
def _preview(home: str, dataset_id: str, version: int, recipe: str, column: str) -> wf.RecipePreview:
    ws = state.workspace()
    dataset = wf.open_dataset(ws, dataset_id, version)
    return wf.preview_recipe(ws, dataset, recipes.read_json(recipe.encode()), None, column, max_rows=MAX_ROWS)


def _try_out(dataset: Dataset, recipe: Recipe, column: str) -> tuple[wf.RecipePreview | None, Problem | None]:
    home = str(state.workspace().home)
    try:
        return _preview(home, dataset.id, dataset.version, recipes.to_json(recipe), column), None
    except Problem as problem:
        return None, problem


def _finding(recipe: Recipe, changes: tuple[Change, ...]) -> str:
    if not recipe.steps:
        return t("No step yet: the data goes into training as it is")
    n = len(recipe.steps)
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
    out = int(preview.left_out.sum())
    flagged = sum(sum(change.flagged_cells.values()) for change in preview.changes)
    cells = sum(change.n_changed for change in preview.changes)
    figures(
        [
            Figure(t("Cells changed"), numbers.number(cells), tn("in {n} column", "in {n} columns", len(touched))),
            Figure(t("Cells flagged"), numbers.number(flagged), tn("in {n} column", "in {n} columns", len(marked))),
            Figure(t("Rows left out"), numbers.number(out), t("{share} of rows", share=numbers.percent(out / max(n, 1)))),
            Figure(t("Columns added"), numbers.number(added), t("by the recipe")),
        ]
    )


def _shown_columns(dataset: Dataset) -> list[str]:
    """Columns to look at, numbers first: a text has no before and after worth a chart."""
    wanted = [c for c in dataset.columns if c.role in ("sensor", "target")] or list(dataset.columns)
    return [c.name for c in sorted(wanted, key=lambda c: c.kind != "number")]


def _before_after(dataset: Dataset, preview: wf.RecipePreview | None, problem: Problem | None) -> None:
    key = f"clean_column.{dataset.id}"
    names = _shown_columns(dataset)
    st.selectbox(t("Column"), names, key=key, width=320)
    if problem is not None:
        notices.problem(problem)
    if preview is None:
        return
    along = preview.rows if dataset.with_role("group") else preview.times
    _charts(preview, along, charts.theme())
    if len(preview.rows) < dataset.n_rows:
        caption(
            t(
                "Tried out on the first {n} of {total} rows; a training cleans them all.",
                n=len(preview.rows),
                total=dataset.n_rows,
            )
        )


def _charts(preview: wf.RecipePreview, along: NDArray[Any], theme: Theme) -> None:
    """Over time, or over rows where groups follow one another and the time starts again with each."""
    n_changed = int(preview.changed.sum())
    figure = before_after(
        before=preview.before,
        after=preview.after,
        column=preview.column,
        unit=preview.unit,
        x=along,
        rows=preview.rows,
        changed=preview.changed,
        flagged=preview.flagged,
        left_out=preview.left_out,
        parts=preview.parts,
        theme=theme,
        text=say,
    )
    alt = tn(
        "{column}: {n} cell changed by the recipe",
        "{column}: {n} cells changed by the recipe",
        n_changed,
        column=preview.column,
    )
    charts.show(figure, alt=alt, key="before_after", height=300)
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


def _rail(dataset: Dataset, draft: recipes.Draft, changes: tuple[Change, ...]) -> None:
    st.markdown(f"**{md(t('Recipe'))}**")
    if not draft.recipe.steps:
        st.caption(md(t("Steps run from top to bottom. Add the first one.")))
    for index, step in enumerate(draft.recipe.steps):
        _step_card(dataset, draft, index, step, changes[index] if index < len(changes) else None)
    with st.popover(t("Add step"), icon=":material/add:", width="stretch", key=f"add_step_{draft.version}"):
        made = _step_form(dataset, None, key="new_step")
        if st.button(t("Add step"), key="add_step_button", type="primary") and made is not None:
            draft.add(made)
            st.rerun()
    applied = draft.recipe == draft.saved()
    if st.button(t("Apply recipe"), type="primary", key="apply_recipe", width="stretch", disabled=applied):
        with notices.guard():
            wf.save_recipe(state.workspace(), dataset.id, draft.recipe)
            notices.done(msg("The recipe is applied: the next training of '{name}' uses it.", name=dataset.name))
            st.rerun()
    st.caption(md(_applied_word(draft.recipe, applied)))
    if st.button(t("Undo"), icon=":material/undo:", key="undo", disabled=not draft.can_undo, width="stretch"):
        draft.undo()
        st.rerun()
    with st.expander(t("More"), key="recipe_more"):
        _files(draft)


def _applied_word(recipe: Recipe, applied: bool) -> str:
    if not applied:
        return t("Not applied yet: try it out, then apply it.")
    return t("Applied: the next training uses it.") if recipe.steps else t("The next training uses the table as it is.")


def _step_card(dataset: Dataset, draft: recipes.Draft, index: int, step: RecipeStep, change: Change | None) -> None:
    kind, version = step_by_key(step.key), draft.version
    with st.container(border=True, gap="xxsmall", key=f"step_{index}"):
        st.markdown(f"**{index + 1} {md(say(kind.title))}**")
        st.caption(md(_step_line(step, change)))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            with st.popover(t("Edit"), type="tertiary", icon=":material/tune:", key=f"edit_{version}_{index}"):
                made = _step_form(dataset, step, key=f"edit_step_{version}_{index}")
                if st.button(t("Change step"), key=f"change_{index}", type="primary") and made is not None:
                    draft.replace(index, made)
                    st.rerun()
            last = index == len(draft.recipe.steps) - 1
            moves = [m for m in ("up", "down", "remove") if not (m == "up" and index == 0) and not (m == "down" and last)]
            chosen = st.menu_button(
                t("Move"),
                moves,
                format_func=_move_word,
                type="tertiary",
                icon=":material/swap_vert:",
                key=f"move_{version}_{index}",
            )
            if chosen is not None:
                _move(draft, index, chosen)


def _move_word(move: str) -> str:
    return {"up": t("Up"), "down": t("Down"), "remove": t("Remove")}[move]


def _move(draft: recipes.Draft, index: int, move: str) -> None:
    if move == "remove":
        draft.remove(index)
    else:
        draft.move(index, -1 if move == "up" else 1)
    st.rerun()


def _step_line(step: RecipeStep, change: Change | None) -> str:
    where = ", ".join(step.columns) or t("all sensors it fits")
    if change is None:
        return where
    parts = [where, tn("{n} cell changed", "{n} cells changed", change.n_changed)]
    if n := sum(change.flagged_cells.values()):
        parts.append(tn("{n} cell flagged", "{n} cells flagged", n))
    if change.left_out_rows:
        parts.append(tn("{n} row left out", "{n} rows left out", change.left_out_rows))
    if change.added_columns:
        parts.append(tn("{n} column added", "{n} columns added", len(change.added_columns)))
    if change.removed_columns:
        parts.append(tn("{n} column taken out", "{n} columns taken out", len(change.removed_columns)))
    return " · ".join([*parts, *(say(note) for note in change.notes)])


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
    columns: list[str] = []
    if fitting:
        columns = st.multiselect(
            t("Columns"),
            fitting,
            default=[c for c in step.columns if c in fitting] if step else None,
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
    try:
        kind.settings.read(values)
    except Problem as problem:
        notices.problem(problem)
        return None
    return RecipeStep(key=kind.key, columns=tuple(columns), settings=values)


def _files(draft: recipes.Draft) -> None:
    st.download_button(
        t("Save recipe as file"),
        recipes.to_json(draft.recipe),
        "recipe.json",
        "application/json",
        key="save_recipe_file",
        on_click="ignore",
    )
    turn = st.session_state.setdefault("_recipe_turn", 0)
    given = st.file_uploader(t("Load recipe from file"), type=["json"], key=f"recipe_{turn}", max_upload_size=1)
    if given is not None:
        with notices.guard():
            draft.put(recipes.read_json(given.getvalue()))
            st.session_state["_recipe_turn"] = turn + 1
            st.rerun()


show()
