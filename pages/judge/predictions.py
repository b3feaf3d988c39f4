"""Predictions: how far off, where, and how sure; every figure beside the baseline's on the same rows."""

from __future__ import annotations

from pages.components import (
    class_view,
    fleet_view,
    forecast_view,
    layout,
    results_view,
    score_chart_view,
    scores_table,
    state,
    value_view,
    why_rows,
    words_view,
)
from pages.components.text import t
from pages.components.views import chosen_view

ROWS, FLEET, CHART, WHY = "rows", "fleet", "chart", "why"


def view(task: str) -> str:
    """Single predictions, for remaining life the whole fleet, what is left over as a control chart, or why."""
    titles = {
        ROWS: t("Predictions"),
        **({FLEET: t("Fleet")} if task == "rul" else {}),
        CHART: t("Control chart"),
        WHY: t("Why"),
    }
    return chosen_view(titles, key="predictions_view", own=("set", "row"))


run = results_view.finished_run(
    ("regression", "classification", "rul", "forecast"),
    t("There are no predictions yet"),
    t("Here predictions meet what was measured: error, interval, ROC and confusion, beside a simple baseline."),
)
if run is not None:
    results = results_view.open_results(state.workspace(), run)
    shown = view(run.task)
    if shown == CHART:
        score_chart_view.show(results)
    elif shown == WHY:
        why_rows.show(results)
    elif run.task == "classification":
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
