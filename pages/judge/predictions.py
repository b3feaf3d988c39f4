"""Predictions: how far off, where, and how sure; every figure beside the baseline's on the same rows."""

from __future__ import annotations

from pages.components import class_view, forecast_view, layout, results_view, scores_table, state, value_view
from pages.components.text import t

run = results_view.finished_run(
    ("regression", "classification", "rul", "forecast"),
    t("There are no predictions yet"),
    t("Here predictions meet what was measured: error, interval, ROC and confusion, beside a simple baseline."),
)
if run is not None:
    results = results_view.open_results(state.workspace(), run)
    if run.task == "classification":
        class_view.show(results)
    elif run.task == "forecast":
        forecast_view.show(results)
        scores_table.table(results)
    else:
        value_view.show(results)
        scores_table.table(results)
    layout.notes(run.notes)
    layout.next_step(
        "use/reports.py", t("Make a report"), t("Take data, settings, figures and charts away in one file that opens anywhere.")
    )
