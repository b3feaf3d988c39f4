"""Anomalies: which events need a verdict, which sensors made them, and what the decision limit promises."""

from __future__ import annotations

from pages.components import anomaly_view, layout, results_view, state
from pages.components.text import t

run = results_view.finished_run(
    ("anomaly", "forecast"),
    t("There are no events yet"),
    t("Here scores are held against their decision limit, flags become events, and each event names its sensors."),
)
if run is not None:
    workspace = state.workspace()
    results = results_view.open_results(workspace, run)
    anomaly_view.show(workspace, results)
    layout.notes(run.notes)
    layout.next_step(
        "use/reports.py",
        t("Make a report"),
        t("Take events, verdicts, settings and charts away in one file that opens anywhere."),
    )
