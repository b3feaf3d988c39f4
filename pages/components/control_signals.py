"""The signals of a control chart in words: which rule, how often, where; and of cumulative sums since when and to which mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import by_spread
from pages.components.layout import caption
from pages.components.text import md, say, t

KEY = "control"
MOST_ROWS_TOLD = 12


def where(view: wf.ControlView | wf.ManyView, point: int) -> str:
    """A point as people find it: its time, else the row at which it ends."""
    if view.times is not None and view.times.dtype.kind == "M":
        at = view.times[point].astype("datetime64[s]")
        return str(np.datetime64(at, "m") if at == np.datetime64(at, "m") else at).replace("T", " ")
    return t("row {row}", row=int(view.rows[point]) + 1)


def _excursions(view: wf.ControlView) -> None:
    """How often and how long the sums were beyond their limits, and each time: since when, until when, to which mean."""
    if view.shift_words is not None:
        st.markdown(f":material/moving: {md(say(view.shift_words))}")
    sigma = view.charts[0].sigma
    rows = [
        {
            "way": t("up") if shift.is_up else t("down"),
            "start": where(view, shift.start),
            "signal": where(view, shift.signal),
            "end": t("goes on") if shift.goes_on else where(view, shift.end),
            "points": shift.length,
            "mean": by_spread(shift.mean, float(sigma[shift.signal])),
            "n": shift.count,
        }
        for shift in view.cusum
    ]
    mean = f"{t('New mean')} ({view.unit})" if view.unit else t("New mean")
    config = {
        "way": st.column_config.TextColumn(t("Direction"), width=75),
        "start": st.column_config.TextColumn(t("Start")),
        "signal": st.column_config.TextColumn(t("Signal")),
        "end": st.column_config.TextColumn(t("End")),
        "points": st.column_config.NumberColumn(t("Points"), format="localized", width=70),
        "mean": st.column_config.TextColumn(mean, width=120),
        "n": st.column_config.NumberColumn(t("from n"), format="localized", width=65),
    }
    alt = t("Shifts that the sums signal")
    st.dataframe(pd.DataFrame(rows), column_config=config, hide_index=True, key=f"{KEY}_excursions", alt=alt)
    caption(say(view.mean_words))


def signals_table(view: wf.ControlView) -> None:
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
    if view.cusum:
        _excursions(view)
        return
    if view.counted is not None:
        st.markdown(md(say(view.counted)))
    if not rows and not view.is_zoned:
        st.markdown(f":green[:material/check_circle:] {md(t('No point lies outside the limits.'))}")
        return
    if not rows:
        st.markdown(f":green[:material/check_circle:] {md(t('No point breaks a rule of {book}.', book=say(view.book.title)))}")
    else:
        config = {
            "rule": st.column_config.NumberColumn(t("Rule"), format="%d", width="small"),
            "chart": st.column_config.TextColumn(t("Chart"), width="small"),
            "pattern": st.column_config.TextColumn(t("Pattern")),
            "points": st.column_config.NumberColumn(t("Points"), format="localized", width=70),
            "where": st.column_config.TextColumn(t("At"), width="medium"),
        }
        st.dataframe(
            pd.DataFrame(rows), column_config=config, hide_index=True, key=f"{KEY}_signals", alt=t("Rules that are broken")
        )
    if not view.is_zoned:
        return
    with st.popover(t("The rules of {book}", book=say(view.book.title)), type="tertiary", icon=":material/menu_book:"):
        lines = [f"{i}. {md(say(rule.sentence))}" for i, rule in view.book.numbered]
        st.markdown("\n".join(lines))
        caption(view.book.source)
