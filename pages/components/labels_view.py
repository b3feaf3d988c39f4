"""Likely wrong labels, and a screen on which a person labels rows anew without seeing the label or the model's answer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.errors import Problem
from core.spc.kappa import Kappa
from pages.components import address_settings, layout, notices, numbers, person
from pages.components.explore_parts import export
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.text import md, say, t, tn

KEY = "labels"
MOST_CLASSES = 12


def show(ws: wf.Workspace, results: wf.Results) -> None:
    """The view of one finished run."""
    head = st.container()
    main, rail = st.columns([0.7, 0.3], gap="medium")
    owner = f"{KEY}.{results.run.id}"
    settings = wf.LabelSettings()
    with rail, notices.guard():
        given = address_settings.read(wf.LabelSettings, (), owner=owner).model_dump()
        st.markdown(f"**{md(t('Which rows are asked about'))}**")
        settings = wf.LabelSettings.read(form_from_settings(wf.LabelSettings, given, key=owner))
        address_settings.note(settings, owner=owner)
    try:
        view = wf.label_view(results)
    except Problem as problem:
        with head:
            layout.headline(t("The labels of this run cannot be judged"))
        with main:
            notices.problem(problem)
        return
    people = wf.relabelling(ws, results, view, settings)
    with rail:
        caption(say(people.sentence))
    with head:
        layout.headline(
            say(view.headline),
            t(
                "A row is listed where the model is as sure of another class as it usually is of that class. The model had not seen these rows."
            ),
        )
    with main, notices.guard():
        layout.figures(_figures(view, people))
        caption(say(people.told) if people.answers else "", _calm(people))
        asked, listed = st.tabs([t("Label anew, blindly"), t("Likely problems")])
        with asked:
            _asked(ws, results, view, people)
        with listed:
            _listed(view, people)
        layout.notes(view.notes)
        row = st.container(horizontal=True)
        with row:
            export(
                t("Likely problems (CSV)"), "label-problems.csv", partial(wf.export_label_problems, view), key=f"{KEY}.problems"
            )
            if people.answers:
                write = partial(_relabelled, ws, results, view)
                export(t("Table with new labels (CSV)"), "relabelled.csv", write, key=f"{KEY}.relabelled")


def _relabelled(ws: wf.Workspace, results: wf.Results, view: wf.LabelView, path: Path) -> None:
    wf.export_relabelled(ws, results, view, path)


def _figures(view: wf.LabelView, people: wf.Relabelling) -> list[Figure]:
    """Each with the whole that it is of: they are of different ones."""
    judged = t("of {n} judged", n=len(view.rows))
    kappa, asked = people.kappa, people.suspected[2]
    blind = asked + people.unsuspected[1]
    return [
        Figure(
            t("Likely wrong"),
            numbers.number(len(view.problems)),
            judged,
            help=t("Rows whose label is likely wrong, of all rows that were judged."),
        ),
        Figure(
            t("Estimated wrong"),
            numbers.percent(view.found.share),
            judged,
            help=t("From the confident joint, over all judged rows."),
        ),
        Figure(
            t("Confirmed"),
            t("{n} of {of}", n=people.n_confirmed, of=asked) if asked else "–",
            t("answered suspicions") if asked else t("no answer yet"),
            help=t("Answered suspicions in which the person did not give the label; only those that were answered blindly."),
        ),
        Figure(
            t("Kappa"),
            numbers.number(kappa.value) if isinstance(kappa, Kappa) else "–",
            tn("of {n} blind answer", "of {n} blind answers", blind),
            help=t("Agreement of the answers with the labels beyond chance, over all rows that were answered blindly."),
        ),
    ]


def _calm(people: wf.Relabelling) -> str:
    same, of = people.unsuspected
    return t("{same} of {of} answered unsuspected rows as labelled", same=same, of=of) if of else ""


def _asked(ws: wf.Workspace, results: wf.Results, view: wf.LabelView, people: wf.Relabelling) -> None:
    """One row at a time: the classes as buttons, then its values and neighbours; the label shows only after the answer."""
    last = st.session_state.get(f"{KEY}.last.{view.run_id}")
    if last is not None:
        _revealed(results, view, people, int(last))
    if not people.waiting:
        st.markdown(md(t("Every row has an answer.") if people.queue else t("There is nothing to ask about.")))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            person.ask(key=f"{KEY}.by", width=220)
            _take_back(ws, view, people)
        return
    row = people.waiting[0]
    done = len(people.queue) - len(people.waiting)
    st.progress(done / len(people.queue), t("{done} of {total} rows answered", done=done, total=len(people.queue)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = person.ask(key=f"{KEY}.by", width=220)
        answer = _choice(view, row)
        _take_back(ws, view, people)
    if answer is not None:
        _answer(ws, view, row, answer, by)
    caption(t("What is the row with ▶? Its label and the model's answer are hidden until you have answered."))
    table = wf.row_with_neighbours(results, row)
    marks = ["▶" if index == row else "" for index in table.index]
    st.dataframe(
        pd.concat([pd.DataFrame({"": marks}, index=table.index), table], axis=1),
        hide_index=True,
        key=f"{KEY}_row",
        column_config={"": st.column_config.TextColumn("", width=40, pinned=True)},
        alt=t("The row and its neighbours, without label"),
    )


def _choice(view: wf.LabelView, row: int) -> str | None:
    """The class that was clicked; of many classes one is chosen from a list first."""
    if len(view.classes) > MOST_CLASSES:
        chosen = st.selectbox(
            t("Class"), view.classes, index=None, key=f"{KEY}.class.{row}", placeholder=t("choose"), width=220
        )
        clicked = st.button(t("Answer"), key=f"{KEY}_answer_{row}", type="primary", disabled=chosen is None)
        return str(chosen) if clicked else None
    answer = None
    for place, name in enumerate(view.classes):
        # Each row has buttons of its own: with one key for all, a double click would answer the next row unseen.
        if st.button(md(name), key=f"{KEY}_answer_{row}_{place}"):
            answer = name
    return answer


def _take_back(ws: wf.Workspace, view: wf.LabelView, people: wf.Relabelling) -> None:
    if people.answers:
        st.button(
            t("Take the last answer back"),
            key=f"{KEY}_undo_{len(people.answers)}",  # a second click of a double click finds another button, as above
            icon=":material/undo:",
            type="tertiary",
            on_click=_undo,
            args=(ws, view),
            help=md(t("Its row is asked again. Its label has been seen, so that it counts in no agreement any more.")),
        )


def _answer(ws: wf.Workspace, view: wf.LabelView, row: int, answer: str, by: str) -> None:
    with notices.guard():
        wf.answer_row(ws, view, row, answer, by=by)
        st.session_state[f"{KEY}.last.{view.run_id}"] = row
        st.rerun()


def _undo(ws: wf.Workspace, view: wf.LabelView) -> None:
    with notices.guard():
        row = wf.undo_answer(ws, view, by=person.name())
        st.session_state.pop(f"{KEY}.last.{view.run_id}", None)
        notices.done(t("The answer on row {row} is taken back", row=row + 1))


def _revealed(results: wf.Results, view: wf.LabelView, people: wf.Relabelling, row: int) -> None:
    """What the row before was labelled and what the model said, now that it is answered."""
    if row not in people.answers:
        return
    cells = results.cells(["truth", "prediction"], pd.Index([row]).to_numpy())
    said = t(
        "Row {row}: you said {answer}; it is labelled {label}, the model says {model}.",
        row=row + 1,
        answer=people.answers[row],
        label=str(cells["truth"].iloc[0]),
        model=str(cells["prediction"].iloc[0]),
    )
    st.caption(f":material/visibility: {md(said)}")


def _listed(view: wf.LabelView, people: wf.Relabelling) -> None:
    if not people.answers and people.waiting:
        caption(t("Who looks here first is no longer blind: label anew before."))
    config: dict[str, Any] = {
        "row": st.column_config.NumberColumn(t("Row")),
        "label": st.column_config.TextColumn(t("Label")),
        "suggested": st.column_config.TextColumn(t("Rather")),
        "confidence": st.column_config.NumberColumn(t("Chance of the label (%)"), format="%.1f"),
        "margin": st.column_config.NumberColumn(t("Margin"), format="%.3f"),
        "answer": st.column_config.TextColumn(t("Answered")),
    }
    rows = [
        {
            "row": p.row + 1,
            "label": p.label,
            "suggested": p.suggested,
            "confidence": 100 * p.self_confidence,
            "margin": p.margin,
            "answer": people.answers.get(p.row, ""),
        }
        for p in view.problems
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=list(config)),
        column_config=config,
        hide_index=True,
        key=f"{KEY}_table",
        alt=t("Rows whose label is likely wrong"),
    )
