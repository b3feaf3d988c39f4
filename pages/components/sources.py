"""Which table of a file is meant, asked beside its preview: the sheet of a workbook, the file of an archive."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException, add_script_run_ctx, get_script_run_ctx

from core import workflows as wf
from core.data.formats.records import ALL_MEMBERS, Opened, SourceOptions
from core.messages import msg
from pages.components import notices, numbers, state
from pages.components.text import md, t
from pages.components.uploads import Upload


def workplace() -> Path:
    """A private folder of this session for what comes out of archives and workbooks; it goes with the waiting file."""
    kept: tempfile.TemporaryDirectory[str] | None = st.session_state.get("_workplace")
    if kept is None:
        kept = st.session_state["_workplace"] = wf.workplace(state.workspace())
    return Path(kept.name)


def chosen() -> SourceOptions:
    """What was chosen so far."""
    return SourceOptions(sheet=st.session_state.get("read.sheet"), member=st.session_state.get("read.member"))


def is_all() -> bool:
    """Whether every table of the archive is wanted."""
    return st.session_state.get("read.member") == ALL_MEMBERS


def opened(upload: Upload) -> Opened:
    """Take the file apart as far as one table, and offer what there is to choose from.

    Raises:
        DataProblem: it cannot be opened, or holds no table.
    """
    with bar(t("Opening '{name}' …", name=md(upload.name))) as progress:
        found = wf.open_file(upload.path, workplace(), chosen(), source_name=upload.name, progress=progress)
    _forget_other_table((str(upload.path), found.source.sheet, found.source.member))
    if len(found.members) > 1:
        _choose("member", t("File inside"), (*found.members, ALL_MEMBERS), found.source.member, bool(found.questions))
    if len(found.sheets) > 1:
        _choose("sheet", t("Sheet"), found.sheets, found.source.sheet, bool(found.questions))
    return found


def _forget_other_table(table: tuple[str, str | None, str | None]) -> None:
    """Corrections belong to one table: those of the sheet that was shown before must not be put on the next one."""
    before = st.session_state.get("_table_shown")
    st.session_state["_table_shown"] = table
    if before is None or before == table:
        return
    for key in [str(k) for k in st.session_state if str(k).startswith("read.")]:
        if key not in ("read.sheet", "read.member", "read.name", "read.form"):
            del st.session_state[key]


class Bar:
    """How far the reading of a file is. Once it takes longer than a moment there is a button that stops it: a click ends
    the script at the next sign of life, and with it the child that reads."""

    def __init__(self, text: str, on_stop: Callable[[], object] | None) -> None:
        self._text, self._stage, self._on_stop = text, text, on_stop
        self._row = st.container(horizontal=True, vertical_alignment="center")
        self._place = self._row.empty()
        self._began = self._drawn = time.monotonic()
        self._part, self._has_button = 0.0, False

    def __call__(self, stage: str, part: float) -> None:
        """Show a share of the work."""
        self._part = part
        named = {"waiting": t("Waiting until another file is read …"), "keeping": t("Keeping the original …")}
        self._stage = named.get(stage, self._text)
        self._draw()

    def is_stopped(self) -> bool:
        """Asked while nothing is told; keeps the clock going. Never true: a stop comes as the end of the script."""
        if time.monotonic() - self._drawn >= 1:
            self._draw()
        return False

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        seconds = int(self._drawn - self._began)
        if seconds and not self._has_button:
            self._has_button = True
            self._row.button(t("Stop reading"), icon=":material/stop_circle:", key="stop_reading", on_click=self._stop)
        text = f"{self._stage} {numbers.percent(self._part)}" if self._part else self._stage
        self._place.progress(min(1.0, self._part), f"{text} · {numbers.duration(seconds)}" if seconds else text)

    def _stop(self) -> None:
        notices.done(msg("Reading was stopped; nothing was stored."))
        if self._on_stop is not None:
            self._on_stop()


@contextmanager
def bar(text: str, on_stop: Callable[[], object] | None = None) -> Iterator[Bar]:
    """A bar for what reads in a child; none where nothing has to be read.

    Args:
        on_stop: What is done when the reading is stopped, where the page would otherwise begin it anew.
    """
    place = st.empty()
    try:
        with place.container():
            yield Bar(text, on_stop)
    except StopException:  # Streamlit's own Stop, in the corner: it ends the script, and no further run cleans up
        if on_stop is not None:
            on_stop()
        _say_stopped(place)
        raise
    finally:
        place.empty()


def _say_stopped(place: DeltaGenerator) -> None:
    """In the place of the bar a sentence and the way on.

    A script that was stopped can send nothing more to its page, but a thread of its own still can.
    """

    def say_it() -> None:
        with place.container():
            st.info(md(t("Reading was stopped; nothing was stored.")), icon=":material/info:")
            st.button(t("Go on"), key="after_stop", icon=":material/arrow_forward:")

    thread = threading.Thread(target=say_it, name="after-stop")
    add_script_run_ctx(thread, get_script_run_ctx())
    thread.start()
    thread.join(timeout=5)


def _choose(name: str, label: str, options: tuple[str, ...], used: str | None, is_open: bool) -> None:
    asked = is_open and st.session_state.get(f"read.{name}") is None
    st.session_state.setdefault(f"read.{name}", None if asked else used)
    st.selectbox(label, options, index=None, format_func=_word, key=f"read.{name}", placeholder=t("not decided"))


def _word(value: str) -> str:
    return t("all of them, one below the other") if value == ALL_MEMBERS else value


def tidy() -> None:
    """Remove what was taken apart."""
    kept: tempfile.TemporaryDirectory[str] | None = st.session_state.pop("_workplace", None)
    st.session_state.pop("_prepared", None)
    if kept is not None:
        kept.cleanup()
