"""Screens that list runs stay true: when a run begins, ends or changes its state anywhere, the screen is drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core import workflows as wf
from core.workflows.records import Run
from core.workflows.workspace import Workspace

BUSY_SECONDS, IDLE_SECONDS = 2.0, 10.0
ASKING = "_dialog_is_open"


def runs(ws: Workspace, drawn: Sequence[Run], show: Callable[[Sequence[Run]], None] | None = None) -> None:
    """Look again every few seconds; `drawn` are all runs as the screen has just shown them.

    Args:
        show: A part of the screen that is drawn anew at each look, from the runs as they are then: how far they are.
    """
    st.session_state.pop(ASKING, None)  # a dialog ends when its screen is drawn, however it was left
    busy = any(run.is_live for run in drawn)
    st.fragment(_look, run_every=BUSY_SECONDS if busy else IDLE_SECONDS)(ws, _states(drawn), show)


def asking() -> None:
    """A dialog is open: drawing the screen anew would close it under the reader's eyes."""
    st.session_state[ASKING] = True


def _look(ws: Workspace, drawn: frozenset[tuple[str, str]], show: Callable[[Sequence[Run]], None] | None) -> None:
    found = wf.list_runs(ws)
    if not st.session_state.get(ASKING) and _states(found) != drawn:
        st.rerun(scope="app")
    if show is not None:
        show(found)


def _states(found: Sequence[Run]) -> frozenset[tuple[str, str]]:
    return frozenset((run.id, run.state) for run in found)
