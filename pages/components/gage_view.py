"""How much of the variation comes from measuring? A gage study of measurements; ratings are `agreement_view`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import workflows as wf
from core.charts import interaction_lines, values_by_group, variation_bars
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import Message, msg
from core.spc.gage import Component, Effect, Source
from pages.components import address_settings, agreement_view, charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.explore_parts import NOBODY, asked, categories_first, export, figure_note, next_view, numbers_of, pick
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.study_example import example
from pages.components.study_guess import StudyColumns, guess_study
from pages.components.text import say, t, tn

KEY = "gage"
MEASUREMENTS, RATINGS = "measurements", "ratings"
HEIGHT = 310
SOURCES: Mapping[Source, Message] = {
    "part": msg("parts"),
    "operator": msg("operators"),
    "interaction": msg("parts × operators"),
    "repeatability": msg("repeatability"),
    "total": msg("total"),
}


def show(dataset: Dataset) -> None:
    """The view of one dataset: measurements, or ratings in categories."""
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    titles = {MEASUREMENTS: t("Measurements"), RATINGS: t("Ratings")}
    guess = guess_study(dataset)
    with rail:
        start = st.query_params.get("kind", "")
        kind = st.segmented_control(
            t("What was judged"),
            list(titles),
            default=start if start in titles else _kind(dataset, guess),
            required=True,
            format_func=fixed(titles, titles.__getitem__),
            key=f"{KEY}.kind.{dataset.id}",
            help=t("Measurements are numbers; ratings sort parts into categories such as good and bad."),
        )
    if kind != st.session_state.setdefault(f"{KEY}_shown", kind):
        for name in ("set", "column"):
            state.note_in_address(name, "")
        st.session_state[f"{KEY}_shown"] = kind
    state.note_in_address("kind", str(kind))
    if kind == RATINGS:
        agreement_view.show(dataset, guess, head, main, rail)
    else:
        _show(dataset, guess, head, main, rail)


def _kind(dataset: Dataset, guess: StudyColumns) -> str:
    """Ratings where the table has a column of them and the parts, and its only numbers are parts, trials and the standard."""
    left = set(numbers_of(dataset)) - {guess.part, guess.who, guess.trial, guess.standard, guess.rating}
    return RATINGS if guess.rating is not None and guess.part is not None and not left else MEASUREMENTS


def _show(dataset: Dataset, guess: StudyColumns, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    column = part = operator = settings = None
    with rail, notices.guard():
        values, others = numbers_of(dataset), categories_first(dataset)
        prefix = f"{KEY}.{dataset.id}"
        column = pick(t("Measurement"), values, asked("column", values, guess.measurement), key=f"{prefix}.column")
        about = t("Which part a row measured; each part is on several rows.")
        part = pick(t("Part"), others, asked("part", others, guess.part), key=f"{prefix}.part", about=about)
        about = t("Who measured. Without operators repeatability alone is told.")
        who = asked("operator", others, guess.who)
        operator = pick(t("Operator"), others, who, key=f"{prefix}.operator", about=about, none=t("none"))
        given = address_settings.read(wf.GageSettings, others).model_dump()
        chosen = form_from_settings(wf.GageSettings, given, key=prefix, expert_only=False)
        with st.expander(t("More")):
            chosen |= form_from_settings(wf.GageSettings, given, key=prefix, expert_only=True)
        settings = wf.GageSettings.read({k: v for k, v in chosen.items() if v is not None})
    for name, value in (("column", column), ("part", part), ("operator", operator)):
        state.note_in_address(name, value or (NOBODY if name == "operator" and guess.who else ""))
    if settings is None:
        return
    address_settings.note(settings)
    if column is None or part is None:
        with head:
            layout.headline(t("How much of the variation comes from measuring is not known yet"))
        with main:
            example(is_rating=False)
        return
    try:
        view = _view(
            str(state.workspace().home), dataset.id, dataset.version, column, part, operator, settings.model_dump_json()
        )
    except Problem as problem:
        with head:
            layout.headline(t("There is no gage study of '{column}' in this table", column=column))
        with main:
            notices.problem(problem)
            example(is_rating=False)
        return
    with head:
        layout.headline(say(view.headline), _why())
    with main, notices.guard():
        _drawn(view)


@st.cache_resource(max_entries=8, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, column: str, part: str, operator: str | None, settings: str) -> wf.GageView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.gage_view(dataset, column, part, operator, wf.GageSettings.model_validate_json(settings))


def _why() -> str:
    return t(
        "Repeatability is how far one operator reads one part apart, reproducibility how far operators differ. Both together are "
        "compared with the spread of the parts in this study: take parts that span what the process makes."
    )


def _drawn(view: wf.GageView) -> None:
    layout.figures(_figures(view))
    gage = view.gage
    if gage.tolerance_verdict is not None and view.tolerance_line is not None:
        figure_note(gage.tolerance_verdict, say(view.tolerance_line))
    shape = gage.layout.rows.shape
    left, right = st.columns([0.56, 0.44], gap="small")
    with left:
        _variation(view)
    with right:
        if view.operator is not None and shape[1] > 1:
            _interaction(view)
        else:
            _by(view, 0)
    if view.operator is not None and shape[1] > 1:
        left, right = st.columns(2, gap="small")
        with left:
            _by(view, 0)
        with right:
            _by(view, 1)
    _components(view)
    _analysis(view)
    layout.notes(view.notes)
    export(t("Components (CSV)"), f"gage-{view.column}.csv", lambda path: wf.export_gage(view, path), key=f"{KEY}.export")
    next_view(
        "capability",
        t("Look at the capability"),
        t("What the gage adds lies in every value: capability is worth telling where it takes little of the tolerance."),
        key=f"{KEY}.next",
    )


def _figures(view: wf.GageView) -> list[Figure]:
    gage, grr = view.gage, view.gage["GRR"]
    span = f"{numbers.percent(grr.study_low)} – {numbers.percent(grr.study_high)}"
    p, o, r = gage.layout.rows.shape
    tolerance = (
        t("no tolerance is known")
        if view.tolerance is None
        else t("tolerance {value}", value=numbers.number(view.tolerance, view.unit))
    )
    return [
        Figure(t("Gage R&R"), numbers.percent(grr.study), span, help=t("Its share of the study variation, with the interval.")),
        Figure(t("Of the tolerance"), numbers.percent(grr.tolerance), tolerance),
        Figure(
            t("Distinct categories"),
            "–" if gage.categories is None else str(gage.categories),
            t("wanted: 5 or more"),
            help=t("How many groups of parts the gage tells apart: 1.41 times the spread of the parts by that of the gage."),
        ),
        Figure(t("Study"), f"{p} × {o} × {r}", _size(view), help=t("Parts × operators × repeats")),
    ]


def _variation(view: wf.GageView) -> None:
    shown = [c for c in _told(view) if c.name in ("GRR", "EV", "AV", "PV")]
    tolerance = [c.tolerance for c in shown]
    figure = variation_bars(
        names=[msg("gage R&R") if c.name == "GRR" else wf.COMPONENT_TITLES[c.name] for c in shown],
        contribution=[c.contribution for c in shown],
        study=[c.study for c in shown],
        interval=([c.study_low for c in shown], [c.study_high for c in shown]),
        tolerance=None if any(share is None for share in tolerance) else [share or 0.0 for share in tolerance],
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key=f"{KEY}_variation", height=HEIGHT)
    caption(_size(view), t("{sigmas} standard deviations", sigmas=f"{view.study_sigmas:g}"), t("dotted: bounds of the verdict"))


def _interaction(view: wf.GageView) -> None:
    layout_of = view.gage.layout
    figure = interaction_lines(
        parts=layout_of.parts,
        operators=layout_of.operators,
        means=view.gage.means,
        column=view.column,
        by=view.part,
        unit=view.unit,
        **charts_look(),
    )
    test = next((e for e in view.gage.full if e.source == "interaction"), None)
    p = "" if test is None or test.p is None else t("interaction: p = {p}", p=f"{test.p:.3g}")
    charts.show(figure, alt=t("Parts by operators") + f" ({p})", key=f"{KEY}_interaction", height=HEIGHT)
    caption(t("lines that cross or run apart are an interaction"), p)


def _by(view: wf.GageView, axis: int) -> None:
    """Measurements by part (axis 0) or by operator (axis 1)."""
    of = view.gage.layout
    names, by = (of.parts, view.part) if axis == 0 else (of.operators, view.operator or "")
    shape = view.values.shape
    codes = np.broadcast_to(np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(3)]), shape)
    others = tuple(i for i in range(3) if i != axis)
    figure = values_by_group(
        labels=names,
        codes=codes.ravel(),
        values=view.values.ravel(),
        means=view.values.mean(axis=others),
        column=view.column,
        by=by,
        unit=view.unit,
        reference=float(view.values.mean()) if axis else None,
        rows=view.rows.ravel(),
        **charts_look(),
    )
    name = "by_part" if axis == 0 else "by_operator"
    charts.show(figure, alt=t("{column} by {by}", column=view.column, by=by), key=f"{KEY}_{name}", height=HEIGHT)
    caption(_size(view), t("diamonds: means"))


def _size(view: wf.GageView) -> str:
    return tn("n = {n} measurement", "n = {n} measurements", view.values.size)


def _told(view: wf.GageView) -> list[Component]:
    """The components; of one operator there are none of operators."""
    one = len(view.gage.layout.operators) == 1
    return [c for c in view.gage.components if not (one and c.name in ("AV", "operator", "interaction"))]


def _components(view: wf.GageView) -> None:
    """Every part of the variation with its interval."""
    rows = []
    for c in _told(view):
        row: dict[str, Any] = {
            "component": say(wf.COMPONENT_TITLES[c.name]),
            "sd": c.sd,
            "contribution": 100 * c.contribution,
            "study": 100 * c.study,
            "low": 100 * c.study_low,
            "high": 100 * c.study_high,
            "tolerance": None if c.tolerance is None else 100 * c.tolerance,
            "check": (view.check or {}).get(c.name),
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    table = table.drop(columns=[name for name in ("tolerance", "check") if table[name].isna().all()])
    unit = f" ({view.unit})" if view.unit else ""
    config = {
        "component": st.column_config.TextColumn(t("Component"), width=180),
        "sd": st.column_config.NumberColumn("σ" + unit, format="%.4g", help=t("Standard deviation"), width=70),
        "contribution": st.column_config.NumberColumn(t("% variance"), format="%.1f", width=90),
        "study": st.column_config.ProgressColumn(t("% study variation"), min_value=0, max_value=100, format="%.1f", width=120),
        "low": st.column_config.NumberColumn(
            t("Low"), format="%.1f", width=55, help=t("Ends of the interval of the study variation.")
        ),
        "high": st.column_config.NumberColumn(t("High"), format="%.1f", width=55),
        "tolerance": st.column_config.NumberColumn(t("% tolerance"), format="%.1f", width=90),
        "check": st.column_config.NumberColumn(
            t("By mean ranges") + unit,
            format="%.4g",
            width=90,
            help=t("The standard deviation by the older method, as a check."),
        ),
    }
    st.dataframe(
        table,
        column_config={name: config[name] for name in table.columns},
        hide_index=True,
        key=f"{KEY}_components",
        alt=t("Components of the variation"),
        height="content",
    )


def _analysis(view: wf.GageView) -> None:
    gage = view.gage
    used = gage.full if gage.reduced is None else gage.reduced
    st.markdown(f"**{t('Analysis of variance')}**")
    _effects(used, "anova")
    if gage.reduced is not None:
        caption(t("The interaction is counted as repeatability, because chance explains it."))
        with st.expander(t("With the interaction")):
            _effects(gage.full, "anova_full")


def _effects(lines: tuple[Effect, ...], name: str) -> None:
    table = pd.DataFrame(
        {
            "source": [say(SOURCES[e.source]) for e in lines],
            "df": [e.df for e in lines],
            "ss": [numbers.number(e.ss) for e in lines],
            "ms": [numbers.number(e.ms) for e in lines],
            "f": [e.f for e in lines],
            "p": [None if e.p is None else "< 0.0001" if e.p < 1e-4 else f"{e.p:.4f}" for e in lines],
        }
    )
    config = {
        "source": st.column_config.TextColumn(t("Source")),
        "df": st.column_config.NumberColumn(t("Degrees of freedom")),
        "ss": st.column_config.TextColumn(t("Sum of squares"), alignment="right"),
        "ms": st.column_config.TextColumn(t("Mean square"), alignment="right"),
        "f": st.column_config.NumberColumn("F", format="%.4g"),
        "p": st.column_config.TextColumn("p", alignment="right"),
    }
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        key=f"{KEY}_{name}",
        alt=t("Analysis of variance"),
        height="content",
        placeholder="",
    )
