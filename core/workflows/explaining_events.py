"""Why an event: its sentence, its sensors with how far and how long they were off, and what repairing each takes off the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anomalies.records import AnomalyEvent
from core.errors import SettingProblem
from core.explain.columns import Floats, InputColumn
from core.explain.occlusion import column_effects, shares_of
from core.explain.repair_set import RepairSet, smallest_repair
from core.explain.sentence import Excursion, event_sentence, excursion
from core.messages import Message, msg, msg_n
from core.serving.explained import Output
from core.workflows.explaining import Explainer, Said, evenly, what_is_said
from core.workflows.results import Results

MOST_ROWS = 32
MOST_TOGETHER = 12  # rows on which sets of sensors are tried, each with every further sensor
LOOKED_AT = 10  # sensors by share whose rows are read: a column of millions takes its time
AROUND = 2_000
"""Rows before and after an event in which a sensor's stretch outside its band is followed."""


@dataclass(frozen=True, slots=True)
class SensorWhy:
    """A sensor of an event. `share` is its part in the event as the screen shows it, 0 to 1, and `repair` what the score loses, in
    the mean over the event's rows, when the sensor holds what the others expect of it. `sigma` is its largest distance from the
    training part's mean, in standard deviations; `n_outside` rows in a row outside its normal band."""

    column: str
    unit: str
    share: float
    repair: float
    repair_share: float
    sigma: float
    n_outside: int


@dataclass(frozen=True, slots=True)
class EventWhy:
    """An event explained: rows that were looked at, the sentence, and its sensors, largest share first.

    `doubt` says that repair names another sensor than the three with the largest shares; None where both agree. `together` are the
    sensors that have to be repaired to bring the event below the limit; None for a forecast.
    """

    event: AnomalyEvent
    said: Said
    rows: NDArray[np.int64]
    sentence: Message
    sensors: tuple[SensorWhy, ...]
    score: float
    limit: float
    doubt: Message | None = None
    together: RepairSet | None = None


def event_why(explainer: Explainer, event: AnomalyEvent, limit: float) -> EventWhy:
    """What made an event, at a decision limit.

    Of a forecast the event's sensor is the column that is forecast, and `repair` says what each column moved the forecast of the
    peak's row, made one row before.
    """
    said = what_is_said(explainer)
    rows = event_rows(explainer.results, event, limit)
    windows = explainer.windows(evenly(rows, MOST_ROWS))
    if explainer.results.task == "forecast":
        windows = _before(explainer, event.peak_row)
    effects = column_effects(Output(explainer.bundle, said.place), windows, explainer.columns, explainer.conditional)
    mean = effects.mean(axis=0) if len(effects) else np.zeros(len(explainer.columns))
    sensors = _sensors(explainer, event, mean, shares_of(effects))
    sentence = sentence_of(explainer, event)
    if explainer.results.task == "forecast":
        return EventWhy(event, said, rows, sentence, sensors, event.peak, limit)
    together = _together(explainer, said, np.append(evenly(rows, MOST_TOGETHER), event.peak_row), limit)
    return EventWhy(event, said, rows, sentence, sensors, event.peak, limit, _doubt(sensors), together)


def repair_words(why: EventWhy) -> Message | None:
    """What has to be repaired, in a sentence; None where nothing was looked for."""
    found = why.together
    if found is None or not found.before > why.limit:
        return None
    facts = {"limit": f"{why.limit:.4g}", "before": f"{found.before:.4g}", "after": f"{found.after:.4g}"}
    if not found.columns:
        return msg(
            "Repairing a sensor does not lower the score: nothing that was tried brings the event below the limit {limit}.",
            limit=facts["limit"],
        )
    names = ", ".join(found.columns)
    if not found.is_within:
        return msg_n(
            "Repairing {columns}, which helps most, is not enough: the highest score falls from {before} to {after}, the limit is {limit}.",
            "Repairing these {n} together, which helps most, is not enough: {columns}. The highest score falls from {before} to {after}, the limit is {limit}.",
            len(found.columns),
            columns=names,
            **facts,
        )
    return msg_n(
        "Repairing {columns} alone brings the event below the limit {limit}: the highest score falls from {before} to {after}.",
        "No sensor alone, but these {n} repaired together bring the event below the limit {limit}: {columns}. The highest score falls from {before} to {after}.",
        len(found.columns),
        columns=names,
        **facts,
    )


def _together(explainer: Explainer, said: Said, rows: NDArray[np.int64], limit: float) -> RepairSet:
    """Of columns that hold numbers: a machine or a lot is nothing that is repaired."""
    windows = explainer.windows(np.unique(rows[explainer.places[rows] >= 0]))
    columns = [c for c in explainer.columns if c.move is not None]
    return smallest_repair(Output(explainer.bundle, said.place), windows, columns, explainer.conditional, limit)


def event_rows(results: Results, event: AnomalyEvent, limit: float) -> NDArray[np.int64]:
    """The flagged rows of an event in order of time; its peak at least."""
    given = results.ordered
    inside = (given.rows >= event.first_row) & (given.rows <= event.last_row)
    if given.groups is not None and event.group:
        inside &= given.groups.astype(str) == event.group
    found = given.rows[inside & (np.nan_to_num(given.judged, nan=-np.inf) > limit)]
    return found if len(found) else np.array([event.peak_row])


def sentence_of(explainer: Explainer, event: AnomalyEvent) -> Message:
    """The event in a sentence, from its largest sensor that holds numbers.

    An event whose model names no sensor says so.
    """
    named = [share for share in event.sensors if share.column in explainer.numbers]
    if not named:
        return msg("The model does not say which sensors made this event.")
    gone = {s.column: _went(explainer, event, explainer.column(s.column)) for s in named[:LOOKED_AT]}
    named = sorted(named, key=lambda s: not (s.column in gone and _is_far(gone[s.column][0], event)))
    column = explainer.column(named[0].column)
    found, times = gone.get(column.name) or _went(explainer, event, column)
    following = named[1].column if len(named) > 1 and named[1].share > 0 else None
    is_clock = times is not None and times.dtype.kind == "M"
    return event_sentence(column.titled, found, following, is_clock=is_clock, unexpected=_unexpected(explainer, event, column))


def open_event(events: Sequence[AnomalyEvent], number: int) -> AnomalyEvent:
    """The event of that number.

    Raises:
        SettingProblem: there is none.
    """
    for event in events:
        if event.number == number:
            return event
    raise SettingProblem(
        msg("There is no event {n}.", n=number),
        msg("Expected a number from 1 to {last}.", last=len(events)),
        msg("Name an event of the list, or move the decision limit."),
    )


def _went(explainer: Explainer, event: AnomalyEvent, column: InputColumn) -> tuple[Excursion, NDArray | None]:
    """How far a sensor went in an event, and the times of the rows around."""
    values, inside, times = _around(explainer, event, column.name)
    return _excursion(explainer, column, values, inside, times), times


def _is_far(found: Excursion, event: AnomalyEvent) -> bool:
    """Whether a sensor lies outside its normal band for at least half of the flagged rows: a person who looks there sees the fault, whatever
    the shares say; a stop of several sensors spoils the reconstruction of healthy ones, which then get shares too.
    """
    return 2 * found.n_outside >= event.n_rows


def _sensors(explainer: Explainer, event: AnomalyEvent, repair: Floats, shares: Floats) -> tuple[SensorWhy, ...]:
    given = {share.column: share.share for share in event.sensors}
    order = sorted(range(len(explainer.columns)), key=lambda i: (-given.get(explainer.columns[i].name, 0.0), -repair[i]))
    found: list[SensorWhy] = []
    for i in order:
        column = explainer.columns[i]
        far = Excursion(float("nan"), 0)
        if column.move is not None and len(found) < LOOKED_AT:
            far = _went(explainer, event, column)[0]
        share = given.get(column.name, 0.0)
        found.append(SensorWhy(column.name, column.unit, share, float(repair[i]), float(shares[i]), far.sigma, far.n_outside))
    return tuple(sorted(found, key=lambda s: 2 * s.n_outside < event.n_rows))


def _doubt(sensors: Sequence[SensorWhy]) -> Message | None:
    """Where a shock of several sensors spoils a reconstruction, healthy sensors get shares too; repairing them helps little."""
    best = max(sensors, key=lambda one: one.repair, default=None)
    if best is None or best.repair <= 0 or best.column in {one.column for one in sensors[:3]}:
        return None
    if max(one.share for one in sensors) == 0:
        return None
    return msg(
        "The shares and the repair do not agree: repairing {column} takes most off the score. Look at both.", column=best.column
    )


def _around(explainer: Explainer, event: AnomalyEvent, column: str) -> tuple[Floats, NDArray[np.bool_], NDArray | None]:
    """A column's cleaned values around an event in order of time, which rows are the event's, and their times."""
    results, place = explainer.results, explainer.places
    peak = int(place[event.peak_row])
    start, stop = max(0, peak - AROUND - event.n_rows), min(len(explainer.inputs.row_of_window), peak + AROUND + event.n_rows)
    first = explainer.inputs.windows.first_row
    near = np.arange(start, stop)
    near = near[np.asarray(first[near]) == first[peak]]
    rows = explainer.inputs.row_of_window[near]
    at = explainer.column(column)
    values = at.values(np.asarray(explainer.inputs.windows.values[near])[:, None, :])[:, 0]
    inside = (rows >= event.first_row) & (rows <= event.last_row)
    return values, inside, None if results.time is None else results.positions(rows)


def _excursion(
    explainer: Explainer, column: InputColumn, values: Floats, inside: NDArray[np.bool_], times: NDArray | None
) -> Excursion:
    facts = next((c for c in explainer.bundle.manifest.columns if c.name == column.name), None)
    low, high = (-np.inf, np.inf) if facts is None or facts.low is None or facts.high is None else (facts.low, facts.high)
    if column.move is None:
        return Excursion(float("nan"), 0)
    return excursion(values, inside, column.move.mean, column.move.scale, low, high, times)


def _unexpected(explainer: Explainer, event: AnomalyEvent, column: InputColumn) -> float | None:
    """How far a sensor lies at the peak from what the others expect, in standard deviations of that; None where unknown."""
    conditional, place = explainer.conditional, column.places[0]
    if conditional is None or explainer.places[event.peak_row] < 0:
        return None
    row = explainer.window(event.peak_row)[:, -1, : len(conditional.mean)].astype(np.float64)
    pulled = (row - conditional.mean) @ conditional.precision[:, place]
    return float(pulled[0] / np.sqrt(conditional.precision[place, place]))


def _before(explainer: Explainer, row: int) -> NDArray[np.float32]:
    """The window that ends one row before a row in its series, from which it was forecast; none at a series' start."""
    place, first = int(explainer.places[row]), explainer.inputs.windows.first_row
    if place <= 0 or first[place - 1] != first[place]:
        return explainer.inputs.windows.batch(np.array([], dtype=np.int64))
    return explainer.inputs.windows.batch(np.array([place - 1]))
