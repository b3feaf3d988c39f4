"""Can the process keep what the customer allows? The six-part view: stability, distribution, indices with intervals, parts per million."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import by_spread, capability_histogram, capability_plot, caption_control, control_chart, last_subgroups
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from core.spc.capability_indices import INDEX_PARTS, Indices, index_name
from core.spc.individuals import NotDefined
from core.spc.p_words import count_words, p_words
from core.spc.probability_plot import ProbabilityPlot
from core.spc.rules import chosen_rules, rule_book
from pages.components import address_settings, charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.explore_parts import EXPLORE, export, kept_rules, numbers_of, pick
from pages.components.forms import choice_word, field_widget, form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t
from pages.components.views import go_to_view

KEY, ASKED = "capability", "capability_asked"
HEIGHT = 300
OWN = ("subgroup", "subgroup_column", "by_column", "distribution", "rules", "only_rules", "unstable_anyway")


def show(dataset: Dataset) -> None:
    """The view of one dataset."""
    names = numbers_of(dataset)
    head = st.container()
    main, rail = st.columns([0.74, 0.26], gap="medium")
    if not names:
        layout.empty(
            t("There is no column of numbers to judge"),
            t("Capability compares measured values with the customer's limits."),
            action=t("Look at the data"),
            page="prepare/data.py",
        )
        return
    column, settings = names[0], None
    with rail, notices.guard():
        column, settings = _rail(dataset, names)
    if settings is None:
        return
    state.note_in_address("column", column)
    address_settings.note(settings, owner=f"{KEY}.{dataset.id}.{column}")
    spec = dataset.column(column)
    if all(limit is None for limit in (settings.lower, settings.upper, spec.lower_limit, spec.upper_limit)):
        with head:
            layout.headline(t("What does the customer allow for '{column}'?", column=column))
        with main:
            lower, upper = (say(wf.CapabilitySettings.model_fields[name].title or "") for name in ("lower", "upper"))
            invitation = t(
                "Enter '{lower}' or '{upper}' beside this, one or both: then the values are compared with what is allowed. Limits of a column that are kept with the data stand on the Data screen.",
                lower=lower,
                upper=upper,
            )
            layout.empty_picture(invitation, icon=":material/straighten:")
        return
    try:
        view = _view(str(state.workspace().home), dataset.id, dataset.version, column, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("The capability of '{column}' cannot be told yet", column=column))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), say(view.why))
    with main, notices.guard():
        _drawn(view, settings, f"{KEY}.{dataset.id}.{column}")


@st.cache_resource(max_entries=4, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, column: str, settings: str) -> wf.CapabilityView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.capability_view(dataset, column, wf.CapabilitySettings.model_validate_json(settings))


def _rail(dataset: Dataset, names: Sequence[str]) -> tuple[str, wf.CapabilitySettings]:
    asked = st.query_params.get("column", "")
    limited = [c.name for c in dataset.columns if c.name in names and (c.lower_limit is not None or c.upper_limit is not None)]
    first = asked if asked in names else limited[0] if limited else names[0]
    column = st.selectbox(t("Column"), names, index=names.index(first), key=f"{KEY}.column.{dataset.id}")
    others = [c.name for c in dataset.columns if c.name != column]
    owner = f"{KEY}.{dataset.id}.{column}"
    generation, wanted = st.session_state.get(ASKED, {}).get(owner, (0, None))
    given = (wanted or address_settings.read(wf.CapabilitySettings, others, owner=owner)).model_dump()
    prefix, fields = f"{KEY}.{dataset.id}.{column}.{generation}", wf.CapabilitySettings.model_fields
    spec = dataset.column(column)
    chosen: dict[str, Any] = {}
    for name, own in (("lower", spec.lower_limit), ("target", spec.nominal), ("upper", spec.upper_limit)):
        label = f"{say(fields[name].title or '')}{f' ({spec.unit})' if spec.unit else ''}"
        start = given[name] if given[name] is not None else own
        value = st.number_input(
            md(label),
            value=None if start is None else float(start),
            format="%.6g",
            key=f"{prefix}.{name}",
            help=md(say(fields[name].description or "")),
            placeholder=t("none"),
        )
        chosen[name] = None if value == own else value
    chosen["subgroup"] = field_widget(fields["subgroup"], given["subgroup"], key=f"{prefix}.subgroup")
    for name in ("subgroup_column", "by_column"):
        chosen[name] = _column(name, given[name], others, prefix)
    words = {key: choice_word(key) for key in _choices("distribution")}
    chosen["distribution"] = st.selectbox(
        md(say(fields["distribution"].title or "")),
        list(words),
        index=list(words).index(given["distribution"]),
        format_func=fixed(words, words.__getitem__),
        key=f"{prefix}.distribution",
        help=md(say(fields["distribution"].description or "")),
    )
    chosen["unstable_anyway"] = field_widget(fields["unstable_anyway"], given["unstable_anyway"], key=f"{prefix}.anyway")
    with st.expander(t("More")):
        chosen |= form_from_settings(wf.CapabilitySettings, given, key=prefix, expert_only=True, skip=OWN)
    rules = {name: given[name] for name in ("rules", "only_rules")} | kept_rules(dataset.id)
    settings = wf.CapabilitySettings.read(rules | chosen)
    book = chosen_rules(rule_book(settings.rules), settings.only_rules)
    caption(t("Stable by the rules of {book}, as chosen on the control chart.", book=say(book.title)))
    return column, settings


def _choices(name: str) -> Sequence[str]:
    from typing import get_args

    return get_args(wf.CapabilitySettings.model_fields[name].annotation)


def _column(name: str, value: str | None, names: Sequence[str], prefix: str) -> str | None:
    """A column of the table, or none."""
    field = wf.CapabilitySettings.model_fields[name]
    title, about = say(field.title or ""), say(field.description or "")
    return pick(title, names, value, key=f"{prefix}.{name}", about=about, none=t("none"))


def _drawn(view: wf.CapabilityView, settings: wf.CapabilitySettings, owner: str) -> None:
    layout.figures(_figures(view))
    if view.instability is not None:
        _unstable(view, settings, owner)
    left, right = st.columns(2, gap="small")
    with left:
        _histogram(view)
    with right:
        _plot(view)
    for cell, chart, found, name in zip(
        st.columns(2, gap="small"), view.charts, view.signals, ("level", "spread"), strict=True
    ):
        with cell:
            column = t("normal scores of {column}", column=view.column) if view.charted == "scores" else view.column
            unit = "" if view.charted == "scores" else view.unit
            figure = control_chart(
                chart=chart,
                signals=found,
                column=column,
                unit=unit,
                rows=view.rows,
                title=chart.statistic,
                **charts_look(),
            )
            charts.show(figure, alt=say(view.headline), key=f"{KEY}_{name}", height=HEIGHT)
            caption(say(caption_control(chart)))
    left, right = st.columns(2, gap="small")
    with left:
        figure = last_subgroups(recent=view.recent, mean=view.mean, column=view.column, unit=view.unit, **charts_look())
        charts.show(figure, alt=t("The last values of {column}", column=view.column), key=f"{KEY}_recent", height=HEIGHT)
    with right:
        _tables(view)
    _strata(view)
    layout.notes(view.notes)
    export(t("Capability (CSV)"), f"capability-{view.column}.csv", partial(wf.export_capability, view), key=f"{KEY}.export")
    layout.next_step(
        "learn/train.py", t("Train a model"), t("A model says before the measurement which parts will lie outside.")
    )


def _figures(view: wf.CapabilityView) -> list[Figure]:
    items = []
    for found, within in ((view.overall, False), (view.within, True)):
        name = index_name("worse", within=within)
        index = found if isinstance(found, NotDefined) else found.worse
        if isinstance(index, NotDefined):
            items.append(Figure(name, "–", t("not defined"), help=say(index.reason)))
        else:
            span = f"{index.low:.2f} – {index.high:.2f}" if index.low is not None and index.high is not None else ""
            percent = f"{100 * view.confidence:g} %"
            beside = t("{percent}: {span}", percent=percent, span=span) if span else ""
            items.append(Figure(name, f"{index.value:.2f}", beside, help=_meaning(within)))
    expected = "–" if isinstance(view.expected_overall, NotDefined) else count_words(view.expected_overall.total)
    beside = t("expected: {n}", n=expected)
    about = t("Parts per million outside the specification limits, as observed; below it what the distribution lets expect.")
    items.append(Figure(t("Outside (ppm)"), count_words(view.observed.total), beside, help=about))
    test = view.normality
    if isinstance(test, NotDefined):
        items.append(Figure(t("Values"), numbers.number(view.n), say(test.reason)))
    else:
        title = t("none") if isinstance(view.fit, NotDefined) else say(view.fit.title)
        items.append(Figure(t("Distribution"), title, f"n = {numbers.number(view.n)}", help=say(test.sentence)))
    return items


def _meaning(within: bool) -> str:
    if within:
        return t("From the spread within subgroups: what the process could keep without shifts and drift.")
    return t("From the spread of all values: what the customer got.")


def _unstable(view: wf.CapabilityView, settings: wf.CapabilitySettings, owner: str) -> None:
    """Why there is no capability, with the two ways on."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":orange[:material/warning:] {md(say(view.advice or msg('')))}")
        _breaches(view)
        with st.container(horizontal=True, gap="small"):
            chart = t("Look at the control chart")
            icon = ":material/monitoring:"
            st.button(chart, key=f"{KEY}.to_chart", icon=icon, on_click=go_to_view, args=("one",), kwargs={"key": EXPLORE})
            if not view.is_past_only:
                anyway = settings.with_values(unstable_anyway=True)
                st.button(t("Tell past performance anyway"), key=f"{KEY}.anyway", on_click=_ask, args=(owner, anyway))


def _breaches(view: wf.CapabilityView) -> None:
    """The rules that are broken, by which the process is not stable."""
    kinds = {str(chart.statistic): chart.kind for chart in view.charts}
    rows = [
        {
            "chart": kinds[str(line.chart)],
            "pattern": say(line.pattern),
            "times": f"{numbers.number(line.count)} ({count_words(line.expected) if line.expected >= 0.01 else '< 0.01'})",
            "row": line.row,
            "why": say(line.why),
        }
        for line in view.breaches
    ]
    config = {
        "chart": st.column_config.TextColumn(t("Chart"), width=60),
        "pattern": st.column_config.TextColumn(t("Pattern")),
        "times": st.column_config.TextColumn(t("Times (chance)"), width=110, alignment="right"),
        "row": st.column_config.NumberColumn(t("First at row"), format="localized", width=90),
        "why": st.column_config.TextColumn(t("Why it counts")),
    }
    table = pd.DataFrame(rows)
    st.dataframe(
        table, column_config=config, hide_index=True, key=f"{KEY}_breaches", alt=t("Rules that are broken"), height="content"
    )


def _ask(owner: str, settings: wf.CapabilitySettings) -> None:
    """What a button asks for, of one column: another one is judged by its own settings."""
    asked = st.session_state.setdefault(ASKED, {})
    asked[owner] = (asked.get(owner, (0, None))[0] + 1, settings)


def _histogram(view: wf.CapabilityView) -> None:
    figure = capability_histogram(
        edges=view.edges,
        counts=view.counts,
        densities=[(d.key, d.values, d.density) for d in view.densities],
        limits=(view.spec.lower, view.spec.target, view.spec.upper),
        column=view.column,
        unit=view.unit,
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key=f"{KEY}_histogram", height=HEIGHT + 40)
    caption(t("n = {n} rows", n=view.n), t("{n} empty", n=view.n_empty) if view.n_empty else "")


def _plot(view: wf.CapabilityView) -> None:
    if not isinstance(view.plot, ProbabilityPlot):
        caption(say(view.plot.reason))
        return
    figure = capability_plot(plot=view.plot, column=view.column, unit=view.unit, **charts_look())
    alt = t("Probability plot of {column}", column=view.column)
    charts.show(figure, alt=alt, key=f"{KEY}_plot", height=HEIGHT + 40)
    title = "" if isinstance(view.fit, NotDefined) else say(view.fit.title)
    test = view.normality
    caption(title, "" if isinstance(test, NotDefined) else t("normal: A² {a2}, {p}", a2=f"{test.a2:.3g}", p=p_words(test.p)))


def _tables(view: wf.CapabilityView) -> None:
    """All indices with their intervals, and the parts per million."""
    rows: list[dict[str, Any]] = []
    for found, within in ((view.within, True), (view.overall, False)):
        if isinstance(found, Indices):
            rows += _index_rows(found, within)
    if rows:
        config = {
            "index": st.column_config.TextColumn(t("Index")),
            "value": st.column_config.NumberColumn(t("Value"), format="%.3f"),
            "low": st.column_config.NumberColumn(t("Low"), format="%.3f"),
            "high": st.column_config.NumberColumn(t("High"), format="%.3f"),
        }
        st.dataframe(
            pd.DataFrame(rows), column_config=config, hide_index=True, key=f"{KEY}_indices", alt=t("Indices"), height="content"
        )
    words = {"observed": t("observed"), "expected within": t("expected within"), "expected overall": t("expected overall")}
    ppm = [
        {"ppm": words[name], **{part: _ppm_or_none(getattr(o, part)) for part in ("below", "above", "total")}}
        for name, o in view.parts_per_million
        if not isinstance(o, NotDefined)
    ]
    config = {
        "ppm": st.column_config.TextColumn(t("Parts per million")),
        "below": st.column_config.TextColumn(t("Below"), alignment="right"),
        "above": st.column_config.TextColumn(t("Above"), alignment="right"),
        "total": st.column_config.TextColumn(t("Together"), alignment="right"),
    }
    st.dataframe(pd.DataFrame(ppm), column_config=config, hide_index=True, key=f"{KEY}_ppm", alt=t("Parts per million"))


def _ppm_or_none(value: float | None) -> str:
    return "–" if value is None else count_words(value)


def _index_rows(found: Indices, within: bool) -> list[dict[str, Any]]:
    rows = []
    for part in INDEX_PARTS[: 4 if within else 5]:
        index = getattr(found, part)
        if not isinstance(index, NotDefined):
            low, high = (float("nan") if end is None else end for end in (index.low, index.high))
            rows.append({"index": index_name(part, within=within), "value": index.value, "low": low, "high": high})
    return rows


def _strata(view: wf.CapabilityView) -> None:
    if not view.strata:
        return
    table = pd.DataFrame(
        {
            "name": [s.name for s in view.strata],
            "n": [s.n for s in view.strata],
            "mean": ["–" if s.mean is None else by_spread(s.mean, s.sd or view.sd) for s in view.strata],
            "sd": [numbers.number(s.sd) for s in view.strata],
            "ppk": [s.ppk for s in view.strata],
            "low": [s.low for s in view.strata],
            "high": [s.high for s in view.strata],
            "why": ["" if s.why_not is None else say(s.why_not) for s in view.strata],
        }
    )
    config = {
        "name": st.column_config.TextColumn(t("Stratum")),
        "n": st.column_config.NumberColumn(t("Rows"), format="localized"),
        "mean": st.column_config.TextColumn(t("Mean"), alignment="right"),
        "sd": st.column_config.TextColumn(t("Standard deviation"), alignment="right"),
        "ppk": st.column_config.NumberColumn("Ppk", format="%.2f"),
        "low": st.column_config.NumberColumn(t("Low"), format="%.2f"),
        "high": st.column_config.NumberColumn(t("High"), format="%.2f"),
        "why": st.column_config.TextColumn(t("Why not")),
    }
    st.dataframe(table, column_config=config, hide_index=True, key=f"{KEY}_strata", alt=t("Strata"))
