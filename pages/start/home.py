"""Home: what has been found, the demo projects, recent work, running jobs, and the way in for a file of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core import workflows as wf
from pages.components import context_bar, follow, notices, numbers, state
from pages.components.layout import headline
from pages.components.text import md, say, t, tn
from pages.components.words import project_name, task_word

RECENT = 8
HIDDEN = {"absent", "unbuilt"}


def show() -> None:
    """The screen."""
    ws = state.workspace()
    runs = wf.list_runs(ws)
    own = [run for run in runs if not run.is_demo]
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        headline(_finding(own))
        if st.button(t("Use my file"), type="primary", icon=":material/upload_file:", key="use_my_file"):
            st.session_state["_add_file"] = True
            state.go("prepare/data.py")
    with notices.guard():
        _demos(ws)
    follow.runs(ws, runs, _recent)


def _finding(own: Sequence[wf.Run]) -> str:
    finished = [run for run in own if run.state == "succeeded"]
    stuck = [run for run in own if run.state in ("failed", "interrupted")]
    if stuck and (not finished or stuck[0].created > finished[0].created):
        return t("Run '{name}' did not finish: see why, or resume it", name=project_name(stuck[0].name))
    if finished:
        return tn(
            "{n} finished run; the newest is '{name}'",
            "{n} finished runs; the newest is '{name}'",
            len(finished),
            name=project_name(finished[0].name),
        )
    if own:
        return t("Your first model is being trained")
    return t("From a file to a model you can defend, in five minutes")


def _demos(ws: wf.Workspace) -> None:
    st.header(t("Demo projects"), anchor=False)
    st.caption(md(t("Four quality questions with generated data whose truth is known. One click opens the finished result.")))
    states = {card.state for card in wf.demo_cards(ws)}
    building = bool(states & {"waiting", "building"})
    if "unbuilt" in states and st.button(t("Build demo projects"), key="build_demos", icon=":material/construction:"):
        wf.ensure_demos(ws)
        st.rerun()
    if states - HIDDEN:
        st.fragment(_cards, run_every=3.0 if building else None)(ws, building)


def _cards(ws: wf.Workspace, was_building: bool) -> None:
    cards = [card for card in wf.demo_cards(ws) if card.state not in HIDDEN]
    with st.grid(4, min_column_width=210):
        for card in cards:
            _card(card)
    if was_building and not any(card.state in ("waiting", "building") for card in cards):
        st.rerun(scope="app")


def _card(card: wf.DemoCard) -> None:
    with st.container(border=True, height="stretch", gap="small", key=f"demo_{card.key}"):
        st.markdown(f"**{md(say(card.title))}**")
        st.badge(md(task_word(card.task)), color="gray")
        st.caption(md(say(card.summary)))
        if card.headline is not None:
            st.markdown(f":primary[**{md(say(card.headline))}**]")
        st.space("stretch")
        if card.state == "building":
            st.progress(
                min(1.0, card.progress or 0.0),
                text=t("Being built by a real job: {share}", share=numbers.percent(round(card.progress or 0, 2))),
            )
        elif card.state == "waiting":
            st.progress(0.0, text=t("Waiting for its turn"))
        elif card.state == "failed":
            st.markdown(f":material/error: {md(t('Could not be built; see Runs for the reason.'))}")
        ready = card.state == "ready" and card.run_id is not None
        if st.button(
            t("Open result"), key=f"open_{card.key}", disabled=not ready, width="stretch", icon=":material/open_in_new:"
        ):
            _open(card.task, card.run_id)


def _open(task: str, run_id: str | None) -> None:
    state.go("judge/anomalies.py" if task == "anomaly" else "judge/predictions.py", run=run_id)


def _recent(runs: Sequence[wf.Run]) -> None:
    """The newest runs, how far they are while they run."""
    with notices.guard():
        _recent_table(runs)


def _recent_table(runs: Sequence[wf.Run]) -> None:
    st.header(t("Recent work"), anchor=False)
    shown = sorted(runs, key=lambda run: (run.is_demo, -run.created.timestamp()))[:RECENT]
    if not shown:
        st.caption(md(t("Your runs will be listed here, newest first.")))
        return
    table = pd.DataFrame(
        {
            t("run"): [project_name(run.name) for run in shown],
            t("dataset"): [f"{project_name(run.dataset_name)} · v{run.dataset_version}" for run in shown],
            t("question"): [task_word(run.task) for run in shown],
            t("state"): [" · ".join(context_bar.state_parts(run)) for run in shown],
            t("started"): [numbers.ago(run.started or run.created) for run in shown],
        }
    )
    chosen = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="recent_runs",
        alt=t("Recent runs; choose a row to open it"),
    )
    rows = chosen.selection.rows
    if rows and rows[0] < len(shown):
        run = shown[rows[0]]
        if run.has_results:
            _open(run.task, run.id)
        state.go("learn/runs.py", run=run.id)


show()
