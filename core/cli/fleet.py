"""The verb `fleet`: how long units last, which of those that run are due soon, and how good such chances were."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, file_and_column, open_or_import
from core.errors import SettingProblem
from core.evaluation.result import Metric
from core.evaluation.survival import ChanceQuality, Count
from core.messages import msg

SHOWN_UNITS = 20


def fleet(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.FleetSettings.read(_settings(options))
    ws = wf.open_workspace()
    if options.run is None and options.truth is not None:
        raise SettingProblem(
            msg("--truth was given without a run."), msg("Only chances of a model are judged."), msg("Name the run as well.")
        )
    if options.run is None and options.data is None:
        raise SettingProblem(
            msg("Neither a run nor data was given."),
            msg("Expected a run that predicts remaining life, or --data with --group and --time."),
            msg("See the output of 'train' for the id of a run."),
        )
    if options.run is None:
        dataset = open_or_import(ws, options.data)
        roles = {r: getattr(options, r) or next((c.name for c in dataset.with_role(r)), None) for r in ("group", "time")}
        view, run = wf.lives_view(dataset, roles["group"], roles["time"], settings), None
    else:
        results = wf.open_results(ws, wf.run_id_of(ws, options.run))
        in_service = None if options.data is None else open_or_import(ws, options.data)
        truth = None
        if options.truth is not None:
            path, column = file_and_column(options.truth)
            truth = wf.read_remaining(path, column, results.group or "")
        view, run = wf.fleet_view(results, settings, in_service=in_service, truth=truth), results.run.id
    if options.out is not None:
        wf.export_fleet(view, options.out)
    return _answer(view, run, options), _lines(view, options), 0


def _settings(options: Options) -> dict[str, object]:
    given: dict[str, object] = {"within": options.within, "period": options.period, "ages": options.ages}
    if options.failed is None:
        return given
    way, _, column = options.failed.partition(":")
    if way != "column":
        return given | {"failed": options.failed}
    name, mark, value = column.partition("=")
    return given | {"failed": "column", "failed_column": name or None, "failed_value": value if mark else None}


def _answer(view: Any, run: str | None, options: Options) -> dict[str, object]:
    lives = view.lives
    return {
        "run": run,
        "headline": str(view.headline),
        "within": view.within,
        "unit": view.unit,
        "lives": {
            "units": lives.curve.n,
            "failed": lives.curve.n_failed,
            "running": lives.curve.n - lives.curve.n_failed,
            "rule": str(lives.rule),
            "ages": str(lives.counted),
            "median": _metric(lives.curve.median),
            "shape": _metric(lives.weibull.shape),
            "scale": _metric(lives.weibull.scale),
            "b10": _metric(lives.weibull.b10),
            "meaning": str(lives.weibull.meaning),
        },
        "expected": _count(view.expected),
        "expected_by_age": _count(view.expected_by_age),
        "units": [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items() if k not in ("place", "part")}
            for row in view.units.to_dict("records")
        ],
        "plan": view.plan.to_dict("records"),
        "disagree": view.n_disagree,
        "quality": _quality(view.quality),
        "quality_by_age": _quality(view.quality_by_age),
        "judged": _quality(view.judged),
        "judged_by_age": _quality(view.judged_by_age),
        "notes": [str(n) for n in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _metric(metric: Metric) -> dict[str, object]:
    why = {} if metric.why_not is None else {"why_not": str(metric.why_not)}
    return {"value": metric.value, "low": metric.low, "high": metric.high, **why}


def _count(count: Count | None) -> dict[str, object] | None:
    return None if count is None else {"expected": count.expected, "low": count.low, "high": count.high, "of": count.n}


def _quality(found: ChanceQuality | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "brier": _metric(found.brier),
        "brier_of_share": found.brier_of_share,
        "expected": found.expected,
        "came": found.came,
        "rows": found.n,
        "units": found.n_units,
        "bins": [dict(zip(("from", "to", "rows", "chance", "came"), b, strict=True)) for b in found.bins],
    }


def _lines(view: Any, options: Options) -> list[str]:
    lives, unit = view.lives, view.unit
    lines = [
        str(view.headline),
        "",
        f"{lives.curve.n} unit{'' if lives.curve.n == 1 else 's'}, {lives.curve.n_failed} failed. {lives.rule} {lives.counted}",
        f"half last          {_figure(lives.curve.median, unit)}",
    ]
    if lives.weibull.why_not is None:
        lines += [
            f"a tenth failed by  {_figure(lives.weibull.b10, unit)}",
            f"Weibull shape      {_figure(lives.weibull.shape)}",
        ]
    lines.append(str(lives.weibull.meaning))
    for name, count in (("by the model", view.expected), ("by age alone", view.expected_by_age)):
        if count is not None and count.n:
            lines.append(f"failures within {view.within:g} {unit}, {name}: {count.expected:.1f} ({count.low} to {count.high})")
    if len(view.units):
        lines += ["", *_table(view)]
        more = len(view.units) - SHOWN_UNITS
        lines += [f"… and {more} more"] if more > 0 else []
    if len(view.plan):
        lines += ["", *aligned([["from", "to", "due", "cumulated", "expected", "95 %"], *_plan(view)])]
    for name, found in (
        ("held-out units", view.quality),
        ("the same by age alone", view.quality_by_age),
        ("this fleet", view.judged),
        ("this fleet by age alone", view.judged_by_age),
    ):
        if found is not None and found.n:
            lines.append(
                f"chances on {name}: Brier {found.brier.value:.3g} (the share alone {found.brier_of_share:.3g}); "
                f"{found.expected:.1f} failures foretold, {found.came} came, of {found.n}"
            )
    lines += [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def _figure(metric: Metric, unit: str = "") -> str:
    if metric.value is None:
        return f"not defined: {metric.why_not}"
    ends = ["–" if v is None else f"{v:.4g}" for v in (metric.low, metric.high)]
    return f"{metric.value:.4g} {unit}".strip() + f"  [{ends[0]}, {ends[1]}]"


def _table(view: Any) -> list[str]:
    head = ["unit", "age", "left", "interval", f"lasts {view.within:g}", "by age alone", ""]
    rows = []
    for row in view.units.head(SHOWN_UNITS).to_dict("records"):
        span = "" if math.isnan(row["lower"]) else f"{row['lower']:.0f} to {row['upper']:.0f}"
        left = "" if math.isnan(row["prediction"]) else ("≥ " if row["at_cap"] else "") + f"{row['prediction']:.0f}"
        chances = [_share(row[c]) for c in ("chance", "chance_by_age")]
        hint = {"faster": "wears faster than its age tells", "slower": "in better state than its age tells"}.get(
            row["hint"], ""
        )
        rows.append([row["unit"], f"{row['age']:g}", left, span, *chances, hint])
    return aligned([head, *rows])


def _share(chance: float) -> str:
    """A chance in per cent that never reads as certain."""
    if math.isnan(chance):
        return ""
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"


def _plan(view: Any) -> list[list[str]]:
    return [
        [
            f"{p['from']:g}",
            f"{p['to']:g}",
            f"{p['due']}",
            f"{p['cumulated']}",
            f"{p['expected']:.1f}",
            f"{p['low']} to {p['high']}",
        ]
        for p in view.plan.to_dict("records")
    ]
