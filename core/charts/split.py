"""Which rows train, validate and test, drawn on the axis of time or rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.figure import PART_TITLES, Json, Text, axis_values, draw, plain, x_title
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_CELLS = 2_000
PART_KEYS = ("train", "validation", "test", "gap")


def split_ribbon(
    *,
    parts: ArrayLike,
    x: ArrayLike | None = None,
    counts: Mapping[str, int] | None = None,
    part_titles: Mapping[int, Message] = PART_TITLES,
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """One strip coloured by part code (n,) over times, numbers or rows; `counts` are the rows of each part by name.

    Above 2,000 rows every k-th is drawn; without `counts` the given codes are counted.
    """
    codes = np.asarray(parts, dtype=int)
    at = axis_values(x, len(codes))
    step = max(1, -(-len(codes) // MOST_CELLS))
    number = {key: int(np.count_nonzero(codes == i)) for i, key in enumerate(PART_KEYS)} if counts is None else dict(counts)
    scale = [[(i + edge) / 4, theme.part(i, 0.45)] for i in range(4) for edge in (0, 1)]
    strip: Json = {
        "type": "heatmap",
        "x": at[::step],
        "y": [""],
        "z": codes[None, ::step],
        "zmin": -0.5,
        "zmax": 3.5,
        "colorscale": scale,
        "showscale": False,
        "hovertemplate": "%{x}<extra></extra>",
    }
    return draw(
        [strip] if len(codes) else [],
        title=title or msg("Rows that train, validate and test"),
        x=x_title(at, along),
        y=msg("part"),
        theme=theme,
        text=text,
        labels=_named(codes, number, part_titles, theme, text),
        y_axis={"showticklabels": False, "ticks": "", "showline": False, "showgrid": False, "fixedrange": True},
        right=40,
        height=170,
    )


def _named(codes: np.ndarray, number: Mapping[str, int], titles: Mapping[int, Message], theme: Theme, text: Text) -> list[Json]:
    """One label a part with its rows, above the strip in the order of the parts along it."""
    present = [i for i, key in enumerate(PART_KEYS) if number.get(key)]
    present.sort(key=lambda i: float(np.flatnonzero(codes == i).mean()) if np.any(codes == i) else np.inf)
    labels = []
    for place, i in enumerate(present):
        words = text(msg("{part}: {n} rows", part=titles[i], n=number[PART_KEYS[i]]))
        share = place / max(1, len(present) - 1) if len(present) > 1 else 0.0
        anchor = "left" if place == 0 else "right" if place == len(present) - 1 else "center"
        shown = f'<span style="color:{theme.part(i, 0.45)}">■</span> {plain(words)}'
        labels.append(
            {
                "x": share,
                "xref": "paper",
                "xanchor": anchor,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": shown,
                "showarrow": False,
                "font": {"color": theme.colors.text, "size": 11},
            }
        )
    return labels
