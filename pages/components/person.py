"""Who sits in front of the screen: asked for once, kept for the session, and shown wherever something is signed."""

from __future__ import annotations

import streamlit as st

from core import workflows as wf
from pages.components.text import md, t

PERSON = "_person"


def ask(*, key: str, width: int | str = "stretch") -> str:
    """The field for the name, filled with what was said before; every screen that signs something has it."""
    st.session_state[key] = name()
    return st.text_input(
        t("Your name"),
        key=key,
        max_chars=wf.LONGEST_NAME,
        width=width,  # type: ignore[arg-type]
        placeholder=t("needed to sign"),
        help=md(t("What you say is kept under this name. It stays until you close this page.")),
        on_change=_keep,
        args=(key,),
    )


def name() -> str:
    """Who has said so in this session, or ""."""
    return str(st.session_state.get(PERSON, ""))


def shown(owner: str) -> str:
    """The person who signed an entry, or "" where a program or an older version wrote it."""
    return owner if wf.is_named(owner) else ""


def _keep(key: str) -> None:
    st.session_state[PERSON] = str(st.session_state.get(key, "")).strip()
