"""What the six-part view draws: limits of the customer dash-dot, densities as rows a bar, a straight line on a probability axis."""

from __future__ import annotations

import numpy as np
import pytest

from core.charts import capability_histogram, capability_plot, last_subgroups
from core.spc.distribution_fits import fit_all
from core.spc.individuals import NotDefined
from core.spc.probability_plot import probability_plot

EDGES, COUNTS = np.array([0.0, 1.0, 2.0, 3.0]), np.array([10, 30, 10])


def test_the_customers_limits_are_dash_dot_and_say_their_values() -> None:
    figure = capability_histogram(edges=EDGES, counts=COUNTS, densities=[], limits=(0.5, None, 2.75), column="width", unit="mm")
    assert [(s.x0, s.line.dash) for s in figure.layout.shapes] == [(0.5, "dashdot"), (2.75, "dashdot")]
    assert {"LSL 0.5", "USL 2.75"} <= {a.text for a in figure.layout.annotations}
    assert list(figure.data[0].y) == [10, 30, 10]


def test_a_density_is_drawn_as_the_rows_it_expects_in_a_bar() -> None:
    """A density of 1/3 over 3 mm, 50 rows, bars of 1 mm: 50/3 rows each."""
    flat = ("within", np.array([0.0, 3.0]), np.array([1 / 3, 1 / 3]))
    figure = capability_histogram(edges=EDGES, counts=COUNTS, densities=[flat], limits=(None, None, 3.0), column="w")
    assert list(figure.data[1].y) == pytest.approx([50 / 3, 50 / 3]) and figure.data[1].line.dash == "dash"
    (names,) = [a for a in figure.layout.annotations if "within subgroups" in a.text]
    limits = [a for a in figure.layout.annotations if a.text.startswith("USL")]
    assert figure.data[1].line.color in names.text
    assert names.yshift >= 15 and all(a.y == names.y and not a.yshift for a in limits), "a line above the words of the limits"


def test_normal_values_lie_on_the_line_of_the_probability_plot() -> None:
    values = np.random.default_rng(1).normal(50, 2, 400)
    fit = fit_all(values)["normal"]
    assert not isinstance(fit, NotDefined)
    plot = probability_plot(values, fit, 0.95)
    assert not isinstance(plot, NotDefined)
    figure = capability_plot(plot=plot, column="w", unit="mm")
    line, points = figure.data[2], figure.data[3]
    assert len(points.x) == 400
    slope = np.diff(line.y) / np.diff(line.x)
    assert slope == pytest.approx(np.full(len(slope), 1 / values.std(ddof=1)), rel=0.02), "straight, and as steep as 1 / s"
    ticks = figure.layout.yaxis
    assert list(ticks.ticktext)[4] == "50" and ticks.tickvals[4] == pytest.approx(0.0, abs=1e-12)


def test_the_last_subgroups_lie_around_the_mean() -> None:
    figure = last_subgroups(recent=[[1, 5.0], [1, 6.0], [2, 7.0]], mean=6.0, column="w")
    assert list(figure.data[0].y) == [6.0, 6.0] and list(figure.data[1].y) == [5.0, 6.0, 7.0]
    assert "The last 2 points of w" in figure.layout.title.text
    assert not last_subgroups(recent=np.zeros((0, 2)), mean=1.0, column="w").layout.shapes
