"""Train: ask a question of the open dataset, see what will happen, start it, and watch it learn."""

from __future__ import annotations

import streamlit as st

from core.workflows.records import Run
from pages.components import layout, run_view, state, train_form, train_live
from pages.components.text import t

NEW, WATCH = "new", "watch"


def view(run: Run | None) -> str:
    """Which half of the screen is open, kept in the address as `?view=`. A run at work opens its own view."""
    asked = st.session_state.pop("_train_view", None) or st.query_params.get("view")
    if asked not in (NEW, WATCH):
        asked = WATCH if run is not None and run.state in run_view.ACTIVE else NEW
    if run is None:
        asked = NEW
    if st.query_params.get("view") != asked:
        st.query_params["view"] = asked
    return asked


def switch(to: str, label: str, reason: str) -> None:
    """The way to the other half, at the end of the screen."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    row.caption(reason, width="stretch")
    if row.button(label, key=f"to_{to}", icon=":material/show_chart:" if to == WATCH else ":material/add:"):
        st.session_state["_train_view"] = to
        st.rerun()


open_dataset, open_run = state.dataset(), state.run()
if open_dataset is None:
    layout.empty(
        t("There is no data to learn from yet"),
        t("Here you say what you want to know, see which rows will judge the model, and watch it learn."),
        action=t("Add data"),
        page="prepare/data.py",
        icon=":material/model_training:",
    )
elif open_run is not None and view(open_run) == WATCH:
    train_live.show(open_run)
    switch(NEW, t("New training"), t("Another question, model or setting on the same data."))
else:
    train_form.show(open_dataset)
    if open_run is not None:
        switch(WATCH, t("See the training of the open run"), t("Curves, diagnosis and time of the run named above."))
