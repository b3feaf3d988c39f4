"""Do probabilities mean what they say? A reliability diagram, Brier score, calibration error, and what a temperature makes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.evaluation.result import Metric
from core.messages import msg
from pages.components import charts, layout, numbers, state
from pages.components.explore_parts import export
from pages.components.layout import Figure
from pages.components.looks import charts_look
from pages.components.text import md, say, t


@st.cache_resource(max_entries=8, show_spinner=False, ttl=900)
def _view(home: str, run_id: str, positive: str, _results: Any) -> wf.CalibrationView:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.calibration_view(_results, positive)


def show(results: Any, positive: str) -> None:
    """The calibration of one class on the test part."""
    view = _view(str(state.workspace().home), results.run.id, positive, results)
    st.markdown(f"**{md(say(view.headline))}**")
    if not view.plain.bins:
        return
    _figures(view)
    left, right = st.columns([0.6, 0.4], gap="medium", vertical_alignment="center")
    with left:
        _diagram(view)
    with right:
        _temperature(results, view)
    plain = view.plain
    layout.caption(
        t(
            "Perfect probabilities would show an error of {mean} on so many rows by chance, in one of twenty cases above {high}.",
            mean=_points(plain.by_chance[0]),
            high=_points(plain.by_chance[1]),
        ),
        t("Saying the share of the class each time has a Brier score of {value}.", value=numbers.number(plain.brier_of_share)),
    )


def _diagram(view: wf.CalibrationView) -> None:
    bins = view.plain.bins
    other = None if view.scaled is None else ([b.said for b in view.scaled.bins], [b.came for b in view.scaled.bins])
    figure = drawing.reliability(
        said=[b.said for b in bins],
        came=[b.came for b in bins],
        low=[b.came_low for b in bins],
        high=[b.came_high for b in bins],
        n=[b.n for b in bins],
        positive=view.positive,
        scaled=other,
        title=msg("Said and came"),
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key="class_reliability", height=350)
    layout.caption(t("n = {n} rows of the test part", n=numbers.number(view.n)), t("bars: 95 % interval of each bin"))


def _figures(view: wf.CalibrationView) -> None:
    plain, scaled, base = view.plain, view.scaled, view.baseline
    after = view.log_loss[1]
    layout.figures(
        [
            Figure(
                t("Calibration error (ECE)"),
                _points(plain.ece.value),
                _beside(None if scaled is None else _points(scaled.ece.value)),
                help=_span(plain.ece, None if base is None else base.ece, _points),
            ),
            Figure(
                t("Brier score"),
                numbers.number(plain.brier.value),
                _beside(None if scaled is None else numbers.number(scaled.brier.value)),
                help=_span(plain.brier, None if base is None else base.brier),
            ),
            Figure(t("Log loss"), numbers.number(view.log_loss[0]), _beside(None if after is None else numbers.number(after))),
        ]
    )


def _beside(value: str | None) -> str:
    return "" if value is None else t("at the temperature {value}", value=value)


def _points(share: float | None) -> str:
    """An error of a probability in percentage points, as the headline says it."""
    return "–" if share is None else t("{value} points", value=numbers.number(round(100 * share, 2)))


def _span(metric: Metric, baseline: Metric | None, words: Callable[[float | None], str] = numbers.number) -> str:
    """The interval of a figure and the baseline's, where there are any."""
    parts = []
    if metric.low is not None and metric.high is not None:
        parts.append(t("95 %: {low} to {high}", low=words(metric.low), high=words(metric.high)))
    if baseline is not None and baseline.value is not None:
        parts.append(t("baseline {base}", base=words(baseline.value)))
    return "; ".join(parts)


def _temperature(results: Any, view: wf.CalibrationView) -> None:
    """Whether a temperature is offered, and why; the scores at it only where it helps."""
    st.markdown(md(say(view.temperature_words)))
    if not view.is_offered:
        return
    export(
        t("Scores at the temperature (CSV)"),
        f"andon-scores-{results.run.id}-calibrated.csv",
        partial(wf.export_calibrated, results),
        key="calibrated_scores",
    )
