"""How the verbs about events say them: facts of an event as JSON, moments, verdicts, sensors."""

from __future__ import annotations

from typing import Any


def facts_of(facts: Any) -> dict[str, object]:
    event = facts.event
    return {
        "event": event.number,
        "group": event.group,
        "onset": None if facts.began is None else str(facts.began.when),
        "onset_row": None if facts.began is None else facts.began.row,
        "onset_by": facts.onset.leading,
        "leading": facts.order.first,
        "first_flag": str(event.began),
        "ended": str(event.ended),
        "first_row": event.first_row,
        "last_row": event.last_row,
        "peak_row": event.peak_row,
        "rows": facts.n_rows,
        "seconds": facts.seconds,
        "flagged_rows": event.n_rows,
        "severity": event.severity,
        "sensors": [
            {"column": s.column, "share": s.share, "deviation": s.deviation, "unit": s.unit, "normal": [s.normal_low, s.normal_high]}
            for s in event.sensors
        ],
        "state": "open" if event.verdict is None else event.verdict.verdict,
        "verdict": None if event.verdict is None else said_of(event.verdict),
        "taken_over": None if event.taken_over is None else earlier_of(event.taken_over),
        "is_ambiguous": event.is_ambiguous,
    }  # fmt: skip


def said_of(verdict: Any) -> dict[str, object]:
    return {
        "state": verdict.verdict,
        "cause": verdict.cause,
        "fix": verdict.fix,
        "assigned_to": verdict.assigned_to,
        "comment": verdict.comment,
        "by": verdict.owner,
        "when": verdict.created.isoformat(),
        "rows": [verdict.first_row, verdict.last_row],
    }


def earlier_of(one: Any) -> dict[str, object]:
    """A verdict of another run; its rows are those of this run's table."""
    return {"run": one.run_id, "run_name": one.run_name, "dataset": one.dataset_name, **said_of(one.verdict)}


def earlier_words(one: Any) -> str:
    table = f" on {one.dataset_name}" if one.dataset_name else ""
    return f"{words_of(one.verdict)} (from run {one.run_name}{table}, by {one.verdict.owner})"


def ambiguous_words(event: Any) -> str:
    said = "; ".join(f"{rows_of(one.verdict)} {earlier_words(one)}" for one in event.earlier.newest)
    return f"other runs said different things of its rows: {said}"


def rows_of(verdict: Any) -> str:
    """Rows as people count them, from 1; the JSON has them as the file of scores does, from 0."""
    return f"rows {verdict.first_row + 1} to {verdict.last_row + 1}"


def words_of(verdict: Any) -> str:
    parts = [verdict.verdict.replace("_", " "), verdict.cause, verdict.fix and f"fixed by {verdict.fix}"]
    return ", ".join(p for p in (*parts, verdict.assigned_to and f"for {verdict.assigned_to}", verdict.comment) if p)


def sensors_of(event: Any) -> str:
    return ", ".join(f"{s.column} {s.share:.0%}" for s in event.sensors[:3]) or "–"


def spoken_time(seconds: float) -> str:
    """Seconds in the two largest units, as the screens say them: "45 s", "26 min", "2 h 11 min", "3 d 4 h"."""
    whole = round(seconds)
    if whole < 90:
        return f"{seconds:.3g} s"
    if whole < 5_400:
        return f"{round(whole / 60)} min"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def state_of(event: Any) -> str:
    if event.taken_over:
        return f"{event.taken_over.verdict.verdict.replace('_', ' ')}, to be confirmed"
    return "open" if event.verdict is None else event.verdict.verdict.replace("_", " ")


def when(moment: Any) -> str:
    return "–" if moment is None else moment_of(moment.when)


def moment_of(value: Any) -> str:
    """A time, what a counter said, or a row as people count it."""
    return f"row {value + 1}" if isinstance(value, int) or hasattr(value, "dtype") and value.dtype.kind in "iu" else str(value)


def number_of(value: Any) -> str:
    return "–" if value is None else f"{value:.3g}"
