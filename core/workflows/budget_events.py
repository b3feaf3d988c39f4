"""What an alarm logic makes of each event of the list: an alarm, or why it is none; and where an event stands in the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anomalies.records import AnomalyEvent
from core.data.split import TEST, TRAIN
from core.messages import Message, msg, msg_n
from core.workflows.alarm_budget import AlarmBudgetView
from core.workflows.anomalies import AnomalyView
from core.workflows.results import Results


@dataclass(frozen=True, slots=True)
class BudgetEvent:
    """An event and the row (0-based) of the alarm that tells of it, None without one; `why` says it in words.

    An alarm that began before the event and has not ended when it begins tells of it too; several events may lie within one.
    """

    event: AnomalyEvent
    alarm_row: int | None
    why: Message


def budget_events(results: Results, budget: AlarmBudgetView, events: Sequence[AnomalyEvent]) -> tuple[BudgetEvent, ...]:
    """What the chosen logic makes of events, by its own limit and alarms.

    Rows that gave the limit raise no alarm, whatever their scores.
    """
    series, logic, limit = budget.series, budget.chosen.logic, budget.chosen.limit
    judged = np.where(series.of.baseline, np.nan, series.odd)
    statistic = logic.statistic(judged, series.of)
    every = logic.alarms(statistic, limit, series.of)
    counted = set(budget.later.tolist())
    is_alarm = np.zeros(len(series.rows), dtype=bool)
    is_alarm[[i for i in every.tolist() if int(series.rows[i]) in counted]] = True
    groups = None if results.group_names is None else results.groups(series.rows)
    names = None if groups is None else groups.astype(str)
    found = []
    for event in events:
        inside = (series.rows >= event.first_row) & (series.rows <= event.last_row)
        places = np.flatnonzero(inside if names is None else inside & (names == event.group))
        found.append(_told(budget, event, places, judged, statistic, is_alarm))
    return tuple(found)


def _told(
    budget: AlarmBudgetView,
    event: AnomalyEvent,
    places: NDArray[np.int64],
    judged: NDArray[np.float64],
    statistic: NDArray[np.float64],
    is_alarm: NDArray[np.bool_],
) -> BudgetEvent:
    series, logic, limit = budget.series, budget.chosen.logic, budget.chosen.limit
    if not len(places):
        return BudgetEvent(event, None, msg("not judged: the model was trained on its rows"))
    if series.of.baseline[places].all():
        return BudgetEvent(event, None, msg("not judged: its rows are among the normal ones that gave the limit"))
    # k of n may be full only when the flags of the event are over.
    reach = np.arange(places[0], min(len(series.rows), places[-1] + logic.n))
    hits = reach[is_alarm[reach]]
    if len(hits):
        return BudgetEvent(event, int(series.rows[hits[0]]), msg("alarm at row {row}", row=int(series.rows[hits[0]]) + 1))
    above = int((judged[places] > limit).sum())
    if not above:
        peak = float(np.nanmax(judged[places])) if np.isfinite(judged[places]).any() else float("nan")
        why = msg("no alarm: its highest score {peak} is not above the limit {limit}", peak=f"{peak:.4g}", limit=f"{limit:.4g}")
        return BudgetEvent(event, None, why)
    if not (statistic[reach] > limit).any():
        why = msg_n(
            "no alarm, too short: {n} score above the limit, and never {k} of {of} that follow each other",
            "no alarm, too short: {n} scores above the limit, and never {k} of {of} that follow each other",
            above,
            k=logic.k,
            of=logic.n,
        )
        return BudgetEvent(event, None, why)
    start = int(series.of.bounds[np.searchsorted(series.of.bounds, reach[0], side="right") - 1])
    before = np.flatnonzero(is_alarm[start : reach[0]]) + start
    row = int(series.rows[before[-1]]) + 1 if len(before) else 1
    if budget.chosen.average.counts_alarms:
        return BudgetEvent(event, None, msg("not counted: in the quiet rows after the alarm at row {row}", row=row))
    # The budget's limit may lie below that of the list, so that its alarm comes before the event's own first flag.
    early = int(reach[0] - before[-1]) if len(before) else 0
    why = msg_n(
        "within the alarm that began at row {row}, {n} row before its first flag",
        "within the alarm that began at row {row}, {n} rows before its first flag",
        early,
        row=row,
    )
    return BudgetEvent(event, row - 1, why)


def within_beginning(view: AnomalyView, event: AnomalyEvent, began_row: int | None) -> Message | None:
    """That other events lie between the beginning of this one and its first flag, so that they are probably one; None where there is none."""
    if began_row is None:
        return None
    start, stop = view.places[began_row], view.places[event.start_row]
    inside = [
        other.number
        for other in view.events
        if other.number != event.number and other.group == event.group and start <= view.places[other.start_row] < stop
    ]
    if not inside:
        return None
    return msg_n(
        "event {numbers} lies between its beginning and its first flag: both are probably one",
        "events {numbers} lie between its beginning and its first flag: they are probably one",
        len(inside),
        numbers=", ".join(map(str, sorted(inside))),
    )


def how_counted(results: Results, view: AnomalyView, event: AnomalyEvent) -> Message | None:
    """Where an event stands in the figures of the screen; None where it is simply one of those counted.

    Events caught and false events are counted on the rows of the test part that have a label.
    """
    inside = (view.rows >= event.first_row) & (view.rows <= event.last_row) & view.flags
    if view.groups is not None:
        inside[inside] = view.groups[inside].astype(str) == event.group
    if results.parts[event.start_row] == TRAIN:
        return msg("It began in the baseline period, of which the model learned: no count of events includes it.")
    if view.labels is None:
        return None
    test = inside & (view.parts == TEST)
    if not test.any():
        return msg("It lies before the test part: events caught and false events are counted there only.")
    known = test & np.isfinite(view.labels)
    if not known.any():
        return msg("Its rows have no label: it is neither caught nor false.")
    bad = int((view.labels[known] > 0).sum())
    if not bad:
        return msg("None of its rows is labelled: it counts as a false event.")
    return msg_n(
        "{n} of its flagged rows is labelled: it counts as caught.",
        "{n} of its flagged rows are labelled: it counts as caught.",
        bad,
    )
