"""Loss over epochs, for the report. (Live curves are drawn by the pages, in an engine that keeps its zoom.)"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.downsample import downsample
from core.charts.figure import Text, draw, line, span_of, spread, upright
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg


def loss_curves(
    *,
    epochs: ArrayLike,
    loss: ArrayLike,
    val_loss: ArrayLike | None = None,
    best_epoch: int | None = None,
    loss_title: Message | None = None,
    log: bool = False,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Training and validation loss (n_epochs,) with the best epoch marked; `log` makes the loss axis logarithmic."""
    at, series = np.asarray(epochs), [(np.asarray(loss, float), msg("training"), theme.category(0))]
    if val_loss is not None:
        series.append((np.asarray(val_loss, float), msg("validation"), theme.category(1)))
    traces, labels = [], []
    for values, name, color in series:
        kept = downsample(values)
        traces.append(line(at[kept], values[kept], color, name=text(name), hover="%{x}: %{y:.4~g}", width=1.8))
        last = values[np.isfinite(values)][-1:]
        labels += [(float(np.log10(last[0]) if log and last[0] > 0 else last[0]), text(name), color) for _ in last]
    shown = [np.log10(v[v > 0]) if log else v for v, _, _ in series]
    placed, shapes = spread(labels, span_of(*shown)), []
    if best_epoch is not None:
        shape, label = upright(best_epoch, text(msg("best: epoch {epoch}", epoch=best_epoch)), theme)
        shapes, placed = [shape], [*placed, label]
    return draw(
        traces,
        title=title or msg("Loss by epoch"),
        x=msg("epoch"),
        y=loss_title or msg("loss"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=placed,
        y_axis={"type": "log"} if log else {},
    )
