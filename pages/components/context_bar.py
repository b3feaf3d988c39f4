"""Where am I? One slim line on every screen: dataset and version, run, and the running job with its time left.

Each part is a switcher; the shell writes what is open into the address, so that a copied address opens the same view.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import Problem
from pages.components import help, numbers, state
from pages.components.choices import fixed
from pages.components.text import md, t
from pages.components.words import project_name

LONGEST_LABEL = 34


def show(screen: str) -> None:
    """Draw the bar and leave the open dataset and run where `state.dataset()` and `state.run()` find them.

    `screen` is the address of the screen below, whose help stands at the end of the bar.
    """
    ws = state.workspace()
    datasets = wf.list_datasets(ws)
    _resolve(ws, datasets)
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="context_bar")
    with row:
        dataset = _dataset_switch(ws, datasets)
        _run_switch(ws, dataset)
        st.space("stretch")
        _jobs(ws)
        help.show(screen)


def _resolve(ws: wf.Workspace, datasets: Sequence[Dataset]) -> None:
    """Make the session say what is open: what was asked for, else what the address says, else the newest."""
    asked = state.take_pending()
    run_id = asked.get("run") if asked else state.wanted("run")
    dataset_id = asked.get("dataset") if asked else state.wanted("dataset")
    version = asked.get("version") if asked else state.wanted("version")
    known = {d.id: d for d in datasets}
    run = _find_run(ws, run_id)
    if run is not None and run.dataset_id in known and (asked.get("run") or state.new_in_address("run") or not dataset_id):
        dataset_id = run.dataset_id
    if dataset_id and dataset_id not in known:
        st.warning(md(t("The address names a dataset that is not here any more.")), icon=":material/link_off:")
        dataset_id = None
    dataset_id = dataset_id or (datasets[0].id if datasets else None)
    if run is not None and run.dataset_id != dataset_id:
        run = None
    newest = known[dataset_id].version if dataset_id else 1
    valid = str(version).isdecimal() and 1 <= int(str(version)) <= newest and not (asked and asked.get("version") is None)
    _set("dataset", dataset_id)
    _set("version", str(version) if valid and int(str(version)) != newest else None)
    _set("run", run.id if run else None)


def _find_run(ws: wf.Workspace, run_id: str | None) -> wf.Run | None:
    if not run_id:
        return None
    try:
        return wf.get_run(ws, run_id)
    except Problem:
        st.warning(md(t("The address names a run that is not here any more.")), icon=":material/link_off:")
        return None


def _set(name: str, value: str | None) -> None:
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value


def _dataset_switch(ws: wf.Workspace, datasets: Sequence[Dataset]) -> Dataset | None:
    names = {d.id: d.name for d in datasets}
    newest = {d.id: d.version for d in datasets}
    chosen: str = st.session_state.get("dataset") or ""
    version = st.session_state.get("version")
    label = f"{project_name(names[chosen], LONGEST_LABEL)} · v{version or newest[chosen]}" if chosen else t("No dataset yet")
    with st.popover(md(label), icon=":material/database:", type="tertiary", disabled=not datasets, key="dataset_popover"):
        st.selectbox(
            t("Dataset"),
            list(names),
            format_func=fixed(names, lambda i: project_name(names[i])),
            key="dataset",
            placeholder=t("Choose a dataset"),
            on_change=_dataset_changed,
        )
        st.selectbox(
            t("Version"),
            [str(v) for v in range(newest.get(chosen, 1), 0, -1)],
            index=None,
            format_func=lambda v: f"v{v}",
            key="version",
            placeholder=t("Newest"),
        )
    dataset = wf.open_dataset(ws, chosen, int(version) if version else None) if chosen else None
    st.session_state["_dataset"] = dataset
    return dataset


def _dataset_changed() -> None:
    st.session_state["version"] = None
    st.session_state["run"] = None


def _run_switch(ws: wf.Workspace, dataset: Dataset | None) -> None:
    runs = {r.id: r for r in wf.list_runs(ws, dataset.id)} if dataset else {}
    if st.session_state.get("run") is None:
        finished = [r.id for r in runs.values() if r.has_results]
        _set("run", next(iter(finished or runs), None))
    chosen: str = st.session_state.get("run") or ""
    label = project_name(runs[chosen].name, LONGEST_LABEL) if chosen in runs else t("No run yet")
    with st.popover(md(label), icon=":material/model_training:", type="tertiary", disabled=not runs, key="run_popover"):
        st.selectbox(
            t("Run"),
            list(runs),
            format_func=fixed(runs, lambda i: f"{project_name(runs[i].name)} · {state_word(runs[i].state)}"),
            key="run",
            placeholder=t("Choose a run"),
        )
    st.session_state["_run"] = runs.get(chosen)


def state_word(run_state: str) -> str:
    """The word for a state of a run."""
    words = {
        "queued": t("waiting"),
        "running": t("running"),
        "succeeded": t("finished"),
        "failed": t("failed"),
        "cancelled": t("stopped"),
        "interrupted": t("interrupted"),
    }
    return words.get(run_state, run_state)


def _jobs(ws: wf.Workspace) -> None:
    busy = bool(wf.jobs_overview(ws))
    st.fragment(_job_badge, run_every=2.0 if busy else 15.0)(ws)


def _job_badge(ws: wf.Workspace) -> None:
    jobs = wf.jobs_overview(ws)
    if not jobs:
        return
    current = next((r for r in jobs if r.state == "running"), jobs[0])
    st.badge(md(job_line(current, len(jobs) - 1)), icon=":material/progress_activity:", color="blue")


def job_line(run: wf.Run, others: int = 0) -> str:
    """One job in a line: "Run 13 · 64 % · 2 min left · 1 more waiting"."""
    parts = [project_name(run.name, 20), *state_parts(run)]
    if others > 0:
        parts.append(t("{n} more waiting", n=others))
    return " · ".join(parts)


def state_parts(run: wf.Run) -> list[str]:
    """How far a run is: percent and time left while it runs, else the word for its state."""
    if run.state != "running" or run.progress is None:
        return [state_word(run.state)]
    parts = [numbers.percent(round(run.progress, 2))]
    if run.seconds_left is not None:
        parts.append(t("{length} left", length=numbers.duration(run.seconds_left)))
    return parts
