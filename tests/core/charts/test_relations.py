"""What the charts of relations draw: strengths, pairs, cross tables, Pareto, lags, the matrix and the map of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.charts import LIGHT, cross_table, lag_chart, pair_scatter, pareto_chart, row_map, scatter_matrix, strength_map
from core.messages import msg


def texts(figure: Any) -> list[str]:
    return [a.text for a in figure.layout.annotations]


def test_strengths_are_coloured_from_none_to_full_and_written_where_there_is_room() -> None:
    cells = np.array([[1.0, 0.25], [0.25, 1.0]])
    figure = strength_map(names=["heat", "flow"], strength=cells)
    trace = figure.data[0]
    assert (trace.zmin, trace.zmax) == (0, 1) and trace.colorscale[0][1] == LIGHT.scale[0][1]
    assert [list(row) for row in trace.text] == [["1.00", "0.25"], ["0.25", "1.00"]]
    many = strength_map(names=[f"s{i}" for i in range(20)], strength=np.eye(20))
    assert many.data[0].text is None and many.layout.height > figure.layout.height


def test_a_row_without_both_values_is_not_drawn() -> None:
    figure = pair_scatter(x=[1.0, np.nan, 3.0], y=[4.0, 5.0, 6.0], names=("heat", "flow"), units=("°C", ""), rows=[10, 11, 12])
    assert list(figure.data[0].x) == [1, 3] and list(figure.data[0].customdata) == [11, 13]
    assert figure.layout.xaxis.title.text == "heat (°C)" and figure.layout.title.text == "flow against heat"


def test_a_cross_table_is_coloured_by_the_share_within_a_row() -> None:
    figure = cross_table(counts=[[1, 3], [0, 0]], names=("machine", "defect"), labels=(["A", "B"], ["flash", "warp"]))
    z = np.array(figure.data[0].z, float)
    assert z[0].tolist() == [0.25, 0.75] and np.isnan(z[1]).all()
    assert figure.layout.yaxis.title.text == "machine"


def test_a_pareto_has_bars_and_a_line_on_one_scale_and_the_few_in_colour() -> None:
    figure = pareto_chart(
        labels=["a", "b", "c"],
        weights=[6.0, 3.0, 1.0],
        cumulative=[0.6, 0.9, 1.0],
        n_few=2,
        share=0.8,
        column="defect",
        weight=msg("rows"),
    )
    bar, rising = figure.data
    assert list(bar.y) == [6, 3, 1] and list(rising.y) == pytest.approx([60, 90, 100]) and rising.yaxis == "y2"
    assert bar.marker.color[0] == bar.marker.color[1] != bar.marker.color[2]
    # 100 % of the right axis stands where the whole, 10 rows, stands on the left one.
    assert figure.layout.yaxis.range[1] / 10 == pytest.approx(figure.layout.yaxis2.range[1] / 100)


def test_the_rest_of_many_categories_is_one_bar() -> None:
    weights = np.full(50, 2.0)
    figure = pareto_chart(
        labels=[f"c{i}" for i in range(50)],
        weights=weights,
        cumulative=np.cumsum(weights) / 100,
        n_few=40,
        share=0.8,
        column="d",
        weight=msg("rows"),
    )
    bar = figure.data[0]
    assert len(bar.y) == 30 and sum(bar.y) == 100 and bar.customdata[-1] == "21 others"
    assert figure.data[1].y[-1] == pytest.approx(100)


def test_a_lag_says_who_follows_and_what_chance_reaches() -> None:
    lags = np.arange(-2, 3)
    figure = lag_chart(lags=lags, r=[0.0, 0.1, 0.2, 0.9, np.nan], band=0.3, best=1, names=("feed", "heat"))
    assert list(figure.data[0].x) == lags.tolist()
    assert {s.y0 for s in figure.layout.shapes if s.line.dash == "dash"} == {0.3, -0.3}
    assert "lag 1" in texts(figure) and "heat follows →" in texts(figure) and "← feed follows" in texts(figure)
    unclear = lag_chart(lags=lags, r=np.zeros(5), band=0.3, best=1, names=("feed", "heat"), is_clear=False)
    assert "lag 1" not in texts(unclear)


def test_the_matrix_has_a_panel_for_each_pair_with_its_strength() -> None:
    values = np.column_stack([np.arange(5.0), 2 * np.arange(5.0), -np.arange(5.0)])
    close = np.array([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]])
    figure = scatter_matrix(names=["a", "b", "c"], values=values, strength=close)
    drawn = {(tuple(t.x), tuple(t.y)) for t in figure.data}
    columns = [tuple(values[:, i]) for i in range(3)]
    assert drawn == {(columns[0], columns[1]), (columns[0], columns[2]), (columns[1], columns[2])}
    assert sorted(texts(figure)) == ["0.30", "0.40", "0.50"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("a", "c"), "the lower left panel"


def test_the_matrix_draws_at_most_five_columns_and_a_thousand_rows() -> None:
    figure = scatter_matrix(names=[f"s{i}" for i in range(8)], values=np.random.default_rng(0).normal(size=(5000, 8)))
    assert len(figure.data) == 10 and max(len(t.x) for t in figure.data) == 1000


def test_rows_are_coloured_by_category_the_rest_in_grey_below() -> None:
    scores = np.column_stack([np.arange(10.0), np.arange(10.0)])
    figure = row_map(
        scores=scores, shares=(0.7, 0.2), codes=[*range(9), -1], labels=[f"m{i}" for i in range(9)], rows=np.arange(10) + 100
    )
    assert [len(t.x) for t in figure.data] == [2] + [1] * 8
    assert list(figure.data[0].customdata) == [109, 110] and texts(figure)[0] == "others" and "m7" in texts(figure)
    assert "70 %" in figure.layout.xaxis.title.text and "20 %" in figure.layout.yaxis.title.text


def test_times_colour_rows_from_first_to_last() -> None:
    times = np.array(["2026-01-02", "NaT", "2026-01-09"], dtype="datetime64[ms]")
    figure = row_map(scores=np.zeros((3, 2)), shares=(0.5, 0.5), values=times, name="when")
    marker = figure.data[0].marker
    assert list(marker.colorbar.ticktext) == ["2026-01-02", "2026-01-09"] and np.isnan(marker.color[1])
    assert marker.color[2] - marker.color[0] == 7 * 86_400_000
