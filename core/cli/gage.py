"""The verbs `gage` and `agreement`: how far measurements and ratings can be believed."""

from __future__ import annotations

from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, open_or_import, pairs

SHOWN = 40


def gage(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    settings = wf.GageSettings.read(pairs(options.set))
    ws = wf.open_workspace()
    view = wf.gage_view(open_or_import(ws, options.source), options.column, options.part, options.operator, settings)
    if options.out is not None:
        wf.export_gage(view, options.out)
    return _gage_answer(view, options), _gage_lines(view, options), 0


def _gage_answer(view: Any, options: Options) -> dict[str, object]:
    found = view.gage
    return {
        "headline": str(view.headline),
        "verdict": found.verdict,
        "tolerance_verdict": found.tolerance_verdict,
        "parts": len(found.layout.parts),
        "operators": len(found.layout.operators),
        "repeats": found.layout.repeats,
        "tolerance": view.tolerance,
        "study_sigmas": view.study_sigmas,
        "categories": found.categories,
        "pooled": found.reduced is not None,
        "anova": [_effect(e) for e in found.full],
        "anova_pooled": None if found.reduced is None else [_effect(e) for e in found.reduced],
        "components": {
            c.name: {
                "sd": c.sd,
                "variance": c.variance,
                "variance_interval": [c.low, c.high],
                "contribution": c.contribution,
                "study": c.study,
                "study_interval": [c.study_low, c.study_high],
                "spread": c.spread,
                "tolerance": c.tolerance,
            }
            for c in found.components
        },
        "by_ranges": None if view.check is None else dict(view.check),
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _effect(effect: Any) -> dict[str, object]:
    return {key: getattr(effect, key) for key in ("source", "df", "ss", "ms", "f", "p")}


def _gage_lines(view: Any, options: Options) -> list[str]:
    from core import workflows as wf

    found = view.gage
    layout = found.layout
    unit = f" ({view.unit})" if view.unit else ""
    lines = [str(view.headline)]
    if view.tolerance_line is not None:
        lines.append(str(view.tolerance_line))
    lines += ["", f"{len(layout.parts)} parts, {len(layout.operators)} operators, {layout.repeats} repeats", ""]
    head = ["", f"sd{unit}", "% of variance", "% of variation", "interval", "% of tolerance"]
    rows = [
        [
            str(wf.COMPONENT_TITLES[c.name]),
            f"{c.sd:.5g}",
            f"{100 * c.contribution:.1f}",
            f"{100 * c.study:.1f}",
            f"{100 * c.study_low:.1f} to {100 * c.study_high:.1f}",
            "–" if c.tolerance is None else f"{100 * c.tolerance:.1f}",
        ]
        for c in found.components
    ]
    lines += [*aligned([head, *rows]), ""]
    lines.append(f"distinct categories: {'–' if found.categories is None else found.categories}")
    anova = found.reduced or found.full
    lines += ["", "analysis of variance" + (", interaction pooled" if found.reduced is not None else "")]
    table = [[e.source, str(e.df), f"{e.ss:.5g}", _figure(e.ms), _figure(e.f), _figure(e.p)] for e in anova]
    lines += aligned([["source", "df", "sum of squares", "mean square", "F", "p"], *table])
    lines += [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def agreement(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    given: dict[str, str] = pairs(options.set)
    if options.standard is not None:
        given["standard_column"] = options.standard
    settings = wf.AgreementSettings.read(given)
    ws = wf.open_workspace()
    view = wf.agreement_view(open_or_import(ws, options.source), options.column, options.part, options.appraiser, settings)
    if options.out is not None:
        wf.export_agreement(view, options.out)
    return _agreement_answer(view, options), _agreement_lines(view, options), 0


def _agreement_answer(view: Any, options: Options) -> dict[str, object]:
    study = view.study
    return {
        "headline": str(view.headline),
        "weakest": None if view.weakest is None else str(view.weakest),
        "parts": len(study.layout.parts),
        "appraisers": len(study.layout.operators),
        "trials": study.layout.repeats,
        "categories": list(study.categories),
        "within": [_agreed(a, study.categories) for a in study.within],
        "between": None if study.between is None else _agreed(study.between, study.categories),
        "pairs": [_agreed(a, study.categories) for a in study.pairs],
        "against": [_agreed(a, study.categories) for a in study.against],
        "all_against": None if study.all_against is None else _agreed(study.all_against, study.categories),
        "mistakes": [
            {"who": m.who, "misses": _share(m.misses), "false_alarms": _share(m.false_alarms)} for m in study.mistakes
        ],
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _share(share: Any) -> dict[str, object] | None:
    return (
        None if share is None else {"n": share.agreed, "of": share.n, "share": share.share, "interval": [share.low, share.high]}
    )


def _kappa(kappa: Any) -> dict[str, object]:
    if not hasattr(kappa, "value"):
        return {"value": None, "why_not": str(kappa.reason)}
    return {"value": kappa.value, "error": kappa.error, "interval": [kappa.low, kappa.high], "p": kappa.p}


def _agreed(agreement: Any, categories: tuple[str, ...]) -> dict[str, object]:
    order = agreement.order
    return {
        "who": agreement.who,
        "parts": _share(agreement.parts),
        "kappa": _kappa(agreement.kappa),
        "kappas": {name: _kappa(k) for name, k in zip(categories, agreement.kappas, strict=True)},
        "verdict": agreement.verdict,
        "order": order if order is None or isinstance(order, float) else getattr(order, "w", None),
    }


def _agreement_lines(view: Any, options: Options) -> list[str]:
    study = view.study
    lines = [str(view.headline)]
    if view.weakest is not None:
        lines.append(str(view.weakest))
    blocks = (
        ("each appraiser with himself or herself", study.within),
        ("all appraisers with each other", (study.between,) if study.between is not None else ()),
        ("pairs of appraisers", study.pairs),
        ("each appraiser with the standard", study.against),
        ("all appraisers with the standard", (study.all_against,) if study.all_against is not None else ()),
    )
    for title, agreements in blocks:
        if agreements:
            head = [title, "parts alike", "%", "interval", "kappa", "interval", *study.categories]
            lines += ["", *aligned([head, *(_agreed_row(a) for a in agreements[:SHOWN])])]
            if len(agreements) > SHOWN:
                lines.append(f"… {len(agreements) - SHOWN} more with --json")
    if study.mistakes:
        rows = [[m.who, _percent(m.misses), _percent(m.false_alarms)] for m in study.mistakes]
        lines += ["", *aligned([["", "% missed", "% false alarms"], *rows])]
    lines += [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def _agreed_row(agreement: Any) -> list[str]:
    share, kappa = agreement.parts, agreement.kappa
    low = getattr(kappa, "low", None)
    return [
        agreement.who or "all",
        f"{share.agreed} of {share.n}",
        f"{100 * share.share:.1f}",
        f"{100 * share.low:.1f} to {100 * share.high:.1f}",
        _figure(getattr(kappa, "value", None)),
        "–" if low is None else f"{low:.3f} to {kappa.high:.3f}",
        *(_figure(getattr(k, "value", None)) for k in agreement.kappas),
    ]


def _percent(share: Any) -> str:
    return "–" if share is None else f"{100 * share.share:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f})"
