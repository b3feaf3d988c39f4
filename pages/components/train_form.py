"""Set up a training: the question, the columns it needs, how thorough, and the one button. Nothing is decided in silence."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Column, Dataset
from core.models import AUTO_KEY, model_by_key
from core.settings import Settings
from core.training.presets import preset_settings
from core.training.ranges import search_ranges
from core.training.request import TrainRequest
from core.training.settings import FitSettings
from core.training.task_settings import NOT_ASKED, TaskSettings
from core.workflows.records import TrainingPlan
from core.workflows.workspace import Workspace
from pages.components import forms, layout, notices, run_view, state, train_guess, train_plan, train_split, words
from pages.components.choices import fixed
from pages.components.text import md, say, t

NONE = ""
PRESETS = ("quick", "normal", "thorough")
NEEDS_TARGET = ("regression", "classification", "forecast")


def show(dataset: Dataset) -> None:
    """The form of one dataset: plan on the left, choices in the rail in the order in which they are made."""
    ws = state.workspace()
    st.session_state.setdefault("train_token", secrets.token_hex(8))
    head = st.container()
    view, rail = st.columns([0.7, 0.3], gap="medium")
    with rail:
        request = _choices(ws, dataset)
        start = st.container()
        request = _expert(dataset, request) if request is not None else None
    plan = None
    with view, notices.guard():
        if request is not None:
            plan = train_plan.plan(ws, request)
        if plan is not None:
            train_plan.show(plan, dataset, head)
    if plan is None:
        with head:
            layout.headline(t("Choose the column to predict") if request is None else t("This cannot be trained yet"))
        if request is None:
            with view:
                st.info(
                    md(t("A model learns from rows whose result is known. Choose the column that holds it.")),
                    icon=":material/info:",
                )
    with start:
        _start(ws, plan)


def _choices(ws: Workspace, dataset: Dataset) -> TrainRequest | None:
    """The request as chosen, or None while a column that the question needs is not chosen."""
    task = _task(ws, dataset)
    target = _target(dataset, task)
    names = [c.name for c in dataset.columns if c.name != target]
    time = _role(dataset, "time", t("Time or order"), names)
    group = _role(dataset, "group", t("Lot, unit or serial"), [n for n in names if n != time])
    st.segmented_control(
        t("How thorough"),
        list(PRESETS),
        default="normal",
        required=True,
        format_func=fixed(PRESETS, forms.choice_word),
        key="train_preset",
        persist_state="session",
        width="stretch",
    )
    minutes = st.number_input(
        t("Minutes at most"),
        min_value=1.0,
        max_value=10_000.0,
        value=10.0,
        step=1.0,
        format="%g",
        key="train_minutes",
        help=md(t("The automatic choice and a search use this time; a single training ends earlier by itself.")),
        persist_state="session",
    )
    ahead = _rows_ahead() if task == "forecast" else {}
    if task in NEEDS_TARGET and target is None:
        return None
    model = st.session_state.get("train_model", "auto")
    if model != "auto" and model not in _offered(dataset, task):
        model = st.session_state["train_model"] = "auto"
    left_out = [
        c.name for role, chosen in (("time", time), ("group", group)) for c in dataset.with_role(role) if c.name != chosen
    ]  # type: ignore[arg-type]
    return TrainRequest(
        dataset_id=dataset.id,
        dataset_version=dataset.version,
        task=task,
        model=model,
        target=target,
        time=time,
        group=group,
        ignore=tuple(name for name in left_out if name not in (target, time, group)),
        recipe=wf.get_recipe(ws, dataset.id).model_dump(mode="json"),
        preset=st.session_state.get("train_preset") or "normal",
        budget_minutes=float(minutes or 10.0),
        options=ahead,
    )


def _rows_ahead() -> dict[str, Any]:
    """How many values are forecast, where it is not the usual number."""
    field = TaskSettings.model_fields["horizon"]
    ahead = st.number_input(
        t("Rows ahead"),
        min_value=1,
        max_value=500,
        value=int(field.default),
        step=1,
        key="train_horizon",
        help=md(t("How many next values are forecast, each by its own output of one model.")),
        persist_state="session",
    )
    return {"horizon": int(ahead or field.default)}


def _task(ws: Workspace, dataset: Dataset) -> str:
    choices = {c.key: c for c in wf.TASK_CHOICES}
    if "train_task" not in st.session_state or st.session_state.get("_train_task_of") != dataset.id:
        st.session_state["train_task"] = _first_task(ws, dataset)
        st.session_state["_train_task_of"] = dataset.id
    return str(
        st.radio(
            t("What do you want to know?"),
            list(choices),
            format_func=fixed(choices, lambda key: md(say(choices[key].question))),
            key="train_task",
            persist_state="session",
        )
    )


def _first_task(ws: Workspace, dataset: Dataset) -> str:
    """The question of the open run, else the one that the columns suggest."""
    run = state.run()
    return run.task if run is not None and run.dataset_id == dataset.id else train_guess.guess_task(ws, dataset)


def _target(dataset: Dataset, task: str) -> str | None:
    fitting = [c for c in dataset.columns if _may_be_target(c, task)]
    labels = {
        "regression": t("Column to predict"),
        "classification": t("Column with the class"),
        "anomaly": t("Known faults, for judging only"),
        "rul": t("Known remaining life, if any"),
        "forecast": t("Column to forecast"),
    }
    given = next((c.name for c in fitting if c.role == "target"), None)
    return _pick(labels[task], fitting, given, f"train_target.{dataset.id}.{task}", optional=task not in NEEDS_TARGET)


def _may_be_target(column: Column, task: str) -> bool:
    if column.role in ("time", "group") or column.kind == "time":
        return False
    return column.kind == "number" if task in ("regression", "rul", "forecast") else True


def _role(dataset: Dataset, role: str, label: str, names: list[str]) -> str | None:
    columns = [c for c in dataset.columns if c.name in names]
    given = next((c.name for c in columns if c.role == role), None)
    return _pick(label, columns, given, f"train_{role}.{dataset.id}", optional=True)


def _pick(label: str, columns: list[Column], given: str | None, key: str, *, optional: bool) -> str | None:
    units = {c.name: words.with_unit(c.name, c.unit) for c in columns}
    options = ([NONE] if optional else []) + list(units)
    index = options.index(given) if given in options else (0 if optional else None)
    chosen = st.selectbox(
        label,
        options,
        index=index,
        format_func=fixed(options, lambda name: units.get(name) or t("none")),
        key=key,
        placeholder=t("Choose a column"),
        persist_state="session",
    )
    return chosen or None


def _expert(dataset: Dataset, request: TrainRequest) -> TrainRequest:
    """The split, and everything that the model, the task and the fit declare; only what differs from the preset is kept."""
    with st.expander(t("More settings"), icon=":material/tune:", key="train_more"):
        keys = _offered(dataset, request.task)
        st.selectbox(
            t("Model"),
            ["auto", *keys],
            format_func=fixed(["auto", *keys], run_view.model_name),
            key="train_model",
            persist_state="session",
        )
        with notices.guard():
            request = request.with_values(
                split=train_split.choose(dataset, request.target, in_order=request.task == "forecast")
            )
            asked = dict(request.options)  # above, beside the columns
            changed = asked | _question(dataset, request.task, tuple(asked))
            if request.model == AUTO_KEY:
                return request.with_values(options=changed, **_seed())
            spec = model_by_key(request.model)
            if request.task != "anomaly" and search_ranges(spec, spec.settings(), FitSettings()):
                search = st.toggle(
                    t("Search settings"),
                    key="train_search",
                    help=md(t("Try settings of the family within the minutes above and keep the best.")),
                    persist_state="session",
                )
                request = request.with_values(search=search)
            preset: dict[str, Any] = {}
            if spec.role == "network":
                preset = preset_settings(request.preset, spec, dataset.n_rows).model_dump()
                preset["budget_minutes"] = request.budget_minutes
            changed |= _form(t("Model"), spec.settings, {}, f"opt.model.{spec.key}")
            if preset:
                changed |= _form(
                    t("Fit"), FitSettings, preset, f"opt.fit.{request.preset}.{spec.key}.{dataset.id}", ("budget_minutes",)
                )
            return request.with_values(options=changed, **_seed())
    return request


def _offered(dataset: Dataset, task: str) -> tuple[str, ...]:
    """Families that can be chosen; a column that was named below as free text brings those that read it."""
    named = st.session_state.get(f"opt.task.{task}.{dataset.id}.text_column")
    return wf.offered_families(dataset, task, str(named) if named else None)


def _question(dataset: Dataset, task: str, asked: tuple[str, ...]) -> dict[str, Any]:
    """The settings of the question that were not asked before; those of free text only where there are texts."""
    texts = [c.name for c in dataset.columns if c.kind == "text" and c.role in ("sensor", "ignore")]
    skip = (*NOT_ASKED.get(task, ()), *asked, *(() if texts else ("text_column", "text_tokens")))
    key = f"opt.task.{task}.{dataset.id}" if texts else f"opt.task.{task}"
    return _form(t("Question"), TaskSettings, {}, key, skip, {"text_column": texts})


def _form(
    title: str,
    settings: type[Settings],
    start: Mapping[str, Any],
    key: str,
    skip: tuple[str, ...] = (),
    choices: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    if not [name for name in settings.model_fields if name not in skip]:
        return {}
    st.markdown(f"**{md(title)}**")
    given = forms.form_from_settings(settings, start, key=key, skip=skip, choices=choices)
    first = {
        name: start.get(name, field.get_default(call_default_factory=True)) for name, field in settings.model_fields.items()
    }
    return {name: value for name, value in given.items() if value != first[name]}


def _seed() -> dict[str, Any]:
    field = TrainRequest.model_fields["seed"]
    seed = forms.field_widget(field, field.default, key="opt.seed")
    return {"seed": int(seed)} if seed is not None and int(seed) != field.default else {}


def _start(ws: Workspace, plan: TrainingPlan | None) -> None:
    clicked = st.button(
        t("Train model"),
        key="train_start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=plan is None,
    )
    if not clicked or plan is None:
        return
    with notices.guard():
        run = wf.start_training(ws, plan.request, token=st.session_state["train_token"])
        st.session_state["train_token"] = secrets.token_hex(8)  # the next training is another one
        st.session_state["_train_view"] = "watch"
        state.open_now(run=run.id)
