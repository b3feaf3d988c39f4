"""Several columns in one control chart: finding, charts, and for a point above the limit the columns that lift it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import caption_control, control_chart
from core.data.dataset import Dataset
from core.errors import Problem
from pages.components import address_settings, chart_range, charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.control_signals import where
from pages.components.control_view import HEIGHTS
from pages.components.explore_parts import export, numbers_of
from pages.components.forms import field_widget, form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "control_many"
ASKED = "control_many_asked"
MOST_POINTS = 50


def show(dataset: Dataset) -> None:
    """The view of one dataset."""
    names = numbers_of(dataset)
    head = st.container()
    main, rail = st.columns([0.72, 0.28], gap="medium")
    settings = None
    with rail, notices.guard():
        settings = _rail(dataset, names)
    if settings is None:
        return
    address_settings.note(settings, owner=f"{KEY}.{dataset.id}")
    try:
        view = _view(str(state.workspace().home), dataset.id, dataset.version, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("There is no such chart of these columns together"))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), say(view.why) if view.why is not None else "")
    with main, notices.guard():
        _drawn(view, settings, dataset.id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, settings: str) -> wf.ManyView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.control_many(dataset, wf.ManySettings.model_validate_json(settings))


def _rail(dataset: Dataset, names: list[str]) -> wf.ManySettings:
    """What is charted; the columns start from the sensors."""
    sensors = [c.name for c in dataset.columns if c.name in names and c.role == "sensor"]
    generation, asked = st.session_state.get(ASKED, {}).get(dataset.id, (0, None))
    given = asked or address_settings.read(wf.ManySettings, names, owner=f"{KEY}.{dataset.id}")
    prefix, fields = f"{KEY}.{dataset.id}.{generation}", wf.ManySettings.model_fields
    columns = st.multiselect(
        md(say(fields["columns"].title or "")),
        names,
        default=[c for c in given.columns if c in names] or sensors or names,
        key=f"{prefix}.columns",
        placeholder=t("choose"),
    )
    if not columns:
        st.caption(md(t("Without a choice all sensors are charted.")))
    chosen: dict[str, Any] = {"columns": () if columns == sensors else tuple(columns)}
    words = {"auto": t("proposed"), "T2": "T²", "MEWMA": "MEWMA", "PCA": t("T² and SPE (PCA)")}
    about = say(fields["chart"].description or "")
    chosen["chart"] = st.selectbox(
        md(say(fields["chart"].title or "")),
        list(words),
        index=list(words).index(given.chart),
        format_func=fixed(words, words.__getitem__),
        key=f"{prefix}.chart",
        help=md(about),
    )
    cells = st.columns(2)
    with cells[0]:
        chosen["baseline_start"] = field_widget(fields["baseline_start"], given.baseline_start, key=f"{prefix}.baseline_start")
    with cells[1]:
        chosen["baseline"] = field_widget(fields["baseline"], given.baseline, key=f"{prefix}.baseline")
    caption(t("or draw it on the chart"))
    with st.expander(t("More")):
        chosen |= form_from_settings(wf.ManySettings, given.model_dump(), key=prefix, expert_only=True)
    return wf.ManySettings.read({k: v for k, v in chosen.items() if v is not None})


def _drawn(view: wf.ManyView, settings: wf.ManySettings, dataset_id: str) -> None:
    layout.figures(_figures(view))
    n = len(view.rows)
    axis = chart_range.ArrayAxis(n, np.arange(1, n + 1) if view.times is None else view.times)
    key = f"{KEY}.{dataset_id}.{n}"
    shown = chart_range.chosen(key, n)
    for place, (chart, found) in enumerate(zip(view.charts, view.signals, strict=True)):
        figure = control_chart(
            chart=chart,
            signals=found,
            column=tn("{n} column", "{n} columns", len(view.columns)),
            x=view.times,
            rows=view.rows,
            shown=None if shown.is_whole else shown.slice,
            **charts_look(),
        )
        on_box = partial(_baseline_drawn, axis, dataset_id, settings)
        alt = say(view.headline)
        charts.show_selectable(
            figure, alt=alt, key=f"{KEY}_chart_{place}", height=HEIGHTS[0 if place == 0 else 1], on_box=on_box
        )
        caption(say(caption_control(chart, view.times)))
    if n > 1_000 or not shown.is_whole:
        chart_range.control(key, axis, draws=False)
    layout.notes(view.notes)
    _drill(view)
    export(t("Points and limits (CSV)"), "control-columns.csv", partial(wf.export_many, view), key=f"{KEY}.export")
    layout.next_step(
        "learn/train.py",
        t("Train a detector"),
        t("A detector also sees patterns over time and relations that are no straight lines."),
    )


def _figures(view: wf.ManyView) -> list[Figure]:
    names = {"T2": "T²", "MEWMA": "MEWMA", "PCA": "T² / SPE"}
    known = np.isfinite(view.charts[0].points)
    n, share = int(view.marks.sum()), view.settings.alpha
    left_out = int((~known).sum())
    baseline = int((view.charts[0].phases.baseline & known).sum())
    return [
        Figure(t("Chart"), names[view.name], tn("of {n} column", "of {n} columns", len(view.columns))),
        Figure(
            t("Above the limit"),
            numbers.number(n),
            tn("of {n} row", "of {n} rows", int(known.sum())),
            help=t("Of a steady process {share} of the rows would lie there.", share=numbers.percent(share)),
        ),
        Figure(t("Rows of the baseline"), numbers.number(baseline), t("they give mean and covariance")),
        Figure(t("Rows without a point"), numbers.number(left_out), t("with an empty cell")),
    ]


def _drill(view: wf.ManyView) -> None:
    """A point above the limit, and what lifts it."""
    over = np.flatnonzero(view.marks)
    if not len(over):
        st.markdown(f":green[:material/check_circle:] {md(t('No row lies above the limit.'))}")
        return
    ratio = np.nanmax(np.stack([chart.points[over] / chart.upper[over] for chart in view.charts]), axis=0)
    order = over[np.argsort(-ratio, kind="stable")][:MOST_POINTS]
    words = {int(i): where(view, int(i)) for i in order}
    st.subheader(t("What lifts a row above the limit"), anchor=False)
    point = st.selectbox(
        t("Row, the furthest first"),
        list(words),
        format_func=fixed(words, words.__getitem__),
        key=f"{KEY}.point.{view.name}",
        width=320,
    )
    parts = wf.point_contributions(view, int(point))
    if not parts:
        return
    first = parts[0]
    side = t("high") if first.value > first.centre else t("low")
    far = f"{abs(first.sigmas):.1f} σ, " if np.isfinite(first.sigmas) else ""
    st.markdown(
        md(
            t(
                "'{column}' most: {value}, usual are {centre} ± {spread} ({far}{side}).",
                column=first.column,
                value=numbers.number(first.value, first.unit),
                centre=numbers.number(first.centre),
                spread=numbers.number(first.spread, first.unit),
                far=far,
                side=side,
            )
        )
    )
    table = pd.DataFrame(
        {
            "column": [p.column for p in parts],
            "share": [100 * p.share for p in parts],
            "value": [numbers.number(p.value, p.unit) for p in parts],
            "usual": [f"{numbers.number(p.centre)} ± {numbers.number(p.spread)}" for p in parts],
            "sigmas": [p.sigmas for p in parts],
        }
    )
    config = {
        "column": st.column_config.TextColumn(t("Column")),
        "share": st.column_config.ProgressColumn(t("Contribution (%)"), min_value=0, max_value=100, format="%.0f"),
        "value": st.column_config.TextColumn(t("Value")),
        "usual": st.column_config.TextColumn(t("Baseline: mean ± standard deviation")),
        "sigmas": st.column_config.NumberColumn(t("Distance (σ)"), format="%.1f"),
    }
    st.dataframe(table, column_config=config, hide_index=True, key=f"{KEY}_parts", alt=t("Contribution of each column"))
    caption(
        t("PCA: the column's part of the statistic that is further above its limit.")
        if view.name == "PCA"
        else t(
            "By how much the statistic falls when the column is left out; a column within its usual range may still not fit the others."
        )
    )


def _baseline_drawn(axis: chart_range.ArrayAxis, dataset_id: str, settings: wf.ManySettings, low: Any, high: Any) -> None:
    """A stretch drawn on a chart becomes the baseline period; the keys of the widgets change, so that they start from it."""
    first, last = chart_range.places(axis, low, high)
    if last - first >= 2:
        asked = st.session_state.setdefault(ASKED, {})
        generation = asked.get(dataset_id, (0, None))[0] + 1
        asked[dataset_id] = (generation, settings.with_values(baseline_start=first + 1, baseline=last - first))
