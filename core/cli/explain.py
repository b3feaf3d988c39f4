"""The verb `explain`: why one row or event came out as it did, what would have changed it, and what the model lives on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from core.cli.common import Answer, Options, aligned
from core.errors import SettingProblem
from core.messages import msg


def explain(options: Options) -> Answer:
    from core import workflows as wf

    ways = [name for name in ("row", "event", "whole", "column") if getattr(options, name) not in (None, False)]
    if len(ways) > 1 and ways != ["row", "column"]:
        raise SettingProblem(
            msg("{ways} were given together.", ways=", ".join(f"--{name.replace('whole', 'global')}" for name in ways)),
            msg("Expected one thing to explain."),
            msg("Choose a row, an event, a column or --global."),
        )
    ws = wf.open_workspace()
    explainer = wf.open_explainer(ws, wf.open_results(ws, wf.run_id_of(ws, options.run)))
    if options.event is not None:
        return _event(ws, explainer, options)
    if options.column is not None:
        return _column(explainer, options)
    if options.row is not None:
        return _row(ws, explainer, options)
    return _whole(explainer)


def _row(ws: Any, explainer: Any, options: Options) -> Answer:
    from core import workflows as wf

    if options.method == "gradients":
        said = wf.what_is_said(explainer, options.klass)
        explainer.window(options.row)  # refuses a row that there is not, before a job does
        return _gradients(ws, explainer, said, [options.row], {"row": options.row})
    view = wf.row_why(explainer, options.row, klass=options.klass, cover=_cover(options.method))
    effects = [
        {"column": e.column, "unit": e.unit, "value": _n(e.value), "sigma": _n(e.sigma), "effect": e.effect}
        for e in view.effects
    ]
    answer: dict[str, object] = {
        "run": explainer.results.run.id,
        "row": view.row,
        "of": str(view.said.what),
        "unit": view.said.unit,
        "headline": str(view.headline),
        "output": view.output,
        "average_row": view.centre,
        "parts": view.parts,
        "rest": view.rest,
        "method": view.cover,
        "effects": effects,
    }
    head = ["column", "value", "sigma", f"adds to {view.said.what}"]
    rows = [[e.column, _text(e.value), _text(e.sigma, "+.1f"), f"{e.effect:+.4g}"] for e in view.effects[:20]]
    lines = [str(view.headline), "", *aligned([head, *rows])]
    lines += [
        "",
        f"parts {view.parts:+.4g}, the rest to {view.output - view.centre:+.4g}: {view.rest:+.4g}; {wf.rest_words(view)}",
    ]
    if options.want is not None:
        changed = wf.row_counterfactual(
            explainer, view.row, _goal(explainer, view.row, options.want), adjustable=_adjustable(options)
        )
        answer["change"] = _change(explainer, changed)
        lines += ["", str(changed.headline)]
    return answer, lines, 0


def _event(ws: Any, explainer: Any, options: Options) -> Answer:
    from core import workflows as wf

    view = wf.anomaly_view(ws, explainer.results, options.limit)
    event, limit = wf.open_event(view.events, options.event), float(view.threshold.value)
    if options.method == "gradients":
        return _gradients(ws, explainer, wf.what_is_said(explainer), [event.peak_row], {"event": event.number})
    why = wf.event_why(explainer, event, limit)
    sensors = [
        {
            "column": s.column,
            "unit": s.unit,
            "share": s.share,
            "sigma": _n(s.sigma),
            "rows_outside": s.n_outside,
            "repair": s.repair,
        }
        for s in why.sensors
    ]
    answer: dict[str, object] = {
        "run": explainer.results.run.id,
        "event": event.number,
        "first_row": event.first_row,
        "last_row": event.last_row,
        "peak_row": event.peak_row,
        "sentence": str(why.sentence),
        "score": why.score,
        "limit": why.limit,
        "of": str(why.said.what),
        "sensors": sensors,
        "doubt": None if why.doubt is None else str(why.doubt),
        "repair_together": None if why.together is None else asdict(why.together),
    }
    head = ["sensor", "share", "sigma", "rows outside", f"repaired, the {why.said.what} falls in the mean by"]
    rows = [[s.column, f"{s.share:.1%}", _text(s.sigma, "+.1f"), f"{s.n_outside}", f"{s.repair:.4g}"] for s in why.sensors[:10]]
    lines = [str(why.sentence), "", *aligned([head, *rows])]
    if any(s.repair < 0 for s in why.sensors[:10]) and explainer.results.task == "anomaly":
        lines.append("below 0: repairing it alone raises the score, as a faulty sensor spoils what the others expect of it")
    words = wf.repair_words(why)
    lines += [] if words is None else ["", str(words)]
    if why.doubt is not None:
        lines += ["", str(why.doubt)]
    if explainer.results.task == "anomaly":
        goal = wf.goal_of(explainer, limit=limit)
        changed = wf.row_counterfactual(explainer, event.peak_row, goal, adjustable=_adjustable(options))
        answer["change"] = _change(explainer, changed)
        lines += ["", f"another question, of the row of the peak alone: {changed.headline}"]
    return answer, lines, 0


def _whole(explainer: Any) -> Answer:
    from core import workflows as wf

    view = wf.global_importance(explainer)

    def told(found: Any) -> list[dict[str, object]]:
        return [{"columns": list(one.columns), "importance": one.mean, "standard_error": one.spread} for one in found]

    answer: dict[str, object] = {
        "run": explainer.results.run.id,
        "headline": str(view.headline),
        "measure": str(view.what),
        "unit": view.unit,
        "rows": view.found.n,
        "block_rows": view.found.block,
        "repeats": view.found.repeats,
        "columns": told(view.found.singles),
        "groups": told(view.found.groups),
    }
    head = ["column", str(view.what), "95 %"]
    rows = [
        [", ".join(one.columns), f"{one.mean:.4g}", f"± {one.reach:.2g}"]
        for one in (*view.found.singles[:20], *view.found.groups)
    ]
    lines = [str(view.headline), "", *aligned([head, *rows])]
    lines.append(f"{view.found.n:,} rows of the test part, {view.found.repeats} repeats, blocks of {view.found.block}")
    if view.found.groups:
        lines.append("several names in a line: columns that go together (|r| > 0.9), shuffled together")
    return answer, lines, 0


def _column(explainer: Any, options: Options) -> Answer:
    from core import workflows as wf

    method: Any = "pdp" if options.method == "pdp" else "ale"
    view = wf.column_dependence(explainer, options.column, method=method, klass=options.klass)
    curve = view.curve
    answer: dict[str, object] = {
        "run": explainer.results.run.id,
        "column": view.column,
        "method": curve.method,
        "of": str(view.said.what),
        "unit": view.said.unit,
        "headline": str(view.headline),
        "rows": curve.n,
        "values": curve.values.tolist(),
        "effects": curve.effects.tolist(),
        "rows_near": curve.n_near.tolist(),
        "is_guess": curve.is_thin.tolist(),
    }
    head = (view.column, f"change of {view.said.what}", "rows near", "")
    rows = [
        (f"{v:.5g}", f"{e:+.4g}", f"{n}", "a guess" if thin else "")
        for v, e, n, thin in zip(curve.values, curve.effects, curve.n_near, curve.is_thin, strict=True)
    ]
    return answer, [str(view.headline), "", *aligned([head, *rows])], 0


def _gradients(ws: Any, explainer: Any, said: Any, rows: list[int], named: dict[str, object]) -> Answer:
    """A job, waited for: gradients need TensorFlow, which only a worker loads."""
    from core import jobs
    from core import workflows as wf

    work = wf.start_gradients(ws, explainer.results, said, rows)
    if work.is_live:
        jobs.wait_for_job(ws.store, work.job_id)
    work = wf.find_gradients(ws, explainer.results, said, rows) or work
    found = wf.read_gradients(ws, work)
    if found is None:
        raise work.problem or SettingProblem(
            msg("The explanation was stopped before it had a result."),
            msg("Expected a job that goes on to its end."),
            msg("Start it again."),
        )
    order = np.argsort(-np.abs(found.by_column), kind="stable")
    answer: dict[str, object] = {
        "run": explainer.results.run.id,
        **named,
        "of": str(said.what),
        "unit": said.unit,
        "method": "gradients",
        "output": float(found.outputs.mean()),
        "average_row": float(found.baselines.mean()),
        "completeness": [_n(gap) for gap in found.gaps],
        "steps": found.steps.tolist(),
        "effects": [{"column": found.columns[i], "effect": float(found.by_column[i])} for i in order],
        "by_window_row": found.by_step.tolist(),
    }
    lines = [str(found.completeness), ""]
    lines += aligned(
        [["column", f"adds to {said.what}"], *([found.columns[i], f"{found.by_column[i]:+.4g}"] for i in order[:20])]
    )
    return answer, lines, 0


def _goal(explainer: Any, row: int, text: str) -> Any:
    """--want LOW:HIGH of a value (either may be left out), or a class."""
    from core import workflows as wf

    if explainer.results.task == "classification":
        return wf.goal_of(explainer, klass=text or None, row=row)
    low, mark, high = text.partition(":")
    try:
        ends = [float(end) if end.strip() else None for end in (low, high)]
    except ValueError:
        mark = ""
    if not mark and text:
        raise SettingProblem(
            msg("--want was given '{text}'.", text=text),
            msg("Expected LOW:HIGH, of which one may be left out."),
            msg("Write for example --want 3:5 or --want :5."),
        )
    return wf.goal_of(explainer, low=ends[0] if text else None, high=ends[1] if text else None)


def _change(explainer: Any, view: Any) -> dict[str, object]:
    from core import workflows as wf

    found = view.search.singles or ((view.search.pair,) if view.search.pair is not None else ())
    after = wf.outputs_after(explainer, view.row, view)
    return {
        "headline": str(view.headline),
        "goal": str(view.goal.words),
        "is_good": view.search.is_good,
        "ways": [
            {
                "changes": [{"column": c.column, "unit": c.unit, "before": c.before, "after": c.after} for c in one.changes],
                "distance": one.distance,
                "output": output,
            }
            for one, output in zip(found, after, strict=True)
        ],
    }


def _cover(method: str | None) -> Any:
    return "expected" if method == "expected" else "centre"


def _adjustable(options: Options) -> tuple[str, ...]:
    return tuple(name.strip() for name in options.adjust.split(",") if name.strip())


def _n(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _text(value: float, form: str = ".5g") -> str:
    return format(value, form) if np.isfinite(value) else "–"
