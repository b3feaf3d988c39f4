"""Plotly figures of `core.charts` on a screen: our own theme, alt text, no cloud button."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.charts.figure import TOOLBAR
from core.charts.theme import DARK, LIGHT, Theme

CONFIG = {
    "displaylogo": False,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}


def is_dark() -> bool:
    """Whether the browser shows the dark theme now."""
    return st.context.theme.type == "dark"


def theme() -> Theme:
    """The look of `core.charts` that fits the browser's theme; `say` is their translator: `theme=theme(), text=say`."""
    return DARK if is_dark() else LIGHT


def show(figure: go.Figure, *, alt: str, key: str, height: int | None = None) -> None:
    """Draw a figure; `alt` says its finding in a sentence, for screen readers."""
    if height is not None:
        figure.update_layout(height=height + TOOLBAR)
    st.plotly_chart(figure, theme=None, key=key, config=CONFIG, alt=alt)


def pick(figure: go.Figure, *, alt: str, key: str) -> list[dict[str, object]]:
    """Draw a figure whose points can be selected; the selected points of Plotly, with `customdata`."""
    state = st.plotly_chart(
        figure, theme=None, key=key, config=CONFIG, alt=alt, on_select="rerun", selection_mode=("points", "box")
    )
    return list(state.selection.points)


def show_selectable(
    figure: go.Figure, *, alt: str, key: str, on_box: Callable[[Any, Any], None], height: int | None = None
) -> None:
    """Draw a figure on which dragging draws a stretch of the horizontal axis; its ends go to `on_box`.

    A click selects nothing beside it: Streamlit turns that off where dragging selects.
    """
    if height is not None:
        figure.update_layout(height=height + TOOLBAR)
    figure.update_layout(dragmode="select", selectdirection="h")
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        config=CONFIG,
        alt=alt,
        on_select=partial(_boxed, key, on_box),
        selection_mode="box",
    )


def _boxed(key: str, on_box: Callable[[Any, Any], None]) -> None:
    boxes = st.session_state[key].selection.box
    if boxes:
        on_box(*boxes[-1]["x"][:2])
