"""What a control chart draws: limits with values, signals with the rule's number, phases, stages, a part of the points."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.charts import caption_control, control_chart
from core.messages import msg
from core.spc.chart import phases, without
from core.spc.cusum_shifts import cusum_shifts
from core.spc.individuals import NotDefined
from core.spc.rules import rule_book, signals
from core.spc.variables import given_process, individuals, individuals_charts, known_process, shewhart_means
from core.spc.weighted import cusum_charts

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


def test_points_left_out_are_hollow_with_their_cause_and_the_caption_counts_them() -> None:
    values = VALUES.copy()
    values[20] = 30.0
    of = without(phases(40), np.arange(40) == 20)
    causes = [""] * 40
    causes[20] = "hose <off>"
    chart, figure = drawn(values, of, causes=causes)
    hollow = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert [(list(t.x), list(t.y), list(t.text)) for t in hollow] == [([21], [30.0], ["hose &lt;off&gt;"])]
    assert not any(trace.marker.symbol == "diamond" for trace in figure.data), "what was left out is no signal"
    assert figure.data[0].y[20] == 30.0
    said = str(caption_control(chart))
    assert "limits from all points" in said and "1 point left out (hollow)" in said
    assert not figure.layout.shapes, "a point left out of the whole makes no Phase I"


def test_limits_that_are_given_are_said_to_be() -> None:
    both = str(caption_control(shewhart_means(given_process(VALUES, 11, 1))))
    assert "limits given, not estimated" in both and "σ by" not in both
    process = individuals(VALUES)
    assert not isinstance(process, NotDefined)
    centre, sigma = (
        str(caption_control(shewhart_means(known_process(process, **more)))) for more in ({"target": 11.0}, {"sigma": 1.0})
    )
    assert "limits from all points around a given centre" in centre and "σ by MR-bar/d2" in centre
    assert "limits from all points" in sigma and "σ given" in sigma


def test_a_cumulative_sum_marks_its_signal_and_shades_the_excursion() -> None:
    chart, _ = cusum_charts(given_process([0.0, 3.0, 3.0, 3.0, 3.0, 3.0], 0, 1))  # 0, 2.5, 5, 7.5, 10, 12.5
    figure = control_chart(chart=chart, signals=signals(chart, rule_book("nelson")), column="x", excursions=[(1, 5, 5)])
    assert [list(trace.x) for trace in figure.data if (trace.marker.symbol or "").startswith("diamond")] == [[4]]
    (span,) = figure.layout.shapes
    assert (span.x0, span.x1) == (2.0, 6.0) and "row 2 on: 5 points" in texts(figure)
    assert figure.layout.title.text == "Upper cumulative sum of x: 1 shift signalled"
    assert figure.layout.yaxis.range is None, "all of it fits beside the limit"


def test_a_sum_that_runs_away_leaves_the_limit_visible_and_no_words_stand_on_one_another() -> None:
    n = 3_000
    values = np.zeros(n)
    values[[100, 101, 103]] = 3.0, 3.0, 3.0  # a short excursion beside which the long one would stand
    values[110:] = 3.0
    chart, _ = cusum_charts(given_process(values, 0, 1))
    spans = [(100, 108, 9), (110, n - 1, n - 110), (109, 109, 1), (112, 116, 5)]
    figure = control_chart(chart=chart, signals=signals(chart, rule_book("nelson")), column="x", excursions=spans)
    assert np.nanmax(chart.points) > 7_000
    low, high = figure.layout.yaxis.range
    assert low < 0 < 5 < high <= 40, "the limit of 5 is seen"
    said = [words for words in texts(figure) if words.startswith("row ")]
    assert said == [f"row 111 on: 2,890 points, as far as {chart.points[-1]:,.0f} σ"], (
        "words at rows 101 and 113 would stand on these"
    )
    assert len(figure.layout.shapes) == 4 and sum(len(t.x) for t in figure.data if t.mode == "markers") <= 2


@pytest.mark.parametrize("shown", [None, slice(280, 400), slice(120, 160)])
def test_words_at_an_excursion_are_those_of_the_whole_one_whatever_is_drawn(shown: slice | None) -> None:
    """The upper sum rises by 2.5 from row 101 on, 100 empty points stand still, then it falls by 3.5: up to 250 at rows 101-300, 0 after 71 more."""
    values = np.zeros(400)
    values[100:300], values[300:] = 3.0, -3.0
    values[150:250] = np.nan
    process = given_process(values, 0, 1)
    charts = cusum_charts(process)
    found = [signals(chart, rule_book("nelson")) for chart in charts]
    (shift,) = (s for s in cusum_shifts(process, charts, found, 0.5) if s.is_up)
    ends = [(shift.start, shift.end, shift.length)]
    figure = control_chart(chart=charts[0], signals=found[0], column="x", excursions=ends, shown=shown)
    (said,) = (words for words in texts(figure) if words.startswith("row "))
    assert said == "row 101 on: 171 points, as far as 250 σ", "100 points up and 71 down"


def test_the_axis_of_a_chart_of_scores_is_named_in_words_that_can_be_translated() -> None:
    found = individuals_charts(VALUES)
    assert not isinstance(found, NotDefined)
    chart = replace(found[0], kind="score", statistic=msg("anomaly score"))
    figure = control_chart(chart=chart, column="anything", text=lambda m: f"<{m}>" if "{" in m.id else f"«{m}»")
    assert "anomaly score" in figure.layout.yaxis.title.text and figure.layout.yaxis.title.text != "score"


def test_numbers_of_rules_do_not_stand_on_one_another_and_all_are_told_under_the_pointer() -> None:
    values = VALUES.copy()
    values[20:26] = 30.0
    _, figure = drawn(np.concatenate([values, VALUES, VALUES, VALUES]))
    marks = next(trace for trace in figure.data if trace.marker.symbol == "diamond")
    assert list(marks.x)[:6] == [21, 22, 23, 24, 25, 26] and all(marks.hovertext)
    # 160 points: a number of one digit takes 2 % of the width, about 3.5 points.
    assert [bool(word) for word in marks.text][:6] != [True] * 6 and marks.text[0] == marks.hovertext[0]
