"""What probabilities are worth at every limit: ROC with precision, detection errors with lift, over time, and their calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.evaluation.curves import det_curve, lift_curve
from core.messages import msg
from pages.components import calibration_view, chart_range, charts, layout, numbers, run_view
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.results_view import as_message
from pages.components.text import md, say, t, tn

ROC, ERRORS, TIME, CALIBRATION = "roc", "errors", "time", "calibration"


def show(results: Any, view: Any) -> None:
    """One pair of charts at a time; the decision limit stands in each."""
    titles = {
        ROC: t("ROC and precision"),
        ERRORS: t("Errors and lift"),
        TIME: t("Over time"),
        CALIBRATION: t("Calibration"),
    }
    chosen = st.segmented_control(
        t("Chart"),
        list(titles),
        default=ROC,
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key="class_curves",
        label_visibility="collapsed",
        persist_state="session",
    )
    if chosen == TIME:
        _timeline(results, view)
    elif chosen == CALIBRATION:
        calibration_view.show(results, view.positive)
    elif not view.roc.is_defined:
        st.info(md(say(view.roc.why_not)), icon=":material/info:")
    else:
        left, right = st.columns(2, gap="small")
        first, second = (_det, _lift) if chosen == ERRORS else (_roc, _precision_recall)
        with left:
            first(results, view)
        with right:
            second(results, view)
        layout.caption(say(drawing.caption_curve(view.n, _n_positive(view), view.positive)))


def _n_positive(view: Any) -> int:
    return int(view.confusion[view.classes.index(view.positive)].sum())


def _names(results: Any) -> dict[str, Any]:
    base = as_message(run_view.model_name(results.baseline)) if results.baseline else None
    return {"name": as_message(run_view.model_name(results.run.model)), "baseline_name": base, **charts_look()}


def _point(point: tuple[float, float]) -> tuple[float, float] | None:
    return point if np.isfinite(point).all() else None


def _xy(curve: Any) -> Any:
    return None if curve is None or not curve.is_defined else (curve.x, curve.y)


def _roc(results: Any, view: Any) -> None:
    figure = drawing.roc(
        curve=_xy(view.roc),
        baseline=_xy(view.baseline_roc),
        operating_point=_point(view.operating_point),
        title=msg("ROC"),
        **_names(results),
    )
    fpr, tpr = view.operating_point
    alt = t(
        "ROC: at the decision limit {tpr} of '{name}' are caught and {fpr} of the others rejected",
        tpr=numbers.percent(tpr),
        fpr=numbers.percent(fpr),
        name=view.positive,
    )
    figure.update_layout(margin={"r": 16})
    charts.show(figure, alt=alt, key="class_roc", height=350)


def _precision_recall(results: Any, view: Any) -> None:
    share = float(_n_positive(view) / max(1, view.n))
    figure = drawing.precision_recall(
        curve=_xy(view.pr),
        baseline=_xy(view.baseline_pr),
        operating_point=_point(view.pr_point),
        prevalence=share,
        **_names(results),
    )
    precision = view.pr_point[1]
    alt = t(
        "Precision and recall: at the decision limit {precision} of the alarms are right", precision=numbers.percent(precision)
    )
    charts.show(figure, alt=alt, key="class_pr", height=350)


def _det(results: Any, view: Any) -> None:
    fpr, tpr = view.operating_point
    other = None if _xy(view.baseline_roc) is None else _xy(det_curve(view.baseline_roc))
    figure = drawing.det(
        curve=_xy(det_curve(view.roc)), baseline=other, operating_point=_point((fpr, 1 - tpr)), **_names(results)
    )
    alt = t(
        "Detection errors: at the decision limit {missed} of '{name}' are missed and {fpr} of the others rejected",
        missed=numbers.percent(1 - tpr),
        fpr=numbers.percent(fpr),
        name=view.positive,
    )
    charts.show(figure, alt=alt, key="class_det", height=350)


def _lift(results: Any, view: Any) -> None:
    share = float(_n_positive(view) / max(1, view.n))
    fpr, tpr = view.operating_point
    flagged = share * tpr + (1 - share) * fpr
    point = (flagged, tpr / flagged) if flagged > 0 else (np.nan, np.nan)
    other = None if _xy(view.baseline_roc) is None else _xy(lift_curve(view.baseline_roc, share))
    figure = drawing.lift(
        curve=_xy(lift_curve(view.roc, share)), baseline=other, operating_point=_point(point), **_names(results)
    )
    alt = t("Lift: '{name}' is {n} times as frequent among the flagged rows as among all", name=view.positive, n=point[1])
    charts.show(figure, alt=alt, key="class_lift", height=350)


def _timeline(results: Any, view: Any) -> None:
    """The probability of the class over time, flags in red at the limit, and how many alarms they make."""
    line = wf.class_timeline(results, view.part, view.positive, view.decided_at)
    is_time = bool(np.issubdtype(line.times.dtype, np.datetime64))
    rising = is_time and bool(np.all(line.times[1:] >= line.times[:-1]))
    axis = chart_range.ArrayAxis(len(line.rows), line.times if rising else None)
    key = f"{results.run.id}.{view.part}.class_timeline"
    shown = chart_range.chosen(key, len(line.rows))
    part = shown.slice
    figure = drawing.score_timeline(
        scores=line.chance[part],
        limit=line.limit,
        x=line.times[part] if rising else np.arange(shown.start, shown.stop),
        rows=line.rows[part],
        flagged=line.flags[part],
        along=None if rising else msg("row"),
        score_title=msg("probability of {name}", name=view.positive),
        title=msg("Probability of {name} over time", name=view.positive),
        **charts_look(),
    )
    words = tn("{n} alarm", "{n} alarms", line.alarms)
    flagged = tn("{n} row flagged", "{n} rows flagged", int(line.flags.sum()))
    chart_range.show(figure, axis, alt=f"{words}, {flagged}", key=key, height=330)
    layout.caption(words, flagged, t("an alarm is a stretch of flagged rows that follow each other"))
