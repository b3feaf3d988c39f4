"""What verdicts teach: false alarms into the normal set, a classifier of causes, and what the last such training did."""

from __future__ import annotations

from typing import Any, NoReturn

import streamlit as st

from core import workflows as wf
from core.workflows.workspace import Workspace
from pages.components import layout, notices, numbers, state
from pages.components.text import md, say, t, tn


@st.cache_resource(show_spinner=False, max_entries=8, ttl=900)
def _preview(_results: Any, _view: Any, run_id: str, finished: str, limit: float, n_verdicts: int) -> Any:
    return wf.preview_false_alarms(_results, _view)


@st.cache_resource(show_spinner=False, max_entries=8, ttl=60)
def _classes(_ws: Workspace, _results: Any, run_id: str, n_verdicts: int) -> Any:
    """For a minute at most, because verdicts come to other runs too; a training looks anew."""
    return wf.fault_classes(_ws, _results)


def effect(ws: Workspace, results: Any) -> None:
    """What a training with false alarms did to the events of the run before; nothing for other runs."""
    run = results.run
    if run.request.known_normal_of is None:
        return
    found = wf.real_effect(ws, results)
    if found is None:
        layout.caption(t("trained with false alarms of a run that is gone as normal rows"))
        return
    layout.caption(
        t("trained with the false alarms of '{run}' as normal rows", run=found.before),
        t("decision limit {before} → {now}", before=found.limit_before, now=found.limit_now),
        t("false alarms still flagged: {now} of {before}", now=found.false_now, before=found.false_before),
        t("real events still flagged: {now} of {before}", now=found.real_now, before=found.real_before),
    )


def show(ws: Workspace, results: Any, own: Any, n_verdicts: int) -> None:
    """Both ways in which verdicts are learned from.

    Args:
        own: The view at the run's own decision limit, whatever limit is shown.
    """
    if results.task != "anomaly" or not n_verdicts:
        return
    st.header(t("Learn from verdicts"), anchor=False)
    left, right = st.columns(2, gap="large")
    with left, notices.guard():
        _false_alarms(ws, results, own, n_verdicts)
    with right, notices.guard():
        _faults(ws, results, own, n_verdicts)


def _false_alarms(ws: Workspace, results: Any, own: Any, n_verdicts: int) -> None:
    st.markdown(f"**{md(t('False alarms into the normal set'))}**")
    if not wf.false_alarms(own):
        st.caption(md(t("No event is called a false alarm.")))
        return
    run = results.run
    seen = _preview(results, own, run.id, str(run.finished), float(own.threshold.value), n_verdicts)
    st.markdown(md(say(seen.sentence)))
    if seen.silent_real:
        real = tn(
            "{n} of them was contained or has a cause: it would be missed.",
            "{n} of them were contained or have a cause: they would be missed.",
            seen.silent_real,
        )
        st.warning(md(real), icon=":material/warning:")
    layout.caption(
        tn("{n} row joins the training part", "{n} rows join the training part", seen.rows),
        tn("{n} of them leaves the test part", "{n} of them leave the test part", seen.test_rows),
        *(say(note) for note in seen.notes),
    )
    if st.button(t("Train again with false alarms as normal"), key="train_false_alarms", icon=":material/model_training:"):
        _watch(wf.train_with_false_alarms(ws, results, own, token=f"false_alarms.{run.id}.{n_verdicts}"))


def _faults(ws: Workspace, results: Any, own: Any, n_verdicts: int) -> None:
    st.markdown(f"**{md(t('A classifier of faults'))}**")
    found = _classes(ws, results, results.run.id, n_verdicts)
    if not found.causes:
        st.caption(md(t("No event has a cause yet.")))
        return
    layout.caption(*(f"{c.cause}: {numbers.number(len(c.cases))}" for c in found.causes))
    if found.why_not is not None:
        st.markdown(md(say(found.why_not)))
    else:
        st.markdown(
            md(
                t(
                    "Rows of these events and of normal stretches make a dataset of their own. No event is in two parts of its split."
                )
            )
        )
        if found.left_out:
            layout.caption(t("left out with too few cases: {causes}", causes=", ".join(c.cause for c in found.left_out)))
    clicked = st.button(
        t("Train a classifier of faults"),
        key="train_faults",
        icon=":material/account_tree:",
        disabled=found.why_not is not None,
    )
    if clicked:
        _watch(wf.train_fault_classes(ws, results, own, token=f"fault_classes.{results.run.id}.{n_verdicts}"))


def _watch(run: wf.Run) -> NoReturn:
    """The screen on which a training is followed."""
    st.session_state["_train_view"] = "watch"
    state.go("learn/train.py", run=run.id)
