"""The score or residual of a finished run as a control chart: limits from its held-out normal rows, judged on the rows that follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.score_chart import RATE, WEIGHT, ScoreChart, score_chart
from core.anomalies.thresholds import SECONDS_A_WEEK
from core.errors import NotEnoughData, SettingProblem
from core.messages import Message, msg
from core.settings import Settings, setting
from core.spc.individuals import NotDefined
from core.spc.stability import is_no_more_than_chance
from core.workflows.csv_out import write_csv
from core.workflows.results import Results
from core.workflows.score_series import ScoreSeries, score_series

FAR = 2.0


class ScoreChartSettings(Settings):
    """Which rows give the limits of a chart of scores, and how many false alarms it may give."""

    rate: float | None = setting(
        None,
        title="False alarms",
        help="Share of points in control that may be outside. Empty: 0.0027, that of 3 σ.",
        gt=0,
        lt=1,
    )
    per_week: float | None = setting(
        None, title="False alarms a week", help="Instead of a share, where there is a time column.", gt=0
    )
    first_row: int | None = setting(None, title="First row of Phase I", help="Empty: the validation part.", unit="row", ge=1)
    last_row: int | None = setting(None, title="Last row of Phase I", help="Empty: the validation part.", unit="row", ge=1)
    side: Literal["auto", "both", "upper"] = setting(
        "auto", title="Sides", help="auto: residuals on both sides, scores above only."
    )
    judged: Literal["auto", "residual", "level"] = setting(
        "auto",
        title="Judged",
        help="Where values hang together: what the values before do not explain, or the level. auto: of scores the level.",
    )
    season: int | None = setting(None, title="Season", help="1: none. Empty: looked for.", unit="rows", ge=1)
    weight: float = setting(WEIGHT, title="Weight", help="EWMA: weight of the newest point.", gt=0, le=1)


@dataclass(frozen=True, slots=True)
class ScoreChartView:
    """A run's chart of scores and the EWMA beside it; arrays of `found` and `series` are (n,), one a row of the chart.

    `signals` and `twin_signals` bool (n,) are points outside after Phase I; Phase I's own are in `charts`, as any chart's.
    """

    run_id: str
    run_name: str
    task: str
    series: ScoreSeries
    found: ScoreChart
    signals: NDArray[np.bool_]
    twin_signals: NDArray[np.bool_]
    notes: tuple[Message, ...]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row of the table of each point."""
        return self.series.rows

    @property
    def n_judged(self) -> int:
        """Points after Phase I that were judged."""
        return int((~self.series.of.baseline & np.isfinite(self.found.chart.points)).sum())

    @property
    def headline(self) -> Message:
        n, of = int(self.signals.sum()), self.n_judged
        twin = int((self.twin_signals & ~self.signals).sum())
        if not of:
            return msg("Limits are set; no row after Phase I has been judged yet")
        if self.series.is_seen:
            return msg(
                "{n} of {of} points after Phase I are outside limits that are too narrow: the model was trained on rows of Phase I",
                n=n,
                of=of,
            )
        if not n and not twin:
            return msg("In control: none of {of} points after Phase I is outside its limits", of=of)
        if not twin and not self.is_far and is_no_more_than_chance(n, self.found.limits.rate * of):
            return msg("In control: {n} of {of} points after Phase I are outside, no more than was promised", n=n, of=of)
        if not np.isfinite(self.found.twin.upper).any():
            return msg("Not in control: {n} of {of} points after Phase I are outside", n=n, of=of)
        return msg(
            "Not in control: {n} of {of} points after Phase I are outside, and {m} more of the EWMA alone", n=n, of=of, m=twin
        )

    def title(self, place: int) -> Message:
        """What the chart (0) or its EWMA (1) shows: the scores themselves, what is left of them, or their moving average."""
        chart = (self.found.chart, self.found.twin)[place]
        if place == 0:
            return self.series.what if self.found.method in ("individuals", "quantiles", "clusters") else chart.statistic
        return msg("{statistic} of {column}", statistic=chart.statistic, column=self.series.what)

    @property
    def is_far(self) -> bool:
        """Whether a point after Phase I lies more than twice as far from the centre as its limit: no chance is needed to explain that."""
        chart = self.found.chart
        above = chart.points - chart.centre > FAR * (chart.upper - chart.centre)
        below = chart.centre - chart.points > FAR * (chart.centre - chart.lower)
        return bool(((above | below) & ~self.series.of.baseline).any())

    @property
    def promise(self) -> Message:
        """What the limits promise, in words."""
        return msg(
            "In control {rate} % of points are expected outside, on average over Phases I of {n} points.",
            rate=100 * self.found.limits.rate,
            n=self.found.limits.n,
        )


def score_chart_view(results: Results, settings: ScoreChartSettings | None = None) -> ScoreChartView:
    """The control chart of a finished run's scores or residuals.

    Raises:
        SettingProblem: a rate and a weekly budget together, a budget without times, or an empty range for Phase I.
        NotEnoughData: no chart is defined for these values, with the reason.
    """
    given = ScoreChartSettings() if settings is None else settings
    series = score_series(results, given.first_row, given.last_row)
    found = score_chart(
        series.values,
        series.of,
        rate=rate_of(given.rate, given.per_week, series.period_seconds),
        side=series.side if given.side == "auto" else given.side,
        prefer=series.prefer if given.judged == "auto" else given.judged,
        period=given.season,
        phase=series.phase,
        weight=given.weight,
    )
    if isinstance(found, NotDefined):
        raise NotEnoughData(
            msg("There is no control chart of these scores: {reason}.", reason=found.reason),
            msg("Limits come from held-out rows of a process in control."),
            msg("Choose a longer Phase I, or a run with a larger validation part."),
        )
    later = ~series.of.baseline
    return ScoreChartView(
        run_id=results.run.id,
        run_name=results.run.name,
        task=results.task,
        series=series,
        found=found,
        signals=found.chart.outside & later,
        twin_signals=found.twin.outside & later,
        notes=(*series.notes, *found.notes),
    )


def rate_of(rate: float | None, per_week: float | None, period_seconds: float | None, default: float = RATE) -> float:
    """The share of rows that a rate or a weekly budget stands for.

    Raises:
        SettingProblem: both were given, or a weekly budget where rows cannot be turned into weeks.
    """
    if rate is not None and per_week is not None:
        raise SettingProblem(
            msg("A share and a number a week were both given."),
            msg("One of them says how many false alarms there may be."),
            msg("Leave out rate or per_week."),
        )
    if per_week is None:
        return default if rate is None else rate
    if period_seconds is None:
        raise SettingProblem(
            msg("There is no time column, so false alarms a week cannot be promised."),
            msg("Expected a share of rows."),
            msg("Set rate=0.0027, for example, instead of per_week."),
        )
    return min(per_week * period_seconds / SECONDS_A_WEEK, 0.5)


def export_score_chart(view: ScoreChartView, path: Path) -> None:
    """Each row with its value, what was expected of it, what is judged, the limits and whether it is outside, as CSV."""
    found, later = view.found, view.series.of.baseline
    table = pd.DataFrame({"row": view.rows + 1, "time": view.series.times, "phase": np.where(later, "I", "II")})
    if view.series.groups is not None:
        table["group"] = view.series.groups
    for name, values in (
        ("value", found.values),
        ("expected", found.expected),
        ("judged", found.chart.points),
        ("lower", found.chart.lower),
        ("upper", found.chart.upper),
        ("EWMA", found.twin.points),
        ("EWMA lower", found.twin.lower),
        ("EWMA upper", found.twin.upper),
    ):
        table[name] = values
    table["outside"], table["EWMA outside"] = found.chart.outside, found.twin.outside
    write_csv(table, path, formula_safe=True)
