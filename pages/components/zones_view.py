"""What a prediction may decide about a part: zones at the specification limits, what they risk, and the capability foretold."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.errors import Problem
from core.evaluation.zones import ACCEPT, MEASURE, REJECT
from pages.components import address_settings, charts, layout, notices, numbers, state, words
from pages.components.explore_parts import export
from pages.components.forms import form_from_settings
from pages.components.layout import Figure
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "zones"


def show(results: wf.Results) -> None:
    """The view of one finished run that predicts a value."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    owner, settings = f"{KEY}.{results.run.id}", None
    with rail, notices.guard():
        given = address_settings.read(wf.ZoneSettings, (), owner=owner).model_dump()
        settings = wf.ZoneSettings.read(form_from_settings(wf.ZoneSettings, given, key=owner))
    if settings is None:
        return
    address_settings.note(settings, owner=owner)
    try:
        view = _view(str(state.workspace().home), results.run.id, settings.model_dump_json(), results)
    except Problem as problem:
        with head:
            layout.headline(t("There are no zones of this run as it is set"))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), _why(view))
    with main:
        layout.figures(_figures(view))
        _chart(view)
        _counts(view)
        _capability(view)
        export(
            t("Rows and zones (CSV)"), f"andon-zones-{results.run.id}.csv", partial(wf.export_zones, view), key=f"{KEY}.export"
        )


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, run_id: str, settings: str, _results: wf.Results) -> wf.ZoneView:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.zone_view(_results, wf.ZoneSettings.model_validate_json(settings))


def _why(view: wf.ZoneView) -> str:
    zones = view.zones
    return t(
        "From {n} held-out rows: of all parts at most {risk} are accepted though their true value lies beyond a limit, and at most {risk} rejected though it lies within, a limit each; for parts like the held-out ones.",
        n=numbers.number(zones.n),
        risk=numbers.percent(zones.risk),
    )


def _figures(view: wf.ZoneView) -> list[Figure]:
    counts = view.counts
    wrong_in, wrong_out = counts.wrong(ACCEPT), counts.wrong(REJECT)
    return [
        Figure(
            t("Accepted by prediction"),
            numbers.percent(view.share(ACCEPT)),
            t("{n} measured outside", n=wrong_in),
        ),
        Figure(
            t("Rejected by prediction"),
            numbers.percent(view.share(REJECT)),
            t("{n} measured inside", n=wrong_out),
        ),
        Figure(t("To be measured"), numbers.percent(view.share(MEASURE)), t("between the zones")),
        Figure(
            t("Guard band"),
            numbers.number(max(view.zones.above, view.zones.below), words.unit_word(view.unit)),
            t("risk {share} a limit", share=numbers.percent(view.zones.risk)),
        ),
    ]


def _chart(view: wf.ZoneView) -> None:
    zones = view.zones
    figure = drawing.zone_chart(
        prediction=view.prediction,
        truth=view.truth,
        places=view.places,
        limits=(zones.limits.lower, zones.limits.upper),
        accept=(zones.accept.lower, zones.accept.upper),
        reject=(zones.reject.lower, zones.reject.upper),
        name=view.target,
        unit=words.unit_word(view.unit),
        rows=view.rows,
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key="zone_chart", height=400)
    drawn = sum(len(trace.x) for trace in figure.data)
    layout.caption(
        tn("n = {n} row of the test part", "n = {n} rows of the test part", len(view.rows)),
        t("{n} drawn, extremes kept", n=drawn) if drawn < view.counts.n.sum() else "",
        t("green dashes: accepted between them; red dashes: rejected beyond them"),
    )


def _counts(view: wf.ZoneView) -> None:
    names = {ACCEPT: t("accepted"), MEASURE: t("to be measured"), REJECT: t("rejected")}
    rows: list[dict[str, Any]] = []
    for zone, name in names.items():
        n, outside = int(view.counts.n[zone]), int(view.counts.outside[zone])
        low, high = view.counts.wrong_bounds(zone) if zone != MEASURE else (None, None)
        span = "–" if low is None or high is None else f"{numbers.percent(low)} – {numbers.percent(high)}"
        rows.append(
            {
                t("zone"): name,
                t("rows measured"): n,
                t("outside the limits"): outside,
                t("inside the limits"): n - outside,
                t("wrongly decided, 95 %"): span,
            }
        )
    st.dataframe(rows, hide_index=True, key="zone_table", alt=t("Zones by what was measured"))
    layout.caption(t("wrong by what was measured, the error of the gage included"))


def _capability(view: wf.ZoneView) -> None:
    found = view.capability
    st.header(md(t("Ppk foretold")), anchor=False)
    layout.figures(
        [
            Figure(t("As measured"), numbers.number(found.measured), _span(found.measured_bounds)),
            Figure(
                t("From predictions"),
                numbers.number(found.predicted),
                _span(found.predicted_bounds),
                help=t(
                    "Variance and mean of the held-out errors are added to those of the predictions, which alone vary less than the parts do."
                ),
            ),
            Figure(
                t("Predictions alone"),
                numbers.number(found.predictions_alone),
                t("without their error"),
            ),
        ]
    )


def _span(bounds: tuple[float | None, float | None]) -> str:
    low, high = bounds
    return (
        t("too few for an interval")
        if low is None or high is None
        else t("95 %: {low} to {high}", low=numbers.number(low), high=numbers.number(high))
    )
