"""Remaining life of some units: what was predicted, with its interval, against what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import Json, Text, band, draw, line, plain, quantity
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg

MOST_UNITS = 8


@dataclass(frozen=True, slots=True)
class UnitLife:
    """One unit: its counter (n,), predicted and true remaining life (n,) with NaN where unknown, and the interval."""

    name: str
    at: ArrayLike
    prediction: ArrayLike
    truth: ArrayLike | None = None
    lower: ArrayLike | None = None
    upper: ArrayLike | None = None


def life_chart(
    *,
    units: Sequence[UnitLife],
    unit: str = "",
    along: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Remaining life over the counter for the first eight of `units`; solid predicted, dotted what came.

    `unit` is what life is counted in. The interval is drawn as a band.
    """
    bands: list[Json] = []
    traces: list[Json] = []
    labels: list[Json] = []
    for i, one in enumerate(list(units)[:MOST_UNITS]):
        color, at, predicted = theme.category(i), np.asarray(one.at), np.asarray(one.prediction, float)
        kept = downsample(predicted)
        name = text(msg("{name}: predicted", name=one.name))
        if one.lower is not None and one.upper is not None:
            low, high = np.asarray(one.lower, float), np.asarray(one.upper, float)
            bands += band(at[kept], low[kept], high[kept], theme.clear(color))
        if one.truth is not None:
            true = np.asarray(one.truth, float)
            traces.append(
                line(at[kept], true[kept], color, name=one.name, hover=plain(one.name) + "<br>%{x}: %{y:.4~g}", dash="dot")
            )
        traces.append(
            line(
                at[kept], predicted[kept], color, name=name, hover=plain(name) + "<br>%{x}: %{y:.4~g} " + plain(unit), width=1.8
            )
        )
        labels += _label(at[kept], predicted[kept], one.name, color, i)
    note = {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom", "showarrow": False}
    words = plain(text(msg("solid: predicted · dotted: what came · band: interval")))
    return draw(
        [*bands, *traces],
        title=title or msg("Remaining life"),
        x=along or quantity(msg("counter"), unit),
        y=quantity(msg("remaining life"), unit),
        theme=theme,
        text=text,
        labels=[*labels, note | {"text": words, "font": {"color": theme.colors.muted, "size": 11}}],
        y_axis={"rangemode": "tozero"},
        right=60,
        height=380,
    )


def _label(at: np.ndarray, predicted: np.ndarray, name: str, color: str, i: int) -> list[Json]:
    """The unit's name at the last predicted point, in one of four heights, since lives end close together."""
    known = np.flatnonzero(np.isfinite(predicted))
    if not len(known):
        return []
    last = known[-1]
    place = {
        "x": float(at[last]),
        "y": float(predicted[last]),
        "xanchor": "left",
        "xshift": 6,
        "yshift": 8 + 14 * (i % 4),
        "showarrow": False,
    }
    return [place | {"text": plain(name[:24]), "font": {"color": color, "size": 11}}]
