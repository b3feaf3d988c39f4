"""Screens that list runs stay true: when a run begins, ends or changes its state anywhere, the screen is drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import workflows as wf
from core.workflows.records import Run
from core.workflows.workspace import Workspace

BUSY_SECONDS, IDLE_SECONDS = 2.0, 10.0
ASKING = "_dialog_is_open"


def runs(ws: Workspace, drawn: Sequence[Run]) -> None:
    """Look again every few seconds; `drawn` are all runs as the screen has just shown them."""
    busy = any(run.is_live for run in drawn)
    st.fragment(_look, run_every=BUSY_SECONDS if busy else IDLE_SECONDS)(ws, _states(drawn))


def _look(ws: Workspace, drawn: frozenset[tuple[str, str]]) -> None:
    if not st.session_state.get(ASKING) and _states(wf.list_runs(ws)) != drawn:
        st.rerun(scope="app")


def asking() -> None:
    """A dialog is open: drawing the screen anew would close it under the reader's eyes."""
    st.session_state[ASKING] = True


def asked() -> None:
    """The dialog is closed."""
    st.session_state.pop(ASKING, None)


def _states(found: Sequence[Run]) -> frozenset[tuple[str, str]]:
    return frozenset((run.id, run.state) for run in found)
