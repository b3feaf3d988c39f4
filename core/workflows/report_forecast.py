"""What a report says of a forecast: the next values, the fan behind them, and the error against the step ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core import charts
from core.messages import Message, msg, msg_n
from core.models import model_by_key
from core.report import Fact, ReportFigure
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
    fans = [
        ReportFigure(_title(group), *_fan(results, view, fan(results, last_row(results, group), group), text))
        for group in groups
    ]
    steps = charts.error_by_step(
        steps=[s.step for s in view.steps],
        error=_known([s.mae for s in view.steps]),
        others={text(model_by_key(key).title): _known([s.mae for s in found]) for key, found in view.baseline_steps.items()},
        name=text(model_by_key(results.run.model).title),
        unit=view.unit,
        text=text,
    )
    n = max((s.n for s in view.steps), default=0)
    return view.verdict, (*fans, ReportFigure(msg("Error against step ahead"), steps, msg_n("n = {n} row", "n = {n} rows", n)))


def _title(group: str) -> Message:
    return msg("Next values of {series}", series=group) if group else msg("Next values")


def _fan(results: Results, view: ForecastView, found: Fan, text: Text):  # type: ignore[no-untyped-def]
    figure = charts.forecast_fan(
        history_at=found.history_at,
        history=found.history,
        at=found.at,
        prediction=found.prediction,
        lower=found.lower,
        upper=found.upper,
        truth=found.truth,
        level=view.level,
        name=view.target,
        unit=view.unit,
        text=text,
    )
    ahead = msg_n("{n} value ahead", "{n} values ahead", view.horizon)
    band = msg("band from {n} validation rows", n=view.n_band) if view.level is not None else None
    return figure, charts.captions.join(charts.caption_rows(len(found.history), found.history_at), ahead, band)


def _known(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
