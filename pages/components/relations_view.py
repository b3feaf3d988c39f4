"""Which columns hang together, what differs, what occurs most, what follows what: four questions to the columns of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import workflows as wf
from core.charts import strength_map
from core.data.dataset import Dataset
from core.errors import Problem
from core.spc.dependence import Pair
from pages.components import address_settings, charts, layout, notices, numbers, relations_pictures, state, strata_view
from pages.components.choices import fixed
from pages.components.explore_parts import export
from pages.components.forms import field_widget
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "relations"
TOGETHER, DIFFERS, MOST, FOLLOWS = "together", "differs", "most", "follows"
SHOWN_PAIRS = 100
SEVERAL = "|"


def show(dataset: Dataset) -> None:
    """The view of one dataset, one question at a time, kept in the address as `?question=`."""
    titles = {
        TOGETHER: t("Which columns hang together"),
        DIFFERS: t("Which machine, lot or shift differs"),
        MOST: t("What occurs most"),
        FOLLOWS: t("Which sensor follows which"),
    }
    start = st.query_params.get("question", "")
    question = st.segmented_control(
        t("Question"),
        list(titles),
        default=start if start in titles else TOGETHER,
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key=f"{KEY}_question",
        label_visibility="collapsed",
    )
    if question != st.session_state.setdefault(f"{KEY}_shown", question):
        for name in ("set", "column", "by", "other"):  # what one question was told says nothing to another
            state.note_in_address(name, "")
        st.session_state[f"{KEY}_shown"] = question
    state.note_in_address("question", "" if question == TOGETHER else str(question))
    head = st.container()
    main, rail = st.columns([0.76, 0.24], gap="medium")
    views = {TOGETHER: _show, DIFFERS: strata_view.show, MOST: strata_view.show_pareto, FOLLOWS: strata_view.show_lags}
    views[str(question)](dataset, head, main, rail)


def _show(dataset: Dataset, head: DeltaGenerator, main: DeltaGenerator, rail: DeltaGenerator) -> None:
    settings = None
    with rail, notices.guard():
        settings = _rail(dataset)
    if settings is None:
        return
    try:
        view = _view(str(state.workspace().home), dataset.id, dataset.version, settings.model_dump_json())
    except Problem as problem:
        with head:
            layout.headline(t("Which columns hang together cannot be told"))
        with main:
            notices.problem(problem)
        return
    with head:
        layout.headline(say(view.headline), _why())
    with main, notices.guard():
        _drawn(view, dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def _view(home: str, dataset_id: str, version: int, settings: str) -> wf.RelationsView:
    """A frozen record, so that sessions may share it."""
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.relations_view(dataset, wf.RelationsSettings.model_validate_json(settings))


def _rail(dataset: Dataset) -> wf.RelationsSettings:
    """Which columns, on how many rows; no column chosen means all. The columns stand in the address by themselves."""
    names = [c.name for c in dataset.columns if c.kind != "time" and c.role not in ("time", "ignore")]
    given = address_settings.read(wf.RelationsSettings, ())
    prefix, fields = f"{KEY}.{dataset.id}", wf.RelationsSettings.model_fields
    start = [name for name in st.query_params.get("columns", "").split(SEVERAL) if name in names]
    columns = st.multiselect(
        md(say(fields["columns"].title or "")),
        names,
        default=start,
        key=f"{prefix}.columns",
        placeholder=t("all columns"),
        help=t("Numbers, and texts of up to 30 different values; none chosen: all."),
    )
    chosen: dict[str, Any] = {"rows": field_widget(fields["rows"], given.rows, key=f"{prefix}.rows")}
    with st.expander(t("More")):
        chosen["seed"] = field_widget(fields["seed"], given.seed, key=f"{prefix}.seed")
    settings = wf.RelationsSettings.read({k: v for k, v in chosen.items() if v is not None})
    address_settings.note(settings)
    state.note_in_address("columns", SEVERAL.join(columns))
    return settings.with_values(columns=", ".join(columns)) if columns else settings


def _why() -> str:
    return t(
        "Strength is the largest of three: Pearson's r for a straight line, Spearman's for any rise or fall, and mutual information for "
        "any pattern at all. What hangs together need not be cause and effect."
    )


def _drawn(view: wf.RelationsView, dataset: Dataset) -> None:
    layout.figures(_figures(view))
    left, right = st.columns([0.52, 0.48], gap="small")
    with left:
        figure = strength_map(names=view.columns, strength=_matrix(view), **charts_look())
        charts.show(figure, alt=say(view.headline), key=f"{KEY}_map")
        caption(
            t("n = {n} of {of} rows", n=numbers.number(view.n_rows), of=numbers.number(view.of_rows)),
            t("strength without sign: 0 none, 1 full"),
        )
    with right:
        _table(view)
    relations_pictures.show(view, dataset)
    layout.notes(view.notes)
    export(t("All pairs (CSV)"), "relations.csv", lambda path: wf.export_relations(view, path), key=f"{KEY}.export")
    layout.next_step(
        "learn/train.py",
        t("Train a model"),
        t("A model uses several columns at once, and says on unseen rows what that is worth."),
    )


def _figures(view: wf.RelationsView) -> list[Figure]:
    clear = view.clear
    bent = sum(pair.is_bent for pair in clear)
    first = clear[0] if clear else None
    return [
        Figure(t("Clear pairs"), numbers.number(len(clear)), tn("of {n} pair", "of {n} pairs", len(view.pairs))),
        Figure(
            t("Closest pair"),
            "–" if first is None else f"{first.strength:.2f}",
            "" if first is None else f"{first.one} – {first.other}",
            help="" if first is None else f"{first.one} – {first.other}",
        ),
        Figure(
            t("Bent"),
            numbers.number(bent),
            t("no straight line"),
            help=t("Pairs whose mutual information is clearly larger than both correlations: a bend, a peak or groups."),
        ),
        Figure(t("Columns"), numbers.number(len(view.columns)), tn("on {n} row", "on {n} rows", view.n_rows)),
    ]


def _matrix(view: wf.RelationsView) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Strength of each pair (k, k); NaN where a pair could not be told, 1 of a column with itself."""
    place = {name: i for i, name in enumerate(view.columns)}
    cells = np.full((len(place), len(place)), np.nan)
    np.fill_diagonal(cells, 1.0)
    for pair in view.pairs:
        i, j = place[pair.one], place[pair.other]
        cells[i, j] = cells[j, i] = pair.strength
    return cells


def _table(view: wf.RelationsView) -> None:
    shown = (view.clear or view.pairs)[:SHOWN_PAIRS]
    if not shown:
        return
    st.markdown(f"**{md(t('Clear pairs, the closest first') if view.clear else t('All pairs, the closest first'))}**")
    table = pd.DataFrame(
        {
            "one": [p.one for p in shown],
            "other": [p.other for p in shown],
            "strength": [p.strength for p in shown],
            "kind": [_kind(p) for p in shown],
            "pearson": [p.pearson for p in shown],
            "spearman": [p.spearman for p in shown],
            "information": [p.information for p in shown],
        }
    )
    config = {
        "one": st.column_config.TextColumn(t("Column"), width=115),
        "other": st.column_config.TextColumn(t("Other column"), width=115),
        "strength": st.column_config.ProgressColumn(t("Strength"), width=85, min_value=0, max_value=1, format="%.2f"),
        "pearson": st.column_config.NumberColumn("r", format="%.2f", help=t("Pearson's correlation: a straight line.")),
        "spearman": st.column_config.NumberColumn("ρ", format="%.2f", help=t("Spearman's correlation: any rise or fall.")),
        "information": st.column_config.NumberColumn(
            t("Information"), format="%.2f", help=t("Mutual information on the scale of r: any pattern.")
        ),
        "kind": st.column_config.TextColumn(t("Shape")),
    }
    st.dataframe(
        table, column_config=config, hide_index=True, key=f"{KEY}_pairs", alt=t("Pairs of columns"), placeholder="", height=330
    )
    if len(view.clear) > SHOWN_PAIRS:
        caption(t("the first {n} of {of}; all are in the file", n=SHOWN_PAIRS, of=len(view.clear)))


def _kind(pair: Pair) -> str:
    if pair.pearson is None or pair.spearman is None:
        return t("categories")
    if pair.is_bent:
        return t("bent")
    return t("rises") if pair.spearman > 0 else t("falls")
