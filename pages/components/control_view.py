"""The control chart of a column: finding, charts and signals, with the rail that says what is drawn and where limits come from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core import workflows as wf
from core.charts import by_spread, caption_control, control_chart
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from pages.components import address_settings, chart_range, charts, layout, left_out_view, notices, numbers, state
from pages.components.control_rail import Rail, ask
from pages.components.control_signals import signals_table, where
from pages.components.explore_parts import export, keep_rules, numbers_of
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn
from pages.components.train_guess import guess_task

KEY = "control"
MOST_SHIFTS_TOLD = 4
FEWEST_OF_A_BASELINE = 5
"""Points; fewer give limits on no chart."""
HEIGHTS = (404, 256)
"""The main chart takes half of a screen of 768 lines."""


def show(dataset: Dataset) -> None:
    """The screen of one dataset; a change of a setting draws only what hangs on it."""
    names = numbers_of(dataset)
    if not names:
        layout.empty(
            t("There is no column of numbers to chart"),
            t("A control chart shows measured values, defective units or defects in their order."),
            action=t("Look at the data"),
            page="prepare/data.py",
        )
        return
    head = st.container()
    main, rail = st.columns([0.76, 0.24], gap="small")
    with rail:
        column, settings = _rail(dataset, names)
    if settings is None:
        with head:
            layout.headline(t("One setting cannot be: see the sentence in red"))
        return
    if _has_rules(settings):
        keep_rules(dataset.id, settings.rules, settings.only_rules)
    state.note_in_address("column", column)
    address_settings.note(settings, owner=f"{KEY}.{dataset.id}")
    try:
        view = _view(str(state.workspace().home), dataset.id, dataset.version, column, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("There is no such chart of '{column}'", column=column))
        with main:
            notices.problem(problem)
            left_out_view.way_back(settings, dataset.id, column)
        return
    with head:
        layout.headline(say(view.headline), say(view.why) if view.why is not None else "")
    with main, notices.guard():
        _drawn(view, settings, dataset.id)


def _has_rules(settings: wf.ControlSettings) -> bool:
    """Whether rules were chosen for the chart: others have their limits alone."""
    return settings.chart not in wf.WITHOUT_RULES


@st.cache_resource(max_entries=6, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, column: str, settings: str) -> wf.ControlView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.control_view(dataset, column, wf.ControlSettings.model_validate_json(settings))


def _rail(dataset: Dataset, names: Sequence[str]) -> tuple[str, wf.ControlSettings | None]:
    """What is charted, in the order in which it is decided."""
    asked = st.query_params.get("column", "")
    index = names.index(asked) if asked in names else _first(dataset, names)
    column = st.selectbox(t("Column"), names, index=index, key=f"{KEY}.column.{dataset.id}")
    rail = Rail(dataset, column)
    with notices.guard():
        return column, rail.settings()
    return column, None


def _first(dataset: Dataset, names: Sequence[str]) -> int:
    """The target where it is a measured value, for that is what a plant controls; else the first other column."""
    targets = [c.name for c in dataset.with_role("target")]
    if guess_task(state.workspace(), dataset) == "regression":
        return next((names.index(name) for name in targets if name in names), 0)
    return next((i for i, name in enumerate(names) if name not in targets), 0)


def _drawn(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str) -> None:
    layout.figures(_figures(view))
    n = len(view.rows)
    x = np.arange(1, n + 1) if view.times is None else view.times
    key = f"{KEY}.{dataset_id}.{view.column}.{n}"
    axis = chart_range.ArrayAxis(n, x)
    shown = chart_range.chosen(key, n)
    causes = wf.causes_of(view.left_out, n)
    draws_baseline = settings.stage_column is None and not settings.shifts and view.name != "run"
    for place, (chart, found) in enumerate(zip(view.charts, view.signals, strict=True)):
        figure = control_chart(
            chart=chart,
            signals=found,
            column=view.column,
            unit=view.unit,
            x=view.times,
            rows=view.rows,
            causes=causes,
            excursions=_excursions(view, chart.kind == "CUSUM+") if chart.is_sum else (),
            of_all=view.n_out,
            shown=None if shown.is_whole else shown.slice,
            **charts_look(),
        )
        alt, height, name = say(view.headline), HEIGHTS[min(place, 1)], f"{KEY}_chart_{place}"
        if place == 0 and draws_baseline:
            on_box = partial(_stretch_drawn, axis, dataset_id, view, settings)
            charts.show_selectable(figure, alt=alt, key=name, height=height, on_box=on_box)
        else:
            charts.show(figure, alt=alt, key=name, height=height)
        book = msg("rules of {book}", book=view.book.title) if place == 0 and view.is_zoned else None
        caption(say(caption_control(chart, view.times, book)))
    if n > 1_000 or not shown.is_whole:
        chart_range.control(key, axis, draws=False)
    layout.notes(view.notes)
    _proposed(view, settings, dataset_id)
    signals_table(view)
    left_out_view.show(view, settings, dataset_id)
    export(t("Points and limits (CSV)"), f"control-{view.column}.csv", partial(wf.export_control, view), key=f"{KEY}.export")
    layout.next_step(
        "learn/train.py", t("Train a model"), t("What a chart of one column cannot see, a model of all columns may.")
    )


def _figures(view: wf.ControlView) -> list[Figure]:
    chart = view.charts[0]
    n = view.n_points
    places = np.flatnonzero(view.marks)
    last = int(np.flatnonzero(np.isfinite(chart.centre))[-1])
    unit = view.unit if chart.kind in ("I", "Xbar", "EWMA", "run") else ""
    items = [Figure(t("Chart"), t("run chart") if view.name == "run" else view.name, _sizes(view))]
    if view.name != "run":
        first = t("The first: {where}.", where=where(view, int(places[0]))) if len(places) else ""
        beside = tn("of {n} point", "of {n} points", n)
        if view.charts[0].is_sum:
            beside = t("{up} up, {down} down", up=_n_up(view), down=len(view.cusum) - _n_up(view))
        items.append(Figure(t("Signals"), numbers.number(view.n_out), beside, help=first))
    if view.target is not None:
        target = by_spread(view.target, float(chart.sigma[last]))
        limit = numbers.number(float(chart.upper[last]))
        about = t("The sums are taken from it, in standard errors of a point; a sum beyond the limit signals a shift.")
        items.append(Figure(t("Target"), f"{target} {view.unit}".strip(), t("limits ±{limit} σ", limit=limit), help=about))
        return [*items, *_sigma(view, last)]
    about = t("Below it the control limits.") if view.name != "run" else ""
    width = float(chart.upper[last] - chart.lower[last]) / 6
    sigma = width if np.isfinite(width) else float(chart.sigma[last])
    centre = f"{by_spread(float(chart.centre[last]), sigma)} {unit}".strip()
    items.append(Figure(t("Centre line"), centre, _limits(view, last, unit), help=about))
    return [*items, *_sigma(view, last)]


def _sigma(view: wf.ControlView, last: int) -> list[Figure]:
    chart = view.charts[0]
    if not np.isfinite(chart.sigma[last]) or chart.method == "none":
        return []
    source = t("given") if chart.method == "given" else chart.method
    unit = view.unit if chart.kind in ("I", "Xbar", "EWMA", "run") or chart.is_sum else ""
    return [Figure(t("Sigma"), numbers.number(chart.sigma[last], unit), source, help=t("Short-term spread of single values."))]


def _excursions(view: wf.ControlView, is_upper: bool) -> list[tuple[int, int, int]]:
    """First and last point of each shift of one sum, and how many of them have a value."""
    return [(s.start, s.end, s.length) for s in view.cusum if s.is_up == is_upper]


def _n_up(view: wf.ControlView) -> int:
    return sum(shift.is_up for shift in view.cusum)


def _sizes(view: wf.ControlView) -> str:
    sizes = view.charts[0].sizes
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not len(sizes) or sizes.max() == 1:
        return t("one row a point")
    if sizes.min() == sizes.max():
        return t("{n} a point", n=numbers.number(float(sizes[0])))
    return t("{low} to {high} a point", low=numbers.number(float(sizes.min())), high=numbers.number(float(sizes.max())))


def _limits(view: wf.ControlView, last: int, unit: str) -> str:
    chart = view.charts[0]
    low, high = chart.lower[last], chart.upper[last]
    if np.isfinite(low) and np.isfinite(high):
        spread = float(high - low) / 6
        words = f"{by_spread(low, spread)} – {by_spread(high, spread)}"
        return words if len(np.unique(chart.upper[np.isfinite(chart.upper)])) == 1 else t("{limits} at the end", limits=words)
    if np.isfinite(high):
        return t("upper limit {high}", high=numbers.number(high, unit))
    return t("median; no limits") if view.name == "run" else ""


def _proposed(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str) -> None:
    """Lasting shifts of the level, offered as stages: whether the cause is known only a person can say."""
    if not view.shifts or settings.shifts or settings.stage_column is not None:
        return
    n = len(view.shifts)
    places = ", ".join(where(view, at) for at in view.shifts[:MOST_SHIFTS_TOLD]) + (" …" if n > MOST_SHIFTS_TOLD else "")
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        words = tn(
            "The level shifts for good at {n} place: {where}.",
            "The level shifts for good at {n} places: {where}.",
            n,
            where=places,
        )
        why = t("Stages have limits of their own; make them only where you know what changed.")
        st.markdown(f":material/stairs: {md(words)} {md(why)}", width="stretch")
        wanted = settings.with_values(baseline=None, baseline_start=1, shifts=True)
        st.button(t("Make stages of them"), key=f"{KEY}.make_stages", on_click=ask, args=(dataset_id, view.column, wanted))


def _stretch_drawn(
    axis: chart_range.ArrayAxis, dataset_id: str, view: wf.ControlView, settings: wf.ControlSettings, low: Any, high: Any
) -> None:
    """A stretch drawn on the chart becomes the baseline period; around fewer points than give limits it proposes to leave these out."""
    first, last = chart_range.places(axis, low, high)
    if last - first >= FEWEST_OF_A_BASELINE:
        wanted = settings.with_values(baseline_start=first + 1, baseline=last - first, known_sigma=None)
        ask(dataset_id, view.column, wanted if settings.known_sigma is None else wanted.with_values(known_centre=None))
    elif last > first:
        left_out_view.choose(dataset_id, ", ".join(str(int(row) + 1) for row in view.rows[first:last]))
