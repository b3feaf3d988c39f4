"""The audit trail of a dataset, and its deletion with everything that was made from it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.messages import msg
from core.models import MODELS
from pages.components import notices, numbers, state
from pages.components.layout import confirm
from pages.components.text import md, say, t, tn

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
                "what": [what(e.kind, e.action) for e in entries],
                "name": [e.name for e in entries],
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
            "name": st.column_config.TextColumn(t("name")),
            "details": st.column_config.TextColumn(t("details"), width="large"),
            "hash": st.column_config.TextColumn(
                t("hash"), help=t("SHA-256 of the table, the saved recipe or the report; the first 12 digits.")
            ),
        },
    )
    made = wf.made_from_dataset(ws, dataset.id)
    if confirm(t("Delete with everything made from it"), _gone(dataset, made), key="delete_everything", disabled=made.is_busy):
        with notices.guard():
            done = wf.delete_with_everything(ws, dataset.id)
            notices.done(msg("'{name}' and everything made from it is deleted.", name=dataset.name))
            if done.backups_left:
                names = ", ".join(done.backups_left)
                notices.done(msg("These files in the folder 'backups' still hold it; delete them: {names}", names=names))
            state.forget()
    if made.is_busy:
        st.caption(md(t("A job uses this dataset: stop it or wait for its end before deleting.")))


def what(kind: str, action: str) -> str:
    """An action as people say it."""
    words = {
        ("dataset", "imported"): t("imported"),
        ("dataset", "changed"): t("columns changed"),
        ("dataset", "renamed"): t("dataset renamed"),
        ("dataset", "recipe_saved"): t("recipe saved"),
        ("dataset", "deleted"): t("dataset deleted"),
        ("dataset", "deleted_with_all"): t("deleted with everything"),
        ("run", "started"): t("training started"),
        ("run", "renamed"): t("run renamed"),
        ("run", "deleted"): t("run deleted"),
        ("challenge", "frozen"): t("challenge set frozen"),
        ("challenge", "withdrawn"): t("challenge set withdrawn"),
        ("run", "checked"): t("challenge set scored"),
        ("run", "blocked"): t("use blocked"),
        ("run", "released"): t("run released"),
        ("report", "made"): t("report made"),
        ("report", "deleted"): t("report deleted"),
    }
    return words.get((kind, action), f"{kind} {action}")


def details(facts: Any) -> str:
    """Counts, names and choices of an entry in one line."""
    words = {"rows": t("rows"), "version": t("version"), "hashed": t("hashed"), "dropped": t("dropped")}
    words |= {"runs": t("runs"), "reports": t("reports"), "jobs": t("jobs"), "steps": t("steps"), "before": t("name before")}
    words |= {
        "cases": t("cases"),
        "not_caught": t("not as they must be"),
        "by": t("by"),
        "reason": t("reason"),
        "use": t("use"),
    }
    words |= {"task": t("task"), "model": t("model"), "language": t("language")}
    return " · ".join(f"{words.get(key, key)}: {_fact(key, value)}" for key, value in facts.items())


def _fact(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if not isinstance(value, str):
        return numbers.number(value)
    titles = {"task": [(c.key, c.title) for c in wf.TASK_CHOICES], "model": [(f.key, f.title) for f in MODELS]}
    return next((say(title) for known, title in titles.get(key, ()) if known == value), value)


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
    beyond = t(
        "The audit trail keeps the names. Backups that Andon made of its own database are emptied too. Copies made outside of Andon still hold it: backups and "
        "snapshots of the server, dumps of a server database, downloaded files. Ask whoever keeps them to delete them."
    )
    return f"{what_goes} {listed}".strip() + f" {beyond}"
