"""How a run is shown wherever it is shown: its state, its model, its main figure beside the baseline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.data.dataset import Dataset
from core.errors import Problem
from core.evaluation.catalogue import METRICS, main_first
from core.evaluation.result import Metric
from core.models import model_by_key
from core.workflows.records import Run
from pages.components import numbers
from pages.components.context_bar import state_word
from pages.components.text import md, say, t

ACTIVE = ("queued", "running")
MARKS = {"queued": "◌", "running": "▶", "succeeded": "✓", "failed": "✕", "cancelled": "■", "interrupted": "‖"}
ICONS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/progress_activity:",
    "succeeded": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/stop_circle:",
    "interrupted": ":material/pause_circle:",
}
COLOURS = {
    "queued": "gray",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "gray",
    "interrupted": "orange",
}
SHARES = (
    "accuracy",
    "precision",
    "recall",
    "far",
    "mar",
    "coverage",
    "flagged_fraction",
    "unknown_fraction",
    "mape",
    "skill",
    "event_recall",
)
LONGEST_NAME = 22


def state_mark(state: str) -> str:
    """State as sign and word, for table cells: "✓ finished"."""
    return f"{MARKS.get(state, '?')} {state_word(state)}"


def state_badge(state: str) -> None:
    """State as icon, word and colour."""
    st.badge(state_word(state), icon=ICONS.get(state, ":material/help:"), color=COLOURS.get(state, "gray"))  # type: ignore[arg-type]


def model_name(key: str) -> str:
    """The title of a family in the session's language; an unknown key as it is."""
    try:
        return say(model_by_key(key).title)
    except Problem:
        return key


def target_unit(run: Run, dataset: Dataset | None) -> str:
    """The unit of what the run predicts: that of the target column, cycles for remaining life."""
    if run.task == "rul":
        return t("cycles")
    name = run.request.target
    columns = dataset.columns if dataset is not None else ()
    return next((c.unit for c in columns if (c.name == name if name else c.role == "target")), "")


def metric_title(key: str) -> str:
    """The metric's name as people read it."""
    if key == "flagged_fraction":
        return t("Rows flagged")
    return say(METRICS[key].title) if key in METRICS else key


def metric_text(metric: Metric | None, unit: str = "", *, interval: bool = False) -> str:
    """A value with its unit, or without unit and with its interval; "not defined" where it has none; "–" where there is no metric."""
    if metric is None:
        return "–"
    if metric.value is None:
        return t("not defined")
    unit = "%" if metric.key in SHARES else unit if metric.key in METRICS and METRICS[metric.key].in_target_unit else ""
    scale = 100.0 if metric.key in SHARES else 1.0
    if not interval:
        return numbers.number(scale * metric.value, unit)
    if metric.low is None or metric.high is None:
        return numbers.number(scale * metric.value)
    value, low, high = _with_ends(*(scale * number for number in (metric.value, metric.low, metric.high)))
    return f"{value} [{low} – {high}]"


def title_with_unit(key: str, unit: str = "") -> str:
    """The metric as it heads its row, with the unit of its figures: told once, the figures beside have room for their intervals."""
    title = metric_title(key)
    if key in SHARES:
        return f"{title} (%)"
    return f"{title} ({unit})" if unit and key in METRICS and METRICS[key].in_target_unit else title


def _with_ends(value: float, low: float, high: float) -> tuple[str, str, str]:
    """A value in four digits and the ends of its interval in three, so that two intervals stand beside each other; in more where the ends would
    leave out the value, or become all or none."""
    for digits, of_ends in ((4, 3), (4, 4), (5, 5)):
        shown, first, last = (float(f"{v:.{d}g}") for v, d in ((value, digits), (low, of_ends), (high, of_ends)))
        is_whole = any((short in (1.0, 100.0)) != (end in (1.0, 100.0)) for short, end in ((first, low), (last, high)))
        if first <= shown <= last and (first < last or low == high) and not is_whole:
            break
    return (
        (numbers.number(value), *map(numbers.number, (first, last)))
        if digits == 4
        else (f"{value:,.5g}", f"{low:,.5g}", f"{high:,.5g}")
    )


def baseline_text(name: str, metric: Metric | None, unit: str = "") -> str:
    """The baseline's figure with its name, or with the word "baseline" where the name would not fit under a figure."""
    shown = name if len(name) <= LONGEST_NAME else t("baseline")
    return f"{shown} {metric_text(metric, unit)}" if metric is not None and name else ""


def main_metric(run: Run) -> Metric | None:
    """The metric that a run is judged by first, of those it has; its report opens with the same one."""
    return next((run.metrics[k] for k in main_first(run.task, run.metrics)), None)


def beside_baseline(run: Run, unit: str = "") -> tuple[str, str]:
    """Main metric and the baseline's, as texts: ("RMSE 0.0213 mm", "Ridge 0.029 mm")."""
    metric = main_metric(run)
    if metric is None:
        return "–", ""
    other = run.baseline_metrics.get(metric.key)
    text = f"{metric_title(metric.key)} {metric_text(metric, unit)}"
    return text, f"{model_name(run.baseline)} {metric_text(other, unit)}" if other is not None else ""


def as_map(metrics: Mapping[str, Metric] | Sequence[Metric]) -> dict[str, Metric]:
    """Metrics by key, from either form in which workflows give them."""
    return dict(metrics) if isinstance(metrics, Mapping) else {m.key: m for m in metrics}


def metric_table(
    columns: Mapping[str, Mapping[str, Metric] | Sequence[Metric]], *, unit: str = "", key: str, alt: str, interval: bool = True
) -> None:
    """Metrics as rows, models as columns, each value with its 95 % interval; reasons for what is not defined below."""
    maps = {name: as_map(metrics) for name, metrics in columns.items()}
    keys = list(dict.fromkeys(k for found in maps.values() for k in found))
    rows = {
        (title_with_unit(k, unit) if interval else metric_title(k)): {
            name: metric_text(found.get(k), unit, interval=interval) for name, found in maps.items()
        }
        for k in keys
    }
    if not rows:
        st.caption(t("No metric was computed for these rows."))
        return
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis(t("metric"))
    st.dataframe(frame, key=key, alt=alt, height="content")
    reasons = {
        f"{metric_title(m.key)}: {say(m.why_not)}" for found in maps.values() for m in found.values() if m.why_not is not None
    }
    for reason in sorted(reasons):
        st.caption(md(reason))


def run_length(run: Run) -> float | None:
    """Seconds from start to end; None while it has not ended."""
    if run.started is None or run.finished is None:
        return None
    return (run.finished - run.started).total_seconds()


def judge_page(task: str) -> str:
    """The screen that shows the results of a task."""
    return "judge/anomalies.py" if task == "anomaly" else "judge/predictions.py"
