"""Where a run errs most: machine, lot, shift, stretch of time; worst first, with what chance explains left out."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.evaluation.error_strata import ErrorStratum
from core.workflows.worst_strata import SHIFT, STRETCH
from pages.components import address_settings, class_view, layout, notices, numbers, state, words
from pages.components.explore_parts import export
from pages.components.forms import form_from_settings
from pages.components.layout import Figure
from pages.components.results_view import part_choice, part_word
from pages.components.text import md, say, t, tn

KEY = "worst_strata"


def show(results: wf.Results) -> None:
    """The view of one finished run."""
    head, main = st.container(), st.container()
    # In a row, as the table below needs the whole width.
    first, others = st.columns([0.27, 0.73], gap="medium", vertical_alignment="bottom")
    view = None
    owner = f"{KEY}.{results.run.id}"
    with main, notices.guard():
        with first:
            part = part_choice("strata_part")
        given = address_settings.read(wf.StrataErrorSettings, (), owner=owner).model_dump()
        with others:
            chosen = form_from_settings(wf.StrataErrorSettings, given, key=owner, skip=("part", "limit", "positive"), columns=3)
        limit, positive = class_view.chosen_limit(results) if results.task == "classification" else (None, None)
        settings = wf.StrataErrorSettings.read({**chosen, "part": part, "limit": limit, "positive": positive})
        address_settings.note(settings, owner=owner)
        view = _view(str(state.workspace().home), results.run.id, settings.model_dump_json(), results)
    if view is None:
        return
    with head:
        layout.headline(
            say(view.headline),
            t(
                "Each stratum is held against all other rows; as many are looked at, p values are adjusted (Holm), and rows that follow each other count as one."
            ),
        )
    with main:
        layout.figures(_figures(view))
    _table(view)
    layout.caption(
        tn("n = {n} row", "n = {n} rows", view.n),
        part_word(part),
        t("decision limit {value}", value=settings.limit) if settings.limit is not None else "",
        t("not looked at, too many values: {columns}", columns=", ".join(view.left_out)) if view.left_out else "",
    )
    export(t("Strata (CSV)"), f"andon-strata-{results.run.id}.csv", partial(wf.export_worst, view), key=f"{KEY}.export")


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, run_id: str, settings: str, _results: wf.Results) -> wf.WorstStrata:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.worst_strata(_results, wf.StrataErrorSettings.model_validate_json(settings))


def _error(view: wf.WorstStrata, value: float) -> str:
    return numbers.percent(value) if view.are_classes else numbers.number(value, words.unit_word(view.unit))


def _bare(view: wf.WorstStrata, value: float) -> str:
    """The error as it stands in the table, whose head has the unit."""
    return f"{100 * value:.3g}" if view.are_classes else f"{value:.3g}"


def _figures(view: wf.WorstStrata) -> list[Figure]:
    name = t("Wrong rows") if view.are_classes else t("Typical error (RMSE)")
    found = [
        Figure(name, _error(view, view.whole), t("all rows")),
        Figure(t("Worse strata"), numbers.number(len(view.worse)), t("of {n}", n=len(view.strata))),
    ]
    if view.drift is not None:
        sign = "+" if view.drift > 0 else "−"
        clear = t("a drift, more than chance") if view.drifts else t("no drift to be seen")
        found.append(
            Figure(
                t("From first to last rows"),
                f"{sign}{_error(view, abs(view.drift))}",
                clear,
                help=t("A straight line through the error of 20 stretches of time (Theil and Sen), with Kendall's test."),
            )
        )
    return found


def _table(view: wf.WorstStrata) -> None:
    if not view.strata:
        st.info(md(t("Give the data a column of machines, lots or shifts, or a time column, to see where the error lies.")))
        return
    rows = [_row(view, s) for s in view.strata]
    table = pd.DataFrame(rows)
    unit = "%" if view.are_classes else words.unit_word(view.unit)
    config = {
        "verdict": st.column_config.TextColumn(t("finding"), width=132),
        "column": st.column_config.TextColumn(t("column")),
        "stratum": st.column_config.TextColumn(t("stratum")),
        "n": st.column_config.NumberColumn(t("rows")),
        "error": st.column_config.TextColumn(_with_unit(t("wrong rows") if view.are_classes else t("RMSE"), unit)),
        "span": st.column_config.TextColumn(t("95 % interval"), width=135),
        "others": st.column_config.TextColumn(t("all others")),
        "bias": st.column_config.TextColumn(t("bias"), help=md(t("Mean of measured less predicted."))),
        "p": st.column_config.TextColumn("p", help=md(t("Chance of such a difference without one, adjusted by Holm."))),
    }
    kept = [name for name in config if name in table.columns and not (name == "bias" and view.are_classes)]
    st.dataframe(
        table[kept],
        column_config=config,
        hide_index=True,
        key=f"{KEY}_table",
        height="content" if len(rows) <= 12 else 460,
        alt=t("Strata, the worst first"),
    )


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _row(view: wf.WorstStrata, s: ErrorStratum) -> dict[str, Any]:
    low, high = s.bounds
    span = "" if low is None or high is None else f"{_bare(view, low)} – {_bare(view, high)}"
    if s.p is None:
        verdict = t("too few rows to tell")
    elif s.is_worse:
        verdict = "! " + t("worse")
    else:
        verdict = t("better") if s.p < 0.05 else t("as the others")
    return {
        "verdict": verdict,
        "column": {SHIFT: t("shift by the clock"), STRETCH: t("stretch of time")}.get(s.column, s.column),
        "stratum": s.stratum,
        "n": s.n,
        "error": _bare(view, s.error),
        "span": span,
        "others": _bare(view, s.others),
        "bias": "" if s.bias is None else f"{s.bias:+.3g}",
        "p": "–" if s.p is None else numbers.number(s.p) if s.p >= 0.0001 else "< 0.0001",
    }
