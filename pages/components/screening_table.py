"""The screening table: one row a column, the worst first, with filter and search that keep a thousand columns usable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.screening import GRADES, ColumnScreen
from pages.components.choices import fixed
from pages.components.text import say, t

GRADE_COLOURS = {"C": "red", "B": "orange", "A": "green", "": "gray"}
ROW_HEIGHT, MOST_HEIGHT = 32, 372
MOST_REASONS = 3


def grade_words() -> dict[str, str]:
    """Each grade as sign and word."""
    return {"C": t("✕ C act first"), "B": t("! B with care"), "A": t("✓ A ready"), "": t("– ignored")}


def worst_first(found: wf.Screened) -> list[ColumnScreen]:
    """Columns by grade, then in table order."""
    order = {grade: i for i, grade in enumerate(GRADES)}
    return sorted(found.screening.columns, key=lambda c: order[found.grade(c)])


def filters(found: wf.Screened) -> list[ColumnScreen]:
    """The columns that pass the grade and the text above the table."""
    counts, words = found.grades, grade_words()
    offered = ["all", *(grade or "ignored" for grade in GRADES if counts[grade])]
    labels = {"all": t("All")} | {grade or "ignored": f"{words[grade]}: {counts[grade]}" for grade in GRADES}
    chosen = st.segmented_control(
        t("Grade"),
        offered,
        default="all",
        format_func=fixed(offered, lambda k: labels[k]),
        key=f"screening_grade.{found.dataset.id}",
        label_visibility="collapsed",
        required=True,
    )
    text = st.text_input(
        t("Find a column"),
        key="screening_find",
        placeholder=t("Find a column"),
        max_chars=100,
        width=200,
        label_visibility="collapsed",
    )
    wanted = text.strip().lower()
    kept = [c for c in worst_first(found) if chosen in ("all", None) or (found.grade(c) or "ignored") == chosen]
    return [c for c in kept if not wanted or wanted in f"{c.name} {c.unit}".lower()]


def show(found: wf.Screened, columns: Sequence[ColumnScreen]) -> None:
    """Draw the table; the row that is picked is kept as `screening_pick`."""
    st.session_state["_screening_shown"] = [c.name for c in columns]
    # Another list of rows is another table: a selection must never point at a row that moved.
    key = f"screening_table.{found.dataset.id}.{abs(hash(tuple(c.name for c in columns)))}"
    st.session_state["_screening_table"] = key
    st.dataframe(
        frame(found, columns),
        column_config=_config(),
        hide_index=True,
        height=min(38 + ROW_HEIGHT * max(1, len(columns)), MOST_HEIGHT),
        row_height=ROW_HEIGHT,
        key=key,
        placeholder="",
        on_select=_picked,
        selection_mode="single-row",
        alt=t("Columns with grade, missing share, share in control, shifts, Ppk, trend and reasons"),
    )


def _picked() -> None:
    rows = st.session_state[st.session_state["_screening_table"]].selection.rows
    shown = st.session_state.get("_screening_shown", [])
    if rows and rows[0] < len(shown):
        st.session_state["screening_pick"] = shown[rows[0]]


def frame(found: wf.Screened, columns: Sequence[ColumnScreen]) -> pd.DataFrame:
    """One row a column: what the table shows, empty where a figure is not defined."""
    words = grade_words()
    return pd.DataFrame(
        {
            "grade": [[words[found.grade(c)]] for c in columns],
            "column": [c.name for c in columns],
            "unit": [c.unit for c in columns],
            "missing": [100 * c.missing for c in columns],
            "in_control": pd.array([None if c.in_control is None else 100 * c.in_control for c in columns], dtype="Float64"),
            "shifts": pd.array([c.shifts for c in columns], dtype="Int64"),
            "ppk": pd.array([c.ppk for c in columns], dtype="Float64"),
            "trend": [_line(c.sparkline) for c in columns],
            "why": [why(found, c) for c in columns],
        }
    )


def _line(sparkline: Sequence[float]) -> list[float]:
    """The trend with its gaps bridged: a table cell draws no line with gaps."""
    values = np.asarray(sparkline, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known]).tolist() if len(known) else []


def why(found: wf.Screened, column: ColumnScreen) -> str:
    """The open reasons of a column in a line."""
    reasons = found.open_reasons(column)
    text = "; ".join(say(r.message) for r in reasons[:MOST_REASONS])
    return text + (" …" if len(reasons) > MOST_REASONS else "")


def _config() -> dict[str, Any]:
    c, words = st.column_config, grade_words()
    return {
        "grade": c.MultiselectColumn(
            t("grade"), options=[words[g] for g in GRADES], color=[GRADE_COLOURS[g] for g in GRADES], width=106, pinned=True
        ),
        "column": c.TextColumn(t("column"), width=134, pinned=True),
        "unit": c.TextColumn(t("unit"), width=48),
        "missing": c.NumberColumn(t("missing (%)"), format="%.1f", width=76),
        "in_control": c.ProgressColumn(
            t("in control"),
            help=t("Share of rows without a signal of Nelson's rules 1 to 4 against limits from the baseline period."),
            min_value=0,
            max_value=100,
            format="%.0f%%",
            width=96,
        ),
        "shifts": c.NumberColumn(t("shifts"), help=t("Lasting changes of level."), width=48),
        "ppk": c.NumberColumn("Ppk", help=t("Only where the column has a specification limit."), format="%.2f", width=48),
        "trend": c.LineChartColumn(t("trend"), width=100),
        "why": c.TextColumn(t("why"), width=420),
    }
