"""The control chart of a run's scores or residuals as its report shows it: the chart, what its limits promise, and what is outside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core import charts
from core.errors import Problem
from core.messages import Message, msg
from core.report import Fact, ReportFigure
from core.spc.rules import Rule, Signal
from core.workflows.results import Results
from core.workflows.score_chart import ScoreChartView, score_chart_view

Text = Callable[[Message], str]


def control_facts(results: Results, text: Text) -> tuple[tuple[Fact, ...], tuple[ReportFigure, ...]]:
    """Sentences and the chart, with the limits that the screen opens with; where there is none, the reason in place of both."""
    try:
        view = score_chart_view(results)
    except Problem as problem:
        return (Fact(msg("Control chart"), problem.what),), ()
    facts = [
        Fact(msg("Control chart"), view.headline),
        Fact(msg("Promise"), view.promise),
        Fact(msg("Points of Phase I"), int(view.series.of.baseline.sum())),
        *(Fact(msg("How the limits were made"), reason) for reason in view.found.why),
        *(Fact(msg("Note"), note) for note in view.notes),
    ]
    return tuple(facts), _figures(view, text)


def _figures(view: ScoreChartView, text: Text) -> tuple[ReportFigure, ...]:
    """The chart and its EWMA, as the screen shows them: the first line counts points outside after Phase I of both."""
    series, found = view.series, []
    is_ascending = len(series.times) < 2 or bool(np.all(series.times[1:] >= series.times[:-1]))
    along = series.times if is_ascending else None
    names = (msg("Control chart"), msg("Control chart: EWMA"))
    for place, (name, chart) in enumerate(zip(names, (view.found.chart, view.found.twin), strict=True)):
        figure = charts.control_chart(
            chart=chart,
            signals=(Signal(1, Rule("limit"), chart.outside),),
            column=text(series.what),
            unit=series.unit,
            x=along,
            rows=view.rows,
            title=view.title(place),
            text=text,
        )
        found.append(ReportFigure(name, figure, charts.caption_control(chart, along)))
    return tuple(found)
