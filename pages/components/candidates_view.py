"""Several models tried in one run: a table that fills while it runs, their curves beside each other, and the choice in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.workflows.records import Curves, PlannedModel, Run
from pages.components import charts, layout, numbers, run_view
from pages.components.live_chart import SCHEMA
from pages.components.text import md, say, t, tn

MARKS = {"waiting": "◌", "running": "▶", "done": "✓", "stopped": "■", "skipped": "–", "failed": "✕", "pruned": "⊣"}
LIGHT = ("#0072B2", "#B36B00", "#007A5A", "#A33D7F", "#5B6B77", "#8A6D00", "#3B5BA5", "#B0413E")
DARK = ("#56B4E9", "#E69F00", "#2FBF92", "#E08BC0", "#9AA8B2", "#D6C04A", "#8FA8FF", "#FF8A80")
NOT_TRIED = ("waiting", "running", "skipped")
MOST_LINES = 8
ROW_HEIGHT, HEAD_HEIGHT, MOST_ROWS = 35, 38, 10


def measure_of(run: Run) -> str:
    """What the figures of a run's candidates are."""
    return "cross_entropy" if run.task == "classification" else "rmse"


def finding(run: Run, curves: Curves) -> str:
    """What is being tried now, for the headline."""
    done = [c for c in curves.candidates if c.state not in NOT_TRIED]
    now = next((c for c in curves.candidates if c.state == "running"), None)
    if now is None:
        return tn("{n} model was tried", "{n} models were tried", len(done))
    if run.request.search:
        return t("Trial {n}: {model}", n=now.number + 1, model=say(now.title))
    return t("Model {n} of {total}: {model}", n=now.number + 1, total=len(curves.candidates), model=say(now.title))


def figures(run: Run, curves: Curves, unit: str) -> list[layout.Figure]:
    """Best so far, how many are tried, the baseline's, the time."""
    known = [c for c in curves.candidates if c.figure is not None]
    best = min(known, key=lambda c: c.figure or 0.0, default=None)
    base = next((c for c in known if c.model == (run.baseline or curves.baseline_model)), None)
    title, shown = say(wf.measure_title(measure_of(run))), unit if measure_of(run) == "rmse" else ""
    done = sum(c.state not in NOT_TRIED for c in curves.candidates)
    active = run.state in run_view.ACTIVE
    used, budget = curves.used or (0.0, 0.0)
    return [
        layout.Figure(
            t("Best so far: {metric}", metric=title) if active else t("Best single: {metric}", metric=title),
            numbers.number(best.figure if best else None, shown),
            say(best.title) if best else t("nothing tried yet"),
            help=t("On the validation part. The test part judges only the model that is kept, once."),
        ),
        layout.Figure(t("Tried"), numbers.number(done), "" if run.request.search else t("of {n}", n=len(curves.candidates))),
        layout.Figure(
            t("Baseline: {name}", name=say(base.title)) if base else t("Baseline"),
            numbers.number(base.figure if base else None, shown),
            t("{metric}, validation", metric=title),
        ),
        layout.Figure(
            t("Time left") if active else t("Took"),
            numbers.duration(max(0.0, budget - used) if active else run_view.run_length(run)),
            t("of {length}", length=numbers.duration(budget)) if budget else "",
        ),
    ]


def table(lines: Sequence[wf.CandidateLine], measure: str, *, key: str, choice: bool = False) -> None:
    """One row a model: state, figures, seconds, and why it was left out."""
    title = say(wf.measure_title(measure))
    with_folds = any(c.fold_figure is not None for c in lines)
    rows = []
    for c in lines:
        row: dict[str, Any] = {t("Model"): say(c.title) if not c.settings else f"{c.number + 1}"}
        if choice:
            row[t("Kept")] = "" if not c.is_kept else "✓" if c.share >= 1 else f"✓ {numbers.percent(c.share)}"
        row[t("State")] = f"{MARKS.get(c.state, '?')} {say(c.state_word)}"
        row[t("{metric}, validation", metric=title)] = numbers.number(c.figure)
        if with_folds:
            row[t("{metric}, folds", metric=title)] = numbers.number(c.fold_figure)
        if measure == "cross_entropy":
            row[t("Right")] = numbers.percent(c.accuracy)
        row[t("Seconds")] = numbers.number(round(c.seconds, 1)) if c.seconds else ""
        about = [say(wf.settings_words(c.settings))] if c.settings else []
        row[t("Notes")] = ", ".join([*about, *([say(c.why)] if c.why is not None else [])])
        rows.append(row)
    frame = pd.DataFrame(rows)
    if not frame[t("Notes")].any():
        frame = frame.drop(columns=t("Notes"))
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height="content" if len(rows) <= MOST_ROWS else HEAD_HEIGHT + ROW_HEIGHT * MOST_ROWS,
        alt=t("Models that were tried, each with its figure on the validation part"),
        column_config={t("Notes"): st.column_config.TextColumn(width="large")},
    )


def live(run: Run, curves: Curves) -> None:
    """The table while the run works, and the validation losses of the networks beside each other."""
    table(curves.candidates, measure_of(run), key="live_candidates")
    curve_lines(curves)


def curve_lines(curves: Curves) -> None:
    """Validation loss by epoch, a line a network or trial; the best few where there are many."""
    known = {k: (x, y) for k, (x, y) in curves.trial_curves.items() if np.isfinite(y).any()}
    if not known:
        return
    names = {c.number: c for c in curves.candidates}
    best = sorted(known, key=lambda k: float(np.nanmin(known[k][1])))[:MOST_LINES]
    parts = []
    for k in sorted(best):
        line = names.get(k)
        name = t("trial {n}", n=k + 1) if line is None or line.settings else say(line.title)
        x, y = known[k]
        parts.append(pd.DataFrame({"x": x, "y": y, "name": name})[np.isfinite(y)])
    frame = pd.concat(parts, ignore_index=True)
    palette = DARK if charts.is_dark() else LIGHT
    order = list(dict.fromkeys(frame["name"]))
    colour = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "scale": {"domain": order, "range": list(palette[: len(order)])},
    }
    tips = [
        {"field": "name", "type": "nominal", "title": t("Model")},
        {"field": "x", "type": "quantitative", "title": t("Epoch")},
        {"field": "y", "type": "quantitative", "title": t("Validation loss"), "format": ".4~g"},
    ]
    spec = {
        "$schema": SCHEMA,
        "mark": {"type": "line", "point": {"size": 18}, "strokeWidth": 2},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": t("Epoch"), "axis": {"tickMinStep": 1, "grid": False}},
            "y": {"field": "y", "type": "quantitative", "title": t("Validation loss"), "scale": {"zero": False}},
            "color": {**colour, "legend": {"orient": "top"}},
            "tooltip": tips,
        },
        "height": 240,
        "padding": {"left": 4, "right": 8, "top": 4, "bottom": 4},
    }
    st.vega_lite_chart(frame, spec, key="trial_curves", alt=t("Validation loss by epoch, a line a model"))
    layout.caption(
        tn("{n} network", "{n} networks", len(known)),
        t("the best {n} are drawn", n=len(best)) if len(best) < len(known) else "",
    )


def why(run: Run, *, with_table: bool = True) -> None:
    """The choice in words, with everything that was tried."""
    choice = run.choice
    if choice is None:
        return
    with st.container(border=True):
        st.markdown(f"**{md(t('Why this model'))}**")
        st.markdown(md(" ".join(say(s) for s in choice.sentences)))
        if with_table:
            table(choice.candidates, choice.measure, key=f"choice.{run.id}", choice=True)


def planned(models: Sequence[PlannedModel]) -> None:
    """What an automatic choice will try, in order, and what it leaves out."""
    tried = [p for p in models if p.left_out is None]
    if len(tried) < 2:
        return
    with st.container(border=True):
        st.markdown(f"**{md(t('What will be tried, in this order'))}**")
        names = [
            f"{run_view.model_name(p.model)} ({t('about {length}', length=numbers.duration(max(1.0, p.seconds or 1.0)))})"
            for p in tried
        ]
        st.markdown(md(" → ".join(names)))
        st.caption(
            md(
                t(
                    "Each is judged on the validation rows only. The best, or an average of a few where that is clearly better, is "
                    "kept; what does not fit into the time is left out, and the result says why."
                )
            )
        )
        for p in models:
            if p.left_out is not None:
                st.caption(md(f"{run_view.model_name(p.model)}: {say(p.left_out)}"))
