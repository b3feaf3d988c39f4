"""A forecast: the next values first, the fan from any origin, the error against the step ahead, and each step's figures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from pages.components import charts, layout, numbers, run_view, state
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.results_view import metric_figure, verdict
from pages.components.text import md, t, tn
from pages.components.words import with_refusals

LATEST = -1


def _broken_promise(view: wf.ForecastView) -> None:
    """Says that fewer test values lay inside the band than chance would leave out."""
    inside = run_view.as_map(view.metrics).get("coverage")
    if view.level is None or inside is None or inside.value is None or inside.high is None or inside.high >= view.level:
        return
    st.warning(
        md(
            t(
                "The band promises {promised} and held {inside} of the test values: these rows are unlike the validation part, from which it comes. Take it as too narrow.",
                promised=numbers.percent(view.level),
                inside=numbers.percent(inside.value),
            )
        ),
        icon=":material/warning:",
    )


def show(results: Any) -> None:
    """Headline, the next values, one chart at a time, and the figures of each step."""
    view = wf.forecast_view(results)
    verdict(view.verdict)
    _broken_promise(view)
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        chart = st.radio(
            t("Chart"),
            ["fan", "steps"],
            format_func={"fan": t("Forecast from a chosen row"), "steps": t("Error against step ahead")}.__getitem__,
            key="forecast_chart",
            persist_state="session",
        )
        group = _group(view)
        origin = _origin(results, group) if chart == "fan" else LATEST
        _save(results, view)
        _anomalies(results)
    with head:
        layout.figures(_figures(results, view, group))
    with main:
        if chart == "fan":
            _fan(results, view, group, origin)
        else:
            _steps_chart(results, view)
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        _next_table(results, view, group)
    with right:
        _steps_table(results, view)


def _group(view: Any) -> str:
    if not view.groups:
        return ""
    return str(
        st.selectbox(
            t("Series"), view.groups, format_func=fixed(list(view.groups), str), key="forecast_group", persist_state="session"
        )
    )


def _origin(results: Any, group: str) -> int:
    """The row from which the forecast is shown: the last one of the data, or one of the test part."""
    found = wf.origins(results, group)
    said = [_moment(at) for at in found.at]
    # The browser knows an option by its words: rows of one minute are told apart by their number.
    shown = [word if said.count(word) == 1 else f"{word} · {int(row)}" for word, row in zip(said, found.rows, strict=True)]
    words = {**dict(zip((int(row) for row in found.rows), shown, strict=True)), LATEST: t("the last row")}
    return int(
        st.select_slider(
            t("Forecast from"),
            list(words),
            value=LATEST,
            format_func=fixed(words, words.__getitem__),
            key=f"forecast_origin.{results.run.id}.{group}",
            help=md(t("Rows of the test part, which no choice has seen: what was forecast there stands beside what came.")),
        )
    )


def _moment(at: Any) -> str:
    if isinstance(at, np.datetime64):
        return str(np.datetime64(at, "m")).replace("T", " ")
    return numbers.number(float(at))


def _of_group(results: Any, view: Any, group: str) -> pd.DataFrame:
    """The next values of one series."""
    latest = view.latest
    return latest[latest[results.group].astype(str) == group] if group and results.group in latest.columns else latest


def _figures(results: Any, view: Any, group: str) -> list[layout.Figure]:
    latest = _of_group(results, view, group)
    found = []
    if len(latest):
        first, last = latest.iloc[0], latest.iloc[-1]
        found.append(layout.Figure(t("Next value"), numbers.number(first["prediction"], view.unit), _band(first)))
        if view.horizon > 1:
            label = tn("In {n} row", "In {n} rows", view.horizon)
            found.append(layout.Figure(label, numbers.number(last["prediction"], view.unit), _band(last)))
    metrics, base = run_view.as_map(view.metrics), run_view.as_map(view.baseline_metrics)
    name = run_view.model_name(results.baseline) if results.baseline else ""
    error = metric_figure(metrics, base, "mae", unit=view.unit, name=name)
    found += [error] if error is not None else []
    inside = metrics.get("coverage")
    if view.level is not None and inside is not None:
        found.append(
            layout.Figure(
                t("Band, {share} promised", share=numbers.percent(view.level)),
                numbers.percent(inside.value),
                t("of the test values lay inside"),
                help=t(
                    "Split conformal for each step ahead, from {n} validation rows. Neighbouring forecasts share most of their values, so that the promise is weaker than the number of rows suggests.",
                    n=view.n_band,
                ),
            )
        )
    return found


def _band(row: pd.Series) -> str:
    if "lower" not in row or pd.isna(row["lower"]):
        return ""
    return t("{low} to {high}", low=numbers.number(row["lower"]), high=numbers.number(row["upper"]))


def _fan(results: Any, view: Any, group: str, origin: int) -> None:
    row = wf.last_row(results, group) if origin == LATEST else origin
    found = wf.fan(results, row, group)
    figure = wf.fan_figure(view, found, **charts_look())
    alt = t("{name}: {n} values forecast after row {row}", name=view.target, n=view.horizon, row=row)
    charts.show(figure, alt=alt, key="forecast_fan", height=380)
    came = np.isfinite(found.truth)
    parts = [tn("n = {n} row before", "n = {n} rows before", len(found.history))]
    parts += [tn("{n} value ahead", "{n} values ahead", view.horizon)]
    if came.any():
        error = float(np.abs(found.prediction - found.truth)[came].mean())
        parts.append(t("average error of this forecast {value}", value=numbers.number(error, view.unit)))
    if view.level is not None:
        parts.append(t("band from {n} validation rows", n=view.n_band))
    layout.caption(*parts)


def _steps_chart(results: Any, view: Any) -> None:
    figure = wf.steps_figure(view, results.run.model, **charts_look())
    charts.show(figure, alt=t("Average error of each of {n} steps ahead", n=view.horizon), key="forecast_steps", height=380)
    n = max((s.n for s in view.steps), default=0)
    layout.caption(tn("n = {n} row", "n = {n} rows", n), t("test part"))


def _next_table(results: Any, view: Any, group: str) -> None:
    st.header(md(tn("The next value", "The next {n} values", view.horizon)), anchor=False)
    words = {
        "step": t("rows ahead"),
        "prediction": t("forecast"),
        "lower": t("lower"),
        "upper": t("upper"),
        "why_not": t("remark"),
    }
    shown = _of_group(results, view, group).drop(columns=[results.group] if results.group else [], errors="ignore")
    if not shown["why_not"].astype(str).str.len().any():
        shown = shown.drop(columns="why_not")
    else:
        shown["why_not"] = with_refusals(shown["why_not"])
    for column in shown.select_dtypes("float"):
        shown[column] = numbers.five_digits(shown[column].to_numpy())
    st.dataframe(
        shown.rename(columns=words), hide_index=True, height=300, key="forecast_next", alt=t("The values after the last row")
    )


def _steps_table(results: Any, view: Any) -> None:
    st.header(md(t("Figures of each step ahead")), anchor=False)
    unit = f" ({view.unit})" if view.unit else ""
    table = pd.DataFrame(
        {
            t("rows ahead"): [s.step for s in view.steps],
            f"MAE{unit}": wf.known_values([s.mae for s in view.steps]),
            **{
                f"{run_view.model_name(key)}{unit}": wf.known_values([s.mae for s in found])
                for key, found in view.baseline_steps.items()
            },
            "MASE": wf.known_values([s.mase for s in view.steps]),
            t("skill (%)"): 100 * wf.known_values([s.skill for s in view.steps]),
            t("inside the band (%)"): 100 * wf.known_values([s.coverage for s in view.steps]),
        }
    )
    for column in table.select_dtypes("float"):
        table[column] = numbers.five_digits(table[column].to_numpy())
    st.dataframe(table, hide_index=True, height=300, key="forecast_step_table", alt=t("Figures of each step ahead"))
    season = t("season of {n} rows", n=view.season) if view.season > 1 else t("no season found")
    layout.caption(t("test part"), season)
    columns = {run_view.model_name(results.run.model): view.metrics}
    if view.baseline_metrics:
        columns[run_view.model_name(results.baseline)] = view.baseline_metrics
    run_view.metric_table(columns, unit=view.unit, key="forecast_metrics", alt=t("Metrics of the model beside the baseline"))


def _save(results: Any, view: Any) -> None:
    st.download_button(
        t("Save the next values (CSV)"),
        data=lambda: _csv(view.latest),
        file_name=f"andon-next-values-{results.run.id}.csv",
        mime="text/csv",
        key="download_next",
        type="primary",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )


def _csv(table: pd.DataFrame) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "next.csv"
        wf.write_csv(table, path, formula_safe=True)
        return path.read_bytes()


def _anomalies(results: Any) -> None:
    """The way to the rows that came otherwise than forecast."""
    if results.manifest.threshold is None:
        return
    if st.button(t("Rows that came otherwise"), key="forecast_anomalies", icon=":material/troubleshoot:", width="stretch"):
        state.go("judge/anomalies.py", run=results.run.id)
