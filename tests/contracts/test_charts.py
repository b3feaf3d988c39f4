"""What every chart of the catalogue promises, drawn with full, single, empty and unfilled records in both looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.charts import CATALOGUE, DARK, LIGHT, MAX_POINTS, ChartInfo, Theme, UnitLife, bin_values, zone_chart
from core.charts.theme import CIVIDIS
from core.messages import Message, msg
from core.spc.chart import Chart, phases, without
from core.spc.probability_plot import ProbabilityPlot
from core.spc.rules import Rule, Signal

Record = dict[str, Any]
UNITS = {
    "parity": ("(mm)", "(mm)"),
    "residuals_over_time": ("time", "(mm)"),
    "zone_chart": ("(mm)", "(mm)"),
    "residual_histogram": ("(mm)", "rows"),
    "before_after": ("time", "(bar)"),
    "series_over_time": ("time", "(bar)"),
    "histogram_pair": ("(bar)", "cells"),
    "sensor_band": ("time", "(bar)"),
    "screened_column": ("time", "(bar)"),
    "distribution": ("(bar)", "rows"),
    "control_chart": ("time", "(bar)"),
    "capability_histogram": ("(bar)", "rows"),
    "capability_plot": ("(bar)", "(%)"),
    "last_subgroups": ("point", "(bar)"),
    "life_chart": ("(cycles)", "(cycles)"),
    "survival_chart": ("(cycles)", "(%)"),
    "weibull_plot": ("(cycles)", "(%)"),
    "due_chart": ("(cycles)", "units"),
    "forecast_fan": ("time", "(bar)"),
    "error_by_step": ("rows ahead", "(bar)"),
    "precision_recall": ("(share)", "(share)"),
    "roc": ("(share)", "(share)"),
    "det": ("rejected", "missed"),
    "lift": ("(share)", "times"),
    "reliability": ("said", "share"),
    "probability_histogram": ("probability", "(%)"),
    "variation_bars": ("(%)", "component"),
    "values_by_group": ("p", "(bar)"),
    "interaction_lines": ("p", "(bar)"),
    "interval_chart": ("(%)", "comparison"),
    "pair_scatter": ("(bar)", "(mm)"),
    "pareto_chart": ("p", "rows"),
    "lag_chart": ("(rows)", "correlation"),
    "scatter_matrix": ("(bar)", "(mm)"),
    "row_map": ("(39.5 %", "(17 %"),
    "detection_curve": ("(bar)", "(%)"),
    "detection_delay": ("(bar)", "(rows)"),
    "detection_map": ("fault", "sensor"),
}


def control(y: np.ndarray) -> Chart:
    """A chart of individuals whose first half is the baseline, with limits that step once."""
    n = len(y)
    upper = np.where(np.arange(n) < n // 2, 2.8, 2.9)
    arrays = (y.copy(), np.full(n, 2.0), np.full(n, 1.2), upper, np.full(n, 0.8), np.full(n, 0.3))
    return Chart(
        "I",
        msg("individual value"),
        *arrays,
        "MR-bar/d2",
        np.ones(n),
        without(phases(n, np.arange(n) < n // 2), np.arange(n) == 1),
    )


def times(n: int) -> np.ndarray:
    return np.datetime64("2024-05-06T00:00", "us") + np.arange(n) * np.timedelta64(60_000_000, "us")


def wavy(n: int, fill: float | None) -> np.ndarray:
    return 2.0 + np.sin(np.arange(n) / 50.0) + 0.1 * np.cos(np.arange(n) * 7.0) if fill is None else np.full(n, fill)


def record(key: str, n: int, fill: float | None = None) -> Record:
    """Arguments of the chart `key` for n rows; `fill` puts one value (NaN) everywhere."""
    y, x = wavy(n, fill), times(n)
    parts = np.repeat([0, 1, 2], [n - 2 * (n // 4), n // 4, n // 4]).astype(np.int8)
    mask = np.arange(n) % 97 == 0
    share = np.linspace(0, 1, n)
    records: dict[str, Callable[[], Record]] = {
        "loss_curves": lambda: {"epochs": np.arange(1, n + 1), "loss": y, "val_loss": y + 0.1, "best_epoch": n or None},
        "split_ribbon": lambda: {"parts": parts, "x": x},
        "before_after": lambda: {
            "before": y, "after": y * 0.9, "column": "p", "unit": "bar", "x": x, "changed": mask, "flagged": mask, "left_out": mask, "parts": parts,
        },
        "series_over_time": lambda: {"values": y, "column": "p", "unit": "bar", "x": x, "excluded": [(x[0], x[0], "stop")] if n else []},
        "histogram_pair": lambda: {"before": bin_values(y), "after": bin_values(y * 0.9), "column": "p", "unit": "bar"},
        "parity": lambda: {"truth": y, "prediction": y + 0.1 * mask, "name": "width", "unit": "mm", "half_width": 0.02, "limits": (1.0, None, 3.0)},
        "residuals_over_time": lambda: {"residuals": y, "name": "width", "unit": "mm", "x": x, "half_width": 0.02},
        "residual_histogram": lambda: {"residuals": y, "name": "width", "unit": "mm"},
        "life_chart": lambda: {"units": [UnitLife("E1", np.arange(n), y, y + 1, y - 1, y + 2)], "unit": "cycles"},
        "survival_chart": lambda: {
            "ages": np.arange(1.0, n + 1), "survival": 1 - share, "low": y / 10, "high": y / 5, "running": (np.arange(n), share),
            "fitted": (np.arange(n), 1 - share), "median": 0.5 * n if fill is None else fill, "unit": "cycles",
        },
        "weibull_plot": lambda: {
            "ages": y, "failed": share, "fitted": (y[:40] + 1, np.linspace(0.01, 0.99, 40)[: len(y)]), "unit": "cycles",
            "bounds": (np.linspace(0.01, 0.99, 40)[: len(y)], y[:40] + 0.5, y[:40] + 2),
        },
        "due_chart": lambda: {
            "ends": 30.0 * np.arange(1, min(n, 40) + 1), "due": y[:40], "expected": y[:40], "low": y[:40] - 1, "high": y[:40] + 1,
            "unit": "cycles",
        },
        "forecast_fan": lambda: {
            "history_at": x, "history": y, "at": x[:50], "prediction": y[:50], "lower": y[:50] - 1, "upper": y[:50] + 1, "truth": y[:50], "name": "p", "unit": "bar", "level": 0.9,
        },
        "error_by_step": lambda: {"steps": np.arange(1, min(n, 500) + 1), "error": y[:500], "others": {"fail": y[:500] + 1}, "name": "p", "unit": "bar"},
        "confusion_matrix": lambda: {"counts": np.full((2, 2), n), "classes": ("pass", "fail")},
        "roc": lambda: {"curve": (share, wavy(n, fill)), "baseline": (share, share), "operating_point": (0.1, 0.5)},
        "zone_chart": lambda: {
            "prediction": wavy(n, fill),
            "truth": wavy(n, fill),
            "places": np.arange(n) % 3,
            "limits": (-1.0, 1.0),
            "accept": (-0.5, 0.5),
            "reject": (-1.5, 1.5),
            "name": "p",
            "unit": "mm",
        },
        "det": lambda: {"curve": (share, share[::-1]), "baseline": (share, share), "operating_point": (0.1, 0.5)},
        "lift": lambda: {"curve": (share, 1 + np.abs(wavy(n, fill))), "baseline": (share, 1 + share), "operating_point": (0.1, 2.5)},
        "reliability": lambda: {
            "said": share,
            "came": share,
            "low": share - 0.05,
            "high": share + 0.05,
            "n": [10] * n,
            "positive": "p",
            "scaled": (share, wavy(n, fill)),
        },
        "precision_recall": lambda: {"curve": (share, wavy(n, fill)), "baseline": (share, share), "prevalence": 0.03},
        "probability_histogram": lambda: {"probability": share + (fill or 0), "positive": mask, "positive_name": "fail", "threshold": 0.4},
        "score_timeline": lambda: {
            "scores": y, "limit": 2.9, "x": x, "parts": parts, "events": [SimpleNamespace(number=1, peak_row=n // 2)],
        },
        "screened_column": lambda: {
            "values": y, "column": "p", "unit": "bar", "x": x, "marked": mask, "spans": [(x[0], x[n // 2])] if n else [], "limits": (1.5, 2.0, 2.5),
        },
        "distribution": lambda: {"histogram": bin_values(y), "column": "p", "unit": "bar", "specification": (1.0, None, 3.0)},
        "effect_bars": lambda: {"names": [f"p{i}" for i in range(n)], "effects": y, "what": "width", "unit": "mm", "spreads": share},
        "dependence_curve": lambda: {
            "values": np.arange(n), "effects": y, "is_thin": mask, "n_near": np.arange(n), "column": "p", "unit": "bar",
            "what": "width", "what_unit": "mm", "here": 0.5,
        },
        "parts_over_window": lambda: {"names": ("p",), "parts": y[:, None], "what": "width", "unit": "mm"},
        "maps_over_window": lambda: {"maps": {"p": y, "E": share}},
        "control_chart": lambda: {
            "chart": control(y), "signals": [Signal(1, Rule("limit"), mask)], "column": "p", "unit": "bar", "x": x,
            "causes": ["hose off"] * n, "excursions": [(0, n // 2, n // 2 + 1)] if n else [],
        },
        "capability_histogram": lambda: {
            "edges": bin_values(y)[0], "counts": bin_values(y)[1], "densities": [("overall", share, share + 0.1)] if n else [],
            "limits": (1.0, 2.0, 3.0), "column": "p", "unit": "bar",
        },
        "capability_plot": lambda: {"plot": ProbabilityPlot(y, share * 6 - 3, share * 6 - 3, y, y - 0.1, y + 0.1), "column": "p", "unit": "bar"},
        "last_subgroups": lambda: {"recent": np.column_stack([np.arange(n), y])[-4_000:], "mean": 2.0, "column": "p", "unit": "bar"},
        "sensor_band": lambda: {"values": y, "column": "p", "unit": "bar", "x": x, "low": 1.5, "high": 2.5, "expected": y + 0.1, "began": x[0] if n else None},
        "variation_bars": lambda: {
            "names": ["p", "width", "fail"][:n], "contribution": y[:3] / 9, "study": y[:3] / 3, "tolerance": y[:3] / 4,
            "interval": (y[:3] / 4, y[:3] / 2),
        },
        "values_by_group": lambda: {
            "labels": ["fail", "pass"], "codes": mask.astype(int), "values": y, "means": [y[:1].sum(), np.nan], "column": "width",
            "by": "p", "unit": "bar", "reference": 2.0 if n else None, "interval": ([1.0, 1.0], [3.0, 3.0]),
        },
        "interaction_lines": lambda: {
            "parts": [str(i) for i in range(min(n, 40))], "operators": ["fail", "pass"], "means": np.column_stack([y[:40], y[:40]]),
            "column": "width", "by": "p", "unit": "bar",
        },
        "interval_chart": lambda: {
            "labels": ["p", "width"][:n], "shares": y[:2] / 4, "low": y[:2] / 5, "high": y[:2] / 3, "of": msg("comparison"),
        },
        "strength_map": lambda: {"names": ["p", "width"][:n], "strength": np.tile(share[:2], (2, 1))[: min(n, 2), : min(n, 2)]},
        "pair_scatter": lambda: {"x": y, "y": y + 0.1 * mask, "names": ("p", "width"), "units": ("bar", "mm")},
        "cross_table": lambda: {"counts": np.full((2, 2), n), "names": ("p", "width"), "labels": (("fail", "pass"), ("fail", "pass"))},
        "pareto_chart": lambda: {
            "labels": [f"{i}" for i in range(min(n, 400))], "weights": y[:400], "cumulative": share[:400], "n_few": 1, "share": 0.8,
            "column": "p", "weight": msg("rows"),
        },
        "lag_chart": lambda: {"lags": np.arange(n) - n // 2, "r": y / 4, "band": 0.2, "best": 3, "names": ("p", "width")},
        "scatter_matrix": lambda: {"names": ("p", "fail", "width"), "values": np.column_stack([y, y, y]), "units": ("bar", "", "mm")},
        "detection_curve": lambda: {
            "sizes": np.arange(1.0, n + 1), "shares": y / 4, "low": y / 5, "high": y / 3, "fitted": share, "false_alarms": 0.1 if fill is None else fill,
            "reached": [(1.5, 0.9)] if n else [], "name": "p", "unit": "bar",
        },
        "detection_delay": lambda: {"sizes": np.arange(1.0, n + 1), "delays": y, "late": y + 1, "name": "p", "unit": "bar"},
        "detection_map": lambda: {
            "sensors": ["p", "width"][:n], "faults": ["fail"], "sizes": y[:2, None], "words": [["pass"], ["fail"]][:n],
        },
        "row_map": lambda: {"scores": np.column_stack([y, -y]), "shares": (0.395, 0.17), "values": y, "name": "p"},
    }  # fmt: skip
    return records[key]()


each_chart = pytest.mark.parametrize("chart", CATALOGUE, ids=lambda c: c.key)
each_theme = pytest.mark.parametrize("theme", (LIGHT, DARK), ids=lambda t: t.name)


def layout_of(figure: Any) -> Record:
    return json.loads(figure.to_json())["layout"]


def allowed_colors(theme: Theme) -> set[str]:
    c = theme.colors
    named = {c.background, c.surface, c.text, c.muted, c.border, c.primary, c.good, c.warn, c.bad, *c.categories, *CIVIDIS}
    mixed = {theme.part(i, s) for i in range(4) for s in (0.14, 0.45)}
    mixed |= {theme.light(k, s) for k in c.categories for s in (0.14,)}
    mixed |= {str(color) for _, color in theme.right_and_wrong}
    return named | mixed | {theme.clear(k, s) for k in c.categories for s in (0.14, 0.2)}


def strings(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from strings(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from strings(branch)
    elif isinstance(tree, str):
        yield tree


@each_chart
@each_theme
def test_same_record_gives_the_same_figure_and_is_left_alone(chart: ChartInfo, theme: Theme) -> None:
    given = record(chart.key, 400)
    arrays = {k: v.copy() for k, v in given.items() if isinstance(v, np.ndarray)}
    assert chart.draw(**given, theme=theme).to_json() == chart.draw(**given, theme=theme).to_json()
    for name, before in arrays.items():
        np.testing.assert_array_equal(given[name], before)


@each_chart
def test_title_and_axis_titles_with_units(chart: ChartInfo) -> None:
    layout = layout_of(chart.draw(**record(chart.key, 400)))
    assert layout["title"]["text"]
    shown = [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
    assert all(shown)
    for wanted, title in zip(UNITS.get(chart.key, ("", "")), shown, strict=True):
        assert wanted in title


@each_chart
def test_the_toolbar_is_above_the_title_and_the_title_above_the_plot(chart: ChartInfo) -> None:
    """Plotly's toolbar: buttons of 20 pixels, 2 below the upper edge, with 4 around an icon."""
    layout = layout_of(chart.draw(**record(chart.key, 400)))
    title = layout["title"]
    assert (title["yref"], title["y"], title["yanchor"]) == ("container", 1, "top")
    assert title["pad"]["t"] >= 2 + 20 + 2 * 4 and layout["margin"]["t"] >= title["pad"]["t"] + 1.3 * title["font"]["size"]


@each_chart
@each_theme
def test_only_colors_of_the_theme(chart: ChartInfo, theme: Theme) -> None:
    figure = json.loads(chart.draw(**record(chart.key, 400), theme=theme).to_json())
    found = {color for words in strings(figure) for color in re.findall(r"#[0-9A-Fa-f]{6}\b|rgba?\([^)]*\)", words)}
    assert found and found <= allowed_colors(theme)


@each_chart
@pytest.mark.parametrize(("n", "fill"), [(0, None), (1, None), (2, None), (1, np.nan), (300, np.nan), (300, 5.0)])
def test_draws_nothing_one_row_and_rows_without_values(chart: ChartInfo, n: int, fill: float | None) -> None:
    figure = chart.draw(**record(chart.key, n, fill))
    assert "NaN" not in json.dumps(layout_of(figure))


@each_chart
def test_at_most_5000_points_a_trace(chart: ChartInfo) -> None:
    drawn = [len(trace.x) for trace in chart.draw(**record(chart.key, 200_000)).data]
    assert drawn and max(drawn) <= MAX_POINTS


@each_chart
def test_every_sentence_goes_through_the_translator(chart: ChartInfo) -> None:
    def translated(message: Message) -> str:
        return message.render(lambda singular, plural, n: re.sub(r"[A-Za-z]+(?![^{]*\})", "Ж", singular))

    layout = layout_of(chart.draw(**record(chart.key, 400), text=translated, title=msg("Seen")))
    words = [layout["title"]["text"], layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]]
    words += [re.sub(r"<[^>]*>", "", a["text"]) for a in layout.get("annotations", ())]
    users = {"width", "p", "mm", "bar", "E", "cycles", "fail", "pass", "UCL", "CL", "LCL"}
    left = {w for shown in words for w in re.findall(r"[A-Za-z]+", shown)} - users
    assert not left


@each_chart
def test_no_webgl_trace(chart: ChartInfo) -> None:
    kinds = {trace.type for trace in chart.draw(**record(chart.key, 400)).data}
    assert kinds <= {"scatter", "bar", "heatmap"}


def test_catalogue_covers_the_records_above_and_has_unique_keys() -> None:
    keys = [c.key for c in CATALOGUE]
    assert len(set(keys)) == len(keys) == 48
    assert all(record(key, 3) for key in keys)


def test_the_zones_together_draw_no_more_points_than_one_series() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=60_000)
    drawn = zone_chart(
        prediction=x, truth=x + 1, places=np.arange(60_000) % 3, limits=(-1, 1), accept=(-0.5, 0.5), reject=(-2, 2), name="p"
    )
    points = [np.asarray(trace.y, float) for trace in drawn.data]
    assert 3_000 < sum(map(len, points)) <= MAX_POINTS and len(points) == 3
    assert max(y.max() for y in points) == (x + 1).max() and min(y.min() for y in points) == (x + 1).min()
