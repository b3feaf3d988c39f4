"""Points of a control chart that are left out of its limits with a cause: listed, taken back, and more of them chosen."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import workflows as wf
from pages.components import notices, numbers
from pages.components.control_rail import ask
from pages.components.control_signals import where
from pages.components.text import md, t, tn

KEY, CHOSEN = "control_left_out", "control_chosen"
MOST_OFFERED = 200


def choose(dataset_id: str, rows: str) -> None:
    """Points that were marked on the chart, by their rows counted from 1, stand in the form."""
    st.session_state[CHOSEN] = (dataset_id, rows)


def show(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str) -> None:
    """The list with a way back, and the form for more."""
    n = len({i for entry in view.left_out for i in entry.points})
    of, rows = st.session_state.get(CHOSEN, (dataset_id, ""))
    chosen = rows if of == dataset_id else ""
    title = (
        tn("{n} point left out of the limits", "{n} points left out of the limits", n)
        if n
        else t("Leave points out of the limits")
    )
    with st.expander(title, expanded=bool(n) or bool(chosen), icon=":material/block:"):
        for place, entry in enumerate(view.left_out):
            _entry(view, settings, dataset_id, entry, place)
        with notices.guard():
            _form(view, settings, dataset_id, chosen)


def way_back(settings: wf.ControlSettings, dataset_id: str, column: str) -> None:
    """Where there is no chart, because of an entry that cannot be or as too few points are left: the last one taken back, or all of them."""
    if settings.left_out:
        if len(settings.left_out) > 1:
            fewer = settings.with_values(left_out=settings.left_out[:-1])
            st.button(
                t("Take back the last: {entry}", entry=settings.left_out[-1]),
                key=f"{KEY}.last_back",
                type="primary",
                on_click=ask,
                args=(dataset_id, column, fewer),
            )
        wanted = settings.with_values(left_out=())
        st.button(t("Count all points again"), key=f"{KEY}.all_back", on_click=ask, args=(dataset_id, column, wanted))


def _entry(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str, entry: wf.LeftOut, place: int) -> None:
    """One entry: which rows, where, the value, the cause, and the way back."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    words = [t("row {rows}", rows=entry.rows)]
    if entry.points:
        first = entry.points[0]
        at = where(view, first)
        words += [at] if view.times is not None else []
        words += [_value(view, first)] if len(entry.points) == 1 else []
    row.markdown(
        f":material/radio_button_unchecked: {md(' · '.join(word for word in words if word))}: {md(entry.cause)}",
        width="stretch",
    )
    rest = tuple(e for i, e in enumerate(settings.left_out) if i != place)
    wanted = settings.with_values(left_out=rest)
    row.button(
        t("Count again"), key=f"{KEY}.back.{place}", type="tertiary", on_click=ask, args=(dataset_id, view.column, wanted)
    )


def _form(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str, chosen: str) -> None:
    st.caption(
        md(
            t(
                "Only where the cause is known and gone: the point stays drawn (hollow), gives no limits and is not judged. Choose signals, write rows, or draw a narrow box on the chart."
            )
        )
    )
    key = f"{KEY}.{dataset_id}.{view.column}.{len(settings.left_out)}.{chosen}"
    places = np.flatnonzero(view.marks)[:MOST_OFFERED].tolist()
    words = {i: " · ".join(part for part in (where(view, i), _value(view, i)) if part) for i in places}
    cells = st.columns([0.5, 0.5])
    picked = cells[0].multiselect(
        t("Signals to leave out"),
        places,
        format_func=lambda i: words.get(i, str(i)),
        key=f"{key}.signals",
        placeholder=t("choose"),
    )
    rows = cells[1].text_input(t("Rows to leave out"), value=chosen, key=f"{key}.rows", placeholder="31, 40-45")
    cause = st.text_input(t("Cause"), key=f"{key}.cause", placeholder=t("what happened"))
    if st.button(t("Leave out"), key=f"{KEY}.leave", icon=":material/block:", disabled=not (picked or rows.strip())):
        entries = wf.entries_of([int(view.rows[i]) + 1 for i in picked], rows, cause)
        ask(dataset_id, view.column, settings.with_values(left_out=(*settings.left_out, *entries)))
        st.session_state.pop(CHOSEN, None)
        st.rerun()


def _value(view: wf.ControlView, point: int) -> str:
    """What stands at a point, where the chart shows values of the column; a sum has a unit of its own."""
    chart = view.charts[0]
    value = float(chart.points[point])
    if chart.is_sum or not np.isfinite(value):
        return ""
    return numbers.number(value, view.unit)
