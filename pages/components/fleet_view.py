"""The fleet of a run: which units will need work soon, when, how long units last, and how good such chances were."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.evaluation.survival import ChanceQuality, Count
from core.messages import msg
from pages.components import charts, layout, notices, numbers, state, words
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

OWN = ""
RULES = ("auto", "ended", "running", "column")
AGES = ("auto", "counter", "first_row")


@st.cache_resource(show_spinner=False, max_entries=8, ttl=1800)
def _view(_results: Any, _fleet: Dataset | None, run: str, finished: str, fleet: str, settings: str) -> wf.FleetView:
    return wf.fleet_view(_results, wf.FleetSettings.read(json.loads(settings)), in_service=_fleet)


def show(results: Any) -> None:
    """Headline, figures, one chart at a time, the units by urgency, and how good the chances were."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        fleet = _fleet_choice(results)
        place = st.container()
        settings = _settings(results)
    view = None
    with main, notices.guard(), st.spinner(t("Looking at every unit …")):
        key = "" if fleet is None else f"{fleet.id}:{fleet.version}"
        view = _view(results, fleet, results.run.id, str(results.run.finished), key, json.dumps(settings, sort_keys=True))
    if view is None:
        return
    with place:
        _look_ahead(view)
        chart = _chart_choice(view)
        _download(view, results.run.id)
    with head:
        layout.headline(say(view.headline))
        layout.figures(_figures(view))
    with main:
        _draw(view, chart)
    _units(view, results.group)
    _quality(view)
    layout.notes(view.notes)


def _fleet_choice(results: Any) -> Dataset | None:
    """Whose units are looked at: the run's own, or a dataset of units that run now."""
    offered = {d.id: d for d in wf.fleets_of(state.workspace(), results)}
    names = {OWN: t("The run's own units")} | {d.id: words.project_name(d.name) for d in offered.values()}
    chosen = st.selectbox(
        t("Fleet"),
        list(names),
        format_func=fixed(names, names.__getitem__),
        key=f"fleet.{results.run.id}",
        help=t("A dataset with the same columns holds units in service: they are scored by the model, and count as running."),
        persist_state="session",
    )
    fleet = offered.get(chosen)
    if fleet is None or not wf.is_large(fleet):
        return fleet
    notices.note(
        msg(
            "'{name}' is too large to be looked at while you wait: 'fleet {run} --data {id}' on the command line does it.",
            name=fleet.name,
            run=results.run.id,
            id=fleet.id,
        )
    )
    return None


def _settings(results: Any) -> dict[str, Any]:
    """What counts as failed and what ages count from, in a popover; how far ahead is asked above it."""
    given: dict[str, Any] = {"within": st.session_state.get("fleet_within") or None}
    with st.popover(t("What counts as failed"), icon=":material/rule:", width="stretch"):
        titles = {
            "auto": t("As the data say"),
            "ended": t("Every history that ends"),
            "running": t("No unit yet"),
            "column": t("A column says so"),
        }
        given["failed"] = st.radio(
            t("A unit has failed"), RULES, format_func=fixed(RULES, titles.__getitem__), key="fleet_rule"
        )
        if given["failed"] == "column":
            columns = [c.name for c in results.dataset.columns if c.name not in (results.group, results.time)]
            given["failed_column"] = st.selectbox(
                t("Column of events or states"), columns, index=None, placeholder=t("Choose a column"), key="fleet_column"
            )
            value = st.text_input(
                t("Value that means failed"), key="fleet_value", placeholder=t("any but normal, ok, 0"), max_chars=100
            )
            given["failed_value"] = value or None
            if given["failed_column"] is None:
                given["failed"] = "auto"  # nothing is changed before the column is named
        froms = {"auto": t("As the data say"), "counter": t("The counter's zero"), "first_row": t("The unit's first row")}
        given["ages"] = st.radio(t("Age counts from"), AGES, format_func=fixed(AGES, froms.__getitem__), key="fleet_ages")
    return given


def _look_ahead(view: wf.FleetView) -> None:
    field = wf.FleetSettings.model_fields["within"]
    st.number_input(
        md(t("Look ahead ({unit})", unit=words.unit_word(view.unit))),
        min_value=0.0,
        value=None,
        placeholder=numbers.number(view.within),
        help=md(say(field.description or "")),
        format="%.6g",
        step=1.0,
        key="fleet_within",
    )


def _chart_choice(view: wf.FleetView) -> str:
    titles = {"due": t("When units are due"), "survival": t("Share that still runs"), "weibull": t("Weibull plot")}
    offered = list(titles) if len(view.units) else ["survival", "weibull"]
    return st.radio(t("Chart"), offered, format_func=fixed(offered, titles.__getitem__), key=f"fleet_chart.{len(offered)}")


def _download(view: wf.FleetView, run: str) -> None:
    def made() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fleet.csv"
            wf.export_fleet(view, path)
            return path.read_bytes()

    if len(view.units):
        st.download_button(
            t("Save the fleet (CSV)"),
            data=made,
            file_name=f"andon-fleet-{run}.csv",
            mime="text/csv",
            key="download_fleet",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )


def _figures(view: wf.FleetView) -> list[layout.Figure]:
    lives, found = view.lives, []
    if len(view.units):
        model, age = view.expected, view.expected_by_age
        found.append(
            layout.Figure(
                t("Failures within {within}", within=numbers.number(view.within, words.unit_word(view.unit))),
                _count(model or age),
                t("by age alone: {count}", count=_count(age)) if model is not None else t("by age alone"),
                help=t("95 % prediction interval; units are taken to fail independently of each other."),
            )
        )
    found.append(
        layout.Figure(t("Half last"), numbers.number(lives.curve.median.value, words.unit_word(view.unit)), _between(lives.curve.median),
                      help=say(lives.curve.median.why_not) if lives.curve.median.why_not else t("Kaplan-Meier estimate with units that still run."))
    )  # fmt: skip
    found.append(
        layout.Figure(t("A tenth has failed by"), numbers.number(lives.weibull.b10.value, words.unit_word(view.unit)), _between(lives.weibull.b10),
                      help=say(lives.weibull.why_not) if lives.weibull.why_not else t("B10 life of the Weibull curve."))
    )  # fmt: skip
    found.append(
        layout.Figure(
            t("Weibull shape"),
            numbers.number(lives.weibull.shape.value),
            _between(lives.weibull.shape),
            help=say(lives.weibull.meaning),
        )
    )
    return found


def _count(count: Count | None) -> str:
    if count is None or not count.n:
        return "–"
    return t("{n} ({low} to {high})", n=f"{count.expected:.1f}", low=count.low, high=count.high)


def _between(metric: Any) -> str:
    if metric.low is None and metric.high is None:
        return ""
    ends = {name: numbers.number(getattr(metric, name)) for name in ("low", "high")}
    return t("95 %: {low} to {high}", **ends) if metric.high is not None else t("95 %: from {low} on", low=ends["low"])


def _draw(view: wf.FleetView, chart: str) -> None:
    look, lives = charts_look(), view.lives
    alt = say(view.headline)
    if chart == "due":
        charts.show(wf.due_figure(view, **look), alt=alt, key="fleet_due", height=380)
        layout.caption(
            tn("n = {n} running unit", "n = {n} running units", len(view.units)), _chances_from(view), say(lives.counted)
        )
        return
    figure = wf.survival_figure(lives, **look) if chart == "survival" else wf.weibull_figure(lives, **look)
    charts.show(figure, alt=alt, key=f"fleet_{chart}", height=380)
    layout.caption(say(wf.fleet_caption(lives)), say(lives.weibull.meaning) if chart == "weibull" else "")


def _chances_from(view: wf.FleetView) -> str:
    if not view.has_model:
        return t("chances by the Weibull curve at each unit's age")
    return t("chances from the model's errors on {n} held-out rows", n=numbers.number(view.held_out))


def _units(view: wf.FleetView, group: str) -> None:
    if not len(view.units):
        return
    st.header(md(t("Units by urgency")), anchor=False)
    units, ahead = view.units, numbers.number(view.within, words.unit_word(view.unit))
    hints = {"faster": t("▼ wears faster than its age tells"), "slower": t("▲ in better state than its age tells"), "": ""}
    suffix = f" ({words.unit_word(view.unit)})" if view.unit else ""
    by_model, by_age = t("lasts {within}: model", within=ahead), t("lasts {within}: age alone", within=ahead)
    columns: dict[str, Any] = {group: units["unit"], t("age") + suffix: units["age"]}
    if units["prediction"].notna().any():
        columns[t("remaining life") + suffix] = _rounded(units["prediction"])
        columns[t("interval") + suffix] = [
            "" if np.isnan(a) else f"{numbers.number(round(a))} – {numbers.number(round(b))}"
            for a, b in zip(units["lower"], units["upper"], strict=True)
        ]
        columns[by_model] = 100 * units["chance"]
    columns[by_age] = 100 * units["chance_by_age"]
    columns[t("due by") + suffix] = units["due"]
    if view.has_model:
        columns[t("model against age")] = [hints[h] for h in units["hint"]]
    config = {
        name: st.column_config.ProgressColumn(name, format="%.1f %%", min_value=0, max_value=100)
        for name in (by_model, by_age)
        if name in columns
    }
    st.dataframe(
        pd.DataFrame(columns), hide_index=True, height=320, column_config=config, key="fleet_units", alt=t("Units by urgency")
    )
    n = view.n_disagree
    layout.caption(
        tn("n = {n} running unit", "n = {n} running units", len(units)),
        tn("model and age alone disagree on {n} unit", "model and age alone disagree on {n} units", n)
        if view.has_model
        else "",
    )


def _rounded(values: pd.Series) -> Any:
    return numbers.five_digits(np.round(values.to_numpy(dtype=np.float64), 1))


def _quality(view: wf.FleetView) -> None:
    """How good such chances were on units that the model had not learned from."""
    found = [(t("by the model"), view.quality), (t("by age alone"), view.quality_by_age), (t("this fleet"), view.judged)]
    known = [(name, quality) for name, quality in found if quality is not None]
    if not known:
        return
    with st.expander(md(_verdict(view)), icon=":material/fact_check:", expanded=False):
        st.dataframe(
            pd.DataFrame([_row(name, q) for name, q in known]),
            hide_index=True,
            key="fleet_quality",
            alt=t("How good the chances were"),
        )
        layout.caption(
            t("Brier score: mean squared difference between chance and outcome, 0 is perfect."),
            t("Rows of one unit are resampled together."),
        )
        first = known[0][1]
        bins = [
            {
                t("chance to fail"): f"{100 * a:.0f} – {100 * b:.0f} %",
                t("rows"): n,
                t("foretold"): numbers.percent(chance),
                t("came"): numbers.percent(share),
            }
            for a, b, n, chance, share in first.bins
        ]
        st.dataframe(pd.DataFrame(bins), hide_index=True, key="fleet_bins", alt=t("Foretold chances and what came"))


def _verdict(view: wf.FleetView) -> str:
    best, age = view.quality or view.judged, view.quality_by_age
    if best is None:
        return t("How good the chances were")
    facts: dict[str, Any] = {
        "rows": numbers.number(best.n),
        "units": best.n_units,
        "expected": numbers.number(round(best.expected)),
        "within": numbers.number(view.within, words.unit_word(view.unit)),
        "came": numbers.number(best.came),
    }
    if view.quality is None or age is None or age.brier.value is None or best.brier.value is None:
        return t("On {rows} rows of {units} units {expected} failures within {within} were foretold, {came} came", **facts)
    facts |= {"model": numbers.number(best.brier.value), "age": numbers.number(age.brier.value)}
    if age.brier.value < best.brier.value:
        return t(
            "On {rows} rows of {units} units held back, {expected} failures within {within} were foretold, {came} came; "
            "age alone foretold better: Brier score {age} against {model} of the model",
            **facts,
        )
    return t(
        "On {rows} rows of {units} units held back, {expected} failures within {within} were foretold, {came} came; "
        "Brier score {model}, by age alone {age}",
        **facts,
    )


def _row(name: str, quality: ChanceQuality) -> dict[str, Any]:
    brier = quality.brier
    ends = "" if brier.low is None or brier.high is None else f" [{numbers.number(brier.low)} – {numbers.number(brier.high)}]"
    return {
        t("chances"): name,
        t("Brier score"): numbers.number(brier.value) + ends,
        t("the share alone"): numbers.number(quality.brier_of_share),
        t("failures foretold"): round(quality.expected, 1),
        t("failures that came"): quality.came,
        t("rows"): quality.n,
        t("units"): quality.n_units,
    }
