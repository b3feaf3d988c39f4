"""What the views of Explore share: a choice of a column, a file to take away, the way to another view."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import streamlit as st

from core.data.dataset import Column, Dataset
from pages.components.choices import fixed
from pages.components.text import md, t
from pages.components.views import go_to_view

NOBODY = "-"
"""In the address: no column was chosen, although there is a likely one."""


def pick(
    label: str,
    options: Sequence[str],
    value: str | None,
    *,
    key: str,
    about: str = "",
    none: str = "",
) -> str | None:
    """A column out of `options`; `none` is the word for no column, which is then offered first. Without either nothing is chosen at first."""
    offered: list[str | None] = [None, *options] if none else list(options)
    words = {option: none if option is None else option for option in offered}
    place = offered.index(value) if value in offered else 0 if none else None
    return st.selectbox(
        md(label),
        offered,
        index=place,
        format_func=fixed(offered, words.__getitem__),
        key=key,
        help=md(about) if about else None,
        placeholder=t("choose"),
    )


EXPLORE = "explore_view"
RULES = "explore_rules"


def keep_rules(dataset_id: str, book: str, only: tuple[str, ...]) -> None:
    """The rules that were chosen on the control chart of a dataset; capability is judged by them too."""
    st.session_state.setdefault(RULES, {})[dataset_id] = (book, only)


def kept_rules(dataset_id: str) -> dict[str, object]:
    """Those rules as settings, nothing where none were chosen in this session."""
    found = st.session_state.get(RULES, {}).get(dataset_id)
    return {} if found is None else {"rules": found[0], "only_rules": found[1]}


def asked(name: str, options: Iterable[str], other: str | None) -> str | None:
    """What the address says of a column, where that is one of `options`, or that there is none; else `other`."""
    value = st.query_params.get(name, "")
    if value == NOBODY:
        return None
    return value if value in set(options) else other


def export(label: str, name: str, write: Callable[[Path], None], *, key: str) -> None:
    """A download of a CSV file that is made when it is asked for."""

    def made() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.csv"
            write(path)
            return path.read_bytes()

    file_name = re.sub(r"[\\/:*?\"<>|]", "_", name)
    st.download_button(label, made, file_name=file_name, mime="text/csv", key=key, icon=":material/download:")


def next_view(view: str, label: str, reason: str, *, key: str) -> None:
    """The end of a view that another view of the same screen continues, in the look of `layout.next_step`."""
    st.divider()
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    row.markdown(md(reason), width="stretch")
    row.button(
        md(label),
        key=key,
        icon=":material/arrow_forward:",
        icon_position="right",
        on_click=go_to_view,
        args=(view,),
        kwargs={"key": EXPLORE},
    )


def categories_first(dataset: Dataset) -> list[str]:
    """Columns by which others can be told apart: the group and texts first, then the rest without times."""

    def place(column: Column) -> int:
        return 0 if column.role == "group" else 1 if column.kind == "text" else 2

    usable = [c for c in dataset.columns if c.kind != "time" and c.role not in ("time", "ignore")]
    return [c.name for c in sorted(usable, key=place)]


def numbers_of(dataset: Dataset) -> list[str]:
    """Columns of numbers that are no time and not ignored."""
    return [c.name for c in dataset.columns if c.kind == "number" and c.role not in ("ignore", "time")]


def figure_note(verdict: str | None, words: str) -> None:
    """A verdict with its icon, colour and words; nothing is told by colour alone."""
    icons = {
        "acceptable": ":green[:material/check_circle:]",
        "conditional": ":orange[:material/warning:]",
        "unacceptable": ":red[:material/error:]",
    }
    st.markdown(f"{icons.get(verdict or '', ':gray[:material/info:]')} {md(words)}")
