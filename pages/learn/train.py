"""Train: ask a question of the open dataset, see what will happen, start it, and watch it learn."""

from __future__ import annotations

import streamlit as st

from pages.components import layout, run_view, state, train_form, train_live
from pages.components.text import t

NEW, WATCH = "new", "watch"


def view() -> str:
    """Which half of the screen is open; kept in the address as `?view=`. A waiting or running run opens its own view."""
    dataset, run = state.dataset(), state.run()
    asked = st.session_state.pop("_train_view", None)
    if asked is None and dataset is not None and st.session_state.get("_train_dataset") not in (None, dataset.id):
        asked = WATCH if run is not None and run.state in run_view.ACTIVE else NEW
    st.session_state["_train_dataset"] = dataset.id if dataset else None
    known = st.session_state.get("view") or st.query_params.get("view")
    if asked is None and known not in (NEW, WATCH) and run is not None and run.state in run_view.ACTIVE:
        asked = WATCH
    if asked is not None:
        st.session_state["view"] = asked
    words = {NEW: t("New training"), WATCH: t("Training of the open run")}
    chosen = st.segmented_control(
        t("View"), [NEW, WATCH], format_func=words.__getitem__, key="view", bind="query-params", label_visibility="collapsed"
    )
    return chosen or NEW


open_dataset, open_run = state.dataset(), state.run()
if open_dataset is None:
    layout.empty(
        t("There is no data to learn from yet"),
        t("Here you say what you want to know, see which rows will judge the model, and watch it learn."),
        action=t("Add data"),
        page="prepare/data.py",
        icon=":material/model_training:",
    )
elif open_run is not None and view() == WATCH:
    train_live.show(open_run)
else:
    train_form.show(open_dataset)
