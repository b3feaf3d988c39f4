"""What the Anomalies screen shows of a run, at a threshold that moves without retraining, and the verdicts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.anomalies.events import make_events
from core.anomalies.records import AnomalyEvent, SensorShare, Verdict
from core.anomalies.thresholds import Threshold
from core.data.split import TEST, TRAIN
from core.errors import SettingProblem
from core.evaluation import Metric, binary_flag_metrics
from core.messages import Message, msg, msg_n
from core.workflows.earlier_verdicts import with_earlier
from core.workflows.records import Run
from core.workflows.results import Results, remembered
from core.workflows.verdicts import list_verdicts
from core.workflows.workspace import Workspace

JUDGED = ("anomaly", "forecast")  # a forecast by how far each row is from what was forecast one step before
SHOWN_SENSORS = 3
MARGIN_FACTOR = 1.0
SMALLEST_MARGIN = 30
EXPECTED = "expected"  # the column of scores that holds what was forecast one row before


@dataclass(frozen=True, slots=True)
class AnomalyView:
    """Scores of all rows against a threshold. Arrays are (n_rows,) in group and time order; NaN = not scored.

    `metrics` are of the test part; without labels only the flagged share. Events are of all rows but the gap.
    Padded windows have a score and are never flagged. `later` are the events that began after the training part, which is
    what every count of events says; the others lie in the baseline period.
    `places` say where a row of the dataset stands in them, (n_rows,).
    """

    threshold: Threshold
    is_default: bool
    scores: NDArray[np.float64]
    rows: NDArray[np.int64]
    times: NDArray
    groups: NDArray | None
    parts: NDArray[np.int8]
    flags: NDArray[np.bool_]
    events: tuple[AnomalyEvent, ...]
    later: tuple[AnomalyEvent, ...]
    metrics: tuple[Metric, ...]
    baseline_metrics: Mapping[str, Metric]
    labels: NDArray[np.float64] | None
    score_unit: Message
    n_scored: int
    n_refused: int
    verdict: Message
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SensorTrace:
    """One sensor around an event: (n,) rows, times and values, and its normal band.

    `expected` (n,) is what a forecast said of each row one row before, NaN where it said nothing; None where nothing is forecast.
    """

    column: str
    unit: str
    share: float
    deviation: float | None
    rows: NDArray[np.int64]
    times: NDArray
    values: NDArray[np.float64]
    normal_low: float | None
    normal_high: float | None
    expected: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class EventDetail:
    """An event and the traces of the sensors that made it, with a margin of rows before and after."""

    event: AnomalyEvent
    traces: tuple[SensorTrace, ...]


def anomaly_view(
    ws: Workspace, results: Results, threshold: float | None = None, *, without_deviations: bool = False
) -> AnomalyView:
    """Scores, flags, events and figures at the run's own threshold or another.

    Args:
        without_deviations: Leave out how far sensors went in each event, which reads whole columns; `with_deviations` tells it of one.

    Raises:
        SettingProblem: the run does not look for anomalies.
    """
    if results.task not in JUDGED or results.manifest.threshold is None:
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("This view shows runs of: {tasks}.", tasks=", ".join(JUDGED)),
            msg("Open another run."),
        )
    own = Threshold.from_json(results.manifest.threshold or {})
    is_default = threshold is None or threshold == own.value
    used = own if is_default else replace(own, value=float(threshold))  # type: ignore[arg-type]
    given = results.ordered
    flags = used.flags(given.judged)
    is_stored = is_default and results.task == "anomaly"
    metrics = tuple(results.run.metrics.values()) if is_stored else _metrics(results, flags)
    events = _events(ws, results, used, without_deviations)
    later = later_events(results, events)
    n_scored = int(np.isfinite(given.scores).sum())
    return AnomalyView(
        threshold=used,
        is_default=is_default,
        scores=given.scores,
        rows=given.rows,
        times=given.times,
        groups=given.groups,
        parts=given.parts,
        flags=flags,
        events=events,
        later=later,
        metrics=metrics,
        baseline_metrics=results.run.baseline_metrics if results.task == "anomaly" else {},
        labels=given.labels,
        score_unit=msg("score") if results.task == "anomaly" else msg("residual ÷ its usual size"),
        n_scored=n_scored,
        n_refused=len(given.scores) - n_scored,
        verdict=_headline(later),
        places=results.place_of_row,
    )


def event_detail(results: Results, event: AnomalyEvent, sensors: int = SHOWN_SENSORS) -> EventDetail:
    """The traces of the first sensors of an event, with as many rows before and after as it lasts (at least 30)."""
    rows = results.ordered.rows
    place = np.sort(results.place_of_row[event.first_row : event.last_row + 1])
    if results.group is not None and event.group:
        groups = results.groups(rows[place])
        place = place if groups is None else place[groups.astype(str) == event.group]
    margin = max(SMALLEST_MARGIN, int(MARGIN_FACTOR * len(place)))
    around = rows[max(0, place[0] - margin) : place[-1] + margin + 1]
    if results.group is not None and event.group:  # at the end of one group's rows begin those of the next
        groups = results.groups(around)
        around = around if groups is None else around[groups.astype(str) == event.group]
    start, stop = int(around.min()), int(around.max()) + 1
    # Columns that a recipe made (a rolling mean, a component) are not in the table; their share is listed all the same.
    in_table = {c.name for c in results.dataset.columns if c.kind == "number"}
    chosen = [share for share in event.sensors if share.column in in_table][:sensors]
    table = results.dataset.table([share.column for share in chosen], start, stop) if chosen else None
    times = results.positions(around)
    traces = [_trace(share, table, around, times, start) for share in chosen]
    if results.task == "forecast" and EXPECTED in results.columns:
        expected, own = results.numbers(EXPECTED, around), results.manifest.target_column
        traces = [replace(trace, expected=expected) if trace.column == own else trace for trace in traces]
    return EventDetail(event, tuple(traces))


def with_deviations(results: Results, event: AnomalyEvent) -> AnomalyEvent:
    """The event with the largest deviation of its first sensors, from its own rows."""
    return _with_bands(event, results, _deviations((event,), results, _GroupNames.of(results)))


def _events(ws: Workspace, results: Results, threshold: Threshold, without_deviations: bool) -> tuple[AnomalyEvent, ...]:
    """Ranked events with their sensors, normal bands and newest verdicts, and what other runs said of their rows."""
    given = results.ordered
    found = make_events(
        given.judged,
        threshold,
        given.rows,
        times=given.times,
        groups=given.groups,
        contributions=given.contributions,
        names=results.sensor_names,
        join_gap_rows=int(results.manifest.pipeline["width"]),
    )
    verdicts = list_verdicts(ws, results.run.id)
    names = _GroupNames.of(results)
    deviations = {} if without_deviations else _deviations(found, results, names)
    judged = tuple(_with_verdict(_with_bands(event, results, deviations), verdicts, names) for event in found)
    return with_earlier(ws, results, judged)


@dataclass(frozen=True, slots=True)
class _GroupNames:
    """The group's name of some rows as text, without a text for each of them in memory."""

    codes: NDArray[np.int64]
    names: NDArray[np.str_]

    @classmethod
    def of(cls, results: Results) -> _GroupNames | None:
        found = results.group_names
        return None if found is None else cls(found[0], found[1].astype(str))

    def __getitem__(self, rows: int | NDArray[np.int64]) -> NDArray[np.str_]:
        return self.names[self.codes[rows]]


def _with_bands(event: AnomalyEvent, results: Results, deviations: Mapping[tuple[int, str], float | None]) -> AnomalyEvent:
    """The event with unit, normal band and largest deviation of its first sensors."""
    facts = {c.name: c for c in results.manifest.columns}
    shares = []
    for share in event.sensors:
        column = facts.get(share.column)
        if column is None or column.low is None or column.high is None:
            shares.append(share)
            continue
        deviation = deviations.get((event.number, share.column))
        shares.append(replace(share, unit=column.unit, normal_low=column.low, normal_high=column.high, deviation=deviation))
    return event.with_sensors(tuple(shares))


def _deviations(
    events: tuple[AnomalyEvent, ...], results: Results, names: _GroupNames | None
) -> dict[tuple[int, str], float | None]:
    """The largest deviation of the first sensors of each event, by its number and the column.

    Column by column, each read once: hundreds of events each reading their few rows would take many seconds, and all
    columns together would not fit in memory.
    """
    found: dict[tuple[int, str], float | None] = {}
    for facts in results.manifest.columns:
        if facts.low is None or facts.high is None:
            continue
        shown = [e for e in events if facts.name in {share.column for share in e.sensors[:SHOWN_SENSORS]}]
        if not shown:
            continue
        start, stop = min(e.first_row for e in shown), max(e.last_row for e in shown) + 1
        values = results.dataset.table([facts.name], start, stop)[facts.name].to_numpy(dtype=np.float64)
        for event in shown:
            rows = np.arange(event.first_row, event.last_row + 1)
            rows = rows if names is None else rows[names[rows] == event.group]
            found[event.number, facts.name] = _deviation(values[rows - start], facts.low, facts.high)
    return found


def _deviation(values: NDArray[np.float64], low: float, high: float) -> float | None:
    """The largest distance from the centre of the normal band, signed, in column units."""
    distance = values - (low + high) / 2
    known = distance[np.isfinite(distance)]
    return float(known[np.argmax(np.abs(known))]) if known.size else None


def _with_verdict(event: AnomalyEvent, verdicts: tuple[Verdict, ...], names: _GroupNames | None) -> AnomalyEvent:
    """The newest verdict whose rows overlap the event; one on another group's event does not speak of this one."""
    for verdict in reversed(verdicts):
        if names is not None and names[verdict.first_row] != event.group:
            continue
        if verdict.first_row <= event.last_row and verdict.last_row >= event.first_row:
            return event.with_verdict(verdict)
    return event


def _trace(share: SensorShare, table, around: NDArray[np.int64], times: NDArray, start: int) -> SensorTrace:  # type: ignore[no-untyped-def]
    return SensorTrace(
        column=share.column,
        unit=share.unit,
        share=share.share,
        deviation=share.deviation,
        rows=around,
        times=times,
        values=table[share.column].to_numpy(dtype=np.float64)[around - start],
        normal_low=share.normal_low,
        normal_high=share.normal_high,
    )


def _metrics(results: Results, flags: NDArray[np.bool_]) -> tuple[Metric, ...]:
    """The figures of the test part at a moved threshold, by which rows (n_rows,) in group and time order are flagged."""
    given = results.ordered
    known = np.isfinite(given.scores) & (given.parts == TEST)
    found: list[Metric] = []
    if known.any():
        found.append(Metric("flagged_fraction", float(flags[known].mean()), int(known.sum())))
    if given.labels is not None:
        known &= np.isfinite(given.labels)
        rows = given.rows[known]
        blocks = remembered(results, "blocks of labels", lambda: results.blocks(rows))
        found.extend(binary_flag_metrics(given.labels[known] > 0, flags[known], blocks=blocks))
    return tuple(found)


def breaks_promise(run: Run, threshold: Threshold) -> bool | None:
    """Whether the good rows of the test part were flagged more often than promised by more than chance explains.

    Chance has two parts: the rows of the test part (the 95 % interval of the share) and the rows that the limit came from. What a limit from n blocks
    with the rate a / (n + 1) really gives varies as Beta(a, n + 1 − a); its 97.5 % quantile must lie below the interval too.
    None where no rate is promised or it cannot be told: no labels, no good row, no interval.

    Source: the Beta distribution: Vovk, "Conditional Validity of Inductive Conformal Predictors", ACML (2012), proposition 2a.
    """
    from scipy.special import betaincinv

    seen, n = run.metrics.get("far"), threshold.n
    if threshold.promise == "per_week" or seen is None or seen.low is None or n < 1:
        return None
    above = min(max(1.0, threshold.rate * (n + 1)), float(n))
    return bool(seen.low > max(threshold.rate, float(betaincinv(above, n + 1 - above, 0.975))))


def later_events(results: Results, events: tuple[AnomalyEvent, ...]) -> tuple[AnomalyEvent, ...]:
    """The events that began after the training part."""
    train = results.parts == TRAIN
    return tuple(e for e in events if not train[e.start_row])


def _headline(later: tuple[AnomalyEvent, ...]) -> Message:
    """The screen's first line: how many events wait for a verdict, and the largest."""
    opened = [e for e in later if e.is_open]
    if not later:
        return msg("No event in the rows after the baseline period")
    if not opened:
        return msg_n("{n} event, and it has a verdict", "{n} events, and all have a verdict", len(later))
    largest = opened[0]
    sensor = largest.sensors[0].column if largest.sensors else None
    if sensor is None:
        return msg_n("{n} event needs a verdict", "{n} events need a verdict", len(opened))
    return msg_n(
        "{n} event needs a verdict; it is in {sensor}",
        "{n} events need a verdict; the largest is in {sensor}",
        len(opened),
        sensor=sensor,
    )
