"""From a false-alarm budget to a decision limit for the whole alarm logic, with both promises and what each buys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anomalies.alarm_logic import (
    AlarmLimit,
    AlarmLogic,
    Bought,
    alarm_limit,
    begun,
    bought_on_events,
    bought_on_steps,
    measured_rate,
    memory_of,
)
from core.anomalies.thresholds import SECONDS_A_WEEK, Threshold, estimate_tail
from core.data.split import TEST, TRAIN, VALIDATION
from core.jobs.judging import BOUNDED_SCORES
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.chart import Floats, Phases
from core.training.task_settings import TaskSettings
from core.workflows.event_facts import clock_seconds
from core.workflows.records import Run
from core.workflows.results import Results
from core.workflows.score_chart import rate_of
from core.workflows.score_series import ScoreSeries, score_series, stretches_of

BESIDE = ((1, 1), (2, 3), (3, 5))
"""k of n that stand beside the one asked for."""
SAME = 1e-3
"""Limits that differ by a smaller share are one: scores are kept in single precision."""


class AlarmBudgetSettings(Settings):
    """How many false alarms there may be, and when scores become an alarm."""

    per_week: float | None = setting(
        None,
        title="False alarms a week",
        help="Empty: what the run was trained for, where there is a time column.",
        gt=0,
        expert=False,
    )
    rate: float | None = setting(
        None, title="False alarms a row", help="Instead of a number a week. Empty without times: 0.0027.", gt=0, lt=1
    )
    k: int = setting(
        1, title="Scores above the limit", help="So many of the last scores make an alarm.", ge=1, le=1000, expert=False
    )
    n: int = setting(1, title="Last scores", help="Among so many.", unit="rows", ge=1, le=1000, expert=False)
    hold_off: int = setting(
        0, title="Quiet rows", help="After an alarm so many rows give none.", unit="rows", ge=0, le=1_000_000, expert=False
    )
    memory: int | None = setting(
        None, title="Memory", help="Rows after which scores have forgotten. Empty: from the scores.", unit="rows", ge=1
    )
    step: float = setting(
        2.0,
        title="Step",
        help="Without labels: size of the lasting step that is added, in standard deviations of the scores.",
        gt=0,
    )
    within: int = setting(50, title="Within", help="Rows after a step in which an alarm counts.", unit="rows", ge=1)
    first_row: int | None = setting(None, title="First normal row", help="Empty: the validation part.", unit="row", ge=1)
    last_row: int | None = setting(None, title="Last normal row", help="Empty: the validation part.", unit="row", ge=1)


@dataclass(frozen=True, slots=True)
class AlarmChoice:
    """A logic with the limits of both promises, and what it gives at `limit`.

    `limit` is that of the promise on average, else (`is_promised` False) where the budget is expected to hold (`is_estimated`), as the run's own
    limit is; at the highest normal statistic where nothing can be expected above it. `measured` are the false alarms a row in the normal rows,
    counted as the budget counts them, with a 95 % interval; `on_events` labelled events of the test part, None without one; `on_steps` steps added to normal
    rows, None where they are too short. The same at `sure_limit`, that of the promise with confidence, in `sure_on_events` and `sure_on_steps`.
    """

    logic: AlarmLogic
    average: AlarmLimit
    confident: AlarmLimit
    limit: float
    is_promised: bool
    is_estimated: bool
    measured: tuple[float, float, float]
    on_events: Bought | None
    on_steps: Bought | None
    sure_on_events: Bought | None
    sure_on_steps: Bought | None


@dataclass(frozen=True, slots=True)
class AlarmBudgetView:
    """The chosen logic and those beside it, at the same budget of `rate` false alarms a row; `n_normal` normal rows gave the limits.

    `later` are the alarms of the chosen logic after these rows, as rows of the table. `per_week` is None where rows cannot be turned into weeks.
    `own_limit` is the limit at which the run lists its events, in the unit of the scores; None where it judges another quantity.
    """

    run_id: str
    series: ScoreSeries
    rate: float
    per_week: float | None
    n_normal: int
    memory: int
    chosen: AlarmChoice
    beside: tuple[AlarmChoice, ...]
    later: NDArray[np.int64]
    own_limit: float | None
    notes: tuple[Message, ...]

    @property
    def is_as_events(self) -> bool:
        """Whether the run lists its events at this limit."""
        return self.own_limit is not None and abs(self.own_limit - self.chosen.limit) <= SAME * abs(self.own_limit)

    @property
    def beside_events(self) -> Message | None:
        """How the limit stands to the one at which the run lists its events."""
        if self.own_limit is None:
            return None
        if self.is_as_events:
            return msg("Events are listed at the same limit.")
        return msg(
            "Events are listed at {own}, the limit of single scores that was set in training; this one is for the whole logic, its budget and blocks of {block} rows.",
            own=float(f"{self.own_limit:.4g}"),
            block=self.chosen.average.block,
        )

    @property
    def headline(self) -> Message:
        chosen = self.chosen
        if not chosen.is_promised:
            return msg_n(
                "The budget cannot be promised yet: {n} more normal row is needed",
                "The budget cannot be promised yet: {n} more normal rows are needed",
                chosen.average.missing_rows,
            )
        return msg(
            "Decision limit {limit}: {n} alarms in the rows after the normal ones", limit=chosen.limit, n=len(self.later)
        )


def alarm_budget_view(results: Results, settings: AlarmBudgetSettings | None = None) -> AlarmBudgetView:
    """Limits that keep a budget of false alarms with a logic of k of n and quiet rows, learned from held-out normal rows.

    Raises:
        SettingProblem: a logic that cannot be, two budgets, or a weekly one without times.
        NotEnoughData: no held-out row has a score.
    """
    given = AlarmBudgetSettings() if settings is None else settings
    asked = AlarmLogic(given.k, given.n, given.hold_off)
    series = score_series(results, given.first_row, given.last_row)
    seconds = series.period_seconds
    is_weekly = given.rate is None and seconds is not None
    weekly = given.per_week if given.per_week is not None or not is_weekly else weekly_budget(results.run)
    rate = rate_of(given.rate, weekly, seconds)
    odd = series.odd
    normal = np.where(series.of.baseline, odd, np.nan)
    memory = memory_of(normal, series.of) if given.memory is None else given.memory
    logics = [asked, *(AlarmLogic(k, n, given.hold_off) for k, n in BESIDE if (k, n) != (given.k, given.n))]
    judged = _Judged(series, odd, normal, memory, *_all_normal(results, series, normal), results)
    choices = [_choice(logic, judged, rate, given) for logic in logics]
    chosen = choices[0]
    alarms = asked.alarms(asked.statistic(np.where(series.of.baseline, np.nan, odd), series.of), chosen.limit, series.of)
    if not chosen.average.counts_alarms:  # alarms within a block count as one false alarm, and so they do here
        alarms = begun(alarms, chosen.average.block, series.of)
    return AlarmBudgetView(
        run_id=results.run.id,
        series=series,
        rate=rate,
        per_week=None if seconds is None else rate * SECONDS_A_WEEK / seconds,
        n_normal=int(np.isfinite(normal).sum()),
        memory=memory,
        chosen=chosen,
        beside=tuple(choices[1:]),
        later=series.rows[alarms],
        own_limit=Threshold.from_json(results.manifest.threshold or {}).value if series.kind == "score" else None,
        notes=(*series.notes, *_notes(chosen, memory)),
    )


def weekly_budget(run: Run) -> float:
    """False alarms a week that the run was trained for."""
    return float(run.request.options.get("false_alarms_per_week", TaskSettings().false_alarms_per_week))


def counts_weeks(results: Results) -> bool:
    """Whether rows of the run can be turned into weeks: it has a time column that is a clock."""
    found = clock_seconds(results.ordered.times) if results.time is not None else None
    return found is not None and bool(np.isfinite(found).all())


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the limits of all logics are learned from: `odd` of the series and its `normal` rows (n,), and `every` normal score, training part
    included (m,) with its stretches, which only estimates use."""

    series: ScoreSeries
    odd: Floats
    normal: Floats
    memory: int
    every: Floats
    of_every: Phases
    results: Results

    def estimate(self, logic: AlarmLogic, rate: float) -> float | None:
        """Where the budget is expected to hold, as `choose_threshold` puts the limit of the run itself; None for scores that end somewhere."""
        if self.results.manifest.model in BOUNDED_SCORES:
            return None
        block = max(int(self.results.manifest.pipeline["width"]), logic.n, logic.hold_off + 1)
        return estimate_tail(logic.statistic(self.every, self.of_every), min(rate * block, 0.5), block)


def _all_normal(results: Results, series: ScoreSeries, normal: Floats) -> tuple[Floats, Phases]:
    """Scores of all normal rows in order, NaN elsewhere; residuals only where they were held out, as a model knows those that it learned from."""
    if series.kind != "score":
        return normal, series.of
    given = results.ordered
    is_normal = np.isin(given.parts, (TRAIN, VALIDATION))
    if given.labels is not None:
        is_normal &= ~(given.labels == 1)
    codes = None if results.group_names is None else results.group_names[0][given.rows]
    return np.where(is_normal, given.judged, np.nan), stretches_of(is_normal, codes)


def _choice(logic: AlarmLogic, given: _Judged, rate: float, settings: AlarmBudgetSettings) -> AlarmChoice:
    series, normal, memory, of = given.series, given.normal, given.memory, given.series.of
    average, confident = (
        alarm_limit(normal, logic, rate, promise, of, memory=memory) for promise in ("on_average", "confident")
    )
    statistic = logic.statistic(normal, of)
    known = statistic[np.isfinite(statistic)]
    highest = float(known.max()) if len(known) else float(np.nanmax(normal))
    estimate = given.estimate(logic, rate) if average.value is None and len(known) else None
    is_estimated = estimate is not None and estimate > highest
    limit = average.value if average.value is not None else estimate if estimate is not None and is_estimated else highest
    return AlarmChoice(
        logic=logic,
        average=average,
        confident=confident,
        limit=limit,
        is_promised=average.value is not None,
        is_estimated=is_estimated,
        measured=measured_rate(normal, logic, limit, of, memory=memory),
        on_events=_on_events(series, given.odd, logic, limit),
        on_steps=_on_steps(series, logic, limit, settings),
        sure_on_events=None if confident.value is None else _on_events(series, given.odd, logic, confident.value),
        sure_on_steps=None if confident.value is None else _on_steps(series, logic, confident.value, settings),
    )


def _on_events(series: ScoreSeries, odd: NDArray[np.float64], logic: AlarmLogic, limit: float) -> Bought | None:
    if series.labels is None:
        return None
    is_event = np.where((series.parts == TEST) & (series.labels == 1), 1.0, 0.0)
    return bought_on_events(odd, is_event, logic, limit, series.of)


def _on_steps(series: ScoreSeries, logic: AlarmLogic, limit: float, given: AlarmBudgetSettings) -> Bought | None:
    normal = np.where(series.of.baseline, series.centred, np.nan)
    is_folded = series.side == "both"
    return bought_on_steps(normal, given.step, logic, limit, series.of, within=given.within, folded=is_folded)


def _notes(chosen: AlarmChoice, memory: int) -> tuple[Message, ...]:
    found = []
    if not chosen.average.counts_alarms:
        found.append(
            msg(
                "Scores hang together for {n} rows: alarms within {b} rows count as one false alarm. With {h} quiet rows each alarm counts.",
                n=memory,
                b=chosen.average.block,
                h=chosen.average.block - 1,
            )
        )
    if chosen.is_estimated:
        found.append(
            msg(
                "The decision limit is an estimate above the highest normal score: the budget can be expected to hold there, but it is not promised."
            )
        )
    elif not chosen.is_promised:
        found.append(msg("What is shown is at the highest normal score, which promises nothing."))
    return tuple(found)
