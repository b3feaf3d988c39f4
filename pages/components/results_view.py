"""The open run's results, for the screens that judge: found or an empty state, read once, never in session state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.evaluation.catalogue import METRICS
from core.evaluation.result import Metric
from core.messages import Message, msg
from core.workflows.records import Run
from core.workflows.workspace import Workspace
from pages.components import layout, run_view, state, words
from pages.components.choices import fixed
from pages.components.text import md, say, t

PARTS = ("test", "validation", "train")


@st.cache_resource(show_spinner=False, max_entries=2, ttl=1800)
def _results(_ws: Workspace, run_id: str, finished: str) -> Any:
    return wf.open_results(_ws, run_id)


def open_results(ws: Workspace, run: Run) -> Any:
    """The results of a finished run; tables are read when they are asked for."""
    return _results(ws, run.id, str(run.finished))


def finished_run(tasks: Sequence[str], nothing: str, will_be: str) -> Run | None:
    """The open run if it has results and answers one of the tasks; else an empty screen with the way on, and None."""
    run = state.run()
    if run is not None and run.has_results and run.task in tasks:
        return run
    if run is not None and run.state in run_view.ACTIVE:
        if layout.empty(
            t("'{name}' is still being trained", name=words.project_name(run.name)),
            will_be,
            action=t("Watch it learn"),
            icon=":material/model_training:",
        ):
            st.session_state["_train_view"] = "watch"
            state.go("learn/train.py", run=run.id)
        return None
    if run is not None and run.has_results:
        page = run_view.judge_page(run.task)
        label = t("See events") if run.task == "anomaly" else t("See predictions")
        layout.empty(
            t("'{name}' answers another question: {task}", name=words.project_name(run.name), task=words.task_word(run.task)),
            will_be,
            action=label,
            page=page,
        )
        return None
    dataset = state.dataset()
    page, action = ("learn/train.py", t("Train a model")) if dataset is not None else ("prepare/data.py", t("Add data"))
    layout.empty(nothing, will_be, action=action, page=page, icon=":material/target:")
    return None


def metric_figure(
    metrics: Mapping[str, Metric], baseline: Mapping[str, Metric], key: str, *, unit: str = "", name: str = ""
) -> layout.Figure | None:
    """One headline figure: the value, with the baseline's beside it; None where the run does not have the metric."""
    metric = metrics.get(key)
    if metric is None:
        return None
    other = baseline.get(key)
    beside = run_view.baseline_text(name, other, unit)
    if not beside and metric.low is not None and metric.high is not None:
        beside = t("95 %: {low} to {high}", **_bounds(metric))
    why = say(metric.why_not) if metric.why_not is not None else say(METRICS[key].help) if key in METRICS else ""
    return layout.Figure(run_view.metric_title(key), run_view.metric_text(metric, unit), beside, help=why)


def _bounds(metric: Metric) -> dict[str, str]:
    ends = {"low": metric.low, "high": metric.high}
    return {k: run_view.metric_text(Metric(metric.key, v, metric.n)) for k, v in ends.items()}


def verdict(message: Message) -> None:
    """The finding as the first line; what follows from it, where the message says so, in the line below."""
    facts, advice = message.values.get("facts"), message.values.get("advice")
    if not isinstance(facts, Message) or not isinstance(advice, Message):
        layout.headline(say(message))
        return
    layout.headline(say(facts).rstrip(".。"))
    st.markdown(md(say(advice)))


def part_word(part: str) -> str:
    """A part of the split in one word; "all" is every row."""
    return t("all rows") if part == "all" else words.part_word(part)


def part_choice(key: str) -> str:
    """Which rows are judged: the test part unless asked otherwise."""
    chosen = st.segmented_control(
        t("Judged on"),
        list(PARTS),
        default="test",
        required=True,
        format_func=fixed(PARTS, part_word),
        key=key,
        persist_state="session",
        width="stretch",
    )
    return chosen if chosen in PARTS else "test"


def target_name(results: Any) -> str:
    """What is predicted: the target column, or remaining life."""
    column = getattr(results.manifest, "target_column", None)
    return str(column) if column else t("remaining life") if results.task == "rul" else t("target")


def as_message(words: str) -> Message:
    """A finished text as a message, for chart titles."""
    return msg("{words}", words=words)
