"""What a control chart draws: limits with values, signals with the rule's number, phases, stages, a part of the points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.charts import caption_control, control_chart
from core.spc.chart import phases
from core.spc.individuals import NotDefined
from core.spc.rules import rule_book, signals
from core.spc.variables import individuals_charts

VALUES = np.array([10.0, 12.0, 11.0, 13.0] * 10)


def drawn(values: np.ndarray, of: Any = None, **more: Any) -> Any:
    found = individuals_charts(values, of)
    assert not isinstance(found, NotDefined)
    chart = found[0]
    return chart, control_chart(
        chart=chart, signals=signals(chart, rule_book("western_electric")), column="width", unit="mm", **more
    )


def texts(figure: Any) -> list[str]:
    return [a.text for a in figure.layout.annotations]


def test_centre_and_limits_stand_at_their_values_and_say_them() -> None:
    chart, figure = drawn(VALUES)
    # Moving ranges 2, 1, 2, 3, … over 39 pairs: sum 10 · 2 + 10 · 1 + 10 · 2 + 9 · 3 = 77; d2 = 2/√π.
    sigma = 77 / 39 / (2 / np.sqrt(np.pi))
    upper, centre, lower = figure.data[1:4]
    assert list(upper.y) == pytest.approx([11.5 + 3 * sigma] * 2) and upper.line.dash == "dash"
    assert set(centre.y) == {11.5} and centre.line.dash == "solid"
    assert list(lower.y) == pytest.approx([11.5 - 3 * sigma] * 2)
    assert any(t.startswith("UCL 16.7") for t in texts(figure)) and any(t.startswith("CL 11.5") for t in texts(figure))
    assert "width: no point breaks a rule" in figure.layout.title.text
    assert figure.layout.yaxis.title.text == "width (mm)" and figure.layout.xaxis.title.text == "point"
    assert "limits from all points · σ by MR-bar/d2" in str(caption_control(chart))


def test_a_signal_is_a_diamond_with_the_numbers_of_its_rules() -> None:
    values = VALUES.copy()
    values[20] = 30.0
    _, figure = drawn(values)
    marks = figure.data[-1]
    assert marks.marker.symbol == "diamond" and list(marks.x) == [21] and list(marks.text) == ["1"]
    assert "1 point breaks a rule" in figure.layout.title.text


def test_a_baseline_is_shaded_and_named_and_the_caption_says_its_points() -> None:
    of = phases(40, np.arange(40) < 24)
    chart, figure = drawn(VALUES, of)
    assert len(figure.layout.shapes) == 1 and (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (1.0, 24.0)
    assert any("Phase I" in t for t in texts(figure)) and "Phase II" in texts(figure)
    assert "limits from points 1 to 24" in str(caption_control(chart))


def test_stages_have_a_border_and_limits_that_step_between_two_points() -> None:
    values = np.concatenate([VALUES[:20], VALUES[:20] + 100])
    chart, figure = drawn(values, phases(40, None, ["before"] * 20 + ["after"] * 20))
    assert {"before", "after"} <= set(texts(figure))
    upper = figure.data[1]
    assert upper.line.shape == "hvh" and list(upper.x) == [1, 20, 21, 40] and upper.y[2] - upper.y[1] == pytest.approx(100)
    assert "limits of each stage" in str(caption_control(chart))


def test_a_part_of_the_points_keeps_its_places_and_rows() -> None:
    rows = np.arange(40) * 3
    _, figure = drawn(VALUES, shown=slice(10, 20), rows=rows)
    assert list(figure.data[0].x) == list(range(11, 21)) and list(figure.data[0].customdata) == [
        3 * i + 1 for i in range(10, 20)
    ]


def test_times_are_the_axis_where_there_are_some() -> None:
    times = np.datetime64("2026-01-05T00:00", "ms") + np.arange(40) * np.timedelta64(60_000, "ms")
    _, figure = drawn(VALUES, x=times)
    assert figure.layout.xaxis.title.text == "time" and figure.layout.xaxis.range[0] == "2026-01-05T00:00:00.000"


def test_names_of_users_are_no_markup() -> None:
    found = individuals_charts(VALUES)
    assert not isinstance(found, NotDefined)
    figure = control_chart(chart=found[0], column="<b>x</b>")
    assert "<b>" not in figure.layout.title.text and "&lt;b&gt;" in figure.layout.title.text
