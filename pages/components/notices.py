"""The one place that turns errors into boxes. The user reads a sentence; the traceback goes to the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import Problem
from core.messages import Message
from pages.components.text import md, say, t

_LOG = logging.getLogger("andon.pages")


def problem(error: Problem) -> None:
    """What came, what was expected, what to do."""
    what, expected, fix = (md(say(part)) for part in (error.what, error.expected, error.fix))
    st.error(f"**{what}** {expected} {fix}", icon=":material/error:")


def unexpected(error: BaseException) -> None:
    """One sentence and an id under which the log has the traceback."""
    number = secrets.token_hex(4)
    _LOG.error("unexpected error %s", number, exc_info=error)
    sentence = t(
        "This did not work because of a fault in the program. Nothing you stored is lost. Error {number}.", number=number
    )
    st.error(md(sentence), icon=":material/bug_report:")


@contextmanager
def guard() -> Iterator[None]:
    """Run a part of a screen; a `Problem` or a fault in it becomes a box in its place and the rest goes on."""
    try:
        yield
    except Problem as error:
        problem(error)
    except Exception as error:  # noqa: BLE001  the shell is where faults end: logged with their traceback
        unexpected(error)


def warn(message: Message | str) -> None:
    """Something to know that stops nothing."""
    st.warning(md(say(message)), icon=":material/warning:")


def note(message: Message | str) -> None:
    """Something good to know."""
    st.info(md(say(message)), icon=":material/info:")


def done(message: Message | str) -> None:
    """Something has worked: said once, on this run or on the one that follows."""
    st.session_state.setdefault("_done", []).append(say(message))


def show_done() -> None:
    """Say what `done` was told; the shell calls it once a run."""
    for sentence in st.session_state.pop("_done", []):
        st.toast(md(sentence), icon=":material/check_circle:")
