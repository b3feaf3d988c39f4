"""The columns of a dataset in one editable table: role, unit and specification limits beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.data.dataset import ROLES, Column, Dataset
from core.data.summary import ColumnSummary, Summary
from core.errors import SettingProblem
from core.messages import msg
from pages.components import findings, numbers
from pages.components.text import t
from pages.components.words import CATEGORY, kind_word, role_word, shown_role

ROLES_SHOWN = ("time", "group", "target", "sensor", CATEGORY, "ignore")
EDITABLE = ("role", "unit", "lower", "nominal", "upper")


def edit(dataset: Dataset, summary: Summary) -> tuple[Column, ...]:
    """Draw the table; the columns as the user has them now. `wf.change_columns` checks them."""
    table = frame(dataset.columns, summary.columns)
    edited = st.data_editor(
        table,
        hide_index=True,
        key=f"columns_{dataset.id}_{dataset.version}",
        column_config=_config(),
        disabled=[name for name in table.columns if name not in EDITABLE],
        height=min(60 + 35 * len(table), 420),
        row_height=35,
        placeholder="",
        alt=t("Columns with their role, unit, limits, missing share, range, trend and findings"),
    )
    return tuple(with_row(old, row) for old, row in zip(dataset.columns, edited.to_dict("records"), strict=True))


def frame(columns: Sequence[Column], summaries: Sequence[ColumnSummary]) -> pd.DataFrame:
    """One row a column, in table order."""
    return pd.DataFrame(
        {
            "column": [c.name for c in columns],
            "role": [shown_role(c.role, c.kind) for c in columns],
            "unit": [c.unit for c in columns],
            "lower": pd.array([c.lower_limit for c in columns], dtype="Float64"),
            "nominal": pd.array([c.nominal for c in columns], dtype="Float64"),
            "upper": pd.array([c.upper_limit for c in columns], dtype="Float64"),
            "missing": [100 * s.missing_fraction for s in summaries],
            "range": [_range(s) for s in summaries],
            "trend": [list(s.sparkline) for s in summaries],
            "findings": [findings.line(s.findings) for s in summaries],
            "kind": [kind_word(c.kind) for c in columns],
        }
    )


def with_row(old: Column, row: dict[str, Any]) -> Column:
    """The column with role, unit and limits of an edited row; a role that does not exist is not taken.

    Raises:
        SettingProblem: the role of texts for a column of something else.
    """
    if row["role"] == CATEGORY and old.kind != "text":
        raise SettingProblem(
            msg("'{column}' was given the role 'category', and it holds no texts.", column=old.name),
            msg("Expected a column of texts for this role."),
            msg("Choose 'sensor' for a column of numbers."),
        )
    known = {role: role for role in ROLES} | {CATEGORY: "sensor"}
    role: Any = known.get(row["role"], old.role)
    lower, nominal, upper = (None if pd.isna(row[k]) else float(row[k]) for k in ("lower", "nominal", "upper"))
    unit = "" if pd.isna(row["unit"]) else str(row["unit"]).strip()
    return replace(old, role=role, unit=unit, lower_limit=lower, nominal=nominal, upper_limit=upper)


def _range(summary: ColumnSummary) -> str:
    if summary.minimum is None or summary.maximum is None:
        return ""
    return f"{numbers.number(summary.minimum)} … {numbers.number(summary.maximum)}"


def _config() -> dict[str, Any]:
    c = st.column_config
    return {
        "column": c.TextColumn(t("column"), pinned=True, width=140),
        "role": c.SelectboxColumn(
            t("role"), options=list(ROLES_SHOWN), format_func=lambda role: role_word(str(role)), required=True, width=80
        ),
        "unit": c.TextColumn(t("unit"), width=64, max_chars=30),
        "lower": c.NumberColumn(
            t("LSL"), help=t("Lower specification limit: from the customer, not from the process."), width=84, format="%.6g"
        ),
        "nominal": c.NumberColumn(t("nominal"), help=t("The nominal value of the drawing."), width=84, format="%.6g"),
        "upper": c.NumberColumn(
            t("USL"), help=t("Upper specification limit: from the customer, not from the process."), width=84, format="%.6g"
        ),
        "missing": c.ProgressColumn(t("missing (%)"), min_value=0, max_value=100, format="%.1f", width=96),
        "range": c.TextColumn(t("range"), width=110),
        "trend": c.LineChartColumn(t("trend"), width=100),
        "findings": c.TextColumn(t("findings"), width=320),
        "kind": c.TextColumn(t("holds"), width=80),
    }
