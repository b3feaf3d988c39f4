"""The figures over the events of a run: how many, what is promised of false alarms, how well it does beside the simple baselines."""

from __future__ import annotations

from typing import Any

from core import workflows as wf
from pages.components import layout, numbers, run_view
from pages.components.results_view import metric_figure
from pages.components.text import say, t, tn


def figures(results: Any, view: Any) -> list[layout.Figure]:
    later = view.later
    said = [e.verdict.verdict for e in later if e.verdict is not None]
    n_open, waiting = sum(e.is_open for e in later), sum(e.taken_over is not None for e in later)
    counts = {
        t("{n} contained", n=said.count("contained")): "contained" in said,
        t("{n} with a cause", n=said.count("assignable_cause")): "assignable_cause" in said,
        t("{n} false", n=said.count("false_alarm")): "false_alarm" in said,
        t("{n} sensor", n=said.count("sensor_fault")): "sensor_fault" in said,
        t("{n} closed", n=said.count("closed")): "closed" in said,
    }
    metrics, base = run_view.as_map(view.metrics), run_view.as_map(view.baseline_metrics)
    name = run_view.model_name(results.baseline) if results.baseline else ""
    share = float(view.flags.sum() / max(1, view.n_scored))
    judged = metric_figure(metrics, base, "f1", name=name)
    if judged is not None and judged.value != t("not defined"):
        far, mar = (run_view.metric_text(metrics.get(k)) for k in ("far", "mar"))
        judged = layout.Figure(
            judged.label,
            judged.value,
            judged.beside,
            help=t("Good rows flagged: {far}. Bad rows missed: {mar}.", far=far, mar=mar),
        )
    else:
        judged = layout.Figure(
            t("Rows flagged"), numbers.percent(share), t("{n} rows", n=numbers.number(int(view.flags.sum())))
        )
    return [
        layout.Figure(
            t("Events"),
            numbers.number(len(later)),
            (t("{n} open, {m} to confirm", n=n_open, m=waiting) if waiting else t("{n} open", n=n_open))
            + (" · " + t("{n} with a verdict", n=len(later) - n_open) if n_open < len(later) else ""),
            help=" · ".join(part for part in (*(words for words, shown in counts.items() if shown), early(view)) if part),
        ),
        _promise(results.run, view),
        judged,
        layout.Figure(t("Rows scored"), numbers.number(view.n_scored), t("{n} refused", n=numbers.number(view.n_refused))),
    ]


def baselines(run: wf.Run) -> None:
    """One line with the figure of every simple baseline, where there is more than the one that stands in the figures."""
    key = next((k for k in ("f1", "flagged_fraction") if k in run.metrics and run.metrics[k].is_defined), None)
    if key is None or not run.other_baselines:
        return
    found = {run.baseline: run.baseline_metrics, **run.other_baselines}
    layout.caption(
        t(
            "{metric} of the simple baselines on the test part, each at its own decision limit",
            metric=run_view.metric_title(key),
        ),
        *(f"{run_view.model_name(name)} {run_view.metric_text(metrics.get(key))}" for name, metrics in found.items()),
    )


def early(view: Any) -> str:
    """How many events lie in the baseline period, which no count of events includes; "" where there are none."""
    n_early = len(view.events) - len(view.later)
    if not n_early:
        return ""
    return tn("{n} more event lies in the baseline period.", "{n} more events lie in the baseline period.", n_early)


def _promise(run: wf.Run, view: Any) -> layout.Figure:
    """What is promised about false alarms, or why nothing is."""
    limit = view.threshold
    notes = " ".join(say(note) for note in limit.notes)
    if not view.is_default:
        return layout.Figure(t("False alarms"), t("no promise"), t("the limit was moved by hand"), help=notes)
    if limit.promise == "per_week":
        value = t("≤ {n} a week", n=numbers.number(wf.weekly_budget(run)))
        return layout.Figure(t("False alarms promised"), value, t("from {n} normal blocks", n=limit.n), help=notes)
    seen = run.metrics.get("far")
    if seen is not None and seen.value is not None:
        beside = t("{share} seen on test rows", share=numbers.percent(seen.value))
        breaks = wf.breaks_promise(run, limit)
        if breaks:
            notes = (
                t(
                    "More good rows of the test part are flagged than promised, and by more than chance: they are not like the held-out ones."
                )
                + " "
                + notes
            )
            beside = t("{share} seen: more than chance", share=numbers.percent(seen.value))
        elif breaks is False and seen.value > limit.rate:
            beside = t("{share} seen: within chance", share=numbers.percent(seen.value))
    elif limit.missing_rows:
        beside = tn("{n} normal row missing", "{n} normal rows missing", limit.missing_rows)
    else:
        beside = t("from {n} normal blocks", n=limit.n)
    return layout.Figure(t("False alarms promised"), "≤ " + numbers.percent(limit.rate), beside, help=notes)


def budget(results: Any, view: Any) -> None:
    """What was asked, what is promised instead, and how many normal rows the promise lacks; nothing where it is kept or the limit was moved."""
    limit = view.threshold
    if not view.is_default or limit.promise != "smallest_rate" or limit.policy != "per_week":
        return
    missing = limit.missing_rows
    layout.caption(
        tn(
            "{week} false alarms a week cannot be promised: {n} normal row is missing",
            "{week} false alarms a week cannot be promised: {n} normal rows are missing",
            missing,
            week=numbers.number(wf.weekly_budget(results.run)),
        )
        if missing
        else "",
        t("promised instead: at most {share} of normal windows are flagged", share=numbers.percent(limit.rate)),
        t("the decision limit is where the budget is expected to hold") if limit.is_estimated else "",
    )
