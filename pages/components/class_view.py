"""Predictions of a class: a movable decision limit, and every view that moves with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.messages import msg_n
from pages.components import (
    charts,
    class_costs_view,
    class_curves_view,
    class_limit,
    layout,
    numbers,
    run_view,
    scores_table,
    words_view,
)
from pages.components.looks import charts_look
from pages.components.results_view import metric_figure, part_choice, verdict
from pages.components.scores_table import download
from pages.components.text import md, say, t

FIGURE_KEYS = ("recall", "far", "precision", "roc_auc", "average_precision", "accuracy", "macro_f1")


@st.cache_resource(show_spinner=False, max_entries=8, ttl=900)
def _own(_results: Any, run_id: str, finished: str, part: str, positive: str | None) -> Any:
    """The view at the run's own limit, remembered: it is needed whenever another limit is looked at."""
    return wf.classification_view(_results, part, positive)


@st.cache_data(show_spinner=False, max_entries=32, ttl=900)
def _n_unknown(_results: Any, run_id: str, finished: str, part: str) -> int:
    """Counted once: moving the limit changes nothing about it."""
    return wf.count_unknown(_results, part)


@st.fragment
def show(results: Any) -> None:
    """Headline, figures, a curve beside the confusion matrix, all rows; moving the limit reruns only this."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        part = part_choice("class_part")
        first = _own(results, results.run.id, str(results.run.finished), part, st.session_state.get(_positive_key(results)))
        positive = _positive_choice(results, first)
        threshold = _threshold_choice(results, first, positive)
        view = (
            first
            if threshold is None and positive == first.positive
            else wf.classification_view(results, part, positive, threshold)
        )
        _effect(view)
        class_limit.show(results, view.classes, positive, _limit_key(results, positive))
        download(results, threshold=threshold, positive=view.positive)
    with head:
        verdict(view.verdict)
        layout.figures(_figures(results, view))
        _beside(view)
        _unknown(results, part)
    with main:
        class_curves_view.show(results, view)
    left, right = st.columns(2, gap="medium")
    with left:
        class_costs_view.show(results, view, threshold, _confusion)
        _per_class(view)
    with right:
        _metrics(results, view)
    scores_table.table(results, threshold, view.positive)
    words_view.show(results, view.positive, threshold)


def _unknown(results: Any, part: str) -> None:
    """How many rows are unlike every class that the model knows; nothing where there is none."""
    n = _n_unknown(results, results.run.id, str(results.run.finished), part)
    if n:
        layout.notes(
            [
                msg_n(
                    "{n} row is unlike every class of the training part: a new kind of fault, or a sensor that is off. See it below.",
                    "{n} rows are unlike every class of the training part: a new kind of fault, or a sensor that is off. See them below.",
                    n,
                )
            ]
        )


def _positive_key(results: Any) -> str:
    return f"class_positive.{results.run.id}"


def _positive_choice(results: Any, view: Any) -> str:
    key = _positive_key(results)
    index = view.classes.index(view.positive)
    return st.selectbox(t("Class to catch"), list(view.classes), index=index, key=key, persist_state="session")


def _limit_key(results: Any, positive: str) -> str:
    return f"class_limit.{results.run.id}.{positive}"


def chosen_limit(results: Any) -> tuple[float | None, str | None]:
    """The limit and the class to catch that were chosen on this screen for a run; None for each that stands where the run put it."""
    positive = st.session_state.get(_positive_key(results)) or results.manifest.positive
    start = results.manifest.decision if positive == results.manifest.positive else 0.5
    limit: Any = st.session_state.get(_limit_key(results, str(positive)))
    if limit is None or start is None or abs(float(limit) - float(start)) <= 5e-4:
        return None, None if positive == results.manifest.positive else positive
    exact = st.session_state.get(f"{_limit_key(results, str(positive))}.exact")
    is_exact = exact is not None and abs(round(exact, 3) - float(limit)) < 1e-9
    return float(exact) if is_exact else float(limit), positive


def _threshold_choice(results: Any, view: Any, positive: str) -> float | None:
    """The limit that was chosen, or None while it stands where the run put it."""
    start = view.threshold if positive == view.positive else 0.5
    key = _limit_key(results, positive)
    start = float(np.clip(start, 0.0, 1.0))
    chosen = st.slider(
        t("Decision limit"),
        0.0,
        1.0,
        value=start,
        step=0.001,
        format="%.3f",
        key=key,
        persist_state="session",
        help=md(
            t("Rows whose probability of '{name}' is above the limit are flagged. Nothing is trained again.", name=positive)
        ),
    )
    moved = abs(float(chosen) - start) > 5e-4
    st.button(
        t("Back to {value}", value=start),
        key=f"reset.{key}",
        disabled=not moved,
        icon=":material/undo:",
        on_click=_reset,
        args=(key, start),
        width="stretch",
    )
    exact = st.session_state.get(f"{key}.exact")
    if (
        moved and exact is not None and abs(round(exact, 3) - float(chosen)) < 1e-9
    ):  # a limit by a rule is kept to its last digit
        return float(exact)
    return float(chosen) if moved else None


def _reset(key: str, start: float) -> None:
    st.session_state[key] = start
    st.session_state.pop(f"{key}.exact", None)


def _effect(view: Any) -> None:
    """What the limit means in parts: caught, missed, rejected."""
    place = view.classes.index(view.positive)
    caught = int(view.confusion[place, place])
    missed = int(view.confusion[place].sum()) - caught
    rejected = int(view.confusion[:, place].sum()) - caught
    st.caption(
        md(
            t(
                "'{name}': {caught} caught, {missed} missed; {rejected} of other classes called so",
                name=view.positive,
                caught=caught,
                missed=missed,
                rejected=rejected,
            )
        )
    )


def _figures(results: Any, view: Any) -> list[layout.Figure]:
    metrics = run_view.as_map(view.metrics)
    base = run_view.as_map(view.baseline_metrics) if view.part == "test" else {}
    name = run_view.model_name(results.baseline) if results.baseline else ""
    defined = [k for k in FIGURE_KEYS if k in metrics and metrics[k].is_defined]
    found = [metric_figure(metrics, base, key, name=name) for key in (defined or [k for k in FIGURE_KEYS if k in metrics])]
    return [figure for figure in found if figure is not None][:4]


def _beside(view: Any) -> None:
    """At which limit the baseline of the figures stands, and what it would catch at the price of the model's."""
    if view.part != "test" or not view.baseline_metrics:
        return
    same = view.baseline_caught
    layout.caption(
        t("the baseline stands at its own decision limit"),
        ""
        if same is None
        else t(
            "with as many good parts rejected as here ({rejected}) it would catch {caught}",
            rejected=numbers.percent(view.operating_point[0]),
            caught=numbers.percent(same),
        ),
    )


def _confusion(view: Any) -> None:
    figure = drawing.confusion_matrix(counts=view.confusion, classes=view.classes, **charts_look())
    right = int(np.trace(view.confusion))
    charts.show(
        figure,
        alt=t("{right} of {n} rows get the right class", right=right, n=view.n),
        key="class_confusion",
        height=max(280, 120 + 52 * len(view.classes)),
    )
    layout.caption(say(drawing.caption_confusion(view.n, wf.PART_TITLES[view.part], view.positive, view.decided_at)))


def _metrics(results: Any, view: Any) -> None:
    st.header(md(t("Figures beside the baseline")), anchor=False)
    columns = {run_view.model_name(results.run.model): view.metrics}
    if view.part == "test" and view.baseline_metrics:
        columns[run_view.model_name(results.baseline)] = view.baseline_metrics
    run_view.metric_table(columns, key="class_metrics", alt=t("Metrics of the model beside the baseline"))
    layout.caption(t("[low – high]: 95 % interval"))
    _against_baseline(results, view)


def _against_baseline(results: Any, view: Any) -> None:
    """McNemar's test in a sentence: rows where one is right and the other wrong."""
    found = view.paired
    if found is None or view.part != "test":
        return
    told = {"first": found.first_only, "second": found.second_only, "n": found.n, "p": round(found.p, 4)}
    words = t(
        "Each at its own decision limit, the model alone is right in {first} of {n} rows, the baseline alone in {second}",
        **told,
    )
    clear = (
        t("more than chance (McNemar mid-P {p})", **told)
        if found.is_clear
        else t("this may be chance (McNemar mid-P {p})", **told)
    )
    layout.caption(words, clear)
    if found.is_clear and results.manifest.split["method"] != "random":
        layout.caption(
            t(
                "The test counts rows as independent; neighbours in time or of one lot are not, so that the difference is less sure than it says."
            )
        )


def _per_class(view: Any) -> None:
    shares = ("precision", "recall", "f1")
    words = {
        "class": t("class"),
        "n": t("rows"),
        "n_predicted": t("called so"),
        **{k: run_view.metric_title(k) for k in shares},
        "roc_auc": "AUC",  # the whole name stands beside, and is cut here in Chinese
    }
    config = {words[k]: st.column_config.NumberColumn(format="percent") for k in shares}
    config[words["roc_auc"]] = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        view.per_class.rename(columns=words),
        hide_index=True,
        column_config=config,
        key="class_table",
        height="content",
        alt=t("Metrics of each class"),
    )
