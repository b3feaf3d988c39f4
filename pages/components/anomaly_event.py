"""One event: the sensors that made it, their normal band, and what a person says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.anomalies.records import VERDICTS, AnomalyEvent, Verdict
from core.workflows.workspace import Workspace
from pages.components import charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.text import md, say, t

OPEN_PEAK = "_open_event_peak"
SHOWN_SENSORS = 3
SPARK_POINTS = 40


def when(value: Any) -> str:
    """When an event began: a time as the file wrote it, or a row number."""
    if isinstance(value, pd.Timestamp | np.datetime64):
        return numbers.moment(pd.Timestamp(value).to_pydatetime())
    return t("row {n}", n=numbers.number(value))


def verdict_word(verdict: str) -> str:
    """A verdict as people say it."""
    return {"real": t("real"), "false_alarm": t("false alarm"), "sensor_fault": t("sensor fault")}.get(verdict, verdict)


def _verdict_choice(verdict: str) -> str:
    """A verdict on its button."""
    return {"real": t("Real"), "false_alarm": t("False alarm"), "sensor_fault": t("Sensor fault")}.get(verdict, verdict)


def sparkline(view: Any, event: AnomalyEvent) -> list[float]:
    """The event's score with some rows around, thinned to 40 points that keep the peak."""
    inside = np.flatnonzero((view.rows >= event.first_row) & (view.rows <= event.last_row))
    if view.groups is not None:
        inside = inside[view.groups[inside].astype(str) == event.group]
    if not len(inside):
        return []
    margin = max(5, len(inside) // 4)
    scores = np.nan_to_num(view.scores[max(0, inside[0] - margin) : inside[-1] + margin + 1])
    pieces = np.array_split(scores, min(SPARK_POINTS, len(scores)))
    return [float(f"{piece.max():.4g}") for piece in pieces]


def choose(view: Any) -> AnomalyEvent | None:
    """The open event, kept in the address as `?event=`; the most severe without a verdict at first.

    A moved limit makes other events and numbers them anew: the one that holds the open one's peak stays open.
    """
    if not view.events:
        st.caption(md(t("No score is above the decision limit.")))
        return None
    by_number = {e.number: e for e in view.events}
    same = _same(view, by_number.get(st.session_state.get("event", 0)))
    if same is not None:
        st.session_state["event"] = same
    if st.session_state.get("event") not in by_number:
        asked = st.query_params.get("event", "")
        first = _first(view)
        st.session_state["event"] = int(asked) if asked.isdecimal() and int(asked) in by_number else first
    number = st.selectbox(
        t("Event"),
        list(by_number),
        format_func=fixed(by_number, lambda n: _title(by_number[n])),
        key="event",
        on_change=_forget,
    )
    state.note_in_address("event", str(number))
    st.session_state[OPEN_PEAK] = (st.session_state.get("run"), by_number[number].peak_row, by_number[number].group)
    return by_number[number]


def _forget() -> None:
    """Another event was chosen: the one that was open is not looked for any more."""
    st.session_state.pop(OPEN_PEAK, None)


def _same(view: Any, at_number: AnomalyEvent | None) -> int | None:
    """The number that the open event has now, or None where nothing was open or its number still holds it."""
    run, peak, group = st.session_state.get(OPEN_PEAK, (None, -1, ""))
    if run is None or run != st.session_state.get("run") or at_number is not None and _holds(at_number, peak, group):
        return None
    return next((int(event.number) for event in view.events if _holds(event, peak, group)), None)


def _holds(event: AnomalyEvent, peak_row: int, group: str) -> bool:
    return event.group == group and event.first_row <= peak_row <= event.last_row


def _first(view: Any) -> int:
    """The most severe event without a verdict that began after the training part; else the first of the list."""
    waiting = (e.number for e in view.later if e.verdict is None)
    return int(next(waiting, view.events[0].number))


def _title(event: AnomalyEvent) -> str:
    return f"{event.number} · {when(event.began)}" + (f" · {event.group}" if event.group else "")


def rail(ws: Workspace, results: Any, event: AnomalyEvent) -> None:
    """Facts, shares of the sensors, and the verdict with its comment and the screen's primary button."""
    severity = t("severity {n}", n=event.severity) if event.severity is not None else ""
    state = verdict_word(event.verdict.verdict) if event.verdict else t("open")
    layout.caption(t("to {moment}", moment=when(event.ended)), severity, state)
    for share in event.sensors[:SHOWN_SENSORS]:
        away = f"{share.deviation:+.4g} {share.unit}".strip() + " · " if share.deviation is not None else ""
        st.progress(
            min(1.0, max(0.0, share.share)), text=f"**{md(share.column)}** {md(away)}{md(numbers.percent(share.share))}"
        )
    _verdict(ws, results, event)


def _verdict(ws: Workspace, results: Any, event: AnomalyEvent) -> None:
    key = f"{results.run.id}.{event.first_row}.{event.last_row}"
    given = event.verdict
    with st.form(f"verdict_form.{key}", border=False):
        chosen = st.segmented_control(
            t("Verdict"),
            list(VERDICTS),
            default=given.verdict if given else None,
            format_func=fixed(VERDICTS, _verdict_choice),
            key=f"verdict.{key}",
            width="stretch",
            help=md(t("Real: something was wrong. False alarm: nothing was. Sensor fault: the measurement itself was wrong.")),
        )
        comment = st.text_input(
            t("Assignable cause"),
            value=given.comment if given else "",
            placeholder=t("e.g. seal leak"),
            max_chars=500,
            key=f"comment.{key}",
        )
        saved = st.form_submit_button(
            t("Save verdict"), key=f"save_verdict.{key}", type="primary", icon=":material/gavel:", width="stretch"
        )
    if not saved:
        return
    if chosen is None:
        st.warning(md(t("Choose real, false alarm or sensor fault first.")), icon=":material/warning:")
        return
    with notices.guard():
        wf.set_verdict(ws, results.run.id, event, chosen, comment)
        notices.done(t("Verdict on event {n} saved: {verdict}", n=event.number, verdict=verdict_word(chosen)))
        st.rerun()


def detail(results: Any, event: AnomalyEvent) -> None:
    """The sensors of the event over their normal band, one at a time."""
    found = wf.event_detail(results, event)
    if not found.traces:
        st.caption(md(t("The model does not say which sensors made this event.")))
        return
    traces = {trace.column: trace for trace in found.traces}
    row = st.container(horizontal=True, vertical_alignment="center")
    row.header(md(t("Event {n}", n=event.number)), anchor=False, width="content")
    with row:
        chosen = st.segmented_control(
            t("Sensor"),
            list(traces),
            default=next(iter(traces)),
            required=True,
            format_func=md,
            key=f"sensor.{event.first_row}",
            label_visibility="collapsed",
        )
    trace = traces.get(chosen or "", found.traces[0])
    figure = drawing.sensor_band(
        values=trace.values,
        column=trace.column,
        unit=trace.unit,
        x=trace.times,
        rows=trace.rows,
        low=trace.normal_low,
        high=trace.normal_high,
        expected=trace.expected,
        began=event.began,
        ended=event.ended,
        **charts_look(),
    )
    alt = t("{sensor} around event {n} with its normal band", sensor=trace.column, n=event.number)
    if trace.expected is not None:
        alt = t("{sensor} around event {n} beside what was forecast one row before", sensor=trace.column, n=event.number)
    charts.show(figure, alt=alt, key="sensor_band", height=250)
    layout.caption(say(drawing.caption_sensor_band(len(trace.values), trace.times)))


def history(given: Sequence[Verdict]) -> None:
    """Everything that was ever said of this run's events; nothing is overwritten."""
    if not given:
        return
    with st.expander(t("Verdicts so far ({n})", n=len(given)), icon=":material/history:"):
        table = pd.DataFrame(
            {
                t("when"): [numbers.moment(v.created) for v in reversed(given)],
                t("rows"): [f"{v.first_row} – {v.last_row}" for v in reversed(given)],
                t("verdict"): [verdict_word(v.verdict) for v in reversed(given)],
                t("assignable cause"): [v.comment for v in reversed(given)],
                t("who"): [v.owner for v in reversed(given)],
            }
        )
        st.dataframe(table, hide_index=True, key="verdict_history", alt=t("Verdicts so far"), height="content")
