"""What calls cost in this session: one table of prices for a run, which the rule for the decision limit and the money view both read and write.

A price that is typed in one place stands in the other. Two classes have two prices that the rule knows, a missed defect and a rejected good part;
more classes have a price for each pair, which only the money view can ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import workflows as wf
from pages.components import address_settings, notices

Prices = NDArray[np.float64]


def owner(run_id: str) -> str:
    """Whose settings the prices are in the address."""
    return f"costs.{run_id}"


def held(run_id: str, classes: tuple[str, ...]) -> Prices:
    """The prices (k, k), true class down, called class across: as typed, else as the address says, else 1 for a wrong call."""
    key = _key(run_id)
    if key not in st.session_state:
        with notices.guard():
            st.session_state[key] = wf.cost_matrix(classes, address_settings.read(wf.CostSettings, (), owner=owner(run_id)))
        if key not in st.session_state:  # an address that says it wrongly
            st.session_state[key] = 1.0 - np.eye(len(classes))
    return np.asarray(st.session_state[key])


def keep(run_id: str, prices: Prices, *, from_table: bool = False) -> None:
    """Hold other prices. A table that has been drawn keeps its own edits, so that prices from elsewhere give it a new key."""
    st.session_state[_key(run_id)] = prices
    if not from_table:
        st.session_state[f"{_key(run_id)}.drawn"] = prices
        st.session_state[f"{_key(run_id)}.generation"] = st.session_state.get(f"{_key(run_id)}.generation", 0) + 1


def table(run_id: str, classes: tuple[str, ...]) -> tuple[Prices, str]:
    """The prices that the table was drawn with first, which edits are counted from, and its key."""
    start = st.session_state.setdefault(f"{_key(run_id)}.drawn", held(run_id, classes))
    return np.asarray(start), f"{_key(run_id)}.table.{st.session_state.get(f'{_key(run_id)}.generation', 0)}"


def take_edits(run_id: str, classes: tuple[str, ...]) -> None:
    """Hold what was typed into the table, as its callback: the rule above it is drawn before the table is."""
    start, key = table(run_id, classes)
    edited: Any = st.session_state.get(key) or {}
    keep(run_id, with_edits(start, edited.get("edited_rows", {}), classes), from_table=True)


def with_edits(start: Prices, edited: Mapping[int, Mapping[str, Any]], classes: tuple[str, ...]) -> Prices:
    """The prices (k, k) after edits by row and class; what is no number keeps its price."""
    found = start.copy()
    for row, cells in edited.items():
        for name, price in cells.items():
            if name in classes and isinstance(price, int | float) and np.isfinite(price):
                found[int(row), classes.index(name)] = float(price)
    return found


def _key(run_id: str) -> str:
    return f"prices.{run_id}"
