"""What a report says of a forecast: the next values, the fan behind them, and the error against the step ahead."""

from __future__ import annotations

from collections.abc import Callable

from core import charts
from core.messages import Message, msg, msg_n
from core.report import Fact, ReportFigure
from core.workflows.forecast_charts import fan_figure, steps_figure
from core.workflows.forecasts import Fan, ForecastView, fan, forecast_view, last_row
from core.workflows.results import Results

Text = Callable[[Message], str]
MOST_FANS = 3


def lines(results: Results) -> list[Fact]:
    """Rows ahead, season, and the band's promise beside what was measured."""
    view = forecast_view(results)
    found = [Fact(msg("Rows ahead"), view.horizon), Fact(msg("Season (rows)"), view.season)]
    inside = results.run.metrics.get("coverage")
    if view.level is not None and inside is not None and inside.value is not None:
        found.append(
            Fact(
                msg("Band"),
                msg(
                    "{level} % promised, {inside} % of the test values inside, from {n} validation rows",
                    level=round(100 * view.level, 1),
                    inside=round(100 * inside.value, 1),
                    n=view.n_band,
                ),
            )
        )
    return found


def figures(results: Results, text: Text) -> tuple[Message, tuple[ReportFigure, ...]]:
    """The verdict, and the charts: the forecast after the last row of the first series, and the error a step."""
    view = forecast_view(results)
    groups = view.groups[:MOST_FANS] or ("",)
    fans = [ReportFigure(_title(group), *_fan(view, fan(results, last_row(results, group), group), text)) for group in groups]
    steps = steps_figure(view, results.run.model, text=text)
    n = max((s.n for s in view.steps), default=0)
    return view.verdict, (*fans, ReportFigure(msg("Error against step ahead"), steps, msg_n("n = {n} row", "n = {n} rows", n)))


def _title(group: str) -> Message:
    return msg("Next values of {series}", series=group) if group else msg("Next values")


def _fan(view: ForecastView, found: Fan, text: Text):  # type: ignore[no-untyped-def]
    ahead = msg_n("{n} value ahead", "{n} values ahead", view.horizon)
    band = msg("band from {n} validation rows", n=view.n_band) if view.level is not None else None
    return fan_figure(view, found, text=text), charts.captions.join(
        charts.caption_rows(len(found.history), found.history_at), ahead, band
    )
