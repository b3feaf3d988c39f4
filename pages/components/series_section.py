"""A column over time on the Data screen, with the periods that take no part: drawn on the chart, typed, or uploaded."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import charts as drawing
from core import workflows as wf
from core.clean.periods import Period, joined, make_period
from core.data.dataset import Dataset
from core.errors import DataProblem, Problem
from core.messages import msg
from pages.components import chart_range, charts, notices, numbers, recipes, state
from pages.components.explore_parts import numbers_of
from pages.components.layout import caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY = "series"
MOST_PERIODS, MAX_BYTES = 500, 1_000_000


@st.cache_resource(max_entries=8, show_spinner=False)
def _axis(home: str, dataset_id: str, version: int) -> wf.TableAxis:
    return wf.TableAxis(wf.open_dataset(state.workspace(), dataset_id, version))


@st.cache_resource(max_entries=16, show_spinner=False)
def _series(home: str, dataset_id: str, version: int, column: str, start: int, stop: int) -> wf.Series:
    dataset = wf.open_dataset(state.workspace(), dataset_id, version)
    return wf.column_series(dataset, column, _axis(home, dataset_id, version), start, stop)


@st.fragment
def show(dataset: Dataset) -> None:
    """The chart of one column with its range, and the list of periods beside it."""
    names = numbers_of(dataset)
    if not names or dataset.n_rows < 2:
        st.caption(md(t("There is no column of numbers to draw.")))
        return
    home = str(state.workspace().home)
    axis, key = _axis(home, dataset.id, dataset.version), f"{KEY}.{dataset.id}"
    periods = wf.periods_of(wf.get_recipe(state.workspace(), dataset.id))
    main, rail = st.columns([3, 1], gap="medium")
    with main:
        row = st.container(horizontal=True, vertical_alignment="bottom")
        column = row.selectbox(t("Column"), names, key=f"{key}.column", width=320)
        excludes = axis.column is not None and row.toggle(
            t("Drawing on the chart leaves a period out"),
            key=f"{key}.excludes",
            help=md(t("Switched off, a stretch drawn on the chart is shown in full detail.")),
        )
        _chart(dataset, column, axis, key, periods, excludes=bool(excludes))
    with rail:
        if axis.column is None:
            st.caption(md(t("Periods are left out by time: this table has no time column whose values ascend.")))
        else:
            _periods(dataset, key, periods)


def _chart(dataset: Dataset, column: str, axis: wf.TableAxis, key: str, periods: tuple[Period, ...], *, excludes: bool) -> None:
    shown = chart_range.chosen(key, dataset.n_rows)
    found = _series(str(state.workspace().home), dataset.id, dataset.version, column, shown.start, shown.stop)
    figure = drawing.series_over_time(
        values=found.values,
        column=column,
        unit=found.unit,
        x=found.at,
        rows=found.rows,
        excluded=[(p.start, p.stop, p.reason) for p in periods],
        **charts_look(),
    )
    alt = t("{column} over {n} rows", column=column, n=numbers.number(shown.stop - shown.start))
    if excludes:
        charts.show_selectable(figure, alt=alt, key=f"{key}.excluding", height=320, on_box=partial(_leave_out, dataset.id))
        if dataset.n_rows > drawing.MAX_POINTS:
            chart_range.control(key, axis)
    else:
        chart_range.show(figure, axis, alt=alt, key=key, height=320)
    left_out = tn("{n} period left out", "{n} periods left out", len(periods)) if periods else ""
    caption(say(drawing.caption_rows(shown.stop - shown.start, found.at if len(found.at) else None)), left_out)


def _leave_out(dataset_id: str, low: Any, high: Any) -> None:
    """A stretch was drawn: it is left out from now on."""
    saved = wf.periods_of(wf.get_recipe(state.workspace(), dataset_id))
    try:
        keep(dataset_id, (*saved, make_period(low, high)))
    except Problem as problem:
        st.session_state[f"{KEY}.problem"] = problem


def keep(dataset_id: str, periods: tuple[Period, ...]) -> None:
    """Make these the periods of the dataset's recipe, and of the draft that somebody may be at."""
    ws, draft = state.workspace(), recipes.Draft(dataset_id)
    draft.put(wf.with_periods(draft.recipe, periods))
    wf.save_recipe(ws, dataset_id, wf.with_periods(wf.get_recipe(ws, dataset_id), periods))


def _periods(dataset: Dataset, key: str, periods: tuple[Period, ...]) -> None:
    """The list, which can be typed in and pasted into, and a file of it."""
    st.markdown(f"**{md(t('Periods left out'))}**")
    with notices.guard():
        if (problem := st.session_state.pop(f"{KEY}.problem", None)) is not None:
            raise problem
    table = pd.DataFrame([(*_ends(p), p.reason) for p in periods], columns=["from", "to", "reason"], dtype="str")
    edited = st.data_editor(
        table,
        num_rows="dynamic",
        hide_index=True,
        key=f"{key}.table.{hash(periods)}",
        height=210,
        column_config={
            "from": st.column_config.TextColumn(t("from")),
            "to": st.column_config.TextColumn(t("to")),
            "reason": st.column_config.TextColumn(t("reason"), max_chars=80),
        },
    )
    turn = st.session_state.setdefault(f"{key}.turn", 0)
    if st.button(t("Save periods"), key=f"{key}.save", disabled=edited.equals(table), width="stretch"):
        with notices.guard():
            keep(dataset.id, _read_rows(edited.fillna("").to_numpy().tolist()))
            st.rerun(scope="fragment")
    with st.popover(t("From a file"), icon=":material/upload_file:", width="stretch", key=f"{key}.file"):
        given = st.file_uploader(
            t("CSV with from, to, reason"), type=["csv", "txt"], key=f"{key}.upload.{turn}", max_upload_size=1
        )
        if given is not None:
            with notices.guard():
                keep(dataset.id, (*periods, *read_file(given.getvalue())))
                st.session_state[f"{key}.turn"] = turn + 1
                st.rerun(scope="fragment")
    st.caption(md(t("They are the first step of the recipe: the next training, its scores and its report follow them.")))


def _ends(period: Period) -> tuple[str, str]:
    if not period.is_time:
        return f"{period.start:.15g}", f"{period.stop:.15g}"
    return str(period.start), str(period.stop)


def _read_rows(rows: list[list[Any]]) -> tuple[Period, ...]:
    """Periods of rows of three texts; empty rows are none."""
    filled = [row for row in rows if any(str(cell).strip() for cell in row)]
    if len(filled) > MOST_PERIODS:
        raise DataProblem(
            msg("{n} periods were given.", n=len(filled)),
            msg("Expected at most {n}.", n=MOST_PERIODS),
            msg("Join neighbouring periods."),
        )
    return joined(make_period(*(str(cell) for cell in row[:3])) for row in filled)


def read_file(raw: bytes) -> tuple[Period, ...]:
    """Periods of a small CSV with from, to and an optional reason, with or without a header.

    Raises:
        DataProblem: it is no such table.
        SettingProblem: a line holds no period.
    """
    wrong = DataProblem(
        msg("The file holds no periods."),
        msg("Expected a table with from, to and reason, a line a period."),
        msg("Write for example: 2026-05-01 06:00,2026-05-01 08:30,maintenance"),
    )
    if len(raw) > MAX_BYTES:
        raise wrong
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise wrong from error
    if rows and not any(character.isdigit() for character in "".join(rows[0][:2])):
        rows = rows[1:]
    if not rows or any(len(row) < 2 for row in rows):
        raise wrong
    return _read_rows([[*row, ""][:3] for row in rows])
