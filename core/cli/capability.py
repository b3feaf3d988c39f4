"""The verb `capability`: whether a column is stable, its indices with intervals, the parts per million outside and the distribution behind them."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, open_or_import, pairs


def capability(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.CapabilitySettings.read(pairs(options.set))
    ws = wf.open_workspace()
    view = wf.capability_view(open_or_import(ws, options.source), options.column, settings)
    if options.out is not None:
        wf.export_capability(view, options.out)
    return _answer(view, options), _lines(view, options), 0


def _answer(view: Any, options: Options) -> dict[str, object]:
    fit = None if hasattr(view.fit, "reason") else view.fit
    return {
        "headline": str(view.headline),
        "stable": view.stability.is_stable,
        "why_unstable": None if view.instability is None else str(view.instability),
        "breaches": [
            {
                "chart": str(b.chart),
                "pattern": str(b.pattern),
                "times": b.count,
                "points": b.points,
                "by_chance": b.expected,
                "first_row": b.row - 1,  # programs count rows from 0, people from 1
                "why": str(b.why),
            }
            for b in view.breaches
        ],
        "rules": view.book.key,
        "rules_taken": [{"rule": number, "meaning": str(rule.sentence)} for number, rule in view.book.numbered],
        "is_past_only": view.is_past_only,
        "specification": {"lower": view.spec.lower, "target": view.spec.target, "upper": view.spec.upper},
        "n": view.n,
        "empty": view.n_empty,
        "mean": view.mean,
        "sd": view.sd,
        "sd_within": None if hasattr(view.sigma_within, "reason") else view.sigma_within.sigma,
        "chart": view.name,
        "confidence": view.confidence,
        "distribution": None if fit is None else {"key": fit.key, "parameters": dict(fit.parameters), "a2": fit.a2},
        "why": str(view.why),
        "method": view.method,
        "normality": _normality(view.normality),
        "within": _indices(view.within, within=True),
        "overall": _indices(view.overall, within=False),
        "ppm": {
            name: {"why_not": str(ppm.reason)}
            if hasattr(ppm, "reason")
            else {"below": ppm.below, "above": ppm.above, "total": ppm.total}
            for name, ppm in view.parts_per_million
        },
        "fits": {
            key: {"why_not": str(found.reason)}
            if hasattr(found, "reason")
            else {"parameters": dict(found.parameters), "a2": found.a2, "aic": found.aic}
            for key, found in view.fits.items()
        },
        "strata": [
            {
                **{key: getattr(s, key) for key in ("name", "n", "mean", "sd", "ppk", "low", "high")},
                "why_not": None if s.why_not is None else str(s.why_not),
            }
            for s in view.strata
        ],
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _normality(found: Any) -> dict[str, object]:
    if hasattr(found, "reason"):
        return {"why_not": str(found.reason)}
    return {
        **{key: getattr(found, key) for key in ("a2", "p", "skewness", "kurtosis", "correlation")},
        "sentence": str(found.sentence),
    }


def _indices(found: Any, *, within: bool) -> dict[str, object]:
    from core.spc.capability_indices import INDEX_PARTS, index_name

    if hasattr(found, "reason"):
        return {"why_not": str(found.reason)}
    told: dict[str, object] = {}
    for part in INDEX_PARTS[: 4 if within else 5]:
        index = getattr(found, part)
        told[index_name(part, within=within)] = (
            {"why_not": str(index.reason)}
            if hasattr(index, "reason")
            else {"value": index.value, "low": index.low, "high": index.high}
        )
    told["Z.bench"] = found.z_bench if math.isfinite(found.z_bench) else None
    return told


def _lines(view: Any, options: Options) -> list[str]:
    unit = f" {view.unit}" if view.unit else ""
    limits = ", ".join(
        f"{name} {value:.6g}{unit}"
        for name, value in (("lower", view.spec.lower), ("target", view.spec.target), ("upper", view.spec.upper))
        if value is not None
    )
    lines = [
        str(view.headline),
        *_unstable_lines(view),
        "",
        f"limits: {limits}",
        f"{view.n:,} values, mean {view.mean:.6g}{unit}, sd {view.sd:.5g}{unit}",
    ]
    if not hasattr(view.sigma_within, "reason"):
        lines[-1] += f", within {view.sigma_within.sigma:.5g}{unit} by {view.sigma_within.method}"
    if view.n_empty:
        lines[-1] += f"; {view.n_empty:,} empty"
    if not hasattr(view.normality, "reason"):
        lines.append(str(view.normality.sentence))
    if not hasattr(view.fit, "reason"):
        lines.append(f"{view.fit.title}: {view.why}")
    lines += _index_lines(view)
    rows = [[name, *_ppm(ppm)] for name, ppm in view.parts_per_million]
    lines += ["", *aligned([["ppm", "below", "above", "total"], *rows])]
    if view.strata:
        head = ["stratum", "n", "mean", "sd", "Ppk"]
        lines += ["", *aligned([head, *([s.name, f"{s.n:,}", *_stratum(s)] for s in view.strata)])]
    lines += [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def _unstable_lines(view: Any) -> list[str]:
    """What to do, and the rules that are broken, a line each."""
    if view.instability is None:
        return []
    head = ["chart", "pattern", "times", "of", "by chance", "first at row", "why it counts"]
    rows = [
        [
            *(str(b.chart), str(b.pattern), f"{b.count:,}", f"{b.points:,}", by_chance(b.expected)),
            *(f"{b.row}", str(b.why)),
        ]
        for b in view.breaches
    ]
    return [str(view.advice), f"rules of {view.book.title}", "", *aligned([head, *rows])]


def by_chance(expected: float) -> str:
    """A number of signals that chance gives."""
    from core.spc.p_words import count_words

    return "< 0.01" if expected < 0.01 else count_words(expected)


def _index_lines(view: Any) -> list[str]:
    rows, reasons = [], []
    for found, within in ((view.within, True), (view.overall, False)):
        told = _indices(found, within=within)
        if "why_not" in told:
            if view.instability is None:  # else it was said above
                reasons.append(f"{'Cp, Cpk' if within else 'Pp, Ppk'}: {told['why_not']}")
            continue
        for name, index in told.items():
            if isinstance(index, dict) and "value" in index:
                span = ["–", "–"] if index["low"] is None else [f"{index['low']:.3f}", f"{index['high']:.3f}"]
                rows.append([name, f"{index['value']:.3f}", *span])
            elif isinstance(index, float):
                rows.append([name, f"{index:.3f}", "–", "–"])
    table = aligned([["index", "value", "low", "high"], *rows]) if rows else []
    return ["", *table, *reasons] if table or reasons else []


def _ppm(found: Any) -> list[str]:
    from core.spc.p_words import count_words

    if hasattr(found, "reason"):
        return ["–", "–", "–"]
    return ["–" if value is None else count_words(value, 5) for value in (found.below, found.above, found.total)]


def _stratum(stratum: Any) -> list[str]:
    told = ["–" if value is None else f"{value:.5g}" for value in (stratum.mean, stratum.sd)]
    return [
        *told,
        str(stratum.why_not) if stratum.ppk is None else f"{stratum.ppk:.3f} ({stratum.low:.3f} to {stratum.high:.3f})",
    ]
