"""All challenge sets of the workspace, those of deleted datasets too, and the way to withdraw one without a run of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.messages import msg
from pages.components import notices, numbers, person
from pages.components.choices import fixed
from pages.components.layout import caption, confirm
from pages.components.text import md, t, tn
from pages.components.words import project_name

KEY = "challenge_register"


def show(ws: wf.Workspace) -> None:
    """Nothing where there is no set and none was withdrawn."""
    kept = wf.kept_challenges(ws)
    if kept:
        _counting(ws, kept)
    withdrawn(ws)


def withdrawn(ws: wf.Workspace, dataset_id: str | None = None) -> None:
    """The sets that count no longer, folded: who withdrew each, when and why; nothing where there are none."""
    found = wf.withdrawn_challenges(ws, dataset_id)
    if not found:
        return
    with st.expander(t("Withdrawn challenge sets ({n})", n=len(found)), icon=":material/history:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "name": [w.challenge.name for w in found],
                    "when": ["–" if w.when is None else numbers.moment(w.when.astimezone()) for w in found],
                    "who": [w.by for w in found],
                    "why": [w.reason for w in found],
                    "cases": [w.challenge.n_cases for w in found],
                }
            ),
            column_config={
                "name": st.column_config.TextColumn(t("Challenge set")),
                "when": st.column_config.TextColumn(t("Withdrawn")),
                "who": st.column_config.TextColumn(t("By")),
                "why": st.column_config.TextColumn(t("Reason"), width="medium"),
                "cases": st.column_config.NumberColumn(t("Cases"), width="small"),
            },
            hide_index=True,
            key=f"{KEY}_withdrawn",
            alt=t("Withdrawn challenge sets, the newest first"),
        )


def gone(challenge: wf.ChallengeSet) -> str:
    """What a withdrawal does, before it is done."""
    return tn(
        "'{name}' with its case counts no longer for any run. That cannot be taken back: the same case can only be frozen anew.",
        "'{name}' with its {n} cases counts no longer for any run. That cannot be taken back: the same cases can only be frozen anew.",
        challenge.n_cases,
        name=challenge.name,
    )


def _counting(ws: wf.Workspace, kept: tuple[wf.KeptSet, ...]) -> None:
    with st.expander(t("Challenge sets ({n})", n=len(kept)), icon=":material/verified:"), notices.guard():
        st.dataframe(
            _table(kept),
            column_config={
                "name": st.column_config.TextColumn(t("Challenge set")),
                "dataset": st.column_config.TextColumn(t("Dataset")),
                "cases": st.column_config.NumberColumn(t("Cases"), width="small"),
                "frozen": st.column_config.TextColumn(t("Frozen")),
                "state": st.column_config.TextColumn(t("State")),
            },
            hide_index=True,
            key=f"{KEY}_table",
            alt=t("All challenge sets with their datasets"),
        )
        caption(
            t(
                "A set counts until it is withdrawn, also when its dataset or its runs are deleted: a model that was taken out is still held against it."
            )
        )
        _withdraw(ws, kept)


def _table(kept: tuple[wf.KeptSet, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "name": k.challenge.name,
                "dataset": project_name(k.dataset_name),
                "cases": k.challenge.n_cases,
                "frozen": numbers.moment(pd.Timestamp(k.challenge.created).to_pydatetime().astimezone()),
                "state": t("dataset deleted") if k.is_deleted else "",
            }
            for k in kept
        ]
    )


def _withdraw(ws: wf.Workspace, kept: tuple[wf.KeptSet, ...]) -> None:
    names = {k.challenge.id: f"{k.challenge.name} · {project_name(k.dataset_name)}" for k in kept}
    if st.session_state.get(f"{KEY}.set") not in names:
        st.session_state.pop(f"{KEY}.set", None)
    chosen = st.selectbox(t("Challenge set"), list(names), format_func=fixed(list(names), names.__getitem__), key=f"{KEY}.set")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        by = person.ask(key=f"{KEY}.by")
        reason = st.text_input(t("Reason"), key=f"{KEY}.reason", max_chars=2000)
        wanted = next((k.challenge for k in kept if k.challenge.id == chosen), None)
        if wanted is not None and confirm(t("Withdraw the set"), gone(wanted), key=f"{KEY}_withdraw"):
            with notices.guard():
                wf.withdraw_challenge(ws, wanted.id, by=by, reason=reason)
                notices.done(msg("The set counts no longer; the audit trail has the name and the reason."))
                st.rerun()
    st.caption(md(t("Who withdraws a set answers for it: name and reason go into the audit trail.")))
