"""What a report says of a decision limit by whole events."""

from __future__ import annotations

import math

from core.messages import Message, msg
from core.report.facts import Fact
from core.workflows.anomalies import AnomalyView
from core.workflows.event_facts import event_scores_of
from core.workflows.results import Results


def event_lines(results: Results, view: AnomalyView) -> tuple[Fact, ...]:
    """Labelled events of the test part that were caught, how late, and false events a shift and a day; nothing without labels."""
    found = event_scores_of(results, view)
    if isinstance(found, Message):
        return ()
    lines = [
        Fact(msg("Labelled events caught"), msg("{caught} of {all}", caught=found.n_caught, all=found.n_events)),
        Fact(msg("False events in normal rows"), msg("{n} in {rows} rows", n=found.n_false, rows=found.normal_rows)),
    ]
    if not math.isnan(found.delay_rows):
        lines.insert(1, Fact(msg("Median delay of an event caught, rows"), found.delay_rows))
    if found.why_no_rate is None:
        for title, hours in (
            (msg("False events a shift of {hours} h", hours=found.shift_hours), found.shift_hours),
            (msg("False events a day"), 24.0),
        ):
            low, high = found.rate(hours, found.low), found.rate(hours, found.high)
            lines.append(Fact(title, msg("{rate} ({low} to {high})", rate=found.rate(hours), low=low, high=high)))
    return tuple(lines)
