"""What a cumulative sum shows beyond its limit: each excursion a coloured span, the longest with words, an axis on which the limit is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.charts.figure import Array, Json, Text, json_value, plain
from core.charts.theme import Theme
from core.messages import Message, msg

MOST_SPANS = 200
"""The longest excursions that are drawn as spans; with more the picture says no more."""
MOST_LABELLED = 3
CHARACTER = 0.012
"""Share of the plot's width that a character of a label takes on a small screen."""
SEEN, BELOW = 5.0, 0.4
"""Decision intervals that the axis shows beyond 0 where a sum runs much farther, and on the other side of 0."""
FAR = 8.0
"""Decision intervals from which on a sum would flatten its limit into 0."""
SHADE = 0.13


def spans(
    excursions: Sequence[tuple[int, int, int]],
    at: Array,
    number: Array,
    points: NDArray[np.float64],
    start: int,
    theme: Theme,
    text: Text,
    *,
    shown: Sequence[float] | None,
    is_upper: bool,
) -> tuple[list[Json], list[Json]]:
    """A span from start to end of each excursion, and words at the longest that do not stand on one another: (shapes, labels).

    The words are of the whole excursion, also where a part of it is drawn.

    Args:
        excursions: First and last point of each, 0-based, and how many points with a value lie from one to the other.
        at: (m,) places on the axis of the points that are drawn.
        number: (n,) rows of all points, counted from 1.
        points: (n,) the sums of all points.
        start: The first point that is drawn, 0-based.
        shown: The range of the axis, from `visible`.
        is_upper: Labels stand at the top, for the sum goes up; else at the bottom.
    """
    stop = start + len(at)
    seen = [excursion for excursion in excursions if excursion[0] < stop and excursion[1] >= start]
    longest = sorted(seen, key=lambda excursion: -excursion[2])
    shapes = [_span(at[max(a, start) - start], at[min(b, stop - 1) - start], theme) for a, b, _ in longest[:MOST_SPANS]]
    share, labels, taken = _share(at), [], list[tuple[float, float]]()
    for a, b, n in longest[:MOST_LABELLED]:
        first = max(a, start) - start
        words = text(_words(int(number[a]), n, _beyond(points[a : b + 1], shown)))
        left, width = float(share[first]), CHARACTER * len(words)
        is_right = left + width > 1
        ends = (left - width, left) if is_right else (left, left + width)
        if any(ends[0] < other[1] and ends[1] > other[0] for other in taken) or ends[0] < 0:
            continue
        taken.append(ends)
        labels.append(_label(at[first], words, theme, right=is_right, top=is_upper))
    return shapes, labels


def _beyond(sums: NDArray[np.float64], shown: Sequence[float] | None) -> float | None:
    """The farthest sum where it lies beyond the axis."""
    known = sums[np.isfinite(sums)]
    if shown is None or not len(known):
        return None
    farthest = float(known[np.argmax(np.abs(known))])
    return None if shown[0] <= farthest <= shown[1] else farthest


def _words(row: int, n: int, farthest: float | None) -> Message:
    if farthest is None:
        return msg("row {row} on: {n} points", row=row, n=n)
    return msg("row {row} on: {n} points, as far as {farthest} σ", row=row, n=n, farthest=round(farthest))


def visible(points: NDArray[np.float64], limit: float, *, is_upper: bool) -> list[float] | None:
    """The range of the axis on which limit and signals are seen, None where all points fit beside them."""
    known = np.abs(points[np.isfinite(points)])
    if not len(known) or not limit > 0 or known.max() <= FAR * limit:
        return None
    return [-BELOW * limit, SEEN * limit] if is_upper else [-SEEN * limit, BELOW * limit]


def _share(at: Array) -> NDArray[np.float64]:
    """Where the places stand on the axis, from 0 to 1."""
    places = at.astype("datetime64[ms]").astype(np.float64) if at.dtype.kind == "M" else at.astype(np.float64)
    width = float(places[-1] - places[0]) if len(places) else 0.0
    return (places - places[0]) / width if width > 0 else np.zeros(len(places))


def _span(a: object, b: object, theme: Theme) -> Json:
    place = {"x0": json_value(a), "x1": json_value(b), "y0": 0, "y1": 1, "yref": "paper"}
    color = theme.colors.bad
    # The line keeps an excursion of few points visible among thousands.
    return {
        "type": "rect",
        **place,
        "fillcolor": theme.light(color, SHADE),
        "line": {"width": 1, "color": theme.light(color, 2 * SHADE)},
        "layer": "below",
    }


def _label(at: object, words: str, theme: Theme, *, right: bool, top: bool) -> Json:
    place = {"x": json_value(at), "y": 0.99 if top else 0.01, "yref": "paper"}
    anchor = {"xanchor": "right" if right else "left", "yanchor": "top" if top else "bottom"}
    return {
        **place,
        **anchor,
        "xshift": -5 if right else 5,
        "text": plain(words),
        "showarrow": False,
        "font": {"color": theme.colors.bad, "size": 11},
    }
