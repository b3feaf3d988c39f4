"""What other runs said of an event's rows, in words; and the button that makes it this run's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.anomalies.records import AnomalyEvent, EarlierVerdict
from core.workflows.workspace import Workspace
from pages.components import layout, notices, person
from pages.components.event_words import verdict_word
from pages.components.text import md, t, tn

SHOWN = 4


def state_word(event: AnomalyEvent) -> str:
    """The state of an event in a table: its verdict, one that waits to be confirmed, or open."""
    if event.verdict is not None:
        return verdict_word(event.verdict.verdict)
    taken = event.taken_over
    if taken is not None and taken.verdict.verdict != "open":
        return t("{verdict}, to confirm", verdict=verdict_word(taken.verdict.verdict))
    return t("open, see earlier runs") if event.is_ambiguous else t("open")


def note(event: AnomalyEvent) -> None:
    """Above the form of the verdict: where it starts from another run, or why it does not."""
    earlier, taken = event.earlier, event.taken_over
    if earlier is not None and event.is_ambiguous:
        said = "; ".join(_told(one) for one in earlier.newest[-SHOWN:])
        st.info(
            md(t("Other runs said different things of its rows: {said}. Nothing is taken over.", said=said)),
            icon=":material/call_merge:",
        )
    if earlier is None or taken is None:
        return
    who, run = person.shown(taken.verdict.owner), _run(taken)
    if who:
        words = [t("Taken over from run '{run}', by {who}. Save to confirm it, or change it first.", run=run, who=who)]
    else:
        words = [t("Taken over from run '{run}'. Save to confirm it, or change it first.", run=run)]
    if earlier.also:
        numbers = ", ".join(str(n) for n in earlier.also)
        words.append(
            tn(
                "It was one event there; event {numbers} here holds rows of it too.",
                "It was one event there; events {numbers} here hold rows of it too.",
                len(earlier.also),
                numbers=numbers,
            )
        )
    st.info(md(" ".join(words)), icon=":material/history:")


def confirm_all(ws: Workspace, results: Any, view: Any) -> None:
    """One line and a button, where other runs said something of this run's events; nothing else."""
    waiting = [e for e in view.events if e.taken_over is not None]
    if not waiting:
        return
    runs = sorted({e.taken_over.run_name for e in waiting})
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        st.markdown(
            md(
                tn(
                    "{n} event has a verdict in another run ({runs}). It counts here once it is confirmed.",
                    "{n} events have a verdict in other runs ({runs}). They count here once they are confirmed.",
                    len(waiting),
                    runs=", ".join(runs[:SHOWN]) + (" …" if len(runs) > SHOWN else ""),
                )
            )
        )
        clicked = st.button(
            tn("Confirm it", "Confirm all {n}", len(waiting)), key="confirm_verdicts", icon=":material/done_all:"
        )
    if clicked:
        with notices.guard():
            for event in waiting:
                wf.confirm_verdict(ws, results.run.id, event, by=person.name())
            notices.done(tn("{n} verdict confirmed", "{n} verdicts confirmed", len(waiting)))
            st.rerun()


def said_elsewhere(event: AnomalyEvent) -> None:
    """In the history of an event: everything that other runs said of its rows, the newest first."""
    said: Sequence[EarlierVerdict] = () if event.earlier is None else event.earlier.said
    for one in reversed(said):
        layout.caption(t("the same rows in run '{run}': {words}", run=_run(one), words=_words(one)), one.verdict.comment)


def _told(one: EarlierVerdict) -> str:
    return t(
        "rows {first} to {last} '{words}' in run '{run}'",
        first=one.verdict.first_row + 1,
        last=one.verdict.last_row + 1,
        words=_words(one),
        run=_run(one),
    )


def _words(one: EarlierVerdict) -> str:
    given = one.verdict
    return ", ".join(part for part in (verdict_word(given.verdict), given.cause, given.fix, person.shown(given.owner)) if part)


def _run(one: EarlierVerdict) -> str:
    """The run, with the table where it was trained on another one."""
    return f"{one.run_name} ({one.dataset_name})" if one.dataset_name else one.run_name
