"""Do people who sort parts agree? With themselves, with each other and with the standard: shares, kappas, misses and false alarms."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import workflows as wf
from core.charts import interval_chart
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import Message, msg
from core.spc.agreement import Agreement, Share
from core.spc.individuals import NotDefined
from pages.components import address_settings, charts, layout, notices, numbers, state
from pages.components.explore_parts import NOBODY, asked, categories_first, export, figure_note, pick
from pages.components.forms import field_widget, form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.study_example import example
from pages.components.study_guess import StudyColumns
from pages.components.text import say, t, tn

KEY = "agreement"
MOST_KAPPAS = 6
"""Categories with a kappa of their own in the table."""
SHORT_WORDS = {"acceptable": msg("good"), "conditional": msg("in part"), "unacceptable": msg("poor")}
KAPPA_WORDS = {
    "acceptable": msg("kappa above 0.75: they agree well"),
    "conditional": msg("kappa from 0.40 to 0.75: they agree in part"),
    "unacceptable": msg("kappa below 0.40: they agree poorly"),
}


def show(dataset: Dataset, guess: StudyColumns, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    """The view of ratings of one dataset."""
    column = part = who = settings = None
    names = categories_first(dataset)
    prefix = f"{KEY}.{dataset.id}"
    with rail, notices.guard():
        column = pick(t("Rating"), names, asked("column", names, guess.rating), key=f"{prefix}.column")
        about = t("Which part a row rated; each part is on several rows.")
        part = pick(t("Part"), names, asked("part", names, guess.part), key=f"{prefix}.part", about=about)
        who = pick(t("Appraiser"), names, asked("operator", names, guess.who), key=f"{prefix}.operator", none=t("none"))
        settings = _settings(dataset, guess, names, (column, part, who), prefix)
    for name, value in (("column", column), ("part", part), ("operator", who)):
        state.note_in_address(name, value or (NOBODY if name == "operator" and guess.who else ""))
    if settings is None:
        return
    address_settings.note(settings)
    if column is None or part is None:
        with head:
            layout.headline(t("Whether ratings agree is not known yet"))
        with main:
            example(is_rating=True)
        return
    try:
        view = _view(*_key(dataset), column, part, who, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("There is no agreement study of '{column}' in this table", column=column))
        with main:
            notices.problem(problem)
            example(is_rating=True)
        return
    with head:
        layout.headline(say(view.headline), _why())
    with main, notices.guard():
        _drawn(view)


def _settings(
    dataset: Dataset,
    guess: StudyColumns,
    names: list[str],
    chosen: tuple[str | None, str | None, str | None],
    prefix: str,
) -> wf.AgreementSettings:
    fields = wf.AgreementSettings.model_fields
    given = address_settings.read(wf.AgreementSettings, names)
    about = say(fields["standard_column"].description or "")
    start = given.standard_column or guess.standard
    standard = pick(t("Standard"), names, start, key=f"{prefix}.standard", about=about, none=t("none"))
    values: dict[str, Any] = {"standard_column": standard}
    categories = _categories(dataset, *chosen, standard) if standard is not None else []
    if categories:
        about = say(fields["bad"].description or "")
        values["bad"] = pick(
            say(fields["bad"].title or ""), categories, given.bad, key=f"{prefix}.bad.{chosen[0]}", about=about, none=t("none")
        )
    values["order"] = field_widget(fields["order"], given.order, key=f"{prefix}.order")
    with st.expander(t("More")):
        values |= form_from_settings(wf.AgreementSettings, given.model_dump(), key=prefix, expert_only=True)
    return wf.AgreementSettings.read({k: v for k, v in values.items() if v is not None})


def _categories(dataset: Dataset, column: str | None, part: str | None, who: str | None, standard: str) -> list[str]:
    """The categories in use; none where there is no study yet."""
    if column is None or part is None:
        return []
    try:
        plain = wf.AgreementSettings(standard_column=standard)
        return list(_view(*_key(dataset), column, part, who, plain.model_dump_json()).study.categories)
    except Problem:
        return []


def _key(dataset: Dataset) -> tuple[str, str, int]:
    return str(state.workspace().home), dataset.id, dataset.version


@st.cache_resource(max_entries=16, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, column: str, part: str, who: str | None, settings: str) -> wf.AgreementView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.agreement_view(dataset, column, part, who, wf.AgreementSettings.model_validate_json(settings))


def _why() -> str:
    return t(
        "Percent agreement counts parts on which all ratings are alike; some of that is chance. Kappa leaves chance out: 1 is full "
        "agreement, 0 what guessing gives."
    )


def _drawn(view: wf.AgreementView) -> None:
    layout.figures(_figures(view))
    verdict = view.main.verdict
    if verdict is not None:
        figure_note(verdict, say(KAPPA_WORDS[verdict]))
    if view.weakest is not None:
        figure_note(None, say(view.weakest))
    told = _comparisons(view)
    figure = interval_chart(
        labels=[say(name) for name, _, _ in told],
        shares=[a.parts.share for _, _, a in told],
        low=[a.parts.low for _, _, a in told],
        high=[a.parts.high for _, _, a in told],
        kinds=[kind for _, kind, _ in told],
        of=msg("comparison"),
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key=f"{KEY}_shares")
    caption(
        tn("n = {n} part", "n = {n} parts", view.main.parts.n),
        t("a part counts where all its ratings agree"),
        t("bars: exact intervals"),
    )
    _kappas(view, told)
    _mistakes(view)
    layout.notes(view.notes)
    export(
        t("Ratings (CSV)"), f"agreement-{view.column}.csv", lambda path: wf.export_agreement(view, path), key=f"{KEY}.export"
    )
    layout.next_step(
        "learn/train.py",
        t("Train a model"),
        t("A model that learns from ratings can be no better than they are: train once people agree."),
    )


def _figures(view: wf.AgreementView) -> list[Figure]:
    study, main = view.study, view.main
    p, o, r = study.codes.shape
    label = t("Parts rated right") if study.standard is not None else t("Parts rated alike")
    ends = f"{numbers.percent(main.parts.low)} – {numbers.percent(main.parts.high)}"
    items = [Figure(label, numbers.percent(main.parts.share), ends, help=_span(main.parts))]
    if isinstance(main.kappa, NotDefined):
        items.append(Figure("κ", "–", t("not defined"), help=say(main.kappa.reason)))
    else:
        kappa = main.kappa
        span = "" if kappa.low is None or kappa.high is None else f"{kappa.low:.2f} – {kappa.high:.2f}"
        items.append(Figure("κ", f"{kappa.value:.2f}", span or t("every rating agrees")))
    missed = [(m.misses, m.who) for m in study.mistakes if m.misses is not None]
    if missed:
        worst, who = max(missed, key=lambda m: m[0].share)
        about = t("Single ratings that let a bad part pass: {n} of {of}.", n=worst.agreed, of=worst.n)
        items.append(Figure(t("Most misses"), numbers.percent(worst.share), who or t("all together"), help=about))
    size = tn("n = {n} rating", "n = {n} ratings", study.codes.size)
    items.append(Figure(t("Study"), f"{p} × {o} × {r}", size, help=t("Parts × appraisers × repeats")))
    return items


def _comparisons(view: wf.AgreementView) -> list[tuple[Message, int, Agreement]]:
    """All comparisons, what each is called, and its kind: within, between, against the standard."""
    study = view.study
    told: list[tuple[Message, int, Agreement]] = []
    told += [(msg("{who}, own repeats", who=a.who) if a.who else msg("own repeats"), 0, a) for a in study.within]
    told += [(msg("{who}", who=a.who), 3, a) for a in study.pairs] if len(study.layout.operators) > 2 else []
    if study.between is not None:
        told.append((msg("all with each other"), 1, study.between))
    told += [(msg("{who} and the standard", who=a.who) if a.who else msg("with the standard"), 2, a) for a in study.against]
    if study.all_against is not None:
        told.append((msg("all and the standard"), 5, study.all_against))
    return told


def _kappas(view: wf.AgreementView, told: list[tuple[Message, int, Agreement]]) -> None:
    """Every comparison with its kappas."""
    categories = view.study.categories if 2 < len(view.study.categories) <= MOST_KAPPAS else ()
    rows = []
    for name, _, a in told:
        kappa = None if isinstance(a.kappa, NotDefined) else a.kappa
        row: dict[str, Any] = {
            "comparison": say(name),
            "agreed": t("{n} of {of}", n=a.parts.agreed, of=a.parts.n),
            "percent": 100 * a.parts.share,
            "kappa": None if kappa is None else kappa.value,
            "low": None if kappa is None else kappa.low,
            "high": None if kappa is None else kappa.high,
            "order": None
            if a.order is None or isinstance(a.order, NotDefined)
            else a.order
            if isinstance(a.order, float)
            else a.order.w,
            "words": say(a.kappa.reason) if isinstance(a.kappa, NotDefined) else say(SHORT_WORDS[a.verdict or "conditional"]),
        }
        for i, own in enumerate(a.kappas[: len(categories)]):
            row[f"kappa{i}"] = None if isinstance(own, NotDefined) else own.value
        rows.append(row)
    table = pd.DataFrame(rows)
    if table["order"].isna().all():
        table = table.drop(columns="order")
    config: dict[str, Any] = {
        "comparison": st.column_config.TextColumn(t("Comparison"), width="medium"),
        "agreed": st.column_config.TextColumn(t("Parts agreed"), alignment="right"),
        "percent": st.column_config.ProgressColumn(t("Agreement (%)"), min_value=0, max_value=100, format="%.1f"),
        "kappa": st.column_config.NumberColumn("κ", format="%.2f"),
        "low": st.column_config.NumberColumn(t("Low"), format="%.2f"),
        "high": st.column_config.NumberColumn(t("High"), format="%.2f"),
        "order": st.column_config.NumberColumn(
            "W / τ", format="%.2f", help=t("Kendall's W among ratings, τ against the standard.")
        ),
        "words": st.column_config.TextColumn(t("In words")),
    }
    config |= {f"kappa{i}": st.column_config.NumberColumn(f"κ: {name}", format="%.2f") for i, name in enumerate(categories)}
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        key=f"{KEY}_kappas",
        alt=t("Agreement and kappas"),
        height="content",
        placeholder="",
    )
    if view.study.pairs:
        caption(t("Pairs of appraisers compare each trial with the same trial of the other."))


def _mistakes(view: wf.AgreementView) -> None:
    if not view.study.mistakes:
        return
    rows = []
    for m in view.study.mistakes:
        rows.append(
            {
                "who": m.who or t("all together"),
                "misses": None if m.misses is None else 100 * m.misses.share,
                "missed": "" if m.misses is None else _span(m.misses),
                "alarms": None if m.false_alarms is None else 100 * m.false_alarms.share,
                "alarmed": "" if m.false_alarms is None else _span(m.false_alarms),
            }
        )
    config = {
        "who": st.column_config.TextColumn(t("Appraiser")),
        "misses": st.column_config.NumberColumn(
            t("Misses (%)"), format="%.1f", help=t("Ratings of bad parts that let them pass.")
        ),
        "missed": st.column_config.TextColumn(t("of the bad parts")),
        "alarms": st.column_config.NumberColumn(
            t("False alarms (%)"), format="%.1f", help=t("Ratings of good parts that called them bad.")
        ),
        "alarmed": st.column_config.TextColumn(t("of the good parts")),
    }
    st.dataframe(
        pd.DataFrame(rows),
        column_config=config,
        hide_index=True,
        key=f"{KEY}_mistakes",
        alt=t("Misses and false alarms"),
        height="content",
    )


def _span(share: Share) -> str:
    ends = f"{numbers.percent(share.low)} – {numbers.percent(share.high)}"
    return t("{n} of {of} · {span}", n=share.agreed, of=share.n, span=ends)
