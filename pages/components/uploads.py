"""A file on its way in: sent in chunks to the store's disk, or named on this machine; never held in memory."""

from __future__ import annotations

import os
import re
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from core import workflows as wf
from core.workflows.incoming import MOST_FILES, Incoming, import_folder, open_incoming, server_file
from pages.components import notices, numbers, state
from pages.components.text import language, t
from pages.components.upload_route import holder_of

TYPES = ("csv", "tsv", "txt", "gz", "xlsx", "parquet", "zip")
HERE = {"127.0.0.1", "localhost", "::1"}
_ASSETS = Path(__file__).resolve().parents[2] / "assets" / "components"


class Upload:
    """A file that waits to be imported. What was sent goes away with the session or with `remove`; a named one stays."""

    def __init__(self, path: Path, name: str, n_bytes: int, folder: Path | None = None) -> None:
        self.path, self.name, self.n_bytes = path, name, n_bytes
        self.remove: Callable[[], Any] = (
            (lambda: None) if folder is None else weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        )

    @property
    def title(self) -> str:
        """The file's name without its endings, for people."""
        return re.sub(r"(\.(csv|tsv|txt|gz|xlsx|parquet|zip))+$", "", self.name, flags=re.IGNORECASE) or self.name


@st.cache_resource(show_spinner=False, max_entries=4)
def _incoming(home: str, database_url: str) -> Incoming:
    return open_incoming(state.workspace())


def incoming() -> Incoming:
    """Where the uploads of this server arrive, one a process."""
    return _incoming(os.environ.get("ANDON_HOME", ""), os.environ.get("ANDON_DATABASE_URL", ""))


@st.cache_resource(show_spinner=False, max_entries=1)
def _zone() -> ComponentRenderer:
    html, css, js = ((_ASSETS / f"upload.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("andon_upload", html=html, css=css, js=js)


def current() -> Upload | None:
    """The file that waits to be imported, if any."""
    return st.session_state.get("_upload")


def waiting() -> tuple[Upload, ...]:
    """All files that wait; more than one are to become one table."""
    first = current()
    return () if first is None else (first, *st.session_state.get("_upload_more", ()))


def ask() -> None:
    """The ways in. When a file has come it is taken over and the page starts again with `current()` set."""
    place = incoming()
    ticket = st.session_state.get("_ticket")
    arrived = place.take(ticket) if ticket else None
    if arrived is not None:
        folder, files = arrived
        first, *more = sorted(files, key=lambda file: _natural(file.name))
        # All files of one delivery lie in one folder, which goes with the first of them.
        _keep(
            Upload(first.path, first.name, first.n_bytes, folder),
            tuple(Upload(file.path, file.name, file.n_bytes) for file in more),
        )
    if not ticket or not place.knows(ticket):
        ticket = st.session_state["_ticket"] = place.issue(holder_of(st.context.cookies.get(XSRF_COOKIE_NAME)))
    most = place.max_bytes
    limit = numbers.number(most / 1e9, "GB") if most >= 1e9 else numbers.number(most / 1e6, "MB")
    said = _zone()(
        key="upload_zone",
        data={
            "ticket": ticket,
            "path": f"{_base()}/upload",
            "accept": ",".join(f".{ending}" for ending in TYPES),
            "most": MOST_FILES,
            "max_bytes": place.max_bytes,
            "lang": language(),
            "words": _words(limit),
        },
        on_finished_change=lambda: None,
        on_given_up_change=lambda: None,
    )
    if said.given_up == ticket or (said.finished == ticket and not place.is_whole(ticket)):
        place.drop(ticket)
        del st.session_state["_ticket"]
        st.rerun()
    if said.finished == ticket:
        st.rerun()
    _by_path()


def drop() -> None:
    """Forget the waiting files and remove what was sent from the disk."""
    for file in waiting():
        file.remove()
    st.session_state.pop("_upload", None)
    st.session_state.pop("_upload_more", None)
    forget_corrections()


def forget_corrections() -> None:
    """Let the widgets of the preview start from what is found in the next file."""
    for key in [k for k in st.session_state if str(k).startswith(("read.", "together."))]:
        del st.session_state[key]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """The order in which people number files: 2.csv before 10.csv."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name.casefold()) if part]


def _keep(upload: Upload, more: tuple[Upload, ...] = ()) -> None:
    st.session_state["_upload"], st.session_state["_upload_more"] = upload, more
    st.session_state.pop("_ticket", None)
    forget_corrections()
    st.rerun()


def bring_back(dataset_id: str) -> None:
    """Let the kept original of a dataset wait like a file that was just sent.

    Raises:
        StoreProblem: it is not kept, or damaged.
    """
    folder, (first, *more) = wf.take_original(state.workspace(), dataset_id)
    st.session_state["_add_file"] = True
    _keep(
        Upload(first.path, first.name, first.path.stat().st_size, folder),
        tuple(Upload(o.path, o.name, o.path.stat().st_size) for o in more),
    )


def _base() -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def may_name_files() -> bool:
    """Whether a path may be typed: a folder was opened for it, or only this machine's own user reaches the server."""
    return import_folder() is not None or str(st.get_option("server.address") or "") in HERE


def _by_path() -> None:
    """A file that lies on this machine is read where it is."""
    if not may_name_files():
        return
    folder = import_folder()
    with st.expander(t("Read a file on this machine without sending it"), key="by_path"):
        with st.form("path_form", border=False, height="content"):
            row = st.container(horizontal=True, vertical_alignment="bottom")
            with row:
                text = st.text_input(
                    t("Path of the file"),
                    key="server_path",
                    placeholder=t("in the folder for imports") if folder is not None else "/data/line-3/may.csv",
                    max_chars=1000,
                )
                wanted = st.form_submit_button(t("Read file"), key="read_path")
        if wanted:
            with notices.guard():
                path = server_file(text, folder)
                _keep(Upload(path, path.name, path.stat().st_size))


def _words(limit: str) -> dict[str, str]:
    """What the component says, in the session's language; it puts them in as text, never as HTML."""
    return {
        "choose": t("Choose a file"),
        "hint": t("or drop it here · CSV, TSV, TXT, GZ, XLSX, Parquet, ZIP · up to {limit}", limit=limit),
        "cancel": t("Cancel"),
        "progress": t("Sending the file"),
        "arrived": t("The file has arrived, it is being looked at …"),
        "cancelled": t("Sending was cancelled; nothing was kept."),
        "left": t("{time} left", time="{time}"),
        "lost": t("The connection is lost; trying again …"),
        "too_many": t("Choose fewer files at once."),
        "too_large": t("The file is larger than {limit}. Import it by its path, or with the command line.", limit=limit),
        "disk_full": t("The disk of the server is too full: three times the file and 1 GB must be free."),
        "unknown": t("The time for this upload is over. Choose the file again."),
        "foreign": t("The server did not accept the upload. Load the page again, then choose the file again."),
        "unreadable": t("The file cannot be read, or it was changed while it was being sent. Choose it again."),
        "failed": t("The upload failed. Choose the file again."),
    }
