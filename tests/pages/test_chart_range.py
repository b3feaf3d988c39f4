"""The range control beside long charts: where it stands, what it shows, what of it is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from pages.components import chart_range
from pages.components.chart_range import ArrayAxis, Range

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def long_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts count as long from 50 rows on."""
    monkeypatch.setattr(chart_range, "MAX_POINTS", 50)


def run_of(ws: wf.Workspace, task: str) -> wf.Run:
    return next(r for r in wf.list_runs(ws) if r.task == task)


def charted(app: AppTest, end: str) -> int:
    """How many points the first trace of a chart has that is drawn, counted by its row numbers."""
    import json

    spec = next(json.loads(c.proto.spec) for c in app.get("plotly_chart") if c.proto.id.endswith(end))
    return max(_length(t["customdata"]) for t in spec["data"] if "customdata" in t)


def _length(given: object) -> int:
    import base64

    if isinstance(given, dict):
        return len(np.frombuffer(base64.b64decode(given["bdata"]), given["dtype"]))
    return len(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "screen", "chart"),
    [
        ("anomaly", "judge/anomalies.py", "score_timeline"),
        ("regression", "judge/predictions.py", "value_figure_residuals"),
        ("regression", "prepare/clean.py", "before_after"),
    ],
)
def test_a_range_in_the_address_is_drawn_and_the_whole_comes_back(
    ws: wf.Workspace, open_app: Open, task: str, screen: str, chart: str
) -> None:
    run = run_of(ws, task)
    app = open_app(screen, run=run.id, range="20-60")
    if chart.startswith("value"):
        app.radio(key="value_chart.regression").set_value("residuals").run()
    assert not app.exception
    assert not app.error
    assert charted(app, chart) <= 40
    whole = next(b for b in app.button if b.key and b.key.endswith(f"{chart}.whole"))
    assert not whole.disabled
    assert app.query_params["range"] in ("20-60", ["20-60"])
    whole.click().run()
    assert not app.exception
    assert charted(app, chart) > 40
    assert "range" not in app.query_params


def test_an_address_that_means_nothing_shows_everything(ws: wf.Workspace, open_app: Open) -> None:
    run = run_of(ws, "anomaly")
    for given in ("x-y", "60-20", "5-5", "99999999999-999999999999", "-1-5", "1"):
        app = open_app("judge/anomalies.py", run=run.id, range=given)
        assert not app.exception
        assert charted(app, "score_timeline") > 60


def test_an_axis_in_memory_finds_places_as_searchsorted_does() -> None:
    times = np.datetime64("2026-01-01", "us") + np.repeat(np.arange(50), 2) * np.timedelta64(1, "s")
    axis = ArrayAxis(100, times)
    for side in ("left", "right"):
        assert axis.place(times[31], side) == np.searchsorted(times, times[31], side)
    rows = ArrayAxis(100)
    assert (rows.place(7.0), rows.place(7.0, "right"), rows.place(1e9), rows.value(500)) == (6, 7, 100, 100), (
        "row 7 is position 6"
    )
    assert Range(0, 100, 100).is_whole
    assert not Range(0, 99, 100).is_whole
