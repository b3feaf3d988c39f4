"""Two runs beside each other: the same curves on one axis, the same metrics in one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.workflows.records import Run
from core.workflows.workspace import Workspace
from pages.components import charts, layout, run_view, words
from pages.components.text import md, t

LONGEST_NAME = 24
LIGHT, DARK = ("#0072B2", "#B36B00"), ("#56B4E9", "#E69F00")


def show(ws: Workspace, first: Run, second: Run) -> None:
    """Validation loss of both runs, and all their metrics; says when the two are not comparable."""
    st.header(
        md(t("{first} beside {second}", first=words.project_name(first.name), second=words.project_name(second.name))),
        anchor=False,
    )
    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        _curves(ws, first, second)
    with right:
        columns = {_title(first): first.metrics, _title(second, first): second.metrics}
        if first.baseline_metrics:
            columns[t("Baseline: {name}", name=run_view.model_name(first.baseline))] = first.baseline_metrics
        for key, metrics in first.other_baselines.items():
            columns[t("Baseline: {name}", name=run_view.model_name(key))] = metrics
        run_view.metric_table(columns, key="compare_metrics", alt=t("Metrics of both runs"))
        for difference in _differences(first, second):
            st.caption(md(difference))


def _title(run: Run, other: Run | None = None) -> str:
    name = words.project_name(run.name, LONGEST_NAME)
    return name if other is None or other.name != run.name else f"{name} ({run.number})"


def _differences(first: Run, second: Run) -> list[str]:
    """What makes the comparison unfair, if anything does."""
    found = []
    if first.dataset_id != second.dataset_id:
        found.append(t("The two runs learned from different datasets: their figures cannot be compared."))
    elif first.dataset_version != second.dataset_version:
        found.append(t("The two runs learned from different versions of the dataset."))
    if first.task != second.task:
        found.append(t("The two runs answer different questions."))
    elif first.request.split != second.request.split:
        found.append(t("The two runs were judged on different rows: their splits differ."))
    return found


def _curves(ws: Workspace, first: Run, second: Run) -> None:
    frames = []
    for run, name in ((first, _title(first)), (second, _title(second, first))):
        curves = wf.read_curves(ws, run.id)
        for kind, values in (("training", curves.loss), ("validation", curves.val_loss)):
            if len(values) == len(curves.epochs):
                frames.append(
                    pd.DataFrame(
                        {
                            "epoch": curves.epochs,
                            "loss": np.asarray(values, float),
                            "run": name,
                            "kind": t("validation") if kind == "validation" else t("training"),
                        }
                    )
                )
    frame = pd.concat(frames, ignore_index=True).dropna() if frames else pd.DataFrame()
    if frame.empty:
        st.caption(t("Neither run has a curve: simple models are fitted in one step."))
        return
    spec = _chart([_title(first), _title(second, first)])
    st.vega_lite_chart(frame, spec, key="compare_curves", alt=t("Loss by epoch of both runs"))
    layout.caption(t("solid: validation, dashed: training"))


def _chart(names: list[str]) -> dict[str, Any]:
    """The Vega-Lite specification: one colour a run, solid for validation and dashed for training."""
    colours = list(DARK if charts.is_dark() else LIGHT)
    kinds = {"domain": [t("validation"), t("training")], "range": [[1, 0], [4, 3]]}
    run = {"field": "run", "type": "nominal"}
    epoch, loss = {"field": "epoch", "type": "quantitative"}, {"field": "loss", "type": "quantitative"}
    return {
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {**epoch, "title": t("Epoch"), "axis": {"tickMinStep": 1, "grid": False}},
            "y": {**loss, "title": t("Loss"), "scale": {"zero": False}},
            "color": {**run, "title": None, "scale": {"domain": names, "range": colours}, "legend": {"orient": "top"}},
            "strokeDash": {"field": "kind", "type": "nominal", "legend": None, "scale": kinds},
            "tooltip": [
                {**run, "title": t("run")},
                {**epoch, "title": t("epoch")},
                {**loss, "title": t("loss"), "format": ".4~g"},
            ],
        },
        "height": 280,
    }
