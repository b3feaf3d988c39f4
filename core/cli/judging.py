"""The verbs `limit`, `calibration`, `costs`, `worst` and `zones`: what a finished run's predictions are worth and what may be decided by them."""

from __future__ import annotations

from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, pairs

SHOWN = 30


def _results(options: Options) -> Any:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    ws = wf.open_workspace()
    return wf.open_results(ws, wf.run_id_of(ws, options.run))


def _written(options: Options, lines: list[str]) -> list[str]:
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def limit(options: Options) -> Answer:
    from core import workflows as wf

    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, options.run))
    view = wf.limit_view(results, wf.LimitSettings.read(pairs(options.set)), options.positive)
    counts = {"test": view.test, "own": view.own, "baseline": view.baseline, "validation": view.chosen.counts}
    answer: dict[str, object] = {
        "headline": str(view.headline),
        "run": results.run.id,
        "positive": view.positive,
        "limit": view.limit,
        "own_limit": view.own_limit,
        "baseline_limit": view.baseline_limit,
        "why_not": None if view.chosen.why_not is None else str(view.chosen.why_not),
        "is_kept_on_test": view.is_kept,
        **{name: _counts(found) for name, found in counts.items()},
        "cost_per_1000": dict(zip(("this", "own", "baseline", "flag_nothing"), view.costs, strict=True))
        if view.settings.rule == "cost"
        else None,
    }
    head = ["", "caught", "missed", "rejected", "passed"]
    rows = [[name, *(f"{getattr(found, key):,}" for key in head[1:])] for name, found in counts.items() if found is not None]
    if view.settings.rule == "cost":  # by another rule nobody gave these costs
        costs = dict(zip(counts, (*view.costs[:3], None), strict=True))
        head.append("cost of 1,000 rows")
        rows = [[*row, "–" if costs[row[0]] is None else f"{costs[row[0]]:.5g}"] for row in rows]
    lines = [str(view.headline), "", *aligned([head, *rows]), _asked(view)]
    return answer, lines, 0


def _asked(view: Any) -> str:
    """What was asked of the limit, and whether the test part keeps it."""
    given = view.settings
    if given.rule == "cost":
        return f"prices: {given.missed:g} for a missed defect, {given.rejected:g} for a rejected good part"
    share = f"at most {given.most_rejected:.4g} of the good parts rejected"
    if given.rule == "caught":
        share = f"at least {given.least_caught:.4g} of the defects caught"
    sure = ", with 95 % confidence for new rows like the held-out ones" if given.confident else ", in the held-out rows"
    kept = {
        True: "the test part keeps it, or breaks it by no more than chance",
        False: "the test part breaks it by more than chance",
    }.get(view.is_kept, "the test part cannot tell")
    return f"asked: {share}{sure}; {kept}"


def _counts(found: Any) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        **{name: getattr(found, name) for name in ("caught", "missed", "rejected", "passed")},
        "caught_share": None if not found.caught + found.missed else found.caught_share,
        "caught_interval": found.caught_bounds,
        "rejected_share": None if not found.rejected + found.passed else found.rejected_share,
        "rejected_interval": found.rejected_bounds,
    }


def calibration(options: Options) -> Answer:
    from core import workflows as wf

    results = _results(options)
    view = wf.calibration_view(results, options.positive)
    if options.out is not None:
        wf.export_calibrated(results, options.out)
    found = view.temperature
    answer = {
        "headline": str(view.headline),
        "run": results.run.id,
        "positive": view.positive,
        "rows": view.n,
        "temperature": found.value,
        "temperature_is_offered": view.is_offered,
        "temperature_verdict": str(view.temperature_words),
        "temperature_gain": None if view.gain.mean is None else [view.gain.mean, view.gain.low, view.gain.high],
        "why_no_temperature": None if found.why_not is None else str(found.why_not),
        "as_it_is": {**_calibration(view.plain), "log_loss": view.log_loss[0]},
        "at_temperature": None if view.scaled is None else {**_calibration(view.scaled), "log_loss": view.log_loss[1]},
        "baseline": None if view.baseline is None else _calibration(view.baseline),
        "by_chance": view.plain.by_chance,
        "brier_of_share": view.plain.brier_of_share,
        "bins": [
            {"rows": b.n, "said": b.said, "came": b.came, "came_interval": (b.came_low, b.came_high)} for b in view.plain.bins
        ],
        "out": None if options.out is None else str(options.out),
    }
    bins = [[f"{b.n:,}", f"{b.said:.4f}", f"{b.came:.4f}", f"{b.came_low:.4f} – {b.came_high:.4f}"] for b in view.plain.bins]
    head = ["", "ECE (points)", "Brier", "log loss"]
    figures = [_figure_line("as it is", view.plain, view.log_loss[0])]
    if view.scaled is not None:
        figures.append(_figure_line("at the temperature", view.scaled, view.log_loss[1]))
    if view.baseline is not None:
        figures.append(_figure_line("baseline", view.baseline, None))
    lines = [str(view.headline), "", *aligned([head, *figures]), ""]
    lines.append(str(view.temperature_words))
    lines += ["", *aligned([["rows", "said", "came", "95 %"], *bins])]
    return answer, _written(options, lines), 0


def _calibration(found: Any) -> dict[str, object]:
    return {
        "ece": found.ece.value,
        "ece_interval": (found.ece.low, found.ece.high),
        "brier": found.brier.value,
        "brier_interval": (found.brier.low, found.brier.high),
    }


def _figure_line(name: str, found: Any, log_loss: float | None) -> list[str]:
    values = (found.brier.value, log_loss)
    points = "–" if found.ece.value is None else f"{100 * found.ece.value:.2f}"
    return [name, points, *("–" if value is None else f"{value:.4f}" for value in values)]


def costs(options: Options) -> Answer:
    from core import workflows as wf

    results = _results(options)
    view = wf.cost_view(results, wf.CostSettings.read(pairs(options.set)), positive=options.positive, threshold=options.limit)
    if options.out is not None:
        wf.export_cost_calls(results, view, options.out)
    found = {"own": view.own, "least": view.least, "baseline": view.baseline, "constant": view.constant}
    answer: dict[str, object] = {
        "headline": str(view.headline),
        "run": results.run.id,
        "rows": len(view.rows),
        "classes": view.classes,
        "costs": view.costs.tolist(),
        **{name: None if one is None else _costs(one) for name, one in found.items()},
        "constant_class": view.constant_class,
        "saved_per_1000": view.saved,
        "saved_interval": view.saved_bounds,
        "is_clear": view.is_clear,
        "over_baseline": view.over_baseline,
        "beside_baseline": None if view.beside_baseline is None else str(view.beside_baseline),
        "out": None if options.out is None else str(options.out),
    }
    titles = {
        "own": "as called",
        "least": "least expected cost",
        "baseline": "baseline, least expected cost",
        "constant": f"every row called {view.constant_class}",
    }
    rows = [[titles[name], f"{one.mean:,.2f}", _span(one.bounds)] for name, one in found.items() if one is not None]
    cells = [[true, *(f"{value:,.2f}" for value in row)] for true, row in zip(view.classes, view.own.cells, strict=True)]
    beside = [] if view.beside_baseline is None else [str(view.beside_baseline)]
    lines = [str(view.headline), *beside, "", *aligned([["calls", "cost of 1,000 rows", "95 %"], *rows]), ""]
    prices = [[true, *(f"{value:,g}" for value in row)] for true, row in zip(view.classes, view.costs, strict=True)]
    lines += ["prices of a row, true class down, called class across", *aligned([["", *view.classes], *prices]), ""]
    lines += ["costs as called, true class down, called class across", *aligned([["", *view.classes], *cells])]
    return answer, _written(options, lines), 0


def _costs(found: Any) -> dict[str, object]:
    return {"per_1000": found.mean, "interval": found.bounds, "total": found.total, "cells": found.cells.tolist()}


def _span(bounds: tuple[float | None, float | None]) -> str:
    low, high = bounds
    return "–" if low is None or high is None else f"{low:,.2f} – {high:,.2f}"


def worst(options: Options) -> Answer:
    from core import workflows as wf

    results = _results(options)
    view = wf.worst_strata(results, wf.StrataErrorSettings.read(pairs(options.set)))
    if options.out is not None:
        wf.export_worst(view, options.out)
    strata = [
        {
            **{name: getattr(s, name) for name in ("column", "stratum", "n", "error", "bias", "p", "is_worse")},
            "others": None if s.others != s.others else s.others,
            "interval": s.bounds,
        }
        for s in view.strata
    ]
    answer = {
        "headline": str(view.headline),
        "run": results.run.id,
        "rows": view.n,
        "error_is": "share of wrong rows" if view.are_classes else f"RMSE {view.unit}".strip(),
        "error": view.whole,
        "drift": view.drift,
        "drift_p": view.drift_p,
        "left_out": view.left_out,
        "strata": strata,
        "out": None if options.out is None else str(options.out),
    }
    rows = [
        [
            s.column,
            s.stratum,
            f"{s.n:,}",
            f"{s.error:.4g}",
            f"{s.others:.4g}",
            "–" if s.p is None else f"{s.p:.2g}",
            "worse" if s.is_worse else "",
        ]
        for s in view.strata[:SHOWN]
    ]
    lines = [str(view.headline), "", *aligned([["column", "stratum", "rows", "error", "others", "p", "than others"], *rows])]
    return answer, _written(options, lines), 0


def zones(options: Options) -> Answer:
    from core import workflows as wf

    results = _results(options)
    view = wf.zone_view(results, wf.ZoneSettings.read(pairs(options.set)))
    if options.out is not None:
        wf.export_zones(view, options.out)
    zones, counts, ppk = view.zones, view.counts, view.capability
    answer = {
        "headline": str(view.headline),
        "run": results.run.id,
        "unit": view.unit,
        "risk": zones.risk,
        "held_out_rows": zones.n,
        "accept": (zones.accept.lower, zones.accept.upper),
        "reject": (zones.reject.lower, zones.reject.upper),
        "gage_factor": zones.shrunk,
        "zones": {
            name: {"share": view.share(k), "rows": int(counts.n[k]), "outside": int(counts.outside[k])}
            for k, name in enumerate(wf.ZONE_NAMES)
        },
        "ppk": {
            "measured": ppk.measured,
            "measured_interval": ppk.measured_bounds,
            "predicted": ppk.predicted,
            "predicted_interval": ppk.predicted_bounds,
            "predictions_alone": ppk.predictions_alone,
        },
        "out": None if options.out is None else str(options.out),
    }
    rows = [
        [name, f"{100 * view.share(k):.1f} %", f"{counts.n[k]:,}", f"{counts.outside[k]:,}"]
        for k, name in enumerate(wf.ZONE_NAMES)
    ]
    lines = [
        str(view.headline),
        "",
        f"accept {'none' if zones.accepts_none else _ends(zones.accept)}, reject outside {_ends(zones.reject)} {view.unit}".rstrip(),
        "",
        *aligned([["zone", "share", "measured", "outside the limits"], *rows]),
        "",
        f"Ppk: measured {_number(ppk.measured)}, foretold {_number(ppk.predicted)}, predictions alone {_number(ppk.predictions_alone)}",
    ]
    return answer, _written(options, lines), 0


def _ends(limits: Any) -> str:
    return f"{_number(limits.lower)} to {_number(limits.upper)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.5g}"
