"""One event in the rail: which one is open, the sensors that made it, and what a person says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core import workflows as wf
from core.anomalies.records import NEEDS_CAUSE, VERDICTS, AnomalyEvent
from core.workflows.verdicts import LONGEST_CAUSE, LONGEST_COMMENT
from core.workflows.workspace import Workspace
from pages.components import earlier_words, layout, notices, numbers, person, state
from pages.components.choices import fixed
from pages.components.event_words import verdict_word, when
from pages.components.text import md, say, t

OPEN_PEAK = "_open_event_peak"
SHOWN_SENSORS = 3
SPARK_POINTS = 40


def sparkline(view: Any, event: AnomalyEvent) -> list[float]:
    """The event's score with some rows around, thinned to 40 points that keep the peak."""
    inside = view.places[event.first_row : event.last_row + 1]  # two hundred events shall not go through a million rows each
    if view.groups is not None:
        inside = inside[view.groups[inside].astype(str) == event.group]
    if not len(inside):
        return []
    first, last = int(inside.min()), int(inside.max())
    margin = max(5, int(last - first + 1) // 4)
    scores = np.nan_to_num(view.scores[max(0, first - margin) : last + margin + 1])
    n = min(SPARK_POINTS, len(scores))
    highest = np.maximum.reduceat(scores, np.arange(n) * len(scores) // n)
    return [float(value) for value in numbers.five_digits(highest)]


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


def open_event(number: int) -> None:
    """Open the event of that number; for callbacks of widgets."""
    st.session_state["event"] = number
    _forget()


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
    waiting = (e.number for e in view.later if e.is_open)
    return int(next(waiting, view.events[0].number))


def _title(event: AnomalyEvent) -> str:
    return f"{event.number} · {when(event.began)}" + (f" · {event.group}" if event.group else "")


def rail(ws: Workspace, results: Any, view: Any, event: AnomalyEvent) -> None:
    """Facts, shares of the sensors, and the verdict with its comment and the screen's primary button."""
    severity = t("severity {n}", n=event.severity) if event.severity is not None else ""
    state = earlier_words.state_word(event)
    assigned = t("for {name}", name=event.verdict.assigned_to) if event.verdict and event.verdict.assigned_to else ""
    layout.caption(severity, state, assigned)
    counted = wf.how_counted(results, view, event)
    if counted is not None:
        st.caption(md(say(counted)))
    for share in wf.with_deviations(results, event).sensors[:SHOWN_SENSORS]:
        away = f"{share.deviation:+.4g} {share.unit}".strip() + " · " if share.deviation is not None else ""
        st.progress(
            min(1.0, max(0.0, share.share)), text=f"**{md(share.column)}** {md(away)}{md(numbers.percent(share.share))}"
        )
    _verdict(ws, results, event)


def _verdict(ws: Workspace, results: Any, event: AnomalyEvent) -> None:
    """The form of the verdict; it starts from what was said last, but for the comment, which belongs to its time.

    What another run said is taken over as a whole, comment included, and nothing is written before it is saved.
    """
    taken = event.taken_over
    given = event.verdict if taken is None else taken.verdict
    earlier_words.note(event)
    said = "" if given is None else f"{given.created:%Y%m%d%H%M%S%f}"  # a verdict given elsewhere starts the form anew
    key = f"{results.run.id}.{event.first_row}.{event.last_row}.{said}"
    by = person.ask(key="signed_by")
    # Outside of the form, because the state says what else is needed.
    chosen = st.selectbox(
        t("Verdict"),
        list(VERDICTS),
        index=VERDICTS.index(given.verdict) if given else None,
        placeholder=t("choose a state"),
        format_func=fixed(VERDICTS, verdict_word),
        key=f"verdict.{key}",
        help=md(
            t(
                "Contained: its effect is stopped, the cause is not found yet. Assignable cause: it is found. False alarm: nothing was wrong. Sensor fault: the measurement itself was wrong. Closed: it is fixed."
            )
        ),
    )
    with st.form(f"verdict_form.{key}", border=False):
        cause = st.text_input(
            t("Assignable cause (needed)") if chosen in NEEDS_CAUSE else t("Assignable cause"),
            value=given.cause if given else "",
            placeholder=t("e.g. seal leak"),
            max_chars=LONGEST_CAUSE,
            key=f"cause.{key}",
            help=md(t("The same words for the same cause, so that its cases are counted together.")),
        )
        fix = st.text_input(
            t("What fixed it"),
            value=given.fix if given else "",
            max_chars=LONGEST_CAUSE,
            key=f"fix.{key}",
            placeholder=t("e.g. new seal"),
        )
        assigned = st.text_input(
            t("Assigned to"), value=given.assigned_to if given else "", max_chars=wf.LONGEST_NAME, key=f"assigned.{key}"
        )
        comment = st.text_input(
            t("Comment"), value="" if taken is None else taken.verdict.comment, max_chars=LONGEST_COMMENT, key=f"comment.{key}"
        )
        saved = st.form_submit_button(
            t("Save verdict"), key=f"save_verdict.{key}", type="primary", icon=":material/gavel:", width="stretch"
        )
    if not saved:
        return
    if chosen is None:
        st.warning(md(t("Choose the state of the event first.")), icon=":material/warning:")
        return
    with notices.guard():
        wf.set_verdict(ws, results.run.id, event, chosen, comment, cause=cause, fix=fix, assigned_to=assigned, by=by)
        notices.done(t("Verdict on event {n} saved: {verdict}", n=event.number, verdict=verdict_word(chosen)))
        st.rerun()
