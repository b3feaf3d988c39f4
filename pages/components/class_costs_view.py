"""The confusion matrix in rows or in money: a price for each cell, what the calls cost, and which calls would cost least."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.messages import msg
from pages.components import address_settings, charts, class_prices, layout, notices, numbers
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
    run_id = results.run.id
    owner = class_prices.owner(run_id)
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
    class_prices.held(run_id, view.classes)  # said before the table, where the address says it wrongly
    costs = _prices(view, run_id, not settings.costs)
    address_settings.note(wf.CostSettings(costs=costs), owner=owner)
    with notices.guard():
        run = results.run
        _in_money(results, view, _view(results, run.id, str(run.finished), view.part, view.positive, threshold, costs))


def _prices(view: Any, run_id: str, is_new: bool) -> str:
    """The table of prices, as the settings hold it."""
    start, key = class_prices.table(run_id, view.classes)
    first = t("true class")
    table = pd.DataFrame(start, columns=list(view.classes))
    table.insert(0, first, list(view.classes))
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(t("called {name}", name=name), required=True, format="localized")
        for name in view.classes
    }
    config[first] = st.column_config.TextColumn(first, disabled=True)
    with st.expander(t("Prices"), expanded=is_new, key=f"prices.{run_id}.box"):
        st.caption(
            md(
                t(
                    "What one row costs, by its true class (down) and the class it is called (across), in any unit. A gain is below 0."
                )
            )
        )
        st.data_editor(
            table,
            hide_index=True,
            column_config=config,
            key=key,
            alt=t("Prices of calls"),
            on_change=class_prices.take_edits,
            args=(run_id, view.classes),
        )
    return wf.costs_as_text(view.classes, class_prices.held(run_id, view.classes))


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
    if found.beside_baseline is not None:
        st.markdown(md(say(found.beside_baseline)))
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
    export(
        t("Cheapest calls (CSV)"),
        f"andon-cheapest-calls-{results.run.id}.csv",
        partial(wf.export_cost_calls, results, found),
        key="cheapest_calls",
    )


def _span(bounds: tuple[float | None, float | None]) -> str:
    low, high = bounds
    return "–" if low is None or high is None else f"{numbers.number(low)} – {numbers.number(high)}"
