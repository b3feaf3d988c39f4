"""One event in detail, for the verb `events --event`: onset, order of sensors, similar events, where it is and is not, history."""

from __future__ import annotations

from typing import Any

from core.cli.common import Answer, aligned
from core.cli.event_words import (
    ambiguous_words,
    earlier_of,
    earlier_words,
    facts_of,
    moment_of,
    number_of,
    rows_of,
    said_of,
    sensors_of,
    state_of,
    when,
    words_of,
)

SHOWN = 20


def one_event(ws: Any, results: Any, view: Any, number: int, settings: Any) -> Answer:
    """One event in detail."""
    from core import workflows as wf

    event = wf.event_of(view, number)
    alike = wf.similar_events(wf.past_events(ws, results, view.events), results.run.id, event)
    own = {s.past.number for s in alike.found if s.past.run_id == results.run.id}
    facts = wf.event_facts(results, view, event, settings, alike=[e for e in view.events if e.number in own])
    said = wf.history_of(results, event, wf.list_verdicts(ws, results.run.id))
    answer = facts_of(facts) | {
        "run": results.run.id,
        "why_no_onset": None if facts.onset.why_not is None else str(facts.onset.why_not),
        "plausible_rows": None if facts.earliest is None or facts.latest is None else [facts.earliest.row, facts.latest.row],
        "lags_are_after": facts.order.reference,
        "lead_lag": [_follower(f) for f in facts.order.followers],
        "similar": [_similar(s) for s in alike.found],
        "same_in_other_runs": [
            {"run": p.run_id, "verdict": None if p.verdict is None else said_of(p.verdict)} for p in alike.same
        ],
        "nearest": None if alike.nearest is None else alike.nearest.likeness,
        "is_is_not": [_line(line) for line in facts.lines],
        "agree_with_label": list(facts.agreeing),
        "left_out_as_labels": list(facts.truths),
        "suspects": [{"column": s.column, "value": s.value, "rows": s.rows, "of": s.of} for s in facts.suspects],
        "history": [said_of(v) for v in said],
        "history_of_other_runs": [] if event.earlier is None else [earlier_of(one) for one in event.earlier.said],
        "counted": None if (counted := wf.how_counted(results, view, event)) is None else str(counted),
        "notes": [] if facts.note is None else [str(facts.note)],
    }
    inside = wf.within_beginning(view, event, None if facts.began is None else facts.began.row)
    answer["within_beginning"] = None if inside is None else str(inside)
    more = [str(told) for told in (inside, counted) if told is not None]
    return answer, [*_detail_lines(facts, alike, said), *more], 0


def _detail_lines(facts: Any, alike: Any, said: Any) -> list[str]:
    event = facts.event
    onset = when(facts.began) if facts.began is not None else f"cannot be told: {facts.onset.why_not}"
    lines = [
        f"event {event.number}: onset {onset}, first flag {moment_of(event.began)}, ended {moment_of(event.ended)}",
        f"{facts.n_rows:,} rows from the {'onset' if facts.began is not None else 'first flag'} to the last flag, {event.n_rows:,} of them flagged, severity {number_of(event.severity)}; {sensors_of(event)}; {state_of(event)}",
    ]
    lines += _order_lines(facts)
    if alike.found:
        lines += ["similar:"] + [f"  {_similar_words(s)}" for s in alike.found]
    else:
        nearest = "" if alike.nearest is None else f"; the nearest has {alike.nearest.likeness:.2f} of {alike.bar:g}"
        lines.append(f"no similar event{nearest}")
    rows = [
        [x.column, x.value, f"{x.share:.0%}", f"{x.normal_share:.0%}", "–" if x.p is None else f"{x.p:.3g}"] for x in facts.lines[:SHOWN]
    ]  # fmt: skip
    lines += aligned([["column", "value", "is", "is not", "p"], *rows]) if rows else []
    if facts.agreeing:
        lines.append(
            f"agrees with the label in every labelled row, so a cause or another name of it: {', '.join(facts.agreeing)}"
        )
    if facts.truths:
        lines.append(f"left out, as it says the same as the label: {', '.join(facts.truths)}")
    lines += [f"lot or serial {s.column} {s.value}: {s.rows} of {s.of} rows" for s in facts.suspects[:SHOWN]]
    lines += [f"{v.created:%Y-%m-%d %H:%M} UTC  {v.owner}: {words_of(v)}" for v in said]
    if event.taken_over:
        lines.append(f"to be confirmed: {earlier_words(event.taken_over)}")
    lines += [ambiguous_words(event)] if event.is_ambiguous else []
    return lines if facts.note is None else [*lines, f"- {facts.note}"]


def _order_lines(facts: Any) -> list[str]:
    """The sensors in the order in which they changed, each with how that was told."""
    order = facts.order
    if order.reference is None:
        return []
    lines = [f"rows after {order.reference} changed:"]
    for follower in order.followers:
        if follower.lag is not None:
            lines.append(f"  {follower.column}: {_lag_words(follower.lag)}")
    if len(lines) == 1:
        return []
    lines.append(
        f"  intervals: 95% for all {len(order.followers)} sensors together (Bonferroni); an order is said where the interval leaves 0 out"
    )
    return lines


def _lag_words(lag: Any) -> str:
    from core import workflows as wf

    if not isinstance(lag, wf.Lag):
        return str(lag.why)
    order = "order not clear" if not lag.differs else "later" if lag.rows > 0 else "earlier"
    by = "change points" if lag.r is None else f"correlation {lag.r:.2f}"
    return f"{lag.rows:+d} [{lag.low:+d}, {lag.high:+d}], {order}, by {by}"


def _follower(follower: Any) -> dict[str, object]:
    from core import workflows as wf

    lag = follower.lag
    found = lag if isinstance(lag, wf.Lag) else None
    return {
        "column": follower.column,
        "lag_rows": None if found is None else found.rows,
        "lag_interval": None if found is None else [found.low, found.high],
        "by": None if found is None else found.by,
        "r": None if found is None else found.r,
        "differs_from_zero": None if found is None else found.differs,
        "why_not": None if lag is None or found is not None else str(lag.why),
    }


def _similar(found: Any) -> dict[str, object]:
    past = found.past
    return {
        "run": past.run_id,
        "event": past.number,
        "began": str(past.began),
        "likeness": found.likeness,
        "verdict": None if past.verdict is None else said_of(past.verdict),
    }


def _similar_words(found: Any) -> str:
    past = found.past
    name = f"event {past.number}" if past.number is not None else f"{past.run_name}, {rows_of(past)}"
    return f"{name}, {moment_of(past.began)}: {found.likeness:.2f}" + (
        "" if past.verdict is None else f"; {words_of(past.verdict)}"
    )


def _line(line: Any) -> dict[str, object]:
    names = (
        "column",
        "value",
        "rows",
        "share",
        "normal_rows",
        "normal_share",
        "stretches",
        "normal_stretches",
        "p",
        "stands_out",
    )
    return {name: getattr(line, name) for name in names}
