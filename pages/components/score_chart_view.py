"""A run's scores or residuals as a control chart: limits of Phase I that keep a promised share of false alarms, and its EWMA."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core import workflows as wf
from core.charts import caption_control, control_chart
from core.errors import Problem
from core.messages import msg
from core.spc.rules import Rule, Signal
from pages.components import address_settings, chart_range, charts, layout, notices, numbers, state
from pages.components.control_view import HEIGHTS
from pages.components.explore_parts import export
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY, ASKED = "score_chart", "score_chart_asked"
DEPENDENT = 0.05
METHODS = {
    "individuals": msg("normal"),
    "quantiles": msg("ranks"),
    "residuals": msg("residuals"),
    "moving_centre": msg("moving"),
    "clusters": msg("clusters"),
}


def show(results: wf.Results) -> None:
    """The view of one finished run."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    settings = None
    with rail, notices.guard():
        settings = _rail(results.run.id)
    if settings is None:
        return
    address_settings.note(settings, owner=f"{KEY}.{results.run.id}")
    try:
        view = _view(str(state.workspace().home), results.run.id, settings.model_dump_json(), results)
    except Problem as problem:
        with head:
            layout.headline(t("There is no control chart of this run as it is set"))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), " ".join(say(reason) for reason in view.found.why))
    with main, notices.guard():
        _drawn(view, settings)


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, run_id: str, settings: str, _results: wf.Results) -> wf.ScoreChartView:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.score_chart_view(_results, wf.ScoreChartSettings.model_validate_json(settings))


def _rail(run_id: str) -> wf.ScoreChartSettings:
    generation, asked = st.session_state.get(ASKED, {}).get(run_id, (0, None))
    given = asked or address_settings.read(wf.ScoreChartSettings, (), owner=f"{KEY}.{run_id}")
    st.markdown(f"**{md(t('Phase I and promise'))}**")
    caption(t("Empty fields: the validation part, and the false alarms of 3 σ limits."))
    prefix = f"{KEY}.{run_id}.{generation}"
    main = ("first_row", "last_row", "rate", "per_week")
    rest = [name for name in wf.ScoreChartSettings.model_fields if name not in main]
    values = given.model_dump()
    chosen = form_from_settings(wf.ScoreChartSettings, values, key=prefix, skip=rest)
    caption(t("or draw Phase I on the chart"))
    with st.expander(t("More")):
        chosen |= form_from_settings(wf.ScoreChartSettings, values, key=prefix, skip=main)
    return wf.ScoreChartSettings.read(chosen)


def _drawn(view: wf.ScoreChartView, settings: wf.ScoreChartSettings) -> None:
    layout.figures(_figures(view))
    n, series = len(view.rows), view.series
    is_ascending = bool(np.all(series.times[1:] >= series.times[:-1])) if n > 1 else True
    along = series.times if is_ascending else None
    axis = chart_range.ArrayAxis(n, along if along is None or along.dtype.kind not in "iu" else along + 1)
    shown = chart_range.chosen(f"{KEY}.{view.run_id}", n)
    marks = (view.found.chart.outside, view.found.twin.outside)
    for place, (chart, outside) in enumerate(zip((view.found.chart, view.found.twin), marks, strict=True)):
        found = (Signal(1, Rule("limit"), outside),)
        figure = control_chart(
            chart=chart,
            signals=found,
            column=say(series.what),
            unit=series.unit,
            x=along,
            rows=view.rows,
            shown=None if shown.is_whole else shown.slice,
            title=view.title(place),
            **charts_look(),
        )
        on_box = partial(_phase_drawn, axis, view, settings)
        charts.show_selectable(
            figure, alt=say(view.headline), key=f"{KEY}_{place}", height=HEIGHTS[0 if place == 0 else 1], on_box=on_box
        )
        caption(say(caption_control(chart, along)))
    if n > 1_000:
        chart_range.control(f"{KEY}.{view.run_id}", axis, draws=False)
    st.markdown(f":material/handshake: {md(say(view.promise))}")
    for reason in view.found.why:
        st.markdown(f"- {md(say(reason))}")
    layout.notes(view.notes)
    export(t("Points and limits (CSV)"), "score-chart.csv", partial(wf.export_score_chart, view), key=f"{KEY}.export")


def _figures(view: wf.ScoreChartView) -> list[Figure]:
    found = view.found
    rate = numbers.percent(found.limits.rate)
    promised = t("promised") if found.is_kept else tn("{n} row is missing", "{n} rows are missing", found.limits.missing)
    if view.series.is_seen:
        promised = t("not promised: rows of training")
    outside = int(view.signals.sum())
    expected = found.limits.rate * view.n_judged
    return [
        Figure(t("Limits by"), say(METHODS[found.method]), help=" · ".join(say(r) for r in (view.series.what, *found.why))),
        Figure(t("False alarms a point"), rate, promised, help=say(view.promise)),
        Figure(
            t("Outside after Phase I"),
            numbers.number(outside),
            t("in control: {n}", n=numbers.number(round(expected, 1))),
            help=tn("Of {n} point that was judged.", "Of {n} points that were judged.", view.n_judged),
        ),
        Figure(t("Points of Phase I"), numbers.number(int(view.series.of.baseline.sum())), _independence(view)),
    ]


def _independence(view: wf.ScoreChartView) -> str:
    p = view.found.first.p_value
    if not np.isfinite(p):
        return ""
    return t("they hang together") if p < DEPENDENT else t("independent")


def _phase_drawn(
    axis: chart_range.ArrayAxis, view: wf.ScoreChartView, settings: wf.ScoreChartSettings, low: Any, high: Any
) -> None:
    """A stretch drawn on the chart becomes Phase I, by the rows of the table."""
    first, last = chart_range.places(axis, low, high)
    rows = view.rows[first:last]
    if len(rows) >= 2:
        asked = st.session_state.setdefault(ASKED, {})
        generation = asked.get(view.run_id, (0, None))[0] + 1
        wanted = settings.with_values(first_row=int(rows.min()) + 1, last_row=int(rows.max()) + 1)
        asked[view.run_id] = (generation, wanted)
