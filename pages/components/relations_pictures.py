"""Pictures of how columns hang together: a pair, several columns against each other, rows by two principal components."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import streamlit as st

from core import workflows as wf
from core.charts import cross_table, pair_scatter, row_map, scatter_matrix, values_by_group
from core.data.dataset import Dataset
from core.errors import Problem
from pages.components import charts, notices, numbers, state
from pages.components.choices import fixed
from pages.components.explore_parts import pick
from pages.components.forms import form_from_settings
from pages.components.layout import caption, notes
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "relations_picture"
PAIR, SEVERAL, MAP = "pair", "several", "map"
OFFERED_PAIRS = 200
MOST_SEVERAL = 5
AT_FIRST = 4
PAIR_ROWS, MATRIX_ROWS = 2_000, 1_000
MOST_LABELS = 20


def show(view: wf.RelationsView, dataset: Dataset) -> None:
    """One of the pictures."""
    titles = {PAIR: t("Two columns"), SEVERAL: t("Several columns"), MAP: t("Map of rows")}
    start = st.query_params.get("picture", "")
    chosen = st.segmented_control(
        t("Picture"),
        list(titles),
        default=start if start in titles else PAIR,
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key=f"{KEY}_chosen",
        label_visibility="collapsed",
    )
    state.note_in_address("picture", "" if chosen == PAIR else str(chosen))
    with notices.guard():
        if chosen == MAP:
            _map(view, dataset)
        elif chosen == SEVERAL:
            _several(view, dataset)
        else:
            _pair(view, dataset)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(home: str, dataset_id: str, version: int, names: tuple[str, ...], most: int, seed: int) -> wf.CellsView:
    """A frozen record, so that sessions may share it."""
    return wf.drawn_cells(wf.open_dataset(state.workspace(), dataset_id, version), names, most=most, seed=seed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _mapped(home: str, dataset_id: str, version: int, settings: str) -> wf.RowMap:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.row_map(dataset, wf.RowMapSettings.model_validate_json(settings))


def _key(dataset: Dataset) -> tuple[str, str, int]:
    return str(state.workspace().home), dataset.id, dataset.version


def _pair(view: wf.RelationsView, dataset: Dataset) -> None:
    pairs = view.pairs[:OFFERED_PAIRS]
    if not pairs:
        st.markdown(md(t("There is no pair of columns that change.")))
        return
    words = {i: f"{p.one} – {p.other} ({p.strength:.2f})" for i, p in enumerate(pairs)}
    asked = st.query_params.get("pair", "").split("|")
    start = next((i for i, p in enumerate(pairs) if [p.one, p.other] == asked), 0)
    place = st.selectbox(
        t("Pair, the closest first"),
        list(words),
        index=start,
        format_func=fixed(words, words.__getitem__),
        key=f"{KEY}.pair.{dataset.id}.{len(view.columns)}",
        width=460,
    )
    pair = pairs[place]
    state.note_in_address("pair", f"{pair.one}|{pair.other}" if place else "")
    found = _cells(*_key(dataset), (pair.one, pair.other), PAIR_ROWS, 7)
    one, other = found.columns
    alt = t("'{one}' and '{other}': strength {strength}", one=pair.one, other=pair.other, strength=f"{pair.strength:.2f}")
    if one.codes is None and other.codes is None:
        figure = pair_scatter(
            x=np.asarray(one.values),
            y=np.asarray(other.values),
            names=(one.name, other.name),
            units=(one.unit, other.unit),
            rows=found.rows,
            **charts_look(),
        )
    elif one.codes is not None and other.codes is not None:
        figure = cross_table(
            counts=found.counts(), names=(one.name, other.name), labels=(one.labels, other.labels), **charts_look()
        )
    else:
        text, number = (one, other) if one.codes is not None else (other, one)
        codes, values = np.asarray(text.codes), np.asarray(number.values, float)
        means = [_mean(values[codes == i]) for i in range(len(text.labels))]
        figure = values_by_group(
            labels=text.labels,
            codes=codes,
            values=values,
            means=means,
            column=number.name,
            by=text.name,
            unit=number.unit,
            joined=False,
            rows=found.rows,
            **charts_look(),
        )
    charts.show(figure, alt=alt, key=f"{KEY}_pair", height=380)
    told = "" if pair.pearson is None else f"r = {round(pair.pearson, 2) + 0.0:.2f}"
    caption(_drawn_of(found), told, t("strength {strength}", strength=f"{pair.strength:.2f}"))


def _mean(values: np.ndarray[Any, Any]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _drawn_of(found: wf.CellsView) -> str:
    return t("{n} of {of} rows drawn", n=numbers.number(len(found.rows)), of=numbers.number(found.of_rows))


def _several(view: wf.RelationsView, dataset: Dataset) -> None:
    kinds = {c.name: c.kind for c in dataset.columns}
    offered = [name for name in view.columns if kinds[name] == "number"]
    near = dict.fromkeys(name for pair in view.pairs for name in (pair.one, pair.other) if name in offered)
    columns = st.multiselect(
        t("Columns, 5 at most"),
        offered,
        default=list(near)[:AT_FIRST],
        max_selections=MOST_SEVERAL,
        key=f"{KEY}.several.{dataset.id}.{len(view.columns)}",
        placeholder=t("choose"),
    )
    if len(columns) < 2:
        st.markdown(md(t("Choose two to five columns of numbers.")))
        return
    found = _cells(*_key(dataset), tuple(columns), MATRIX_ROWS, 7)
    strength = np.full((len(columns), len(columns)), np.nan)
    for pair in view.pairs:
        if pair.one in columns and pair.other in columns:
            i, j = columns.index(pair.one), columns.index(pair.other)
            strength[i, j] = strength[j, i] = pair.strength
    figure = scatter_matrix(
        names=columns,
        values=np.column_stack([np.asarray(c.values, float) for c in found.columns]),
        units=[c.unit for c in found.columns],
        strength=strength,
        rows=found.rows,
        **charts_look(),
    )
    charts.show(figure, alt=t("Each column against each other"), key=f"{KEY}_several")
    caption(_drawn_of(found), t("above each panel: strength of the pair"))


def _map(view: wf.RelationsView, dataset: Dataset) -> None:
    names = [c.name for c in dataset.columns if c.role != "ignore"]
    times = [c.name for c in dataset.with_role("time")]
    texts = [c.name for c in dataset.columns if c.name in names and c.kind == "text"]
    start = times[0] if times else None
    left, right = st.columns([0.5, 0.5])
    with right:
        method = form_from_settings(
            wf.RowMapSettings, key=f"{KEY}.map.{dataset.id}", skip=[n for n in wf.RowMapSettings.model_fields if n != "method"]
        )["method"]
    with left:
        colour = pick(
            t("Coloured by"),
            [*texts, *(name for name in names if name not in texts)],
            start,
            key=f"{KEY}.colour.{dataset.id}",
            none=t("order of the rows"),
        )
    chosen = st.query_params.get("columns", "")
    kinds = {c.name: c.kind for c in dataset.columns}
    columns = tuple(name for name in view.columns if kinds[name] == "number") if chosen else ()
    settings = wf.RowMapSettings.read({"columns": columns, "colour_column": colour, "method": method})
    try:
        with (
            st.spinner(t("Placing rows beside their neighbours …"), show_time=True) if method == "neighbours" else nullcontext()
        ):
            found = _mapped(*_key(dataset), settings.model_dump_json())
    except Problem as problem:
        notices.problem(problem)
        return
    paint: dict[str, Any] = {"values": found.rows + 1, "name": t("row")}
    if found.colour is not None:
        paint = (
            {"values": found.colour.values, "name": found.colour.name}
            if found.colour.codes is None
            else {"codes": found.colour.codes, "labels": found.colour.labels}
        )
    shares = found.shares if found.neighbours is None else None
    figure = row_map(scores=found.scores, shares=shares, rows=found.rows, **paint, **charts_look())
    charts.show(figure, alt=say(found.headline), key=f"{KEY}_map")
    caption(
        say(found.headline),
        t("{n} of {of} rows drawn", n=numbers.number(len(found.rows)), of=numbers.number(found.of_rows)),
        *(
            (
                t("across mostly {columns}", columns=", ".join(found.leading(0))),
                t("up mostly {columns}", columns=", ".join(found.leading(1))),
            )
            if found.neighbours is None
            else (t("axes and distances between heaps have no meaning"),)
        ),
    )
    if found.colour is not None and len(found.colour.labels) > MOST_LABELS:
        n = len(found.colour.labels)
        caption(
            tn("{n} category; the eight most frequent are coloured", "{n} categories; the eight most frequent are coloured", n)
        )
    notes(found.notes)
