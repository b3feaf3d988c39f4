"""The audit trail of a dataset, and its deletion with everything that was made from it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.messages import msg
from pages.components import notices, numbers, state
from pages.components.layout import confirm
from pages.components.text import md, t, tn

SHOWN = 20


def show(dataset: Dataset) -> None:
    """What was done to the dataset, newest first, and the way to be rid of it."""
    ws = state.workspace()
    entries = wf.list_audit(ws, dataset.id)
    if not entries:
        st.caption(md(t("Nothing was recorded yet: the dataset is older than the audit trail.")))
    st.dataframe(
        pd.DataFrame(
            {
                "when": [numbers.moment(e.created.astimezone()) for e in entries],
                "who": [e.owner for e in entries],
                "what": [what(e.action) for e in entries],
                "details": [details(e.details) for e in entries],
                "hash": [e.sha256[:12] for e in entries],
            },
            dtype="str",
        ),
        hide_index=True,
        key="audit_table",
        height="content" if len(entries) < 8 else 280,
        alt=t("Audit trail of the dataset"),
        column_config={
            "when": st.column_config.TextColumn(t("when")),
            "who": st.column_config.TextColumn(t("who")),
            "what": st.column_config.TextColumn(t("what")),
            "details": st.column_config.TextColumn(t("details"), width="large"),
            "hash": st.column_config.TextColumn(t("hash of the table")),
        },
    )
    made = wf.made_from_dataset(ws, dataset.id)
    if confirm(t("Delete with everything made from it"), _gone(dataset, made), key="delete_everything", disabled=made.is_busy):
        with notices.guard():
            wf.delete_with_everything(ws, dataset.id)
            notices.done(msg("'{name}' and everything made from it is deleted.", name=dataset.name))
            state.forget()
    if made.is_busy:
        st.caption(md(t("A job uses this dataset: stop it or wait for its end before deleting.")))


def what(action: str) -> str:
    """An action as people say it."""
    words = {
        "imported": t("imported"),
        "changed": t("columns changed"),
        "deleted": t("deleted"),
        "deleted_with_all": t("deleted with everything"),
    }
    return words.get(action, action)


def details(facts: Any) -> str:
    """Counts and names of an entry in one line."""
    words = {"rows": t("rows"), "version": t("version"), "hashed": t("hashed"), "dropped": t("dropped")}
    words |= {"runs": t("runs"), "reports": t("reports"), "jobs": t("jobs")}
    return " · ".join(
        f"{words.get(k, k)}: {', '.join(map(str, v)) if isinstance(v, list) else numbers.number(v)}" for k, v in facts.items()
    )


def _gone(dataset: Dataset, made: Any) -> str:
    names = [name for _, name in (*made.runs, *made.reports) if name]
    listed = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    what_goes = t(
        "'{name}' goes for good, with {runs}, {reports} and {jobs}, {size} in all. Files are removed at once, not moved to the trash.",
        name=dataset.name,
        runs=tn("{n} run", "{n} runs", len(made.runs)),
        reports=tn("{n} report", "{n} reports", len(made.reports)),
        jobs=tn("{n} job", "{n} jobs", len(made.jobs)),
        size=numbers.number(made.n_bytes / 1e6, "MB"),
    )
    return f"{what_goes} {listed}".strip()
