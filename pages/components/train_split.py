"""The choice of the split: the automatic rule, or one of the five rules that a request can name."""

from __future__ import annotations

import streamlit as st

from core.data.dataset import Dataset
from core.data.split import SplitSettings
from pages.components.choices import fixed
from pages.components.text import md, t

AUTOMATIC = "automatic"


def choose(dataset: Dataset, target: str | None, *, in_order: bool = False) -> SplitSettings | None:
    """Draw the choice and what it needs beside it; None lets the columns decide. What does not fit is said by the plan.

    `in_order`: only rules that keep the order of time.
    """
    words = {
        AUTOMATIC: t("automatic"),
        "time": t("by time"),
        "group": t("by group"),
        "first": t("first rows"),
        "random": t("at random"),
        "column": t("by a column"),
    }
    if in_order:
        del words["random"]
    method = st.selectbox(
        t("Split"),
        list(words),
        format_func=fixed(words, words.__getitem__),
        key=f"train_split_by.{dataset.id}.in_order" if in_order else f"train_split_by.{dataset.id}",
        help=md(t("Which rows train, which are held back, and which judge the model once, at the end.")),
        persist_state="session",
    )
    if method == AUTOMATIC:
        return None
    first = _first(dataset) if method == "first" else None
    column = _column(dataset, target) if method == "column" else None
    return SplitSettings.read({"method": method, "first": first, "column": column})


def _first(dataset: Dataset) -> int:
    most = max(2, dataset.n_rows - 1)
    given = st.number_input(
        t("Training rows"),
        2,
        most,
        value=min(most, max(2, dataset.n_rows * 6 // 10)),
        step=1,
        key=f"train_split_first.{dataset.id}",
        help=md(t("The first n rows train; the rest is the test part.")),
        persist_state="session",
    )
    return int(given)


def _column(dataset: Dataset, target: str | None) -> str | None:
    names = [c.name for c in dataset.columns if c.name != target and c.kind != "time"]
    return st.selectbox(
        t("Split column"),
        names,
        index=None,
        key=f"train_split_column.{dataset.id}",
        placeholder=t("Choose a column"),
        help=md(t("A column that holds train, validation or test.")),
        persist_state="session",
    )
