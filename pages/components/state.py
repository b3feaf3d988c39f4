"""What is open: identity lives in the address (`?dataset=…&run=…`), truth in the store, nothing large in the session.

The session holds the ids, the shell writes them into the address after every run (`write_address`), and an address
that somebody edited, copied or went back to wins over the session. Code that wants to open something else calls
`open_now` or `go`, which take effect before the context bar is drawn on the next run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset

IDENTITY = ("dataset", "version", "run", "lang")
_PENDING = "_open_next"


@st.cache_resource(show_spinner=False, max_entries=4)
def _workspace(home: str, database_url: str) -> wf.Workspace:
    return wf.open_workspace()


def workspace() -> wf.Workspace:
    """The store of this server, opened once a process."""
    return _workspace(os.environ.get("ANDON_HOME", ""), os.environ.get("ANDON_DATABASE_URL", ""))


def wanted(name: str) -> str | None:
    """What is asked for: "dataset", "version", "run" or "lang" of a new address, else of the session."""
    fresh = new_in_address(name)
    if fresh or name in st.session_state:
        return fresh or st.session_state[name]
    # Streamlit drops the switchers' values when the screen changes; what the address last said is still what is open.
    return st.session_state.get("_address", {}).get(name)


def new_in_address(name: str) -> str | None:
    """The value in the address when it is not the one that this session wrote there."""
    value = st.query_params.get(name)
    return value if value and value != st.session_state.get("_address", {}).get(name) else None


def note_in_address(name: str, value: str) -> None:
    """Keep a choice of one screen in the address (`?event=3`), by id; "" takes it out. It goes when the screen changes."""
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]


def write_address() -> None:
    """Make the address say what is open, so that it can be copied. Other parameters are left alone."""
    values = {name: st.session_state.get(name) for name in IDENTITY}
    for name, value in values.items():
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif not value and name in st.query_params:
            del st.query_params[name]
    st.session_state["_address"] = values


def dataset() -> Dataset | None:
    """The open dataset in its open version, or None. The context bar has checked that it exists."""
    return st.session_state.get("_dataset")


def run() -> wf.Run | None:
    """The open run, or None."""
    return st.session_state.get("_run")


def open_now(*, dataset: str | None = None, version: int | None = None, run: str | None = None) -> NoReturn:
    """Open a dataset or a run on this screen and start the page again. A run brings its dataset with it."""
    _remember(dataset, version, run)
    st.rerun()


def go(page: str, *, dataset: str | None = None, version: int | None = None, run: str | None = None) -> NoReturn:
    """Switch to a screen, such as "learn/train.py", with a dataset or run open."""
    _remember(dataset, version, run)
    st.switch_page(page)


def forget() -> NoReturn:
    """Close what was open, after a deletion, and start the page again with the newest dataset."""
    for name in ("dataset", "version", "run"):
        st.session_state.pop(name, None)
        st.session_state.get("_address", {}).pop(name, None)
        st.query_params.pop(name, None)
    st.rerun()


def take_pending() -> dict[str, str | None]:
    """What the last run asked to open; asked once, before the switchers are drawn."""
    return dict(st.session_state.pop(_PENDING, {}))


def _remember(dataset: str | None, version: int | None, run: str | None) -> None:
    if dataset is not None or run is not None:
        text = None if version is None else str(version)
        st.session_state[_PENDING] = {"dataset": dataset, "version": text, "run": run}
