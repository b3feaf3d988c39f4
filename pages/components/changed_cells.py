"""Every cell that a recipe changes, as a table with pages and filters, and as a CSV made when it is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.clean import CellChanges, Recipe
from core.data.dataset import Dataset
from pages.components import layout, numbers, recipes
from pages.components.choices import fixed
from pages.components.text import say, t

PAGE_ROWS = 200


@st.fragment
def table(dataset: Dataset, recipe: Recipe, max_rows: int) -> None:
    """One page of the changed cells, of all steps and columns or of one; a fragment, so that turning a page is quick."""
    every = recipes.changed_cells(dataset, recipe, max_rows)
    if every.n == 0:
        layout.caption(t("The recipe changes no cell of these rows."))
        return
    titles = {i: f"{i}. {say(wf.step_title(recipe.steps[i - 1]))}" for i in recipe.active_numbers}
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        words = {0: t("all steps"), **titles}
        step = st.selectbox(t("Step"), list(words), format_func=fixed(words, words.__getitem__), key="cells_step", width=280)
        column = st.selectbox(
            t("Column"), ["", *every.columns], format_func=lambda c: c or t("all columns"), key="cells_column", width=200
        )
    chosen = every.of(column=column or None, step=step or None)
    n_pages = max(1, -(-chosen.n // PAGE_ROWS))
    with row:
        page = st.number_input(t("Page of {n}", n=n_pages), 1, n_pages, 1, key=f"cells_page.{n_pages}", width=140)
        _download(chosen)
    start = (int(page) - 1) * PAGE_ROWS
    shown = chosen.part(start, start + PAGE_ROWS)
    st.dataframe(_readable(shown, titles), hide_index=True, height=420, key="cells_table", alt=t("Changed cells"))
    layout.caption(
        t(
            "cells {first} to {last} of {n}",
            first=numbers.number(min(start + 1, chosen.n)),
            last=numbers.number(start + len(shown)),
            n=numbers.number(chosen.n),
        ),
        t("{n} rows tried out", n=numbers.number(min(max_rows, dataset.n_rows))),
    )


def _readable(shown: pd.DataFrame, titles: Mapping[int, str]) -> pd.DataFrame:
    """Values as texts with at most 6 significant digits, the step by its name."""
    return pd.DataFrame(
        {
            t("row"): shown["row"].to_numpy() + 1,
            t("column"): shown["column"].to_numpy(),
            t("before"): [_cell(v) for v in shown["before"]],
            t("after"): [_cell(v) for v in shown["after"]],
            t("step"): [titles[int(s)] for s in shown["step"]],
        }
    )


def _cell(value: object) -> str:
    if value is None or (not isinstance(value, str | date | datetime) and pd.isna(value)):  # type: ignore[call-overload]
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _download(chosen: CellChanges) -> None:
    st.download_button(
        t("Save changed cells (CSV)"),
        data=lambda: csv_bytes(chosen),
        file_name="changed-cells.csv",
        mime="text/csv",
        key="download_cells",
        icon=":material/download:",
        on_click="ignore",
    )


def csv_bytes(changes: CellChanges) -> bytes:
    """The changed cells as CSV in which no spreadsheet finds a formula."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changes.csv"
        wf.write_changes(changes, path, formula_safe=True)
        return path.read_bytes()
