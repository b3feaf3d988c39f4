"""Settings of a view in the address (`?set=chart=EWMA;weight=0.1`), so that a copied address opens the same view.

They belong to an owner, such as a column of a dataset: limits that were typed for one column must not judge another. A new session
takes what its address says; within a session the settings of another owner are passed over. Without an owner the kind is one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar, get_origin
from urllib.parse import quote, unquote

import streamlit as st

from core.errors import Problem
from core.settings import Settings
from pages.components import state

S = TypeVar("S", bound=Settings)
SEVERAL = "|"
OWNER = "_settings_owner"


def note(settings: Settings, *, owner: str = "") -> None:
    """Keep what differs from the defaults. Names may hold the signs that part them, and are written as in any address."""
    st.session_state[OWNER] = owner or type(settings).__name__
    changed = settings.model_dump(exclude_defaults=True)
    words = {name: _written(value) for name, value in changed.items()}
    state.note_in_address("set", ";".join(f"{name}={value}" for name, value in words.items()))


def read(kind: type[S], columns: Collection[str], *, owner: str = "") -> S:
    """The settings that the address names; what it says wrongly, or of another owner, is passed over."""
    own = owner or kind.__name__
    if st.session_state.get(OWNER, own) != own:
        return kind()
    pairs = [part.partition("=") for part in st.query_params.get("set", "").split(";")]
    given: dict[str, object] = {name: unquote(value) for name, _, value in pairs if name in kind.model_fields}
    for name, _, value in pairs:
        if name not in given:
            continue
        if name.endswith("_column") and given[name] not in columns:
            del given[name]
        elif name == "columns":
            given[name] = tuple(c for c in map(unquote, value.split(SEVERAL)) if c in columns)
        elif get_origin(kind.model_fields[name].annotation) is tuple:
            given[name] = tuple(part for part in map(unquote, value.split(SEVERAL)) if part)
    try:
        return kind.read(given)
    except Problem:
        return kind()


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return SEVERAL.join(quote(str(part), safe=" ") for part in value)
    return quote(str(value), safe=" ")
