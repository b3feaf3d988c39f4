"""The scored rows as a table with filters, and as a CSV made only when it is asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from pages.components import layout, numbers
from pages.components.choices import fixed
from pages.components.results_view import PARTS, part_word
from pages.components.text import md, t, tn
from pages.components.words import refusal_word, with_refusals

MOST_ROWS = 5_000
CODES = {"train": 0, "validation": 1, "test": 2}


def csv_bytes(results: Any, rows: Any = None, threshold: float | None = None, positive: str | None = None) -> bytes:
    """The scores as formula-safe CSV, flagged or called at a decision limit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.csv"
        wf.export_scores(results, path, rows, threshold, positive)
        return path.read_bytes()


def file_name(results: Any) -> str:
    """A file name without anything that a user typed."""
    return f"andon-scores-{results.run.id}.csv"


def download(
    results: Any,
    rows: Any = None,
    *,
    threshold: float | None = None,
    positive: str | None = None,
    key: str = "download_scores",
) -> None:
    """The button that saves all scored rows or some; the file is written when it is clicked."""
    st.download_button(
        t("Save scores (CSV)") if rows is None else t("Save these rows (CSV)"),
        data=lambda: csv_bytes(results, rows, threshold, positive),
        file_name=file_name(results),
        mime="text/csv",
        key=key,
        type="primary" if rows is None else "secondary",
        icon=":material/download:",
        width="stretch" if rows is None else "content",
        on_click="ignore",
    )


@st.fragment
def table(results: Any, threshold: float | None = None, positive: str | None = None) -> None:
    """All rows, filtered by part, by text and by what went wrong; at most 5,000 are shown.

    It opens on rows that the model had not learned from. Rows of a run with a decision limit are flagged or called, filtered and saved at the limit that the screen shows.
    """
    st.header(md(t("All scored rows")), anchor=False)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        choices = ["all", *reversed(PARTS)]
        part = st.selectbox(
            t("Rows"),
            choices,
            index=choices.index(_held_out(results)),
            format_func=fixed(choices, part_word),
            key="table_part",
            width=160,
        )
        kind = st.selectbox(
            t("Show"), list(_kinds(results)), format_func=_kinds(results).__getitem__, key="table_kind", width=240
        )
        text = st.text_input(t("Find in lot, time or class"), key="table_find", width=240, max_chars=100)
    kept = wf.matching_rows(results, threshold, positive, part=part, kind=kind, text=text)
    shown = wf.scored_rows(results, kept[:MOST_ROWS], threshold, positive)
    st.dataframe(
        _readable(wf.with_remarks(results, shown), wf.text_column(results)),
        hide_index=True,
        height=320,
        key="scores_table",
        alt=t("Scored rows"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        more = t("first {n} shown", n=MOST_ROWS) if len(kept) > MOST_ROWS else ""
        layout.caption(t("{n} of {all} rows", n=numbers.number(len(kept)), all=numbers.number(results.n_rows)), more)
        if len(kept):
            download(results, kept, threshold=threshold, positive=positive, key="download_filtered")
    if "flag" in shown and (shown["why_not"] == wf.PADDED).any():
        layout.caption(
            t(
                "{remark}: a group's first rows, whose window is filled up by repeating one row. They have a score and are never flagged, however high it is, because one repeated row is no stretch of process.",
                remark=refusal_word(wf.PADDED),
            )
        )


def _held_out(results: Any) -> str:
    """The part that the list opens on: the test part, else the validation part; all rows where nothing was held back."""
    return next((part for part in ("test", "validation") if len(results.part_rows(part))), "all")


def _kinds(results: Any) -> dict[str, str]:
    words = {
        "all": t("every row"),
        "refused": t("rows with a remark"),
        "wrong": t("rows with a wrong class"),
        "unknown": t("rows unlike every known class"),
        "flag": t("flagged rows"),
        "outside": t("rows outside their interval"),
    }
    return {kind: words[kind] for kind in wf.ROW_KINDS[results.task]}


def _readable(shown: pd.DataFrame, remark: str | None = None) -> pd.DataFrame:
    """The table in the session's language; `remark` is what the column of the remarks is called in the data."""
    words = {"row": t("row"), "part": t("part"), "truth": t("measured"), "prediction": t("predicted")}
    words |= {"lower": t("lower"), "upper": t("upper"), "score": t("score"), "flag": t("flag"), "why_not": t("remark")}
    words |= {"real_event": t("real event"), "none_of_known": t("none of the known classes")}
    words |= {"expected": t("expected one row before")}
    ahead = (name.removeprefix("prediction_") for name in shown.columns if str(name).startswith("prediction_"))
    words |= {f"prediction_{n}": tn("In {n} row", "In {n} rows", int(n)) for n in ahead if n.isdecimal()}
    if remark is not None:  # the data may have called it as one of ours
        taken = {words.get(str(column), str(column)) for column in shown.columns}
        words[wf.REMARK] = remark if remark not in taken else t("text: {column}", column=remark)
    names = [part_word(name) for name in CODES] + [t("gap")]
    table = shown.assign(part=pd.Categorical.from_codes(np.minimum(shown["part"].to_numpy(), len(CODES)), names))
    table["row"] = table["row"] + 1
    if "why_not" in table:
        table["why_not"] = with_refusals(table["why_not"])
    for column in table.select_dtypes("float"):
        table[column] = numbers.five_digits(table[column].to_numpy())
    return table.rename(columns=words)
