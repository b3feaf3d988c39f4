"""The events of a run as a table: when each began, how long it lasted, its sensors, what was said of it, and what is like it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.workflows.anomalies import AnomalyView
from core.workflows.csv_out import rows_from_one, write_csv
from core.workflows.event_facts import EventFacts, EventSettings, event_facts
from core.workflows.results import Results

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class EventList:
    """Facts of the events of a run, most severe first, of 200 at most; `n_events` counts all."""

    facts: tuple[EventFacts, ...]
    n_events: int


def event_list(results: Results, view: AnomalyView, settings: EventSettings | None = None) -> EventList:
    """The facts of each event of a view, without where it is and is not."""
    chosen = view.events[:MOST_EVENTS]
    return EventList(tuple(event_facts(results, view, e, settings, without_table=True) for e in chosen), len(view.events))


def export_events(found: EventList, path: Path) -> None:
    """One row an event, as CSV that a spreadsheet opens without running anything; rows count from 1."""
    rows = []
    for facts in found.facts:
        event, verdict, taken = facts.event, facts.event.verdict, facts.event.taken_over
        rows.append(
            {
                "event": event.number,
                "group": event.group,
                "onset": "" if facts.began is None else _moment(facts.began.when),
                "onset_row": None if facts.began is None else facts.began.row,
                "first_flag": _moment(event.began),
                "first_row": event.first_row,
                "last_row": event.last_row,
                "ended": _moment(event.ended),
                "rows": facts.n_rows,
                "seconds": facts.seconds,
                "flagged_rows": event.n_rows,
                "peak": event.peak,
                "severity": event.severity,
                "onset_by": facts.onset.leading or "",
                "leading": facts.order.first or "",
                "sensors": ", ".join(f"{s.column} {s.share:.0%}" for s in event.sensors[:5]),
                "state": "open" if verdict is None else verdict.verdict,
                "cause": "" if verdict is None else verdict.cause,
                "fix": "" if verdict is None else verdict.fix,
                "assigned_to": "" if verdict is None else verdict.assigned_to,
                "comment": "" if verdict is None else verdict.comment,
                "to_confirm": "" if taken is None else taken.verdict.verdict,
                "to_confirm_from": "" if taken is None else taken.run_name,
            }
        )
    if not rows:
        write_csv(pd.DataFrame(columns=["event"]), path, formula_safe=True)
        return
    table = rows_from_one(pd.DataFrame(rows).astype({"onset_row": "Int64"}), "onset_row", "first_row", "last_row")
    write_csv(table, path, formula_safe=True)


def _moment(when: object) -> str:
    """A time, a counter of the user's own, or, where the table has no time, the row: a whole number, counted from 1."""
    if isinstance(when, np.datetime64):
        return str(pd.Timestamp(when))
    is_row = isinstance(when, int | np.integer)
    return str(when + 1) if is_row else str(when)  # type: ignore[operator]
