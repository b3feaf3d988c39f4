"""What is said of a control chart beside its headline: tests of runs, neighbours that hang together, and why there is none."""

from __future__ import annotations

import numpy as np

from core.errors import NotEnoughData
from core.messages import Message, msg
from core.spc.changes import neighbour_correlation
from core.spc.chart import Chart
from core.spc.individuals import NotDefined
from core.spc.p_words import p_words
from core.spc.run_chart import RunsTest

CORRELATED = 0.3
"""From here on a chart of individuals shows 4.6 times as many points outside as promised: 2Φ(−3√(1 − r)) of them."""


def told(test: RunsTest) -> Message:
    """One test of a run chart in words."""
    chance = min(test.p_few, test.p_many)
    facts: dict[str, str | int | float] = {
        "runs": test.runs,
        "expected": round(test.expected, 1),
        "n": test.longest,
        "p": p_words(chance),
    }
    if test.kind == "median":
        return msg("{runs} runs about the median, {expected} expected, the longest of {n} points ({p})", **facts)
    return msg("{runs} runs up or down, {expected} expected, the longest of {n} steps ({p})", **facts)


def odd(test: RunsTest) -> Message:
    """What too few or too many runs mean."""
    few = test.p_few < test.p_many
    if test.kind == "median":
        clusters = msg("few runs about the median, as from a shift or from clusters")
        return clusters if few else msg("many runs about the median, as from a mixture of two levels")
    return msg("few runs up or down, as from a trend") if few else msg("many runs up or down, as from swings")


def hang_together(chart: Chart) -> tuple[Message, ...]:
    """A warning where neighbouring points correlate: limits and rules are made for points that do not."""
    if not chart.zoned:
        return ()
    r = neighbour_correlation(np.where(chart.judged, chart.points - chart.centre, np.nan))
    n = int(chart.judged.sum())
    if r < max(CORRELATED, 2 / np.sqrt(max(n, 1))):  # two standard errors of the correlation of independent points
        return ()
    return (
        msg(
            "Neighbouring points hang together (correlation {r}): limits and rules are made for points that do not, so that "
            "signals come without a cause. Take fewer rows or means of many, or chart the residuals of a model.",
            r=f"{r:.2f}",
        ),
    )


def known_words(chart: Chart, centre: float | None) -> tuple[Message, ...]:
    """That limits, or a part of them, are given and not estimated; `centre` as it was given, because a chart of sums has 0 there."""
    if not len(chart.points) or chart.known == "none":
        return ()
    told = {"centre": "" if centre is None else f"{centre:.6g}", "sigma": f"{float(chart.sigma[0]):.6g}"}
    if chart.known == "both":
        return (msg("The limits are given, not estimated from these points: centre {centre}, σ = {sigma}.", **told),)
    if chart.known == "sigma":
        return (msg("σ = {sigma} is given, not estimated; the centre comes from the points.", **told),)
    return (msg("The centre {centre} is given, not estimated; σ comes from the points.", **told),)


def refused(found: NotDefined) -> NotEnoughData:
    return NotEnoughData(
        msg("There is no control chart of these values: {reason}.", reason=found.reason),
        msg("Limits come from values that were measured and that vary."),
        msg("Choose another column, more rows, or other subgroups."),
    )
