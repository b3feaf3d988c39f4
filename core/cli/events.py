"""The verbs about events: `events`, `verdict`, `verdicts`, `false-alarms` and `fault-classes`."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, figures, pairs
from core.messages import Message

SHOWN = 20


def events(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.EventSettings.read(pairs(options.set))
    ws, results, view = _opened(options.run, options.limit)
    if options.event is not None:
        return _one(ws, results, view, options.event, settings)
    found = wf.event_list(results, view, settings)
    if options.out is not None:
        wf.export_events(found, options.out)
    scores = wf.event_scores_of(results, view, settings.shift_hours)
    early = sorted({e.number for e in view.events} - {e.number for e in view.later})
    answer: dict[str, object] = {
        "headline": str(view.verdict),
        "run": results.run.id,
        "limit": float(view.threshold.value),
        "events": [_facts(facts) for facts in found.facts],
        "n_events": found.n_events,
        "in_baseline_period": early,
        "scores": _scores(scores),
        "metrics": figures(view.metrics),
        "out": None if options.out is None else str(options.out),
    }
    rows = [
        [str(f.event.number), _when(f.began), _moment(f.event.began), f"{f.n_rows:,}", _number(f.event.severity), _sensors(f.event), _state(f.event)]
        for f in found.facts[:SHOWN]
    ]  # fmt: skip
    lines = [str(view.verdict), ""]
    lines += aligned([["event", "onset", "first flag", "rows", "severity", "sensors", "state"], *rows]) if rows else []
    lines += [f"… and {found.n_events - SHOWN} more"] if found.n_events > SHOWN else []
    if early:
        lines.append(f"not counted in the first line, as they began in the baseline period: event {', '.join(map(str, early))}")
    lines += ["", *_score_lines(scores, view)]
    return answer, lines if options.out is None else [*lines, f"→ {options.out}"], 0


def verdict(options: Options) -> Answer:
    from core import workflows as wf

    ws, results, view = _opened(options.run)
    event = wf.event_of(view, options.event)
    words = {"cause": options.cause, "fix": options.fix, "assigned_to": options.to, "by": options.by}
    said = wf.set_verdict(ws, results.run.id, event, options.state, options.comment, **words)
    return {"run": results.run.id, "event": event.number, **_said(said)}, [f"event {event.number}: {_words(said)}"], 0


def verdicts(options: Options) -> Answer:
    from core import workflows as wf

    ws, results, view = _opened(options.run)
    run, waiting = results.run.id, [e for e in view.events if e.taken_over]
    confirmed = [e.number for e in waiting if options.confirm and wf.confirm_verdict(ws, run, e, by=options.by)]
    given = wf.list_verdicts(ws, run)
    lines = [f"{v.created:%Y-%m-%d %H:%M} UTC  {v.owner}  {_rows(v)}: {_words(v)}" for v in given]
    lines = lines or ["Nothing was said of this run's events yet."]
    open_now = [] if options.confirm else waiting
    lines += [f"event {e.number}, to be confirmed: {_earlier_words(e.taken_over)}" for e in open_now]
    ambiguous = [e for e in view.events if e.is_ambiguous]
    lines += [f"event {e.number}: {_ambiguous(e)}" for e in ambiguous]
    answer: dict[str, object] = {
        "run": run,
        "verdicts": [_said(v) for v in given],
        "confirmed": confirmed,
        "to_confirm": [{"event": e.number, **_earlier(e.taken_over)} for e in open_now],
        "ambiguous": [{"event": e.number, "said": [_earlier(one) for one in e.earlier.newest]} for e in ambiguous],
    }
    return answer, lines, 0


def false_alarms(options: Options) -> Answer:
    from core import workflows as wf
    from core.cli.train import followed

    ws, results, view = _opened(options.run)
    seen = wf.preview_false_alarms(results, view)
    answer: dict[str, object] = {
        "run": results.run.id,
        "false_alarms": [e.number for e in seen.alarms],
        "rows": seen.rows,
        "test_rows": seen.test_rows,
        "limit": seen.limit,
        "limit_then": float(seen.limit_then.value),
        "events": seen.n_events,
        "silent": [e.number for e in seen.silent],
        "silent_false": seen.silent_false,
        "silent_real": seen.silent_real,
        "labelled_faulty": seen.labelled,
        "notes": [str(note) for note in seen.notes],
        "trained": None,
    }
    lines = [
        str(seen.sentence),
        f"flagged no more: {seen.silent_false} false alarms, {seen.silent_real} contained, with a cause or closed",
        f"{seen.rows:,} rows would train, {seen.test_rows:,} of them leave the test part",
        *(f"- {note}" for note in seen.notes),
    ]
    if not options.train:
        return answer, lines, 0
    run = followed(options, ws, wf.train_with_false_alarms(ws, results, view))
    effect = wf.real_effect(ws, wf.open_results(ws, run.id))
    answer |= {
        "trained": run.id,
        "metrics": figures(run.metrics.values()),
        "effect": None if effect is None else _effect(effect),
    }
    lines += ["", f"run {run.id}", *([] if effect is None else _effect_lines(effect))]
    return answer, lines, 0


def fault_classes(options: Options) -> Answer:
    from core import workflows as wf
    from core.cli.train import followed

    ws, results, view = _opened(options.run)
    found = wf.fault_classes(ws, results)
    answer: dict[str, object] = {
        "run": results.run.id,
        "causes": [{"cause": c.cause, "cases": len(c.cases), "is_taken": c.is_taken} for c in found.causes],
        "why_not": None if found.why_not is None else str(found.why_not),
        "trained": None,
    }
    lines = [f"{c.cause}: {len(c.cases)}" + ("" if c.is_taken else "  (too few)") for c in found.causes]
    if not options.train:
        return answer, [*lines, *([] if found.why_not is None else [str(found.why_not)])], 0
    run = followed(options, ws, wf.train_fault_classes(ws, results, view, model=options.model))
    answer |= {"trained": run.id, "dataset": run.dataset_id, "metrics": figures(run.metrics.values())}
    return answer, [*lines, f"run {run.id} on dataset {run.dataset_id}: {run.model}"], 0


def _opened(run: str, limit: float | None = None) -> tuple[Any, Any, Any]:
    from core import workflows as wf

    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, run))
    return ws, results, wf.anomaly_view(ws, results, limit)


def _one(ws: Any, results: Any, view: Any, number: int, settings: Any) -> Answer:
    """One event in detail."""
    from core import workflows as wf

    event = wf.event_of(view, number)
    alike = wf.similar_events(wf.past_events(ws, results, view.events), results.run.id, event)
    own = {s.past.number for s in alike.found if s.past.run_id == results.run.id}
    facts = wf.event_facts(results, view, event, settings, alike=[e for e in view.events if e.number in own])
    said = wf.history_of(results, event, wf.list_verdicts(ws, results.run.id))
    answer = _facts(facts) | {
        "run": results.run.id,
        "why_no_onset": None if facts.onset.why_not is None else str(facts.onset.why_not),
        "plausible_rows": None if facts.earliest is None or facts.latest is None else [facts.earliest.row, facts.latest.row],
        "lead_lag": [_follower(f) for f in facts.followers],
        "similar": [_similar(s) for s in alike.found],
        "same_in_other_runs": [
            {"run": p.run_id, "verdict": None if p.verdict is None else _said(p.verdict)} for p in alike.same
        ],
        "nearest": None if alike.nearest is None else alike.nearest.likeness,
        "is_is_not": [_line(line) for line in facts.lines],
        "suspects": [{"column": s.column, "value": s.value, "rows": s.rows, "of": s.of} for s in facts.suspects],
        "history": [_said(v) for v in said],
        "history_of_other_runs": [] if event.earlier is None else [_earlier(one) for one in event.earlier.said],
        "counted": None if (counted := wf.how_counted(results, view, event)) is None else str(counted),
        "notes": [] if facts.note is None else [str(facts.note)],
    }
    lines = _detail_lines(facts, alike, said)
    return answer, lines if counted is None else [*lines, str(counted)], 0


def _detail_lines(facts: Any, alike: Any, said: Any) -> list[str]:
    event = facts.event
    onset = _when(facts.began) if facts.began is not None else f"cannot be told: {facts.onset.why_not}"
    lines = [
        f"event {event.number}: onset {onset}, first flag {_moment(event.began)}, ended {_moment(event.ended)}",
        f"{facts.n_rows:,} rows, severity {_number(event.severity)}; {_sensors(event)}; {_state(event)}",
    ]
    for follower in facts.followers:
        after = "onset not told" if follower.after is None else f"{follower.after:+d} rows"
        lag = follower.lag
        moves = "" if lag is None else f"; moves {lag.rows:+d} rows [{lag.low}, {lag.high}], r {lag.r:.2f}"
        lines.append(f"  {follower.column}: {after}{moves}" + ("" if lag is None or lag.differs else " (not clear)"))
    if alike.found:
        lines += ["similar:"] + [f"  {_similar_words(s)}" for s in alike.found]
    else:
        nearest = "" if alike.nearest is None else f"; the nearest has {alike.nearest.likeness:.2f} of {alike.bar:g}"
        lines.append(f"no similar event{nearest}")
    rows = [
        [x.column, x.value, f"{x.share:.0%}", f"{x.normal_share:.0%}", "–" if x.p is None else f"{x.p:.3g}"] for x in facts.lines[:SHOWN]
    ]  # fmt: skip
    lines += aligned([["column", "value", "is", "is not", "p"], *rows]) if rows else []
    lines += [f"lot or serial {s.column} {s.value}: {s.rows} of {s.of} rows" for s in facts.suspects[:SHOWN]]
    lines += [f"{v.created:%Y-%m-%d %H:%M} UTC  {v.owner}: {_words(v)}" for v in said]
    if event.taken_over:
        lines.append(f"to be confirmed: {_earlier_words(event.taken_over)}")
    lines += [_ambiguous(event)] if event.is_ambiguous else []
    return lines if facts.note is None else [*lines, f"- {facts.note}"]


def _facts(facts: Any) -> dict[str, object]:
    event = facts.event
    return {
        "event": event.number,
        "group": event.group,
        "onset": None if facts.began is None else str(facts.began.when),
        "onset_row": None if facts.began is None else facts.began.row,
        "leading": facts.onset.leading,
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
        "verdict": None if event.verdict is None else _said(event.verdict),
        "taken_over": None if event.taken_over is None else _earlier(event.taken_over),
        "is_ambiguous": event.is_ambiguous,
    }  # fmt: skip


def _follower(follower: Any) -> dict[str, object]:
    lag = follower.lag
    return {
        "column": follower.column,
        "after_rows": follower.after,
        "is_later": follower.is_later,
        "lag_rows": None if lag is None else lag.rows,
        "lag_interval": None if lag is None else [lag.low, lag.high],
        "r": None if lag is None else lag.r,
        "lag_differs_from_zero": None if lag is None else lag.differs,
    }


def _similar(found: Any) -> dict[str, object]:
    past = found.past
    return {
        "run": past.run_id,
        "event": past.number,
        "began": str(past.began),
        "likeness": found.likeness,
        "verdict": None if past.verdict is None else _said(past.verdict),
    }


def _similar_words(found: Any) -> str:
    past = found.past
    name = f"event {past.number}" if past.number is not None else f"{past.run_name}, {_rows(past)}"
    return f"{name}, {_moment(past.began)}: {found.likeness:.2f}" + (
        "" if past.verdict is None else f"; {_words(past.verdict)}"
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


def _said(verdict: Any) -> dict[str, object]:
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


def _earlier(one: Any) -> dict[str, object]:
    """A verdict of another run; its rows are those of this run's table."""
    return {"run": one.run_id, "run_name": one.run_name, "dataset": one.dataset_name, **_said(one.verdict)}


def _earlier_words(one: Any) -> str:
    table = f" on {one.dataset_name}" if one.dataset_name else ""
    return f"{_words(one.verdict)} (from run {one.run_name}{table}, by {one.verdict.owner})"


def _ambiguous(event: Any) -> str:
    said = "; ".join(f"{_rows(one.verdict)} {_earlier_words(one)}" for one in event.earlier.newest)
    return f"other runs said different things of its rows: {said}"


def _rows(verdict: Any) -> str:
    """Rows as people count them, from 1; the JSON has them as the file of scores does, from 0."""
    return f"rows {verdict.first_row + 1} to {verdict.last_row + 1}"


def _words(verdict: Any) -> str:
    parts = [verdict.verdict.replace("_", " "), verdict.cause, verdict.fix and f"fixed by {verdict.fix}"]
    return ", ".join(p for p in (*parts, verdict.assigned_to and f"for {verdict.assigned_to}", verdict.comment) if p)


def _scores(found: Any) -> dict[str, object]:
    if isinstance(found, Message):
        return {"why_not": str(found)}
    return {
        "events": found.n_events,
        "caught": found.n_caught,
        "delay_rows": _known(found.delay_rows),
        "delay_seconds": _known(found.delay_seconds),
        "false_events": found.n_false,
        "normal_rows": found.normal_rows,
        "false_a_shift": _known(found.a_shift),
        "false_a_day": _known(found.a_day),
        "false_a_day_interval": [_known(found.rate(24, found.low)), _known(found.rate(24, found.high))],
        "why_not": None if found.why_no_rate is None else str(found.why_no_rate),
    }


def _score_lines(found: Any, view: Any) -> list[str]:
    if isinstance(found, Message):
        return [str(found)]
    late = "–" if math.isnan(found.delay_rows) else f"{found.delay_rows:g} rows"
    rate = f"{found.n_false}, {found.a_shift:.3g} a shift" if found.why_no_rate is None else f"{found.n_false}"
    ranked = {m.key: m for m in view.metrics}
    beside = [
        f"{key} {ranked[key].value:.4g}"
        for key in ("roc_auc", "average_precision", "vus_pr")
        if key in ranked and ranked[key].value is not None
    ]
    return [f"caught {found.n_caught} of {found.n_events} events, median delay {late}; false events {rate}", *beside]  # fmt: skip


def _effect(effect: Any) -> dict[str, object]:
    return {name: getattr(effect, name) for name in type(effect).__dataclass_fields__}


def _effect_lines(effect: Any) -> list[str]:
    return [
        f"decision limit {effect.limit_before:.4g} → {effect.limit_now:.4g}",
        f"false alarms flagged: {effect.false_before} → {effect.false_now}",
        f"contained, with a cause or closed: {effect.real_before} → {effect.real_now}",
        f"without a verdict: {effect.open_before} → {effect.open_now}",
    ]


def _sensors(event: Any) -> str:
    return ", ".join(f"{s.column} {s.share:.0%}" for s in event.sensors[:3])


def _state(event: Any) -> str:
    if event.taken_over:
        return f"{event.taken_over.verdict.verdict.replace('_', ' ')}, to be confirmed"
    return "open" if event.verdict is None else event.verdict.verdict.replace("_", " ")


def _when(moment: Any) -> str:
    return "–" if moment is None else _moment(moment.when)[:19]


def _moment(value: Any) -> str:
    """A time, what a counter said, or a row as people count it."""
    return f"row {value + 1}" if isinstance(value, int) or hasattr(value, "dtype") and value.dtype.kind in "iu" else str(value)


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.3g}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
