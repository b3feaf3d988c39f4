"""The views of one screen: a switch at the top, kept in the address as `?view=`; the first one needs no word there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from pages.components import state
from pages.components.choices import fixed
from pages.components.text import t


def chosen_view(
    titles: Mapping[str, str],
    *,
    key: str,
    own: Collection[str] = ("set",),
    shared: Mapping[str, Collection[str]] | None = None,
) -> str:
    """The view that is shown, by its key; `titles` are in the session's language, in order.

    With a change the parameters `own` leave the address, because what one view was told says nothing to another; one that is
    `shared` stays for the views named with it.
    """
    names = list(titles)
    generation = st.session_state.get(f"{key}_generation", 0)
    asked = st.query_params.get("view", names[0])
    chosen = st.segmented_control(
        t("View"),
        names,
        default=asked if asked in titles else names[0],
        required=True,
        format_func=fixed(titles, titles.__getitem__),
        key=f"{key}.{generation}" if generation else key,
        label_visibility="collapsed",
    )
    chosen = str(chosen) if chosen in titles else names[0]
    if chosen != st.session_state.setdefault(f"{key}_shown", chosen):
        for name in own:
            if chosen not in (shared or {}).get(name, ()):
                state.note_in_address(name, "")
        st.session_state[f"{key}_shown"] = chosen
    state.note_in_address("view", "" if chosen == names[0] else chosen)
    return chosen


def go_to_view(view: str, *, key: str) -> None:
    """Switch to another view, as the callback of a button. A switch that has been drawn keeps its choice in the browser, so that it gets a new key."""
    st.session_state[f"{key}_generation"] = st.session_state.get(f"{key}_generation", 0) + 1
    st.query_params["view"] = view
