"""How many false alarms may there be? The decision limit that keeps a budget, with both promises and what each buys."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.anomalies.alarm_logic import Bought
from core.errors import Problem
from pages.components import address_settings, anomaly_view, layout, notices, numbers, state, views
from pages.components.event_words import when
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.text import md, say, t, tn

KEY = "alarm_budget"
SHOWN_EVENTS = 30


def show(results: wf.Results) -> None:
    """The view of one finished run."""
    head = st.container()
    main, rail = st.columns([0.72, 0.28], gap="medium")
    settings, owner = None, f"{KEY}.{results.run.id}"
    with rail, notices.guard():
        given = _with_budget(address_settings.read(wf.AlarmBudgetSettings, (), owner=owner), results).model_dump()
        prefix = f"{KEY}.{results.run.id}"
        chosen = form_from_settings(wf.AlarmBudgetSettings, given, key=prefix, expert_only=False)
        with st.expander(t("More")):
            chosen |= form_from_settings(wf.AlarmBudgetSettings, given, key=prefix, expert_only=True)
        settings = _without_budget(wf.AlarmBudgetSettings.read(chosen), results)
    if settings is None:
        return
    address_settings.note(settings, owner=owner)
    try:
        view = _view(str(state.workspace().home), results.run.id, settings.model_dump_json(), results)
    except Problem as problem:
        with head:
            layout.headline(t("There is no decision limit for this budget"))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), t("The limit belongs to the whole logic: k of n scores above it, then quiet rows."))
    with main, notices.guard():
        _drawn(view)
        _beside_events(view)
        _events(results, view)


def _with_budget(settings: wf.AlarmBudgetSettings, results: wf.Results) -> wf.AlarmBudgetSettings:
    """With the budget that holds where none was asked for, so that the field shows it."""
    if settings.per_week is not None or settings.rate is not None or not wf.counts_weeks(results):
        return settings
    return settings.model_copy(update={"per_week": wf.weekly_budget(results.run)})


def _without_budget(settings: wf.AlarmBudgetSettings, results: wf.Results) -> wf.AlarmBudgetSettings:
    """Without a weekly budget that the screen filled in, so that a share of rows can be typed instead of it."""
    return settings.model_copy(update={"per_week": None}) if settings.per_week == wf.weekly_budget(results.run) else settings


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, run_id: str, settings: str, _results: wf.Results) -> wf.AlarmBudgetView:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.alarm_budget_view(_results, wf.AlarmBudgetSettings.model_validate_json(settings))


def _drawn(view: wf.AlarmBudgetView) -> None:
    layout.figures(_figures(view))
    st.subheader(t("Two promises"), anchor=False)
    titles = (t("Kept in the mean of many such limits"), t("Kept by this limit, with 95 % confidence"))
    for title, limit in zip(titles, (view.chosen.average, view.chosen.confident), strict=True):
        icon = ":green[:material/check_circle:]" if limit.value is not None else ":orange[:material/warning:]"
        st.markdown(f"{icon} **{md(title)}**: {md(say(limit.sentence))}")
    st.subheader(t("What a logic buys at this budget"), anchor=False)
    rows = [_row(choice) for choice in (view.chosen, *view.beside)]
    config = {
        "logic": st.column_config.TextColumn(t("Alarm when")),
        "limit": st.column_config.NumberColumn(t("Decision limit"), format="%.5g"),
        "sure": st.column_config.NumberColumn(t("95 % sure limit"), format="%.5g"),
        "caught": st.column_config.TextColumn(t("Events caught")),
        "delay": st.column_config.TextColumn(t("after rows")),
        "steps": st.column_config.TextColumn(t("Steps caught")),
        "step_delay": st.column_config.TextColumn(t("after rows")),
    }
    kept = {name: c for name, c in config.items() if any(row[name] not in (None, "") for row in rows)}
    table = pd.DataFrame(rows)[list(kept)]
    st.dataframe(table, column_config=kept, hide_index=True, key=f"{KEY}_table", alt=t("Logics at the same budget"))
    caption(
        tn("limits from {n} held-out normal row", "limits from {n} held-out normal rows", view.n_normal),
        t("events: labelled ones of the test part; after rows: from their begin to the alarm, in the middle"),
        t("steps: lasting shifts added to normal rows, of the size in the rail under More"),
    )
    layout.notes(view.notes)


def _beside_events(view: wf.AlarmBudgetView) -> None:
    """How the limit stands to that of the events; one of single scores can be taken there."""
    words = view.beside_events
    if words is None:
        return
    logic = view.chosen.logic
    is_single = (logic.k, logic.n, logic.hold_off) == (1, 1, 0)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_beside"):
        caption(say(words))
        if is_single and not view.is_as_events:
            st.button(
                t("List events at this limit"),
                icon=":material/tune:",
                key=f"{KEY}_use",
                on_click=_use,
                args=(view.run_id, view.chosen.limit),
            )


def _use(run_id: str, limit: float) -> None:
    anomaly_view.use_limit(run_id, limit)
    views.go_to_view("events", key="anomalies_view")


def _events(results: wf.Results, view: wf.AlarmBudgetView) -> None:
    """What becomes of each event of the list, and why one is no alarm."""
    events = anomaly_view.views(state.workspace(), results)[1].events[:SHOWN_EVENTS]
    if not events:
        return
    told = wf.budget_events(results, view, events)
    n = sum(one.alarm_row is not None for one in told)
    st.subheader(t("What becomes of each event"), anchor=False)
    table = pd.DataFrame(
        {
            t("event"): [one.event.number for one in told],
            t("first flag"): [when(one.event.began) for one in told],
            t("with this logic"): [say(one.why) for one in told],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        key=f"{KEY}_events",
        alt=t("What becomes of each event"),
        height="content" if len(table) <= 8 else 320,
        column_config={
            t("event"): st.column_config.NumberColumn(width=60),
            t("first flag"): st.column_config.TextColumn(width=130),
        },
    )
    caption(tn("{n} event raises an alarm", "{n} events raise an alarm", n), t("of {n} listed", n=len(told)))


def _figures(view: wf.AlarmBudgetView) -> list[Figure]:
    chosen = view.chosen
    budget = numbers.number(view.per_week) if view.per_week is not None else numbers.percent(view.rate)
    low, high = chosen.measured[1], chosen.measured[2]
    span = f"{numbers.percent(low)} – {numbers.percent(high)}"
    sure = chosen.confident
    return [
        Figure(
            t("Budget a week") if view.per_week is not None else t("Budget"),
            budget,
            "" if view.per_week is None else t("{share} of the rows", share=numbers.percent(view.rate)),
        ),
        Figure(
            t("Decision limit"),
            numbers.number(chosen.limit),
            t("kept on average") if chosen.is_promised else t("estimated") if chosen.is_estimated else t("promises nothing"),
        ),
        Figure(
            t("95 % sure limit"),
            numbers.number(sure.value),
            "" if sure.value is not None else tn("{n} row short", "{n} rows short", sure.missing_rows),
        ),
        Figure(
            t("In normal rows"),
            numbers.percent(chosen.measured[0]),
            t("95 %: {span}", span=span),
            help=t("Alarms, as a share of the normal rows that gave the limit."),
        ),
    ]


def _row(choice: wf.AlarmChoice) -> dict[str, Any]:
    logic = choice.logic
    words = t("a score is above") if (logic.k, logic.n) == (1, 1) else t("{k} of {n} scores are above", k=logic.k, n=logic.n)
    if logic.hold_off:
        words = tn("{logic}, then {n} quiet row", "{logic}, then {n} quiet rows", logic.hold_off, logic=words)
    return {
        "logic": words,
        "limit": choice.limit,
        "sure": choice.confident.value,
        "caught": _caught(choice.on_events),
        "delay": _delay(choice.on_events),
        "steps": _caught(choice.on_steps),
        "step_delay": _delay(choice.on_steps),
    }


def _caught(found: Bought | None) -> str:
    return "" if found is None else t("{percent} of {of}", percent=numbers.percent(found.caught), of=numbers.number(found.n))


def _delay(found: Bought | None) -> str:
    return "" if found is None else numbers.number(found.delay)
