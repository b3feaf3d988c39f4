"""The verbs `score-chart` and `alarm-budget`: a run's scores as a control chart, and the decision limit that a budget asks for."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, pairs

SHOWN = 20


def score_chart(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.ScoreChartSettings.read(pairs(options.set))
    view = _with_results(options, lambda results: wf.score_chart_view(results, settings))
    if options.out is not None:
        wf.export_score_chart(view, options.out)
    answer = _chart_answer(view, options)
    return answer, _chart_lines(view, answer), 0


def alarm_budget(options: Options) -> Answer:
    from core import workflows as wf

    settings = wf.AlarmBudgetSettings.read(pairs(options.set))
    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, options.run))
    view = wf.alarm_budget_view(results, settings)
    events = wf.anomaly_view(ws, results).events if results.task in ("anomaly", "forecast") else ()
    told = wf.budget_events(results, view, events[:SHOWN])
    answer = _budget_answer(view)
    answer["events"] = [{"event": e.event.number, "alarm_row": e.alarm_row, "why": str(e.why)} for e in told]
    lines = _budget_lines(view, answer)
    return answer, [*lines, *(f"event {e.event.number}: {e.why}" for e in told)], 0


def _with_results(options: Options, made: Any) -> Any:
    from core import workflows as wf

    ws = wf.open_workspace()
    return made(wf.open_results(ws, wf.run_id_of(ws, options.run)))


def _chart_answer(view: Any, options: Options) -> dict[str, object]:
    found, series = view.found, view.series
    return {
        "headline": str(view.headline),
        "run": view.run_id,
        "judged": str(series.what),
        "method": found.method,
        "limits_by": found.limits.shape,
        "why": [str(reason) for reason in found.why],
        "promise": str(view.promise),
        "asked_rate": found.asked,
        "promised_rate": found.limits.rate,
        "is_promised": found.is_kept,
        "missing_rows": found.limits.missing,
        "phase_one": int(series.of.baseline.sum()),
        "judged_after": view.n_judged,
        "season": found.predictor.period if len(found.predictor.waves) else None,
        "order": found.predictor.order,
        "charts": [
            {
                "kind": chart.kind,
                "statistic": str(chart.statistic),
                **{key: _number(getattr(chart, key)[-1]) for key in ("lower", "centre", "upper")},
                "outside": int(marks.sum()),
                "rows": view.rows[marks][:SHOWN].tolist(),
            }
            for chart, marks in ((found.chart, view.signals), (found.twin, view.twin_signals))
        ],
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _chart_lines(view: Any, answer: dict[str, Any]) -> list[str]:
    lines = [answer["headline"], "", f"{view.run_name}: {answer['judged']}", *answer["why"], answer["promise"], ""]
    head = ["chart", "lower", "centre", "upper", "outside"]
    rows = [
        [c["statistic"], *("–" if c[k] is None else f"{c[k]:.5g}" for k in head[1:4]), f"{c['outside']:,}"]
        for c in answer["charts"]
    ]
    lines += aligned([head, *rows])
    for chart in answer["charts"]:
        if chart["outside"]:
            where = ", ".join(f"{row + 1}" for row in chart["rows"]) + (" …" if chart["outside"] > SHOWN else "")
            lines.append(f"{chart['statistic']}: outside at row {where}")
    lines += [f"- {note}" for note in answer["notes"]]
    return [*lines, f"→ {answer['out']}"] if answer["out"] is not None else lines


def _budget_answer(view: Any) -> dict[str, object]:
    return {
        "headline": str(view.headline),
        "run": view.run_id,
        "judged": str(view.series.what),
        "rate": view.rate,
        "per_week": view.per_week,
        "normal_rows": view.n_normal,
        "memory": view.memory,
        "chosen": _choice(view.chosen),
        "beside": [_choice(choice) for choice in view.beside],
        "own_limit": view.own_limit,
        "beside_events": None if view.beside_events is None else str(view.beside_events),
        "alarms": len(view.later),
        "rows": view.later[:SHOWN].tolist(),
        "notes": [str(note) for note in view.notes],
    }


def _choice(choice: Any) -> dict[str, object]:
    logic = choice.logic
    return {
        "k": logic.k,
        "n": logic.n,
        "hold_off": logic.hold_off,
        "limit": choice.limit,
        "is_promised": choice.is_promised,
        "is_estimated": choice.is_estimated,
        **{name: _promise(getattr(choice, field)) for name, field in (("on_average", "average"), ("confident", "confident"))},
        "measured_rate": [_number(value) for value in choice.measured],
        **{name: _bought(getattr(choice, name)) for name in ("on_events", "on_steps", "sure_on_events", "sure_on_steps")},
    }


def _promise(limit: Any) -> dict[str, object]:
    return {
        "limit": limit.value,
        "block_rows": limit.block,
        "blocks": limit.ranks.n,
        "missing_rows": limit.missing_rows,
        "best_rate": limit.best_rate,
        "promise": str(limit.sentence),
    }


def _bought(found: Any) -> dict[str, object] | None:
    if found is None:
        return None
    return {"n": found.n, "caught": found.caught, "delay": _number(found.delay), "delay_90": _number(found.late)}


def _number(value: Any) -> float | None:
    return None if math.isnan(float(value)) else float(value)


def _budget_lines(view: Any, answer: dict[str, Any]) -> list[str]:
    week = "" if view.per_week is None else f", {view.per_week:.3g} a week"
    lines = [answer["headline"], "", f"budget: {view.rate:.3g} false alarms a row{week}; {view.n_normal:,} normal rows"]
    for name, limit in (("on average", view.chosen.average), ("with 95 %", view.chosen.confident)):
        value = "–" if limit.value is None else f"{limit.value:.5g}"
        lines.append(f"{name}: limit {value}. {limit.sentence}")
    head = ["k of n", "quiet rows", "limit", "95 % limit", "false alarms a row, measured", "caught", "rows to alarm"]
    lines += ["", *aligned([head, *(_line(choice) for choice in (view.chosen, *view.beside))])]
    lines.append(
        "caught: labelled events of the test part"
        if view.chosen.on_events is not None
        else "caught: steps added to normal rows"
    )
    lines += [] if answer["beside_events"] is None else [answer["beside_events"]]
    return [*lines, *(f"- {note}" for note in answer["notes"])]


def _line(choice: Any) -> list[str]:
    sure = choice.confident.value
    rate, low, high = choice.measured
    found = choice.on_steps if choice.on_events is None else choice.on_events
    return [
        f"{choice.logic.k} of {choice.logic.n}",
        f"{choice.logic.hold_off}",
        f"{choice.limit:.5g}{'' if choice.is_promised else ' (expected)' if choice.is_estimated else ' (no promise)'}",
        "–" if sure is None else f"{sure:.5g}",
        f"{rate:.3g} ({low:.3g} to {high:.3g})",
        "–" if found is None else f"{found.caught:.0%} of {found.n}",
        "–" if found is None or math.isnan(found.delay) else f"{found.delay:.3g}",
    ]
