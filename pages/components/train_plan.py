"""What a training will do before it is started: which rows judge it, which model and why, how long it takes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.data.dataset import Dataset
from core.messages import msg
from core.models import AUTO_KEY, model_by_key
from core.screening.leaks import Leak
from core.training.request import TrainRequest
from core.workflows.records import TrainingPlan
from core.workflows.workspace import Workspace
from pages.components import candidates_view, charts, family_tree, layout, notices, numbers, run_view, state
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn


@st.cache_data(show_spinner=False, max_entries=64, ttl=600)
def _plan(_ws: Workspace, request_json: str) -> TrainingPlan:
    return wf.plan_training(_ws, TrainRequest.model_validate_json(request_json))


def plan(ws: Workspace, request: TrainRequest) -> TrainingPlan:
    """The plan of a request, remembered while the request stays the same."""
    return _plan(ws, request.model_dump_json())


def show(plan: TrainingPlan, dataset: Dataset, head: st.delta_generator.DeltaGenerator) -> None:
    """Headline and figures into `head`; the split on its axis and the model cards where this is called."""
    model = run_view.model_name(plan.model)
    with head:
        layout.headline(_finding(plan, dataset, model))
        layout.figures(_figures(plan, dataset))
    for note in plan.notes:
        notices.warn(note)
    if plan.text is not None:
        layout.caption(say(plan.text))
    for leak in plan.leaks:
        _leak(leak, dataset)
    _split(plan, dataset)
    candidates_view.planned(plan.planned)
    _cards(plan)
    family_tree.offer(plan)


def _leak(leak: Leak, dataset: Dataset) -> None:
    """A column that may give the answer away, and the one click that takes it out."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        notices.warn(wf.leak_note(leak))
        if st.button(
            t("Ignore '{column}'", column=md(leak.column)), key=f"ignore.{leak.column}", icon=":material/visibility_off:"
        ):
            with notices.guard():
                changed = wf.ignore_columns(state.workspace(), dataset.id, [leak.column])
                notices.done(msg("Saved as version {version}.", version=changed.version))
                state.open_now(dataset=changed.id)


def _finding(plan: TrainingPlan, dataset: Dataset, model: str) -> str:
    names: dict[str, Any] = {"model": model, "length": _length(plan), "n": plan.split.counts["train"]}
    tried = [p.model for p in plan.planned if p.left_out is None]
    if len(tried) == 1:
        names["model"] = run_view.model_name(tried[0])
    elif plan.model == AUTO_KEY:
        return tn(
            "Ready: {n} model is tried on {rows} rows, {length}",
            "Ready: {n} models are tried on {rows} rows, {length}",
            len(tried),
            rows=plan.split.counts["train"],
            length=_length(plan),
        )
    if plan.request.search:
        return t("Ready: settings of {model} are searched on {n} rows, {length}", **names)
    if plan.model in (AUTO_KEY, plan.recommendation.model):
        return t("Ready: {model}, the recommended model, learns from {n} rows, {length}", **names)
    return t("Ready: {model} learns from {n} rows, {length}", **names)


def _length(plan: TrainingPlan) -> str:
    return (
        t("about {length}", length=numbers.duration(plan.seconds_total))
        if plan.seconds_total is not None
        else t("a few seconds")
    )


def _figures(plan: TrainingPlan, dataset: Dataset) -> list[layout.Figure]:
    counts, total = plan.split.counts, max(1, sum(plan.split.counts.values()))
    sensors = len(dataset.with_role("sensor"))
    is_network = plan.model != AUTO_KEY and model_by_key(plan.model).role == "network"
    network = plan.estimate if is_network else None
    weights = t("about {n} weights", n=numbers.number(network.n_parameters)) if network else ""
    memory = t("{size} of memory", size=f"{plan.estimate.memory_bytes / 1e6:,.0f} MB") if plan.estimate else ""
    return [
        layout.Figure(
            t("Training rows"),
            numbers.number(counts["train"]),
            t("{share} of {n}", share=numbers.percent(counts["train"] / total), n=total),
        ),
        layout.Figure(
            t("Test rows"),
            numbers.number(counts["test"]),
            t("{n} more for validation", n=numbers.number(counts["validation"])),
            help=t("The test rows judge the model once, at the end. Nothing is fitted on them."),
        ),
        layout.Figure(t("Sensors"), numbers.number(sensors), weights),
        layout.Figure(t("Time"), _length(plan), memory),
    ]


def _split(plan: TrainingPlan, dataset: Dataset) -> None:
    figure = drawing.split_ribbon(parts=plan.split.parts, x=plan.split.positions, counts=plan.split.counts, **charts_look())
    counts = plan.split.counts
    charts.show(
        figure, key="train_split", alt=t("{train} rows train, {test} rows test", train=counts["train"], test=counts["test"])
    )
    parts = [t("n = {n} rows", n=dataset.n_rows), say(plan.split.reason)]
    if counts.get("gap"):
        parts.append(t("{n} rows left out between the parts", n=counts["gap"]))
    layout.caption(*parts)


def _cards(plan: TrainingPlan) -> None:
    """The automatic choice first, then models to take by name, each with when to take it; for anomalies there is no choice."""
    advice = plan.recommendation
    offered = [(advice.model, advice.reason), *advice.alternatives[:3]]
    if plan.request.task != "anomaly":
        offered = [(AUTO_KEY, model_by_key(AUTO_KEY).summary), *offered[:3]]
    for start in range(0, len(offered), 2):
        for cell, (key, reason) in zip(st.columns(2, gap="small"), offered[start : start + 2], strict=False):
            with cell.container(border=True, height="stretch", horizontal=True, vertical_alignment="center"):
                _card(key, say(reason), is_chosen=key == plan.model, is_recommended=key == offered[0][0])


def _card(key: str, reason: str, *, is_chosen: bool, is_recommended: bool) -> None:
    name = run_view.model_name(key)
    with st.container(gap="xsmall", width="stretch"):
        st.markdown(f"**{md(name)}**" + (f" :small[:gray[· {md(t('recommended'))}]]" if is_recommended else ""))
        st.caption(md(reason))
    st.button(
        t("Chosen") if is_chosen else t("Choose"),
        key=f"choose_{key}",
        disabled=is_chosen,
        icon=":material/check:" if is_chosen else None,
        on_click=_choose,
        args=(key,),
        help=md(t("Train with {model}", model=name)),
    )


def _choose(key: str) -> None:
    st.session_state["train_model"] = key
