"""The verbs about events: `events`, `verdict`, `verdicts`, `false-alarms` and `fault-classes`."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, figures, pairs
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
    spoken_time,
    state_of,
    when,
    words_of,
)
from core.cli.one_event import one_event
from core.messages import Message

SHOWN = 20


def events(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.EventSettings.read(pairs(options.set))
    ws, results, view = _opened(options.run, options.limit)
    if options.event is not None:
        return one_event(ws, results, view, options.event, settings)
    found = wf.event_list(results, view, settings)
    if options.out is not None:
        wf.export_events(found, options.out)
    scores = wf.event_scores_of(results, view, settings.shift_hours)
    early = sorted({e.number for e in view.events} - {e.number for e in view.later})
    answer: dict[str, object] = {
        "headline": str(view.verdict),
        "run": results.run.id,
        "limit": float(view.threshold.value),
        "events": [facts_of(facts) for facts in found.facts],
        "n_events": found.n_events,
        "in_baseline_period": early,
        "scores": _scores(scores),
        "metrics": figures(view.metrics),
        "out": None if options.out is None else str(options.out),
    }
    rows = [
        [str(f.event.number), when(f.began), moment_of(f.event.began), f"{f.n_rows:,}", f"{f.event.n_rows:,}", number_of(f.event.severity), sensors_of(f.event), state_of(f.event) + (", baseline period" if f.event.number in early else "")]
        for f in found.facts[:SHOWN]
    ]  # fmt: skip
    lines = [str(view.verdict), ""]
    lines += (
        aligned([["event", "onset", "first flag", "rows", "flagged", "severity", "sensors", "state"], *rows]) if rows else []
    )
    lines += [f"… and {found.n_events - SHOWN} more"] if found.n_events > SHOWN else []
    if rows:
        lines.append("rows: from the onset, else the first flag, to the last flag; flagged: those of them above the limit")
    if found.facts and not any(f.event.sensors for f in found.facts):
        lines.append("sensors: this model says of no row which sensors made its score")
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
    return {"run": results.run.id, "event": event.number, **said_of(said)}, [f"event {event.number}: {words_of(said)}"], 0


def verdicts(options: Options) -> Answer:
    from core import workflows as wf

    ws, results, view = _opened(options.run)
    run, waiting = results.run.id, [e for e in view.events if e.taken_over]
    confirmed = [e.number for e in waiting if options.confirm and wf.confirm_verdict(ws, run, e, by=options.by)]
    given = wf.list_verdicts(ws, run)
    lines = [f"{v.created:%Y-%m-%d %H:%M} UTC  {v.owner}  {rows_of(v)}: {words_of(v)}" for v in given]
    lines = lines or ["Nothing was said of this run's events yet."]
    open_now = [] if options.confirm else waiting
    lines += [f"event {e.number}, to be confirmed: {earlier_words(e.taken_over)}" for e in open_now]
    ambiguous = [e for e in view.events if e.is_ambiguous]
    lines += [f"event {e.number}: {ambiguous_words(e)}" for e in ambiguous]
    answer: dict[str, object] = {
        "run": run,
        "verdicts": [said_of(v) for v in given],
        "confirmed": confirmed,
        "to_confirm": [{"event": e.number, **earlier_of(e.taken_over)} for e in open_now],
        "ambiguous": [{"event": e.number, "said": [earlier_of(one) for one in e.earlier.newest]} for e in ambiguous],
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
        f"flagged no more: {_alarms(seen.silent_false)}, {seen.silent_real} contained, with a cause or closed",
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


def _alarms(n: int) -> str:
    return f"{n} false alarm" if n == 1 else f"{n} false alarms"


def _opened(run: str, limit: float | None = None) -> tuple[Any, Any, Any]:
    from core import workflows as wf

    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, run))
    return ws, results, wf.anomaly_view(ws, results, limit)


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
    late += "" if math.isnan(found.delay_seconds) else f" ({spoken_time(found.delay_seconds)})"
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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
