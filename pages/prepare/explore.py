"""Explore: control charts of one column and of several, capability, measuring itself, and how columns hang together."""

from __future__ import annotations

from pages.components import capability_view, control_many_view, control_view, gage_view, relations_view, state
from pages.components.layout import empty
from pages.components.text import t
from pages.components.views import chosen_view

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
    views[chosen_view(titles, key="explore_view", own=OWN, shared={"column": (ONE, CAPABILITY)})](dataset)


show()
