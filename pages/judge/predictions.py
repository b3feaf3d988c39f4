"""Predictions: how far off, where, and how sure; every figure beside the baseline's on the same rows."""

from __future__ import annotations

from pages.components import (
    challenge_view,
    class_view,
    fleet_view,
    forecast_view,
    labels_view,
    layout,
    results_view,
    score_chart_view,
    scores_table,
    state,
    strata_errors_view,
    value_view,
    why_rows,
    words_view,
    zones_view,
)
from pages.components.text import t
from pages.components.views import chosen_view

ROWS, FLEET, ZONES, STRATA, WHY = "rows", "fleet", "zones", "strata", "why"
LABELS, CHALLENGE, CHART = "labels", "challenge", "chart"


def view(task: str) -> str:
    """Single predictions, the whole fleet, what predictions may decide, where they err, labels, known cases, or the rest as a chart."""
    is_class = task == "classification"
    titles = {
        ROWS: t("Predictions"),
        **({FLEET: t("Fleet")} if task == "rul" else {}),
        **({ZONES: t("Accept or measure")} if task == "regression" else {}),
        **({STRATA: t("Where it errs")} if task != "forecast" else {}),
        WHY: t("Why"),
        **({LABELS: t("Labels"), CHALLENGE: t("Challenge set")} if is_class else {}),
        CHART: t("Control chart"),
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
    elif shown == STRATA:
        strata_errors_view.show(results)
    elif shown == ZONES:
        zones_view.show(results)
    elif shown == LABELS:
        labels_view.show(state.workspace(), results)
    elif shown == CHALLENGE:
        challenge_view.show(state.workspace(), results)
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
