"""The rows of a file that were rejected or repaired, to be taken away as a CSV: whoever opens the dataset, whenever."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import streamlit as st

from core import workflows as wf
from core.data.options import OddRow
from pages.components import layout, state
from pages.components.text import say, t


def download(dataset_id: str, n_rejected: int) -> None:
    """The buttons; nothing where no row was rejected or repaired. Of very many lines the first are kept, and it says so."""
    rejected, repaired = _odd(str(state.workspace().home), dataset_id)
    with st.container(horizontal=True):
        _button(t("Download rejected rows"), "rejected", rejected)
        _button(t("Download repaired rows"), "repaired", repaired)
    if n_rejected > len(rejected) > 0:
        layout.caption(t("the first {n} of {all} rejected lines", n=len(rejected), all=n_rejected))


def _button(label: str, key: str, rows: Sequence[OddRow]) -> None:
    if rows:
        st.download_button(label, csv_text(rows), f"{key}.csv", "text/csv", key=key, on_click="ignore")


@st.cache_data(max_entries=4, show_spinner=False)
def _odd(home: str, dataset_id: str) -> tuple[tuple[OddRow, ...], tuple[OddRow, ...]]:
    ws = state.workspace()
    return wf.rejected_rows(ws, dataset_id), wf.repaired_rows(ws, dataset_id)


def csv_text(rows: Sequence[OddRow]) -> str:
    """Line, first byte of the line, column, reason in the language of the session, and the row as it stood in the file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "byte", "column", "reason", "text"])
    writer.writerows(
        [r.line, r.byte if r.byte >= 0 else "", *map(wf.without_formula, (r.column, say(r.reason), r.text))] for r in rows
    )
    return out.getvalue()
