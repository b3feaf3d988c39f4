"""What the charts of studies of measuring draw: shares in percent, points at their group, lines by operator, intervals."""

from __future__ import annotations

import numpy as np
import pytest

from core.charts import interaction_lines, interval_chart, values_by_group, variation_bars
from core.messages import msg


def test_shares_are_percent_with_their_interval_and_the_bounds_of_the_verdict() -> None:
    figure = variation_bars(
        names=[msg("gage R&R"), "parts"], contribution=[0.04, 0.96], study=[0.2, 0.98], interval=([0.1, 0.9], [0.5, 0.99])
    )
    variance, study = figure.data
    assert list(variance.x) == pytest.approx([4, 96]) and list(study.x) == pytest.approx([20, 98])
    assert list(study.error_x.array) == pytest.approx([30, 1]) and list(study.error_x.arrayminus) == pytest.approx([10, 8])
    assert list(study.y) == ["gage R&amp;R", "parts"]
    assert [s.x0 for s in figure.layout.shapes] == pytest.approx([10, 30])
    with_tolerance = variation_bars(names=["a"], contribution=[1], study=[1], tolerance=[0.25])
    assert list(with_tolerance.data[2].x) == [25]


def test_few_values_stand_on_the_line_of_their_group_and_many_beside_it() -> None:
    codes = np.array([0, 0, 1, -1] + [1] * 40)
    values = np.arange(44.0)
    figure = values_by_group(
        labels=["A", "B"], codes=codes, values=values, means=[0.5, 24.0], column="width", by="machine", unit="mm"
    )
    points, means = figure.data
    at, y = np.array(points.x), np.array(points.y)
    assert len(y) == 43 and 3.0 not in y, "a value without a group is not drawn"
    assert set(at[y < 2]) == {0.0}
    beside = at[y >= 2]
    assert np.all(np.abs(beside - 1) <= 0.25) and len(set(beside)) > 30
    assert list(means.x) == [0, 1] and list(means.y) == [0.5, 24.0] and means.marker.symbol == "diamond"
    assert list(figure.layout.xaxis.ticktext) == ["A", "B"] and figure.layout.yaxis.title.text == "width (mm)"


def test_means_have_their_intervals_and_a_group_without_values_none() -> None:
    figure = values_by_group(
        labels=["A", "B", "C"],
        codes=[0, 2],
        values=[1.0, 3.0],
        means=[1.0, np.nan, 3.0],
        interval=([0.5, np.nan, 1.0], [1.5, np.nan, 5.0]),
        reference=2.0,
        column="w",
        by="lot",
        rows=[7, 9],
    )
    means = figure.data[1]
    assert list(means.x) == [0, 2] and list(means.text) == ["A", "C"]
    assert list(means.error_y.array) == [0.5, 2.0] and list(means.error_y.arrayminus) == [0.5, 2.0]
    assert figure.layout.shapes[0].y0 == 2.0 and "mean 2" in [a.text for a in figure.layout.annotations]
    assert [c[0] for c in figure.data[0].customdata] == [8, 10], "row numbers start from 1"


def test_of_many_groups_only_some_are_named() -> None:
    names = [f"lot {i}" for i in range(90)]
    figure = values_by_group(
        labels=names, codes=np.arange(90), values=np.arange(90.0), means=np.arange(90.0), column="w", by="lot"
    )
    assert list(figure.layout.xaxis.ticktext) == names[::3]


def test_each_operator_has_a_line_with_its_name_at_the_end() -> None:
    means = np.array([[1.0, 2.0], [3.0, 10.0]])
    figure = interaction_lines(parts=["1", "2"], operators=["<b>Ann</b>", "Bob"], means=means, column="w", by="part")
    assert [list(t.y) for t in figure.data] == [[1.0, 3.0], [2.0, 10.0]]
    ends = {a.text: a.y for a in figure.layout.annotations}
    assert ends == {"&lt;b&gt;Ann&lt;/b&gt;": 3.0, "Bob": 10.0}


def test_agreement_stands_with_its_interval_and_kinds_have_their_colour() -> None:
    figure = interval_chart(
        labels=["Ann", "Bob", "all"],
        shares=[0.5, 1.0, 0.25],
        low=[0.4, 0.8, 0.1],
        high=[0.7, 1.0, 0.5],
        kinds=[0, 0, 1],
        of=msg("comparison"),
    )
    within, all_of_them = figure.data
    assert list(within.x) == [50, 100] and list(within.y) == [0, 1] and list(all_of_them.y) == [2]
    assert list(within.error_x.array) == pytest.approx([20, 0]) and list(within.error_x.arrayminus) == pytest.approx([10, 20])
    assert within.marker.color != all_of_them.marker.color
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first comparison stands on top"
