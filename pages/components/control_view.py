"""The control chart of a column: finding, charts and signals, with the rail that says what is drawn and where limits come from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import by_spread, caption_control, control_chart
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from core.spc.rules import BOOKS
from pages.components import address_settings, chart_range, charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.explore_parts import export, numbers_of, pick
from pages.components.forms import field_widget, form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn
from pages.components.train_guess import guess_task

KEY = "control"
ALL, BASELINE, STAGES, SHIFTS = "all", "baseline", "stages", "shifts"
ASKED, TARGET_OF = "control_asked", "control_target_of"
NO_RULES = ("EWMA", "CUSUM", "run")
"""Charts that are judged by their limits alone."""
CHARTS = {
    "measurement": ("auto", "I-MR", "Xbar-R", "Xbar-S", "EWMA", "CUSUM", "run"),
    "defectives": ("auto", "p", "np"),
    "defects": ("auto", "c", "u"),
}
MOST_SHIFTS_TOLD, MOST_ROWS_TOLD = 4, 12
HEIGHTS = (340, 220)


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
    main, rail = st.columns([0.72, 0.28], gap="medium")
    with rail:
        column, settings = _rail(dataset, names)
    if settings is None:
        return
    state.note_in_address("column", column)
    address_settings.note(settings, owner=f"{KEY}.{dataset.id}")
    try:
        view = _view(str(state.workspace().home), dataset.id, dataset.version, column, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("There is no such chart of '{column}'", column=column))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), say(view.why) if view.why is not None else "")
    with main, notices.guard():
        _drawn(view, settings, dataset.id)


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
    rail = _Rail(dataset, column)
    with notices.guard():
        return column, rail.settings()
    return column, None


def _first(dataset: Dataset, names: Sequence[str]) -> int:
    """The target where it is a measured value, for that is what a plant controls; else the first other column."""
    targets = [c.name for c in dataset.with_role("target")]
    if guess_task(state.workspace(), dataset) == "regression":
        return next((names.index(name) for name in targets if name in names), 0)
    return next((i for i, name in enumerate(names) if name not in targets), 0)


class _Rail:
    """The widgets of the settings, which start from the address or from what a button has asked for.

    A button cannot set the value of a widget that has one, so that the keys of all change with each such wish.
    """

    def __init__(self, dataset: Dataset, column: str) -> None:
        self.names = [c.name for c in dataset.columns if c.name != column]
        self.numeric = [c.name for c in dataset.columns if c.name != column and c.kind == "number"]
        self.fields = wf.ControlSettings.model_fields
        asked = st.session_state.get(ASKED, {}).get(dataset.id)
        given = asked[1] if asked else address_settings.read(wf.ControlSettings, self.names, owner=f"{KEY}.{dataset.id}")
        self.values, self.prefix = given.model_dump(), f"{KEY}.{dataset.id}.{asked[0] if asked else 0}"
        if st.session_state.get(TARGET_OF, column) != column:  # the target of one column is none of another
            self.values["target"] = None
        st.session_state[TARGET_OF] = self.column = column

    def settings(self) -> wf.ControlSettings:
        """What is chosen, in the order in which it is decided.

        Raises:
            SettingProblem: a value that its field does not allow.
        """
        chosen: dict[str, Any] = {"counts": self._kind()}
        chosen |= (
            self._points() if chosen["counts"] == "measurement" else {"size_column": self._column("size_column", self.numeric)}
        )
        offered = CHARTS[chosen["counts"]]
        words = {name: t("proposed") if name == "auto" else t("run chart") if name == "run" else name for name in offered}
        now = self.values["chart"] if self.values["chart"] in offered else offered[0]
        chosen["chart"] = self._choice(say(self.fields["chart"].title or ""), words, now, f"chart.{chosen['counts']}")
        chosen |= self._limits()
        if chosen["chart"] in NO_RULES:
            return self._rest(chosen)
        books = {book.key: say(book.title) for book in BOOKS}
        about = say(self.fields["rules"].description or "")
        chosen["rules"] = self._choice(say(self.fields["rules"].title or ""), books, self.values["rules"], "rules", about)
        return self._rest(chosen)

    def _rest(self, chosen: dict[str, Any]) -> wf.ControlSettings:
        with st.expander(t("More")):
            chosen |= form_from_settings(wf.ControlSettings, self.values, key=f"{self.prefix}.{self.column}", expert_only=True)
        return wf.ControlSettings.read(chosen)

    def _kind(self) -> str:
        titles = {"measurement": t("measurements"), "defectives": t("defective units"), "defects": t("defects")}
        about = say(self.fields["counts"].description or "")
        return self._choice(t("Kind of data"), titles, self.values["counts"], "counts", about)

    def _points(self) -> dict[str, Any]:
        titles = {"one": t("each row"), "size": t("several rows"), "column": t("rows that share a value")}
        now = "column" if self.values["subgroup_column"] else "size" if self.values["subgroup"] else "one"
        picked = self._choice(t("One point is"), titles, now, "point")
        if picked == "size":
            field = self.fields["subgroup"]
            return {"subgroup": field_widget(field, self.values["subgroup"] or 5, key=f"{self.prefix}.subgroup")}
        return {"subgroup_column": self._column("subgroup_column", self.names)} if picked == "column" else {}

    def _limits(self) -> dict[str, Any]:
        """The four ways to limits, which exclude each other."""
        titles = {
            ALL: t("all points"),
            BASELINE: t("a baseline period"),
            STAGES: t("stages by a column"),
            SHIFTS: t("stages from shifts"),
        }
        about = t("Limits from a chosen period (Phase I) stay as they are for all later points (Phase II).")
        picked = self._choice(t("Limits from"), titles, self._way(), "limits", about)
        if picked == BASELINE:
            cells = st.columns(2)
            with cells[0]:
                start = self._widget("baseline_start")
            with cells[1]:
                count = self._widget("baseline")
            caption(t("or draw it on the chart"))
            return {"baseline_start": start or 1, "baseline": count}
        if picked == STAGES:
            return {"stage_column": self._column("stage_column", self.names)}
        return {"shifts": picked == SHIFTS}

    def _way(self) -> str:
        if self.values["baseline"] is not None or self.values["baseline_start"] > 1:
            return BASELINE
        return STAGES if self.values["stage_column"] else SHIFTS if self.values["shifts"] else ALL

    def _widget(self, name: str) -> Any:
        return field_widget(self.fields[name], self.values[name], key=f"{self.prefix}.{name}")

    def _choice(self, label: str, titles: dict[str, str], now: str, name: str, about: str = "") -> str:
        options = list(titles)
        return str(
            st.selectbox(
                md(label),
                options,
                index=options.index(now),
                format_func=fixed(titles, titles.__getitem__),
                key=f"{self.prefix}.{name}",
                help=md(about) or None,
            )
        )

    def _column(self, name: str, names: Sequence[str]) -> str | None:
        """A column of the table, or none."""
        title, about = say(self.fields[name].title or ""), say(self.fields[name].description or "")
        return pick(title, names, self.values[name], key=f"{self.prefix}.{name}", about=about, none=t("none"))


def _ask(dataset_id: str, settings: wf.ControlSettings) -> None:
    """Settings that a button or a stretch drawn on the chart asks for."""
    asked = st.session_state.setdefault(ASKED, {})
    asked[dataset_id] = (asked[dataset_id][0] + 1 if dataset_id in asked else 1, settings)


def _drawn(view: wf.ControlView, settings: wf.ControlSettings, dataset_id: str) -> None:
    layout.figures(_figures(view))
    n = len(view.rows)
    x = np.arange(1, n + 1) if view.times is None else view.times
    key = f"{KEY}.{dataset_id}.{view.column}.{n}"
    axis = chart_range.ArrayAxis(n, x)
    shown = chart_range.chosen(key, n)
    draws_baseline = settings.stage_column is None and not settings.shifts and view.name != "run"
    for place, (chart, found) in enumerate(zip(view.charts, view.signals, strict=True)):
        figure = control_chart(
            chart=chart,
            signals=found,
            column=view.column,
            unit=view.unit,
            x=view.times,
            rows=view.rows,
            shown=None if shown.is_whole else shown.slice,
            **charts_look(),
        )
        alt, height, name = say(view.headline), HEIGHTS[min(place, 1)], f"{KEY}_chart_{place}"
        if place == 0 and draws_baseline:
            on_box = partial(_baseline_drawn, axis, dataset_id, settings)
            charts.show_selectable(figure, alt=alt, key=name, height=height, on_box=on_box)
        else:
            charts.show(figure, alt=alt, key=name, height=height)
        book = msg("rules of {book}", book=view.book.title) if place == 0 and view.is_zoned else None
        caption(say(caption_control(chart, view.times, book)))
    if n > 1_000 or not shown.is_whole:
        chart_range.control(key, axis, draws=False)
    layout.notes(view.notes)
    _proposed(view, settings, dataset_id)
    _signals(view)
    export(t("Points and limits (CSV)"), f"control-{view.column}.csv", partial(wf.export_control, view), key=f"{KEY}.export")
    layout.next_step(
        "learn/train.py", t("Train a model"), t("What a chart of one column cannot see, a model of all columns may.")
    )


def _figures(view: wf.ControlView) -> list[Figure]:
    chart = view.charts[0]
    n = int(np.isfinite(chart.points).sum())
    places = np.flatnonzero(view.marks)
    last = int(np.flatnonzero(np.isfinite(chart.centre))[-1])
    unit = view.unit if chart.kind in ("I", "Xbar", "EWMA", "run") else ""
    items = [Figure(t("Chart"), t("run chart") if view.name == "run" else view.name, _sizes(view))]
    if view.name != "run":
        first = t("The first: {where}.", where=where(view, int(places[0]))) if len(places) else ""
        items.append(Figure(t("Signals"), numbers.number(len(places)), tn("of {n} point", "of {n} points", n), help=first))
    about = t("Below it the control limits.") if view.name != "run" else ""
    width = float(chart.upper[last] - chart.lower[last]) / 6
    sigma = width if np.isfinite(width) else float(chart.sigma[last])
    centre = f"{by_spread(float(chart.centre[last]), sigma)} {unit}".strip()
    items.append(Figure(t("Centre line"), centre, _limits(view, last, unit), help=about))
    if np.isfinite(chart.sigma[last]) and chart.method not in ("none", "given"):
        items.append(
            Figure(
                t("Sigma"), numbers.number(chart.sigma[last], unit), chart.method, help=t("Short-term spread of single values.")
            )
        )
    return items


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


def where(view: wf.ControlView | wf.ManyView, point: int) -> str:
    """A point as people find it: its time, else the row at which it ends."""
    if view.times is not None and view.times.dtype.kind == "M":
        at = view.times[point].astype("datetime64[s]")
        return str(np.datetime64(at, "m") if at == np.datetime64(at, "m") else at).replace("T", " ")
    return t("row {row}", row=int(view.rows[point]) + 1)


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
        st.button(t("Make stages of them"), key=f"{KEY}.make_stages", on_click=_ask, args=(dataset_id, wanted))


def _baseline_drawn(axis: chart_range.ArrayAxis, dataset_id: str, settings: wf.ControlSettings, low: Any, high: Any) -> None:
    """A stretch drawn on the chart becomes the baseline period."""
    first, last = chart_range.places(axis, low, high)
    if last - first >= 2:
        _ask(dataset_id, settings.with_values(baseline_start=first + 1, baseline=last - first))


def _signals(view: wf.ControlView) -> None:
    """Each rule of the book that is broken: where, how often, and what the rule says."""
    rows = []
    for chart, found in zip(view.charts, view.signals, strict=True):
        for signal in found:
            if signal.count:
                places = np.flatnonzero(signal.found)
                told = ", ".join(where(view, int(i)) for i in places[:MOST_ROWS_TOLD]) + (
                    " …" if len(places) > MOST_ROWS_TOLD else ""
                )
                rows.append(
                    {
                        "rule": signal.number,
                        "chart": chart.kind,
                        "pattern": say(signal.rule.sentence),
                        "points": signal.count,
                        "where": told,
                    }
                )
    if view.name == "run":
        return
    if not rows and not view.is_zoned:
        st.markdown(f":green[:material/check_circle:] {md(t('No point lies outside the limits.'))}")
        return
    if not rows:
        st.markdown(f":green[:material/check_circle:] {md(t('No point breaks a rule of {book}.', book=say(view.book.title)))}")
    else:
        config = {
            "rule": st.column_config.NumberColumn(t("Rule number"), format="%d", width="small"),
            "chart": st.column_config.TextColumn(t("Chart"), width="small"),
            "pattern": st.column_config.TextColumn(t("Pattern")),
            "points": st.column_config.NumberColumn(t("Points"), format="localized", width="small"),
            "where": st.column_config.TextColumn(t("At"), width="medium"),
        }
        st.dataframe(
            pd.DataFrame(rows), column_config=config, hide_index=True, key=f"{KEY}_signals", alt=t("Rules that are broken")
        )
    if not view.is_zoned:
        return
    with st.popover(t("The rules of {book}", book=say(view.book.title)), type="tertiary", icon=":material/menu_book:"):
        lines = [f"{i}. {md(say(rule.sentence))}" for i, rule in enumerate(view.book.rules, 1)]
        st.markdown("\n".join(lines))
        caption(view.book.source)
