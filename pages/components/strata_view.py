"""Which machine, lot or shift differs, what occurs most, which sensor follows which: three questions of the view Relations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import workflows as wf
from core.charts import lag_chart, pareto_chart, values_by_group
from core.data.dataset import Dataset
from core.errors import Problem
from core.messages import msg
from core.spc.strata import Strata
from pages.components import address_settings, charts, layout, notices, numbers, state
from pages.components.explore_parts import asked, categories_first, export, next_view, numbers_of, pick
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

DRAWN_ROWS = 2_000
DEFECTS = ("defect", "fault", "failure", "reason", "cause", "code", "fehler", "ursache", "缺陷", "不良", "故障", "原因")


def show(dataset: Dataset, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    """Strata: a column by machine, lot or shift."""
    column = by = None
    with rail, notices.guard():
        values = numbers_of(dataset)
        targets = [c.name for c in dataset.with_role("target") if c.name in values]
        start = asked("column", values, (targets or values or [None])[0])
        column = pick(t("Column"), values, start, key=f"strata.column.{dataset.id}")
        names = [name for name in categories_first(dataset) if name != column]
        about = t("Machine, lot, shift or any other column of categories, 50 different values at most.")
        word = t("the one that tells most")
        by = pick(t("By"), names, asked("by", names, None), key=f"strata.by.{dataset.id}", about=about, none=word)
    if column is None:
        with head:
            layout.headline(t("There is no column of numbers to compare"))
        return
    state.note_in_address("column", column)
    state.note_in_address("by", by or "")
    try:
        view = _strata(*_key(dataset), column, by)
    except Problem as problem:
        with head:
            layout.headline(t("Whether anything differs in '{column}' cannot be told", column=column))
        with main:
            notices.problem(problem)
        return
    with head:
        why = t(
            "A difference counts where both the analysis of variance and the test by ranks find it at 1 %, with as many columns looked "
            "at. Strata may differ for a reason that lies elsewhere: a machine that always gets the hard parts looks bad."
        )
        layout.headline(say(view.headline), why)
    with main, notices.guard():
        _drawn_strata(view, dataset)


def show_pareto(dataset: Dataset, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    """What occurs or costs most."""
    column = settings = None
    with rail, notices.guard():
        names, prefix = categories_first(dataset), f"pareto.{dataset.id}"
        telling = next((name for name in names if any(word in name.lower() for word in DEFECTS)), None)
        column = pick(t("Column"), names, asked("column", names, telling or (names or [None])[0]), key=f"{prefix}.column")
        given = address_settings.read(wf.ParetoSettings, numbers_of(dataset))
        field = wf.ParetoSettings.model_fields["cost_column"]
        costs = [name for name in numbers_of(dataset) if name != column]
        cost = pick(
            say(field.title or ""),
            costs,
            given.cost_column,
            key=f"{prefix}.cost",
            about=say(field.description or ""),
            none=t("none"),
        )
        with st.expander(t("More")):
            chosen = form_from_settings(wf.ParetoSettings, given.model_dump(), key=prefix, skip=("cost_column",))
        settings = wf.ParetoSettings.read({k: v for k, v in {"cost_column": cost, **chosen}.items() if v is not None})
    if column is None or settings is None:
        return
    state.note_in_address("column", column)
    address_settings.note(settings)
    try:
        view = _pareto(*_key(dataset), column, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("What occurs most in '{column}' cannot be told", column=column))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline))
    with main, notices.guard():
        _drawn_pareto(view)


def show_lags(dataset: Dataset, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    """Which sensor follows which, and by how much."""
    column = other = settings = None
    with rail, notices.guard():
        names, prefix = numbers_of(dataset), f"lags.{dataset.id}"
        column = pick(t("Sensor"), names, asked("column", names, (names or [None])[0]), key=f"{prefix}.column")
        others = [name for name in names if name != column]
        other = pick(t("Other sensor"), others, asked("other", others, (others or [None])[0]), key=f"{prefix}.other.{column}")
        given = address_settings.read(wf.LagSettings, ())
        settings = wf.LagSettings.read(form_from_settings(wf.LagSettings, given.model_dump(), key=prefix))
    if column is None or other is None or settings is None:
        with head:
            layout.headline(t("There are no two columns of numbers to compare"))
        return
    state.note_in_address("column", column)
    state.note_in_address("other", other)
    address_settings.note(settings)
    try:
        view = _lags(*_key(dataset), column, other, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("Whether '{one}' and '{other}' follow each other cannot be told", one=column, other=other))
        with main:
            notices.problem(problem)
        return
    with head:
        why = t(
            "Rows of a sensor are alike, so that two sensors that have nothing to do with each other still show some correlation at some "
            "lag. The dashed band is what such sensors reach in 95 of 100 cases."
        )
        layout.headline(say(view.headline), why)
    with main, notices.guard():
        _drawn_lags(view, dataset)


def _key(dataset: Dataset) -> tuple[str, str, int]:
    return str(state.workspace().home), dataset.id, dataset.version


@st.cache_resource(max_entries=16, show_spinner=False)
def _strata(home: str, dataset_id: str, version: int, column: str, by: str | None) -> wf.StrataView:
    """A frozen record, so that sessions may share it; so are those below."""
    return wf.strata_view(wf.open_dataset(state.workspace(), dataset_id, version), column, by)


@st.cache_resource(max_entries=16, show_spinner=False)
def _pareto(home: str, dataset_id: str, version: int, column: str, settings: str) -> wf.ParetoView:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.pareto_view(dataset, column, wf.ParetoSettings.model_validate_json(settings))


@st.cache_resource(max_entries=16, show_spinner=False)
def _lags(home: str, dataset_id: str, version: int, column: str, other: str, settings: str) -> wf.LagView:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.lag_view(dataset, column, other, wf.LagSettings.model_validate_json(settings))


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(home: str, dataset_id: str, version: int, column: str, by: str) -> wf.CellsView:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.drawn_cells(dataset, (column, by), most=DRAWN_ROWS, labelled=(by,))


def _drawn_strata(view: wf.StrataView, dataset: Dataset) -> None:
    by = next(iter(view.found))
    told = view.found[by]
    layout.figures(_strata_figures(view, by, told))
    found = _cells(*_key(dataset), view.column, by)
    values, groups = found.columns
    place = {s.label: i for i, s in enumerate(told.strata)}
    codes = np.array([place.get(label, -1) for label in groups.labels] + [-1])[np.asarray(groups.codes)]
    total = sum(s.n for s in told.strata)
    figure = values_by_group(
        labels=[s.label for s in told.strata],
        codes=codes,
        values=np.asarray(values.values, float),
        means=[s.mean for s in told.strata],
        interval=view.mean_intervals(by),
        column=view.column,
        by=by,
        unit=view.unit,
        reference=sum(s.n * s.mean for s in told.strata) / total,
        joined=False,
        rows=found.rows,
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key="strata_chart", height=380)
    caption(
        t("n = {n} rows", n=numbers.number(told.n)),
        t("{n} of {of} rows drawn", n=numbers.number(len(found.rows)), of=numbers.number(found.of_rows)),
        t("diamonds: means with 95 % intervals"),
        t("the clearest difference first"),
    )
    _strata_table(view, told)
    if len(view.found) > 1:
        _columns_table(view)
    layout.notes(view.notes)
    export(t("Strata (CSV)"), f"strata-{view.column}.csv", lambda path: wf.export_strata(view, path), key="strata.export")
    next_view(
        "one", t("Look at the control chart"), t("When it began to differ shows in the order of the rows."), key="strata.next"
    )


def _strata_figures(view: wf.StrataView, by: str, told: Strata) -> list[Figure]:
    first = told.strata[0]
    p = [value for value in (told.anova_p, told.kruskal_p) if value is not None]
    chance = t("by chance {percent}", percent=numbers.percent(told.by_chance))
    return [
        Figure(
            t("Largest difference"),
            numbers.number(first.difference, view.unit),
            t("'{label}' against the others", label=first.label),
        ),
        Figure(
            t("Of the variance"), numbers.percent(told.eta2), chance, help=t("Share of the variance that lies between strata.")
        ),
        Figure(t("By chance alone"), _p(max(p)) if p else "–", t("larger p of two tests")),
        Figure(t("Strata"), numbers.number(len(told.strata)), tn("on {n} row", "on {n} rows", told.n)),
    ]


def _p(value: float) -> str:
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"


def _strata_table(view: wf.StrataView, told: Strata) -> None:
    unit = f" ({view.unit})" if view.unit else ""
    table = pd.DataFrame(
        {
            "stratum": [s.label for s in told.strata],
            "n": [s.n for s in told.strata],
            "mean": [s.mean for s in told.strata],
            "difference": [s.difference for s in told.strata],
            "effect": [s.effect for s in told.strata],
            "sd": [s.sd for s in told.strata],
            "median": [s.median for s in told.strata],
            "outside": [None if s.outside is None else 100 * s.outside for s in told.strata],
            "p": [None if s.p is None else "< 0.0001" if s.p < 1e-4 else f"{s.p:.4f}" for s in told.strata],
        }
    )
    if table["outside"].isna().all():
        table = table.drop(columns="outside")
    config = {
        "stratum": st.column_config.TextColumn(t("Stratum")),
        "n": st.column_config.NumberColumn(t("Rows"), format="localized"),
        "mean": st.column_config.NumberColumn(t("Mean") + unit, format="%.5g"),
        "difference": st.column_config.NumberColumn(
            t("Difference") + unit, format="%+.4g", help=t("Its mean less the mean of all other rows.")
        ),
        "effect": st.column_config.NumberColumn(
            t("in σ"), format="%+.2f", help=t("The same in standard deviations within strata.")
        ),
        "sd": st.column_config.NumberColumn("σ" + unit, format="%.4g", help=t("Standard deviation")),
        "median": st.column_config.NumberColumn(t("Median") + unit, format="%.5g"),
        "outside": st.column_config.NumberColumn(t("Outside (%)"), format="%.2f", help=t("Beyond the specification limits.")),
        "p": st.column_config.TextColumn("p", alignment="right", help=t("By chance alone, with as many strata looked at.")),
    }
    st.dataframe(
        table,
        column_config={name: config[name] for name in table.columns},
        hide_index=True,
        key="strata_table",
        alt=t("Strata"),
        placeholder="",
    )


def _columns_table(view: wf.StrataView) -> None:
    """The columns of categories beside each other."""
    st.markdown(f"**{md(t('Columns of categories, the one that tells most first'))}**")
    found = view.found
    table = pd.DataFrame(
        {
            "by": list(found),
            "strata": [len(s.strata) for s in found.values()],
            "share": [100 * s.eta2 for s in found.values()],
            "chance": [100 * s.by_chance for s in found.values()],
            "differs": [t("differs") if view.differs(name) else t("no more than by chance") for name in found],
        }
    )
    config = {
        "by": st.column_config.TextColumn(t("Column")),
        "strata": st.column_config.NumberColumn(t("Strata")),
        "share": st.column_config.ProgressColumn(t("% of the variance"), min_value=0, max_value=100, format="%.1f"),
        "chance": st.column_config.NumberColumn(t("by chance (%)"), format="%.1f"),
        "differs": st.column_config.TextColumn(t("Finding")),
    }
    st.dataframe(table, column_config=config, hide_index=True, key="strata_columns", alt=t("Columns of categories"))


def _drawn_pareto(view: wf.ParetoView) -> None:
    found = view.pareto
    total = float(found.weights.sum())
    layout.figures(
        [
            Figure(
                t("Few that make most"),
                numbers.number(found.n_few),
                tn("of {n} category", "of {n} categories", len(found.categories)),
            ),
            Figure(
                t("They make"), numbers.percent(found.reached), t("asked for: {percent}", percent=numbers.percent(found.share))
            ),
            Figure(t("Largest"), numbers.percent(float(found.weights[0]) / total), found.categories[0]),
            Figure(t("Total"), numbers.number(total, view.unit), view.cost or t("rows")),
        ]
    )
    weight = (
        msg("rows")
        if view.cost is None
        else msg("{name} ({unit})", name=view.cost, unit=view.unit)
        if view.unit
        else msg("{name}", name=view.cost)
    )
    figure = pareto_chart(
        labels=found.categories,
        weights=found.weights,
        cumulative=found.cumulative,
        n_few=found.n_few,
        share=found.share,
        column=view.column,
        weight=weight,
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key="pareto_chart", height=400)
    caption(
        t("n = {n} rows", n=numbers.number(int(found.counts.sum()))),
        t("line: share up to here"),
        t("dotted: {percent}", percent=numbers.percent(found.share)),
    )
    table = pd.DataFrame(
        {
            "category": found.categories,
            "rows": found.counts,
            "weight": found.weights,
            "share": 100 * found.weights / total,
            "reached": 100 * found.cumulative,
        }
    )
    if view.cost is None:
        table = table.drop(columns="weight")
    config = {
        "category": st.column_config.TextColumn(t("Category")),
        "rows": st.column_config.NumberColumn(t("Rows"), format="localized"),
        "weight": st.column_config.NumberColumn(md(view.cost or ""), format="localized"),
        "share": st.column_config.ProgressColumn(t("Share (%)"), min_value=0, max_value=100, format="%.1f"),
        "reached": st.column_config.NumberColumn(t("Up to here (%)"), format="%.1f"),
    }
    st.dataframe(
        table,
        column_config={name: config[name] for name in table.columns},
        hide_index=True,
        key="pareto_table",
        alt=t("Categories by weight"),
    )
    layout.notes(view.notes)
    export(t("Categories (CSV)"), f"pareto-{view.column}.csv", lambda path: wf.export_pareto(view, path), key="pareto.export")
    layout.next_step(
        "learn/train.py", t("Train a model"), t("A model says from the settings and sensors when the largest of them comes.")
    )


def _drawn_lags(view: wf.LagView, dataset: Dataset) -> None:
    found = view.lagged
    beside = "" if view.time is None else numbers.number(abs(view.time), view.step_unit)
    layout.figures(
        [
            Figure(t("Lag"), tn("{n} row", "{n} rows", abs(found.best)), beside),
            Figure(t("Correlation there"), f"{found.r_best:.2f}", t("chance reaches {band}", band=f"{found.band:.2f}")),
            Figure(
                t("Rows"), numbers.number(found.n), t("worth {n} independent ones", n=numbers.number(round(found.n_effective)))
            ),
        ]
    )
    figure = lag_chart(
        lags=found.lags,
        r=found.r,
        band=found.band,
        best=found.best,
        names=(view.column, view.other),
        is_clear=found.is_clear,
        **charts_look(),
    )
    charts.show(figure, alt=say(view.headline), key="lag_chart", height=400)
    step = "" if view.step is None else t("one row is {step}", step=numbers.number(view.step, view.step_unit))
    group = next((c.name for c in dataset.with_role("group") if c.name not in (view.column, view.other)), None)
    apart = "" if group is None else t("each '{group}' by itself", group=group)
    caption(t("n = {n} rows", n=numbers.number(found.n)), step, apart, t("dashed: what two unrelated sensors reach"))
    layout.notes(view.notes)
    name = f"lags-{view.column}-{view.other}.csv"
    export(t("Correlation by lag (CSV)"), name, lambda path: wf.export_lags(view, path), key="lags.export")
    layout.next_step("learn/train.py", t("Train a forecast"), t("A sensor that others follow tells early what they will do."))
