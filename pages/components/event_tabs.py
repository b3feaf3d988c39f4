"""One event in detail: its sensors, when it began and which sensor leads, similar events, where it is and is not, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.anomalies.records import AnomalyEvent, Verdict
from core.workflows.workspace import Workspace
from pages.components import address_settings, charts, earlier_words, layout, numbers, person
from pages.components.choices import fixed
from pages.components.event_words import event_name, shared, verdict_word, when
from pages.components.forms import form_from_settings
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

SETTINGS = "event_settings"
SHOWN_LINES = 12
SHOWN_SUSPECTS = 50


@st.cache_resource(show_spinner=False, max_entries=8, ttl=60)
def _past(_ws: Workspace, _results: Any, _view: Any, run_id: str, finished: str, limit: float, n_verdicts: int) -> Any:
    """Past events; for a minute at most, because verdicts come to other runs too."""
    return wf.past_events(_ws, _results, _view.events)


@st.cache_resource(show_spinner=False, max_entries=32, ttl=900)
def _facts(
    _results: Any,
    _view: Any,
    _event: AnomalyEvent,
    key: tuple[Any, ...],
    settings: str,
    with_table: bool = False,
    alike: tuple[int, ...] = (),
) -> Any:
    chosen = wf.EventSettings.model_validate_json(settings)
    own = [e for e in _view.events if e.number in alike]
    return wf.event_facts(_results, _view, _event, chosen, alike=own, without_table=not with_table)


def show(ws: Workspace, results: Any, view: Any, event: AnomalyEvent, given: Sequence[Verdict]) -> None:
    """Everything about the open event, of the open tab only: what is similar and where it is not reads whole columns."""
    run = results.run
    owner = f"events.{run.id}"
    asked = address_settings.read(wf.EventSettings, (), owner=owner)
    settings = _chosen_settings(asked, f"{SETTINGS}.{run.id}")
    key = (run.id, str(run.finished), float(view.threshold.value), event.first_row, event.last_row, event.group)
    facts = _facts(results, view, event, key, settings.model_dump_json())
    st.header(md(t("Event {n}", n=event.number)), anchor=False)
    layout.caption(*_line(facts), shared(view, facts))
    titles = (t("Sensors"), t("Lead and lag"), t("Similar events"), t("Is / is not"), t("History"))
    sensors, lead, similar, table, history = st.tabs(list(titles), key=f"event_tab.{run.id}", on_change="rerun")
    if sensors.open:
        with sensors:
            _sensors(results, event, facts)
    if lead.open:
        with lead:
            _lead(facts)
    if similar.open:
        with similar:
            _similar(_alike(ws, results, view, event, len(given)))
    if table.open:
        with table:
            chosen = _ask(settings, f"{SETTINGS}.{run.id}")
            address_settings.note(chosen, owner=owner)
            own: tuple[int, ...] = ()
            if chosen.compared == "similar":
                found = _alike(ws, results, view, event, len(given)).found
                own = tuple(sorted(s.past.number for s in found if s.past.run_id == run.id))
            _is_is_not(_facts(results, view, event, key, chosen.model_dump_json(), True, own))
    if history.open:
        with history:
            _history(event, wf.history_of(results, event, given))


def _alike(ws: Workspace, results: Any, view: Any, event: AnomalyEvent, n_verdicts: int) -> Any:
    run = results.run
    past = _past(ws, results, view, run.id, str(run.finished), float(view.threshold.value), n_verdicts)
    return wf.similar_events(past, run.id, event)


def _chosen_settings(asked: wf.EventSettings, key: str) -> wf.EventSettings:
    """What the widgets hold, which are drawn in a tab after what they change; at first what the address says."""
    held = {
        name: st.session_state[f"{key}.{name}"] for name in wf.EventSettings.model_fields if f"{key}.{name}" in st.session_state
    }
    known = {name: value for name, value in held.items() if value is not None or name == "look_back"}
    return asked.with_values(**known) if known else asked


def _line(facts: Any) -> list[str]:
    """When it began, how long it lasted, and who led, where the order is clear; else which sensor told when it began."""
    onset, event = facts.onset, facts.event
    if facts.began is None:
        began = t("when it began cannot be told: {why}", why=say(onset.why_not))
    else:
        early = tn("{n} row before the first flag", "{n} rows before the first flag", onset.rows_before_flag)
        began = t("began {when}", when=when(facts.began.when)) + (f" ({early})" if onset.rows_before_flag else "")
    lasted = tn("{n} row long", "{n} rows long", facts.n_rows)
    clock = numbers.duration(facts.seconds) if facts.seconds is not None else ""
    leads = t("by the change point of {sensor}", sensor=onset.leading) if onset.leading else ""
    if facts.order.first is not None:
        leads = t("{sensor} changed first", sensor=facts.order.first)
    return [began, t("to {moment}", moment=when(event.ended)), lasted, clock, leads]


def _sensors(results: Any, event: AnomalyEvent, facts: Any) -> None:
    """The sensors of the event over their normal band, one at a time."""
    found = wf.event_detail(results, event)
    if not found.traces:
        st.caption(md(t("The model does not say which sensors made this event.")))
        return
    traces = {trace.column: trace for trace in found.traces}
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
    changed = {f.column: moment for f, moment in zip(facts.order.followers, facts.changed, strict=True)}.get(trace.column)
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
        onset=_drawn_onset(changed, trace, event),
        **charts_look(),
    )
    alt = t("{sensor} around event {n} with its normal band", sensor=trace.column, n=event.number)
    if trace.expected is not None:
        alt = t("{sensor} around event {n} beside what was forecast one row before", sensor=trace.column, n=event.number)
    charts.show(figure, alt=alt, key="sensor_band", height=250)
    share = next((s for s in event.sensors if s.column == trace.column), None)
    band = ""
    if trace.normal_low is not None and trace.normal_high is not None:
        low, high = numbers.number(trace.normal_low), numbers.number(trace.normal_high)
        band = t("normal {low} to {high} {unit}", low=low, high=high, unit=trace.unit).strip()
    part = "" if share is None else t("{share} of the score", share=numbers.percent(share.share))
    layout.caption(say(drawing.caption_sensor_band(len(trace.values), trace.times)), part, band)


def _drawn_onset(moment: Any, trace: Any, event: AnomalyEvent) -> Any:
    """Where the sensor changed, if it lies in the rows that are drawn and is not the first flag itself."""
    if moment is None or moment.row not in set(trace.rows.tolist()):
        return None
    value = pd.Timestamp(moment.when) if isinstance(moment.when, np.datetime64) else moment.when
    return None if value == event.began else value


def _lead(facts: Any) -> None:
    """In which order the sensors changed, and by how many rows each follows the first one; one method for each, which is said."""
    order = facts.order
    if order.reference is None:
        st.caption(md(t("No column of the table can be followed row by row here.")))
        return
    rows = [_lead_row(f, moment) for f, moment in zip(order.followers, facts.changed, strict=True)]
    config = {
        "sensor": st.column_config.TextColumn(t("sensor")),
        "changed": st.column_config.TextColumn(t("changed at")),
        "lag": st.column_config.TextColumn(t("rows after {sensor}", sensor=order.reference)),
        "order": st.column_config.TextColumn(t("order"), width="small"),
        "how": st.column_config.TextColumn(t("told by"), width="large"),
    }
    st.dataframe(
        pd.DataFrame(rows),
        column_config=config,
        hide_index=True,
        key="lead_lag",
        height="content",
        alt=t("Lead and lag of the sensors"),
    )
    plausible = ""
    if facts.earliest is not None and facts.latest is not None and facts.earliest.row != facts.latest.row:
        plausible = t("plausible from {first} to {last}", first=when(facts.earliest.when), last=when(facts.latest.when))
    several = len(order.followers) > 1
    layout.caption(
        t("change points: by likelihood, on each sensor itself"),
        t("correlation: the lag at which both move together most, within ±{n} rows", n=order.most_lag) if several else "",
        plausible,
        tn(
            "intervals: 95 % for the {n} sensor (Bonferroni); an order is said where the interval leaves 0 out",
            "intervals: 95 % for all {n} sensors together (Bonferroni); an order is said where the interval leaves 0 out",
            len(order.followers),
        )
        if several
        else "",
    )


def _lead_row(follower: Any, moment: Any) -> dict[str, Any]:
    lag = follower.lag
    cells = {
        "sensor": follower.column,
        "changed": _changed(follower, moment),
        "lag": "–",
        "order": "–",
        "how": "",
    }
    if lag is None:
        return cells
    if not isinstance(lag, wf.Lag):
        return cells | {"how": say(lag.why)}
    how = t("change points") if lag.r is None else t("correlation {r}", r=f"{lag.r:.2f}".replace("-", "−"))
    order = t("not clear") if not lag.differs else t("later") if lag.rows > 0 else t("earlier")
    return cells | {
        "lag": f"{lag.rows:+d} ({lag.low:+d} … {lag.high:+d})".replace("-", "−").replace("+0", "0"),
        "order": order,
        "how": how,
    }


def _changed(follower: Any, moment: Any) -> str:
    """When a sensor changed; what was different already at the first row looked at changed there or before."""
    if moment is None:
        return t("cannot be told")
    return when(moment.when) if follower.onset.is_bounded else t("{when} or before", when=when(moment.when))


def _similar(alike: Any) -> None:
    """Past events that are like this one, with what was said of them and what helped."""
    if not alike.found:
        nearest = alike.nearest
        st.markdown(md(t("No similar event.")))
        if nearest is not None:
            layout.caption(
                t("nearest: {event} with {likeness}", event=event_name(nearest.past), likeness=f"{nearest.likeness:.2f}"),
                t("similar from {bar} on", bar=f"{alike.bar:g}"),
                tn("{n} event compared", "{n} events compared", alike.n_compared),
            )
        return
    rows = []
    for one in alike.found:
        verdict = one.past.verdict
        rows.append(
            {
                "event": event_name(one.past),
                "began": when(one.past.began),
                "likeness": one.likeness,
                "state": t("open") if verdict is None else verdict_word(verdict.verdict),
                "cause": "" if verdict is None else verdict.cause,
                "fix": "" if verdict is None else verdict.fix,
            }
        )
    config = {
        "event": st.column_config.TextColumn(t("event"), width="small"),
        "began": st.column_config.TextColumn(t("began")),
        "likeness": st.column_config.ProgressColumn(t("likeness"), format="%.2f", min_value=0.0, max_value=1.0, width="small"),
        "state": st.column_config.TextColumn(t("state")),
        "cause": st.column_config.TextColumn(t("cause"), width="medium"),
        "fix": st.column_config.TextColumn(t("what fixed it"), width="medium"),
    }
    st.dataframe(
        pd.DataFrame(rows),
        column_config=config,
        hide_index=True,
        key="similar_events",
        height="content",
        alt=t("Similar events"),
    )
    layout.caption(
        t("likeness: the same sensors, gone the same way; 1 is the same"),
        t("similar from {bar} on", bar=f"{alike.bar:g}"),
        tn("{n} event compared", "{n} events compared", alike.n_compared),
    )


def _ask(settings: wf.EventSettings, key: str) -> wf.EventSettings:
    """What is compared, and the settings behind it. They are read before the facts, from the state of their widgets."""
    titles = {"event": t("this event"), "similar": t("it and similar ones"), "all": t("all events")}
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        compared = st.segmented_control(
            t("Rows of"),
            list(titles),
            default=settings.compared,
            required=True,
            format_func=fixed(titles, titles.__getitem__),
            key=f"{key}.compared",
            label_visibility="collapsed",
        )
        with st.popover(t("Settings"), type="tertiary"):
            given = settings.model_dump()
            chosen = form_from_settings(wf.EventSettings, given, key=key, skip=("compared",))
    return wf.EventSettings.read({**chosen, "compared": compared or settings.compared})


def _is_is_not(facts: Any) -> None:
    """Where the event is and where it is not; then the lots and serials that it touches."""
    if facts.lines:
        rows = [
            {
                "column": t("shift by the clock") if line.column == wf.SHIFT else line.column,
                "value": line.value or t("(empty)"),
                "is": 100 * line.share,
                "is_not": 100 * line.normal_share,
                "stretches": f"{numbers.number(line.stretches)} · {numbers.number(line.normal_stretches)}",
                "p": t("not tested") if line.p is None else f"{line.p:.3g}",
                "clear": "" if not line.stands_out else t("more") if line.is_more else t("less"),
            }
            for line in facts.lines[:SHOWN_LINES]
        ]
        config = {
            "column": st.column_config.TextColumn(t("column")),
            "value": st.column_config.TextColumn(t("category")),
            "is": st.column_config.ProgressColumn(t("is"), format="%.0f %%", min_value=0.0, max_value=100.0, width="small"),
            "is_not": st.column_config.ProgressColumn(
                t("is not"), format="%.0f %%", min_value=0.0, max_value=100.0, width="small"
            ),
            "stretches": st.column_config.TextColumn(t("stretches")),
            "p": st.column_config.TextColumn(t("p, corrected")),
            "clear": st.column_config.TextColumn(t("stands out")),
        }
        st.dataframe(
            pd.DataFrame(rows), column_config=config, hide_index=True, key="is_is_not", height="content", alt=t("Is / is not")
        )
        clear = sum(line.stands_out for line in facts.lines)
        layout.caption(
            tn("{n} line stands out", "{n} lines stand out", clear),
            t("is: share of the flagged rows; is not: share of the normal rows"),
            t("p: Fisher's or chi-square test on stretches of rows with the same value, corrected by Holm over all lines"),
            t("first {n} of {all} lines", n=SHOWN_LINES, all=len(facts.lines)) if len(facts.lines) > SHOWN_LINES else "",
        )
    else:
        st.caption(md(t("There is no column of machines, lots or other categories to compare by.")))
    if alike := ", ".join(facts.agreeing):
        layout.caption(
            t("agrees with the label in every labelled row, so a cause or another name of it: {columns}", columns=alike)
        )
    if left := ", ".join(facts.truths):
        layout.caption(t("left out, as it says the same as the label: {columns}", columns=left))
    layout.notes([facts.note] if facts.note is not None else [])
    if not facts.suspects:
        return
    st.markdown(md(tn("{n} suspected lot or serial", "{n} suspected lots and serials", len(facts.suspects))))
    listed = pd.DataFrame(
        {
            t("column"): [s.column for s in facts.suspects],
            t("lot or serial"): [s.value for s in facts.suspects],
            t("rows in the event"): [s.rows for s in facts.suspects],
            t("rows in all"): [s.of for s in facts.suspects],
        }
    ).head(SHOWN_SUSPECTS)
    st.dataframe(
        listed,
        hide_index=True,
        key="suspects",
        height="content" if len(listed) <= 8 else 300,
        alt=t("Suspected lots and serials"),
    )
    layout.caption(
        t("everything made between its beginning and its end"),
        t("the first {n} of {all} are listed", n=SHOWN_SUSPECTS, all=len(facts.suspects))
        if len(facts.suspects) > SHOWN_SUSPECTS
        else "",
    )


def _history(event: AnomalyEvent, said: Sequence[Verdict]) -> None:
    """Everything that was ever said of this event, then what other runs say of its rows; nothing is overwritten."""
    if not said:
        st.caption(md(t("Nothing was said of this event yet.")))
    else:
        st.dataframe(history_table(said), hide_index=True, key="event_history", alt=t("History"), height="content")
    earlier_words.said_elsewhere(event)


def history_table(said: Sequence[Verdict], *, with_rows: bool = False) -> pd.DataFrame:
    """Verdicts as a table, the newest first."""
    newest = list(reversed(said))
    columns = {t("when"): [numbers.moment(v.created) for v in newest]}
    if with_rows:
        columns[t("rows")] = [f"{v.first_row + 1} – {v.last_row + 1}" for v in newest]
    columns |= {
        t("state"): [verdict_word(v.verdict) for v in newest],
        t("cause"): [v.cause for v in newest],
        t("what fixed it"): [v.fix for v in newest],
        t("assigned to"): [v.assigned_to for v in newest],
        t("comment"): [v.comment for v in newest],
        t("who"): [person.shown(v.owner) for v in newest],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    return pd.DataFrame(kept)
