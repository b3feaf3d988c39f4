"""Runs: every training attempt, what it reached beside its baseline, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import workflows as wf
from core.workflows.records import Run
from core.workflows.workspace import Workspace
from pages.components import (
    candidates_view,
    challenge_register,
    follow,
    layout,
    notices,
    numbers,
    run_compare,
    run_table,
    run_view,
    state,
    studies_view,
    words,
)
from pages.components.choices import fixed
from pages.components.text import md, t, tn


def finding(runs: Sequence[Run]) -> str:
    """How many runs there are and how many of them are at work."""
    live, done = sum(r.is_live for r in runs), sum(r.state == "succeeded" for r in runs)
    first = tn("{n} run", "{n} runs", len(runs))
    if live:
        return t("{runs}: {done} finished, {live} at work or waiting", runs=first, done=done, live=live)
    return t("{runs}: {done} finished", runs=first, done=done)


def show(ws: Workspace, runs: Sequence[Run]) -> None:
    """Table on the left, the picked run's actions in the rail, comparison below."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with main:
        shown = run_table.filters(runs)
        if shown:
            run_table.table(shown)
            layout.caption(t("{n} of {all} runs", n=len(shown), all=len(runs)), t("a row opens its actions"))
        else:
            st.info(md(t("No run passes these filters.")), icon=":material/filter_alt_off:")
    with head:
        layout.headline(finding(runs))
    with rail:
        picked, other = _pick(runs)
        _actions(ws, picked)
    with main:
        candidates_view.why(picked)
        if picked.has_results:
            with notices.guard():
                studies_view.show(picked)
    if other is not None:
        with notices.guard():
            run_compare.show(ws, picked, other)


def _pick(runs: Sequence[Run]) -> tuple[Run, Run | None]:
    by_id = {r.id: r for r in runs}
    opened = state.run()
    if st.session_state.get("runs_pick") not in by_id:
        st.session_state["runs_pick"] = opened.id if opened is not None and opened.id in by_id else runs[0].id
    name = fixed(
        ["", *by_id],
        lambda k: f"{words.project_name(by_id[k].name)} · {run_view.model_name(by_id[k].model)}" if k else t("none"),
    )
    chosen = st.selectbox(t("Run"), list(by_id), format_func=name, key="runs_pick", persist_state="session")
    rest = ["", *(k for k in by_id if k != chosen)]
    if st.session_state.get("compare") not in rest:
        st.session_state["compare"] = st.query_params.get("compare") if st.query_params.get("compare") in rest else ""
    other = st.selectbox(t("Compare with"), rest, format_func=name, key="compare")
    state.note_in_address("compare", other or "")
    return by_id[chosen], by_id.get(other)


def _actions(ws: Workspace, run: Run) -> None:
    run_view.state_badge(run.state)
    text, base = run_view.beside_baseline(run, run_view.target_unit(run, state.dataset()))
    layout.caption(
        f"{words.project_name(run.dataset_name)} · v{run.dataset_version}",
        text if text != "–" else "",
        base,
        t("started {moment}", moment=numbers.moment(run.started)) if run.started else "",
    )
    if run.problem is not None:
        notices.problem(run.problem)
    if st.button(t("Open run"), key="open_run", type="primary", icon=":material/open_in_new:", width="stretch"):
        if not run.has_results:
            st.session_state["_train_view"] = "watch"
        state.go(run_view.judge_page(run.task) if run.has_results else "learn/train.py", run=run.id)
    if run.has_results and st.button(t("See its training"), key="open_curves", icon=":material/show_chart:", width="stretch"):
        st.session_state["_train_view"] = "watch"
        state.go("learn/train.py", run=run.id)
    with notices.guard():
        _stop_or_resume(ws, run)
        _rename(ws, run)
        if not run.is_live and st.button(t("Delete run"), key="delete_run", icon=":material/delete:", width="stretch"):
            delete_dialog()(ws, run)


def _stop_or_resume(ws: Workspace, run: Run) -> None:
    if run.is_live and st.button(
        t("Stop training"), key="stop_run", icon=":material/stop:", width="stretch", disabled=run.is_stopping
    ):
        wf.stop_run(ws, run.id)
        notices.done(t("'{name}' is stopping; the best weights so far are kept.", name=words.project_name(run.name)))
        st.rerun()
    if run.can_resume and st.button(t("Resume training"), key="resume_run", icon=":material/play_arrow:", width="stretch"):
        wf.resume_run(ws, run.id)
        st.session_state["_train_view"] = "watch"
        state.go("learn/train.py", run=run.id)


def _rename(ws: Workspace, run: Run) -> None:
    with st.popover(t("Rename run"), icon=":material/edit:", width="stretch"), st.form(f"rename.{run.id}", border=False):
        name = st.text_input(t("Name of the run"), value=run.name, max_chars=100, key=f"rename_to.{run.id}")
        if st.form_submit_button(t("Rename run"), key=f"rename_save.{run.id}") and name.strip() and name.strip() != run.name:
            wf.rename_run(ws, run.id, name.strip())
            notices.done(t("Renamed to '{name}'.", name=name.strip()))
            st.rerun()


def delete_dialog():  # type: ignore[no-untyped-def]
    """The dialog in the session's language: says what will be gone, and asks once."""

    @st.dialog(t("Delete run"), icon=":material/delete:", on_dismiss="rerun")
    def ask(ws: Workspace, run: Run) -> None:
        follow.asking()
        st.markdown(
            md(
                t(
                    "'{name}' will be gone: its model, its scores, its verdicts and its curves. The dataset stays.",
                    name=words.project_name(run.name),
                )
            )
        )
        row = st.container(horizontal=True, horizontal_alignment="right")
        if row.button(t("Keep it"), key="keep_run"):
            st.rerun()
        if row.button(t("Delete run"), key="delete_run_yes", type="primary", icon=":material/delete:"):
            with notices.guard():
                wf.delete_run(ws, run.id)
                st.session_state.pop("runs_pick", None)
                notices.done(t("'{name}' was deleted.", name=words.project_name(run.name)))
                st.rerun()

    return ask


workspace = state.workspace()
all_runs = wf.list_runs(workspace)
follow.runs(workspace, all_runs)
if all_runs:
    show(workspace, all_runs)
    challenge_register.show(workspace)
    layout.next_step(
        "learn/train.py",
        t("Train another model"),
        t("Another model or another question on the same split shows what is worth it."),
    )
elif layout.empty(
    t("No model was trained yet"),
    t("Here every run will be listed with its figure beside the baseline's, to be compared, resumed or deleted."),
    action=t("Train a model") if state.dataset() is not None else t("Add data"),
    icon=":material/stacked_line_chart:",
):
    state.go("learn/train.py" if state.dataset() is not None else "prepare/data.py")
if not all_runs:
    challenge_register.show(workspace)
