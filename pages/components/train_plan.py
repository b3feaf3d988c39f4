"""What a training will do before it is started: which rows judge it, which model and why, how long it takes."""

from __future__ import annotations

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.training.request import TrainRequest
from pages.components import charts, layout, numbers, run_view
from pages.components.text import md, say, t


@st.cache_data(show_spinner=False, max_entries=64, ttl=600)
def _plan(_ws: wf.Workspace, request_json: str) -> wf.TrainingPlan:
    return wf.plan_training(_ws, TrainRequest.model_validate_json(request_json))


def plan(ws: wf.Workspace, request: TrainRequest) -> wf.TrainingPlan:
    """The plan of a request, remembered while the request stays the same."""
    return _plan(ws, request.model_dump_json())


def recommended(ws: wf.Workspace, dataset: Dataset, request: TrainRequest) -> str:
    """The key of the model that is recommended for a request."""
    return wf.recommend(ws, dataset, request).model


def show(plan: wf.TrainingPlan, dataset: Dataset, head: st.delta_generator.DeltaGenerator) -> None:
    """Headline and figures into `head`; the split on its axis and the model cards where this is called."""
    model = run_view.model_name(plan.request.model)
    with head:
        layout.headline(_finding(plan, dataset, model), say(plan.recommendation.reason))
        layout.figures(_figures(plan, dataset))
    _split(plan, dataset)
    _cards(plan)
    for note in plan.notes:
        st.caption(md(say(note)))


def _finding(plan: wf.TrainingPlan, dataset: Dataset, model: str) -> str:
    names = {"model": model, "length": numbers.duration(plan.seconds_total), "n": plan.split.counts["train"]}
    if plan.request.model == plan.recommendation.model:
        return t("Ready: {model}, the recommended model, learns from {n} rows in about {length}", **names)
    return t("Ready: {model} learns from {n} rows in about {length}", **names)


def _figures(plan: wf.TrainingPlan, dataset: Dataset) -> list[layout.Figure]:
    counts, total = plan.split.counts, max(1, sum(plan.split.counts.values()))
    sensors = len(dataset.with_role("sensor"))
    mega = plan.estimate.memory_bytes / 1e6
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
        layout.Figure(t("Sensors"), numbers.number(sensors), t("{n} weights", n=numbers.number(plan.estimate.n_parameters))),
        layout.Figure(t("Time"), "≈ " + numbers.duration(plan.seconds_total), t("{size} of memory", size=f"{mega:,.0f} MB")),
    ]


def _split(plan: wf.TrainingPlan, dataset: Dataset) -> None:
    figure = charts.split_figure(plan.split)
    counts = plan.split.counts
    charts.show(
        figure, key="train_split", alt=t("{train} rows train, {test} rows test", train=counts["train"], test=counts["test"])
    )
    parts = [t("n = {n} rows", n=dataset.n_rows), say(plan.split.reason)]
    if counts.get("gap"):
        parts.append(t("{n} rows left out between the parts", n=counts["gap"]))
    layout.caption(*parts)


def _cards(plan: wf.TrainingPlan) -> None:
    """The recommended model first, then up to three others, each with when to take it."""
    advice = plan.recommendation
    offered = [(advice.model, advice.reason), *advice.alternatives[:3]]
    with st.grid(len(offered), gap="small") as grid:
        for key, reason in offered:
            chosen = key == plan.request.model
            with grid.cell(), st.container(border=True, height="stretch"):
                st.markdown(
                    f"**{md(run_view.model_name(key))}**"
                    + (f" :small[:gray[{md(t('recommended'))}]]" if key == advice.model else "")
                )
                st.caption(md(say(reason)))
                st.space("stretch")
                label = t("Chosen") if chosen else t("Choose")
                st.button(
                    label,
                    key=f"choose_{key}",
                    disabled=chosen,
                    width="stretch",
                    icon=":material/check:" if chosen else None,
                    on_click=_choose,
                    args=(key,),
                    help=md(t("Train with {model}", model=run_view.model_name(key))),
                )


def _choose(key: str) -> None:
    st.session_state["train_model"] = key
