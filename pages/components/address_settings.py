"""Settings of a view in the address (`?set=chart=EWMA;weight=0.1`), so that a copied address opens the same view."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

import streamlit as st

from core.errors import Problem
from core.settings import Settings
from pages.components import state

S = TypeVar("S", bound=Settings)
SEVERAL = "|"


def note(settings: Settings) -> None:
    """Keep what differs from the defaults."""
    changed = settings.model_dump(exclude_defaults=True)
    words = {name: SEVERAL.join(map(str, v)) if isinstance(v, tuple) else str(v) for name, v in changed.items()}
    state.note_in_address("set", ";".join(f"{name}={value}" for name, value in words.items()))


def read(kind: type[S], columns: Collection[str]) -> S:
    """The settings that the address names; what it says wrongly, or of another dataset, is passed over."""
    pairs = [part.partition("=") for part in st.query_params.get("set", "").split(";")]
    given: dict[str, object] = {name: value for name, _, value in pairs if name in kind.model_fields}
    for name, value in list(given.items()):
        if name.endswith("_column") and value not in columns:
            del given[name]
        elif name == "columns":
            given[name] = tuple(c for c in str(value).split(SEVERAL) if c in columns)
    try:
        return kind.read(given)
    except Problem:
        return kind()
