"""What single charts show: values, labels, escapes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core import charts
from core.charts import DARK, LIGHT, Theme
from core.charts.captions import join, period
from core.charts.figure import part_stretches, plain, quantity, spread
from core.errors import SettingProblem
from core.messages import msg

NASTY = '<img src=x onerror=alert(1)> %{x} & "q"'


def labels(figure: Any) -> list[str]:
    return [a.text for a in figure.layout.annotations]


def test_theme_names() -> None:
    with pytest.raises(SettingProblem, match="Did you mean 'light'"):
        Theme("ligth")  # type: ignore[arg-type]


def test_mixing_into_the_background() -> None:
    assert LIGHT.light("#000000", 0.5) == "#808080"
    assert LIGHT.light("#0B5C73", 0.0) == "#FFFFFF" and DARK.light("#123456", 1.0) == "#123456"


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", (LIGHT, DARK), ids=lambda t: t.name)
@pytest.mark.parametrize("field", ("text", "muted", "primary", "good", "warn", "bad"))
def test_text_colors_reach_wcag_aa_on_the_background(theme: Theme, field: str) -> None:
    a, b = luminance(getattr(theme.colors, field)), luminance(theme.colors.background)
    assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= 4.5


def test_timeline_flags_what_is_above_and_names_the_limit() -> None:
    figure = charts.score_timeline(scores=[1.0, 3.0, np.nan, 2.0, 2.5], limit=2.0, rows=[10, 11, 12, 13, 14])
    diamonds = next(t for t in figure.data if t.marker.symbol == "diamond")
    assert list(diamonds.customdata) == [12, 15], "rows 11 and 14 of the program are the 12th and the 15th"
    assert diamonds.marker.color == LIGHT.colors.bad
    assert "decision limit<br>2" in labels(figure)


def test_people_count_rows_from_1_on_every_axis_and_in_every_label() -> None:
    """Whole numbers are 0-based rows; a counter of the user's own is a column of floats and stays as it is."""
    values, rows = [1.0, 2.0, 9.0, 1.0], np.array([4, 5, 6, 7])
    for figure in (
        charts.series_over_time(values=values, column="p", x=rows, rows=rows),
        charts.residuals_over_time(residuals=values, name="p", x=rows, rows=rows),
        charts.screened_column(values=values, column="p", x=rows, rows=rows),
    ):
        points = next(t for t in figure.data if t.customdata is not None)
        assert list(points.x) == list(points.customdata) == [5, 6, 7, 8]
    band = charts.sensor_band(values=values, column="p", x=rows, rows=rows, began=np.int64(5), ended=6, onset=4)
    assert sorted(shape.x0 for shape in band.layout.shapes) == [5, 6, 7]
    assert "onset 5" in labels(band)
    counted = charts.sensor_band(values=values, column="p", x=rows.astype(float), rows=rows, began=5.0)
    assert [shape.x0 for shape in counted.layout.shapes] == [5.0] and "began 5" in labels(counted)
    one_row = charts.sensor_band(values=values, column="p", x=rows, rows=rows, began=5, ended=5)
    assert len(one_row.layout.shapes) == 1, "of one row beginning and end would lie on each other"
    assert str(period(np.array([0, 1_234_567]))) == "rows 1 to 1234568"
    assert str(period(np.array([0.0, 9.5]))) == "rows 0 to 9.5"


def test_timeline_numbers_events_at_their_peak_row() -> None:
    events = [SimpleNamespace(number=2, peak_row=13)]
    figure = charts.score_timeline(scores=[1.0, 3.0, 9.0, 2.0], limit=2.0, rows=[10, 11, 13, 14], events=events)
    numbers = next(t for t in figure.data if t.mode == "text")
    assert (list(numbers.x), list(numbers.y), list(numbers.text)) == ([3], [9.0], ["2"])


def test_a_long_stretch_of_flags_is_a_red_line_with_one_diamond_at_its_first_peak() -> None:
    scores = [0.0, 3.0, 5.0, 5.0, 4.0, 0.0, 9.0, 0.0, 3.0, 3.5, 3.2, 3.1]
    figure = charts.score_timeline(scores=scores, limit=2.0)
    diamonds = next(t for t in figure.data if t.marker.symbol == "diamond")
    assert list(diamonds.x) == [3, 7, 10]
    red = next(t for t in figure.data if t.mode == "lines" and t.line.color == LIGHT.colors.bad and t.name == "flag")
    assert [None if np.isnan(y) else (x, y) for x, y in zip(red.x, red.y, strict=True)] == [
        *((2, 3.0), (3, 5.0), (4, 5.0), (5, 4.0)),
        None,
        *((9, 3.0), (10, 3.5), (11, 3.2), (12, 3.1)),
    ]


def test_timeline_of_200000_rows_keeps_every_single_flag() -> None:
    scores = np.abs(np.random.default_rng(0).standard_normal(200_000))
    at = np.datetime64("2024-01-01", "us") + np.arange(200_000) * np.timedelta64(60_000_000, "us")
    limit = float(np.quantile(scores, 0.99))
    parts = np.repeat([0, 1, 2], [100_000, 20_000, 80_000])
    figure = charts.score_timeline(scores=scores, limit=limit, x=at, parts=parts)
    diamonds = next(t for t in figure.data if t.marker.symbol == "diamond")
    assert len(diamonds.x) == np.count_nonzero(scores > limit)


def test_ribbons_name_each_part_once_and_a_random_split_draws_none() -> None:
    parts = np.repeat([0, 3, 1, 2], [50, 2, 20, 28])
    figure = charts.score_timeline(scores=np.ones(100), limit=2.0, parts=parts)
    assert len(figure.layout.shapes) == 4
    assert [w for w in labels(figure) if w in ("training", "gap", "validation", "test")] == ["training", "validation", "test"]
    mixed = charts.score_timeline(scores=np.ones(100), limit=2.0, parts=np.tile([0, 2], 50))
    assert len(mixed.layout.shapes) == 0


def test_part_stretches_include_both_ends() -> None:
    assert part_stretches([0, 0, 1, 2, 2]) == [(0, 0, 1), (1, 2, 2), (2, 3, 4)]
    assert part_stretches(None) == part_stretches([]) == []


def test_sensor_band_marks_rows_outside() -> None:
    figure = charts.sensor_band(values=[1.0, 2.0, 5.0, np.nan], column="p", unit="bar", low=0.5, high=2.5)
    assert list(figure.data[1].y) == [5.0]
    assert "normal band<br>0.5 to 2.5" in labels(figure)


def test_a_forecast_stands_dashed_beside_what_was_measured_and_only_where_it_says_something() -> None:
    figure = charts.sensor_band(values=[1.0, 2.0, 5.0], column="p", expected=[np.nan, 1.5, 2.0])
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    foretold = drawn["forecast one row before"]
    assert foretold.line.dash == "dash" and foretold.line.color != drawn["p"].line.color
    np.testing.assert_array_equal(foretold.y, [np.nan, 1.5, 2.0])
    assert "solid: measured · dashed: forecast one row before" in labels(figure)
    for none in (None, [np.nan] * 3):
        plain = charts.sensor_band(values=[1.0, 2.0, 5.0], column="p", expected=none)
        assert len(plain.data) == 2 and "dashed" not in " ".join(labels(plain))


def test_confusion_matrix_shows_counts_and_shares_of_the_true_class() -> None:
    figure = charts.confusion_matrix(counts=[[90, 10], [0, 0]], classes=["pass", "fail"])
    cells = figure.data[0]
    assert cells.text[0][0] == "90<br>90.0%" and cells.text[1][0] == "0"
    assert np.isnan(cells.z[1]).all()
    assert list(cells.z[0]) == [0.9, -0.1], "right lies on the blue side of the scale, wrong on the orange one"


def test_confusion_matrix_in_money_shows_costs_and_rows_and_a_gain_on_the_other_side() -> None:
    costs = [[-90, 1200], [50, 0]]
    cells = charts.confusion_matrix(counts=[[90, 10], [1, 9]], classes=["pass", "fail"], costs=costs).data[0]
    assert cells.text.tolist() == [["-90<br>90 rows", "1,200<br>10 rows"], ["50<br>1 row", "0<br>9 rows"]]
    assert np.allclose(cells.z, [[0.075, -1.0], [-50 / 1200, 0.0]])
    free = charts.confusion_matrix(counts=[[1, 0], [0, 1]], classes=["pass", "fail"], costs=np.zeros((2, 2))).data[0]
    assert not np.any(free.z)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_numbers_of_a_confusion_matrix_can_be_read_on_every_colour_of_it(theme: Theme) -> None:
    """WCAG 2.2, 1.4.3: contrast (L₁ + .05) / (L₂ + .05) of at least 4.5, L from linear sRGB."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    cells = charts.confusion_matrix(counts=[[90, 10], [1, 9]], classes=["pass", "fail"], theme=theme).data[0]
    ink = luminance(cells.textfont.color)
    for _, color in cells.colorscale:
        low, high = sorted((ink, luminance(color)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, color


def test_probability_histogram_sums_to_100_on_each_side() -> None:
    figure = charts.probability_histogram(
        probability=[0.1, 0.2, 0.2, 0.9], positive=[False, False, False, True], positive_name="fail", threshold=0.5
    )
    assert [sum(t.y) for t in figure.data] == pytest.approx([100.0, 100.0])
    assert "decision limit 0.5" in labels(figure)


def test_split_ribbon_counts_rows() -> None:
    shown = labels(charts.split_ribbon(parts=np.repeat([0, 2], [30, 10])))
    assert shown[0].endswith("training: 30 rows") and shown[1].endswith("test: 10 rows")


def test_loss_labels_stand_at_the_last_value_and_apart() -> None:
    placed = spread([(1.0, "a", "#000000"), (1.0, "b", "#000000"), (float("nan"), "c", "#000000")], 10.0)
    assert [p["y"] for p in placed] == pytest.approx([1.0, 1.7])


def test_before_after_puts_marks_where_the_cells_are() -> None:
    figure = charts.before_after(
        before=[1.0, 9.0, 2.0],
        after=[1.0, np.nan, 2.0],
        column="p",
        changed=[False, True, False],
        left_out=[False, False, True],
    )
    by_name = {t.name: t for t in figure.data}
    assert list(by_name["changed: 1"].y) == [9.0] and list(by_name["left out: 1"].y) == [2.0]


def test_user_texts_are_shown_as_written() -> None:
    assert plain(NASTY) == '&lt;img src=x onerror=alert(1)&gt; %&#123;x} &amp; "q"'
    figure = charts.before_after(before=[1.0], after=[1.0], column=NASTY, unit=NASTY)
    whole = json.dumps(json.loads(figure.to_json()))
    assert "<img" not in whole and "%{x} &" not in whole.replace("%{x}<br>", "")
    many = charts.confusion_matrix(counts=[[1]], classes=[NASTY])
    assert "<img" not in many.to_json()


def test_long_names_are_shortened_in_axis_titles() -> None:
    assert len(str(quantity("x" * 300, "bar"))) < 60


def test_captions_say_n_period_and_exclusions() -> None:
    at = np.array(["2024-05-06T00:00", "2024-05-07T12:30"], "datetime64[us]")
    assert str(charts.caption_rows(12_000, at, left_out=1)) == (
        "n = 12,000 rows · 5,000 drawn, extremes kept · 2024-05-06 00:00 to 2024-05-07 12:30 · 1 row left out"
    )
    assert str(charts.caption_score_timeline(10, [0, 9], msg("limit from 700 normal rows"), refused=2, n_flags=1)) == (
        "n = 10 rows · rows 1 to 10 · 1 flag · limit from 700 normal rows · 2 rows could not be scored"
    )
    assert period([]) is None and period(None) is None
    assert str(join(msg("a"), None, msg("b"))) == "a · b"
    assert str(charts.caption_loss(1)) == "1 epoch" and "epoch 3" in str(charts.caption_loss(9, 3))
    assert str(charts.caption_life(80, 4, 125.0)) == "n = 80 units · 4 drawn · training target capped at 125"
    assert str(charts.caption_confusion(400, msg("test part"), "fail", 0.25)) == (
        "n = 400 rows · test part · 'fail' where its probability is above 0.25"
    )
    assert str(charts.caption_confusion(1, msg("test part"), "c", None)) == (
        "n = 1 row · test part · the most probable class is called"
    )


def test_a_unit_that_the_name_says_is_not_said_again() -> None:
    assert str(quantity("Air temperature [K]", "K")) == "Air temperature [K]"
    assert str(quantity("Air temperature", "K")) == "Air temperature (K)"
    assert str(quantity("Torque [Nm]", "kNm")) == "Torque [Nm] (kNm)"
