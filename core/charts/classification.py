"""Classes: confusion matrix, ROC, precision and recall, probability histogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.charts.binning import bin_values
from core.charts.downsample import downsample
from core.charts.figure import LONGEST_NAME, Json, Text, draw, line, marks, plain, spread, upright
from core.charts.regression import bars
from core.charts.theme import LIGHT, Theme
from core.messages import Message, msg, msg_n

Xy = tuple[ArrayLike, ArrayLike]


def confusion_matrix(
    *,
    counts: ArrayLike,
    classes: Sequence[str],
    costs: ArrayLike | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Rows by true class (down) and predicted class (across), counts (k, k); the stronger a colour, the larger the share of the true class.

    Blue is right and lies on the diagonal, orange is wrong: two colours that the colour-blind tell apart. A class without rows has no share
    and stays in the colour of the background. With `costs` (k, k), what the rows of each cell cost together, orange is a cost and blue a gain,
    the stronger the larger.
    """
    n = np.asarray(counts, dtype=float).reshape(len(classes), len(classes))
    total = n.sum(axis=1, keepdims=True)
    share = np.divide(n, total, out=np.full_like(n, np.nan), where=total > 0)
    words = np.where(
        np.isfinite(share),
        [[f"{c:,.0f}<br>{s:.1%}" for c, s in zip(a, b, strict=True)] for a, b in zip(n, share, strict=True)],
        "0",
    )
    names = [plain(str(c)[:LONGEST_NAME]) for c in classes]
    shade = np.where(np.eye(len(classes), dtype=bool), share, -share)
    if costs is not None:
        money = np.asarray(costs, dtype=float).reshape(n.shape)
        largest = float(np.abs(money).max(initial=0.0))
        shade = -money / largest if largest else np.zeros_like(money)
        words = np.array([[_priced(m, c, text) for m, c in zip(a, b, strict=True)] for a, b in zip(money, n, strict=True)])
    cells: Json = {
        "type": "heatmap",
        "z": shade,
        "x": names,
        "y": names,
        "text": words,
        "texttemplate": "%{text}",
        "textfont": {"color": theme.colors.text},
        "colorscale": theme.right_and_wrong,
        "zmin": -1,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": "%{y} → %{x}: %{text}<extra></extra>",
    }
    return draw(
        [cells] if n.size else [],
        title=title or msg("True and predicted classes"),
        x=msg("predicted class"),
        y=msg("true class"),
        theme=theme,
        text=text,
        x_axis={"type": "category", "showline": False, "ticks": ""},
        y_axis={"type": "category", "autorange": "reversed", "showline": False, "ticks": "", "ticklabelstandoff": 6},
        right=40,
        height=max(300, 120 + 52 * len(classes)),
    )


def _priced(cost: float, rows: float, text: Text) -> str:
    money = f"{cost:,.0f}" if abs(cost) >= 1000 else f"{cost:.4g}"
    return f"{money}<br>{plain(text(msg_n('{n} row', '{n} rows', int(rows))))}"


def roc(
    *,
    curve: Xy,
    baseline: Xy | None = None,
    operating_point: tuple[float, float] | None = None,
    name: Message | None = None,
    baseline_name: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Defects caught over good parts rejected, shares 0 to 1. `curve` is (false-positive rate, true-positive rate).

    The dotted diagonal is a guess; `operating_point` is where the decision limit stands.
    """
    guess = {
        "type": "line",
        "x0": 0,
        "y0": 0,
        "x1": 1,
        "y1": 1,
        "line": {"color": theme.colors.muted, "width": 1, "dash": "dot"},
    }
    traces, labels = curve_traces(
        curve, baseline, operating_point, name, baseline_name, theme, text, bottom=0.04, side="right", step="linear"
    )
    return square(
        traces,
        title or msg("ROC: defects caught against good parts rejected"),
        msg("good parts rejected (share)"),
        msg("defects caught (share)"),
        theme,
        text,
        [guess],
        labels,
    )


def precision_recall(
    *,
    curve: Xy,
    baseline: Xy | None = None,
    operating_point: tuple[float, float] | None = None,
    prevalence: float | None = None,
    name: Message | None = None,
    baseline_name: Message | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Precision over recall, shares 0 to 1. `curve` is (recall, precision), drawn as steps.

    `prevalence` draws what guessing would reach: the share of defects.
    """
    shapes: list[Json] = []
    traces, labels = curve_traces(
        curve, baseline, operating_point, name, baseline_name, theme, text, bottom=0.06, side="left", step="hv"
    )
    if prevalence is not None:
        dotted = {"color": theme.colors.muted, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": 0, "x1": 1, "y0": prevalence, "y1": prevalence, "line": dotted})
        labels += spread([(prevalence, text(msg("guessing {share}", share=prevalence)), theme.colors.muted)], 1.0)
    return square(
        traces,
        title or msg("Precision and recall"),
        msg("recall: defects caught (share)"),
        msg("precision: alarms that are right (share)"),
        theme,
        text,
        shapes,
        labels,
    )


def probability_histogram(
    *,
    probability: ArrayLike,
    positive: ArrayLike,
    positive_name: str,
    threshold: float | None = None,
    title: Message | None = None,
    theme: Theme = LIGHT,
    text: Text = str,
) -> go.Figure:
    """Predicted probability (n,) of one class for rows that are of it and rows that are not, `positive` (n,) bool.

    Each side is in per cent of its own rows, so that a rare class is seen.
    """
    p, is_positive = np.asarray(probability, float), np.asarray(positive, bool)
    traces, labels, shapes = [], [], []
    sides = (
        (~is_positive, msg("not {name}", name=positive_name), theme.category(0)),
        (is_positive, msg("{name}", name=positive_name), theme.category(5)),
    )
    for i, (side, name, color) in enumerate(sides):
        edges, counts = bin_values(p[side], 40, (0.0, 1.0))
        if counts.sum():
            traces.append(bars(edges, 100.0 * counts / counts.sum(), color, name=plain(text(name)), opacity=0.6))
            words = text(msg("{name}: {n} rows", name=name, n=int(counts.sum())))
            labels.append(note_at(0.98, 0.98 - 0.08 * i, "right", words, color))
    if threshold is not None:
        shape, label = upright(
            threshold, text(msg("decision limit {value}", value=float(threshold))), theme, theme.colors.bad, "dash"
        )
        shapes, labels = [shape], [*labels, label]
    return draw(
        traces,
        title=title or msg("Predicted probability of {name}", name=positive_name),
        x=msg("probability of {name}", name=positive_name),
        y=msg("share of its rows (%)"),
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        x_axis={"range": [-0.01, 1.01]},
        right=40,
        barmode="overlay",
    )


def curve_traces(
    curve: Xy, baseline: Xy | None, point: tuple[float, float] | None, name: Message | None, baseline_name: Message | None,
    theme: Theme, text: Text, *, bottom: float, side: str, step: str, hover: str = "%{x:.3f}, %{y:.3f}",
) -> tuple[list[Json], list[Json]]:  # fmt: skip
    """A curve beside the baseline's with the point of the decision limit, and their labels at one side of the figure."""
    drawn = [(curve, text(name or msg("this model")), theme.category(0), "solid", 2.0)]
    if baseline is not None:
        drawn.insert(0, (baseline, text(baseline_name or msg("baseline")), theme.colors.muted, "dash", 1.4))
    traces, labels = [], []
    edge = 0.98 if side == "right" else 0.02
    for i, (xy, words, color, dash, width) in enumerate(drawn):
        x, y = np.asarray(xy[0], float), np.asarray(xy[1], float)
        kept = downsample(y)
        trace = line(x[kept], y[kept], color, name=words, hover=hover, dash=dash, width=width)
        trace["line"]["shape"] = step
        traces.append({**trace, "mode": "lines+markers" if len(x) == 1 else "lines"})
        labels.append(note_at(edge, bottom + 0.07 * i, side, words, color))
    if point is not None:
        x, y = np.array([point[0]]), np.array([point[1]])
        traces.append(marks(x, y, theme.colors.text, name=text(msg("decision limit")), hover=hover, symbol="diamond", size=10))
        labels.append(_at(point, text(msg("decision limit")), theme))
    return traces, labels


def note_at(x: float, y: float, side: str, words: str, color: str) -> Json:
    """A label at a place of the figure, 0 to 1 from its left and its bottom."""
    return {
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": side,
        "text": plain(words),
        "showarrow": False,
        "font": {"color": color, "size": 12},
    }


def _at(point: tuple[float, float], words: str, theme: Theme) -> Json:
    left = point[0] > 0.7
    anchor = {"xanchor": "right" if left else "left", "xshift": -10 if left else 10}
    return {
        "x": point[0],
        "y": point[1],
        **anchor,
        "yshift": -10,
        "text": plain(words),
        "showarrow": False,
        "font": {"color": theme.colors.text, "size": 11},
    }


def square(
    traces: list[Json],
    title: Message,
    x: Message,
    y: Message,
    theme: Theme,
    text: Text,
    shapes: list[Json],
    labels: list[Json],
    highest: float = 1.0,
) -> go.Figure:
    """A figure whose axes are both shares, 0 to `highest`."""
    share = {"range": [-0.01 * highest, 1.02 * highest]}
    return draw(
        traces,
        title=title,
        x=x,
        y=y,
        theme=theme,
        text=text,
        shapes=shapes,
        labels=labels,
        x_axis=share,
        y_axis=share,
        right=90,
        height=400,
    )
