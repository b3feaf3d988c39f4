"""Explore: control charts of one column and of several, capability, measuring itself, and how columns hang together."""

from __future__ import annotations

import streamlit as st

from pages.components import capability_view, control_many_view, control_view, gage_view, relations_view, state
from pages.components.choices import fixed
from pages.components.layout import empty
from pages.components.text import t

ONE, MANY, CAPABILITY, GAGE, RELATIONS = "one", "many", "capability", "gage", "relations"
OWN = ("set", "column", "columns", "part", "operator", "kind", "question", "by", "other", "picture", "pair")
"""What views keep in the address, besides which of them is shown."""


def show() -> None:
    """The screen: empty, or one of its views, kept in the address as `?view=`."""
    dataset = state.dataset()
    if dataset is None:
        empty(
            t("No data to explore yet"),
            t("Here a column becomes a control chart: limits, the rules that are broken, and where the limits come from."),
            action=t("Bring a file"),
            page="prepare/data.py",
        )
        return
    views = {
        ONE: control_view.show,
        MANY: control_many_view.show,
        CAPABILITY: capability_view.show,
        GAGE: gage_view.show,
        RELATIONS: relations_view.show,
    }
    titles = {
        ONE: t("One column"),
        MANY: t("Several columns"),
        CAPABILITY: t("Capability"),
        GAGE: t("Measurement system"),
        RELATIONS: t("Relations"),
    }
    asked = st.query_params.get("view", ONE)
    chosen = st.segmented_control(
        t("View"),
        list(titles),
        default=asked if asked in titles else ONE,
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key="explore_view",
        label_visibility="collapsed",
    )
    if chosen != st.session_state.setdefault("explore_shown", chosen):
        for name in OWN:  # what one view was told says nothing to another, but a column that was looked at may stay
            if name != "column" or chosen not in (ONE, CAPABILITY):
                state.note_in_address(name, "")
        st.session_state["explore_shown"] = chosen
    state.note_in_address("view", "" if chosen == ONE else str(chosen))
    views[str(chosen)](dataset)


show()
