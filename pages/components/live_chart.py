"""The curves of a training in Vega: new points are swapped into the chart that is there, so it keeps its zoom.

Everything that changes while a run lives is data, never specification: the best epoch is a row of the table, and so are
the end of the epoch axis and the names at the ends of the lines. The specification is written as Vega-Lite's own JSON:
Altair took 0.2 s a panel to check and build it, at every look at a running training (1 s beside a busy worker).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.workflows.records import Curves

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MAX_POINTS = 1_500
Y_AXIS = 44
LABEL_WIDTH, LABEL_HEIGHT = 70, 14
NONE: Mapping[str, Curves] = {}
HORIZONS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000)


def horizon(n_epochs: float, planned: int | None) -> float:
    """Where the epoch axis ends: it grows in steps of 1-2-5, never beyond what is planned and never below what is there."""
    wanted = max(n_epochs + 1, HORIZONS[0])
    step = next((h for h in HORIZONS if h >= wanted), wanted)
    return max(n_epochs, min(step, planned) if planned else step)


def curve_frame(curves: Curves, *, metric: bool, end: float, others: Mapping[str, Curves] = NONE) -> pd.DataFrame:
    """Long table of one panel: x (epochs), y, kind, series. NaN and Inf are left out.

    Kinds: training, validation, batch (points of lines); best, end (epochs without a value); upper, lower (the last
    points of the two lines, the higher and the lower one: where their names stand without covering each other); beside,
    beside_end (the validation curves of `others` by name, which is their `series`, and their last points). Of a
    curve with more than `MAX_POINTS` every k-th point is drawn, and the last.
    """
    pairs: dict[str, tuple[ArrayLike, ArrayLike]] = (
        {"training": (curves.epochs, curves.metric), "validation": (curves.epochs, curves.val_metric)}
        if metric
        else {
            "batch": _batches(curves),
            "training": (curves.epochs, curves.loss),
            "validation": (curves.epochs, curves.val_loss),
        }
    )
    parts = [_part(kind, *_thinned(x, y)) for kind, (x, y) in pairs.items()]
    last = [part.iloc[[-1]] for part in parts if len(part) and part["kind"].iloc[0] != "batch"]
    for place, part in zip(("upper", "lower"), sorted(last, key=lambda part: -part["y"].iloc[0]), strict=False):
        parts.append(part.assign(series=part["kind"], kind=place))
    for name, other in others.items():
        line = _part("beside", *_thinned(other.epochs, other.val_metric if metric else other.val_loss)).assign(series=name)
        parts += [line, line.iloc[[-1]].assign(kind="beside_end")] if len(line) else []
    parts.append(_single("end", end))
    if curves.best_epoch is not None:
        parts.append(_single("best", curves.best_epoch))
    return pd.concat(parts, ignore_index=True)


def curve_chart(
    words: Mapping[str, str], palette: Mapping[str, str], *, title: str, log: bool, is_last: bool = True, height: int
) -> dict[str, Any]:
    """The Vega-Lite specification of one panel of a `curve_frame`.

    `words` name kinds and axis. The last panel carries the axis title, the others name the best epoch.
    """
    x = {
        **_quantity("x", words["epoch"] if is_last else None),
        "scale": {"domainMin": 0, "nice": False},
        "axis": {"tickMinStep": 1, "grid": False},
    }
    y = {
        **_quantity("y", title),
        "scale": {"type": "log" if log else "linear", "zero": False, "padding": LABEL_HEIGHT},
        "axis": {"format": ".4~g", "tickCount": 5, "minExtent": Y_AXIS, "maxExtent": Y_AXIS},
    }
    tips = [{**_quantity("x", words["epoch"]), "format": ".4~g"}, {**_quantity("y", title), "format": ".4~g"}]
    layers = [_line("batch", palette, {"x": x, "y": y}, thin=True)]
    layers[0]["params"] = [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}]
    for kind in ("training", "validation"):
        layers.append(_line(kind, palette, {"x": x, "y": y}, thin=False))
        point = {"type": "point", "color": palette[kind], "filled": True, "size": 26, "clip": True}
        layers.append(_layer(kind, point, {"x": x, "y": y, "tooltip": tips}))
    layers += _beside_layers(palette["best"], {"x": x, "y": y}, tips)
    layers += [_end_label(place, words, palette, {"x": x, "y": y}) for place in ("upper", "lower")]
    layers.append(_layer("end", {"type": "rule", "opacity": 0}, {"x": x}))
    layers += _best_layers(x, words["best"] if not is_last else "", palette["best"])
    padding = {"left": 4, "right": 8, "top": 4, "bottom": 4}
    return {"$schema": SCHEMA, "layer": layers, "height": height, "padding": padding}


def _beside_layers(colour: str, encoding: dict[str, Any], tips: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The curves of other runs: thin and grey, so that the run's own stand out, each with its name at its end."""
    detail = {"field": "series", "type": "nominal"}
    mark = {"type": "line", "color": colour, "strokeWidth": 1.4, "opacity": 0.75, "clip": True}
    shown = {**encoding, "detail": detail, "tooltip": [{"field": "series", "type": "nominal", "title": " "}, *tips]}
    label = {"type": "text", "color": colour, "align": "right", "dx": -4, "dy": -7, "clip": True, "fontSize": 11}
    return [_layer("beside", mark, shown), _layer("beside_end", label, {**encoding, "text": detail})]


def _quantity(field: str, title: str | None) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title}


def _layer(kind: str, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    """What is drawn for the rows of one kind."""
    return {"transform": [{"filter": f"datum.kind == '{kind}'"}], "mark": mark, "encoding": encoding}


def _line(kind: str, palette: Mapping[str, str], encoding: dict[str, Any], *, thin: bool) -> dict[str, Any]:
    width, opacity = (1, 0.55) if thin else (2, 1.0)
    mark = {"type": "line", "color": palette[kind], "strokeWidth": width, "opacity": opacity, "clip": True}
    return _layer(kind, mark, encoding)


def _end_label(place: str, words: Mapping[str, str], palette: Mapping[str, str], encoding: dict[str, Any]) -> dict[str, Any]:
    """The name of the line that ends higher stands above its end, that of the other one below; left of it at the border.

    Clipped like everything else: a name outside a zoomed view would otherwise count for the size of the drawing.
    """
    is_training, at_border = "datum.series == 'training'", f"scale('x', datum.x) > width - {LABEL_WIDTH}"
    align, dx = {"expr": f"{at_border} ? 'right' : 'left'"}, {"expr": f"{at_border} ? -6 : 8"}
    dy = {"expr": f"({at_border} ? 5 : 0) + 7"} if place == "lower" else {"expr": f"-({at_border} ? 5 : 0) - 6"}
    mark = {"type": "text", "align": align, "dx": dx, "dy": dy, "clip": True}
    text = {"condition": {"test": is_training, "value": words["training"]}, "value": words["validation"]}
    colour = {"condition": {"test": is_training, "value": palette["training"]}, "value": palette["validation"]}
    return _layer(place, mark, {**encoding, "text": text, "color": colour})


def _best_layers(x: dict[str, Any], word: str, colour: str) -> list[dict[str, Any]]:
    rule = _layer("best", {"type": "rule", "strokeDash": [4, 3], "color": colour, "clip": True}, {"x": x})
    if not word:
        return [rule]
    mark = {"type": "text", "align": "right", "baseline": "top", "dx": -4, "color": colour}
    label = _layer("best", mark, {"x": x, "y": {"value": 2}, "text": {"field": "label", "type": "nominal"}})
    label["transform"].append({"calculate": f"{json.dumps(word)} + ' ' + datum.x", "as": "label"})
    return [rule, label]


def _single(kind: str, x: float) -> pd.DataFrame:
    return pd.DataFrame({"x": [float(x)], "y": [np.nan], "kind": [kind], "series": [""]})


def _batches(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """The losses of batches; those of the untrained network only until two epochs are there, as they dwarf all others."""
    shown = curves.batch_x >= (1.0 if len(curves.epochs) >= 2 else 0.0)
    return curves.batch_x[shown], curves.batch_loss[shown]


def _thinned(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(xs) <= MAX_POINTS or len(xs) != len(ys):
        return xs, ys
    # Always with the newest point, where the line has its name.
    kept = np.unique(np.append(np.arange(0, len(xs), -(-len(xs) // MAX_POINTS)), len(xs) - 1))
    return xs[kept], ys[kept]


def _part(kind: str, x: ArrayLike, y: ArrayLike) -> pd.DataFrame:
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float) if y is not None else np.empty(0)
    if len(xs) != len(ys):
        xs = ys = np.empty(0)
    kept = np.isfinite(ys)
    return pd.DataFrame({"x": xs[kept], "y": ys[kept], "kind": kind, "series": ""})
