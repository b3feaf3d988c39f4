"""Anomalies: which events need a verdict, which sensors made them, and what the decision limit promises."""

from __future__ import annotations

from pages.components import (
    alarm_budget_view,
    anomaly_view,
    challenge_view,
    layout,
    results_view,
    score_chart_view,
    seeded_view,
    state,
    why_event,
)
from pages.components.text import t
from pages.components.views import chosen_view

EVENTS, WHY, SEEDED, CHALLENGE, CHART, BUDGET = "events", "why", "seeded", "challenge", "chart", "budget"

run = results_view.finished_run(
    ("anomaly", "forecast"),
    t("There are no events yet"),
    t("Here scores are held against their decision limit, flags become events, and each event names its sensors."),
)
if run is not None:
    workspace = state.workspace()
    results = results_view.open_results(workspace, run)
    titles = {
        EVENTS: t("Events"),
        WHY: t("Why"),
        SEEDED: t("Seeded faults"),
        CHALLENGE: t("Challenge set"),
        CHART: t("Control chart"),
        BUDGET: t("Alarm budget"),
    }
    shown = chosen_view(titles, key="anomalies_view")
    if shown == CHART:
        score_chart_view.show(results)
    elif shown == BUDGET:
        alarm_budget_view.show(results)
    elif shown == SEEDED:
        seeded_view.show(workspace, results)
    elif shown == CHALLENGE:
        challenge_view.show(workspace, results)
    elif shown == WHY:
        why_event.show(workspace, results)
    else:
        anomaly_view.show(workspace, results)
    layout.notes(run.notes)
    layout.next_step(
        "use/reports.py",
        t("Make a report"),
        t("Take events, verdicts, settings and charts away in one file that opens anywhere."),
    )
