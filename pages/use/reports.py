"""Reports: one file with data, recipe, split, settings, figures and charts, that opens anywhere without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.workflows.records import Run
from core.workflows.workspace import Workspace
from pages.components import layout, notices, numbers, run_view, state, words
from pages.components.choices import fixed
from pages.components.text import LANGUAGES, language, md, t, tn


def show(ws: Workspace, runs: Sequence[Run], reports: Sequence[Any]) -> None:
    """What the report of the chosen run will say, the one button, and the reports that were made."""
    head = st.container()
    main, rail = st.columns([0.7, 0.3], gap="medium")
    with rail:
        run, lang = _choices(runs)
        if run is not None:
            _make(ws, run, lang, _fleet(ws, run))
    with head:
        layout.headline(_finding(run, reports))
    with main:
        if run is not None:
            _facts(run)
        _list(ws, reports, {r.id: r for r in runs})


def _finding(run: Run | None, reports: Sequence[Any]) -> str:
    if not reports and run is not None:
        return t("'{name}' is ready to be reported", name=words.project_name(run.name))
    return tn("{n} report is ready to be taken away", "{n} reports are ready to be taken away", len(reports))


def _choices(runs: Sequence[Run]) -> tuple[Run | None, str]:
    by_id = {r.id: r for r in runs}
    opened = state.run()
    if st.session_state.get("report_run") not in by_id and by_id:
        st.session_state["report_run"] = opened.id if opened is not None and opened.id in by_id else next(iter(by_id))
    chosen = st.selectbox(
        t("Run"),
        list(by_id),
        format_func=fixed(by_id, lambda k: f"{words.project_name(by_id[k].name)} · {run_view.model_name(by_id[k].model)}"),
        key="report_run",
        persist_state="session",
        placeholder=t("Choose a run"),
    )
    lang = st.segmented_control(
        t("Language of the report"),
        list(LANGUAGES),
        default=language(),
        required=True,
        format_func=LANGUAGES.__getitem__,
        key="report_lang",
        persist_state="session",
    )
    return by_id.get(chosen or ""), lang if lang in LANGUAGES else "en"


def _fleet(ws: Workspace, run: Run) -> Dataset | None:
    """Whose units a report of remaining life speaks of: the run's own, or those that were chosen for it as its fleet."""
    if run.task != "rul":
        return None
    offered: dict[str, Dataset] = {}
    with notices.guard():
        offered = {d.id: d for d in wf.fleets_of(ws, wf.open_results(ws, run.id)) if not wf.is_large(d)}
    if not offered:
        return None
    names = {"": t("The run's own units")} | {d.id: words.project_name(d.name) for d in offered.values()}
    seen = st.session_state.get(f"fleet.{run.id}")  # on the Predictions screen
    chosen = st.selectbox(
        t("Fleet"),
        list(names),
        index=list(names).index(seen) if seen in names else 0,
        format_func=fixed(names, names.__getitem__),
        key=f"report_fleet.{run.id}",
        persist_state="session",
        help=t("Whose units the report speaks of: how many are due, which first, and how good such chances were."),
    )
    return offered.get(chosen)


def _make(ws: Workspace, run: Run, lang: str, fleet: Dataset | None) -> None:
    if not st.button(t("Make report"), key="make_report", type="primary", icon=":material/description:", width="stretch"):
        st.caption(md(t("HTML, one file, charts inside, no network needed.")))
        return
    with notices.guard():
        with st.spinner(t("Writing the report")):
            made = wf.make_report(ws, run.id, language=lang, in_service=fleet)
        notices.done(t("The report '{title}' is ready.", title=made.title))
        st.rerun()


def _facts(run: Run) -> None:
    """What will stand on the first page."""
    st.header(md(t("On its first page")), anchor=False)
    text, base = run_view.beside_baseline(run, run_view.target_unit(run, state.dataset()))
    facts = {
        t("Dataset"): f"{words.project_name(run.dataset_name)} · v{run.dataset_version}",
        t("Question"): words.task_word(run.task),
        t("Model"): run_view.model_name(run.model),
        t("Result"): text,
        t("Baseline"): base or "–",
        t("Trained"): numbers.moment(run.finished),
        t("Also inside"): t("recipe, split, settings, all figures with intervals, charts, versions and hashes"),
    }
    st.table({key: md(value) for key, value in facts.items()}, border="horizontal", alt=t("What the report says first"))


def _list(ws: Workspace, reports: Sequence[Any], runs: dict[str, Run]) -> None:
    st.header(md(t("Reports")), anchor=False)
    if not reports:
        st.caption(md(t("No report yet. Each one made here is kept and listed with its run, language and date.")))
        return
    for report in reports:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            run = runs.get(report.run_id)
            about = [run_view.model_name(run.model)] if run is not None else [t("run deleted")]
            facts = " · ".join([*about, LANGUAGES.get(report.language, report.language), numbers.moment(report.created)])
            st.markdown(f"**{md(report.title)}** :small[:gray[{md(facts)}]]", width="stretch")
            with notices.guard():
                _row_actions(ws, report)


def _row_actions(ws: Workspace, report: Any) -> None:
    path = report.path
    st.download_button(
        t("Download"),
        data=path.read_bytes,
        file_name=f"andon-report-{report.id}.html",
        mime="text/html",
        key=f"report.{report.id}",
        icon=":material/download:",
        on_click="ignore",
        help=md(t("Download '{title}'", title=report.title)),
    )
    if layout.confirm(
        t("Delete report"), t("This file will be gone. The run and its results stay."), key=f"delete_report.{report.id}"
    ):
        wf.delete_report(ws, report.id)
        notices.done(t("The report was deleted."))
        st.rerun()


workspace = state.workspace()
finished = [r for r in wf.list_runs(workspace) if r.has_results]
made = wf.list_reports(workspace)
if finished or made:
    show(workspace, finished, made)
    layout.next_step("learn/runs.py", t("See all runs"), t("A second run beside this one shows what the model adds."))
elif layout.empty(
    t("There is nothing to report yet"),
    t("A report takes data, recipe, split, settings, figures beside the baseline and charts away in one file."),
    action=t("Train a model") if state.dataset() is not None else t("Add data"),
    icon=":material/description:",
):
    state.go("learn/train.py" if state.dataset() is not None else "prepare/data.py")
