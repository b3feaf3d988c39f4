"""The dialog that makes a dataset with other rows: a regular time step, one row a group, a second table by time."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from core.settings import Settings
from pages.components import forms, notices, numbers, state
from pages.components.layout import caption
from pages.components.text import md, say, t, tn
from pages.components.words import project_name

_MORE = ("label", "count", "columns", "age", "match_group")
"""Settings that most people leave as they are."""


def button(dataset: Dataset) -> None:
    """The button that opens the dialog."""
    if st.button(t("Reshape …"), icon=":material/transform:", key="reshape"):
        _dialog()(dataset)


def origin(ws: wf.Workspace, dataset: Dataset) -> None:
    """Where a dataset came from that was made from others; nothing for one that was read from a file."""
    found = wf.dataset_origin(ws, dataset.id)
    if found is not None:
        rows = t("{before} rows became {after}", before=numbers.number(found.n_before), after=numbers.number(dataset.n_rows))
        caption(say(found.sentence), rows, *(say(note) for note in found.notes))


def _dialog():  # type: ignore[no-untyped-def]
    """The dialog in the session's language."""

    @st.dialog(t("Make a dataset with other rows"), width="large", icon=":material/transform:", on_dismiss="rerun")
    def ask(dataset: Dataset) -> None:
        _ask(dataset)

    return ask


def _ask(dataset: Dataset) -> None:
    operation = st.segmented_control(
        t("What to make"),
        list(wf.OPERATIONS),
        default="resample",
        required=True,
        format_func=lambda o: md(_title(o)),
        key="reshape.operation",
        label_visibility="collapsed",
    )
    st.caption(md(_about(str(operation))))
    other = _other(dataset) if operation == "align" else None
    settings, problem = _settings(str(operation), dataset, other)
    if problem is None and settings is not None and (operation != "align" or other is not None):
        problem = _preview(str(operation), dataset, settings, other)
    if problem is not None:
        notices.problem(problem)
    ready = problem is None and settings is not None and (operation != "align" or other is not None)
    name = st.text_input(
        t("Name of the dataset"),
        value=f"{project_name(dataset.name)} – {_title(str(operation))}"[:100],
        max_chars=100,
        key=f"reshape.name.{operation}",
    )
    if (
        st.button(t("Make the dataset"), type="primary", key="reshape_make", disabled=not ready or not name.strip())
        and settings
    ):
        with notices.guard():
            with st.spinner(t("Making '{name}' …", name=md(name))):
                made = wf.shape_dataset(state.workspace(), str(operation), dataset, settings, other, name=name.strip())
            notices.done(msg("'{name}' is made: {n} rows.", name=made.name, n=made.n_rows))
            state.open_now(dataset=made.id)


def _title(operation: str) -> str:
    return {
        "resample": t("Regular time step"),
        "aggregate": t("One row a group"),
        "align": t("Add another table by time"),
    }[operation]


def _about(operation: str) -> str:
    return {
        "resample": t("All rows of a step of time become one, within their group. Steps without rows stay empty."),
        "aggregate": t("All rows of a lot, unit or cycle become one: their mean, spread and range."),
        "align": t("Each row gets the row of another dataset that was valid at its time. Rows keep their number and order."),
    }[operation]


def _other(dataset: Dataset) -> Dataset | None:
    """The second dataset: any but the open one."""
    others = {d.id: d for d in wf.list_datasets(state.workspace()) if d.id != dataset.id}
    if not others:
        st.caption(md(t("There is no other dataset yet. Import the second table first.")))
        return None
    chosen = st.selectbox(
        t("Other dataset"), list(others), format_func=lambda i: project_name(others[i].name), key="reshape.other"
    )
    return others[str(chosen)]


def _settings(operation: str, dataset: Dataset, other: Dataset | None) -> tuple[Settings | None, Problem | None]:
    """The settings as they stand in the form, or what is wrong with them."""
    kind, key = wf.shape_settings(operation), f"reshape.{operation}"
    names = [c.name for c in dataset.columns]
    choices = {"by": names, "column": names, "columns": [c.name for c in other.columns] if other is not None else names}
    values: dict[str, Any] = forms.form_from_settings(kind, key=key, skip=_MORE, columns=2, choices=choices)
    with st.expander(t("More"), key=f"{key}.more"):
        main = [name for name in kind.model_fields if name not in _MORE]
        values |= forms.form_from_settings(kind, key=key, skip=main, choices=choices)
    try:
        return kind.read(values), None
    except Problem as problem:
        return None, problem


@st.cache_data(max_entries=8, show_spinner=False)
def _seen(home: str, operation: str, datasets: tuple[tuple[str, int], ...], settings: str) -> wf.ShapePreview:
    ws = state.workspace()
    opened = [wf.open_dataset(ws, dataset_id, version) for dataset_id, version in datasets]
    read = wf.shape_settings(operation).read(json.loads(settings))
    return wf.preview_shape(ws, operation, opened[0], read, opened[1] if len(opened) > 1 else None)


def _preview(operation: str, dataset: Dataset, settings: Settings, other: Dataset | None) -> Problem | None:
    """The first rows as they would be; a problem where it cannot be done."""
    ids = tuple((d.id, d.version) for d in (dataset, other) if d is not None)
    try:
        seen = _seen(str(state.workspace().home), operation, ids, settings.model_dump_json())
    except Problem as problem:
        return problem
    st.dataframe(seen.head, hide_index=True, height=min(38 + 35 * len(seen.head), 250), placeholder="", key="reshape_head")
    counts = t(
        "{before} rows become {after}", before=numbers.number(seen.shaped.n_before), after=numbers.number(seen.shaped.n_rows)
    )
    part = "" if seen.is_whole else tn("tried out on the first row", "tried out on the first {n} rows", seen.shaped.n_before)
    caption(counts, *(say(note) for note in seen.shaped.notes), part)
    return None
