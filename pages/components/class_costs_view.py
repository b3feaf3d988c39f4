"""The confusion matrix in rows or in money: a price for each cell, what the calls cost, and which calls would cost least."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.messages import msg
from pages.components import address_settings, charts, layout, notices, numbers
from pages.components.choices import fixed
from pages.components.explore_parts import export
from pages.components.looks import charts_look
from pages.components.text import md, say, t

UNITS = ("rows", "money")


@st.cache_resource(show_spinner=False, max_entries=16, ttl=900)
def _view(_results: Any, run_id: str, finished: str, part: str, positive: str, threshold: float | None, costs: str) -> Any:
    return wf.cost_view(_results, wf.CostSettings(costs=costs), part, positive, threshold)


def show(results: Any, view: Any, threshold: float | None, in_rows: Callable[[Any], None]) -> None:
    """The matrix as `in_rows` draws it, or in money."""
    titles = {"rows": t("Rows"), "money": t("Money")}
    owner = f"costs.{results.run.id}"
    settings = address_settings.read(wf.CostSettings, (), owner=owner)
    unit = st.segmented_control(
        t("Confusion matrix in"),
        UNITS,
        default="money" if settings.costs else "rows",
        required=True,
        format_func=fixed(UNITS, titles.__getitem__),
        key=f"confusion_unit.{results.run.id}",
        label_visibility="collapsed",
    )
    if unit != "money":
        in_rows(view)
        return
    costs = _prices(view, settings, f"prices.{results.run.id}")
    address_settings.note(wf.CostSettings(costs=costs), owner=owner)
    with notices.guard():
        run = results.run
        _in_money(results, view, _view(results, run.id, str(run.finished), view.part, view.positive, threshold, costs))


def _prices(view: Any, settings: wf.CostSettings, key: str) -> str:
    """The table of prices, as the settings hold it; a new table starts from the address, later from what was typed."""
    start = f"{key}.start"
    if start not in st.session_state:
        with notices.guard():
            st.session_state[start] = wf.cost_matrix(view.classes, settings)
        if start not in st.session_state:  # an address that says it wrongly
            st.session_state[start] = 1.0 - np.eye(len(view.classes))
    first = t("true class")
    table = pd.DataFrame(st.session_state[start], columns=list(view.classes))
    table.insert(0, first, list(view.classes))
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(t("called {name}", name=name), required=True, format="localized")
        for name in view.classes
    }
    config[first] = st.column_config.TextColumn(first, disabled=True)
    with st.expander(t("Prices"), expanded=not settings.costs, key=f"{key}.box"):
        st.caption(
            md(
                t(
                    "What one row costs, by its true class (down) and the class it is called (across), in any unit. A gain is below 0."
                )
            )
        )
        edited = st.data_editor(table, hide_index=True, column_config=config, key=f"{key}.table", alt=t("Prices of calls"))
    values = edited[list(view.classes)].to_numpy(dtype=np.float64)
    return wf.costs_as_text(view.classes, np.where(np.isfinite(values), values, st.session_state[start]))


def _in_money(results: Any, view: Any, found: Any) -> None:
    figure = drawing.confusion_matrix(
        counts=view.confusion,
        classes=view.classes,
        costs=found.own.cells,
        title=msg("Costs of the calls"),
        **charts_look(),
    )
    charts.show(figure, alt=say(found.headline), key="class_costs", height=max(280, 120 + 52 * len(view.classes)))
    st.markdown(md(say(found.headline)))
    names = {
        t("as they are called"): found.own,
        t("least expected cost"): found.least,
        t("baseline, least expected cost"): found.baseline,
        t("all called '{name}'", name=found.constant_class): found.constant,
    }
    shown = {name: one for name, one in names.items() if one is not None}
    table = pd.DataFrame(
        {
            t("calls"): list(shown),
            t("cost of 1,000 rows"): [numbers.number(one.mean) for one in shown.values()],
            t("95 % interval"): [_span(one.bounds) for one in shown.values()],
        }
    )
    st.dataframe(table, hide_index=True, key="class_cost_table", height="content", alt=t("Costs of 1,000 rows"))
    low, high = found.saved_bounds
    layout.caption(
        t("saved on 1,000 rows: {saved}", saved=numbers.number(found.saved)),
        "" if low is None or high is None else t("95 %: {low} to {high}", low=numbers.number(low), high=numbers.number(high)),
        t("least expected cost: each row is called what costs least by the probabilities of all classes"),
    )
    _beside_baseline(found.over_baseline)
    export(
        t("Cheapest calls (CSV)"),
        f"andon-cheapest-calls-{results.run.id}.csv",
        partial(wf.export_cost_calls, results, found),
        key="cheapest_calls",
    )


def _beside_baseline(over: tuple[float, tuple[float | None, float | None]] | None) -> None:
    """Whether the model's cheapest calls are cheaper than the baseline's, in a sentence."""
    if over is None:
        return
    mean, (low, high) = over
    told = {"n": numbers.number(abs(mean))}
    words = (
        t("Least expected cost by the baseline would be {n} dearer on 1,000 rows", **told)
        if mean >= 0
        else t("Least expected cost by the baseline would be {n} cheaper on 1,000 rows", **told)
    )
    if low is None or high is None:
        layout.caption(words)
        return
    span = t("95 %: {low} to {high}", low=numbers.number(low), high=numbers.number(high))
    layout.caption(words, span, t("clear") if low > 0 or high < 0 else t("this may be chance"))


def _span(bounds: tuple[float | None, float | None]) -> str:
    low, high = bounds
    return "–" if low is None or high is None else f"{numbers.number(low)} – {numbers.number(high)}"
