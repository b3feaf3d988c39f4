"""What is known of one event: when it began and how long it lasted, which sensor leads, where it is and is not, and which lots it touches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.is_is_not import Line, Suspect, agrees_with_label, is_is_not, names_label, shift_names, suspects
from core.anomalies.lead_lag import MOST_LAG, LeadLag, confidence_of, lead_lag
from core.anomalies.onset import LONGEST, LOOK_BACK, REFERENCE, EventOnset, NoOnset, Onset, event_onset, find_onset
from core.anomalies.records import AnomalyEvent
from core.data.rows import take_rows
from core.data.split import GAP, TEST
from core.errors import unknown_choice
from core.evaluation.event_scores import SHIFT_HOURS, EventScores, event_scores
from core.messages import Message, msg
from core.settings import Settings, setting
from core.workflows.anomalies import AnomalyView
from core.workflows.results import Results

MOST_SENSORS, LEAST_SHARE = 4, 0.05
MOST_CHANGED, MOST_LOOKED_AT = 3, 100
"""Further sensors that are looked at because they left their normal band, whatever their part in the score; of at most so many columns."""
FEW_NUMBERS = 20
"""A column of whole numbers with at most so many values is taken for categories, such as the numbers of machines."""
MOST_CELLS = 20_000_000
MOST_ROWS = 100_000
"""Of a longer table the rows around each event are compared, so many in all: they tell as much, and an event opens in half a second."""
SHIFT = "shift by the clock"
"""What the shifts are called among the columns."""
NAMES_LOTS = re.compile(
    r"(?<![a-z])(lot|batch|charge|coil|heat|serial|s/?n|pallet|tray|panel|wafer)(?![a-z])|批|序列|卷号|炉号|托盘", re.IGNORECASE
)
"""Names of columns whose values can be suspected, if they hold texts or whole numbers."""
Of = Literal["event", "similar", "all"]


class EventSettings(Settings):
    """How an event is looked at."""

    look_back: int | None = setting(
        None,
        title="Look-back",
        help="Rows before the first flag in which the event may have begun. Empty: 100, or two windows where they are longer.",
        unit="rows",
        ge=5,
        le=10_000,
    )
    shift_hours: float = setting(
        SHIFT_HOURS, title="Length of a shift", help="Shifts follow each other without a break.", unit="h", ge=1, le=24
    )
    first_hour: float = setting(
        6.0, title="First shift begins at", help="Hour of the day at which the first shift begins.", unit="h", ge=0, lt=24
    )
    compared: Of = setting(
        "event",
        title="Is / is not of",
        help="The rows of this event, those of it and the similar ones, or those of all events after the baseline period.",
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """A row of the dataset and its time, or its number where there is no time."""

    row: int
    when: Any


@dataclass(frozen=True, slots=True)
class EventFacts:
    """One event in more detail.

    `began` is when it began, None where it cannot be told (`onset.why_not`), with the rows `earliest` to `latest` that are plausible.
    `n_rows` are the rows from there (else from the first flag) to the last flag, `seconds` the time, None without a clock.
    `order` are its sensors in the order in which they changed, `changed` the moment of each, None where it cannot be told.
    `lines` are where it is and is not, `suspects` the lots and serials between its beginning and its end; `tested` the columns compared,
    `agreeing` those of them that agree with the label in every labelled row, and `truths` those that do and are called a label besides:
    they are not compared.
    """

    event: AnomalyEvent
    onset: EventOnset
    began: Moment | None
    earliest: Moment | None
    latest: Moment | None
    n_rows: int
    seconds: float | None
    order: LeadLag
    changed: tuple[Moment | None, ...]
    lines: tuple[Line, ...]
    suspects: tuple[Suspect, ...]
    tested: tuple[str, ...]
    agreeing: tuple[str, ...]
    truths: tuple[str, ...]
    note: Message | None


def event_facts(
    results: Results,
    view: AnomalyView,
    event: AnomalyEvent,
    settings: EventSettings | None = None,
    *,
    alike: Sequence[AnomalyEvent] = (),
    without_table: bool = False,
) -> EventFacts:
    """Everything about one event that needs the rows around it; about a tenth of a second on ten thousand rows.

    Args:
        view: The view that the event is of, at the same decision limit.
        alike: Similar events of the run, for a comparison of these.
        without_table: Leave out where it is and is not, and its lots, which read whole columns.
    """
    settings = settings or EventSettings()
    start, stop = _stretch(results, view, event)
    rows, flags = view.rows[start:stop], view.flags[start:stop]
    inside = np.flatnonzero(flags & (rows >= event.first_row) & (rows <= event.last_row))
    first, last = int(inside[0]), int(inside[-1])
    look_back = settings.look_back or max(LOOK_BACK, min(2 * int(results.manifest.pipeline["width"]), LONGEST))
    low, high = max(0, first - look_back - REFERENCE), min(last + 1, first + LONGEST)
    around = slice(low, high)
    normal = ~flags[around]
    place, end = first - low, min(last, high - 1) - low
    series = _sensors(results, event, rows[around], np.isin(np.arange(low, high), inside))
    kwargs: dict[str, Any] = {
        "look_back": look_back,
        "is_normal": normal,
        "confidence": confidence_of(len(series)),
    }
    onsets: dict[str, Onset | NoOnset] = {
        name: find_onset(values, place, end, until=end, **kwargs) for name, values in series.items()
    }
    score = find_onset(_score(view.scores[start:stop][around]), place, end, **kwargs)
    onset = event_onset(onsets, score, place)
    order = lead_lag(series, onsets, most_lag=min(MOST_LAG, look_back))

    def moment(at: int | None) -> Moment | None:
        if at is None:
            return None
        i = start + low + at
        if results.time is None:
            return Moment(int(view.rows[i]), int(view.rows[i]))
        time = view.times[i]
        return Moment(int(view.rows[i]), pd.Timestamp(time) if isinstance(time, np.datetime64) else time)

    began = (low + onset.at) if onset.at is not None else first
    compared = {"event": [event], "similar": [event, *alike], "all": list(view.later)}[settings.compared]
    lines, tested, agreeing, truths = ((), (), (), ()) if without_table else _compared(results, view, compared, settings)
    own = onset.onset
    return EventFacts(
        event=event,
        onset=onset,
        began=moment(onset.at),
        earliest=moment(own.low if own is not None else None),
        latest=moment(min(own.high, place) if own is not None else None),
        n_rows=last - began + 1,
        seconds=_seconds(view.times[start:stop], began, last) if results.time is not None else None,
        order=order,
        changed=tuple(moment(f.onset.at if f.onset is not None else None) for f in order.followers),
        lines=lines,
        suspects=() if without_table else _suspects(results, rows[began : last + 1]),
        tested=tested,
        agreeing=agreeing,
        truths=truths,
        note=_note(settings, without_table, results.n_rows, len(compared)),
    )


def event_scores_of(results: Results, view: AnomalyView, shift_hours: float = SHIFT_HOURS) -> EventScores | Message:
    """Events of the test part that the decision limit catches, delay and false events a shift; or why they are not counted."""
    if view.labels is None:
        return msg("There are no labels that say which rows are faulty.")
    method = results.manifest.split["method"]
    if method == "random" or (results.time is None and method not in ("first", "time")):
        return msg("The rows of the test part do not follow each other in time, so that there are no events to count.")
    test = view.parts == TEST
    known = test & np.isfinite(view.scores)
    truth = np.where(known, view.labels, np.nan)[test]
    codes = None if view.groups is None else pd.factorize(view.groups[test].astype(str))[0]
    found = event_scores(
        truth,
        view.flags[test].astype(np.float64),
        groups=codes,
        seconds=clock_seconds(view.times[test]) if results.time is not None else None,
        join_gap_rows=int(results.manifest.pipeline["width"]),
        shift_hours=shift_hours,
    )
    return msg("No row of the test part has both a label and a score.") if found is None else found


def clock_seconds(times: NDArray[Any]) -> NDArray[np.float64] | None:
    """Times as seconds, NaN where empty; None where the time column is a counter and no clock."""
    if not np.issubdtype(np.asarray(times).dtype, np.datetime64):
        return None
    given = np.asarray(times).astype("datetime64[us]")
    return np.where(np.isnat(given), np.nan, given.astype(np.int64) / 1e6)


def _stretch(results: Results, view: AnomalyView, event: AnomalyEvent) -> tuple[int, int]:
    """The places of the event's group in the order of the view, from start to stop."""
    if results.group_names is None:
        return 0, len(view.rows)
    codes, names = results.group_names
    wanted = np.flatnonzero(names.astype(str) == event.group)
    own = np.flatnonzero(np.isin(codes[view.rows], wanted))
    return int(own[0]), int(own[-1]) + 1


def _sensors(
    results: Results, event: AnomalyEvent, rows: NDArray[np.int64], flagged: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Values of the event's sensors in the order of rows: those with the largest parts, then those that left their normal band.

    Columns that a recipe made are not in the table. A sensor that follows others may have no part in the score at all.
    """
    in_table = {c.name for c in results.dataset.columns if c.kind == "number"}
    names = [s.column for s in event.sensors if s.share >= LEAST_SHARE and s.column in in_table][:MOST_SENSORS]
    banded = [c for c in results.manifest.columns if c.name in in_table and c.low is not None and c.role == "sensor"]
    others = [c for c in banded if c.name not in names][:MOST_LOOKED_AT]
    wanted = [*names, *(c.name for c in others)]
    if not wanted:
        return {}
    low, high = int(rows.min()), int(rows.max()) + 1
    table = results.dataset.table(wanted, low, high)
    values = {name: table[name].to_numpy(dtype=np.float64)[rows - low] for name in wanted}
    away: dict[str, float] = {}
    for column in others:
        own, bounds = values[column.name][flagged], (float(column.low or 0.0), float(column.high or 0.0))
        if np.isfinite(own).any() and bounds[1] > bounds[0]:
            away[column.name] = abs(float(np.nanmean(own)) - sum(bounds) / 2) / ((bounds[1] - bounds[0]) / 2)
    left = sorted((name for name, size in away.items() if size > 1), key=lambda name: -away[name])[:MOST_CHANGED]
    return {name: values[name] for name in [*names, *left]}


def _score(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores on a scale on which normal ones are not skewed: their logarithm, where all are above 0."""
    known = scores[np.isfinite(scores)]
    return np.log(scores) if len(known) and known.min() > 0 else scores


def _seconds(times: NDArray[Any], first: int, last: int) -> float | None:
    clock = clock_seconds(times)
    if clock is None or not np.isfinite(clock[[first, last]]).all():
        return None
    return float(clock[last] - clock[first])


def _compared(
    results: Results, view: AnomalyView, chosen: Sequence[AnomalyEvent], settings: EventSettings
) -> tuple[tuple[Line, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Where the flagged rows are and where normal rows are, in the order of time over all groups, the columns compared, those of them that
    agree with the label, and those that are the label by another name and left out; nothing without an event."""
    if not chosen:
        return (), (), (), ()
    by_time = np.argsort(view.times, kind="stable") if results.time is not None else np.argsort(view.rows, kind="stable")
    rows = view.rows[by_time]
    if len(rows) > MOST_ROWS:
        near = _around(rows, [one.peak_row for one in chosen])
        by_time, rows = by_time[near], rows[near]
    flags = view.flags[by_time]
    scored = np.isfinite(view.scores[by_time]) & (view.parts[by_time] != GAP)
    is_event = np.zeros(len(rows), dtype=bool)
    groups = None if view.groups is None else view.groups[by_time].astype(str)
    for one in chosen:
        own = flags & (rows >= one.first_row) & (rows <= one.last_row)
        is_event |= own if groups is None else own & (groups == one.group)
    columns = _categories(results, rows)
    labels = None if view.labels is None else view.labels[by_time]
    agreeing = [] if labels is None else [name for name, cells in columns.items() if agrees_with_label(cells, labels)]
    # Only a name tells a copy of the label from its cause; the group is a thing of the plant, whatever it is called.
    truths = tuple(name for name in agreeing if name != results.group and names_label(name))
    columns = {name: cells for name, cells in columns.items() if name not in truths}
    if results.time is not None and clock_seconds(view.times[:1]) is not None:
        columns[SHIFT] = shift_names(view.times[by_time], settings.shift_hours, settings.first_hour)
    return is_is_not(columns, is_event, scored & ~flags), tuple(columns), tuple(n for n in agreeing if n not in truths), truths


def _around(rows: NDArray[np.int64], centres: Sequence[int]) -> NDArray[np.bool_]:
    """Which of many rows are compared, (n,): as many around each centre, at most `MOST_ROWS` in all."""
    each = max(1, MOST_ROWS // len(centres))
    near = np.zeros(len(rows), dtype=bool)
    for middle in np.flatnonzero(np.isin(rows, centres)).tolist():
        start = max(0, min(middle - each // 2, len(rows) - each))
        near[start : start + each] = True
    return near


def _categories(results: Results, rows: NDArray[np.int64]) -> dict[str, Any]:
    """The columns of categories in the order of rows: texts, the group, and whole numbers with few values; never a label."""
    facts = [
        c
        for c in results.dataset.columns
        if c.name not in (results.manifest.target_column, results.time) and c.kind != "time" and c.role != "target"
    ]
    found: dict[str, Any] = {}
    is_small = results.n_rows * max(1, len(facts)) <= MOST_CELLS
    for column in facts:
        if column.kind != "text" and column.name != results.group and not is_small and not NAMES_LOTS.search(column.name):
            continue
        cells = _cells(results, column.name, rows)
        if column.kind == "text" or column.name == results.group or _is_code(column.name, cells):
            found[column.name] = cells.to_numpy(dtype=object)
    return found


def _cells(results: Results, name: str, rows: NDArray[np.int64]) -> pd.Series:
    """The cells of some rows in their order: read as one stretch where they lie close together."""
    low, high = int(rows.min()), int(rows.max()) + 1
    if high - low <= 2 * len(rows):
        return results.dataset.table([name], low, high)[name].iloc[rows - low]
    unique, place = np.unique(rows, return_inverse=True)
    return take_rows(results.dataset.rows([name]), unique, [name])[name].iloc[place]


def _is_code(name: str, cells: pd.Series) -> bool:
    """Whether a column of numbers names things: whole numbers, few of them or called a lot or serial."""
    known = cells.dropna().to_numpy(dtype=np.float64)
    if not len(known) or not np.all(known[:1000] == np.round(known[:1000])) or not np.all(known == np.round(known)):
        return False
    return bool(NAMES_LOTS.search(name)) or 2 <= len(np.unique(known)) <= FEW_NUMBERS


def _suspects(results: Results, rows: NDArray[np.int64]) -> tuple[Suspect, ...]:
    """Lots and serials of the rows from the beginning to the end; columns by their names, and the group."""
    low, high = 0, results.n_rows
    if high > MOST_ROWS:
        low = max(0, int(rows.min()) - MOST_ROWS // 2)
        high = min(high, int(rows.max()) + MOST_ROWS // 2)
    is_event = np.zeros(high - low, dtype=bool)
    is_event[rows - low] = True
    found: list[Suspect] = []
    for column in results.dataset.columns:
        is_group, is_named = column.name == results.group, NAMES_LOTS.search(column.name) is not None
        if column.name in (results.manifest.target_column, results.time) or column.kind == "time" or not (is_group or is_named):
            continue
        cells = results.dataset.table([column.name], low, high)[column.name]
        if is_group or column.kind == "text" or _is_code(column.name, cells):
            found += suspects(column.name, cells.to_numpy(dtype=object), is_event)
    return tuple(found)


def _note(settings: EventSettings, is_left_out: bool, n_rows: int, n_events: int) -> Message | None:
    if n_rows > MOST_ROWS and not is_left_out:
        if n_events < 2:
            return msg("Compared are the {n} rows around the event.", n=MOST_ROWS)
        return msg("Compared are {n} rows around each of the {events} events.", n=MOST_ROWS // n_events, events=n_events)
    if is_left_out or settings.compared != "event":
        return None
    return msg(
        "A single event lies in few lots and shifts, so that these rarely stand out; compare several events where one cause is suspected."
    )


def event_of(view: AnomalyView, number: int, what: Sequence[AnomalyEvent] | None = None) -> AnomalyEvent:
    """The event of that number.

    Raises:
        SettingProblem: there is none.
    """
    events = view.events if what is None else what
    for event in events:
        if event.number == number:
            return event
    raise unknown_choice("event", str(number), [str(e.number) for e in events])
