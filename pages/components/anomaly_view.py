"""Anomalies: the score against its decision limit, events in order of severity, and one limit that moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.anomalies.records import AnomalyEvent, Verdict
from core.messages import Message, msg
from core.workflows.workspace import Workspace
from pages.components import (
    anomaly_event,
    anomaly_figures,
    chart_range,
    earlier_words,
    event_learning,
    event_tabs,
    excluded,
    layout,
    notices,
    numbers,
    run_view,
    scores_table,
)
from pages.components.event_words import when
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

STEPS = 60
ROOM_FOR_NAMES = 34
"""Letters in the column of sensors."""
MOST_EVENTS = 200
PART_TITLES = {0: msg("baseline period (Phase I)"), 1: msg("validation"), 2: msg("test"), 3: msg("gap")}


@st.cache_resource(show_spinner=False, max_entries=8, ttl=900)
def _view(_ws: Workspace, _results: Any, run_id: str, finished: str, threshold: float | None, newest: str) -> Any:
    return wf.anomaly_view(_ws, _results, threshold, without_deviations=True)


def views(ws: Workspace, results: Any) -> tuple[Any, Any]:
    """The run at its own decision limit, and at the one that was chosen in this session."""
    run, newest = results.run, wf.verdict_state(ws)
    own = _view(ws, results, run.id, str(run.finished), None, newest)
    threshold = _asked_limit(own, run.id)
    return own, own if threshold is None else _view(ws, results, run.id, str(run.finished), threshold, newest)


@st.fragment
def show(ws: Workspace, results: Any) -> None:
    """The screen of one run; moving the limit or choosing an event reruns only this."""
    run = results.run
    given = wf.list_verdicts(ws, run.id)
    own, view = views(ws, results)
    layout.headline(say(view.verdict))
    layout.figures(anomaly_figures.figures(results, view))
    anomaly_figures.budget(results, view)
    anomaly_figures.baselines(results.run)
    event_learning.effect(ws, results)
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        event = anomaly_event.choose(view)
        if event is not None:
            anomaly_event.rail(ws, results, view, event)
        _limit(own, run.id)
    with main:
        _timeline(results, view)
        if event is not None:
            with notices.guard():
                event_tabs.show(ws, results, view, event, given)
    _table(view)
    earlier_words.confirm_all(ws, results, view)
    _event_scores(results, view)
    event_learning.show(ws, results, own, len(given))
    _history(given)
    scores_table.table(results, float(view.threshold.value))


def _grid(view: Any, run_id: str) -> list[float]:
    """Limits that can be chosen: even steps on a logarithmic scale around the scores, the run's own among them and one taken from a budget."""
    own = float(view.threshold.value)
    taken = st.session_state.get(_taken_key(run_id), own)
    known = view.scores[np.isfinite(view.scores)]
    if not known.size or own <= 0:
        return [own]
    low, high = max(float(np.median(known)), own / 20), max(float(known.max()), own * 1.5)
    steps = np.geomspace(max(min(low, own * 0.8), 1e-12), high, STEPS)
    return sorted({own, float(taken), *(float(f"{v:.4g}") for v in steps)})


def _limit_key(run_id: str) -> str:
    return f"anomaly_limit.{run_id}"


def _taken_key(run_id: str) -> str:
    return f"{_limit_key(run_id)}.taken"


def use_limit(run_id: str, limit: float) -> None:
    """Put the limit of a run's events where another view found one, as the callback of a button."""
    st.session_state[_taken_key(run_id)] = limit
    st.session_state[_limit_key(run_id)] = limit


def _asked_limit(own: Any, run_id: str) -> float | None:
    value = st.session_state.get(_limit_key(run_id))
    return None if value is None or float(value) == float(own.threshold.value) else float(value)


def _limit(own: Any, run_id: str) -> None:
    key, grid, start = _limit_key(run_id), _grid(own, run_id), float(own.threshold.value)
    if len(grid) < 2:
        return
    if st.session_state.get(key) not in grid:
        st.session_state[key] = start
    st.select_slider(
        t("Decision limit (score)"),
        grid,
        format_func=numbers.number,
        key=key,
        help=md(t("Rows with a score above the limit are flagged. Nothing is trained again.")),
        persist_state="session",
    )
    moved = _asked_limit(own, run_id) is not None
    st.button(
        t("Back to {value}", value=start),
        key="reset_limit",
        disabled=not moved,
        icon=":material/undo:",
        on_click=_reset,
        args=(key, start),
        width="stretch",
    )


def _reset(key: str, start: float) -> None:
    st.session_state[key] = start


def _timeline(results: Any, view: Any) -> None:
    positions = np.asarray(view.times)
    single = view.groups is None
    rising = single and bool(np.all(np.diff(view.rows) > 0))
    is_time = rising and bool(np.issubdtype(positions.dtype, np.datetime64)) and bool(np.all(positions[1:] >= positions[:-1]))
    axis = chart_range.ArrayAxis(len(view.scores), positions if is_time else None)
    key = f"{results.run.id}.score_timeline"
    shown = chart_range.chosen(key, len(view.scores))
    part = shown.slice
    figure = drawing.score_timeline(
        scores=view.scores[part],
        limit=float(view.threshold.value),
        x=positions[part] if rising else np.arange(shown.start, shown.stop),
        rows=view.rows[part] if rising else None,
        flagged=view.flags[part],
        parts=view.parts[part],
        part_titles=PART_TITLES,
        events=[e for e in view.events if view.rows[part][0] <= e.peak_row <= view.rows[part][-1]] if rising else (),
        excluded=excluded.of_run(results.run) if rising else (),
        along=None if rising else msg("row"),
        score_title=view.score_unit,
        title=msg("Score of the {model}", model=run_view.model_name(results.run.model)),
        **charts_look(),
    )
    alt = t("{n} events over the decision limit {limit}", n=len(view.later), limit=numbers.number(float(view.threshold.value)))
    chart_range.show(figure, axis, alt=alt, key=key, height=330)
    source = msg("limit from {n} held-out normal blocks", n=view.threshold.n) if view.is_default else msg("limit moved by hand")
    layout.caption(
        say(
            drawing.caption_score_timeline(
                len(view.scores), positions if rising else None, source, view.n_refused, int(view.flags.sum())
            )
        ),
        excluded.words(results.run),
    )


def _table(view: Any) -> None:
    """Events, most severe first; a row opens its event."""
    if not view.events:
        return
    st.header(md(tn("{n} event, most severe first", "{n} events, most severe first", len(view.later))), anchor=False)
    if early := anomaly_figures.early(view):
        layout.caption(early)
    shown = view.events[:MOST_EVENTS]
    table = pd.DataFrame(
        {
            "event": [e.number for e in shown],
            "began": [when(e.began) for e in shown],
            "rows": [e.n_rows for e in shown],
            "severity": [e.severity for e in shown],
            "sensors": [_sensors(e) for e in shown],
            "verdict": [earlier_words.state_word(e) for e in shown],
            "cause": [v.cause if (v := _shown_verdict(e)) else "" for e in shown],
            "assigned": [v.assigned_to if (v := _shown_verdict(e)) else "" for e in shown],
            "score": [anomaly_event.sparkline(view, e) for e in shown],
        }
    )
    table = table.drop(columns=[name for name in ("cause", "assigned") if not table[name].any()])
    highest = max((e.severity or 0.0 for e in shown), default=1.0) or 1.0
    config = {
        "event": st.column_config.NumberColumn(t("event"), width=55),
        "began": st.column_config.TextColumn(t("first flag")),
        "rows": st.column_config.NumberColumn(t("rows"), help=t("flagged rows"), width=65),
        "severity": st.column_config.ProgressColumn(
            t("severity"), help=t("severity (× limit)"), format="%.2f", min_value=0.0, max_value=float(highest), width=90
        ),
        "sensors": st.column_config.TextColumn(t("sensors"), width=250),
        "verdict": st.column_config.TextColumn(t("verdict"), width=135),
        "cause": st.column_config.TextColumn(t("cause"), width=85),
        "assigned": st.column_config.TextColumn(t("for"), help=t("assigned to"), width=55),
        "score": st.column_config.LineChartColumn(t("score"), width=80),
    }
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        key="event_table",
        alt=t("Events, most severe first"),
        height="content" if len(shown) <= 8 else 320,
        on_select=_row_opened,
        selection_mode="single-row",
    )
    if len(view.events) > MOST_EVENTS:
        layout.caption(t("the first {n} of {all} are listed", n=MOST_EVENTS, all=len(view.events)))


def _sensors(event: AnomalyEvent) -> str:
    """The first of its three leading sensors whose names have room, and how many more there are; the rail has all of them."""
    names = [share.column for share in event.sensors[:3]]
    kept = next((n for n in range(len(names), 1, -1) if len(", ".join(names[:n])) <= ROOM_FOR_NAMES), 1)
    more = len(names) - kept
    return ", ".join(names[:kept]) + (f" +{more}" if more > 0 else "")


def _shown_verdict(event: Any) -> Verdict | None:
    """The verdict of an event, or that of another run that waits to be confirmed."""
    return event.verdict if event.taken_over is None else event.taken_over.verdict  # type: ignore[no-any-return]


@st.cache_resource(show_spinner=False, max_entries=16, ttl=900)
def _scores(_results: Any, _view: Any, run_id: str, finished: str, limit: float, shift_hours: float) -> Any:
    return wf.event_scores_of(_results, _view, shift_hours)


def _event_scores(results: Any, view: Any) -> None:
    """What the limit finds of labelled events, and how well the scores rank rows; nothing without labels."""
    if view.labels is None:
        return
    run = results.run
    hours = float(st.session_state.get(f"{event_tabs.SETTINGS}.{run.id}.shift_hours", wf.EventSettings().shift_hours))
    found = _scores(results, view, run.id, str(run.finished), float(view.threshold.value), hours)
    st.header(t("Judged by whole events"), anchor=False)
    if isinstance(found, Message):
        st.caption(md(say(found)))
        return
    share = t("{caught} of {all}", caught=numbers.number(found.n_caught), all=numbers.number(found.n_events))
    late = tn("{n} row", "{n} rows", round(found.delay_rows)) if found.n_caught else "–"
    if found.delay_seconds == found.delay_seconds:
        late += f" · {numbers.duration(found.delay_seconds)}"
    ranked = {key: run_view.metric_text(run.metrics.get(key)) for key in ("roc_auc", "average_precision", "vus_pr")}
    table = pd.DataFrame(
        {
            t("events caught"): [share],
            t("median delay"): [late],
            t("false events"): [numbers.number(found.n_false)],
            t("false events a shift"): [_rate(found, found.shift_hours)],
            t("false events a day"): [_rate(found, 24.0)],
            **{run_view.metric_title(key): [words] for key, words in ranked.items()},
        }
    )
    st.dataframe(table, hide_index=True, key="event_scores", alt=t("Judged by whole events"), height="content")
    layout.caption(
        t("labelled events of the test part, at this decision limit"),
        t("one flag within an event catches it; rows are never adjusted by that"),
        t("shifts of {hours} h; 95 % interval of the count in brackets", hours=found.shift_hours),
        "" if found.why_no_rate is None else say(found.why_no_rate),
    )


def _rate(found: Any, hours: float) -> str:
    """False events in so many hours, with the interval of the count."""
    if found.why_no_rate is not None:
        return "–"
    low, high = found.rate(hours, found.low), found.rate(hours, found.high)
    return f"{found.rate(hours):.3g} ({low:.2g} – {high:.3g})"


def _history(given: Sequence[Verdict]) -> None:
    """Everything that was ever said of this run's events; nothing is overwritten."""
    if not given:
        return
    with st.expander(t("Verdicts so far ({n})", n=len(given)), icon=":material/history:"):
        table = event_tabs.history_table(given, with_rows=True)
        st.dataframe(table, hide_index=True, key="verdict_history", alt=t("Verdicts so far"), height="content")


def _row_opened() -> None:
    rows = st.session_state["event_table"].selection.rows
    if rows:
        anomaly_event.open_event(rows[0] + 1)
