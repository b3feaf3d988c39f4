"""Repeated measurement beside a run: folds, seeds, sizes, families and splits; started, followed and read here."""

from __future__ import annotations

import secrets

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.models import model_by_key
from core.workflows.records import Run
from pages.components import layout, notices, numbers, run_view, state
from pages.components.choices import fixed
from pages.components.text import md, say, t

SHOWN = 5
POLL = 2.0


def show(run: Run) -> None:
    """What to measure once more of a run's question, and what was measured of its dataset."""
    if run.task == "anomaly":
        return
    ws = state.workspace()
    st.subheader(md(t("Measure it once more")), anchor=False)
    st.caption(
        md(
            t(
                "One test part is one draw. Here the training is repeated, and nothing that is measured changes the run: {model}.",
                model=run_view.model_name(wf.kept_request(run).model),
            )
        )
    )
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    method = row.selectbox(
        t("Question"),
        list(wf.STUDY_TITLES),
        format_func=fixed(list(wf.STUDY_TITLES), lambda key: say(wf.STUDY_TITLES[key])),
        key="study_method",
    )
    token = st.session_state.setdefault("study_token", secrets.token_hex(8))
    if row.button(t("Measure"), key="study_start", icon=":material/straighten:"):
        with notices.guard():
            request = wf.kept_request(run)
            wf.start_study(ws, wf.StudyRequest(method=method, request=request), token=token)  # type: ignore[arg-type]
            st.session_state["study_token"] = secrets.token_hex(8)
            st.rerun()
    found = [s for s in wf.list_studies(ws, run.dataset_id) if s.request.request.target == run.request.target][:SHOWN]
    is_live = any(s.is_live for s in found)
    st.fragment(_list, run_every=POLL if is_live else None)(run.dataset_id, [s.job_id for s in found], is_live)


def _list(dataset_id: str, ids: list[str], was_live: bool) -> None:
    with notices.guard():
        found = [wf.get_study(state.workspace(), one) for one in ids]
        if was_live and not any(s.is_live for s in found):
            st.rerun()
        for study in found:
            _one(study)


def _one(study: wf.StudyWork) -> None:
    request = study.request.request
    model = "" if study.method == "worth" else f" · {run_view.model_name(request.model)}"
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.markdown(f"**{md(say(wf.STUDY_TITLES[study.method]) + model)}**", width="stretch")
        if study.is_live:
            head.badge(
                t("{done} of {of}", done=study.done, of=study.of or "–"), icon=":material/progress_activity:", color="blue"
            )
            if head.button(t("Stop"), key=f"study_stop.{study.job_id}", disabled=study.is_stopping):
                wf.stop_study(state.workspace(), study.job_id)
                st.rerun()
        elif study.state in ("interrupted", "cancelled") and head.button(t("Go on"), key=f"study_resume.{study.job_id}"):
            wf.resume_study(state.workspace(), study.job_id)
            st.rerun()
        if study.problem is not None:
            notices.problem(study.problem)
        if study.has_result:
            st.markdown(md(" ".join(say(s) for s in study.sentences)))
            _table(study)
            layout.caption(say(study.reason) if study.reason is not None else "", numbers.moment(study.created))


def _table(study: wf.StudyWork) -> None:
    """One row a training, its figures on its test part with their intervals."""
    rows = []
    for cell in study.cells:
        row = {t("Training"): say(cell.label), t("Model"): say(model_by_key(cell.model).title)}
        metric = cell.metrics.get(study.metric)
        shown = run_view.metric_text(metric, interval=True) if cell.why_not is None else say(cell.why_not)
        row[run_view.title_with_unit(study.metric)] = shown
        row[t("Training rows")] = numbers.number(cell.n_train)
        row[t("Seconds")] = numbers.number(round(cell.seconds, 1))
        rows.append(row)
    st.dataframe(
        pd.DataFrame(rows),
        key=f"study.{study.job_id}",
        hide_index=True,
        height="content",
        alt=t("Trainings of the study with their figures on the test part"),
    )
