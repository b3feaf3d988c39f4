"""The views of one screen: a switch at the top, kept in the address as `?view=`; the first one needs no word there."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.choices import fixed
from pages.components.text import t


def chosen_view(titles: Mapping[str, str], *, key: str) -> str:
    """The view that is shown, by its key; `titles` are in the session's language, in order. Settings in the address go with a change."""
    names = list(titles)
    asked = st.query_params.get("view", names[0])
    chosen = st.segmented_control(
        t("View"),
        names,
        default=asked if asked in titles else names[0],
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key=key,
        label_visibility="collapsed",
    )
    chosen = str(chosen) if chosen in titles else names[0]
    if chosen != st.session_state.setdefault(f"{key}_shown", chosen):
        state.note_in_address("set", "")  # the settings of one view say nothing to another
        st.session_state[f"{key}_shown"] = chosen
    state.note_in_address("view", "" if chosen == names[0] else chosen)
    return chosen
