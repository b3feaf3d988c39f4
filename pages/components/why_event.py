"""Why, on Anomalies: the open event in a sentence, its sensors, what would have kept it below the limit, and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import effect_bars
from core.messages import msg
from core.workflows.workspace import Workspace
from pages.components import anomaly_event, anomaly_view, charts, layout, notices, numbers, why_parts
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "why_event"
SHOWN = 12


@st.cache_resource(show_spinner=False, max_entries=32, ttl=900)
def _why(_explainer: wf.Explainer, _event: Any, run_id: str, first_row: int, peak_row: int, limit: float) -> wf.EventWhy:
    return wf.event_why(_explainer, _event, limit)


@st.fragment
def show(ws: Workspace, results: Any) -> None:
    """The view of one finished run, at the decision limit that its events were looked at with: their numbers hang on it."""
    head = st.container()
    _, view = anomaly_view.views(ws, results)
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        event = anomaly_event.choose(view)
    if event is None:
        with head:
            layout.headline(t("No event to explain: no score is above the decision limit"))
        return
    explainer = why_parts.explainer_of(results)
    limit = float(view.threshold.value)
    with notices.guard():
        why = _why(explainer, event, results.run.id, event.first_row, event.peak_row, limit)
        with head:
            layout.headline(t("Event {n}: {sentence}", n=event.number, sentence=say(why.sentence)), _about(results))
        with rail:
            _facts(event, why, view.is_default)
        with main:
            _sensors(results, why)
        if results.task == "anomaly":
            why_parts.change_section(
                explainer,
                event.peak_row,
                key=f"{KEY}.change.{event.first_row}",
                limit=limit,
                about=t(
                    "Another question than repair: the row of the peak alone, and a sensor moved to one value for the whole window, which the others need not expect."
                ),
            )
            why_parts.gradient_section(explainer, why.said, [event.peak_row], key=f"{KEY}.gradients")


def _about(results: Any) -> str:
    if results.task == "forecast":
        return t("The event is the distance of one column from what was forecast; below is what moved that forecast.")
    return t(
        "Share: the sensor's part in the score, in the mean over the event's rows. Repaired: what the score loses when the sensor holds what the others expect of it."
    )


def _facts(event: Any, why: wf.EventWhy, is_own: bool) -> None:
    layout.caption(
        t("to {moment}", moment=anomaly_event.when(event.ended)),
        tn("{n} flagged row", "{n} flagged rows", event.n_rows),
        t("peak {score}, limit {limit}", score=f"{why.score:.4g}", limit=f"{why.limit:.4g}"),
        "" if is_own else t("limit moved by hand"),
    )


def _sensors(results: Any, why: wf.EventWhy) -> None:
    """What repairing each sensor takes off, as bars, and the sensors in a table."""
    shown = why.sensors[:SHOWN]
    is_forecast = results.task == "forecast"
    title = (
        msg("What each column moved the forecast of the peak")
        if is_forecast
        else msg("What the score loses in the mean when a sensor is repaired")
    )
    ordered = sorted(shown, key=lambda one: -abs(one.repair))
    figure = effect_bars(
        names=[one.column for one in ordered],
        effects=np.array([one.repair for one in ordered]),
        what=why.said.what,
        unit=why.said.unit,
        title=title,
        **charts_look(),
    )
    charts.show(figure, alt=say(why.sentence), key=f"{KEY}_repair")
    layout.caption(
        tn("mean over {n} flagged row", "mean over {n} flagged rows", min(32, len(why.rows))),
        "" if is_forecast else t("repaired: in each row, holds what the other sensors expect"),
        t("below 0: repairing it alone raises the score, as a faulty sensor spoils what the others expect of it")
        if not is_forecast and any(one.repair < 0 for one in shown)
        else "",
    )
    table = pd.DataFrame(
        {
            t("sensor"): [one.column for one in shown],
            t("unit"): [one.unit for one in shown],
            t("share"): [one.share for one in shown],
            t("largest distance (σ)"): numbers.five_digits(np.array([one.sigma for one in shown])),
            t("rows outside"): [one.n_outside for one in shown],
            t("repair takes off, mean"): numbers.five_digits(np.array([one.repair for one in shown])),
        }
    )
    share = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
    st.dataframe(
        table,
        hide_index=True,
        key=f"{KEY}_sensors",
        height="content",
        alt=t("Sensors of event {n}", n=why.event.number),
        column_config={t("share"): share},
    )
    words = wf.repair_words(why)
    if words is not None:
        st.markdown(f":material/build: {md(say(words))}")
    if why.doubt is not None:
        layout.notes((why.doubt,))
    if len(why.sensors) > SHOWN:
        st.caption(md(t("{n} further sensors have smaller shares.", n=len(why.sensors) - SHOWN)))
