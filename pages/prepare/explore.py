"""Explore: is a column in control, and can the process keep what the customer wants?"""

from __future__ import annotations

from pages.components import control_view, state
from pages.components.layout import empty
from pages.components.text import t


def show() -> None:
    """The screen: empty, or the control chart of a column."""
    dataset = state.dataset()
    if dataset is None:
        empty(
            t("No data to explore yet"),
            t("Here a column becomes a control chart: limits, the rules that are broken, and where the limits come from."),
            action=t("Bring a file"),
            page="prepare/data.py",
        )
        return
    control_view.show(dataset)


show()
