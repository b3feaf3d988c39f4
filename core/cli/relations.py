"""The verbs `pareto` and `relations`: what weighs most, what hangs together, what differs, what follows what."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, open_or_import, pairs
from core.errors import SettingProblem
from core.messages import msg

SHOWN = 20


def pareto(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    given: dict[str, str] = pairs(options.set)
    if options.cost is not None:
        given["cost_column"] = options.cost
    settings = wf.ParetoSettings.read(given)
    view = wf.pareto_view(open_or_import(wf.open_workspace(), options.source), options.column, settings)
    if options.out is not None:
        wf.export_pareto(view, options.out)
    found = view.pareto
    each = list(zip(found.categories, found.counts.tolist(), found.weights.tolist(), found.cumulative.tolist(), strict=True))
    answer = {
        "headline": str(view.headline),
        "few": found.n_few,
        "few_of_many": found.is_few,
        "share": found.share,
        "categories": [{"category": name, "rows": n, "weight": w, "cumulative": share} for name, n, w, share in each],
        **_end(view, options),
    }
    table = [
        [name, f"{n}", *([] if view.cost is None else [f"{w:.6g}"]), f"{100 * share:.1f}"] for name, n, w, share in each[:SHOWN]
    ]
    head = [
        "category",
        "rows",
        *([] if view.cost is None else [f"{view.cost}{f' ({view.unit})' if view.unit else ''}"]),
        "% so far",
    ]
    lines = [str(view.headline), "", *aligned([head, *table]), *_more(len(each), "categories")]
    return answer, [*lines, *_told(view, options)], 0


def relations(options: Options) -> Answer:
    if options.column is None and (options.by is not None or options.other is not None):
        raise SettingProblem(
            msg("--by or --with was given without --column."),
            msg("Expected the column that is looked at."),
            msg("Name it with --column."),
        )
    if options.by is not None and options.other is not None:
        raise SettingProblem(
            msg("--by and --with were both given."),
            msg("Strata and a correlation at a distance are two questions."),
            msg("Choose one of them."),
        )
    if options.out is not None:
        check_out(options.out)
    if options.column is None:
        return _map(options)
    return _strata(options) if options.other is None else _lags(options)


def _map(options: Options) -> Answer:
    from core import workflows as wf

    settings = wf.RelationsSettings.read(pairs(options.set))
    view = wf.relations_view(open_or_import(wf.open_workspace(), options.source), settings)
    if options.out is not None:
        wf.export_relations(view, options.out)
    answer = {
        "headline": str(view.headline),
        "columns": list(view.columns),
        "rows": view.n_rows,
        "of_rows": view.of_rows,
        "pairs": [
            {
                "column": p.one,
                "other": p.other,
                "rows": p.n,
                "pearson": p.pearson,
                "spearman": p.spearman,
                "information": p.information,
                "p": p.p,
                "more_than_chance": view.is_clear(p),
            }
            for p in view.pairs
        ],
        **_end(view, options),
    }
    table = [
        [p.one, p.other, f"{p.n}", _figure(p.pearson), _figure(p.spearman), f"{p.information:.2f}", _remark(view, p)]
        for p in view.pairs[:SHOWN]
    ]
    lines = [str(view.headline), f"{view.n_rows} of {view.of_rows} rows compared", ""]
    lines += [*aligned([["column", "other", "rows", "r", "rho", "information", ""], *table]), *_more(len(view.pairs), "pairs")]
    return answer, [*lines, *_told(view, options)], 0


def _remark(view: Any, pair: Any) -> str:
    return "no more than chance" if not view.is_clear(pair) else "not a straight line" if pair.is_bent else ""


def _strata(options: Options) -> Answer:
    from core import workflows as wf

    if options.set:
        raise SettingProblem(
            msg("--set was given with --column."),
            msg("Strata have no settings; limits are those of the column."),
            msg("Leave it out."),
        )
    view = wf.strata_view(open_or_import(wf.open_workspace(), options.source), options.column, options.by)
    if options.out is not None:
        wf.export_strata(view, options.out)
    keys = ("label", "n", "mean", "sd", "median", "outside", "difference", "effect", "p")
    answer = {
        "headline": str(view.headline),
        "by": [
            {
                "column": by,
                "differs": view.differs(by),
                "eta2": told.eta2,
                "eta2_by_chance": told.by_chance,
                "f": told.f,
                "anova_p": told.anova_p,
                "kruskal_p": told.kruskal_p,
                "strata": [{key: getattr(s, key) for key in keys} for s in told.strata],
            }
            for by, told in view.found.items()
        ],
        **_end(view, options),
    }
    lines = [str(view.headline)]
    for by, told in view.found.items():
        p = [_figure(value) for value in (told.anova_p, told.kruskal_p)]
        lines += ["", f"by {by}: {100 * told.eta2:.1f} % of the variance, p {p[0]} (analysis of variance), {p[1]} (by ranks)"]
        table = [
            [
                s.label,
                f"{s.n}",
                f"{s.mean:.5g}",
                _figure(s.sd),
                f"{s.median:.5g}",
                _share(s.outside),
                f"{s.difference:+.4g}",
                _figure(s.p),
            ]
            for s in told.strata[:SHOWN]
        ]
        lines += aligned([["stratum", "rows", "mean", "sd", "median", "% outside", "against others", "p"], *table])
        lines += _more(len(told.strata), "strata")
    return answer, [*lines, *_told(view, options)], 0


def _lags(options: Options) -> Answer:
    from core import workflows as wf

    settings = wf.LagSettings.read(pairs(options.set))
    view = wf.lag_view(open_or_import(wf.open_workspace(), options.source), options.column, options.other, settings)
    if options.out is not None:
        wf.export_lags(view, options.out)
    found = view.lagged
    answer = {
        "headline": str(view.headline),
        "lag": found.best,
        "time": view.time,
        "time_unit": view.step_unit,
        "r": found.r_best,
        "band": found.band,
        "more_than_chance": found.is_clear,
        "rows": found.n,
        "effective_rows": found.n_effective,
        "lags": [{"lag": int(k), "r": None if math.isnan(r) else float(r)} for k, r in zip(found.lags, found.r, strict=True)],
        **_end(view, options),
    }
    lines = [str(view.headline), f"{found.n} rows, worth {found.n_effective:.0f} independent ones"]
    return answer, [*lines, *_told(view, options)], 0


def _end(view: Any, options: Options) -> dict[str, object]:
    return {"notes": [str(note) for note in view.notes], "out": None if options.out is None else str(options.out)}


def _told(view: Any, options: Options) -> list[str]:
    lines = [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines


def _more(n: int, what: str) -> list[str]:
    return [f"… {n - SHOWN} more {what} with --json"] if n > SHOWN else []


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}" if 0.01 <= abs(value) < 10 or value == 0 else f"{value:.2g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
