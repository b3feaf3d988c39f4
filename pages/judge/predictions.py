"""Predictions: how far off, where, and how sure; every figure beside the baseline's on the same rows."""

from __future__ import annotations

import streamlit as st

from pages.components import (
    class_view,
    fleet_view,
    forecast_view,
    layout,
    results_view,
    scores_table,
    state,
    value_view,
    words_view,
)
from pages.components.choices import fixed
from pages.components.text import t

ROWS, FLEET = "rows", "fleet"


def view(task: str) -> str:
    """Single predictions, or for remaining life the whole fleet; kept in the address as `?view=`."""
    if task != "rul":
        state.note_in_address("view", "")
        return ROWS
    titles = {ROWS: t("Predictions"), FLEET: t("Fleet")}
    asked = FLEET if st.query_params.get("view") == FLEET else ROWS
    chosen = st.segmented_control(
        t("View"),
        list(titles),
        default=asked,
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key="predictions_view",
        label_visibility="collapsed",
    )
    state.note_in_address("view", FLEET if chosen == FLEET else "")
    return FLEET if chosen == FLEET else ROWS


run = results_view.finished_run(
    ("regression", "classification", "rul", "forecast"),
    t("There are no predictions yet"),
    t("Here predictions meet what was measured: error, interval, ROC and confusion, beside a simple baseline."),
)
if run is not None:
    results = results_view.open_results(state.workspace(), run)
    shown = view(run.task)
    if run.task == "classification":
        class_view.show(results)
    elif run.task == "forecast":
        forecast_view.show(results)
        scores_table.table(results)
    elif shown == FLEET:
        fleet_view.show(results)
    else:
        value_view.show(results)
        scores_table.table(results)
        words_view.show(results)
    layout.notes(run.notes)
    layout.next_step(
        "use/reports.py", t("Make a report"), t("Take data, settings, figures and charts away in one file that opens anywhere.")
    )
