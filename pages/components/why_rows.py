"""Why, on Predictions: one row's output by column, what would have changed it, and what the model lives on as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import dependence_curve, effect_bars
from core.messages import msg
from pages.components import charts, layout, notices, numbers, state, why_parts
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "why"
COVERS = {"centre": "centre", "expected": "expected"}
SMALL_REST = 1e-3
"""Below this share of the output the rest is rounding of a model that adds columns up."""


@st.cache_resource(show_spinner=False, max_entries=8, ttl=1800)
def _importance(_explainer: wf.Explainer, run_id: str) -> wf.ImportanceView:
    return wf.global_importance(_explainer)


@st.cache_resource(show_spinner=False, max_entries=16, ttl=1800)
def _dependence(_explainer: wf.Explainer, run_id: str, column: str, method: Any, klass: str | None) -> wf.DependenceView:
    return wf.column_dependence(_explainer, column, method=method, klass=klass)


@st.cache_data(show_spinner=False, max_entries=8, ttl=1800)
def _worst(_results: Any, run_id: str) -> list[int]:
    return [int(row) for row in wf.worst_rows(_results)]


@st.fragment
def show(results: Any) -> None:
    """The view of one finished run."""
    head = st.container()
    explainer = why_parts.explainer_of(results)
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        row = _row(results)
        klass = _class(results, explainer)
        cover = _cover(explainer)
    with notices.guard():
        view = wf.row_why(explainer, row, klass=klass, cover=cover)  # type: ignore[arg-type]
        with head:
            layout.headline(why_parts.capital(say(view.headline)), _about(cover))
        with main:
            alt = t("What each column adds to row {row}", row=row + 1)
            why_parts.effects_chart(view.effects, view.said, key=f"{KEY}_row", alt=alt)
            layout.caption(*_under(view))
        why_parts.change_section(explainer, row, key=f"{KEY}.change.{results.run.id}")
        _global(explainer, view)
        why_parts.gradient_section(explainer, view.said, [row], key=f"{KEY}.gradients")


def _about(cover: str) -> str:
    if cover == "expected":
        return t(
            "Each column in turn is replaced by what the other columns say of it; what the output loses is what only this column "
            "knows. Two copies of a sensor then add nothing each."
        )
    return t(
        "Each column in turn is set to the middle of the training part over the whole window; what the output loses is what the "
        "column adds to an average row. Effects of columns that only count together hide each other."
    )


def _under(view: wf.RowWhy) -> list[str]:
    unit = f" {view.said.unit}" if view.said.unit else ""
    return [
        t("row {row}", row=view.row + 1),
        t("the model called it '{name}'", name=view.called) if view.called is not None else "",
        t("an average row gives {value}", value=f"{view.centre:.5g}{unit}"),
        t("the columns' parts add up to {value}", value=f"{view.parts:+.4g}{unit}"),
        t("of {value}", value=f"{view.output - view.centre:+.4g}{unit}"),
        say(wf.rest_words(view)) if abs(view.rest) > SMALL_REST * max(abs(view.parts), abs(view.output - view.centre)) else "",
    ]


def _row(results: Any) -> int:
    """The row that is looked at: one of the worst of the test part, or any by its number. People count from 1, the address from 0."""
    worst = _worst(results, results.run.id)
    asked = st.query_params.get("row", "")
    first = int(asked) if asked.isdecimal() and int(asked) < results.n_rows else (worst[0] if worst else 0)
    key = f"{KEY}_row_number.{results.run.id}"
    if key not in st.session_state:
        st.session_state[key] = first + 1
    st.number_input(
        t("Row"),
        min_value=1,
        max_value=results.n_rows,
        step=1,
        key=key,
        help=md(
            t(
                "Counted from 1, as on every screen and in every file that is saved here; --row of the command line counts from 0."
            )
        ),
    )
    if worst:
        with st.container(horizontal=True, vertical_alignment="center"):
            shown = int(st.session_state[key]) - 1
            place = worst.index(shown) if shown in worst else None
            words = (
                t("{n} of the {of} worst rows", n=place + 1, of=len(worst))
                if place is not None
                else t("not among the worst rows")
            )
            following = worst[0] if place is None else worst[(place + 1) % len(worst)]
            st.button(
                t("Next of the worst"), key=f"{KEY}_next", icon=":material/skip_next:", on_click=_take, args=(key, following)
            )
        layout.caption(words)
    row = int(st.session_state[key]) - 1
    state.note_in_address("row", str(row))
    return row


def _take(key: str, row: int) -> None:
    st.session_state[key] = row + 1


def _class(results: Any, explainer: wf.Explainer) -> str | None:
    """The class whose probability is explained; by default the class to catch, for every row the same."""
    if results.task != "classification":
        return None
    classes = [str(name) for name in (results.manifest.target or {})["classes"]]
    caught = wf.what_is_said(explainer).klass
    chosen = st.selectbox(
        t("Class"),
        classes,
        index=classes.index(str(caught)),
        format_func=fixed(classes, str),
        key=f"{KEY}_class.{results.run.id}",
    )
    return str(chosen)


def _cover(explainer: wf.Explainer) -> str:
    if explainer.bundle.pipeline.plan.n_tokens:  # other columns expect nothing of a word
        return "centre"
    words = {"centre": t("the middle of the training part"), "expected": t("what the others expect")}
    chosen = st.radio(
        t("A column is covered by"), list(COVERS), format_func=fixed(COVERS, words.__getitem__), key=f"{KEY}_cover"
    )
    return str(chosen)


def _global(explainer: wf.Explainer, view: wf.RowWhy) -> None:
    st.header(md(t("The model as a whole")), anchor=False)
    left, right = st.columns(2, gap="medium")
    with left, notices.guard():
        _importances(explainer)
    with right, notices.guard():
        _curve(explainer, view)


def _importances(explainer: wf.Explainer) -> None:
    """Measured when asked for: it takes some seconds."""
    is_on = st.toggle(
        t("Shuffle each column of the test part"),
        key=f"{KEY}_importance_on",
        help=md(t("How much the error grows when a column no longer belongs to its rows. It takes up to some ten seconds.")),
    )
    if not is_on:
        return
    with st.spinner(t("Shuffling one column after another …")):
        found = _importance(explainer, explainer.results.run.id)
    shown = found.found.singles[:15]
    figure = effect_bars(
        names=[one.columns[0] for one in shown],
        effects=np.array([one.mean for one in shown]),
        spreads=np.array([one.reach for one in shown]),
        what=found.what,
        unit=found.unit,
        title=msg("What shuffling a column costs"),
        **charts_look(),
    )
    charts.show(figure, alt=say(found.headline), key=f"{KEY}_importance")
    layout.caption(
        say(found.headline),
        tn("{n} row of the test part", "{n} rows of the test part", found.found.n),
        tn("{n} repeat", "{n} repeats", found.found.repeats),
        t("bars: 95 % interval, of other shuffles and other rows"),
    )
    if found.found.groups:
        st.caption(md(t("These columns go together (|r| > 0.9) and cover for each other; shuffled together they count more:")))
        table = pd.DataFrame(
            {
                t("columns"): [", ".join(one.columns) for one in found.found.groups],
                say(found.what): numbers.five_digits(np.array([one.mean for one in found.found.groups])),
            }
        )
        st.dataframe(table, hide_index=True, key=f"{KEY}_groups", height="content", alt=t("Columns that go together"))


def _curve(explainer: wf.Explainer, view: wf.RowWhy) -> None:
    options = list(explainer.numbers)
    if not options:
        st.caption(md(t("The model reads no column of numbers.")))
        return
    strongest = next((e.column for e in view.effects if e.column in options), options[0])
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        column = st.selectbox(
            t("Column"),
            options,
            index=options.index(strongest),
            format_func=fixed(options, str),
            key=f"{KEY}_column.{explainer.results.run.id}",
        )
        names = {"ale": t("local effects (ALE)"), "pdp": t("partial dependence")}
        method = st.segmented_control(
            t("Curve"),
            list(names),
            default="ale",
            required=True,
            format_func=fixed(names, names.__getitem__),
            key=f"{KEY}_method",
        )
    found = _dependence(explainer, explainer.results.run.id, str(column), str(method), view.said.klass)
    here = next((e.value for e in view.effects if e.column == column), None)
    figure = dependence_curve(
        values=found.curve.values,
        effects=found.curve.effects,
        is_thin=found.curve.is_thin,
        n_near=found.curve.n_near,
        column=found.column,
        unit=found.unit,
        what=found.said.what,
        what_unit=found.said.unit,
        here=here,
        **charts_look(),
    )
    charts.show(figure, alt=say(found.headline), key=f"{KEY}_curve")
    about = (
        t("dotted grey, a guess: few rows near, or the other columns do not allow it")
        if method == "pdp"
        else t("dotted grey, a guess: fewer than ten rows near")
    )
    layout.caption(say(found.headline), tn("{n} training row", "{n} training rows", found.curve.n), about)
