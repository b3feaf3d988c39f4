"""Which columns of a file are hashed or dropped before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.workflows.privacy import Treatment
from pages.components.text import md, t, tn


def choose(names: Sequence[str]) -> dict[str, Treatment]:
    """Two lists behind one button that says how many columns are chosen."""
    known = list(dict.fromkeys(names))
    for key in ("read.hash", "read.drop"):
        if key in st.session_state:
            st.session_state[key] = [name for name in st.session_state[key] if name in known]
    n = len(set(st.session_state.get("read.hash", ())) | set(st.session_state.get("read.drop", ())))
    label = tn("Privacy: {n} column", "Privacy: {n} columns", n) if n else t("Privacy")
    with st.popover(label, icon=":material/shield:", key="privacy"):
        hashed = st.multiselect(
            t("Hash"),
            known,
            key="read.hash",
            placeholder=t("none"),
            help=md(t("A keyed hash stands for each cell: equal cells stay equal, and nobody can read them back.")),
        )
        dropped = st.multiselect(t("Drop"), known, key="read.drop", placeholder=t("none"))
        st.caption(md(t("Done before anything is stored. The original file is then not kept.")))
    return {**dict.fromkeys(hashed, "hash"), **dict.fromkeys(dropped, "drop")}  # type: ignore[dict-item]
