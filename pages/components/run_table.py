"""All runs as a table: filters in the address, a row opens its detail."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.workflows.records import Run
from pages.components import numbers, run_view, words
from pages.components.choices import fixed
from pages.components.text import t

WIDTHS = {"name": 280, "dataset": 280}
ROOM_FOR_NAME = 20
"""Letters of a baseline's name; a Chinese one is as wide as two."""
MOST_ROWS_WITHOUT_SCROLL = 10
STATES = ("queued", "running", "succeeded", "failed", "cancelled", "interrupted")


def filters(runs: Sequence[Run]) -> list[Run]:
    """The runs that pass the filters above the table."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        text = st.text_input(
            t("Find"),
            key="runs_find",
            placeholder=t("name, dataset or model"),
            max_chars=100,
            width=260,
            persist_state="session",
        )
        tasks = list(dict.fromkeys(r.task for r in runs))
        task = st.selectbox(
            t("Question"),
            ["", *tasks],
            format_func=fixed(["", *tasks], lambda k: words.task_word(k) if k else t("any")),
            key="runs_task",
            width=220,
            persist_state="session",
        )
        state = st.selectbox(
            t("State"),
            ["", *STATES],
            format_func=fixed(["", *STATES], lambda k: run_view.state_mark(k) if k else t("any")),
            key="runs_state",
            width=170,
            persist_state="session",
        )
    wanted = text.strip().lower()
    return [
        r
        for r in runs
        if (not task or r.task == task)
        and (not state or r.state == state)
        and (not wanted or wanted in f"{r.name} {r.dataset_name} {run_view.model_name(r.model)}".lower())
    ]


def table(runs: Sequence[Run]) -> None:
    """State, name, dataset, question, model, main figure beside the baseline's, when, how long."""
    beside = [run_view.beside_baseline(r) for r in runs]
    frame = pd.DataFrame(
        {
            "state": [run_view.state_mark(r.state) for r in runs],
            "name": [words.project_name(r.name) for r in runs],
            "metric": [b[0] for b in beside],
            "baseline": [_baseline(r) for r in runs],
            "model": [run_view.model_name(r.model) for r in runs],
            "task": [words.task_word(r.task) for r in runs],
            "dataset": [f"{words.project_name(r.dataset_name)} · v{r.dataset_version}" for r in runs],
            "created": [numbers.moment(r.created) for r in runs],
            "took": [numbers.duration(run_view.run_length(r)) for r in runs],
        }
    )
    titles = {
        "state": t("state"), "name": t("name"), "dataset": t("dataset"), "task": t("question"), "model": t("model"),
        "metric": t("result"), "baseline": t("baseline"), "created": t("created"), "took": t("took"),
    }  # fmt: skip
    st.session_state["_runs_shown"] = [r.id for r in runs]
    st.dataframe(
        frame,
        column_config={k: st.column_config.TextColumn(v, width=WIDTHS.get(k)) for k, v in titles.items()},
        hide_index=True,
        height="content" if len(runs) <= MOST_ROWS_WITHOUT_SCROLL else 420,
        key="runs_table",
        alt=t("Runs, newest first"),
        on_select=_picked,
        selection_mode="single-row",
    )


def _baseline(run: Run) -> str:
    """The baseline's figure, with its name where that is short: the rail has it in full."""
    metric, name = run_view.main_metric(run), run_view.model_name(run.baseline)
    other = None if metric is None else run.baseline_metrics.get(metric.key)
    if other is None:
        return ""
    wide = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
    return f"{name if wide <= ROOM_FOR_NAME else ''} {run_view.metric_text(other)}".strip()


def _picked() -> None:
    rows = st.session_state["runs_table"].selection.rows
    shown = st.session_state.get("_runs_shown", [])
    if rows and rows[0] < len(shown):
        st.session_state["runs_pick"] = shown[rows[0]]
