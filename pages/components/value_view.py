"""Predictions of a value or a remaining life: error beside the baseline, parity, residuals, intervals, worst rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.messages import msg
from pages.components import chart_range, charts, excluded, layout, numbers, run_view, words
from pages.components.looks import charts_look
from pages.components.results_view import metric_figure, part_choice, target_name, verdict
from pages.components.scores_table import download
from pages.components.text import md, say, t, tn

MOST_UNITS = 8


def show(results: Any) -> None:
    """Headline, figures, one chart at a time, metrics with intervals, worst rows."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        part = part_choice("value_part")
        chart = _chart_choice(results)
    view = wf.regression_view(results, part)
    view = replace(view, unit=words.unit_word(view.unit))
    with head:
        verdict(view.verdict)
        layout.figures(_figures(results, view))
    with rail:
        units = _unit_choice(view) if chart == "life" else []
        download(results)
        _coverage(view)
    with main:
        _draw(results, view, chart, units)
    _details(results, view)


def _chart_choice(results: Any) -> str:
    words = {
        "parity": t("Predicted against measured"),
        "residuals": t("Error over time"),
        "histogram": t("Distribution of the error"),
        "life": t("Life of single machines"),
    }
    offered = ["life", "parity", "residuals", "histogram"] if results.task == "rul" else ["parity", "residuals", "histogram"]
    return st.radio(
        t("Chart"), offered, format_func=words.__getitem__, key=f"value_chart.{results.task}", persist_state="session"
    )


def _unit_choice(view: Any) -> list[str]:
    names = [str(u) for u in dict.fromkeys(view.groups.tolist())] if view.groups is not None else []
    return st.multiselect(
        t("Machines"),
        names,
        default=names[:1],
        key=f"life_units.{view.part}",
        max_selections=MOST_UNITS,
        placeholder=t("Choose machines"),
    )


def _figures(results: Any, view: Any) -> list[layout.Figure]:
    metrics, base = run_view.as_map(view.metrics), run_view.as_map(view.baseline_metrics) if view.part == "test" else {}
    name = run_view.model_name(results.baseline) if results.baseline else ""
    keys = ("rmse", "phm08", "mae") if results.task == "rul" else ("rmse", "mae", "r2")
    found = [metric_figure(metrics, base, key, unit=view.unit, name=name) for key in keys]
    figures = [figure for figure in found if figure is not None][:3]
    if view.interval is not None:
        inside = None if view.coverage is None else view.coverage.value
        figures.append(
            layout.Figure(
                t("Interval, {share} promised", share=numbers.percent(1 - view.interval.alpha)),
                "± " + numbers.number(view.interval.half_width, view.unit),
                t("{share} of these rows inside", share=numbers.percent(inside)) if inside is not None else "",
                help=t("Split conformal interval from {n} validation rows.", n=view.interval.n),
            )
        )
    return figures


def _coverage(view: Any) -> None:
    """A warning where the promise of the interval is clearly not kept on these rows."""
    if view.falls_short:
        st.caption(md(t("Fewer rows lie inside the interval than promised: the later rows are not like the validation rows.")))


def _draw(results: Any, view: Any, chart: str, units: list[str]) -> None:
    name, look = target_name(results), charts_look()
    half = view.interval.half_width if view.interval is not None else None
    positions = np.asarray(view.times)
    is_time = np.issubdtype(positions.dtype, np.datetime64)
    rmse = run_view.metric_text(run_view.as_map(view.metrics).get("rmse"), view.unit)
    alt = t("{name}: predictions of {n} rows, typical error {rmse}", name=name, n=len(view.rows), rmse=rmse)
    if chart == "parity":
        figure = drawing.parity(
            truth=view.truth,
            prediction=view.prediction,
            name=name,
            unit=view.unit,
            rows=view.rows,
            half_width=half,
            limits=view.limits,
            **look,
        )
    elif chart == "residuals":
        rising = is_time and bool(np.all(positions[1:] >= positions[:-1]))
        axis = chart_range.ArrayAxis(len(view.rows), positions if rising else None)
        key = f"{results.run.id}.{view.part}.value_figure_residuals"
        part = chart_range.chosen(key, len(view.rows)).slice
        figure = drawing.residuals_over_time(
            residuals=view.residuals[part],
            name=name,
            x=positions[part] if is_time else np.arange(len(view.rows))[part],
            unit=view.unit,
            rows=view.rows[part],
            half_width=half,
            excluded=excluded.of_run(results.run) if is_time else (),
            along=None if is_time else msg("row"),
            **look,
        )
    elif chart == "histogram":
        figure = drawing.residual_histogram(residuals=view.residuals, name=name, unit=view.unit, **look)
    else:
        along = results.time or ""
        figure = drawing.life_chart(
            units=_lives(view, units), unit=view.unit, along=msg("{name}", name=along) if along else None, **look
        )
    if chart == "residuals":
        chart_range.show(figure, axis, alt=alt, key=key, height=400)
    else:
        charts.show(figure, alt=alt, key=f"value_figure_{chart}", height=400)
    refused = int(np.count_nonzero(~np.isfinite(view.prediction)))
    interval = msg("interval from {n} validation rows", n=view.interval.n) if view.interval is not None else None
    layout.caption(
        say(drawing.caption_residuals(len(view.rows), positions if is_time else view.rows, interval, refused)),
        excluded.words(results.run),
    )


def _lives(view: Any, units: list[str]) -> list[drawing.UnitLife]:
    groups = np.asarray(view.groups).astype(str) if view.groups is not None else np.full(len(view.rows), "")
    has_band = view.lower is not None and view.upper is not None and len(units) < 2
    lives = []
    for unit in units or list(dict.fromkeys(groups.tolist()))[:1]:
        at = groups == unit
        bounds = {"lower": view.lower[at], "upper": view.upper[at]} if has_band else {}
        lives.append(
            drawing.UnitLife(
                name=unit, at=np.asarray(view.times)[at], prediction=view.prediction[at], truth=view.truth[at], **bounds
            )
        )
    return lives


def _details(results: Any, view: Any) -> None:
    left, right = st.columns([0.5, 0.5], gap="medium")
    with left:
        st.header(md(t("Figures beside the baseline")), anchor=False)
        columns = {run_view.model_name(results.run.model): view.metrics}
        if view.part == "test" and view.baseline_metrics:
            columns[run_view.model_name(results.baseline)] = view.baseline_metrics
        run_view.metric_table(columns, unit=view.unit, key="value_metrics", alt=t("Metrics of the model beside the baseline"))
        layout.caption(t("[low – high]: 95 % interval from resampled rows"))
    with right:
        st.header(
            md(tn("The {n} row that is furthest off", "The {n} rows that are furthest off", len(view.worst))), anchor=False
        )
        st.dataframe(
            _worst(results, view), hide_index=True, height=280, key="value_worst", alt=t("Rows with the largest error")
        )
        layout.caption(
            t("measured and predicted in {unit}", unit=view.unit) if view.unit else "", t("difference: measured − predicted")
        )


def _worst(results: Any, view: Any) -> pd.DataFrame:
    kept = [c for c in ("row", results.group, results.time) if c and c in view.worst.columns]
    shown = view.worst[[*kept, "truth", "prediction", "residual"]].rename(
        columns={
            "row": t("row"),
            "truth": t("measured"),
            "prediction": t("predicted"),
            "residual": t("difference"),
        }
    )
    if t("row") in shown:
        shown[t("row")] += 1  # people count from 1
    for column in shown.select_dtypes("float"):
        shown[column] = [float(f"{v:.5g}") if np.isfinite(v) else v for v in shown[column]]
    return shown
