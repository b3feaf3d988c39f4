"""The rows of a file that were not loaded, to be taken away as a CSV: whoever opens the dataset, whenever."""

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
    """The button; nothing where no row was rejected. Of very many lines the first are kept, and it says so."""
    rejected = _rejected(str(state.workspace().home), dataset_id)
    if rejected:
        st.download_button(
            t("Download rejected rows"),
            csv_text(rejected),
            "rejected.csv",
            "text/csv",
            key="rejected",
            on_click="ignore",
        )
        if n_rejected > len(rejected):
            layout.caption(t("the first {n} of {all} rejected lines", n=len(rejected), all=n_rejected))


@st.cache_data(max_entries=4, show_spinner=False)
def _rejected(home: str, dataset_id: str) -> tuple[OddRow, ...]:
    return wf.rejected_rows(state.workspace(), dataset_id)


def csv_text(rejected: Sequence[OddRow]) -> str:
    """Line, column, reason in the language of the session, and the row as it stood in the file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "column", "reason", "text"])
    writer.writerows([r.line, *map(wf.without_formula, (r.column, say(r.reason), r.text))] for r in rejected)
    return out.getvalue()
